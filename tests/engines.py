"""Shared parts of the tests of engines: the namespaces in which an engine runs, and the bundles that it gets.

An engine opens ports, and starts processes that outlive it.  So each test runs its engine in its own network namespace,
with the loopback interface only, and in its own process namespace, whose processes end with the test.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from .builders import TIMEOUT, Tree, clean_environment, make_bundle
from .compiling import extension

if TYPE_CHECKING:
    from pathlib import Path

    from bundleimp.packing.options import Layout

ALL = "BUNDLEIMP_TEST_ENGINES"
"""An environment variable.  The value "all" also tests Spark and Ray, which need minutes and a gigabyte."""
# --mount-proc: engines look for their own processes in /proc.
_NAMESPACE = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
# Sets the loopback interface up, and becomes the command.  0x8914 is SIOCSIFFLAGS, 0x41 is IFF_UP | IFF_RUNNING.
_LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
os.execv(sys.argv[1], sys.argv[1:])
"""


@cache
def _has_namespaces() -> bool:
    return sys.platform == "linux" and shutil.which("unshare") is not None and _alone(["/bin/true"]).returncode == 0


def engine_marks(
    *distributions: str, commands: tuple[str, ...] = (), large: bool = False
) -> list[pytest.MarkDecorator]:
    """Return the marks of a module of tests that need an engine.

    Arguments:
        distributions: the distributions that must be installed.
        commands: the programs that must be on ``PATH``.
        large: whether the tests run only if `ALL` is "all".

    """
    lacking = [name for name in commands if shutil.which(name) is None]
    for name in distributions:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            lacking.append(name)
    reason = f"not here: {', '.join(lacking)}" if lacking else ""
    if large and os.environ.get(ALL) != "all":
        reason = f"only with {ALL}=all"
    if not reason and not _has_namespaces():
        reason = "needs a network namespace of Linux (unshare)"
    return [pytest.mark.engines, pytest.mark.skipif(bool(reason), reason=reason)]


def _alone(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_NAMESPACE, sys.executable, "-I", "-c", _LOOPBACK, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
        **options,
    )


def run_alone(script: str, folder: Path, *arguments: str, check: bool = True, **variables: str) -> list[str]:
    """Run the text *script* with this Python in namespaces of its own, and return the lines that it prints.

    Arguments:
        script: the program.  It is a file in *folder*, because processes of the engine run it again.
        folder: the current folder.
        arguments: its arguments.
        check: whether it has to end with status 0.
        variables: environment variables.

    """
    (folder / "script.py").write_text(script)
    command = [sys.executable, "script.py", *arguments]
    result = _alone(command, cwd=folder, env=clean_environment(**variables))
    if check:
        assert result.returncode == 0, f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout.splitlines()


def probe(folder: Path, version: int, *, layout: Layout = "flat", **options: Any) -> list[Path]:
    """Return two bundles that contain one *version* of everything that is tested.

    ``probe.report()`` returns a list: the version of pure code, of a resource, of a file beside ``__file__``, of an
    extension module, and of the portion of a namespace package in each of the two bundles.
    """
    folder = folder / f"v{version}"
    folder.mkdir()
    text = str(version)
    first: Tree = {
        "probe/__init__.py": f"VERSION = {text}\nfrom .reporting import report\n",
        "probe/reporting.py": """
import os

def report():
    import importlib.resources, probe, probe.fast, probe.late, probens.one, probens.two
    resource = importlib.resources.files("probe").joinpath("resource.txt").read_text()
    with open(os.path.join(os.path.dirname(__file__), "beside.txt")) as file:
        beside = file.read()
    assert probe.late.VERSION == probe.VERSION
    return [probe.VERSION, int(resource), int(beside), probe.fast.value(), probens.one.VERSION, probens.two.VERSION]
""",
        "probe/late.py": f"VERSION = {text}\n",
        "probe/resource.txt": text,
        "probe/beside.txt": text,
        "probe/fast.abi3.so": extension(folder / "c", "fast", text),
        "probens/one.py": f"VERSION = {text}\n",
    }
    second: Tree = {"probens/two.py": f"VERSION = {text}\n"}
    return [
        make_bundle(folder / f"{name}.pybundle", tree, layout=layout, **options)
        for name, tree in (("first", first), ("second", second))
    ]


def whole(version: int) -> list[int]:
    """Return the result of ``probe.report()`` if everything is of one *version*."""
    return [version] * 6


def shadowing(engine: str, folder: Path) -> Tree:
    """Return a package, and a package with the name of the *engine* that must not be imported.

    Arguments:
        engine: the name.
        folder: where an extension module of the package is compiled.

    """
    return {
        "mine/__init__.py": "import os\nfrom . import fast\n"
        "TEXT = open(os.path.join(os.path.dirname(__file__), 'data.txt')).read()\n",
        "mine/data.txt": "hello",
        "mine/fast.abi3.so": extension(folder, "fast", "7"),
        f"{engine}/__init__.py": "raise ImportError('not that of the engine')\n",
    }


def reports(lines: list[str]) -> list[Any]:
    """Return the values that a script has printed, one line of JSON each."""
    return [json.loads(line) for line in lines]
