"""Where a bundle runs, worked out from tags, names and Requires-Python; and what commands say about it."""

from __future__ import annotations

import json
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp import platforms, pythons, runson
from bundleimp.packing import fitting, wheeltags
from bundleimp.runson import RunsOn
from bundleimp.runtime.content.purposes import Purpose

from .builders import Tree, make_bundle, make_tree
from .command_line import bundleimp_command

if TYPE_CHECKING:
    from pathlib import Path

LINUX = "manylinux_2_17_x86_64"


def distribution(name: str, *tags: str, requires: str | None = None, files: Tree | None = None) -> Tree:
    """Return the files of an installed distribution."""
    info = f"{name}-1.0.dist-info"
    own: Tree = {f"{name}/__init__.py": "", **(files or {})}
    record = "".join(f"{member},,\n" for member in (*own, f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"))
    required = f"Requires-Python: {requires}\n" if requires is not None else ""
    return own | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{required}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags),
        f"{info}/RECORD": record,
    }


def gathered(tree: Tree) -> fitting.Gathered:
    contents = {name: text.encode() if isinstance(text, str) else text for name, text in tree.items()}
    return fitting.gather(list(contents), contents.__getitem__)


def where(tree: Tree) -> str:
    return runson.words(fitting.alternatives(gathered(tree).evidence))


@pytest.mark.parametrize(
    ("text", "specifier", "words"),
    [
        ("", "", "3"),
        (">=3.8", ">=3.8", "3.8 or newer"),
        (">= 3.8 , <4", ">=3.8,<4.0", "3.8 or newer, older than 4.0"),
        (">=2.7, !=3.0.*, !=3.1.*", ">=3.2", "3.2 or newer"),
        ("<3.13,>=3.9", ">=3.9,<3.13", "3.9 to 3.12"),
        ("==3.11.*", ">=3.11,<3.12", "3.11"),
        ("~=3.8", ">=3.8,<4.0", "3.8 or newer, older than 4.0"),
        ("~=3.8.2", ">=3.8.2,<3.9", "3.8.2 or newer, older than 3.9"),
        ("!=3.9.7,>=3.9", ">=3.9,!=3.9.7", "3.9 or newer but not 3.9.7"),
        (">=3.8,!=3.9.*", ">=3.8,!=3.9.*", "3.8 or newer but not 3.9.*"),
        ("==3.11.4", ">=3.11.4,<3.11.5", "3.11.4"),
        (">3.8", ">=3.8.1", "3.8.1 or newer"),
        ("<=3.11", "<3.11.1", "older than 3.11.1"),
        (">=3.12.0rc1", ">=3.12", "3.12 or newer"),
        ("<3", "<3.0", "2"),
    ],
)
def test_a_specifier_is_a_range_of_versions(text: str, specifier: str, words: str) -> None:
    spans = pythons.parse(text)
    assert pythons.specifier(spans) == specifier
    assert pythons.parse(specifier) == spans
    assert pythons.words(spans) == words


@pytest.mark.parametrize("text", ["banana", ">=three", "3.8", ">=3.8 <4", "~=3", ">=3.8.*", "=>3.8"])
def test_nonsense_is_no_specifier(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        pythons.parse(text)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (LINUX, "Linux x86_64, glibc 2.17 or newer"),
        ("manylinux2014_aarch64", "Linux aarch64, glibc 2.17 or newer"),
        ("musllinux_1_2_x86_64", "Linux x86_64, musl 1.2 or newer"),
        ("linux_armv7l", "Linux armv7l"),
        ("macosx_11_0_arm64", "macOS 11.0 or newer, arm64"),
        ("macosx_10_9_universal2", "macOS 10.9 or newer, arm64 or x86_64"),
        ("win_amd64", "Windows amd64"),
        ("win32", "Windows x86"),
        ("freebsd_14_0_release_amd64", "freebsd"),
    ],
)
def test_a_platform_tag_in_words(tag: str, words: str) -> None:
    platform = platforms.parse(tag)
    assert platform is not None
    assert platform.words == words
    assert platforms.parse(platform.tag) == platform
    assert isinstance(eval(runson.condition([RunsOn(platform=tag)]), {"sys": sys}), bool)  # noqa: S307


