"""`mount`: bundles in memory and mappings as path entries."""

from __future__ import annotations

import importlib
import io
import pickle
import shelve
import sys
import traceback
import zipfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .builders import Tree, make_bundle, make_tree, run_python
from .compiling import extension
from .places import FLAT, NESTED, lay_out

if TYPE_CHECKING:
    from pathlib import Path

TREE: Tree = {
    "plugs/__init__.py": "from . import part\nX = 1\n",
    "plugs/part.py": "Y = 2\ndef fail():\n    raise ValueError('no')\n",
    "plugs/data/text.txt": "text",
    "plugs-1.dist-info/METADATA": "Name: plugs\nVersion: 1\n",
}


@pytest.fixture(autouse=True)
def _modules() -> Iterator[None]:
    known, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - known:
        if name.startswith(("plugs", "loaded-", "other", "spread")):
            del sys.modules[name]
    assert sys.path == path


def packed(tree: Tree, tmp_path: Path, **options: Any) -> bytes:
    return make_bundle(tmp_path / "packed.pybundle", tree, **options).read_bytes()


SOURCES: dict[str, Any] = {
    "a path": lambda folder: make_bundle(folder / "packed.pybundle", TREE),
    "its text": lambda folder: str(make_bundle(folder / "packed.pybundle", TREE)),
    "bytes": lambda folder: packed(TREE, folder),
    "a nested bundle in memory": lambda folder: packed(TREE, folder, layout="nested"),
    "a view": lambda folder: memoryview(packed(TREE, folder)),
    "a file object": lambda folder: io.BytesIO(packed(TREE, folder)),
    "a dict": lambda folder: dict(TREE),  # noqa: ARG005
    "bytes as values": lambda folder: {name: str(text).encode() for name, text in TREE.items()},  # noqa: ARG005
    "bytes as keys": lambda folder: {name.encode(): text for name, text in TREE.items()},  # noqa: ARG005
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_is_a_path_entry_while_it_is_mounted(tmp_path: Path, kind: str) -> None:
    source: Any = SOURCES[kind](tmp_path)
    with bundleimp.mount(source, forget=True) as mounted:
        assert sys.path[-1] == mounted.path
        import plugs  # type: ignore[import-not-found] # noqa: PLC0415
        from plugs.part import Y  # type: ignore[import-not-found] # noqa: PLC0415

        assert (plugs.X, Y) == (1, 2)
        assert plugs.__file__.startswith(mounted.path) or "sites" in plugs.__file__
        assert mounted.modules() == ["plugs", "plugs.part"]
    assert mounted.path not in sys.path
    with pytest.raises(ModuleNotFoundError, match="No module named 'plugs'"):
        import plugs  # noqa: PLC0415
    mounted.close()


def test_it_is_first_on_the_path_where_asked_for() -> None:
    with bundleimp.mount({"other.py": ""}, first=True) as first, bundleimp.mount({"other.py": ""}) as last:
        assert (sys.path[0], sys.path[-1]) == (first.path, last.path)


@pytest.mark.parametrize("first", [True, False])
def test_closing_takes_one_path_entry_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool) -> None:
    path = str(make_bundle(tmp_path / "packed.pybundle", TREE))
    monkeypatch.setattr(sys, "path", [*sys.path, path, "end"])
    before = list(sys.path)
    with bundleimp.mount(path, first=first):
        between = list(sys.path)
        with bundleimp.mount(path, first=first):
            assert sys.path == ([path, *between] if first else [*between, path])
        assert sys.path == between
    assert sys.path == before


def test_what_is_imported_works_on_after_it_is_closed() -> None:
    with bundleimp.mount(dict(TREE), "plugs") as mounted:
        import plugs  # noqa: PLC0415
    assert plugs.__loader__.get_source("plugs") == TREE["plugs/__init__.py"]
    with pytest.raises(ValueError, match="no") as caught:
        plugs.part.fail()
    assert str(caught.traceback[-1].statement).strip() == "raise ValueError('no')"
    mounted.close(forget=True)  # too late
    assert sys.modules["plugs"] is plugs


