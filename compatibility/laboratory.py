"""The places of a comparison: an environment with bundleimp alone, distributions in a directory, and their bundle.

What is there already is used again when it still fits, because installing and packing are what takes the time.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import bundleimp
from bundleimp.distinfo import normalized

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGE = Path(bundleimp.__file__).parent
_HOOKS = ("bundleimp.pth",)


class LaboratoryError(Exception):
    """A place cannot be made."""


def environment(**variables: str) -> dict[str, str]:
    """Return the environment without what changes an interpreter's behaviour, and with *variables*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BUNDLEIMP_", "COV_"))}
    return kept | variables


def _run(doing: str, *command: str | Path) -> None:
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if result.returncode:
        message = f"{doing}: exit status {result.returncode}\n{result.stdout}{result.stderr}"
        raise LaboratoryError(message)


def _sources_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Laboratory:
    """The places, below *folder*; *python* is the interpreter that all is made for."""

    def __init__(self, folder: Path, python: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self._base = python
        self.python = self.folder / "environment" / "bin" / "python"
        # The two names have the same length, so that lines which are wrapped or padded around paths agree.
        self.directory = self.folder / "as_installed"
        self.bundle = self.folder / "all.pybundle"
        self._stamps = self.folder / "stamps.json"

    def prepare(self, requirements: Sequence[str]) -> None:
        """Make the places.

        Raises:
            LaboratoryError: an installation or the packing failed.

        """
        done = json.loads(self._stamps.read_text("utf-8")) if self._stamps.exists() else {}
        fits = done.get("python") == self._base and set(requirements) <= set(done.get("requirements", ()))
        sources = _sources_digest()
        if fits and done.get("sources") == sources:
            return
        self._stamps.unlink(missing_ok=True)
        self._make_environment()
        if not fits:
            self._install(requirements)
            done["requirements"] = list(requirements)
        _run("packing", self.python, "-m", "bundleimp", "pack", "--quiet", self.directory, self.bundle)
        done |= {"python": self._base, "sources": sources}
        self._stamps.write_text(json.dumps(done), "utf-8")

    def _make_environment(self) -> None:
        folder = self.python.parent.parent
        _run("making an environment", self._base, "-m", "venv", "--clear", "--without-pip", folder)
        site_packages = next(folder.glob("lib*/python*/site-packages"))
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_PACKAGE, site_packages / _PACKAGE.name, ignore=ignored)
        for name in _HOOKS:
            shutil.copy2(_PACKAGE.parent / name, site_packages)
        _run("compiling", self.python, "-m", "compileall", "-q", site_packages)

    def _install(self, requirements: Sequence[str]) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        pip = (self._base, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target", self.directory)
        _run("installing", *pip, *requirements)

    def versions(self) -> dict[str, str]:
        """Return the versions of the installed distributions by normalized name."""
        found = importlib.metadata.distributions(path=[str(self.directory)])
        return {normalized(distribution.metadata["Name"]): distribution.version for distribution in found}
