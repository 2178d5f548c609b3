"""`report`: one HTML page about a bundle.

`sizetree`, `start` and `model` turn what the rest of `inspection` and a profiled start say into short lists; `page`
turns these into HTML.  They do no I/O.  `profiling` runs a program, and `starter` is what it runs.
"""
