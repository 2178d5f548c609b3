"""What ``__main__.py`` and ``sitecustomize.py`` of a program are made from: text, filled in by `executable`.

Python 3.8 and newer can parse it.  Older versions read no zip that has a comment, so they see no ``__main__``.
`elsewhere` is a string in ``__main__``: it is compiled only if the running Python does not fit.

Nothing imports the modules here.  An interpreter without bundleimp compiles the text at every start, so it holds no
more than what leads to the runtime.
"""