@pytest.mark.parametrize("tag", ["any", "", "linux_x'+'", "__import__('os')"])
def test_what_is_no_platform_demands_nothing(tag: str) -> None:
    assert platforms.parse(tag) is None


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("cp311-cp311-manylinux_2_17_x86_64", "CPython 3.11, Linux x86_64, glibc 2.17 or newer"),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "CPython 3.11, Linux x86_64, glibc 2.17 or newer"),
        ("cp37-abi3-win_amd64", "CPython 3.7 or newer, Windows amd64"),
        ("cp313-cp313t-linux_x86_64", "CPython 3.13 (free-threaded), Linux x86_64"),
        ("py3-none-any", "Python 3, any platform"),
        ("py2.py3-none-any", "Python 3, any platform"),
        ("py38-none-macosx_11_0_arm64", "Python 3.8 or newer, macOS 11.0 or newer, arm64"),
        ("pp310-pypy310_pp73-linux_x86_64", "PyPy 3.10, Linux x86_64"),
        (
            "py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64",
            "Python 3, Linux x86_64, glibc 2.17 or newer; or Python 3, Linux x86_64, musl 1.1 or newer",
        ),
    ],
)
def test_the_tags_of_a_wheel_say_where_it_runs(tag: str, words: str) -> None:
    assert where(distribution("dist", tag)).partition(" (because")[0] == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("_c.cpython-311-x86_64-linux-gnu.so", "CPython 3.11, Linux x86_64"),
        ("_c.cpython-312-aarch64-linux-musl.so", "CPython 3.12, Linux aarch64"),
        ("_c.cpython-311-arm-linux-gnueabihf.so", "CPython 3.11, Linux armv7l"),
        ("_c.cpython-313t-darwin.so", "CPython 3.13 (free-threaded), macOS"),
        ("_c.cp311-win_amd64.pyd", "CPython 3.11, Windows amd64"),
        ("_c.cp313t-win32.pyd", "CPython 3.13 (free-threaded), Windows x86"),
        ("_c.pypy310-pp73-x86_64-linux-gnu.so", "PyPy 3.10, Linux x86_64"),
        ("_c.abi3.so", "CPython 3.2 or newer"),
        ("_c.pyd", "Python, Windows"),
        ("_c.so", "Python"),
    ],
)
def test_the_name_of_an_extension_module_says_what_it_is_for(name: str, words: str) -> None:
    assert str(Purpose(name)) == words
    assert str(Purpose(f"pkg.d/{name}")) == words


def test_an_extension_module_without_a_wheel_decides() -> None:
    tree: Tree = {"hello/__init__.py": "", "hello/_c.cpython-399-x86_64-linux-gnu.so": "x"}
    assert where(tree) == "CPython 3.99, Linux x86_64 (because of hello._c)"


def test_one_with_a_fallback_or_for_several_pythons_decides_less() -> None:
    native: Tree = {"_c.cpython-312-x86_64-linux-gnu.so": "x"}
    assert where(native | {"_c.py": ""}) == "Python 3, any platform"
    both = where(native | {"_c.cpython-311-x86_64-linux-gnu.so": "x"})
    assert both == "CPython 3.11, Linux x86_64; or CPython 3.12, Linux x86_64 (because of _c)"


def test_the_wheel_of_a_distribution_decides_about_its_extension_modules() -> None:
    files: Tree = {"fast/_c.cpython-311-x86_64-linux-gnu.so": "x"}
    assert where(distribution("fast", "py3-none-any", files=files)) == "Python 3, any platform"
    assert where(distribution("fast", "cp38-abi3-linux_x86_64", files=files)).startswith("CPython 3.8 or newer, Linux")


