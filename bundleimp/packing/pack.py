"""`pack`, the public function: its arguments become one record, and `build` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .build import build
from .options import PackOptions

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from .options import Compression, InstallerName, Layout, Laziness, OnConflict
    from .progress import Step
    from .report import PackReport


def pack(
    sources: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    requirements: Sequence[str] = (),
    requirement_files: Sequence[str | os.PathLike[str]] = (),
    from_venv: str | os.PathLike[str] | None = None,
    project: str | os.PathLike[str] | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    installer: InstallerName | None = None,
    installer_options: Sequence[str] = (),
    python: Sequence[str] = (),
    target: Sequence[str] = (),
    bytecode: bool = True,
    source: bool = True,
    optimize: int = 0,
    compress: Compression = "deflate",
    compress_bytecode: Compression = "none",
    layout: Layout = "auto",
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    unpack: Sequence[str] = (),
    no_unpack: Sequence[str] = (),
    on_conflict: OnConflict = "error",
    entry_point: str | None = None,
    shebang: str | None = None,
    standalone: bool = False,
    profile: str | os.PathLike[str] | None = None,
    profile_only: bool = False,
    lazy: Laziness | None = None,
    eager: Sequence[str] = (),
    jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> PackReport:
    """Build a bundle.

    `pack` writes a temporary file and renames it, so an error leaves *output* unchanged.  The same inputs give the same
    bytes.  Members have the time `SOURCE_DATE_EPOCH`, else 1980-01-01.

    Arguments:
        sources: directories, ``.py`` modules, wheels, bundles, and project folders.  A project folder has a
            ``pyproject.toml`` that names a build system or a project.  It is built (PEP 517), without its dependencies.
            A directory with an ``__init__.py`` is packed as a package.  Of any other directory, the contents are
            packed.  A module with inline metadata (PEP 723) is a script: its dependencies are installed, and it is the
            program unless *entry_point* names another.  Of a bundle, the members are packed, with its bytecode for the
            interpreters in *python*.  May be empty if one of the next four is given.
        output: the bundle to make.  Its name must end in ``.pybundle``, or in ``.pybundle.zip``, ``.pybundle.egg``,
            ``.pybundle.jar`` or ``.pybundle.pyz`` for cluster engines.  A program may have any name.
        requirements: requirement specifiers (PEP 508), and what else pip takes in their place; they are resolved with
            their dependencies by uv, or by pip where there is no uv.
        requirement_files: requirements files as of pip, and lock files (PEP 751), which are named ``pylock.toml`` or
            ``pylock.NAME.toml``; these need pip 26.1 or uv.
        from_venv: a virtual environment (PEP 405); what is installed in it is packed, editable installs included.
        project: the folder of a project.  What it needs is installed from its ``uv.lock`` (by uv) or ``pylock.toml``,
            else as its ``pyproject.toml`` says.  The project itself is built, unless *sources* name its code.  Its
            table ``tool.bundleimp`` is for the command line; this function does not read it.
        extras: extras of the project to install.
        groups: dependency groups (PEP 735) of the project to install; none is installed by default.
        installer: "uv" or "pip"; default: uv where it is there, as a command or a module, else pip.
        installer_options: words that ``uv pip install`` or ``pip install`` gets as they are, such as
            ``["--index-url", url]``.
        python: interpreters that the bundle is for; default: the running one.  Requirements, wheels and projects are
            installed for each of them, and bytecode is embedded for each (PEP 552, unchecked hash-based).  Files that
            are equal for all are packed once.
        target: kinds of Python that are not here, by a python tag and a platform tag of wheels (PEP 425):
            ``cp313-macosx_11_0_arm64``.  Wheels are installed for each by uv, or by pip if uv is missing.  Without
            *python*, the bundle is for these only.
        bytecode: whether to embed bytecode.
        source: whether to keep source; without it each module is its bytecode alone, for one interpreter.
        optimize: 0, 1 or 2, as of `compile`.
        compress: how to compress sources and data: "none", "deflate", or "zstd" (Python 3.14 or newer).
        compress_bytecode: how to compress bytecode: the same values.  Compressed bytecode is half as large, and an
            import takes longer, because it decompresses each module.
        layout: "flat", "nested", or "auto": nested where the central directory would slow the interpreter's start,
            but flat for names such as ``out.pybundle.zip``.
        exclude: globs; a member is left out where one matches it, a folder above it, or the name of either.
        include: globs, as of *exclude*, for what `pack` otherwise leaves out of a directory: secrets, virtual
            environments, version control folders, caches, build output, bundles, and names with a dot in front at its
            top.  Private keys and ``.env`` files are packed only where a glob matches the file itself.
        unpack: distributions or top-level packages whose files are all placed in the cache when they are imported.
        no_unpack: distributions or top-level packages whose files are never placed in the cache.
        on_conflict: "first", "last" or "error": what happens where two sources give one member different content.
        entry_point: makes the bundle a program: ``pkg.mod:func``, whose result is the exit status, ``pkg.mod``, which
            is run as by ``python -m``, or the name of a console script of a packed distribution.  ``*``: all of these
            scripts; the program runs the one that it is called by the name of, or that its first argument names.
        shebang: the interpreter in the file's first line; "" for no such line; default for a program:
            ``/usr/bin/env python3``.  Without *entry_point*, the bundle is a program that works as ``python`` does.
        standalone: whether to embed the runtime, so that the program needs no bundleimp where it runs.  Without
            *entry_point*, as for *shebang*.
        profile: a command, in one string with quotes as in a shell, that starts the program and comes to an end; or a
            file to which ``python -X importtime`` wrote.  The bytecode then lies in the order in which the program
            imports its modules, and a start with a cold page cache reads forward.  The command runs over a copy of
            what is packed, first on Python's path; one that begins with ``python`` or an option is for the first of
            *python*.
        profile_only: whether to embed bytecode only for the modules that the profile imports.  Any other module is
            compiled at its first import, and its bytecode is kept in the cache.
        lazy: make imports of the program lazy (PEP 810) on Python 3.15 and newer, unless `pack` sees that the program
            could notice.  "packages": not within a distribution, and all sources count as one; "all": also there.
            Older Pythons, and programs that have the bundle on their path, import eagerly.
        eager: the names of modules and packages whose imports stay eager.
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
        project=project,
        extras=extras,
        groups=groups,
        installer=installer,
        installer_options=installer_options,
        python=python,
        target=target,
        bytecode=bytecode,
        source=source,
        optimize=optimize,
        compress=compress,
        compress_bytecode=compress_bytecode,
        layout=layout,
        exclude=exclude,
        include=include,
        unpack=unpack,
        no_unpack=no_unpack,
        on_conflict=on_conflict,
        entry_point=entry_point,
        shebang=shebang,
        standalone=standalone,
        profile=profile,
        profile_only=profile_only,
        lazy=lazy,
        eager=eager,
        jobs=jobs,
        progress=None if progress is None else _of_members(progress),
    )
    return build(options)


def _of_members(progress: Callable[[int, int, str], None]) -> Callable[[Step], None]:
    """Return a function that calls *progress* for each member that is written, and for no other phase."""

    def tell(step: Step) -> None:
        if step.phase == "writing" and step.done and step.total is not None:
            progress(step.done, step.total, step.name)

    return tell
