"""``run``: a bundle's program as ``python BUNDLE`` runs it, and a module as ``python -m MODULE`` does."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING

import pytest

from .builders import Tree, make_bundle, make_zip, run_python
from .command_line import bundleimp_command, error_of

if TYPE_CHECKING:
    from pathlib import Path

SHOW = "import sys\nprint(__name__, sys.argv[1:], __spec__.name if __spec__ else None)\n"
TREE: Tree = {
    "__main__.py": SHOW,
    "tool/__init__.py": "",
    "tool/__main__.py": SHOW,
    "tool/part.py": SHOW,
    "ends/number.py": "import sys; sys.exit(7)\n",
    "ends/text.py": "import sys; sys.exit('a last word')\n",
    "ends/none.py": "import sys; sys.exit(None)\n",
    "ends/error.py": "raise ValueError('wrong')\n",
    "ends/file_error.py": "open('no-such-file-anywhere')\n",
    "ends/import_error.py": "import no_such_module_anywhere\n",
    "ends/bundle_error.py": "import bundleimp\nraise bundleimp.BundleError('of the program')\n",
    "ends/pipe_error.py": "raise BrokenPipeError('of the program')\n",
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("run") / "app.pybundle", TREE)


def run(bundle: Path, *arguments: str, status: int = 0) -> tuple[str, str]:
    """Run the bundle's program; return what it wrote to standard output and to standard error."""
    result = run_python("-W", "error", "-m", "bundleimp", "run", str(bundle), *arguments, check=False)
    assert result.returncode == status, f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout, result.stderr


def test_the_main_module_runs_with_its_arguments(bundle: Path) -> None:
    assert run(bundle, "a", "-b", "--help", "--", "c d") == (
        "__main__ ['a', '-b', '--help', '--', 'c d'] __main__\n",
        "",
    )


@pytest.mark.parametrize(("module", "spec"), [("tool", "tool.__main__"), ("tool.part", "tool.part")])
def test_a_module_runs_with_its_arguments(bundle: Path, module: str, spec: str) -> None:
    assert run(bundle, "-m", module, "-m", "x") == (f"__main__ ['-m', 'x'] {spec}\n", "")


def test_all_words_after_two_dashes_are_the_programs(bundle: Path) -> None:
    assert run(bundle, "--", "-m", "x") == ("__main__ ['-m', 'x'] __main__\n", "")
    assert run(bundle, "x", "--", "-m") == ("__main__ ['x', '--', '-m'] __main__\n", "")


def test_a_plain_zip_runs_too(tmp_path: Path) -> None:
    assert run(make_zip(tmp_path / "plain.pybundle", TREE), "x") == ("__main__ ['x'] __main__\n", "")


def test_a_sourceless_program_runs_too(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, source=False)
    assert run(bundle, "x") == ("__main__ ['x'] __main__\n", "")


def test_the_program_is_told_its_place(tmp_path: Path) -> None:
    show = (
        "import sys, bundleimp\n"
        "print(sys.argv[0], __file__, sys.path[0], isinstance(__loader__, bundleimp.BundleLoader), __package__ == '')\n"
    )
    bundle = make_bundle(tmp_path / "out.pybundle", {"__main__.py": show})
    stdout, _ = run(bundle)
    assert stdout == f"{bundle} {bundle / '__main__.py'} {bundle} True True\n"


@pytest.mark.parametrize(
    ("module", "status", "stderr"), [("number", 7, ""), ("text", 1, "a last word\n"), ("none", 0, "")]
)
def test_the_exit_status_is_the_programs(bundle: Path, module: str, status: int, stderr: str) -> None:
    assert run(bundle, "-m", f"ends.{module}", status=status) == ("", stderr)


@pytest.mark.parametrize(
    ("module", "last"),
    [
        ("error", "ValueError: wrong"),
        ("file_error", f"FileNotFoundError: [Errno {errno.ENOENT}] No such file or directory: 'no-such-file-anywhere'"),
        ("import_error", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("bundle_error", "bundleimp.runtime.faults.kinds.BundleError: of the program"),
        ("pipe_error", "BrokenPipeError: of the program"),
    ],
)
def test_an_exception_of_the_program_is_shown_as_python_shows_it(bundle: Path, module: str, last: str) -> None:
    stdout, stderr = run(bundle, "-m", f"ends.{module}", status=1)
    assert stdout == ""
    assert stderr.startswith("Traceback (most recent call last):\n")
    assert stderr.splitlines()[-1] == last
    assert f"ends/{module}.py".replace("/", "\\" if sys.platform == "win32" else "/") in stderr


def test_an_option_without_its_value_is_an_error(bundle: Path) -> None:
    assert error_of("run", bundle, "-m") == f"{bundle}: -m needs the name of a module"


@pytest.mark.parametrize("module", ["missing", "tool.missing", "missing.mod", "ends"])
def test_a_module_that_cannot_be_run_is_one_line_and_an_error(bundle: Path, module: str) -> None:
    _, stderr = run(bundle, "-m", module, status=1)
    (line,) = stderr.splitlines()
    assert module.rpartition(".")[0] in line
    assert "No module named" in line or "cannot be directly executed" in line


def test_a_bundle_for_another_python_is_a_warning(tmp_path: Path) -> None:
    tree = {"a.py": "print('ran')\n", "a-1.dist-info/METADATA": "Name: a\nVersion: 1\nRequires-Python: >=3.77\n"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    result = bundleimp_command("run", bundle, "-m", "a")
    assert result.stdout == "ran\n"
    assert result.stderr.startswith(f"bundleimp: warning: {bundle}: runs on Python 3.77 or newer")
    assert result.stderr.count("\n") == 1


def test_a_word_that_is_no_file_is_an_error_with_a_hint(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"a.py": ""})
    error = error_of("run", bundle, "a")
    assert error == "a: there is no such file; a module in the bundle is run with -m a"
