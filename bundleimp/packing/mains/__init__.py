"""What ``__main__.py`` of a program is made from: text, filled in by `executable`; nothing imports it.

An interpreter without bundleimp compiles it at every start, so it holds no more than what leads to the runtime.
"""
