"""Mirrors in the cache: addressed by content, whole or not there, and never anything but what was announced."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.format import Extent
from bundleimp.runtime.site.units import units_of

from .archives import forge, index_of, locator_of, mirrored_files
from .builders import Tree, clean_environment, make_bundle, make_zip, run_python
from .places import Laboratory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TREE: Tree = {
    "pkg/__init__.py": (
        "import os\n\nPLACE = os.path.join(os.path.dirname(__file__), 'table.txt')\n"
        "with open(PLACE) as file:\n    TABLE = file.read()\n"
    ),
    "pkg/mod.py": "X = 1\n",
    "pkg/table.txt": "old\n",
    "pkg/tool.sh": "#!/bin/sh\n",
    "pkg/zz.bin": bytes(range(256)),
    "passive/__init__.py": "",
    "passive/table.txt": "passive\n",
}
ASK = "import pkg\nprint(pkg.TABLE, end='')\n"
LAYOUTS = ["flat", "nested"]

in_each_layout = pytest.mark.parametrize("layout", LAYOUTS)


def mirrors(cache: Path) -> list[str]:
    """Return the names of the mirrors, and of what was left of others."""
    folder = cache / "mirrors"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ask(bundle: Path | list[Path], cache: Path, script: str = ASK) -> subprocess.CompletedProcess[str]:
    path = bundle if isinstance(bundle, list) else [bundle]
    return run_python("-W", "error", "-c", script, path=path, check=False, BUNDLEIMP_CACHE_DIR=str(cache))


def answer(bundle: Path | list[Path], cache: Path, script: str = ASK) -> str:
    """Run *script*, which must work, and return what it prints."""
    result = ask(bundle, cache, script)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


@pytest.fixture(name="cache")
def _cache_folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


# What is in a mirror, and which bundles share one.


@in_each_layout
def test_a_mirror_has_the_files_of_its_unit_as_they_were(tmp_path: Path, cache: Path, layout: str) -> None:
    source = tmp_path / "out.pybundle.source"
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    (source / "pkg/tool.sh").chmod(0o755)
    make_bundle(bundle, TREE, layout=layout)  # into the same folder
    assert answer(bundle, cache) == "old\n"
    (name,) = mirrors(cache)
    assert name.startswith("pkg-")
    expected = {member: content for member, content in files(source).items() if member.startswith("pkg/")}
    assert mirrored_files(cache / "mirrors" / name) == expected
    modes = {path.name: path.stat().st_mode & 0o777 for path in (cache / "mirrors" / name).glob("pkg/*")}
    assert modes == {path.name: 0o700 if path.name == "tool.sh" else 0o600 for path in source.glob("pkg/*")}
    assert (cache / "mirrors" / name).stat().st_mode & 0o777 == 0o700


def test_bundles_with_the_same_distribution_share_its_mirror(tmp_path: Path, cache: Path) -> None:
    first = make_bundle(tmp_path / "a.pybundle", TREE)
    second = make_bundle(tmp_path / "b.pybundle", TREE | {"more/__init__.py": ""}, layout="nested", bytecode=False)
    assert answer(first, cache) == "old\n"
    before = mirrors(cache)
    assert answer(second, cache) == "old\n"
    assert mirrors(cache) == before
    both = "import pkg, passive, sys\nfrom importlib import resources\nprint(pkg.TABLE, passive.__file__, end='')\n"
    assert answer([first, second], cache, both).startswith("old\n")
    assert len(mirrors(cache)) == 2


@pytest.mark.parametrize("change", ["content", "name", "mode"])
def test_another_content_has_another_mirror(tmp_path: Path, cache: Path, change: str) -> None:
    first = make_bundle(tmp_path / "a.pybundle", TREE)
    changes: dict[str, Tree] = {"content": {"pkg/mod.py": "X = 2\n"}, "name": {"pkg/other.py": ""}, "mode": {}}
    second = make_bundle(tmp_path / "b.pybundle", TREE | changes[change])
    if change == "mode":
        (tmp_path / "b.pybundle.source/pkg/zz.bin").chmod(0o755)
        bundleimp.pack([tmp_path / "b.pybundle.source"], second, jobs=1)
    answer(first, cache)
    answer(second, cache)
    assert len(mirrors(cache)) == 2


def test_both_versions_of_a_replaced_bundle_have_their_own_files(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    new = make_bundle(tmp_path / "new.pybundle", TREE | {"pkg/table.txt": "new\n", "passive/table.txt": "new too\n"})
    script = f"""
