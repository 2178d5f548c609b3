"""A bundle on the path that is not for this Python: one warning, with the text of `doctor`, at little cost."""

from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp import runson
from bundleimp.runson import RunsOn
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.content import limits, purposes

from .builders import Tree, make_bundle, make_tree, run_python
from .command_line import bundleimp_command
from .programs import interpreter_without_bundleimp
from .test_runs_on import distribution

if TYPE_CHECKING:
    from pathlib import Path

THIS = "{}.{}".format(*sys.version_info[:2])
LATER = distribution("late", "py3-none-any", requires=">=3.77")
OF_OTHERS: dict[str, tuple[Tree, str]] = {
    "Requires-Python": (LATER, "Python 3.77 or newer (because of late)"),
    "a wheel of another Python": (
        distribution("late", "cp377-cp377-linux_x86_64"),
        "CPython 3.77, Linux x86_64 (because of late)",
    ),
    "a wheel of another platform": (
        distribution("late", "py3-none-manylinux_2_28_s390x"),
        "Python 3.11 or newer, Linux s390x, glibc 2.28 or newer (because of late)",
    ),
    "an extension module": (
        {"late/__init__.py": "", "late/_c.cpython-377-x86_64-linux-gnu.so": "x"},
        "CPython 3.77, Linux x86_64 (because of late._c)",
    ),
}


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("kind", OF_OTHERS)
def test_it_is_one_warning_with_the_words_of_doctor(tmp_path: Path, kind: str, layout: str) -> None:
    tree, words = OF_OTHERS[kind]
    bundle = make_bundle(tmp_path / "out.pybundle", {**tree, "other.py": "x = 1"}, layout=layout)
    assert bundleimp.open_bundle(bundle).verify() == []
    result = run_python("-c", "import late, other; print(other.x)", path=[bundle])
    assert result.stdout == "1\n", "what can be imported is imported"
    message = f"{bundle}: runs on {words}, and this is {purposes.here()}; use such a Python, or pack it for"
    # Python 3.13 shows the line, too.
    assert result.stderr.splitlines()[0] == f"<string>:1: BundleWarning: {message} this one"
    assert result.stderr.count("BundleWarning") == 1
    assert f"PROBLEM  {message} this one\n" in bundleimp_command("doctor", PYTHONPATH=str(bundle), status=1).stdout
    assert run_python("-c", "import json", path=[bundle]).stderr == "", "nothing of it is used"


def test_bytecode_alone_is_for_one_python(tmp_path: Path) -> None:
    other = interpreter_without_bundleimp("3.12" if THIS != "3.12" else "3.13")
    bundle = tmp_path / "out.pybundle"
    bundleimp.pack([make_tree(tmp_path / "src", {"mod.py": ""})], bundle, source=False, python=[other])
    result = run_python("-c", "import mod", path=[bundle], check=False)
    warning = result.stderr.splitlines()[0]
    assert "BundleWarning" in warning
    assert "(because of --no-source), and this is CPython" in warning


def test_an_extension_module_that_is_missing_then_is_no_second_warning(tmp_path: Path) -> None:
    tree, _ = OF_OTHERS["an extension module"]
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    code = "import late\ntry:\n    import late._c\nexcept ImportError as error:\n    print(error)"
    result = run_python("-c", code, path=[bundle])
    assert result.stderr.count("BundleWarning") == 1
    assert "late/_c.cpython-377-x86_64-linux-gnu.so is for CPython 3.77, Linux x86_64, and this is" in result.stdout


def test_the_user_may_want_this_python(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", LATER)
    assert run_python("-c", "import late", path=[bundle], BUNDLEIMP_SAME_PYTHON="1").stderr == ""


def test_run_warns_once(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", LATER)
    result = bundleimp_command("run", bundle, "-c", "import late")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"bundleimp: warning: {bundle}: runs on Python 3.77 or newer (because of late), and this")


@pytest.mark.parametrize("command", [[], ["-m", "bundleimp", "run"]], ids=["python", "run"])
def test_a_program_of_its_own_cannot_look_for_another_python(tmp_path: Path, command: list[str]) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {**LATER, "__main__.py": "import late"})
    result = run_python(*command, str(bundle))
    assert result.stderr.count("runs on Python 3.77 or newer (because of late), and this is") == 1