ELF = b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xb7\0" + bytes(8)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("_c.abi3.so", ELF + b"PyInit__c\0", "CPython 3.2 or newer, Linux aarch64 (because of _c)"),
        ("_c.so", ELF + b"PyInit__c\0", "Python 3, Linux aarch64 (because of _c)"),
        ("_c.so", b"\xcf\xfa\xed\xfe\x0c\0\0\x01PyInit__c", "Python 3, macOS arm64 (because of _c)"),
        ("_c.pyd", b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x64\x86PyInit__c", "Python 3, Windows amd64 (because of _c)"),
        ("library.so", ELF, "Python 3, any platform"),  # one of several, of which the program takes the right one
        ("_c.so", b"x", "Python 3, any platform"),
    ],
)
def test_a_native_file_whose_name_does_not_say_is_asked(name: str, content: bytes, words: str) -> None:
    assert where({name: content}) == words


def test_all_parts_count_and_the_narrowest_are_named() -> None:
    tree = {
        **distribution("alpha", "cp311-cp311-manylinux_2_28_x86_64", requires=">=3.9"),
        **distribution("beta", "cp39-abi3-manylinux2014_x86_64"),
        **distribution("gamma", "py3-none-any", requires=">=3.8"),
    }
    assert where(tree) == "CPython 3.11, Linux x86_64, glibc 2.28 or newer (because of alpha and beta)"
    pure = {**distribution("gamma", "py3-none-any", requires=">=3.8"), **distribution("d", requires=">=3.7,<3.14")}
    assert where(pure) == "Python 3.8 to 3.13, any platform (because of d)"


def test_universal_and_thin_files_of_macos_meet() -> None:
    tree = {
        **distribution("a", "cp311-cp311-macosx_10_9_universal2"),
        **distribution("b", "cp311-abi3-macosx_11_0_arm64"),
    }
    assert where(tree) == "CPython 3.11, macOS 11.0 or newer, arm64 (because of a and b)"


@pytest.mark.parametrize(
    "tags",
    [
        ("cp311-cp311-linux_x86_64", "cp312-cp312-linux_x86_64"),
        ("cp311-abi3-manylinux_2_17_x86_64", "cp311-abi3-musllinux_1_2_x86_64"),
        ("cp311-abi3-macosx_11_0_arm64", "cp311-abi3-win_arm64"),
        ("cp313-cp313t-linux_x86_64", "cp38-abi3-linux_x86_64"),
    ],
)
def test_parts_for_different_pythons_are_a_warning(tags: tuple[str, str]) -> None:
    evidence = gathered({**distribution("a", tags[0]), **distribution("b", tags[1])}).evidence
    assert fitting.alternatives(evidence) == []
    warning = fitting.conflict(evidence, ["3.11.7"], [])
    assert warning is not None
    assert (warning.member, "the bundle as a whole runs nowhere" in warning.message) == ("b", True)


def test_a_part_that_runs_nowhere_is_a_warning() -> None:
    evidence = gathered(distribution("a", "py3-none-any", requires="<3")).evidence
    warning = fitting.conflict(evidence, [], fitting.alternatives(evidence))
    assert warning is not None
    assert str(warning.message).startswith("needs a Python that does not exist: ")


def test_what_cannot_be_understood_is_a_warning_and_demands_nothing() -> None:
    found = gathered(distribution("odd", requires="banana"))
    assert [(warning.member, warning.message) for warning in found.warnings] == [
        ("odd-1.0.dist-info/METADATA", "Requires-Python is no version specifier: 'banana'; it is not looked at"),
        (
            "odd-1.0.dist-info/WHEEL",
            "has no tag that says for which Python it is; its extension modules are asked",
        ),
    ]
    assert where(distribution("odd", "cp3-x", "py2-none-any", "nonsense")) == "Python 3, any platform"


