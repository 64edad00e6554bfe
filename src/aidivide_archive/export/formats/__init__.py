"""One module a format, found by the registry; docs/exports.md says how to add one."""
