"""The ground of the archive: engines, the writer thread, locks, room on the disk, migrations. Knows no document."""