def test_a_mapping_is_listed_and_read_again() -> None:
    store = dict(TREE)
    with bundleimp.mount(store, forget=True):
        import plugs  # noqa: PLC0415

        store["plugs/part.py"] = "Y = 3\n"
        assert __import__("importlib").reload(plugs.part).Y == 3
        store["plugs/late.py"] = ""
        with pytest.raises(ModuleNotFoundError):
            import plugs.late  # type: ignore[import-not-found] # noqa: PLC0415
        importlib.invalidate_caches()
        import plugs.late  # noqa: PLC0415

        del store["plugs/part.py"]
        with pytest.raises(ImportError, match=r"plugs/part.py: is not in the store any more"):
            __import__("importlib").reload(plugs.part)


def test_a_plug_in_is_replaced_while_the_program_runs(tmp_path: Path) -> None:
    old, new = packed(TREE, tmp_path), packed(TREE | {"plugs/part.py": "Y = 'new'\n"}, tmp_path)
    mounted = bundleimp.mount(old, "plug-in")
    import plugs.part  # noqa: PLC0415

    kept = plugs.part
    with pytest.raises(ValueError, match="'plug-in' is the name of another mount: close that first"):
        bundleimp.mount(new, "plug-in")
    mounted.close(forget=True)
    with bundleimp.mount(new, "plug-in", forget=True):
        import plugs.part  # noqa: PLC0415

        assert (kept.Y, plugs.part.Y) == (2, "new")


def test_a_namespace_package_over_mapping_memory_bundle_and_folder(tmp_path: Path) -> None:
    parts = [
        {"spread/one.py": "", "spread/a.txt": "a"},
        packed({"spread/two.py": "", "spread/b.txt": "b"}, tmp_path),
        lay_out(NESTED, tmp_path / "nested", {"spread/three.py": "", "spread/c.txt": "c"}),
    ]
    folder = make_tree(tmp_path / "folder", {"spread/four.py": "", "spread/d.txt": "d"})
    sys.path.append(str(folder))
    mounts = [bundleimp.mount(part, forget=True) for part in parts]  # type: ignore[arg-type]
    try:
        import importlib.resources  # noqa: PLC0415

        import spread.four  # type: ignore[import-not-found] # noqa: PLC0415
        import spread.one  # type: ignore[import-not-found] # noqa: PLC0415
        import spread.three  # type: ignore[import-not-found] # noqa: PLC0415
        import spread.two  # type: ignore[import-not-found] # noqa: PLC0415

        files = importlib.resources.files(spread)
        assert [(files / f"{name}.txt").read_text() for name in "abcd"] == ["a", "b", "c", "d"]
    finally:
        for mounted in mounts:
            mounted.close()
        sys.path.remove(str(folder))


class Failing(Mapping[str, str]):
    """A store that breaks at some point."""

    def __init__(self, when: str) -> None:
        self.when = when

    def __getitem__(self, name: str) -> str:
        if self.when == "reading":
            message = "the line is dead"
            raise OSError(message)
        return dict.__getitem__(TREE, name)  # type: ignore[return-value]

    def __iter__(self) -> Iterator[str]:
        if self.when == "listing":
            message = "the line is dead"
            raise OSError(message)
        return iter(TREE)

    def __len__(self) -> int:
        return len(TREE)


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ({"../plugs.py": ""}, r"/bad\.pybundle: \.\./plugs\.py: the key has an empty part, '\.' or '\.\.'"),
        ({"/plugs.py": ""}, r"/bad\.pybundle: /plugs\.py: the key is absolute"),
        ({3: ""}, r"/bad\.pybundle: the key 3 is no text"),
        (Failing("listing"), r"/bad\.pybundle: cannot be listed: OSError: the line is dead"),
        (b"no zip", r"/bad\.pybundle: is not a zip archive"),
        (b"", r"/bad\.pybundle: is not a zip archive: it is empty"),
    ],
)
def test_what_cannot_be_mounted_is_an_import_error_that_says_why(store: Any, reason: str) -> None:
    for _ in range(2):  # the name is free afterwards
        with pytest.raises(ImportError, match=reason):
            bundleimp.mount(store, "bad")


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ({"plugs.py": 3}, r"/bad\.pybundle: plugs\.py: is of type int, and not bytes or text"),
        ({"plugs.py": None}, r"/bad\.pybundle: plugs\.py: is of type NoneType, and not bytes or text"),
        (Failing("reading"), r"/bad\.pybundle: plugs/__init__\.py: cannot be read: OSError: the line is dead"),
    ],
)
def test_what_cannot_be_read_is_an_import_error_that_names_store_and_key(store: Any, reason: str) -> None:
    with bundleimp.mount(store, "bad"), pytest.raises(ImportError, match=reason):
        import plugs  # noqa: F401, PLC0415


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "a\nb", "..", "a b"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a mount"):
        bundleimp.mount({}, name)


