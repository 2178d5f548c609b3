"""The two examples in the help of each command: they run as they are typed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundleimp.cli import _COMMANDS

from .builders import TIMEOUT, Tree, clean_environment, make_bundle, make_tree
from .command_line import bundleimp_command
from .platforms import needs_processes, needs_ssh_keygen
from .signing import allow, make_key, sign
from .webserver import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .webserver import Web

SRC: Tree = {
    "mypkg/__init__.py": "",
    "mypkg/__main__.py": 'print("hello")\n',
    "mypkg/app.py": "def main():\n    print('hello')\n",
}
HOST = "https://example.com"
SIGNED = ("sign", "verify", "fetch")
# What is printed, in part.
PRINTED = {
    "pack": "out.pybundle: ",
    "list": "__init__.py",
    "info": "out.pybundle",
    "verify": "sound",
    "sign": "signed",
    "fetch": "app.pybundle",
    "extract": " file",
    "site": "",
    "run": "hello",
    "diff": "mypkg/app.py",
    "explain": "json",
    "cache": "removed 0 entries",
    "doctor": "hook",
    "report": "out.report.html: ",
}


@dataclass
class Workspace:
    """A folder as the examples expect it, and the server that they call `HOST`."""

    folder: Path
    web: Web

    def add_signatures(self, *, is_signed: bool) -> None:
        """Make a key in the place where users have theirs; sign the bundles with it if they are to be signed."""
        (self.folder / ".ssh").mkdir()
        key = make_key(self.folder / ".ssh" / "id_ed25519")
        allow(self.folder / "signers", {"somebody": key})
        if is_signed:
            sign(self.folder / "out.pybundle", key)
            self.web.routes["/app.pybundle.sig"] = sign(self.folder / "app.pybundle", key).read_bytes()

    def typed(self, example: str, *, status: int) -> str:
        """Give an *example* to a shell, and return what it prints."""
        function = f'bundleimp() {{ {shlex.quote(sys.executable)} -m bundleimp "$@"; }}'
        variables = {"BUNDLEIMP_CACHE_DIR": str(self.folder / "cache"), "HOME": str(self.folder), "no_proxy": "*"}
        result = subprocess.run(
            ["/bin/sh", "-c", f"{function}\n{example.replace(HOST, self.web.url)}"],
            cwd=self.folder,
            env=clean_environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert result.returncode == status, f"{example}\n{result.stdout}\n{result.stderr}"
        return result.stdout + result.stderr


def examples_of(command: str) -> list[str]:
    """Return the examples that the help of *command* shows in a terminal of the usual width."""
    text = bundleimp_command(command, "--help", COLUMNS="80").stdout
    assert max(map(len, text.splitlines())) <= 80
    return [line.strip() for line in text.partition("\nexamples:\n")[2].splitlines()]


def test_the_help_of_the_program_fits_too() -> None:
    assert max(map(len, bundleimp_command("--help", COLUMNS="80").stdout.splitlines())) <= 80


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path) -> Iterator[Workspace]:
    make_tree(tmp_path / "src", SRC)
    make_bundle(tmp_path / "old.pybundle", {"mypkg/__init__.py": ""})
    make_bundle(tmp_path / "out.pybundle", SRC)
    app = make_bundle(tmp_path / "app.pybundle", SRC, entry_point="mypkg.app:main")
    with serve() as web:
        web.routes["/app.pybundle"] = app.read_bytes()
        yield Workspace(tmp_path, web)


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="the examples are for a POSIX shell")
@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=[needs_ssh_keygen] * (name in SIGNED)) for name in _COMMANDS]
)
def test_both_examples_work_as_typed(command: str, workspace: Workspace) -> None:
    examples = examples_of(command)
    assert len(set(examples)) == 2
    assert all(example.startswith(f"bundleimp {command} ") or example == f"bundleimp {command}" for example in examples)
    if command in SIGNED:
        workspace.add_signatures(is_signed=command != "sign")
    printed = "".join(workspace.typed(example, status=int(command == "diff")) for example in examples)
    assert PRINTED[command] in printed
