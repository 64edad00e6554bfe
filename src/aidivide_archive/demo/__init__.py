"""The demo: eight invented outlets on loopback, the profile that crawls them, the planned truth.

`newsroom` serves, `profile` gives the event profile for a port, `truth` says what a right archive
of it holds. Every sentence of the pages is the project's own; outlets and quoted people are
invented, the event's public facts are real.
"""