@pytest.mark.parametrize("source", [3, None, ["a.py"]])
def test_what_is_no_source_is_a_type_error(source: Any) -> None:
    with pytest.raises(TypeError, match="a path, bytes, a binary file object or a mapping is needed, and not"):
        bundleimp.mount(source)


def test_digests_are_checked_before_a_module_runs() -> None:
    import hashlib  # noqa: PLC0415

    good = hashlib.sha256(b"X = 1\n").hexdigest()
    store = {"plugs.py": "X = 1\n", "other.py": "raise SystemExit\n"}
    with bundleimp.mount(store, "pinned", digests={"plugs.py": good.upper()}, forget=True):
        import plugs  # noqa: PLC0415

        assert plugs.X == 1
        with pytest.raises(ImportError, match=r"other\.py: has no SHA-256 given"):
            import other  # type: ignore[import-not-found] # noqa: F401, PLC0415
        store["plugs.py"] = "X = 2\n"
        with pytest.raises(ImportError, match=r"plugs\.py: has another SHA-256 than the one given"):
            __import__("importlib").reload(plugs)


class RemoteFiles(dict[str, str]):
    class fs:  # noqa: N801 (as in fsspec)
        protocol: Any = ("https", "http")


def test_a_mapping_over_a_network_needs_digests_or_a_word() -> None:
    store = RemoteFiles({"plugs.py": "X = 1\n"})
    with pytest.raises(bundleimp.BundleError, match="may be over a network: give its digests, or say trust="):
        bundleimp.mount(store)
    with bundleimp.mount(store, trust="unverified", forget=True):
        import plugs  # noqa: F401, PLC0415
    with pytest.raises(ValueError, match="trust is \"unverified\" or None, and not 'yes'"):
        bundleimp.mount(store, trust="yes")
    RemoteFiles.fs.protocol = "memory"
    bundleimp.mount(store).close()


class FolderOfFiles(dict[str, str]):
    """A mapping of fsspec, which has no keys if the server does not answer."""

    root = "http://user:hush@host/plugs"

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.fs = self

    protocol = "memory"

    def ls(self, root: str) -> list[str]:
        assert root == self.root
        if self.error is not None:
            raise self.error
        return []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(FolderOfFiles.root), "FileNotFoundError: its folder does not exist"),
        (ConnectionRefusedError("nobody is there"), "ConnectionRefusedError: nobody is there"),
    ],
)
def test_a_folder_of_fsspec_that_cannot_be_listed_is_not_an_empty_one(error: Exception, reason: str) -> None:
    store = FolderOfFiles(None)
    with bundleimp.mount(store, "bad"):  # it is empty
        store.error = error
        with pytest.warns(bundleimp.BundleWarning, match=rf"/bad\.pybundle: cannot be listed: {reason}"):
            importlib.invalidate_caches()
        with pytest.raises(ModuleNotFoundError, match=reason):
            import plugs  # noqa: F401, PLC0415
    with pytest.raises(bundleimp.BundleError, match=rf"/bad\.pybundle: cannot be listed: {reason}") as caught:
        bundleimp.mount(store, "bad")
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_where_bundles_must_be_signed_nothing_is_mounted(tmp_path: Path) -> None:
    signers = tmp_path / "signers"
    signers.write_text("")
    script = """
import bundleimp
for source in ({"plugs.py": ""}, open(__import__("sys").argv[1], "rb")):
    try:
        bundleimp.mount(source)
    except bundleimp.BundleError as error:
        print(isinstance(error, bundleimp.runtime.faults.kinds.BundleSignatureError))
"""
    path = tmp_path / "out.pybundle"
    make_bundle(path, TREE)
    result = run_python("-c", script, str(path), BUNDLEIMP_ALLOWED_SIGNERS=str(signers))
    assert result.stdout == "True\n" * 2


