"""What depends on the whole set: joined pages, templates, matches, stories."""
