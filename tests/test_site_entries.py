"""Imports from sites: versions, path entries in any process, and unusual states of the import system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bundleimp

from .builders import Tree, make_bundle, make_tree, make_zip, run_python
from .places import Laboratory
from .placing import PKG, TREE, answer, placed, recorded, sites

if TYPE_CHECKING:
    from pathlib import Path


# Versions.


def test_both_versions_of_a_replaced_bundle_have_their_own_files(tmp_path: Path, bundle: Path, cache: Path) -> None:
    changes: Tree = {"pkg/table.txt": "new\n", "passive/table.txt": "new too\n"}
    new = make_bundle(tmp_path / "new.pybundle", recorded(TREE | changes))
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
    assert len(sites(cache)) == 2


def test_a_version_that_changes_only_other_modules_links_the_same_files(
    tmp_path: Path, bundle: Path, cache: Path
) -> None:
    new = make_bundle(tmp_path / "new.pybundle", recorded(TREE | {"pure/mod.py": "X = 'newer'\n"}))
    script = f"""
import importlib, os, pkg, pure.mod, sys
before = pkg.__file__, pure.mod.X
os.replace({str(new)!r}, {str(bundle)!r})
importlib.invalidate_caches()
for name in ("pkg", "pure", "pure.mod"):
    del sys.modules[name]
import pkg, pure.mod
print(os.path.samefile(pkg.__file__, before[0]), pkg.__file__ == before[0], before[1], pure.mod.X, end="")
"""
    assert answer(bundle, cache, script) == "True False pure newer"
    assert len(sites(cache)) == 2


def test_a_package_keeps_the_files_of_its_version(tmp_path: Path, bundle: Path, cache: Path) -> None:
    new = make_bundle(tmp_path / "new.pybundle", recorded(TREE | {"passive/table.txt": "new\n"}))
    script = f"""
import importlib, os, passive
os.replace({str(new)!r}, {str(bundle)!r})
importlib.invalidate_caches()
with open(os.path.join(os.path.dirname(passive.__file__), "table.txt")) as file:
    print(file.read(), end="")
"""
    assert answer(bundle, cache, script) == "passive\n"


def test_submodules_come_from_the_version_of_their_package(tmp_path: Path, cache: Path) -> None:
    """A path entry in a site stands for one version, and a path entry of the bundle for the latest."""
    late = (
        "import os\nwith open(os.path.join(os.path.dirname(__file__), 'table.txt')) as file:\n    TABLE = file.read()\n"
    )
    tree = TREE | {"pkg/late.py": late, "pkg/other.py": "X = 1\n", "pkg/gone.py": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(tree))
    del tree["pkg/gone.py"]
    tree |= {"pkg/mod.py": "X = 2\n", "pkg/other.py": "X = 2\n", "pkg/added.py": "X = 2\n", "pkg/table.txt": "new\n"}
    tree |= {"fresh.py": "X = 2\n", "top/__init__.py": "", "top/mod.py": "X = 2\n"}
    new = make_bundle(tmp_path / "new.pybundle", recorded(tree))
    script = f"""
import importlib, importlib.util, os, pkg.mod, sys
os.replace({str(new)!r}, {str(bundle)!r})
assert importlib.util.find_spec("fresh") is None
importlib.invalidate_caches()
import fresh, top.mod, pkg.late, pkg.other
found = [importlib.util.find_spec(name) is not None for name in ("pkg.gone", "pkg.added")]
print(fresh.X, top.mod.X, pkg.late.TABLE, importlib.reload(pkg.mod).X, pkg.other.X, *found)
old = pkg.__path__[:]
importlib.reload(pkg)
import pkg.added
late, mod, other = [importlib.reload(sys.modules["pkg." + name]) for name in ("late", "mod", "other")]
found = [importlib.util.find_spec(name) is not None for name in ("pkg.gone", "pkg.added")]
print(late.TABLE, mod.X, other.X, *found)
pkg.__path__ = old
print(importlib.reload(mod).X, importlib.util.find_spec("pkg.gone") is not None)
"""
    assert answer(bundle, cache, script) == "2 2 old\n 1 1 True False\nnew\n 2 2 False True\n1 True\n"


def test_a_deleted_bundle_is_imported_from_on(bundle: Path, cache: Path) -> None:
    script = f"""
