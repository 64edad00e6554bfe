"""Looking after an archive: a person's decisions, computing again, purging, merging, and the check-up.

`operations` write, each as a run with a row of its own; `checkup` looks at what is in effect. Both are what the
commands call, and print nothing.
"""