import importlib, os, pkg, passive
before = pkg.__file__
old = passive.__path__[0]
os.replace({str(new)!r}, {str(bundle)!r})
assert importlib.reload(pkg).TABLE == "old\\n"
importlib.invalidate_caches()
assert importlib.reload(pkg).TABLE == "new\\n"
assert pkg.__file__ != before and os.path.exists(before) and os.path.exists(pkg.__file__)
import pkg.mod
assert os.path.dirname(pkg.mod.__file__) == os.path.dirname(pkg.__file__) == pkg.__path__[0]
importlib.reload(passive)
print(open(os.path.join(old, "table.txt")).read(), open(os.path.join(passive.__path__[0], "table.txt")).read(), end="")
"""
    result = run_python("-c", script, path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    assert (result.stdout, result.stderr) == ("passive\n new too\n", "")
    assert len(mirrors(cache)) == 4


def test_a_file_that_was_replaced_is_asked_by_nobody_but_those_who_have_it(tmp_path: Path, cache: Path) -> None:
    """What was imported before goes on with the version that it came from, also where it is asked only afterwards."""
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    new = make_bundle(tmp_path / "new.pybundle", TREE | {"passive/table.txt": "new\n"})
    script = f"""
import importlib, os, passive
os.replace({str(new)!r}, {str(bundle)!r})
importlib.invalidate_caches()
with open(os.path.join(os.path.dirname(passive.__file__), "table.txt")) as file:
    print(file.read(), end="")
"""
    assert answer(bundle, cache, script) == "passive\n"


def test_modules_of_a_mirrored_package_are_those_of_the_new_version(tmp_path: Path, cache: Path) -> None:
    """As in a directory: loaded again alone, or for the first time."""
    tree = TREE | {"pkg/late.py": "X = 1\n", "pkg/gone.py": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    del tree["pkg/gone.py"]
    tree |= {"pkg/mod.py": "X = 2\n", "pkg/late.py": "X = 2\n", "pkg/added.py": "X = 2\n"}
    new = make_bundle(tmp_path / "new.pybundle", tree)
    script = f"""
import importlib, importlib.util, os, pkg.mod
os.replace({str(new)!r}, {str(bundle)!r})
assert importlib.util.find_spec("pkg.added") is None
importlib.invalidate_caches()
import pkg.late, pkg.added
print(pkg.mod.X, importlib.reload(pkg.mod).X, pkg.late.X, pkg.added.X, importlib.util.find_spec("pkg.gone"))
"""
    assert answer(bundle, cache, script) == "1 2 2 2 None\n"


def test_a_module_of_a_new_version_has_the_files_of_that_version(tmp_path: Path, cache: Path) -> None:
    late = (
        "import os\nwith open(os.path.join(os.path.dirname(__file__), 'table.txt')) as file:\n    TABLE = file.read()\n"
    )
    tree = TREE | {"pkg/late.py": late}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    new = make_bundle(tmp_path / "new.pybundle", tree | {"pkg/table.txt": "new\n"})
    script = f"""
