"""`python -m aidivide_archive`: the same as `aidivide`."""

from aidivide_archive.cli import main

main()