import os, pkg
os.unlink({str(bundle)!r})
import importlib, pkg.mod
importlib.invalidate_caches()
print(importlib.reload(pkg.mod).X)
"""
    assert answer(bundle, cache, script) == "1\n"


# Path entries in a site, in any process.


CHILD = """
import os, sys
import pkg.mod, pure.mod, passive
print(pkg.TABLE.strip(), pkg.mod.X, pure.mod.X, pkg.__file__, pure.__file__, passive.__file__, sep="|", end="")
"""


def test_a_process_that_is_given_a_site_finds_what_is_not_placed(bundle: Path, cache: Path) -> None:
    answer(bundle, cache)
    (site,) = sites(cache)
    files = [site / "pkg/__init__.py", bundle / "pure/__init__.py", site / "passive/__init__.py"]
    assert answer(site, cache, CHILD) == "|".join(["old", "1", "pure", *map(str, files)])
    inner = answer([site / "pkg", site / "pure"], cache, "import mod\nprint(mod.X, mod.__file__, end='')")
    assert inner == f"1 {site}/pkg/mod.py"
    inner = answer([site / "pure"], cache, "import mod\nprint(mod.X, mod.__file__, end='')")
    assert inner == f"pure {bundle}/pure/mod.py"


def test_a_child_process_of_a_placed_module_finds_the_rest(tmp_path: Path, cache: Path) -> None:
    runner = (
        "import os, subprocess, sys\n\nROOT = os.path.dirname(os.path.dirname(__file__))\n\n\ndef run(code):\n"
        "    environment = os.environ | {'PYTHONPATH': ROOT}\n"
        "    command = [sys.executable, '-W', 'error', '-c', code]\n"
        "    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout\n"
    )
    tree = TREE | {"runner/__init__.py": runner, "runner/x.txt": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(tree))
    script = f"import runner\nprint(runner.run({CHILD!r}), end='')"
    assert answer(bundle, cache, script).startswith("old|1|pure|")


def test_a_site_that_a_process_was_given_is_in_use(bundle: Path, cache: Path) -> None:
    answer(bundle, cache)
    (site,) = sites(cache)
    script = f"""
import pure.mod, os, subprocess, sys
subprocess.run([sys.executable, "-m", "bundleimp", "cache", "clear"], check=True, capture_output=True)
print(os.path.isdir({str(site)!r}))
"""
    assert answer(site, cache, script) == "True\n"
    assert answer(bundle, cache, script.replace("pure.mod, ", "")) == "False\n"


def test_a_relative_path_in_a_site_is_claimed(bundle: Path, cache: Path) -> None:
    answer(bundle, cache)
    (site,) = sites(cache)
    script = f"""
import os, sys
os.chdir({str(cache)!r})
sys.path.insert(0, "./sites/{site.name}/pure")
import mod
print(mod.X, mod.__file__, end="")
"""
    assert answer(cache, cache, script) == f"pure {bundle}/pure/mod.py"


def test_a_site_is_claimed_whatever_its_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "sites" / "old.pybundle"
    folder.mkdir(parents=True)
    bundle = make_bundle(folder / "out.pybundle", recorded(TREE))
    answer(bundle, folder / "cache")
    (site,) = sites(folder / "cache")
    assert answer(site, folder / "cache", CHILD).startswith("old|1|pure|")


def test_a_link_to_the_cache_leads_to_the_same_site(tmp_path: Path, bundle: Path, cache: Path) -> None:
    cache.mkdir(0o700)
    link = tmp_path / "link"
    link.symlink_to(cache)
    script = """
