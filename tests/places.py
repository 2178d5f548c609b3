"""The same tree as a directory, a plain zip and bundles, and what a fresh interpreter sees in each of them.

A directory is the oracle: whatever a probe reports of it, it must report of all others.
"""

from __future__ import annotations

import compileall
import importlib.util
import json
import os
import re
import textwrap
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from .builders import Tree, make_bundle, make_tree, make_zip, run_python

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DIRECTORY = "directory"
SOURCELESS_DIRECTORY = "directory without source"
ZIPIMPORT = "zip left to zipimport"
PLAIN_ZIP = "plain zip"
FLAT = "flat bundle"
NESTED = "nested bundle"
NO_BYTECODE = "bundle without bytecode"
SOURCELESS = "bundle without source"
MEMORY = "bundle in memory"
DICT = "dict"
SHELVE = "shelve"

WITH_SOURCE = (PLAIN_ZIP, FLAT, NESTED, NO_BYTECODE)
EVERY = (*WITH_SOURCE, SOURCELESS)

in_each_with_source = pytest.mark.parametrize("kind", WITH_SOURCE)
in_each = pytest.mark.parametrize("kind", EVERY)
MOUNTED = (MEMORY, DICT, SHELVE) if importlib.util.find_spec("dbm") else (MEMORY, DICT)  # as in Pyodide
in_each_and_mounted = pytest.mark.parametrize("kind", [*EVERY, *MOUNTED])
in_each_with_source_and_mounted = pytest.mark.parametrize("kind", [*WITH_SOURCE, *MOUNTED])

_PACK_OPTIONS: dict[str, dict[str, Any]] = {
    FLAT: {"layout": "flat"},
    NESTED: {"layout": "nested"},
    NO_BYTECODE: {"layout": "flat", "bytecode": False},
    SOURCELESS: {"layout": "flat", "source": False},
}
_EPILOGUE = "\nimport json as _json\nprint(_json.dumps(result))\n"


def _make_sourceless(folder: Path) -> None:
    """Put the bytecode of every module below *folder* in the place of its source, where it can be compiled."""
    compileall.compile_dir(folder, quiet=2, legacy=True)
    for source in folder.rglob("*.py"):
        if source.with_suffix(".pyc").exists():
            source.unlink()


def _make_zip_with_directories(path: Path, tree: Mapping[str, str | bytes]) -> Path:
    """Write a zip with directory entries, which `zipimport` needs to find namespace portions."""
    folders = {name[: match.end()] for name in tree for match in re.finditer("/", name)}
    with zipfile.ZipFile(path, "w") as archive:
        for folder in sorted(folders):
            archive.writestr(folder, "")
        for name, content in tree.items():
            archive.writestr(name, content)
    return path


# Mounts the place at the start of the interpreter, where PYTHONPATH has the folder of this file.
_MOUNTING = """
import os, sys
folder = os.path.dirname(__file__)
KIND
import bundleimp
entry = bundleimp.mount(source, "place").path
del sys.path[-1]
sys.path[sys.path.index(folder)] = entry
sys.path_importer_cache.pop(folder, None)
"""
_SOURCES = {
    MEMORY: "with open(os.path.join(folder, 'content'), 'rb') as source:\n    source = source.read()",
    DICT: "import ast\nwith open(os.path.join(folder, 'content')) as source:\n"
    "    source = ast.literal_eval(source.read())",
    # The default of `shelve` may be SQLite, which only the thread may use that has opened it.
    SHELVE: "import dbm.dumb, shelve\nsource = shelve.Shelf(dbm.dumb.open(os.path.join(folder, 'content'), 'r'))",
}


def _make_mounted(kind: str, place: Path, tree: Mapping[str, str | bytes]) -> Path:
    """Make a folder that mounts *tree* where it is an entry of PYTHONPATH."""
    make_tree(place, {"sitecustomize.py": _MOUNTING.replace("KIND", _SOURCES[kind])})
    content = place / "content"
    if kind == MEMORY:
        content.write_bytes(make_bundle(place / "out.pybundle", tree).read_bytes())
    elif kind == DICT:
        content.write_text(repr(dict(tree)), "utf-8")
    else:
        import dbm.dumb  # noqa: PLC0415 (Pyodide lacks it)
        import shelve  # noqa: PLC0415 (it imports `dbm`)

        database: Any = dbm.dumb.open(str(content), "c")  # noqa: SIM115 (the shelf closes it)
        with shelve.Shelf[Any](database) as store:
            store.update(tree)
    return place


