"""Programs that need another Python: they start one from PATH, once, or end with one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .builders import Tree, make_bundle
from .programs import interpreter_without_bundleimp, run_file
from .signing import make_key, public, sign

pytestmark = pytest.mark.skipif(
    sys.platform in {"win32", "emscripten"}, reason="needs links, shell scripts and processes"
)

OTHER = "3.12" if sys.version_info[:2] != (3, 12) else "3.13"
OWN = "{}.{}".format(*sys.version_info[:2])
# Without site-packages, and so without bundleimp.
BARE = (sys.executable, "-S")
PROGRAM = """
import sys

def main():
    options = sys.flags.optimize, sys.flags.isolated, sys.flags.dev_mode, "ignore" in sys.warnoptions
    print("%d.%d" % sys.version_info[:2], sys.argv[1:], options, flush=True)
    return 3
"""


def suffix_of(executable: str) -> str:
    script = "import _imp; print(_imp.extension_suffixes()[0])"
    return subprocess.run([executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def program(folder: Path, suffix: str, **options: Any) -> Path:
    """Make a program that needs a Python with this *suffix* of extension modules."""
    tree: Tree = {"hello/__init__.py": PROGRAM, f"hello/_c{suffix}": "x"}
    return make_bundle(folder / "app.pybundle", tree, entry_point="hello:main", **{"standalone": True} | options)


@pytest.fixture(scope="module")
def other() -> str:
    return interpreter_without_bundleimp(OTHER)


@pytest.fixture
def path(other: str, tmp_path: Path) -> Path:
    """Return a folder for PATH with the other Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / f"python{OTHER}").symlink_to(other)
    return folder


def script(folder: Path, text: str) -> None:
    """Put a shell *script* in the place of the other Python."""
    file = folder / f"python{OTHER}"
    file.unlink(missing_ok=True)
    file.write_text(text)
    file.chmod(0o755)


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_a_program_starts_the_python_that_it_needs(tmp_path: Path, other: str, path: Path, layout: str) -> None:
    bundle = program(tmp_path, suffix_of(other), layout=layout)
    result = run_file(*BARE, "-I", "-OX", "dev", "-W", "ignore", bundle, "-x", "a b", status=3, PATH=str(path))
    assert (result.stdout, result.stderr) == (f"{OTHER} ['-x', 'a b'] (1, 1, True, True)\n", "")


def test_it_stays_where_it_fits(tmp_path: Path) -> None:
    bundle = program(tmp_path, suffix_of(sys.executable))
    assert run_file(*BARE, bundle, status=3, PATH="").stdout.startswith(OWN)


def test_without_such_a_python_it_ends_with_one_line(tmp_path: Path) -> None:
    bundle = program(tmp_path, ".cpython-399-x86_64-linux-gnu.so")
    result = run_file(*BARE, bundle, status=1, PATH=str(tmp_path))
    (line,) = result.stderr.splitlines()
    needs = "needs CPython 3.99, Linux x86_64 (because of hello._c)"
    assert line.startswith(f"{bundle}: {needs}, and {sys.executable} is {sys.version.split()[0]}, ")
    assert line.endswith("install one, or pack for this one")
    assert result.stdout == ""


@pytest.mark.parametrize("entries", ["", ":"])
def test_the_working_directory_is_not_searched(tmp_path: Path, other: str, path: Path, entries: str) -> None:
    bundle = program(tmp_path, suffix_of(other))
    result = run_file(*BARE, bundle, status=1, cwd=path, PATH=entries)
    assert "no such Python is on PATH" in result.stderr


def test_it_runs_with_the_same_python_where_the_user_says_so(tmp_path: Path, other: str, path: Path) -> None:
    bundle = program(tmp_path, suffix_of(other))
    result = run_file(*BARE, bundle, status=3, PATH=str(path), BUNDLEIMP_SAME_PYTHON="1")
    assert result.stdout.startswith(OWN)


@pytest.mark.parametrize(
    "text", ["#!/bin/sh\necho gone >&2\nexit 127\n", "#!/nonexistent/python\n", "\x7fELF", "#!/bin/sh\nkill -9 $$\n"]
)
def test_a_python_that_cannot_be_started_is_none(tmp_path: Path, other: str, path: Path, text: str) -> None:
    bundle = program(tmp_path, suffix_of(other))
    script(path, text)
    (line,) = run_file(*BARE, bundle, status=1, PATH=str(path)).stderr.splitlines()
    assert f": needs CPython {OTHER}, " in line
    assert "no such Python is on PATH" in line