def test_a_program_on_the_path_is_a_bundle_like_others(tmp_path: Path) -> None:
    tree = {**LATER, "start.py": "import late"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, entry_point="start")
    assert run_python("-c", "import late", path=[bundle]).stderr.count("BundleWarning") == 1
    result = run_python(str(bundle), check=False, PATH="")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"{bundle}: needs Python 3.77 or newer (because of late), and {sys.executable} is")


@pytest.mark.parametrize(
    ("tree", "is_limited"),
    [
        ({"late/__init__.py": ""}, False),
        (distribution("late", "py3-none-any", requires=">=3.8"), False),
        (distribution("late", "py3-none-any", requires=">=3.8,<4"), False),
        (distribution("late", "py3-none-any", requires=f">={THIS},<3.78"), True),
        ({"late/__init__.py": "", f"late/_c{EXTENSION_SUFFIXES[0]}": "x"}, True),
    ],
)
def test_a_bundle_for_every_python_is_read_as_before(tmp_path: Path, tree: Tree, *, is_limited: bool) -> None:
    """A bundle that has limits and fits loads one more module; one without limits loads none."""
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    script = tmp_path / "script.py"
    script.write_text("import late, sys; print([name for name in sys.modules if name.startswith('bundleimp.')])")
    result = run_python(str(script), path=[bundle])
    assert result.stderr == ""
    parts = ["content", "content.limits"]
    assert [f"'bundleimp.runtime.{part}'" in result.stdout for part in parts] == [is_limited] * len(parts)
    assert "content.targets" not in result.stdout
    assert bundleimp.open_bundle(bundle).verify() == []


def test_a_bundle_that_is_not_for_this_python_is_a_source(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one.pybundle", LATER)
    report = bundleimp.pack([bundle], tmp_path / "two.pybundle")
    assert report.runs_on[0].python == ">=3.77"
    assert Archive(str(tmp_path / "two.pybundle")).fault is not None


@pytest.mark.parametrize(
    "alternative",
    [
        RunsOn(),
        *(RunsOn(python=text) for text in (f"=={THIS}.*", f"!={THIS}.*", ">=3.99", "<3.10", "!=3.12.1,!=3.12.2,<4")),
        *(RunsOn(implementation=name) for name in ("cpython", "pypy")),
        *(RunsOn(free_threaded=threads) for threads in (True, False)),
        *(
            RunsOn(platform=tag)
            for tag in ("linux_x86_64", "linux_aarch64", "manylinux_2_99_x86_64", "manylinux_2_18_x86_64")
        ),
        *(
            RunsOn(platform=tag)
            for tag in ("musllinux_1_1_x86_64", "macosx_11_0_universal2", "win_amd64", "win32", "freebsd_14_amd64")
        ),
    ],
    ids=str,
)
def test_the_text_in_the_index_and_the_one_in_programs_agree(alternative: RunsOn) -> None:
    condition = eval(runson.condition([alternative]), {"sys": sys})  # noqa: S307 (as programs do)
    assert runson.fits([alternative]) == condition
    text = runson.encode([alternative])
    assert (not text or limits.fits(text.split("\n")[1:])) == condition


@pytest.mark.parametrize("text", ["version=x", "glibc=1.x", "colour=red", ""])
def test_what_is_unknown_or_damaged_demands_nothing(text: str) -> None:
    assert limits.fits([text])


def test_reasons_without_end_are_not_in_the_index() -> None:
    assert runson.encode([RunsOn(python=">=3.77", because=("x" * 20_000,))]) == ""
