"""Sites in the cache: units are placed as a whole or not at all, and bundles share them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.site.listing import units_of

from .archives import placed_files
from .builders import Tree, clean_environment, make_bundle, make_tree, make_zip, run_python
from .placing import ASK, PKG, TREE, answer, ask, files, in_each_layout, placed, recorded, sites

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# What is in a site, and which bundles share one.


@in_each_layout
def test_a_site_has_the_files_of_a_unit_as_they_were(tmp_path: Path, cache: Path, layout: str) -> None:
    source = tmp_path / "out.pybundle.source"
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE), layout=layout)
    (source / "pkg/tool.sh").chmod(0o755)
    make_bundle(bundle, recorded(TREE), layout=layout)  # into the same folder
    assert answer(bundle, cache) == "old\n"
    assert placed(cache) == {name: content for name, content in files(source).items() if name in PKG}
    (site,) = sites(cache)
    assert re.fullmatch(r"[0-9a-f]{32}\.pybundle", site.name)
    modes = {path.name: path.stat().st_mode & 0o777 for path in site.glob("pkg/*")}
    assert modes == {path.name: 0o555 if path.name == "tool.sh" else 0o444 for path in source.glob("pkg/*")}
    assert [path for path in site.rglob("*") if path.stat().st_mode & 0o022] == []


def test_a_site_tells_its_bundle_and_its_units(bundle: Path, cache: Path) -> None:
    answer(bundle, cache, "import pkg, passive")
    (site,) = sites(cache)
    assert (site / ".bundleimp-units" / "bundle").read_text() == str(bundle)
    digests = {unit.name: unit.digest[:32] for unit in units_of(Archive(str(bundle)))}
    marks = {path.name for path in (site / ".bundleimp-units").iterdir() if path.suffix in {".whole", ".data"}}
    assert marks == {f"{digests['pkg']}.whole", f"{digests['passive']}.data"}


def test_copies_of_a_bundle_share_a_site(tmp_path: Path, bundle: Path, cache: Path) -> None:
    copy = tmp_path / "copy.pybundle"
    copy.write_bytes(bundle.read_bytes())
    assert answer(bundle, cache) == "old\n"
    before = sites(cache)
    assert answer(copy, cache) == "old\n"
    assert sites(cache) == before


def test_bundles_with_the_same_files_have_sites_of_their_own_and_share_the_files(
    tmp_path: Path, bundle: Path, cache: Path
) -> None:
    """A path entry in a site stands for one version of a bundle, also where only its other modules differ."""
    tree = recorded(TREE | {"pure/mod.py": "", "more/__init__.py": "X = 'more'\n"})
    second = make_bundle(tmp_path / "b.pybundle", tree, layout="nested", bytecode=False)
    assert answer(bundle, cache) == answer(second, cache) == "old\n"
    one, two = sites(cache)
    table = "pkg/table.txt"
    assert (one / table).samefile(two / table)
    both = (
        "import pkg, passive, pure.mod, more, os\n"
        "print(pkg.TABLE, sorted(os.listdir(passive.__path__[0])), pure.mod.X, more.X, end='')\n"
    )
    assert answer([bundle, second], cache, both) == "old\n ['__init__.py', 'table.txt'] pure more"


def test_a_bundle_that_was_moved_keeps_its_site(tmp_path: Path, bundle: Path, cache: Path) -> None:
    answer(bundle, cache)
    copy = tmp_path / "copy.pybundle"
    shutil.move(bundle, copy)
    script = "import pkg.mod, pure.mod\nprint(pkg.TABLE, pkg.__path__[0], pure.__path__[0], end='')"
    (site,) = sites(cache)
    assert answer(copy, cache, script) == f"old\n {site}/pkg {copy}/pure"
    assert (site / ".bundleimp-units" / "bundle").read_text() == str(copy)
    assert sites(cache) == [site]


@pytest.mark.parametrize("change", ["content", "name", "mode"])
def test_other_content_has_another_site(tmp_path: Path, bundle: Path, cache: Path, change: str) -> None:
    changes: dict[str, Tree] = {"content": {"pkg/mod.py": "X = 2\n"}, "name": {"pkg/other.py": ""}, "mode": {}}
    second = make_bundle(tmp_path / "b.pybundle", recorded(TREE | changes[change]))
    if change == "mode":
        (tmp_path / "b.pybundle.source/pkg/zz.bin").chmod(0o755)
        bundleimp.pack([tmp_path / "b.pybundle.source"], second, jobs=1)
    answer(bundle, cache)
    answer(second, cache)
    assert len(sites(cache)) == 2


def test_two_distributions_in_one_site_find_each_others_files(tmp_path: Path, cache: Path) -> None:
    reader = (
        "import os\n\n\ndef read():\n"
        "    with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), 'passive', 'table.txt')) as file:\n"
        "        return file.read()\n"
    )
    tree = TREE | {"reader/__init__.py": reader, "reader/x.txt": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(tree))
    assert answer(bundle, cache, "import passive, reader\nprint(reader.read(), end='')") == "passive\n"
    assert answer(bundle, cache, "import reader, passive\nprint(reader.read(), end='')") == "passive\n"


def test_files_that_no_record_lists_are_placed_together(tmp_path: Path, cache: Path) -> None:
    tree: Tree = {
        "app/__init__.py": "",
        "app/settings.py": "import os\n\nBASE_DIR = os.path.dirname(os.path.dirname(__file__))\n",
        "templates/page.html": "page\n",
        "manage.py": "",
    }
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    script = "import app.settings as s, os\nprint(sorted(os.listdir(s.BASE_DIR + '/templates')))"
    assert answer(bundle, cache, script) == "['page.html']\n"
    assert set(placed(cache)) == set(tree)


def _inodes(site: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (site / "passive").iterdir()}


REFUSED = "import os\n\n\ndef link(*_):\n    raise PermissionError\n\n\nos.link = link\n"


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize("damaged", [True, False], ids=["damaged", "sound"])
def test_files_of_another_site_are_linked_where_that_works(
    tmp_path: Path, cache: Path, links: bool, damaged: bool
) -> None:
    tree = TREE | {"passive/__init__.py": "import os\nos.listdir(__path__[0])\n"}
    first = make_bundle(tmp_path / "first.pybundle", recorded(tree))
    second = make_bundle(tmp_path / "second.pybundle", recorded(tree | {"pkg/table.txt": "new\n"}))
    answer(first, cache, "import passive")
    (site,) = sites(cache)
    if damaged:
        (site / "passive" / "table.txt").chmod(0o600)
        (site / "passive" / "table.txt").write_text("PASSIVE\n")
    script = "import passive\nwith open(passive.__path__[0] + '/table.txt') as file:\n    print(file.read(), end='')\n"
    assert answer(second, cache, script if links else REFUSED + script) == "passive\n"
    (other,) = (path for path in sites(cache) if path != site)
    same = {name for name, inode in _inodes(other).items() if inode == _inodes(site)[name]}
    assert same == ({"__init__.py"} if damaged else {"__init__.py", "table.txt"}) if links else same == set()
    assert {path.stat().st_mode & 0o777 for path in (other / "passive").iterdir()} == {0o444}


# Whole or not at all.


def test_many_processes_on_an_empty_cache_make_one_site(tmp_path: Path, cache: Path) -> None:
    tree = recorded(TREE | {f"pkg/data/{n}.bin": bytes([n]) * 5000 for n in range(60)})
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    environment = clean_environment(PYTHONPATH=str(bundle), BUNDLEIMP_CACHE_DIR=str(cache))
    script = ASK + "import os\nprint(len(os.listdir(os.path.join(pkg.__path__[0], 'data'))))\n"
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", "import passive\n" * (number % 2) + script],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    assert [process.communicate() for process in processes] == [("old\n60\n", "")] * 8
    assert set(placed(cache)) == {name for name in tree if name.startswith(("pkg/", "passive/"))}


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


@pytest.mark.parametrize("event", ["os.mkdir", "open", "os.rename", "os.rmdir"])
def test_a_process_that_is_killed_leaves_no_unit_in_part_and_the_next_one_places_it(
    tmp_path: Path, bundle: Path, event: str
) -> None:
    count = 0
    killed = True
    while killed:
        count += 1
        cache = tmp_path / str(count)
        killed = ask(bundle, cache, KILLED.format(event=event, count=count) + ASK).returncode == 9
        for site in sites(cache):
            is_marked = list((site / ".bundleimp-units").glob("*.whole")) != []
            assert not is_marked or set(placed_files(site)) == set(PKG)
        assert answer(bundle, cache) == "old\n"
        (site,) = (site for site in sites(cache) if not site.name.startswith("."))
        assert set(placed_files(site)) == set(PKG)
    assert count > 1


def test_threads_that_ask_at_once_all_get_the_files(tmp_path: Path, cache: Path) -> None:
    tree = {f"pkg{n}/{name[4:]}": content for n in range(4) for name, content in TREE.items() if name[:4] == "pkg/"}
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(tree | TREE))
    script = """