import importlib, os, pkg
os.replace({str(new)!r}, {str(bundle)!r})
importlib.invalidate_caches()
import pkg.late
print(pkg.TABLE, pkg.late.TABLE, end="")
"""
    assert answer(bundle, cache, script) == "old\n new\n"


def test_a_deleted_bundle_is_imported_from_on(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = "import os, pkg\nos.unlink({!r})\nimport importlib, pkg.mod\nprint(importlib.reload(pkg.mod).X)"
    assert answer(bundle, cache, script.format(str(bundle))) == "1\n"


# Whole or not at all.


def test_many_processes_on_an_empty_cache_make_one_mirror(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE | {f"pkg/data/{n}.bin": bytes([n]) * 5000 for n in range(60)})
    environment = clean_environment(PYTHONPATH=str(bundle), BUNDLEIMP_CACHE_DIR=str(cache))
    script = ASK + "import os\nprint(len(os.listdir(os.path.join(pkg.__path__[0], 'data'))))\n"
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    assert [process.communicate() for process in processes] == [("old\n60\n", "")] * 8
    assert len(mirrors(cache)) == 1
    assert len(mirrored_files(cache / "mirrors" / mirrors(cache)[0])) == 65


# Ends the process, without any clean-up, when it does something for the given time.
KILLED = """
import os, sys
left = {count}


def audit(event, arguments):
    global left
    if event == {event!r} and ".tmp" in str(arguments[0]):
        left -= 1
        if not left:
            os._exit(9)


sys.addaudithook(audit)
"""


@pytest.mark.parametrize(("event", "count"), [("os.mkdir", 1), ("open", 1), ("open", 3), ("open", 5), ("os.rename", 1)])
def test_a_process_that_is_killed_leaves_no_mirror_and_the_next_one_makes_it(
    tmp_path: Path, cache: Path, event: str, count: int
) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    assert ask(bundle, cache, KILLED.format(event=event, count=count) + ASK).returncode == 9
    assert all(name.startswith(".") for name in mirrors(cache))
    assert answer(bundle, cache) == "old\n"
    assert len([name for name in mirrors(cache) if not name.startswith(".")]) == 1


def test_threads_that_ask_at_once_all_get_the_files(tmp_path: Path, cache: Path) -> None:
    tree = {f"pkg{n}/{name[4:]}": content for n in range(4) for name, content in TREE.items() if name[:4] == "pkg/"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree | TREE)
    script = """
import importlib, os, sys, threading
sys.setswitchinterval(1e-6)
import passive
barrier = threading.Barrier(16)
found = []


def run(number):
    barrier.wait()
    module = importlib.import_module(f"pkg{number % 4}.mod")
    package = sys.modules[f"pkg{number % 4}"]
    found.append((package.TABLE, os.path.isfile(module.__file__), os.path.isfile(passive.__file__)))


threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(found), set(found))
"""
    assert answer(bundle, cache, script) == "16 {('old\\n', True, True)}\n"
    assert len(mirrors(cache)) == 5


def test_a_damaged_member_is_an_error_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, compress="none")
    data = bundle.read_bytes()
    place = data.index(bytes(range(256)))
    bundle.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
    result = ask(bundle, cache)
    assert result.returncode == 1
    assert result.stderr.count("BundleFormatError: ") == 1
    assert f"{bundle}: pkg/zz.bin: does not match its checksum" in result.stderr
    assert mirrors(cache) == []
    script = "import os, passive\nprint(sorted(os.listdir(passive.__path__[0])))"
    assert answer(bundle, cache, script) == "['__init__.py', 'table.txt']\n"


@pytest.mark.parametrize("obstacle", ["mirrors", "mirror"])
def test_a_file_in_the_way_is_as_no_cache_at_all(tmp_path: Path, cache: Path, obstacle: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    cache.mkdir(0o700)
    if obstacle == "mirrors":
        (cache / "mirrors").write_text("in the way")
    else:
        answer(bundle, cache)
        (mirror,) = (cache / "mirrors").iterdir()
        shutil.rmtree(mirror)
        mirror.write_text("in the way")
    script = "import passive, pkg.mod\n"
    result = run_python("-c", script, path=[bundle], check=False, BUNDLEIMP_CACHE_DIR=str(cache))
    assert "NotADirectoryError" in result.stderr  # of the module that opens its table
    assert result.stderr.count("BundleWarning") == 1
    assert not (cache / "mirrors").is_dir() or len(mirrors(cache)) == 1


@pytest.mark.parametrize("damage", ["removed", "emptied", "cut short", "size removed", "size emptied"])
def test_a_mirror_that_lost_content_is_made_again(tmp_path: Path, cache: Path, damage: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    answer(bundle, cache)
    (mirror,) = (cache / "mirrors").iterdir()
    before = set(mirrored_files(mirror).items())
    (own,) = mirror.glob(".*")
    for file in [own] if damage.startswith("size") else sorted(mirror.glob("pkg/*.txt")):
        if damage.endswith("removed"):
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:-1] if damage == "cut short" else b"")
    assert answer(bundle, cache) == answer(bundle, cache)
    assert [path.name for path in (cache / "mirrors").iterdir()] == [mirror.name]
    assert set(mirrored_files(mirror).items()) == before


def test_plain_zips_share_no_mirror(tmp_path: Path, cache: Path) -> None:
    """Their directories have no more than checksums that can be made alike."""
    one, other = (make_zip(tmp_path / f"{name}.pybundle", TREE) for name in ("one", "other"))
    answer(one, cache)
    answer(other, cache)
    assert len({path.name for path in (cache / "mirrors").iterdir()}) == 2


# What lies is refused.


def patch_table(path: Path, change: Callable[[bytes], bytes], *, checksums: bool = True) -> None:
    """Change the bundle's table of units to another of the same size; with *checksums*, make all over it fit."""
    data = bytearray(path.read_bytes())
    index = index_of(bytes(data))
    extent = index.units
    assert extent is not None
    table = change(bytes(data[extent.offset : extent.offset + extent.size]))
    assert len(table) == extent.size
    assert table != data[extent.offset : extent.offset + extent.size]
    data[extent.offset : extent.offset + extent.size] = table
    if checksums:
        crc = zlib.crc32(table)
        header = extent.offset - 30 - len(bundle_format.UNITS)
        entry = data.index(bundle_format.UNITS.encode(), locator_of(bytes(data)).directory_offset) - 46
        for place in (header + 14, entry + 16):
            data[place : place + 4] = crc.to_bytes(4, "little")
        index.units = Extent(offset=extent.offset, size=extent.size, checksum=bundle_format.checksum(table))
    path.write_bytes(data)
    if checksums:
        forge(path, index)


def _other_digest(table: bytes) -> bytes:
    place = table.index(b"pkg\t") + 4
    return table[:place] + (b"0" if table[place : place + 1] != b"0" else b"1") + table[place + 1 :]


LIES: dict[str, Callable[[bytes], bytes]] = {
    "digest": _other_digest,
    "mode": lambda table: table.replace(b"-pkg/table.txt", b"xpkg/table.txt"),
    "a file that is not there": lambda table: table.replace(b"pkg/table.txt", b"pkg/tabel.txt"),
    "a file outside": lambda table: table.replace(b"pkg/table.txt", b"../../out.txt"),
    "an absolute file": lambda table: table.replace(b"pkg/table.txt", b"/tmp/outs.txt"),
    "a folder": lambda table: table.replace(b"pkg/table.txt", b"pkg//////////"),
    "one file twice": lambda table: table.replace(b"pkg/tool.sh", b"pkg/mod.py\0"),
    "not text": lambda table: table.replace(b"pkg/table.txt", b"pkg/tabl\xff.txt"),
    "another magic": lambda table: table.replace(b"PBu1", b"PBu9"),
}


@in_each_layout
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_table_that_lies_is_an_error_at_import_and_verify_finds_it(
    tmp_path: Path, cache: Path, layout: str, lie: Callable[[bytes], bytes]
) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    assert bundleimp.open_bundle(bundle).verify() == []
    patch_table(bundle, lie)
    before = {path for path in tmp_path.rglob("*") if cache not in path.parents and path != cache}
    result = ask(bundle, cache)
    assert result.returncode == 1
    assert "bundleimp.runtime.faults.kinds.BundleFormatError: " in result.stderr
    assert str(bundle) in result.stderr
    assert "the file is damaged" in result.stderr or "the table of units is damaged" in result.stderr
    assert files(cache) == {} if cache.exists() else True
    assert {path for path in tmp_path.rglob("*") if cache not in path.parents and path != cache} == before
    assert any("unit" in str(finding) for finding in bundleimp.open_bundle(bundle).verify())