def test_a_condition_holds_where_the_bundle_runs() -> None:
    own = wheeltags.of_file(f"_c{EXTENSION_SUFFIXES[0]}", b"")
    here = fitting.alternatives([fitting.Evidence("_c", (own,))])
    assert runson.fits(here)
    assert runson.fits([])
    assert not runson.fits([RunsOn("cpython", "==3.99.*")])
    assert runson.fits([RunsOn("cpython", "==3.99.*"), *here])
    assert not runson.fits([RunsOn("pypy")])
    assert not runson.fits([RunsOn(platform="musllinux_1_2_s390x")])
    assert runson.fits([RunsOn(free_threaded=True)]) != runson.fits([RunsOn(free_threaded=False)])


@pytest.mark.skipif(sys.platform != "linux", reason="asks for the C library of Linux")
def test_the_c_library_counts() -> None:
    assert not runson.fits([RunsOn(platform="manylinux_99_0_x86_64")])


@pytest.mark.parametrize(
    "value",
    [
        *([1], ["x"], "x", [{"python": "banana"}], [{"python": 3}], [{"because": "x"}]),
        [{"implementation": "", "python": "", "platform": "", "free_threaded": "x"}],
    ],
)
def test_a_manifest_of_another_tool_does_not_matter(value: Any) -> None:
    assert runson.decode({"runs_on": value}) == []


def test_the_manifest_keeps_it_and_commands_say_it(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", distribution("fast", "cp399-cp399-manylinux_2_17_x86_64"))
    output = tmp_path / "out.pybundle"
    words = "CPython 3.99, Linux x86_64, glibc 2.17 or newer (because of fast)"
    result = bundleimp_command("pack", source, output)
    assert result.stdout.splitlines()[1:] == [f"runs on {words}"]
    warning = f"fast: is for {words.partition(' (')[0]}, and bytecode is embedded for Python "
    assert result.stderr.startswith(f"bundleimp: warning: {warning}")
    assert result.stderr.endswith(" only; give a Python that fits with --python\n")
    alternative = {
        "implementation": "cpython",
        "python": ">=3.99,<3.100",
        "free_threaded": False,
        "platform": LINUX,
        "because": ["fast"],
    }
    assert (bundleimp.open_bundle(output).manifest or {})["runs_on"] == [alternative]
    assert f"runs on: {words}" in bundleimp_command("info", output).stdout.splitlines()
    assert json.loads(bundleimp_command("info", "--json", output).stdout)["runs_on"] == [alternative]
    doctor = bundleimp_command("doctor", PYTHONPATH=str(output), status=1).stdout
    assert f"PROBLEM  {output}: runs on {words}, and this is " in doctor


def test_a_bundle_without_demands_says_so(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"mod.py": ""})
    assert "runs_on" not in (bundleimp.open_bundle(bundle).manifest or {})
    assert "runs on: Python 3.11 or newer, any platform" in bundleimp_command("info", bundle).stdout.splitlines()


def test_bytecode_without_source_may_be_for_another_python_than_an_extension_module(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": "", "_c.cpython-399-x86_64-linux-gnu.so": "x"})
    report = bundleimp.pack([source], tmp_path / "o.pybundle", source=False)
    assert report.runs_on == []
    assert [warning.member for warning in report.warnings] == ["--no-source"]
    assert (bundleimp.open_bundle(tmp_path / "o.pybundle").manifest or {})["runs_on"] == []
    lines = bundleimp_command("info", tmp_path / "o.pybundle").stdout.splitlines()
    assert "runs on: nothing; its parts need different Pythons" in lines


def test_bytecode_without_source_is_for_one_python(tmp_path: Path) -> None:
    report = bundleimp.pack([make_tree(tmp_path / "src", {"mod.py": ""})], tmp_path / "o.pybundle", source=False)
    version = "{}.{}".format(*sys.version_info[:2])
    assert runson.words(report.runs_on) == f"CPython {version}, any platform (because of --no-source)"
