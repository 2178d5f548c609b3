"""``pack --unpack`` and ``--no-unpack``, and what ``info`` says of what is mirrored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .builders import Tree, make_tree, run_python
from .command_line import bundleimp_command, error_of

if TYPE_CHECKING:
    from pathlib import Path

TREE: Tree = {
    "pure/__init__.py": "",
    "pure/mod.py": "",
    "data/__init__.py": "",
    "data/table.txt": "row\n",
    "asks/__init__.py": "import os\nNAMES = sorted(os.listdir(os.path.dirname(__file__)))\n",
    "nested/inner/__init__.py": "",
    "Some_Dist.x-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Some-Dist.x\nVersion: 1.0\n",
    "Some_Dist.x-1.0.dist-info/RECORD": "owned/__init__.py,,\nowned_too.py,,\n",
    "owned/__init__.py": "",
    "owned_too.py": "",
    "single.py": "",
}
REPORT = """
import asks, data, os, owned, owned_too, pure.mod, nested.inner, single
modules = [asks, data, owned, owned_too, pure, pure.mod, nested.inner, single]
print(*(module.__name__ for module in modules if os.path.isfile(vars(module)["__file__"])))
"""


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "src", TREE)


def real_modules(source: Path, *options: str) -> list[str]:
    """Return the modules that are imported from real files where *source* is packed with *options*."""
    bundle = source.parent / "out.pybundle"
    bundleimp_command("pack", "--quiet", source, bundle, *options)
    assert bundleimp_command("verify", bundle).returncode == 0
    cache = str(source.parent / "cache")
    return run_python("-W", "error", "-c", REPORT, path=[bundle], BUNDLEIMP_CACHE_DIR=cache).stdout.split()


def info(source: Path, *options: str) -> list[dict[str, Any]]:
    bundle = source.parent / "out.pybundle"
    bundleimp_command("pack", "--quiet", source, bundle, *options)
    mirrored: list[dict[str, Any]] = json.loads(bundleimp_command("info", "--json", bundle).stdout)["mirrored"]
    return mirrored


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["asks"]),
        (["--unpack", "pure"], ["asks", "pure", "pure.mod"]),
        (["--unpack", "data", "--unpack", "pure"], ["asks", "data", "pure", "pure.mod"]),
        (["--unpack", "some-dist.X"], ["asks", "owned", "owned_too"]),
        (["--unpack", "nested"], ["asks", "nested.inner"]),
        (["--unpack", "top-level-files"], ["asks", "single"]),
        (["--no-unpack", "pure"], ["asks"]),
        (["--unpack", "pure", "--no-unpack", "data"], ["asks", "pure", "pure.mod"]),
    ],
)
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_the_user_decides_what_is_imported_from_real_files(
    source: Path, layout: str, options: list[str], expected: list[str]
) -> None:
    assert real_modules(source, "--layout", layout, *options) == expected


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
@pytest.mark.parametrize("name", ["nothing", "pure.mod", "pure/mod.py", "", "owned"])
def test_an_unknown_name_is_one_line_and_leaves_the_output(source: Path, option: str, name: str) -> None:
    bundle = source.parent / "out.pybundle"
    bundle.write_bytes(b"what was there before")
    text = error_of("pack", source, bundle, f"{option}={name}")
    assert text.startswith(
        f"there is no distribution or top-level package {name!r}; there are Some_Dist.x, asks, data,"
    )
    assert bundle.read_bytes() == b"what was there before"


def test_a_name_cannot_be_given_to_both(source: Path) -> None:
    text = error_of("pack", source, source.parent / "out.pybundle", "--unpack", "Pure", "--no-unpack", "pure")
    assert "'pure' is given to both --unpack and --no-unpack" in text


def test_info_names_what_may_be_written_and_why(source: Path) -> None:
    assert info(source) == [
        {"name": "asks", "files": 1, "size": 64, "reason": "asks/__init__.py looks for code beside its __file__"},
        {"name": "data", "files": 2, "size": 4, "reason": "it has data, should another module look for it"},
    ]
    assert [(unit["name"], unit["reason"]) for unit in info(source, "--unpack", "pure", "--no-unpack", "data")] == [
        ("asks", "asks/__init__.py looks for code beside its __file__"),
        ("pure", "asked for with --unpack"),
    ]
    text = bundleimp_command("info", source.parent / "out.pybundle").stdout
    assert "written to the cache when needed: pure (0 B, 2 files): asked for with --unpack\n" in text
    assert "data (" not in text


def test_info_of_a_bundle_that_needs_nothing_says_nothing(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"pure/__init__.py": ""})
    assert info(source) == []
    assert "written to the cache" not in bundleimp_command("info", tmp_path / "out.pybundle").stdout
