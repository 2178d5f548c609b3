"""The places of a comparison: an environment with bundleimp alone, distributions in a directory, and their bundle.

The bundle is unpacked once, as ``bundleimp site`` does it, into a cache that all snippets use unpacked.

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

from .catalogue import own_files

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGE = Path(bundleimp.__file__).parent
_HOOKS = ("bundleimp.pth",)
# Has no wheel on PyPI; hydra-core needs it.
_BUILT = "antlr4-python3-runtime"


class LaboratoryError(Exception):
    """A place cannot be made."""


def environment(**variables: str) -> dict[str, str]:
    """Return the environment without what changes an interpreter's behaviour, and with *variables*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BUNDLEIMP_", "COV_"))}
    return kept | variables


def _run(doing: str, *command: str | Path, **variables: str) -> None:
    result = subprocess.run(command, env=environment(**variables), capture_output=True, text=True, check=False)
    if result.returncode:
        message = f"{doing}: exit status {result.returncode}\n{result.stdout}{result.stderr}"
        raise LaboratoryError(message)


def _sources_digest() -> str:
    digest = hashlib.sha256()
    own = [path for place in own_files() for path in (place, *place.rglob("*")) if path.is_file()]
    for path in sorted(_PACKAGE.rglob("*.py")) + own:
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
        self.cache = self.folder / "cache"
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
            done = {"requirements": list(requirements)}
        done["own"] = self.copy_own_files(done.get("own", ()))
        _run("packing", self.python, "-m", "bundleimp", "pack", "--quiet", self.directory, self.bundle)
        self._unpack()
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
        self.directory.mkdir()
        pip = (self._base, "-m", "pip", "install", "--quiet", "--only-binary=:all:", f"--no-binary={_BUILT}")
        if requirements:
            _run("installing", *pip, "--target", self.directory, *requirements)

    def copy_own_files(self, former: Sequence[str]) -> list[str]:
        """Copy the snippets' own files beside the distributions, in place of the *former*; return their names."""
        for name in former:
            path = self.directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        for path in own_files():
            target = self.directory / path.name
            if target.exists():
                message = f"{path}: a distribution has a file of this name"
                raise LaboratoryError(message)
            if path.is_dir():
                shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(path, target)
        return [path.name for path in own_files()]

    def _unpack(self) -> None:
        shutil.rmtree(self.cache, ignore_errors=True)
        self.cache.mkdir(mode=0o700)
        command = (self.python, "-m", "bundleimp", "site", self.bundle)
        _run("unpacking", *command, BUNDLEIMP_CACHE_DIR=str(self.cache))

    def versions(self) -> dict[str, str]:
        """Return the versions of the installed distributions by normalized name."""
        found = importlib.metadata.distributions(path=[str(self.directory)])
        return {normalized(distribution.metadata["Name"]): distribution.version for distribution in found}