def test_a_child_process_that_cannot_see_a_mount_says_so() -> None:
    with bundleimp.mount({"plugs.py": ""}, "mine") as mounted:
        result = run_python("-c", "import plugs", path=[mounted.path], check=False)
    assert f"BundleWarning: {mounted.path}: is in the memory of the process that has mounted it" in result.stderr
    assert "ModuleNotFoundError: No module named 'plugs'" in result.stderr.splitlines()[-1]


def test_bytecode_of_a_mapping_is_cached_by_content(tmp_path: Path) -> None:
    script = """
import bundleimp, sys
with bundleimp.mount({"plugs.py": sys.argv[1]}, "cached"):
    import plugs
print(plugs.X)
"""
    cache: Any = {"BUNDLEIMP_CACHE_DIR": str(tmp_path / "cache"), "BUNDLEIMP_TRACE": "1"}
    runs = [run_python("-c", script, text, **cache) for text in ("X = 1\n", "X = 1\n", "X = 2\n")]
    assert [run.stdout for run in runs] == ["1\n", "1\n", "2\n"]
    assert ["cache: wrote" in run.stderr for run in runs] == [True, False, True]


def test_a_shelve_is_written_and_imported_from_as_it_stands(tmp_path: Path) -> None:
    with shelve.open(str(tmp_path / "store")) as store:  # noqa: S301 (our own)
        store["plugs/__init__.py"] = "X = 1\n"
        with bundleimp.mount(store, forget=True):
            import plugs  # noqa: PLC0415

            assert plugs.X == 1
            store["plugs/__init__.py"] = "X = 2\n"
            assert __import__("importlib").reload(plugs).X == 2


class Counting(dict[str, str]):
    """A store that counts how often it is listed and read."""

    listed = 0

    def __init__(self, tree: Any) -> None:
        super().__init__(tree)
        self.got: list[str] = []

    def keys(self) -> Any:
        self.listed += 1
        return super().keys()

    def __getitem__(self, name: str) -> str:
        self.got.append(name)
        return super().__getitem__(name)


def test_a_store_is_listed_once_and_each_module_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLEIMP_CACHE_DIR", str(tmp_path / "cache"))
    store = Counting({f"plugs{number}/{name}.py": "" for number in range(5) for name in ("__init__", "mod")})
    with bundleimp.mount(store, forget=True):
        for number in range(5):
            __import__(f"plugs{number}.mod")
        assert (store.listed, sorted(store.got)) == (1, sorted(store))
        importlib.invalidate_caches()
        assert store.listed == 2


# load_module


def plug_in(version: int, more: str = "") -> Tree:
    code = f"from . import part\nfrom .part import Y\nX = {version}\nclass Kind: pass\n{more}"
    return {"plugs/__init__.py": code, "plugs/part.py": f"Y = {version}0\n", "plugs/t.txt": f"data {version}"}