import importlib, os, sys, threading
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(16)
found = []


def run(number):
    barrier.wait()
    module = importlib.import_module(f"pkg{number % 4}.mod")
    package = sys.modules[f"pkg{number % 4}"]
    import passive
    found.append((package.TABLE, os.path.isfile(module.__file__), os.path.isfile(passive.__file__)))


threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(found), set(found))
"""
    assert answer(bundle, cache, script) == "16 {('old\\n', True, True)}\n"
    assert set(placed(cache)) == {name for name in tree | TREE if not name.startswith(("pkg/", "pure/"))}


def test_a_damaged_member_is_an_error_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE), compress="none")
    data = bundle.read_bytes()
    place = data.index(bytes(range(256)))
    bundle.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
    result = ask(bundle, cache)
    assert result.returncode == 1
    assert result.stderr.count("BundleFormatError: ") == 1
    assert f"{bundle}: pkg/zz.bin: does not match its checksum" in result.stderr
    assert placed(cache) == {}
    script = "import os, passive\nprint(sorted(os.listdir(passive.__path__[0])))"
    assert answer(bundle, cache, script) == "['__init__.py', 'table.txt']\n"


@pytest.mark.parametrize("obstacle", ["sites", "site", "pkg", "table.txt"])
def test_a_file_or_folder_in_the_way_is_as_no_cache_at_all(bundle: Path, cache: Path, obstacle: str) -> None:
    cache.mkdir(0o700)
    if obstacle == "sites":
        (cache / "sites").write_text("in the way")
    else:
        answer(bundle, cache, "import passive")
        (site,) = sites(cache)
        if obstacle == "site":
            shutil.rmtree(site)
        path = site if obstacle == "site" else site / obstacle
        if obstacle == "table.txt":
            (site / "pkg" / obstacle).mkdir(parents=True)
        else:
            path.write_text("in the way")
    script = "import pkg.mod\n"
    result = run_python("-c", script, path=[bundle], check=False, BUNDLEIMP_CACHE_DIR=str(cache))
    assert "NotADirectoryError" in result.stderr  # of the module that opens its table
    assert result.stderr.count("BundleWarning") == 1
    assert not (cache / "sites").is_dir() or len(sites(cache)) == 1


def _shorten(path: Path) -> None:
    path.with_name("aside").write_bytes(path.read_bytes()[:-1])
    path.with_name("aside").replace(path)


def _empty(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"")


def _each(pattern: str, change: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(site: Path) -> None:
        for path in site.glob(pattern):
            change(path)

    return damage


DAMAGES: dict[str, Callable[[Path], None]] = {
    "removed files": _each("pkg/*.txt", os.unlink),
    "shorter files": _each("pkg/*.txt", _shorten),
    "removed folder": _each("pkg", shutil.rmtree),
    "removed mark of the site": _each(".bundleimp", os.unlink),
    "empty mark of the site": _each(".bundleimp", _empty),
    "removed notes": _each(".bundleimp-units", shutil.rmtree),
    "empty notes": _each(".bundleimp-units/*", _empty),
    "removed site": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_site_that_lost_content_is_mended(bundle: Path, cache: Path, damage: Callable[[Path], object]) -> None:
    answer(bundle, cache)
    (site,) = sites(cache)
    before = placed(cache)
    damage(site)
    assert answer(bundle, cache) == "old\n"
    assert placed(cache) == before
    assert (site / ".bundleimp-units" / "bundle").read_text() == str(bundle)
    assert answer(site, cache, "import pkg, pure.mod\nprint(pkg.TABLE, pure.mod.X, end='')") == "old\n pure"


def test_files_that_a_program_added_are_left_alone(bundle: Path, cache: Path) -> None:
    answer(bundle, cache)
    (site,) = sites(cache)
    names = ["db.sqlite3", "pkg/cache/x.bin", "pkg/__pycache__/mod.cpython-311.pyc", ".bundleimp-units/other"]
    added: Tree = dict.fromkeys(names, "own")
    make_tree(site, added)
    (site / "pkg" / "table.txt").unlink()
    assert answer(bundle, cache, "import pkg, passive\nprint(pkg.TABLE, end='')") == "old\n"
    assert {name: files(site)[name] for name in names} == dict.fromkeys(names, b"own")


def test_a_directory_that_a_program_added_is_imported_from(bundle: Path, cache: Path) -> None:
    script = """
import os, pkg, sys
folder = os.path.join(pkg.__path__[0], "plugins")
os.mkdir(folder)
with open(os.path.join(folder, "added.py"), "w") as file:
    file.write("X = 'added'")
sys.path.append(folder)
import added
print(added.X)
"""
    assert answer(bundle, cache, script) == "added\n"


def test_plain_zips_share_no_site(tmp_path: Path, cache: Path) -> None:
    """Their directories have only checksums that can be imitated."""
    one, other = (make_zip(tmp_path / f"{name}.pybundle", TREE) for name in ("one", "other"))
    answer(one, cache)
    answer(other, cache)
    assert len(sites(cache)) == 2
