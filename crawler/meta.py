"""Keys of `request.meta` in this project, each with what it holds."""

from __future__ import annotations

LEASED = "leased"
"""`LeasedUrl`: the URL that the frontier handed out. Requests for a site's own files have none."""
CAPTURE = "capture"
"""`model.Capture`: the exchange as fetched; set once a response has come."""
ROBOTS = "robots"
"""dict: the verdict of robots.txt and the rule it goes by, as the capture's row keeps it."""
SITE_STATEMENTS = "site_statements"
"""tuple of `rights.Statement`: what the site's tdmrep.json says about this URL."""
IS_SITE_FILE = "is_site_file"
"""True: robots.txt or tdmrep.json, which no rule of robots.txt governs."""
RECEIVED_BYTES = "received_bytes"
"""int: how much of a site file has arrived so far."""
DOWNLOAD_SLOT = "download_slot"
"""str: the host, with its port when that is explicit. Scrapy's own key, set on every request of ours."""
