"""The files of the package: by the file system, and as resources."""

import importlib.resources
import os
import runpy

HERE = os.path.dirname(__file__)


def walked():
    """Return the names of all files, by walking the folder."""
    return sorted(os.path.relpath(name, HERE).replace(os.sep, "/") for name in absolute())


def absolute():
    """Return the paths of all files."""
    found = []
    for folder, folders, files in os.walk(HERE):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [os.path.join(folder, name) for name in files]
    return found


def listed():
    """Return the names of all files, as resources."""
    return sorted(_below(importlib.resources.files(__package__), ""))


def _below(folder, prefix):
    for child in folder.iterdir():
        if child.is_dir():
            if child.name != "__pycache__":
                yield from _below(child, f"{prefix}{child.name}/")
        else:
            yield prefix + child.name


def texts():
    """Return the first line of each file that is no module."""
    root = importlib.resources.files(__package__)
    return [root.joinpath(name).read_text("utf-8").splitlines()[0] for name in listed() if not name.endswith(".py")]


def runs():
    """Return what a module of the package says when it is run by its path."""
    return runpy.run_path(os.path.join(HERE, "sub", "deep.py"))["NAME"]
