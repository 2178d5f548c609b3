"""A part of the runtime that cannot be read at some moment: no bundle is left to `zipimport`, and later all is well."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

import bundleimp

from .builders import Tree, make_bundle, make_zip, run_python

TREE: Tree = {"pkg/__init__.py": "", "pkg/mod.py": "value = 42\n"}
# An audit hook (PEP 578) refuses to open the files of parts whose path has the text in PARTS.
REFUSING = """
import errno, importlib, os, sys
refusing = True
def refuse(event, arguments):
    if event == "open" and refusing and os.environ["PARTS"] in str(arguments[0]):
        raise OSError(errno.EMFILE, "Too many open files")
sys.addaudithook(refuse)
def attempt():
    try:
        return type(importlib.import_module("pkg.mod").__loader__).__name__
    except ImportError as error:
        return type(error).__name__
    except OSError as error:
        return "OSError"
"""


@pytest.mark.parametrize("part", ["kinds.", "opening.", "warning.", "signatures."])
def test_an_unsigned_bundle_is_never_left_to_zipimport(part: str, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout="flat")
    (tmp_path / "allowed").write_text("")
    script = f"{REFUSING}\nsys.path.insert(0, {str(bundle)!r})\nprint(attempt())\nrefusing = False\nprint(attempt())"
    allowed = str(tmp_path / "allowed")
    result = run_python("-W", "ignore", "-c", script, PARTS=f"/{part}", BUNDLEIMP_ALLOWED_SIGNERS=allowed)
    assert set(result.stdout.split()) <= {"ModuleNotFoundError", "OSError", "ImportError"}


@pytest.mark.parametrize("part", ["plain", "zipdirectory.", "listing."])
def test_a_bundle_whose_part_could_not_be_read_is_found_when_it_can_be(part: str, tmp_path: Path) -> None:
    plain = make_zip(tmp_path / "out.pybundle", TREE)
    script = f"{REFUSING}\nsys.path.insert(0, {str(plain)!r})\nprint(attempt())\nrefusing = False\nprint(attempt())"
    result = run_python("-c", script, PARTS=f"/{part}")
    assert result.stdout == "ModuleNotFoundError\nSourceBundleLoader\n"
    assert result.stderr.startswith(f"bundleimp: {plain}: cannot be opened before the next import: ")


@pytest.mark.parametrize("part", ["/hook.", "/bundlefile."])
def test_a_part_that_cannot_be_read_at_the_start_is_no_missing_module(part: str, tmp_path: Path) -> None:
    """While the interpreter has its first finder for a bundle, too."""
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    result = run_python("-c", f"{REFUSING}\nprint(attempt())", path=[bundle], PARTS=part)
    assert result.stdout in {"ImportError\n", "OSError\n"}


def test_bundleimp_works_from_an_archive(tmp_path: Path) -> None:
    """Nothing of it is unpacked; this interpreter's own is not used."""
    package = Path(bundleimp.__file__).parent
    folder = tmp_path / "copy"
    shutil.copytree(package, folder / "bundleimp", ignore=shutil.ignore_patterns("__pycache__"))
    archive = tmp_path / "bundleimp.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for file in sorted(folder.rglob("*.py")):
            target.write(file, file.relative_to(folder).as_posix())
    bundle = make_bundle(tmp_path / "out.pybundle", TREE | {"pkg/data.txt": "text"})
    script = f"""
import sys
sys.path[:0] = [{str(archive)!r}]
import bundleimp
bundleimp.install()
sys.path.insert(0, {str(bundle)!r})
import pkg.mod, importlib.resources
print(bundleimp.__file__.startswith({str(archive)!r}), type(pkg.mod.__loader__).__name__)
print(importlib.resources.files("pkg").joinpath("data.txt").read_text(), bundleimp.open_bundle({str(bundle)!r}).layout)
import inspect, pkgutil
from bundleimp.runtime import hook
from bundleimp.runtime.site import sites
print(inspect.getsource(hook)[:6], sites is bundleimp.runtime.site.sites)
print("bundleimp.cli" in [name for _, name, _ in pkgutil.iter_modules(bundleimp.__path__, "bundleimp.")])
print(list(pkgutil.iter_modules(bundleimp.runtime.__path__)))
"""
    printed = run_python("-S", "-c", script).stdout
    assert printed == 'True BundleLoader\ntext flat\n"""The True\nTrue\n[]\n'


def test_finders_between_ours_and_the_path_based_one_are_asked_first(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = """
import sys, pkg
from importlib.machinery import ModuleSpec
class Finder:
    asked = []
    def find_spec(self, name, path=None, target=None):
        self.asked.append(name)
        return ModuleSpec(name, self) if name == "pkg.own" else None
    def create_module(self, spec): return None
    def exec_module(self, module): module.value = "foreign"
finder = Finder()
sys.meta_path.insert(1, finder)
import pkg.mod, pkg.own
print(finder.asked, pkg.mod.value, pkg.own.value)
"""
    tree = TREE | {"pkg/own.py": "value = 'bundled'\n"}
    bundle = make_bundle(tmp_path / "own.pybundle", tree)
    assert run_python("-c", script, path=[bundle]).stdout == "['pkg.mod', 'pkg.own'] 42 foreign\n"
