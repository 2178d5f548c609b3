"""All of a bundle as files, for tools that need them: `BUNDLEIMP_UNPACK=1`, `run --unpack`, `bundleimp site`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .builders import Tree, make_bundle, make_zip, run_python
from .command_line import bundleimp_command, error_of
from .platforms import needs_processes, needs_ssh_keygen

TREE: Tree = {
    "pure/__init__.py": "from . import part\n\n\ndef double(x: int) -> int:\n    return x * 2\n",
    "pure/part.py": "VALUE = 1\n",
    "pure/data.txt": "data\n",
    "pure/tests/__init__.py": "",
    "pure/tests/test_double.py": (
        "import unittest\n\nfrom pure import double\n\n\n"
        "class Test(unittest.TestCase):\n    def test(self):\n        self.assertEqual(double(1), 2)\n\n\n"
        "def test_wrong():\n    x = double(1)\n    assert x == 3\n"
    ),
    "__main__.py": "import pure, sys\nprint(pure.__file__, *sys.argv[1:])\n",
    "pure-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: pure\nVersion: 1.0\n",
    "pure-1.0.dist-info/RECORD": "",
    "bin/script": "#!/bin/sh\n",
}
SHOW = """
import importlib.metadata, json, os, pure, pure.part, sys
print(json.dumps([
    pure.__file__, pure.part.__spec__.cached, type(pure.__loader__).__name__, pure.double.__code__.co_filename,
    importlib.metadata.version("pure"), [entry for entry in sys.path if ".pybundle" in entry and os.path.isfile(entry)],
    pure.__path__,
]))
"""


@pytest.fixture(name="bundle", scope="module")
def _bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("unpacked") / "app.pybundle", TREE)


def run(bundle: Path, cache: Path, *arguments: str, check: bool = True, **variables: str) -> Any:
    """Run Python with the bundle on its path, in the mode that these tests are about."""
    variables = {"BUNDLEIMP_CACHE_DIR": str(cache), "BUNDLEIMP_UNPACK": "1"} | variables
    return run_python("-W", "error", *arguments, path=[bundle], cwd=cache.parent, check=check, **variables)


def folder_in(cache: Path) -> Path:
    (folder,) = (cache / "unpacked").iterdir()
    return folder


def test_all_modules_are_real_files_with_their_bytecode(bundle: Path, tmp_path: Path) -> None:
    file, cached, loader, code, version, entries, path = json.loads(run(bundle, tmp_path / "c", "-c", SHOW).stdout)
    folder = folder_in(tmp_path / "c")
    assert (file, code, path) == (str(folder / "pure/__init__.py"), file, [str(folder / "pure")])
    assert (loader, version, entries) == ("SourceFileLoader", "1.0", [])
    assert cached == importlib.util.cache_from_source(str(folder / "pure/part.py"))
    assert Path(cached).read_bytes()[4:8] == b"\1\0\0\0"  # an unchecked hash (PEP 552)


def test_the_files_are_those_that_were_packed(bundle: Path, tmp_path: Path) -> None:
    run(bundle, tmp_path / "c", "-c", "import pure")
    folder = folder_in(tmp_path / "c")
    for name, text in TREE.items():
        assert (folder / name).read_bytes() == (text.encode() if isinstance(text, str) else text)
    assert stat.S_IMODE((folder / "pure/data.txt").stat().st_mode) == 0o444
    assert stat.S_IMODE((folder / "bin/script").stat().st_mode) == 0o555


def test_the_first_run_compiles_nothing_and_the_next_writes_nothing(bundle: Path, tmp_path: Path) -> None:
    seen = []
    for _ in range(3):
        run(bundle, tmp_path / "c", "-c", "import pure.tests.test_double")
        seen.append({str(path): path.stat().st_mtime_ns for path in (tmp_path / "c").rglob("*.py*")})
    assert seen[0] == seen[1] == seen[2]


def test_entries_that_are_added_later_are_real_files_too(bundle: Path, tmp_path: Path) -> None:
    script = f"import sys\nsys.path.append({str(bundle)!r})\nimport pure.part\nprint(pure.part.__file__)"
    result = run_python("-W", "error", "-c", script, BUNDLEIMP_CACHE_DIR=str(tmp_path / "c"), BUNDLEIMP_UNPACK="1")
    assert result.stdout == f"{folder_in(tmp_path / 'c') / 'pure/part.py'}\n"


def test_without_it_and_with_0_all_is_as_usual(bundle: Path, tmp_path: Path) -> None:
    result = run(bundle, tmp_path / "c", "-c", "import pure.part; print(pure.part.__file__)", BUNDLEIMP_UNPACK="0")
    assert ("/unpacked/" in result.stdout, (tmp_path / "c/unpacked").exists()) == (False, False)


@needs_processes
def test_children_import_from_the_files_too(bundle: Path, tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "print(subprocess.check_output([sys.executable, '-c', 'import pure; print(pure.__file__)'], text=True), end='')"
    )
    assert run(bundle, tmp_path / "c", "-c", script).stdout == f"{folder_in(tmp_path / 'c') / 'pure/__init__.py'}\n"


def test_a_program_imports_from_the_files(tmp_path: Path) -> None:
    tree = {name: text for name, text in TREE.items() if name != "__main__.py"}
    tree["pure/main.py"] = "import pure\n\n\ndef main():\n    print(pure.__file__)\n"
    for alone in (False, True):
        path = make_bundle(tmp_path / f"{alone}.pybundle", tree, entry_point="pure.main:main", standalone=alone)
        cache = tmp_path / f"cache-{alone}"
        result = run_python(str(path), BUNDLEIMP_CACHE_DIR=str(cache), BUNDLEIMP_UNPACK="1")
        assert result.stdout == f"{folder_in(cache) / 'pure/__init__.py'}\n"


def test_run_unpack(bundle: Path, tmp_path: Path) -> None:
    arguments = ("-m", "bundleimp", "run", "--unpack", str(bundle), "--unpack", "x")
    result = run_python(*arguments, BUNDLEIMP_CACHE_DIR=str(tmp_path / "c"))
    assert result.stdout == f"{folder_in(tmp_path / 'c') / 'pure/__init__.py'} --unpack x\n"


def test_unittest_discovers_tests(bundle: Path, tmp_path: Path) -> None:
    arguments = ("-m", "unittest", "discover", "-s", "pure.tests")
    assert "Ran 1 test" in run(bundle, tmp_path / "c", *arguments).stderr


def test_pytest_rewrites_assertions(bundle: Path, tmp_path: Path) -> None:
    arguments = ("-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "pure")
    result = run(bundle, tmp_path / "c", *arguments, check=False)
    assert "assert 2 == 3" in result.stdout
    assert "1 failed, 1 passed" in result.stdout


def test_a_debugger_stops_at_a_line_of_a_file(bundle: Path, tmp_path: Path) -> None:
    run(bundle, tmp_path / "c", "-c", "import pure")
    commands = f"break {folder_in(tmp_path / 'c') / 'pure/__init__.py'}:5\ncontinue\np x + 40\nquit\n"
    (tmp_path / "script.py").write_text("import pure\npure.double(2)\n")
    environment = os.environ | {"BUNDLEIMP_CACHE_DIR": str(tmp_path / "c"), "BUNDLEIMP_UNPACK": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "pdb", str(tmp_path / "script.py")],
        input=commands,
        env=environment | {"PYTHONPATH": str(bundle)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "(Pdb) 42" in result.stdout


@pytest.mark.parametrize("damage", ["missing", "emptied", "no mark"])
def test_a_folder_that_lost_files_is_made_whole(bundle: Path, tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "c"
    run(bundle, cache, "-c", "import pure")
    file = folder_in(cache) / ("pure/part.py" if damage != "no mark" else ".bundleimp-units/all")
    before = file.read_bytes()
    file.unlink()
    if damage == "emptied":
        file.write_bytes(b"")
    run(bundle, cache, "-c", "import pure.part")
    assert file.exists()
    assert damage == "no mark" or file.read_bytes() == before


def test_files_of_the_user_in_the_folder_are_left_alone(bundle: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    run(bundle, cache, "-c", "import pure")
    own = folder_in(cache) / "pure/own.txt"
    own.write_text("mine")
    run(bundle, cache, "-c", "import pure")
    assert own.read_text() == "mine"


def test_another_version_has_another_folder(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "app.pybundle"
    shutil.copy(bundle, copy)
    show = "import pure.part; print(pure.part.VALUE)"
    assert run(copy, tmp_path / "c", "-c", show).stdout == "1\n"
    make_bundle(copy, TREE | {"pure/part.py": "VALUE = 2\n"})
    assert run(copy, tmp_path / "c", "-c", show).stdout == "2\n"


def test_where_nothing_can_be_written_the_bundle_is_used_and_one_warning_says_so(bundle: Path, unwritable: str) -> None:
    script = "import pure.part; print(pure.part.__file__)"
    result = run_python("-c", script, path=[bundle], BUNDLEIMP_CACHE_DIR=unwritable, BUNDLEIMP_UNPACK="1")
    assert result.stdout == f"{bundle}/pure/part.py\n"
    assert result.stderr.count("cannot be unpacked, as BUNDLEIMP_UNPACK asks for") == 1


def test_a_damaged_member_is_one_warning_and_no_folder(bundle: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "app.pybundle"
    data = bundle.read_bytes()
    at = data.index(b"bin/script") + len("bin/script")
    damaged.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    script = "import pure.part; print(pure.part.VALUE)"
    result = run_python("-c", script, path=[damaged], BUNDLEIMP_CACHE_DIR=str(tmp_path / "c"), BUNDLEIMP_UNPACK="1")
    assert result.stdout == "1\n"
    assert "bin/script" in result.stderr
    assert list((tmp_path / "c/unpacked").glob("[!.]*")) == []


def test_a_plain_zip_can_be_unpacked(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "plain.pybundle", TREE)
    file, *_, entries, _ = json.loads(run(path, tmp_path / "c", "-c", SHOW).stdout)
    assert (file, entries) == (str(folder_in(tmp_path / "c") / "pure/__init__.py"), [])


@needs_ssh_keygen
def test_where_bundles_must_be_signed_only_bundles_are_imported(bundle: Path, tmp_path: Path) -> None:
    """Nobody has signed what is in the cache; and what was imported from there before gives nothing more."""
    cache = tmp_path / "c"
    run(bundle, cache, "-c", "import pure")
    signers = tmp_path / "signers"
    signers.write_text("")
    script = f"""