@in_each_layout
def test_nothing_is_unpacked_outside_of_a_mirror_though_index_and_table_agree(
    tmp_path: Path, cache: Path, layout: str
) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    patch_table(bundle, LIES["a file outside"])
    index = index_of(bundle.read_bytes())
    index["pkg/table.txt"].member.name = "../../out.txt"
    forge(bundle, index)
    result = ask(bundle, cache)
    assert "'../../out.txt' cannot be unpacked, which 'pkg' needs: the file is damaged" in result.stderr
    assert list(tmp_path.rglob("out.txt")) == []


def test_a_record_of_a_plain_zip_that_was_made_to_fill_the_memory_is_not_read(tmp_path: Path, cache: Path) -> None:
    record = {"other-1.dist-info/RECORD": b"\n" * ((8 << 20) + 1)}
    result = ask(make_zip(tmp_path / "out.pybundle", TREE | record), cache)
    assert result.returncode == 1
    assert f"other-1.dist-info/RECORD: announces {(8 << 20) + 1} bytes, more than it can have" in result.stderr


def test_a_mirror_is_not_mended_from_a_bundle_that_lies_about_its_digest(tmp_path: Path, cache: Path) -> None:
    """Other bundles share it: what a lie would put there, they would take for their own."""
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    liar = make_bundle(tmp_path / "liar.pybundle", TREE | {"pkg/table.txt": "lie\n"})
    answer(bundle, cache)
    (mirror,) = (cache / "mirrors").iterdir()
    (mirror / "pkg" / "table.txt").unlink()
    before = files(mirror)
    told, true = (
        next(unit.digest.encode() for unit in units_of(Archive(str(path))) if unit.name == "pkg")
        for path in (liar, bundle)
    )
    patch_table(liar, lambda table: table.replace(told, true))
    assert "do not match their digest" in ask(liar, cache).stderr
    assert files(mirror) == before
    assert answer(bundle, cache) == "old\n"