def lay_out(kind: str, folder: Path, tree: Mapping[str, str | bytes], name: str = "place") -> Path:
    """Make *tree* a path entry of the given *kind* in *folder*, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind in {DIRECTORY, SOURCELESS_DIRECTORY}:
        place = make_tree(folder / name, tree)
        if kind == SOURCELESS_DIRECTORY:
            _make_sourceless(place)
        return place
    if kind in MOUNTED:
        return _make_mounted(kind, folder / name, tree)
    if kind == ZIPIMPORT:
        return _make_zip_with_directories(folder / f"{name}.zip", tree)
    path = folder / f"{name}.pybundle"
    if kind == PLAIN_ZIP:
        return make_zip(path, tree)
    # With names that begin with a dot, too, as the directory has them.
    return make_bundle(path, tree, include=[".*"], **_PACK_OPTIONS[kind])


@dataclass(frozen=True)
class Outcome:
    """How a process ended and what it printed, with tokens for what differs from place to place."""

    status: int
    stdout: str
    stderr: str


def _with_tokens(value: Any, tokens: Mapping[str, str]) -> Any:
    """Return *value* (of the kinds that JSON has) with tokens in the place of paths, also inside of strings."""
    if isinstance(value, str):
        for path, token in tokens.items():
            value = value.replace(path, token)
        # A file in a site has the path that it would have when installed.
        value = re.sub(r"<sites>/[0-9a-f]{32}\.pybundle", "<place>", value)
        return re.sub(r"\bat 0x[0-9a-f]+", "at <address>", value, flags=re.IGNORECASE)
    if isinstance(value, list):
        return [_with_tokens(item, tokens) for item in value]
    if isinstance(value, dict):
        return {_with_tokens(key, tokens): _with_tokens(item, tokens) for key, item in value.items()}
    return value


class Laboratory:
    """Runs probes and commands in fresh interpreters whose PYTHONPATH is the places under test.

    *variables* are environment variables for all of them.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._variables = {"BUNDLEIMP_CACHE_DIR": str(folder / "cache")} | variables
        self._probes: dict[str, Path] = {}

    def probe_file(self, probe: str) -> Path:
        """Return a script that runs *probe*, alone in its folder."""
        if probe not in self._probes:
            path = self.folder / "probes" / str(len(self._probes)) / "probe.py"
            make_tree(path.parent, {path.name: textwrap.dedent(probe)})
            self._probes[probe] = path
        return self._probes[probe]

    def run(self, path: Sequence[Path], *arguments: str, **variables: str) -> Outcome:
        """Run the interpreter with *arguments* and *path* as PYTHONPATH, in an empty folder."""
        return self.run_elsewhere(path, arguments, {}, **variables)

    def run_elsewhere(
        self, path: Sequence[Path], arguments: Sequence[str], tokens: Mapping[str, str], **variables: str
    ) -> Outcome:
        """Run the interpreter as `run` does, with *tokens* for paths that are not on the path."""
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        ended = run_python(*arguments, path=path, cwd=empty, check=False, **(self._variables | variables))
        known = {**self.tokens(path, **variables), **tokens}
        printed = [_with_tokens(text, known) for text in (ended.stdout, ended.stderr)]
        return Outcome(ended.returncode, printed[0], printed[1])

    def tokens(self, path: Sequence[Path], **variables: str) -> dict[str, str]:
        """Return the tokens for the places of *path*, for the sites, and for the scripts."""
        names = ["<place>"] if len(path) == 1 else [f"<place {number}>" for number in range(len(path))]
        known = {
            str(self.folder / "probes"): "<probes>",
            (self._variables | variables)["BUNDLEIMP_CACHE_DIR"] + "/sites": "<sites>",
        }
        mounted = {f"{os.devnull}/place.pybundle": "<place>"}
        return dict(zip(map(str, path), names, strict=True)) | known | mounted

    def observe(
        self,
        path: Sequence[Path],
        probe: str,
        *arguments: str,
        options: Sequence[str] = ("-W", "error"),
        **variables: str,
    ) -> Any:
        """Return what *probe* leaves in its variable ``result``; it must print nothing."""
        script = self.probe_file(textwrap.dedent(probe) + _EPILOGUE)
        outcome = self.run(path, *options, str(script), *arguments, **variables)
        assert (outcome.status, outcome.stderr) == (0, ""), f"exit status {outcome.status}\n{outcome.stderr}"
        return _with_tokens(json.loads(outcome.stdout), self.tokens(path, **variables))


class Places:
    """One tree, laid out as each kind of path entry when that is first asked for."""

    def __init__(self, folder: Path, tree: Tree, **variables: str) -> None:
        self.laboratory = Laboratory(folder, **variables)
        self._tree = tree
        self._paths: dict[str, Path] = {}
        self._known: dict[str, Any] = {}

    def path(self, kind: str) -> Path:
        """Return the path entry of *kind*."""
        if kind not in self._paths:
            folder = self.laboratory.folder / kind.replace(" ", "-")
            self._paths[kind] = lay_out(kind, folder, self._tree)
        return self._paths[kind]

    def observe(
        self, kind: str, probe: str, *arguments: str, options: Sequence[str] = ("-W", "error"), **variables: str
    ) -> Any:
        """Return what *probe* reports where the tree is a path entry of *kind*."""
        return self.laboratory.observe([self.path(kind)], probe, *arguments, options=options, **variables)

    def run(self, kind: str, *arguments: str, **variables: str) -> Outcome:
        """Run the interpreter where the tree is a path entry of *kind*; ``{place}`` in an argument stands for it."""
        place = str(self.path(kind))
        return self.laboratory.run(
            [self.path(kind)], *(argument.replace("{place}", place) for argument in arguments), **variables
        )

    def as_in_directory(
        self, kind: str, probe: str, *arguments: str, options: Sequence[str] = ("-W", "error"), **variables: str
    ) -> Any:
        """Assert that *probe* reports the same as of a directory, and return that."""
        oracle = SOURCELESS_DIRECTORY if kind == SOURCELESS else DIRECTORY
        question = json.dumps([oracle, probe, arguments, options, variables])
        if question not in self._known:
            self._known[question] = self.observe(oracle, probe, *arguments, options=options, **variables)
        expected = self._known[question]
        assert self.observe(kind, probe, *arguments, options=options, **variables) == expected
        return expected

    def runs_as_in_directory(self, kind: str, *arguments: str, **variables: str) -> Outcome:
        """Assert that a command ends and prints as with a directory, and return how."""
        oracle = SOURCELESS_DIRECTORY if kind == SOURCELESS else DIRECTORY
        question = json.dumps([oracle, "run", arguments, variables])
        if question not in self._known:
            self._known[question] = self.run(oracle, *arguments, **variables)
        expected: Outcome = self._known[question]
        assert self.run(kind, *arguments, **variables) == expected
        return expected
