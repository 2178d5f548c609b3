"""What the tests of executables share: programs, their ways to run, and interpreters that know no bundleimp."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .builders import TIMEOUT, Tree, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

APP: Tree = {
    "app/__init__.py": "",
    "app/__main__.py": "import sys\nfrom .cli import show\nshow(__name__, sys.argv)\n",
    "app/cli.py": """
import os, sys

class Commands:
    @staticmethod
    def status():
        return 5

def show(*values):
    print(*values)

def main():
    show("main", sys.argv[1:])
    return {"none": None, "three": 3, "text": "a last word", "true": True}[sys.argv[1]] if sys.argv[1:] else None

def fail():
    raise ValueError("wrong")

def where():
    first = sys.argv[0]
    os.chdir(os.sep)
    from app import later
    main = sys.modules["__main__"]
    show(first, main.__spec__, main.__package__, main.__file__, later.__file__, sys.path[0])

def runtime():
    loader = sys.modules["app"].__loader__
    show(type(loader).__module__.partition(".")[0])
""",
    "app/later.py": "",
    "app/module.py": "import sys\n"
    "print(__name__, __package__, __spec__.name, __file__[-13:], sys.argv[1:])\nsys.exit(4)\n",
    "app/names.py": "print(sorted(name for name in globals() if name[:2] != '__'))\n",
    "app-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: app\nVersion: 1.0\n",
    "app-1.0.dist-info/entry_points.txt": "[console_scripts]\nshow-app = app.cli:main\n"
    "app-extra = app.cli:main [more]\n\n[gui_scripts]\nshow-gui = app.cli:Commands.status\n",
}
"""A package with entry points of every kind."""

PARALLEL: Tree = {
    "work/__init__.py": "",
    "work/jobs.py": "def double(n):\n    return 2 * n\n\n\ndef child(n):\n    import multiprocessing\n"
    "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n        return pool.apply(double, (n,))\n",
    "work/cli.py": """
import multiprocessing, os, sys
from work.jobs import double, child

def triple(n):
    return 3 * n

def main():
    os.chdir(os.sep)
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        print(pool.map(double, [1]), pool.map(triple, [1]))
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        print(executor.submit(child, 4).result())

if __name__ == "__main__":
    main()
""",
}
"""A program whose child processes import from the bundle, and start children of their own."""

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")


def run_file(
    *command: Path | str, status: int = 0, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run *command*, which must end with *status*."""
    result = subprocess.run(
        list(map(str, command)),
        env=clean_environment(**variables),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert result.returncode == status, f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result


def _holds(executable: str, condition: str) -> bool:
    """Return whether *executable* starts, and *condition* is true there."""
    command = [executable, "-I", "-c", f"import sys, importlib.util; sys.exit(not ({condition}))"]
    return subprocess.run(command, env=clean_environment(), capture_output=True, check=False).returncode == 0


def interpreters(version: str) -> Iterator[str]:
    """Yield interpreters of the given version that can be found and start, without a virtual environment's."""
    found = shutil.which(f"python{version}")
    own = [os.path.realpath(sys.executable)] if sys.version.startswith(f"{version}.") else []
    installed = map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for executable in [*own, *([found] if found is not None else []), *installed]:
        if _holds(executable, f"{version!r} == '%d.%d' % sys.version_info[:2]"):
            yield executable


def copy_installed(folder: Path, *distributions: str) -> Path:
    """Copy the files of installed distributions to *folder*, as ``pip install --target`` puts them there."""
    for name in distributions:
        for file in importlib.metadata.files(name) or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), folder / file)
    return folder


def interpreter_without_bundleimp(version: str) -> str:
    """Return an interpreter of the given version that has no bundleimp; the test is skipped where there is none."""
    for executable in interpreters(version):
        if _holds(executable, "importlib.util.find_spec('bundleimp') is None"):
            return executable
    pytest.skip(f"no Python {version} without bundleimp was found")


def is_reachable(distribution: str, folder: Path) -> bool:
    """Return whether pip gets the *distribution* here, which it writes to the *folder*."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), distribution]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