import os, pathlib, sys, pkg
sys.path.insert(0, str(pathlib.Path(pkg.__file__).resolve().parent))
import mod, passive
print(mod.X, mod.__file__, passive.__file__, end="")
"""
    printed = answer(bundle, link, script)
    (site,) = [link / "sites" / path.name for path in sites(cache)]
    assert printed == f"1 {site}/pkg/mod.py {site}/passive/__init__.py"


@pytest.mark.parametrize("lost", ["the bundle", "the note", "the table"])
def test_what_is_placed_can_be_imported_where_the_bundle_cannot_be_found(
    tmp_path: Path, bundle: Path, cache: Path, lost: str
) -> None:
    answer(bundle, cache)
    (site,) = sites(cache)
    if lost == "the bundle":
        bundle.unlink()
    elif lost == "the note":
        (site / ".bundleimp-units" / "bundle").unlink()
    else:
        make_bundle(tmp_path / "new.pybundle", recorded(TREE | {"pkg/mod.py": "X = 2\n"})).replace(bundle)
    script = "import pkg.mod\nprint(pkg.TABLE.strip(), pkg.mod.X)\nimport pure"
    result = run_python("-c", script, path=[site], check=False, BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout == "old 1\n"
    assert "No module named 'pure'" in result.stderr
    told = result.stderr.count(f"BundleWarning: {site}: only what is placed there can be imported: {bundle} is ")
    assert told == (lost != "the note")


def test_folders_that_only_look_like_sites_are_left_alone(tmp_path: Path, cache: Path) -> None:
    name = "0123456789abcdef" * 2 + ".pybundle"
    folder = make_tree(tmp_path / "sites" / name, {"mod.py": "X = 1\n", ".bundleimp-units/other": ""})
    assert answer(folder, cache, "import mod, sys\nprint(mod.__file__, end='')") == f"{folder}/mod.py"
    bundle = make_bundle(tmp_path / "sites" / "app.pybundle", recorded(TREE))
    assert answer(bundle, cache) == "old\n"


def test_a_path_in_a_site_that_is_no_directory_is_an_import_error(bundle: Path, cache: Path) -> None:
    script = """
import runpy, sys
for path in ("pkg/__init__.py", "pkg/table.txt", "pkg/missing", "pkg/mod"):
    path = {site!r} + "/" + path
    try:
        sys.path_hooks[0](path)
    except ImportError as error:
        print(error, error.path == path)
print(runpy.run_path({site!r} + "/pkg/__init__.py")["TABLE"], end="")
"""
    answer(bundle, cache)
    (site,) = sites(cache)
    expected = "only directories are supported True\n" * 4 + "old\n"
    assert answer(bundle, cache, "import pkg" + script.format(site=str(site))) == expected
    assert answer(site, cache, "import pure" + script.format(site=str(site))) == expected


def test_bundle_and_site_on_the_path_give_each_module_once(bundle: Path, cache: Path) -> None:
    answer(bundle, cache)
    (site,) = sites(cache)
    script = """
import pkgutil, sys
from importlib.machinery import PathFinder
names = [module.name for module in pkgutil.iter_modules(sys.path[1:3])]
print(sorted(names), PathFinder.find_spec("pure").origin == PathFinder.find_spec("pure", sys.path[2:3]).origin)
"""
    assert answer([bundle, site], cache, script) == "['passive', 'pkg', 'pure'] True\n"


@pytest.mark.parametrize("path", ["bundle and site", "site and bundle", "site"])
def test_bundle_and_site_on_the_path_give_each_distribution_once(tmp_path: Path, cache: Path, path: str) -> None:
    metadata = {"pkg-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: pkg\nVersion: 1\n"}
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE) | metadata)
    answer(bundle, cache)
    (site,) = sites(cache)
    script = """
import importlib.metadata, sys
found = importlib.metadata.distributions(path=sys.path[1:3])
print(sum(each.read_text("METADATA") is not None for each in found), importlib.metadata.version("pkg"))
"""
    entries = {"bundle": bundle, "site": site}
    assert answer([entries[name] for name in path.split(" and ")], cache, script) == "1 1\n"


# Together with the rest.


def test_a_module_of_another_distribution_in_a_placed_package_is_found(tmp_path: Path, cache: Path) -> None:
    other: Tree = {
        "pkg/plugin.py": "X = 'plugin'\n",
        "pkg/plugins/__init__.py": "X = 'plugins'\n",
        "pkg/space/leaf.py": "X = 'leaf'\n",
    }
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE, other=other))
    script = """
import pkg, pkg.mod, pkg.plugin, pkg.plugins, pkg.space.leaf, os, pkgutil
print(pkg.TABLE.strip(), pkg.plugin.X, pkg.plugins.X, pkg.space.leaf.X, os.path.isfile(pkg.mod.__file__), end=" ")
print(sorted(module.name for module in pkgutil.iter_modules(pkg.__path__)), end="")
"""
    assert answer(bundle, cache, script) == "old plugin plugins leaf True ['mod', 'plugin', 'plugins']"
    assert set(placed(cache)) == set(PKG)


def test_data_of_another_distribution_in_a_package_is_placed_with_it(tmp_path: Path, cache: Path) -> None:
    other: Tree = {"passive/plugin.py": "", "passive/aaa.txt": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE, aaa=other))
    questions = ("passive.__path__[0]", "os.path.dirname(passive.__file__)", "str(resources.files(passive))")
    for question in questions:
        script = f"import os, passive\nfrom importlib import resources\nprint(sorted(os.listdir({question})))"
        assert answer(bundle, cache, script) == "['__init__.py', 'aaa.txt', 'plugin.py', 'table.txt']\n"


def _portions(*folders: str) -> dict[str, Tree]:
    """Return for each folder the distribution `pkg` as a package of that name in the namespace package `space`."""
    return {f"space_{folder}": {f"space/{folder}/{name[4:]}": TREE[name] for name in PKG} for folder in folders}


def test_portions_in_two_bundles_have_sites_of_their_own(tmp_path: Path, cache: Path) -> None:
    portions = _portions("one", "two")
    bundles = [make_bundle(tmp_path / f"{name}.pybundle", tree) for name, tree in portions.items()]
    script = """
