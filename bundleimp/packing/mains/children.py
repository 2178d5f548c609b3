"""Makes this program importable in its child processes.  Written by `bundleimp pack --entry-point`.

The program has put the folder of this file on their PYTHONPATH.  Any Python may import this file, so it does nothing in
Pythons other than the program's own.
"""

import os
import sys

_FOLDER = os.path.dirname(__file__)
_PROGRAM = os.path.dirname(_FOLDER)


def _is_of_this_python():
    if sys.version_info < (3, 11):
        return False
    words = os.environ.get("BUNDLEIMP_CHILDREN", "").split(os.pathsep)
    this = sys.implementation.cache_tag + getattr(sys, "abiflags", "") + " " + sys.prefix
    # The first one counts, if a program has started itself in another Python.
    return words[words.index(_PROGRAM) + 1 :][:1] == [this] if _PROGRAM in words else True


def _join():
    loader = globals()["__loader__"]
    main = {"__name__": "__children__", "__loader__": loader}
    try:
        exec(compile(loader.get_data(os.path.join(_PROGRAM, "__main__.py")), _PROGRAM, "exec"), main)
        main["_runtime"]().join(_PROGRAM)
    except (Exception, SystemExit) as error:
        sys.stderr.write("bundleimp: this process cannot import from the program that started it: " + str(error) + "\n")


def _start():
    entries = [_PROGRAM] if _is_of_this_python() else []
    place = sys.path.index(_FOLDER) if _FOLDER in sys.path else 0
    sys.path[:] = sys.path[:place] + entries + [entry for entry in sys.path[place:] if entry != _FOLDER]
    if entries and not os.path.isdir(_PROGRAM):  # its real files need no runtime
        _join()


def _go_on():
    """Import the next module of this name.  It replaces this one."""
    this = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except BaseException:
        sys.modules.setdefault(__name__, this)
        raise


_start()
_go_on()
