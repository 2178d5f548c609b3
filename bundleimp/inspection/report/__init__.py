"""`report`: one HTML page about a bundle.

`sizetree`, `start` and `model` cut down what the rest of `inspection` and a profiled start say; they do no I/O.  `page`
makes HTML of it, and reads the files beside it only.  `profiling` runs a program, and `starter` is what it runs.
"""
