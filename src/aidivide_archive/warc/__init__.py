"""WARC files: records written and read, and the bytes of their gzip members."""
