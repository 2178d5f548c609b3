"""What ``__main__.py`` and ``sitecustomize.py`` of a program are made from: text, filled in by `executable`.

Nothing imports the modules here.  An interpreter without bundleimp compiles the text at every start, so it holds no
more than what leads to the runtime.
"""
