"""`report`: one HTML page about a bundle.

`sizetree`, `start` and `model` limit the findings of `inspection` and of a profiled start to what a page can show.
They do no I/O.  `page` makes the HTML from the files beside it.  `profiling` starts a program by the script `starter`.
"""