def test_the_next_one_on_path_is_tried(tmp_path: Path, other: str, path: Path) -> None:
    bundle = program(tmp_path, suffix_of(other))
    first = tmp_path / "first"
    first.mkdir()
    script(first, "#!/bin/sh\nexit 127\n")
    entries = os.pathsep.join([str(first), str(path)])
    assert run_file(*BARE, bundle, status=3, PATH=entries).stdout.startswith(OTHER)


def test_a_python_that_lies_is_started_once(tmp_path: Path, other: str, path: Path) -> None:
    bundle = program(tmp_path, suffix_of(other))
    script(path, f'#!/bin/sh\ncase "$*" in *sys.exit*) exit 0;; esac\nexec {sys.executable} "$@"\n')
    (line,) = run_file(*BARE, bundle, status=1, PATH=str(path)).stderr.splitlines()
    assert line.endswith("it was already started in the place of another Python; start it with one that fits")


def test_a_program_that_needs_bundleimp_says_for_which_python(tmp_path: Path, other: str, path: Path) -> None:
    bundle = program(tmp_path, suffix_of(other), standalone=False)
    for command in ([*BARE], [sys.executable], [sys.executable, "-m", "bundleimp", "run"]):
        (line,) = run_file(*command, bundle, status=1, PATH=str(path)).stderr.splitlines()
        assert line.endswith(f"install bundleimp for {path / f'python{OTHER}'}, or pack with --standalone")


def test_bundleimp_run_starts_the_program_elsewhere_too(tmp_path: Path, other: str, path: Path) -> None:
    bundle = program(tmp_path, suffix_of(other))
    result = run_file(sys.executable, "-O", "-m", "bundleimp", "run", bundle, "a", status=3, PATH=str(path))
    assert result.stdout == f"{OTHER} ['a'] (1, 0, False, False)\n"


def test_a_module_that_runs_programs_is_kept(tmp_path: Path, other: str, path: Path) -> None:
    bundle = program(tmp_path, suffix_of(other))
    (tmp_path / "runner.py").write_text(
        "import runpy, sys\nprint('runner', '%d.%d' % sys.version_info[:2], flush=True)\n"
        "del sys.argv[0]\nrunpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    result = run_file(*BARE, "-m", "runner", bundle, status=3, cwd=tmp_path, PATH=str(path))
    assert result.stdout.splitlines() == [
        f"runner {OWN}",
        f"runner {OTHER}",
        f"{OTHER} [] (0, 0, False, False)",
    ]


@pytest.mark.parametrize("version", ["3.8", "3.10"])
def test_a_python_that_is_too_old_starts_a_newer_one(tmp_path: Path, path: Path, version: str) -> None:
    old = interpreter_without_bundleimp(version)
    bundle = make_bundle(tmp_path / "app.pybundle", {"hello.py": PROGRAM}, entry_point="hello:main", standalone=True)
    result = run_file(old, "-O", "-W", "ignore", bundle, "a", status=3, PATH=str(path), BUNDLEIMP_SAME_PYTHON="1")
    assert result.stdout == f"{OTHER} ['a'] (1, 0, False, True)\n"


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7"])
def test_a_python_that_cannot_read_the_file_says_what_is_needed(tmp_path: Path, version: str) -> None:
    found = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    works = [
        old for old in found if old is not None and not subprocess.call([old, "-c", ""], stderr=subprocess.DEVNULL)
    ]
    if not works:
        pytest.skip(f"no Python {version} was found")
    bundle = program(tmp_path, ".cpython-399-x86_64-linux-gnu.so")
    result = run_file(works[0], bundle, status=1)
    assert (
        result.stderr.splitlines()[-1]
        == "SyntaxError: encoding problem: this-file-is-incomplete-or-Python-is-older-than-3.11"
    )


def test_a_file_that_was_checked_is_not_left_to_another_python(tmp_path: Path, other: str, path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("needs ssh-keygen")
    bundle = program(tmp_path, suffix_of(other))
    key = make_key(tmp_path / "key")
    sign(bundle, key)
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"me {public(key).read_text()}")
    command = (sys.executable, "-m", "bundleimp", "run", "--allowed-signers", signers, bundle)
    entries = os.pathsep.join([str(path), os.path.dirname(shutil.which("ssh-keygen") or "")])
    (line,) = run_file(*command, status=1, PATH=entries).stderr.splitlines()
    assert line.endswith("the file was checked for this one; start it with such a Python")
