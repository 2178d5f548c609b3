"""``pack --unpack`` and ``--no-unpack``, and what ``info`` says of what is placed in the cache."""

from __future__ import annotations

import json
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING, Any

import pytest

from .builders import Tree, make_tree, run_python
from .command_line import bundleimp_command, error_of
from .test_runpaths import DT_RUNPATH, elf

if TYPE_CHECKING:
    from pathlib import Path


def recorded(name: str, *members: str) -> Tree:
    """Return the metadata of a distribution with these *members*."""
    return {
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/RECORD": "".join(f"{member},,\n" for member in members),
    }


TREE: Tree = {
    "pure/__init__.py": "",
    "pure/mod.py": "",
    **recorded("pure", "pure/__init__.py", "pure/mod.py"),
    "data/__init__.py": "",
    "data/far/__init__.py": "",
    "data/table.txt": "row\n",
    **recorded("data", "data/__init__.py", "data/far/__init__.py", "data/table.txt"),
    "asks/__init__.py": "import os\nNAMES = sorted(os.listdir(os.path.dirname(__file__)))\n",
    "asks/mod.py": "",
    **recorded("asks", "asks/__init__.py", "asks/mod.py"),
    "owned/__init__.py": "",
    "owned_too.py": "",
    **recorded("Some_Dist.x", "owned/__init__.py", "owned_too.py"),
    "nested/inner/__init__.py": "",
    "single.py": "",
}
REPORT = """
import asks.mod, data.far, os, owned, owned_too, pure.mod, nested.inner, single
modules = [asks, asks.mod, data, data.far, owned, owned_too, pure, pure.mod, nested.inner, single]
print(*(module.__name__ for module in modules if os.path.isfile(module.__file__)))
"""


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "src", TREE)


def real_modules(source: Path, *options: str) -> list[str]:
    """Return the modules whose ``__file__`` can be opened if *source* is packed with *options*."""
    bundle = source.parent / "out.pybundle"
    bundleimp_command("pack", "--quiet", source, bundle, *options)
    assert bundleimp_command("verify", bundle).returncode == 0
    cache = str(source.parent / "cache")
    return run_python("-W", "error", "-c", REPORT, path=[bundle], BUNDLEIMP_CACHE_DIR=cache).stdout.split()


def info(source: Path, *options: str) -> list[dict[str, Any]]:
    bundle = source.parent / "out.pybundle"
    bundleimp_command("pack", "--quiet", source, bundle, *options)
    placed: list[dict[str, Any]] = json.loads(bundleimp_command("info", "--json", bundle).stdout)["placed"]
    return placed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["asks", "data"]),
        (["--unpack", "pure"], ["asks", "data", "pure", "pure.mod"]),
        (["--unpack", "data", "--unpack", "pure"], ["asks", "data", "data.far", "pure", "pure.mod"]),
        (["--unpack", "some-dist.X"], ["asks", "data", "owned", "owned_too"]),
        (["--unpack", "owned"], ["asks", "data", "owned", "owned_too"]),
        (["--unpack", "nested"], ["asks", "data", "nested.inner", "single"]),
        (["--unpack", "own-files"], ["asks", "data", "nested.inner", "single"]),
        (["--unpack", "asks", "--no-unpack", "data"], ["asks", "asks.mod"]),
        (["--no-unpack", "pure"], ["asks", "data"]),
        (["--unpack", "pure", "--no-unpack", "data"], ["asks", "pure", "pure.mod"]),
    ],
)
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_the_user_decides_what_is_imported_from_real_files(
    source: Path, layout: str, options: list[str], expected: list[str]
) -> None:
    assert real_modules(source, "--layout", layout, *options) == expected


def test_a_name_given_to_unpack_may_be_that_of_a_distribution_or_of_a_package_of_several(tmp_path: Path) -> None:
    """The package ``space`` has a part in each of two distributions; a third one has its name."""
    source = make_tree(
        tmp_path / "src",
        {
            **recorded("One", "space/one/__init__.py"),
            **recorded("Two", "space/two/__init__.py"),
            **recorded("Three", "three/__init__.py"),
            **dict.fromkeys(["space/one/__init__.py", "space/two/__init__.py", "three/__init__.py"], ""),
        },
    )
    assert [(unit["name"], unit["files"]) for unit in info(source, "--unpack", "space")] == [("One", 1), ("Two", 1)]
    make_tree(source, {"four/__init__.py": "", **recorded("space", "four/__init__.py")})
    assert [unit["name"] for unit in info(source, "--unpack", "space")] == ["space"]


