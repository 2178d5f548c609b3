"""A bundle replaced, deleted or rewritten while a process imports from it: never a mixture, never wrong code."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest

from bundleimp import BundleError, BundleFinder, BundleWarning
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.bundlefile import BundleFile
from bundleimp.runtime.content import files
from bundleimp.runtime.content.reopening import reopened

from .builders import make_bundle, make_zip
from .places import FLAT, NESTED, PLAIN_ZIP, Laboratory, in_each_with_source, lay_out
from .platforms import needs_own_descriptors

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from pathlib import Path

    from .builders import Tree

OLD: Tree = {
    "mod.py": "VERSION = 'old'\n",
    "only_old.py": "",
    "pkg/__init__.py": "",
    "pkg/leaf.py": "VERSION = 'old'\n",
}
NEW: Tree = {
    "mod.py": "VERSION = 'new'\n",
    "only_new.py": "",
    "pkg/__init__.py": "",
    "pkg/leaf.py": "VERSION = 'new'\n",
}

in_each_kind = in_each_with_source


@pytest.fixture(autouse=True)
def _no_bytecode_of_other_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache of its own for each test: where bytecode of the bundle is cached, the file is not read."""
    monkeypatch.setenv("BUNDLEIMP_CACHE_DIR", str(tmp_path / "cache"))


def version_of(spec: ModuleSpec | None) -> str | None:
    """Execute the module that *spec* describes, and return its ``VERSION``."""
    if spec is None:
        return None
    assert spec.loader is not None
    code = spec.loader.get_code(spec.name)  # type: ignore[attr-defined]
    names: dict[str, str] = {}
    exec(code, names)  # noqa: S102 (what importing does)
    return names["VERSION"]


def replace(path: Path, tree: Tree) -> None:
    """Put a bundle of *tree* at *path* as installers do: written aside, then renamed."""
    fresh = lay_out(FLAT, path.parent / "fresh", tree)
    fresh.replace(path)