@in_each_layout
def test_a_damaged_table_is_an_error_for_who_asks_and_for_nobody_else(tmp_path: Path, cache: Path, layout: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    patch_table(bundle, _other_digest, checksums=False)
    assert answer(bundle, cache, "import passive; print(passive.__name__, end='')") == "passive"
    for script in (ASK, "import passive; passive.__file__", "import passive; list(passive.__path__)"):
        result = ask(bundle, cache, script)
        assert (result.returncode, mirrors(cache)) == (1, [])
        assert f"{bundle}: BUNDLE-INFO/units: does not match its checksum" in result.stderr
    assert any("BUNDLE-INFO/units" in str(finding) for finding in bundleimp.open_bundle(bundle).verify())


def test_a_table_that_the_index_does_not_know_or_that_is_missing_is_found(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    index = index_of(bundle.read_bytes())
    known = index.units
    assert known is not None
    for units in (None, Extent(offset=known.offset + 1, size=known.size - 1, checksum=known.checksum)):
        index.units = units
        forge(bundle, index)
        assert any("table of units" in str(finding) for finding in bundleimp.open_bundle(bundle).verify())


# Together with the rest.


def test_a_module_of_another_distribution_in_a_mirrored_package_is_found(tmp_path: Path, cache: Path) -> None:
    extra: Tree = {
        "pkg/plugin.py": "X = 'plugin'\n",
        "pkg/plugins/__init__.py": "X = 'plugins'\n",
        "pkg/space/leaf.py": "X = 'leaf'\n",
        "pkg/plugin_table.txt": "",
    }
    extra["aaa-1.dist-info/RECORD"] = "".join(f"{name},,\n" for name in extra)
    bundle = make_bundle(tmp_path / "out.pybundle", TREE | extra)
    script = """
import pkg, pkg.mod, pkg.plugin, pkg.plugins, pkg.space.leaf, os, pkgutil
print(pkg.TABLE.strip(), pkg.plugin.X, pkg.plugins.X, pkg.space.leaf.X, os.path.isfile(pkg.mod.__file__), end=" ")
print(sorted(module.name for module in pkgutil.iter_modules(pkg.__path__)), end="")
"""
    assert answer(bundle, cache, script) == "old plugin plugins leaf True ['mod', 'plugin', 'plugins']"
    (name,) = mirrors(cache)
    assert set(mirrored_files(cache / "mirrors" / name)) == {member for member in TREE if member.startswith("pkg/")}


def test_a_package_lies_with_its_own_files_though_others_have_some_in_its_folder(tmp_path: Path, cache: Path) -> None:
    extra: Tree = {
        "passive/plugin.py": "",
        "passive/aaa.txt": "",
        "aaa-1.dist-info/RECORD": "passive/plugin.py,,\npassive/aaa.txt,,\n",
    }
    bundle = make_bundle(tmp_path / "out.pybundle", TREE | extra)
    questions = ("passive.__path__[0]", "os.path.dirname(passive.__file__)", "str(resources.files(passive))")
    for question in questions:
        script = f"import os, passive\nfrom importlib import resources\nprint(os.listdir({question}))"
        assert "table.txt" in answer(bundle, cache, script)


def test_portions_of_a_namespace_package_have_their_own_mirrors(tmp_path: Path, cache: Path) -> None:
    one = {f"space/{name.replace('pkg/', 'one/')}": content for name, content in TREE.items() if name[:4] == "pkg/"}
    two = {name.replace("/one/", "/two/"): content for name, content in one.items()}
    first, second = make_bundle(tmp_path / "a.pybundle", one), make_bundle(tmp_path / "b.pybundle", two)
    script = """
import os, space.one.mod, space.two.mod, space
print(space.one.TABLE.strip(), space.two.TABLE.strip(), len(space.__path__), os.path.isfile(space.two.mod.__file__))
"""
    assert answer([first, second], cache, script) == "old old 2 True\n"
    assert len(mirrors(cache)) == 2


def test_distributions_in_one_namespace_package_of_one_bundle_have_their_own_mirrors(
    tmp_path: Path, cache: Path
) -> None:
    tree: Tree = {
        f"space/{folder}/{name[4:]}": content
        for folder in ("one", "two")
        for name, content in TREE.items()
        if name.startswith("pkg/")
    }
    for folder in ("one", "two"):
        rows = "".join(f"{name},,\n" for name in tree if f"/{folder}/" in name)
        tree[f"space_{folder}-1.dist-info/RECORD"] = rows
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    assert answer(bundle, cache, "import space.one, space.two.mod\nprint(space.one.TABLE, end='')") == "old\n"
    assert [name.partition("-")[0] for name in mirrors(cache)] == ["space_one", "space_two"]


def test_modules_from_a_mirror_are_compiled_once(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, bytecode=False)
    laboratory = Laboratory(tmp_path / "laboratory")
    probe = """
    import sys
    compiled = []
    sys.addaudithook(lambda event, arguments: compiled.append(arguments[1]) if event == "compile" else None)
    import pkg.mod
    result = [sorted(name for name in map(str, compiled) if ".pybundle" in name), pkg.__spec__.cached]
    """
    cached = laboratory.observe([bundle], probe)
    assert cached[0] == ["<place>/pkg/__init__.py", "<place>/pkg/mod.py"]
    assert laboratory.observe([bundle], probe) == [[], cached[1]]
    assert not list((laboratory.folder / "cache" / "mirrors").rglob("*.pyc"))


def test_what_was_packed_without_source_and_named_alike_is_sound(tmp_path: Path, cache: Path) -> None:
    """The order of the members is another one when modules become bytecode."""
    bundle = make_bundle(tmp_path / "out.pybundle", TREE | {"pkg/mod.py.txt": "", "pkg/mod.py-x": ""}, source=False)
    assert bundleimp.open_bundle(bundle).verify() == []
    assert answer(bundle, cache) == "old\n"


STATES = {
    "sys.path is empty": "sys.path.clear()",
    "only our hook is there": "sys.path_hooks[1:] = []",
    "only our hook is there and no path entry is known": "sys.path_hooks[1:] = []; sys.path_importer_cache.clear()",
    "no path entry is known": "sys.path_importer_cache.clear()",
    "nothing of importlib is loaded": "[sys.modules.pop(name) for name in list(sys.modules) if 'importlib.' in name]",
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_real_files_are_found_whatever_the_state_of_the_import_system(tmp_path: Path, cache: Path, state: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = f"""
import sys, passive, os
{state}
import pkg.mod
print(pkg.TABLE, end="")
assert os.path.isfile(passive.__file__) and os.path.isfile(pkg.mod.__file__)
"""
    restore = f"import sys; sys.path.append({str(bundle)!r})\n" if "path.clear" not in state else ""
    if "sys.path.clear" in state:
        script = script.replace("import pkg.mod", "import pkg.mod", 1).replace(
            "import sys, passive", "import sys, passive, pkg"
        )
    assert answer(bundle, cache, restore + script) == "old\n"


def test_a_meta_path_finder_may_import_what_is_mirrored_and_empty_the_path(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = """
import os, sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        sys.meta_path.remove(Finder)
        import pkg, passive
        sys.path.clear()
        sys.path_importer_cache.clear()


sys.meta_path.insert(0, Finder)
try:
    import nothing
except ImportError as error:
    print(error.name, end=" ")
import pkg.mod, passive
print(pkg.TABLE.strip(), os.path.isfile(pkg.mod.__file__), os.path.isfile(passive.__file__))
"""
    assert answer(bundle, cache, script) == "nothing old True True\n"


def test_a_path_hook_may_import_what_is_mirrored(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = """
import sys


def hook(path):
    if path != "only for the hook":
        raise ImportError
    import pkg.mod, passive
    print(pkg.TABLE.strip(), passive.__file__ != "", end=" ")
    raise ImportError


sys.path_hooks.append(hook)
sys.path.append("only for the hook")
try:
    import nothing
except ImportError as error:
    print(error.name)
"""
    assert answer(bundle, cache, script) == "old True nothing\n"


def test_a_bundle_may_hold_modules_that_are_named_like_what_we_need(tmp_path: Path, cache: Path) -> None:
    names = [
        "hashlib",
        "_hashlib",
        "_sha2",
        "_sha256",
        "zlib",
        "fcntl",
        "tempfile",
        "pathlib",
        "shutil",
        "csv",
        "types",
    ]
    bundle = make_bundle(tmp_path / "out.pybundle", TREE | {f"{name}.py": "raise SystemExit(3)\n" for name in names})
    assert answer(bundle, cache) == "old\n"


def test_after_uninstalling_the_hook_what_was_imported_works_on(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = """
import bundleimp, pkg, passive
bundleimp.uninstall()
import pkg.mod
print(pkg.TABLE.strip(), pkg.mod.X, open(passive.__path__[0] + "/table.txt").read(), end="")
"""
    assert run_python("-c", script, path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache)).stdout == "old 1 passive\n"


def test_a_module_of_a_plain_zip_that_is_loaded_again_keeps_its_real_file(tmp_path: Path, cache: Path) -> None:
    bundle = make_zip(tmp_path / "plain.pybundle", {"pkg/__init__.py": "HERE = __file__\n", "pkg/table.txt": "table\n"})
    script = (
        "import importlib, pkg\nfirst = pkg.HERE\nimportlib.reload(pkg)\nprint(first == pkg.HERE, 'mirrors' in first)"
    )
    assert answer(bundle, cache, script) == "True True\n"


def test_a_program_that_looks_for_data_only_as_a_program_finds_it(tmp_path: Path, cache: Path) -> None:
    source = "import os\nif __name__ == '__main__':\n    print(os.listdir(os.path.dirname(__file__) + '/../data'))\n"
    tree = {"pkg/__init__.py": "", "pkg/tools/__init__.py": "", "pkg/tools/run.py": source, "pkg/data/table.txt": "x"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    result = run_python("-m", "pkg.tools.run", path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout == "['table.txt']\n"