@pytest.mark.parametrize("kind", ["a dict", "bytes", FLAT, NESTED])
def test_two_versions_stand_side_by_side(tmp_path: Path, kind: str) -> None:
    import importlib.resources  # noqa: PLC0415

    loaded = []
    for number in (1, 2):
        tree = plug_in(number, "def more():\n    from . import late\n    return late.Z\n") | {
            "plugs/late.py": f"Z = {number}"
        }
        source: Any = tree
        if kind == "bytes":
            source = packed(tree, tmp_path)
        elif kind != "a dict":
            source = lay_out(kind, tmp_path / str(number), tree)
        loaded.append(bundleimp.load_module(source, "plugs"))
    assert [(each.X, each.Y, each.part.Y, each.more()) for each in loaded] == [(1, 10, 10, 1), (2, 20, 20, 2)]
    assert [(importlib.resources.files(each) / "t.txt").read_text() for each in loaded] == ["data 1", "data 2"]
    assert "plugs" not in sys.modules
    for each in loaded:
        root = each.__name__.partition(".")[0]
        below = sorted(name.removeprefix(root) for name in sys.modules if name.partition(".")[0] == root)
        assert below == ["", ".plugs", ".plugs.late", ".plugs.part"]
        with pytest.raises(pickle.PicklingError, match="'Kind' is of a module that bundleimp"):
            pickle.dumps(each.Kind())
    with pytest.raises(ModuleNotFoundError, match="has loaded it under another name"):
        import plugs  # noqa: F401, PLC0415


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("import plugs.part", 5),
        ("def f():\n    from plugs import part", 6),
        ("class C:\n    def f(self):\n        import plugs", 7),
        ("import os, plugs.part as p", 5),
        ("try:\n    from plugs.part import Y\nexcept ImportError:\n    pass", 6),
    ],
)
def test_an_absolute_import_of_itself_is_an_error_that_names_the_line(code: str, line: int) -> None:
    before = set(sys.modules)
    with pytest.raises(
        ImportError, match=rf"plugs/__init__\.py, line {line}: imports plugs\S* absolutely, but plugs was"
    ):
        bundleimp.load_module(plug_in(1, code), "plugs")
    assert not {name for name in set(sys.modules) - before if name.startswith("loaded-")}


@pytest.mark.parametrize(
    "code",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from plugs.part import Y\n",
        "import typing\nif typing.TYPE_CHECKING:\n    import plugs\n",
        "if __name__ == '__main__':\n    from plugs import part\n",
        "text = 'import plugs'\n",
    ],
)
def test_what_does_not_run_may_import_itself_absolutely(code: str) -> None:
    assert bundleimp.load_module(plug_in(1, code), "plugs").X == 1


def test_objects_can_be_copied() -> None:
    import copy  # noqa: PLC0415

    loaded = bundleimp.load_module(plug_in(1), "plugs")
    each = loaded.Kind()
    each.value = [1]
    assert copy.copy(each).value is each.value
    assert copy.deepcopy([each])[0].value == [1]


def test_a_module_that_is_still_being_imported_is_not_forgotten() -> None:
    store = {"plugs/__init__.py": "import sys\nsys.mounted.close(forget=True)\n"}
    mounted: Any = bundleimp.mount(store, "self")
    sys.mounted = mounted  # type: ignore[attr-defined]
    with pytest.raises(bundleimp.BundleError, match="plugs: still being imported; forget it later"):
        import plugs  # noqa: F401, PLC0415
    del sys.mounted  # type: ignore[attr-defined]


def test_an_open_copy_keeps_its_modules(tmp_path: Path) -> None:
    data = packed({"plugs.py": "X = 1\n"}, tmp_path)
    first, second = bundleimp.mount(data, "first"), bundleimp.mount(data, "second")
    import plugs  # noqa: PLC0415

    second.close(forget=True)
    assert sys.modules["plugs"] is plugs
    first.close(forget=True)
    assert "plugs" not in sys.modules


@pytest.mark.skipif(sys.platform != "linux", reason="compiles an extension module")
@pytest.mark.parametrize("kind", ["a path", "bytes"])
def test_extension_modules_are_not_forgotten(tmp_path: Path, kind: str) -> None:
    name = f"plugs_native_{kind[0]}"
    tree: Tree = {f"{name}.so": extension(tmp_path, name), "plugs.py": f"import {name}\nX = {name}.value()\n"}
    source: Any = make_bundle(tmp_path / "native.pybundle", tree)
    mounted = bundleimp.mount(source if kind == "a path" else source.read_bytes(), "native")
    import plugs  # noqa: PLC0415

    assert plugs.X == 1
    with pytest.raises(bundleimp.BundleError, match=f"the extension modules {name} stay loaded until the process ends"):
        mounted.close(forget=True)
    assert sys.modules["plugs"] is plugs


