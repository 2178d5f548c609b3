"""`pack`, the public function: its arguments become one record, and `build` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .build import build
from .options import PackOptions

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from .options import Compression, Layout, OnConflict
    from .report import PackReport


def pack(
    sources: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    requirements: Sequence[str] = (),
    requirement_files: Sequence[str | os.PathLike[str]] = (),
    from_venv: str | os.PathLike[str] | None = None,
    installer_options: Sequence[str] = (),
    python: Sequence[str] = (),
    target: Sequence[str] = (),
    bytecode: bool = True,
    source: bool = True,
    optimize: int = 0,
    compress: Compression = "deflate",
    layout: Layout = "auto",
    exclude: Sequence[str] = (),
    unpack: Sequence[str] = (),
    no_unpack: Sequence[str] = (),
    on_conflict: OnConflict = "error",
    entry_point: str | None = None,
    shebang: str | None = None,
    standalone: bool = False,
    profile: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> PackReport:
    """Build a bundle.

    `pack` writes a temporary file and renames it, so an error leaves *output* unchanged.  The same inputs give the same
    bytes.  Members have the time `SOURCE_DATE_EPOCH`, else 1980-01-01.

    Arguments:
        sources: directories, ``.py`` modules, wheels, and project folders.  A project folder has a ``pyproject.toml``
            that names a build system or a project.  It is built (PEP 517), without its dependencies.  A directory with
            an ``__init__.py`` is packed as a package.  Of any other directory, the contents are packed.  May be empty
            if one of the next three is given.
        output: the bundle to make.  Its name must end in ``.pybundle``.
        requirements: requirement specifiers (PEP 508), and what else pip takes in their place; they are resolved with
            their dependencies by pip, or by uv where there is no pip.
        requirement_files: requirements files as of pip, and lock files (PEP 751), which are named ``pylock.toml`` or
            ``pylock.NAME.toml``; these need pip 26.1 or uv.
        from_venv: a virtual environment (PEP 405); what is installed in it is packed, editable installs included.
        installer_options: words that pip or uv gets as they are, such as ``["--index-url", url]``.
        python: interpreters that the bundle is for; default: the running one.  Requirements, wheels and projects are
            installed for each of them, and bytecode is embedded for each (PEP 552, unchecked hash-based).  Files that
            are equal for all are packed once.
        target: kinds of Python that are not here, by a python tag and a platform tag of wheels (PEP 425):
            ``cp313-macosx_11_0_arm64``.  Wheels are installed for each by uv, or by pip if uv is missing.  Without
            *python*, the bundle is for these only.
        bytecode: whether to embed bytecode.
        source: whether to keep source; without it each module is its bytecode alone, for one interpreter.
        optimize: 0, 1 or 2, as of `compile`.
        compress: "none", "deflate", or "zstd" (Python 3.14 or newer); bytecode is never compressed.
        layout: "flat", "nested", or "auto": nested where the central directory would slow the interpreter's start.
        exclude: globs; a member is left out where one matches it, a folder above it, or the name of either.
        unpack: distributions or top-level packages whose files are all placed in the cache when they are imported.
        no_unpack: distributions or top-level packages whose files are never placed in the cache.
        on_conflict: "first", "last" or "error": what happens where two sources give one member different content.
        entry_point: makes the bundle a program: ``pkg.mod:func``, whose result is the exit status, ``pkg.mod``, which
            is run as by ``python -m``, or the name of a console script of a packed distribution.
        shebang: the interpreter in the file's first line; "" for no such line; default for a program:
            ``/usr/bin/env python3``.
        standalone: whether to embed the runtime, so that the program needs no bundleimp where it runs.
        profile: a command, in one string with quotes as in a shell, that starts the program and comes to an end; or a
            file to which ``python -X importtime`` wrote.  The bytecode then lies in the order in which the program
            imports its modules, and a start with a cold page cache reads forward.  The command runs over a copy of
            what is packed, first on Python's path; one that begins with ``python`` or an option is for the first of
            *python*.
        jobs: how many files are read, compressed and compiled at a time; default: one per processor.
        progress: called with the number of members written, that of all, and the name of the last.

    Returns:
        What was done.

    Raises:
        PackError: a `BundleError`; a source or the output cannot be used.

    """
    options = PackOptions(
        sources=sources,
        output=output,
        requirements=requirements,
        requirement_files=requirement_files,
        from_venv=from_venv,
        installer_options=installer_options,
        python=python,
        target=target,
        bytecode=bytecode,
        source=source,
        optimize=optimize,
        compress=compress,
        layout=layout,
        exclude=exclude,
        unpack=unpack,
        no_unpack=no_unpack,
        on_conflict=on_conflict,
        entry_point=entry_point,
        shebang=shebang,
        standalone=standalone,
        profile=profile,
        jobs=jobs,
        progress=progress,
    )
    return build(options)