@pytest.fixture(name="cold")
def _cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a cache without bytecode: where there is some, the file need not be read."""
    monkeypatch.setenv("BUNDLEIMP_CACHE_DIR", str(tmp_path / "cache"))


@in_each_kind
def test_after_a_rename_the_old_version_stays_until_caches_are_invalidated(kind: str, tmp_path: Path) -> None:
    path = lay_out(kind, tmp_path, OLD)
    finder = BundleFinder(path)
    before = finder.find_spec("mod")
    replace(path, NEW)
    assert version_of(before) == version_of(finder.find_spec("mod")) == "old"
    assert finder.find_spec("only_old") is not None
    assert finder.find_spec("only_new") is None
    assert version_of(BundleFinder(path / "pkg").find_spec("leaf")) == "old"
    finder.invalidate_caches()
    assert version_of(finder.find_spec("mod")) == "new"
    assert finder.find_spec("only_old") is None
    assert version_of(before) == "old"


def test_another_file_of_the_same_size_and_time_is_another_version(tmp_path: Path) -> None:
    """Packing is reproducible, and what copies files keeps their times."""
    path = make_zip(tmp_path / "out.pybundle", {"mod.py": "VERSION = 'old'\n"})
    fresh = make_zip(tmp_path / "fresh", {"mod.py": "VERSION = 'new'\n"})
    status = path.stat()
    assert fresh.stat().st_size == status.st_size
    os.utime(fresh, ns=(status.st_atime_ns, status.st_mtime_ns))
    finder = BundleFinder(path)
    fresh.replace(path)
    finder.invalidate_caches()
    assert version_of(finder.find_spec("mod")) == "new"


@in_each_kind
def test_two_finders_on_one_bundle_see_the_same_state(kind: str, tmp_path: Path) -> None:
    path = lay_out(kind, tmp_path, OLD)
    first, second, inner = BundleFinder(path), BundleFinder(path), BundleFinder(path / "pkg")
    assert [version_of(finder.find_spec("leaf")) for finder in (inner,)] == ["old"]
    replace(path, NEW)
    first.invalidate_caches()
    assert version_of(second.find_spec("mod")) == version_of(inner.find_spec("leaf")) == "new"
    assert sorted(name for name, _ in second.iter_modules()) == ["mod", "only_new", "pkg"]
    assert second.get_data("mod.py") == b"VERSION = 'new'\n"


@in_each_kind
def test_a_deleted_bundle_works_on_until_caches_are_invalidated_and_then_finds_nothing(
    kind: str, tmp_path: Path
) -> None:
    path = lay_out(kind, tmp_path, OLD)
    finder, inner = BundleFinder(path), BundleFinder(path / "pkg")
    spec = finder.find_spec("mod")
    path.unlink()
    assert version_of(finder.find_spec("mod")) == version_of(inner.find_spec("leaf")) == "old"
    finder.invalidate_caches()
    assert [finder.find_spec("mod"), inner.find_spec("leaf"), list(finder.iter_modules())] == [None, None, []]
    with pytest.raises(OSError, match="No such file"):
        finder.get_data("mod.py")
    assert version_of(spec) == "old"
    replace(path, NEW)
    assert finder.find_spec("mod") is None
    finder.invalidate_caches()
    assert version_of(inner.find_spec("leaf")) == "new"


@in_each_kind
def test_a_new_version_that_is_not_sound_is_one_warning_and_then_nothing_is_found(kind: str, tmp_path: Path) -> None:
    path = lay_out(kind, tmp_path, OLD)
    finder, other = BundleFinder(path), BundleFinder(path)
    (tmp_path / "fresh").write_text("this is no zip")
    (tmp_path / "fresh").rename(path)
    with pytest.warns(BundleWarning, match=re.escape(str(path))):
        finder.invalidate_caches()
    # A second warning would be an error.
    other.invalidate_caches()
    finder.invalidate_caches()
    assert [finder.find_spec("mod"), other.find_spec("mod")] == [None, None]
    replace(path, NEW)
    other.invalidate_caches()
    assert version_of(finder.find_spec("mod")) == "new"


def test_other_permissions_are_no_other_version(tmp_path: Path) -> None:
    """Nor is another name, as where a cache of packages hands out hard links."""
    path = lay_out(FLAT, tmp_path, OLD)
    finder = BundleFinder(path)
    before = finder.find_spec("mod")
    for number in range(3):
        path.chmod(0o640 + number)
        if sys.platform != "emscripten":  # which has no hard links
            (tmp_path / str(number)).hardlink_to(path)
        finder.invalidate_caches()
        after = finder.find_spec("mod")
        assert before is not None
        assert after is not None
        assert vars(before.loader)["archive"] is vars(after.loader)["archive"]


def test_nothing_changes_where_the_file_did_not(tmp_path: Path) -> None:
    finder = BundleFinder(lay_out(FLAT, tmp_path, OLD))
    before = finder.find_spec("mod")
    finder.invalidate_caches()
    after = finder.find_spec("mod")
    assert before is not None
    assert after is not None
    assert vars(before.loader)["archive"] is vars(after.loader)["archive"]


@pytest.mark.usefixtures("cold")
@in_each_kind
def test_a_file_rewritten_in_place_is_an_import_error_that_says_so(kind: str, tmp_path: Path) -> None:
    path = lay_out(kind, tmp_path, OLD)
    finder = BundleFinder(path)
    spec = finder.find_spec("pkg")
    size = path.stat().st_size
    path.write_bytes(bytes(size))
    os.utime(path, (1, 1))
    with pytest.raises(ImportError, match="rewritten in place") as caught:
        version_of(finder.find_spec("mod"))
    assert isinstance(caught.value, BundleError)
    assert str(path) in str(caught.value)
    assert caught.value.path == str(path)
    assert spec is not None


@pytest.mark.usefixtures("cold")
@in_each_kind
def test_a_file_truncated_in_place_is_an_import_error(kind: str, tmp_path: Path) -> None:
    path = lay_out(kind, tmp_path, OLD)
    finder = BundleFinder(path)
    spec = finder.find_spec("mod")
    os.truncate(path, 10)
    os.utime(path, (1, 1))
    for get in (lambda: version_of(spec), lambda: finder.get_data("mod.py"), lambda: finder.get_data("pkg/leaf.py")):
        with pytest.raises(ImportError, match="rewritten in place"):
            get()


@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED])
def test_another_bundle_written_over_it_never_gives_wrong_code(kind: str, tmp_path: Path) -> None:
    """Whatever a read meets, it is the old version or an `ImportError`."""
    path = lay_out(kind, tmp_path, OLD)
    other = lay_out(kind, tmp_path / "other", {f"a{name}": content for name, content in NEW.items()} | NEW)
    finder = BundleFinder(path)
    finder.find_spec("mod")
    path.write_bytes(other.read_bytes())
    os.utime(path, (1, 1))
    for name in ("mod", "only_new", "amod"):
        try:
            assert version_of(finder.find_spec(name)) in {"old", None}
        except ImportError as error:
            assert isinstance(error, BundleError)  # noqa: PT017 (either outcome is right)
    finder.invalidate_caches()
    assert version_of(finder.find_spec("mod")) == "new"


@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED])
def test_a_running_program_goes_on_with_the_version_it_started_with(kind: str, tmp_path: Path) -> None:
    probe = """
    import importlib, os, sys
    import mod
    os.replace(sys.argv[1], sys.path[1])
    import pkg.leaf
    kept = [mod.VERSION, pkg.leaf.VERSION]
    missed = importlib.util.find_spec("only_new") if importlib.import_module("importlib.util") else None
    importlib.invalidate_caches()
    import only_new
    result = [kept, missed, importlib.reload(mod).VERSION, importlib.reload(pkg.leaf).VERSION]
    """
    path = lay_out(kind, tmp_path, OLD)
    fresh = lay_out(kind, tmp_path / "fresh", NEW)
    known = Laboratory(tmp_path / "laboratory").observe([path], probe, str(fresh))
    assert known == [["old", "old"], None, "new", "new"]


@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED])
def test_an_import_from_a_file_rewritten_in_place_fails_and_the_program_goes_on(kind: str, tmp_path: Path) -> None:
    probe = """
    import os, sys
    import mod
    size = os.path.getsize(sys.path[1])
    with open(sys.path[1], "r+b") as stream:
        stream.write(bytes(size))
    os.utime(sys.path[1], (1, 1))
    result = []
    for name in ("pkg.leaf", "only_old", "json"):
        try:
            result.append(__import__(name).__name__)
        except ImportError as error:
            result.append([error.name, error.path, "rewritten in place" in str(error)])
    """
    path = lay_out(kind, tmp_path, OLD)
    known = Laboratory(tmp_path / "laboratory").observe([path], probe)
    assert known[1:] == [["only_old", "<place>", True], "json"]
    assert known[0] == ["pkg", "<place>", True]


@needs_own_descriptors
@pytest.mark.parametrize("archive", [make_zip, make_bundle])
def test_a_daemon_that_closes_all_descriptors_can_still_import(archive: object, tmp_path: Path) -> None:
    probe = """
    import os
    import mod
    os.closerange(3, 256)
    import pkg.leaf
    result = pkg.leaf.VERSION
    """
    assert callable(archive)
    path = archive(tmp_path / "place.pybundle", OLD)
    assert Laboratory(tmp_path / "laboratory").observe([path], probe) == "old"


@needs_own_descriptors
@pytest.mark.parametrize("kind", [FLAT, PLAIN_ZIP])
def test_a_file_that_was_replaced_is_not_read_for_a_descriptor_that_was_closed(kind: str, tmp_path: Path) -> None:
    """Even where the other one has its time, and the plain zip its size: what copies files keeps times."""
    probe = """
    import os, sys
    import mod
    os.closerange(3, 256)
    os.replace(sys.argv[1], sys.path[1])
    try:
        import pkg.leaf
    except ImportError as error:
        result = "had been closed, and the file was replaced" in str(error)
    """
    path = lay_out(kind, tmp_path, OLD)
    fresh = lay_out(kind, tmp_path / "fresh", NEW)
    status = path.stat()
    assert (fresh.stat().st_size == status.st_size) is (kind == PLAIN_ZIP)
    os.utime(fresh, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert Laboratory(tmp_path / "laboratory").observe([path], probe, str(fresh)) is True


@needs_own_descriptors
def test_a_descriptor_that_is_somebody_elses_by_now_is_not_closed(tmp_path: Path) -> None:
    file = BundleFile(str(make_zip(tmp_path / "out.pybundle", OLD)))
    number = file.descriptor
    theirs = os.open(os.devnull, os.O_RDONLY)
    os.dup2(theirs, number)
    del file
    assert os.fstat(number).st_ino == os.fstat(theirs).st_ino
    os.close(number)
    os.close(theirs)


@needs_own_descriptors
def test_a_descriptor_that_is_somebody_elses_by_now_is_not_read(tmp_path: Path) -> None:
    archive = Archive(str(make_zip(tmp_path / "out.pybundle", OLD)))
    number = archive.file.descriptor
    with open(os.devnull, "rb") as theirs:
        os.dup2(theirs.fileno(), number)
    member = files.find(archive, "mod.py")
    assert member is not None
    assert files.read(archive, member) == b"VERSION = 'old'\n"
    os.close(number)


def test_a_descriptor_that_another_thread_has_given_up_meanwhile_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number may be that of the same file by then, which the other thread has opened anew."""
    file = BundleFile(str(make_zip(tmp_path / "out.pybundle", OLD)))
    number = file.descriptor
    really = os.fstat

    def late(descriptor: int) -> os.stat_result:
        file.descriptor = -1  # what the other thread does
        return really(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", late)
        fresh = reopened(file)
    os.close(number)
    assert fresh is not None
    assert fresh.read(0, 2) == b"PK"
