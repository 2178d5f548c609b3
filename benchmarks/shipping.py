"""A program as each tool ships it: in a virtual environment, as a bundle, by pex and by shiv.

All take the same wheels from one folder, so that they ship the same versions, and none of them asks an index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import trees
from .measure import Process, environment, prepare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .figures import Cost

BASE = "venv"
RUNS = "runs"
LAZY = sys.version_info >= (3, 15)
_LONGEST = 60
_TIMEOUT = 120


@dataclass(frozen=True)
class Program:
    """A program that is shipped, and what it is started for.

    Attributes:
        command: the console script to start.
        arguments: its arguments.
        requirements: the distributions it is made of.
        code: the source of a module ``sample`` of its own, which has the console script ``sample``; "" for none.

    """

    command: str
    arguments: tuple[str, ...]
    requirements: tuple[str, ...]
    code: str = ""

    @property
    def title(self) -> str:
        """The program as it is typed, without the folders of this machine."""
        return " ".join([self.command, *(os.path.basename(argument) for argument in self.arguments)])


def own_wheel(program: Program, folder: Path) -> str:
    """Write the program's own module as a wheel, which needs its requirements, to *folder*; return what to install."""
    info = "sample-1.0.dist-info"
    requires = "".join(f"Requires-Dist: {name}\n" for name in program.requirements)
    members = {
        "sample.py": program.code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: benchmarks\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nsample = sample:app\n",
    }
    members[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*members, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / "sample-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in members.items():
            wheel.writestr(name, text)
    return "sample"


class Shipped:
    """A program shipped in one way, with caches of its own.

    Attributes:
        command: what starts it, without the program's arguments.
        file: the one file that it is, or the folder of the virtual environment.

    """

    def __init__(self, command: Sequence[str | Path], file: Path, caches: Path, arguments: Sequence[str] = ()) -> None:
        self.command = [*command, *arguments]
        self.file = file
        home = str(caches)
        self.variables = {"HOME": home, "XDG_CACHE_HOME": home, "PEX_ROOT": f"{home}/pex", "SHIV_ROOT": f"{home}/shiv"}
        self._arguments = arguments
        self._caches = caches
        self._process = Process(*self.command, **self.variables)

    def _empty(self) -> None:
        shutil.rmtree(self._caches, ignore_errors=True)
        self._caches.mkdir(0o700)

    def first(self, number: int) -> Cost:
        """Run the program in round *number*, with empty caches."""
        self._empty()
        return self.later(number)

    def later(self, number: int) -> Cost:
        """Run the program in round *number*, with the caches as they are."""
        self._caches.mkdir(0o700, exist_ok=True)
        return self._process(number)

    def left(self) -> tuple[int, int]:
        """Return the number of files that the program has left in its caches, and their size in bytes."""
        return files_and_bytes(self._caches)

    def elsewhere(self, python: Path, folders: Sequence[Path]) -> str:
        """Run the file by another *python*, with empty caches and *folders* as PATH; return what happened, in words."""
        self._empty()
        variables = environment(**self.variables, PATH=os.pathsep.join(map(str, folders)))
        result = subprocess.run(
            [python, self.file, *self._arguments],
            env={name: value for name, value in variables.items() if not name.startswith("PYENV_")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )
        return ending(result.returncode, result.stdout, str(self.file.parent))


def ending(status: int, output: str, folder: str) -> str:
    """Return how a program ended, in words.  If it failed: how many lines it printed, and the one that says why.

    That is the last line of a traceback, and else the first line.

    Arguments:
        status: its exit status.
        output: what it printed.
        folder: the folder to leave out of the names of files.

    """
    if not status:
        return RUNS
    shown = output.replace(f"{folder}{os.sep}", "").replace("`", "'")
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    if not lines:
        return f"exit {status}, no output"
    why = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    why = why if len(why) <= _LONGEST else f"{why[:_LONGEST]}…"
    return f"exit {status}, {len(lines)} line{'s' * (len(lines) > 1)}: `{why}`"


def files_and_bytes(folder: Path) -> tuple[int, int]:
    """Return how many files are below *folder*, and their size; links to a file that was counted count no more."""
    stats = [path.lstat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    sizes = {(stat.st_dev, stat.st_ino): stat.st_size for stat in stats}
    return len(sizes), sum(sizes.values())


def ship(program: Program, folder: Path, tools: Path, bare: Path) -> Mapping[str, Shipped]:
    """Ship *program* in each way; return them by name, the virtual environment first.

    Arguments:
        program: what to ship.
        folder: an empty folder to work in.
        tools: the folder of the commands pip, pex and shiv.
        bare: the Python that starts what is one file.

    Raises:
        RunError: a tool failed.

    """
    wheels, shebang = folder / "wheels", "/usr/bin/env python3"
    prepare("downloading", tools / "pip", "wheel", "--quiet", "--wheel-dir", wheels, *program.requirements)
    wanted = [own_wheel(program, wheels)] if program.code else [*program.requirements]
    offline: tuple[str | Path, ...] = ("--no-index", "--find-links", wheels)
    python = trees.interpreter(folder / "venv", hook=False)
    prepare("installing", tools / "pip", "--python", python, "install", "--quiet", *offline, *wanted)
    names = ("app.pybundle", "lazy.pybundle", "app.pex", "venv.pex", "app.pyz")
    bundle, lazy, pex, pex_venv, shiv = (folder / name for name in names)
    pack: list[str | Path] = [sys.executable, "-m", "bundleimp", "pack", "--quiet", "--python", bare, "--standalone"]
    requirements = [word for name in wanted for word in ("--with", name)]
    prepare("packing", *pack, "-e", program.command, *requirements, bundle, "--", *offline)
    if LAZY:
        prepare("packing", *pack, "--lazy", "-e", program.command, *requirements, lazy, "--", *offline)
    by_pex: tuple[str | Path, ...] = (*wanted, "-c", program.command, "--python", bare, "--no-pypi", "-f", wheels)
    prepare("pex", tools / "pex", *by_pex, "-o", pex)
    prepare("pex", tools / "pex", *by_pex, "--venv", "-o", pex_venv)
    # Its --compile-pyc moves to the first run what Python does there in any case.
    prepare("shiv", tools / "shiv", "-c", program.command, "-p", shebang, "-o", shiv, *offline, *wanted)
    commands: dict[str, tuple[list[str | Path], Path]] = {
        BASE: ([python, python.parent / program.command], python.parent.parent),
        "bundle": ([bare, bundle], bundle),
        **({"bundle --lazy": ([bare, lazy], lazy)} if LAZY else {}),
        "pex": ([bare, pex], pex),
        "pex --venv": ([bare, pex_venv], pex_venv),
        "shiv": ([bare, shiv], shiv),
    }
    return {
        name: Shipped(command, file, folder / f"caches-{name.replace(' ', '')}", program.arguments)
        for name, (command, file) in commands.items()
    }
