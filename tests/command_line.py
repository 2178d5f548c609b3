"""How the tests of commands run them, and what every error must look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .builders import Tree, run_python

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

APP: Tree = {
    "app/__init__.py": "NAME = 'app'\n",
    "app/__main__.py": "import sys\nprint('app', sys.argv[1:])\n",
    "app/deep/mod.py": "value = 1\n",
    "app/table.txt": "row\n" * 50,
    "single.py": "x = 1\n",
    "lib-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: lib\nVersion: 1.2\n",
    "lib-1.2.dist-info/RECORD": "single.py,,\nlib-1.2.dist-info/METADATA,,\nlib-1.2.dist-info/RECORD,,\n",
    "lib-1.2.dist-info/entry_points.txt": "[console_scripts]\nlib-tool = single:main\n",
}
"""A package with a program, a distribution, a namespace package, and data."""


def bundleimp_command(
    *arguments: str | Path, status: int = 0, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m bundleimp`` with *arguments*; it must end with *status*, never with a traceback."""
    result = run_python("-W", "error", "-m", "bundleimp", *map(str, arguments), check=False, cwd=cwd, **variables)
    assert (result.returncode, "Traceback" in result.stderr) == (status, False), (
        f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}"
    )
    return result


def error_of(*arguments: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """Run a command that must fail with one line on standard error, and return what that says."""
    result = bundleimp_command(*arguments, status=2, cwd=cwd, **variables)
    assert result.stdout == ""
    prefix = "bundleimp: error: "
    assert result.stderr.startswith(prefix)
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix(prefix).rstrip("\n")
