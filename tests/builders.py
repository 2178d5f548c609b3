"""What the tests share: trees from dicts, the same tree as directory, zip and bundle, and clean interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import bundleimp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Tree = dict[str, str | bytes]

TIMEOUT = 600
"""Seconds after which a process that a test has started hangs, so that the test fails and is named."""


def make_tree(folder: Path, tree: Mapping[str, str | bytes]) -> Path:
    """Write the files of *tree* (relative names to content) below *folder*, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def make_zip(path: Path, tree: Mapping[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a plain zip of *tree*, without directory entries, at *path*, and return it."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in tree.items():
            archive.writestr(name, content)
    return path


def make_bundle(path: Path, tree: Mapping[str, str | bytes], **options: Any) -> Path:
    """Pack *tree* into a bundle at *path*, and return it; *options* are those of `bundleimp.pack`."""
    source = make_tree(path.parent / f"{path.name}.source", tree)
    options.setdefault("jobs", 1)
    bundleimp.pack([source], path, **options)
    return path


def clean_environment(**variables: str) -> dict[str, str]:
    """Return the environment without what would change an interpreter's behaviour, and with *variables*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BUNDLEIMP_", "COV_"))}
    if "BUNDLEIMP_CACHE_DIR" in os.environ:  # a cache of the tests, and not the user's
        kept["BUNDLEIMP_CACHE_DIR"] = os.environ["BUNDLEIMP_CACHE_DIR"]
    return kept | variables


def run_python(
    *arguments: str,
    path: Sequence[Path | str] = (),
    cwd: Path | None = None,
    check: bool = True,
    executable: str = sys.executable,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run a fresh interpreter with *path* as PYTHONPATH; with *check*, a failure shows what it printed."""
    if path:
        variables["PYTHONPATH"] = os.pathsep.join(map(str, path))
    environment = clean_environment(**variables)
    if sys.platform == "emscripten" and executable == sys.executable:
        from .interpreters import run  # noqa: PLC0415 (of no use anywhere else)

        result = run(arguments, environment, cwd)
    else:
        result = subprocess.run(
            [executable, *arguments],
            env=environment,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
    if check:
        assert result.returncode == 0, f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result