@pytest.mark.skipif(sys.platform != "linux", reason="compiles an extension module")
@pytest.mark.parametrize("kind", ["a dict", "bytes"])
def test_load_module_loads_extension_modules(tmp_path: Path, kind: str) -> None:
    tree: Tree = {"plugs/__init__.py": "from . import native\nX = native.value()\n"}
    tree["plugs/native.so"] = extension(tmp_path, "native")
    source: Any = tree if kind == "a dict" else packed(tree, tmp_path)
    assert bundleimp.load_module(source, "plugs").X == 1


@pytest.mark.parametrize("name", ["", ".plugs", "plugs.", "a-b", "a b"])
def test_a_name_that_no_module_has_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="is not the full name of a module"):
        bundleimp.load_module({}, name)


def test_the_text_of_a_store_with_a_url_in_it_is_not_shown() -> None:
    class Secret(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            message = f"https://user:hush@host/{name}"
            raise OSError(message)

    with bundleimp.mount(Secret({"plugs.py": ""}), "bad"), pytest.raises(ImportError) as caught:
        import plugs  # noqa: F401, PLC0415
    assert str(caught.value).endswith("/bad.pybundle: plugs.py: cannot be read: OSError …")


def test_imports_of_others_are_left_alone() -> None:
    code = "import os, plugsmore\nfrom .part import Y as plugs\n"
    tree = plug_in(1, code)
    with bundleimp.mount({"plugsmore.py": ""}, forget=True):
        assert bundleimp.load_module(tree, "plugs").plugs == 10


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", plug_in(1, "import missing_elsewhere\n"))
    for name in ("nothing", "nothing.below"):
        with pytest.raises(ModuleNotFoundError, match=rf"^{bundle} has no module 'nothing'$"):
            bundleimp.load_module(bundle, name)
    with pytest.raises(ModuleNotFoundError, match="No module named 'missing_elsewhere'"):
        bundleimp.load_module(bundle, "plugs")
    with pytest.raises(ImportError, match=r"there is no such file|neither this path"):
        bundleimp.load_module(tmp_path / "gone.pybundle", "plugs")


def test_a_wheel_in_memory() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in TREE.items():
            archive.writestr(name, text)
    data.seek(0)
    with bundleimp.mount(data, "wheel", forget=True):
        import importlib.metadata  # noqa: PLC0415

        import plugs  # noqa: F401, PLC0415

        assert importlib.metadata.version("plugs") == "1"


@pytest.mark.parametrize("kind", ["a path", "bytes", "a file object", "a view"])
def test_open_bundle_takes_what_mount_takes(tmp_path: Path, kind: str) -> None:
    bundle = bundleimp.open_bundle(SOURCES[kind](tmp_path))
    assert {member.name for member in bundle.members} == set(TREE)
    assert bundle.read("plugs/data/text.txt") == b"text"
    assert bundle.verify() == []
    assert bundle.path == (str(tmp_path / "packed.pybundle") if kind == "a path" else "<bundle in memory>")


@pytest.mark.parametrize("source", [3, None, io.StringIO("text"), {"a.py": ""}])
def test_open_bundle_refuses_others_in_words(source: Any) -> None:
    with pytest.raises(TypeError, match="a path, bytes or a binary file object is needed, and not"):
        bundleimp.open_bundle(source)
    with pytest.raises(bundleimp.BundleError, match="<bundle in memory>: is not a zip archive"):
        bundleimp.open_bundle(b"no zip")


def test_a_finder_refuses_bytes_and_names_what_takes_them() -> None:
    with pytest.raises(TypeError, match=r"a path is needed, and not bytes: bundleimp\.mount imports from bytes"):
        bundleimp.BundleFinder(b"PK")  # type: ignore[arg-type]
