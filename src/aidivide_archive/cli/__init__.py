"""The `aidivide` commands: arguments in, one call of the library, results on stdout, everything else on stderr.

Heavy imports stand inside the commands, so that `aidivide --help` answers at once.
"""

from aidivide_archive.cli.program import cli, main

__all__ = ["cli", "main"]