def test_no_unpack_keeps_even_those_that_ask(source: Path) -> None:
    bundle = source.parent / "out.pybundle"
    bundleimp_command("pack", "--quiet", source, bundle, "--no-unpack", "asks", "--no-unpack", "data")
    cache = source.parent / "cache"
    script = "import data\nprint(data.__file__, data.__path__)\nimport asks\n"
    result = run_python("-W", "error", "-c", script, path=[bundle], check=False, BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout == f"{bundle}/data/__init__.py ['{bundle}/data']\n"
    assert "NotADirectoryError" in result.stderr
    assert not cache.exists()


@pytest.mark.parametrize("option", ["--unpack", "--no-unpack"])
@pytest.mark.parametrize("name", ["nothing", "pure.mod", "pure/mod.py", "", "Some-Dist"])
def test_an_unknown_name_is_one_line_and_leaves_the_output(source: Path, option: str, name: str) -> None:
    bundle = source.parent / "out.pybundle"
    bundle.write_bytes(b"what was there before")
    text = error_of("pack", source, bundle, f"{option}={name}")
    known = "Some_Dist.x, asks, data, nested, own-files, owned, owned_too, pure, single"
    assert text == f"there is no distribution or top-level package {name!r}; there are {known}"
    assert bundle.read_bytes() == b"what was there before"


@pytest.mark.parametrize(("one", "other"), [("Pure", "pure"), ("owned", "Some-Dist.x")])
def test_a_unit_cannot_be_given_to_both(source: Path, one: str, other: str) -> None:
    text = error_of("pack", source, source.parent / "out.pybundle", "--unpack", one, "--no-unpack", other)
    assert f"{one!r} is given to both --unpack and --no-unpack" in text


def test_info_says_what_may_be_placed_and_why(source: Path) -> None:
    expected = [
        {
            "name": "asks",
            "files": 2,
            "size": 64,
            "data_files": 0,
            "data_size": 0,
            "reason": "asks/__init__.py asks for its location, and may look for code beside it",
            "brings": [],
        },
        {
            "name": "data",
            "files": 0,
            "size": 0,
            "data_files": 2,
            "data_size": 4,
            "reason": "data/table.txt is data near modules",
            "brings": [],
        },
    ]
    assert info(source) == expected
    lines = bundleimp_command("info", source.parent / "out.pybundle").stdout.splitlines()
    assert [line for line in lines if line.startswith("placed in the cache")] == [
        f"placed in the cache when imported: asks (2 files, 64 B): {expected[0]['reason']}",
        f"placed in the cache when imported: data (data part: 2 files, 4 B): {expected[1]['reason']}",
    ]


def test_info_says_what_the_user_asked_for(source: Path) -> None:
    placed = info(source, "--unpack", "pure", "--no-unpack", "data")
    assert [(unit["name"], unit["files"], unit["reason"]) for unit in placed] == [
        ("asks", 2, "asks/__init__.py asks for its location, and may look for code beside it"),
        ("pure", 2, "asked for with --unpack"),
    ]
    text = bundleimp_command("info", source.parent / "out.pybundle").stdout
    assert "placed in the cache when imported: pure (2 files, 0 B): asked for with --unpack\n" in text
    assert "data (" not in text


def test_info_says_which_distributions_are_placed_along(tmp_path: Path) -> None:
    extension = f"fast/_fast{EXTENSION_SUFFIXES[0]}"
    source = make_tree(
        tmp_path / "src",
        {
            "fast/__init__.py": "",
            extension: elf((DT_RUNPATH, "$ORIGIN/../fast_libs/lib")),
            **recorded("fast", "fast/__init__.py", extension),
            "fast_libs/lib/libfast.so.1": "library",
            **recorded("fast_libs", "fast_libs/lib/libfast.so.1"),
        },
    )
    (fast, libraries) = info(source)
    assert (fast["name"], fast["brings"], fast["files"]) == ("fast", ["fast_libs"], 2)
    assert (libraries["name"], libraries["brings"], libraries["files"]) == ("fast_libs", [], 1)
    text = bundleimp_command("info", tmp_path / "out.pybundle").stdout
    assert f"{extension} is an extension module; brings fast_libs\n" in text


def test_info_of_a_bundle_that_needs_no_real_files_does_not_mention_them(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"pure/__init__.py": ""})
    assert info(source) == []
    assert "placed in the cache" not in bundleimp_command("info", tmp_path / "out.pybundle").stdout