import os, space.one.mod, space.two.mod, space
print(space.one.TABLE.strip(), space.two.TABLE.strip(), len(space.__path__), os.path.isfile(space.two.mod.__file__))
"""
    assert answer(bundles, cache, script) == "old old 2 True\n"
    assert len(sites(cache)) == 2


def test_portions_in_one_bundle_are_placed_one_by_one(tmp_path: Path, cache: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", recorded({}, **_portions("one", "two")))
    assert answer(bundle, cache, "import space.one\nprint(space.one.TABLE, end='')") == "old\n"
    assert {name.rpartition("/")[0] for name in placed(cache)} == {"space/one"}
    assert answer(bundle, cache, "import space.two.mod\nprint(space.two.TABLE, end='')") == "old\n"
    assert {name.rpartition("/")[0] for name in placed(cache)} == {"space/one", "space/two"}


def test_placed_modules_are_compiled_once(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE), bytecode=False)
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
    assert not list((laboratory.folder / "cache" / "sites").rglob("*.pyc"))


def test_what_was_packed_without_source_and_named_alike_is_sound(tmp_path: Path, cache: Path) -> None:
    """The order of the members is another one when modules become bytecode."""
    tree = recorded(TREE | {"pkg/mod.py.txt": "", "pkg/mod.py-x": ""})
    bundle = make_bundle(tmp_path / "out.pybundle", tree, source=False)
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
def test_real_files_are_found_whatever_the_state_of_the_import_system(bundle: Path, cache: Path, state: str) -> None:
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


def test_a_meta_path_finder_may_import_what_is_placed_and_empty_the_path(bundle: Path, cache: Path) -> None:
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


def test_a_path_hook_may_import_what_is_placed(bundle: Path, cache: Path) -> None:
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


def test_after_uninstalling_the_hook_what_was_imported_works_on(bundle: Path, cache: Path) -> None:
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
        "import importlib, pkg\nfirst = pkg.HERE\nimportlib.reload(pkg)\nprint(first == pkg.HERE, 'sites' in first)"
    )
    assert answer(bundle, cache, script) == "True True\n"


def test_a_program_that_looks_for_data_only_as_a_program_finds_it(tmp_path: Path, cache: Path) -> None:
    source = "import os\nif __name__ == '__main__':\n    print(os.listdir(os.path.dirname(__file__) + '/../data'))\n"
    tree = {"pkg/__init__.py": "", "pkg/tools/__init__.py": "", "pkg/tools/run.py": source, "pkg/data/table.txt": "x"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    result = run_python("-m", "pkg.tools.run", path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout == "['table.txt']\n"


def test_a_copy_of_a_deleted_bundle_is_imported_from_the_same_site(tmp_path: Path, cache: Path) -> None:
    """Modules that are not placed are found in the copy, and not under the path of the deleted bundle."""
    deep: Tree = {"pkg/deep/__init__.py": "", "pkg/deep/mod.py": "X = 'deep'\n"}
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE | deep))
    copy = tmp_path / "copy.pybundle"
    copy.write_bytes(bundle.read_bytes())
    script = f"""
import importlib, os, pkg.deep.mod, sys
os.unlink({str(bundle)!r})
sys.path[sys.path.index({str(bundle)!r})] = {str(copy)!r}
importlib.invalidate_caches()
for name in [name for name in sys.modules if name.partition(".")[0] == "pkg"]:
    del sys.modules[name]
import pkg.deep.mod
print(pkg.deep.mod.X, pkg.deep.__file__, end="")
"""
    assert answer(bundle, cache, script) == f"deep {copy}/pkg/deep/__init__.py"
    assert len(sites(cache)) == 1
