"""Spiders: what is asked for first, and what is done with each response."""