import pure, sys, bundleimp
try:
    bundleimp.install(allowed_signers={str(signers)!r})
except bundleimp.BundleError:
    pass
for name in ("pure.part", "pure.tests"):
    sys.modules.pop(name, None)
    try:
        __import__(name)
    except ImportError:
        print("refused")
"""
    result = run(bundle, cache, "-W", "ignore", "-c", script)
    assert result.stdout == "refused\nrefused\n"
    result = run(
        folder_in(cache),
        cache,
        "-W",
        "ignore",
        "-c",
        "import pure",
        check=False,
        BUNDLEIMP_ALLOWED_SIGNERS=str(signers),
    )
    assert "ModuleNotFoundError" in result.stderr


# bundleimp site


def site(*arguments: str | Path, cache: Path) -> str:
    return bundleimp_command("site", *arguments, BUNDLEIMP_CACHE_DIR=str(cache)).stdout.removesuffix("\n")


def test_site_prints_the_folder_that_the_mode_uses(bundle: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    printed = site(bundle, cache=cache)
    assert printed == str(folder_in(cache)) == site(bundle, cache=cache)
    assert run(bundle, cache, "-c", "import pure; print(pure.__file__)").stdout == f"{printed}/pure/__init__.py\n"


def test_site_fills_the_site_of_the_bundle_too(bundle: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    site(bundle, cache=cache)
    assert [path.read_text() for path in cache.glob("sites/*/pure/data.txt")] == ["data\n"]


def test_site_writes_into_a_folder_of_the_users_choice(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    assert site(bundle, folder, cache=tmp_path / "c") == str(folder)
    result = run_python("-c", "import pure; print(pure.__file__)", path=[folder])
    assert result.stdout == f"{folder}/pure/__init__.py\n"
    assert site(bundle, folder, cache=tmp_path / "c") == str(folder)  # which has nothing to do


def test_site_leaves_a_folder_with_other_files_alone(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "own").write_text("mine")
    message = error_of("site", str(bundle), str(tmp_path / "out"))
    assert message == (f"{tmp_path / 'out'}: has other files in it; name a folder that does not exist yet, or is empty")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["own"]


def test_site_keep_is_left_alone_by_prune_and_clear(bundle: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    folder = site(bundle, "--keep", cache=cache)
    for command in (("prune", "--older-than", "0"), ("clear",)):
        bundleimp_command("cache", *command, BUNDLEIMP_CACHE_DIR=str(cache))
        assert Path(folder, "pure/part.py").exists()
        assert list(cache.glob("sites/*/pure/data.txt"))


def test_a_folder_without_keep_is_pruned(bundle: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    folder = site(bundle, cache=cache)
    bundleimp_command("cache", "clear", BUNDLEIMP_CACHE_DIR=str(cache))
    assert not os.path.exists(folder)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none.pybundle", "cannot be opened: No such file or directory"), ("text.pybundle", "is not a zip archive")],
)
def test_what_is_no_bundle_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "text.pybundle").write_text("text")
    message = error_of("site", str(tmp_path / name))
    assert name in message
    assert reason in message
