"""The commands that look at a bundle: list, info, verify, explain, doctor."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .archives import flipped, index_of
from .builders import Tree, make_bundle, make_tree, make_zip, run_python
from .command_line import APP, bundleimp_command

if TYPE_CHECKING:
    from pathlib import Path

OWN_TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
NAMES = sorted(APP)


@pytest.fixture(scope="module", params=["flat", "nested"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp(request.param) / "app.pybundle", APP, layout=request.param)


def layout_of(bundle: Path) -> str:
    """Return the layout that *bundle* was made with."""
    return bundle.parent.name.rstrip("0123456789")


def printed_json(*arguments: str | Path, status: int = 0) -> Any:
    """Return what a command prints with ``--json``."""
    return json.loads(bundleimp_command(*arguments, "--json", status=status).stdout)


def test_list_prints_one_name_a_line(bundle: Path) -> None:
    assert bundleimp_command("list", bundle).stdout.splitlines() == NAMES


def test_list_reads_a_plain_zip(tmp_path: Path) -> None:
    plain = make_zip(tmp_path / "plain.zip", APP)
    assert bundleimp_command("list", plain).stdout.splitlines() == NAMES


def test_long_list_has_sizes_method_and_checksum(bundle: Path) -> None:
    first, *lines = bundleimp_command("list", "-l", bundle).stdout.splitlines()
    assert first.split() == ["size", "packed", "method", "crc-32", "name"]
    assert [line.split()[-1] for line in lines] == NAMES
    (table,) = [line.split() for line in lines if line.endswith("app/table.txt")]
    member = index_of(bundle.read_bytes())["app/table.txt"].member
    assert table == ["200", str(member.packed_size), "deflate", f"{member.crc:08x}", "app/table.txt"]


def test_list_as_a_tree(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"a/b/c.py": "", "a/d.py": "", "e.py": ""})
    assert bundleimp_command("list", "--tree", bundle, PYTHONIOENCODING="utf-8").stdout == (
        "├── a/\n│   ├── b/\n│   │   └── c.py\n│   └── d.py\n└── e.py\n"
    )


def test_list_as_json(bundle: Path) -> None:
    listed = printed_json("list", bundle)
    assert [item["name"] for item in listed] == NAMES
    item = next(item for item in listed if item["name"] == "app/table.txt")
    member = index_of(bundle.read_bytes())["app/table.txt"].member
    assert item == {
        "name": "app/table.txt",
        "size": 200,
        "packed_size": member.packed_size,
        "method": "deflate",
        "crc32": f"{member.crc:08x}",
    }


def test_info_says_what_the_bundle_holds(bundle: Path) -> None:
    lines = bundleimp_command("info", bundle).stdout.splitlines()
    layout = layout_of(bundle)
    assert lines[0].startswith(f"{bundle}: ")
    assert lines[0].endswith(f", 8 members, {layout}")
    assert lines[1] == f"made by bundleimp {bundleimp.__version__}, format version 1"
    assert lines[2] == f"bytecode: {OWN_TAG}"
    assert lines[-1] == "console_scripts: lib-tool = single:main"


def test_info_gives_each_distribution_its_size(bundle: Path) -> None:
    info = printed_json("info", bundle)
    assert [(part["name"], part["version"], part["members"]) for part in info["parts"]] == [
        ("lib", "1.2", 4),
        ("own-files", "", 4),
    ]
    assert (info["path"], info["size"], info["members"]) == (str(bundle), bundle.stat().st_size, 8)
    assert info["code_tags"] == [OWN_TAG]
    assert info["manifest"]["distributions"] == [{"name": "lib", "version": "1.2"}]
    assert info["entry_points"] == [{"group": "console_scripts", "name": "lib-tool", "value": "single:main"}]


def test_info_on_a_zip_of_another_tool_says_so(tmp_path: Path) -> None:
    plain = make_zip(tmp_path / "plain.pybundle", {"a.py": ""})
    assert "made by another tool: no manifest, no index" in bundleimp_command("info", plain).stdout
    assert printed_json("info", plain)["manifest"] is None


def test_verify_says_that_a_bundle_is_sound(bundle: Path) -> None:
    layout = layout_of(bundle)
    assert bundleimp_command("verify", bundle).stdout == f"{bundle}: sound, 8 members, {layout}\n"
    assert bundleimp_command("verify", "--quiet", bundle).stdout == ""
    assert printed_json("verify", bundle) == {"sound": True, "findings": []}


def test_verify_names_each_fault_and_exits_with_1(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "damaged.pybundle"
    member = index_of(bundle.read_bytes())["single.py"].member
    copy.write_bytes(flipped(bundle.read_bytes(), 8 * member.offset))
    result = bundleimp_command("verify", copy, status=1)
    assert any(line.startswith(f"{copy}: single.py: ") for line in result.stdout.splitlines())
    assert bundleimp_command("verify", "--quiet", copy, status=1).stdout == result.stdout
    report = printed_json("verify", copy, status=1)
    assert report["sound"] is False
    assert any(finding["member"] == "single.py" and finding["offset"] for finding in report["findings"])


def test_verify_finds_what_another_tool_changed(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "changed.pybundle"
    copy.write_bytes(bundle.read_bytes())
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr("added.py", "")
    assert "some other tool has changed the archive" in bundleimp_command("verify", copy, status=1).stdout


def test_explain_names_the_path_entry_that_gives_a_module(bundle: Path) -> None:
    result = bundleimp_command("explain", "app.deep.mod", PYTHONPATH=str(bundle))
    origin = os.path.join(bundle, "app", "deep", "mod.py")
    entry = os.path.join(bundle, "app", "deep")
    assert result.stdout.startswith(f"app.deep.mod: module {origin} (path entry {entry}, ")
    assert result.stdout.endswith("BundleLoader)\n")


def test_explain_names_what_a_module_shadows(bundle: Path, tmp_path: Path) -> None:
    folder = make_tree(tmp_path / "folder", {"app/__init__.py": ""})
    first, second = bundleimp_command("explain", "app", "--path", bundle, folder).stdout.splitlines()
    assert first.startswith(f"app: package {os.path.join(bundle, 'app', '__init__.py')} (path entry {bundle}")
    assert second.startswith(f"  shadows package {folder / 'app/__init__.py'} (path entry {folder}")
    first, second = bundleimp_command("explain", "app", "--path", folder, bundle).stdout.splitlines()
    assert str(folder) in first
    assert second.startswith(f"  shadows package {os.path.join(bundle, 'app', '__init__.py')}")


def test_explain_places_nothing_in_the_cache(tmp_path: Path) -> None:
    tree: Tree = {"pkg/__init__.py": "HERE = __file__\n", "pkg/mod.py": "HERE = __file__\n", "pkg/table.txt": "row\n"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    for name, file in (("pkg", "__init__.py"), ("pkg.mod", "mod.py")):
        result = bundleimp_command("explain", name, "--path", bundle, BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
        assert f" {os.path.join(bundle, 'pkg', file)} (path entry {bundle}" in result.stdout
    assert not (tmp_path / "cache" / "sites").exists()


def test_explain_names_every_portion_of_a_namespace(tmp_path: Path) -> None:
    one = make_bundle(tmp_path / "one.pybundle", {"space/a.py": ""})
    two = make_tree(tmp_path / "two", {"space/b.py": ""})
    first, second = bundleimp_command("explain", "space", "--path", one, two).stdout.splitlines()
    assert first.startswith(f"space: namespace portion {os.path.join(one, 'space')} (path entry {one}")
    assert second.startswith(f"  and namespace portion {two / 'space'} (path entry {two}")


def test_explain_puts_a_package_before_every_namespace_portion(tmp_path: Path) -> None:
    one = make_bundle(tmp_path / "one.pybundle", {"space/a.py": ""})
    two = make_bundle(tmp_path / "two.pybundle", {"space/__init__.py": ""})
    first, second = bundleimp_command("explain", "space", "--path", one, two).stdout.splitlines()
    assert first.startswith("space: package ")
    assert second.startswith("  shadows namespace portion ")


@pytest.mark.parametrize("name", ["sys", "zipimport"])
def test_explain_knows_what_comes_with_the_interpreter(name: str, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {f"{name}.py": ""})
    first, second = bundleimp_command("explain", name, "--path", bundle).stdout.splitlines()
    assert "built-in" in first or "frozen" in first
    assert second.startswith(f"  shadows module {os.path.join(bundle, name)}.py")


@pytest.mark.parametrize("name", ["missing", "app.missing", "missing.mod", "single.mod", "", ".", "app.", "a/b", "é"])
def test_explain_exits_with_1_where_nothing_has_the_module(bundle: Path, name: str) -> None:
    result = bundleimp_command("explain", name, "--path", bundle, status=1)
    assert result.stdout == ""
    assert result.stderr == f"{name}: found in no path entry\n"


def test_explain_knows_what_a_module_has_put_into_sys_modules() -> None:
    found = bundleimp_command("explain", "os.path").stdout
    assert found.startswith(f"os.path: module {os.path.__spec__.origin or 'frozen'} (path entry sys.modules")


def test_explain_names_the_real_file_and_does_not_write_it(tmp_path: Path) -> None:
    code = "import os\nHERE = os.listdir(os.path.dirname(__file__))\n"
    path = make_bundle(tmp_path / "out.pybundle", {"pkg/__init__.py": code, "pkg/data.txt": ""})
    cache = tmp_path / "cache"
    (line,) = bundleimp_command("explain", "pkg", "--path", path, BUNDLEIMP_CACHE_DIR=str(cache)).stdout.splitlines()
    assert list(cache.rglob("*.py")) == []
    script = "import pkg; print(pkg.__file__)"
    real = run_python("-c", script, path=[path], BUNDLEIMP_CACHE_DIR=str(cache)).stdout.strip()
    assert line.endswith(f"; imported as {real}")
    assert str(cache) in real


def test_explain_as_json(bundle: Path) -> None:
    (found,) = printed_json("explain", "single", "--path", bundle)
    assert found.pop("loader").endswith("BundleLoader")
    assert found == {"entry": str(bundle), "origin": os.path.join(bundle, "single.py"), "kind": "module", "real": ""}
    assert printed_json("explain", "missing", "--path", bundle, status=1) == []


def test_explain_imports_nothing(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"loud/__init__.py": "print('imported')", "loud/mod.py": ""})
    assert "imported" not in bundleimp_command("explain", "loud.mod", "--path", bundle).stdout


def doctor(path: str, status: int, **variables: Any) -> dict[str, dict[str, Any]]:
    result = bundleimp_command("doctor", "--json", status=status, PYTHONPATH=path, **variables)
    return {item["about"]: item for item in json.loads(result.stdout)}


def installed_at_start() -> bool:
    """Return whether the hook is there at start-up, because bundleimp is installed and not just on the path."""
    script = "import sys; print(any(getattr(hook, 'claims_bundles', False) for hook in sys.path_hooks))"
    return run_python("-c", script).stdout.strip() == "True"


needs_installation = pytest.mark.skipif(not installed_at_start(), reason="bundleimp is not installed")


@needs_installation
def test_doctor_finds_nothing_wrong_with_a_sound_installation(bundle: Path, tmp_path: Path) -> None:
    seen = doctor(str(bundle), 0, BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    assert all(item["fine"] for item in seen.values())
    assert seen["path hook"]["text"] == "installed at start-up, asked first"
    assert seen[str(bundle)]["text"] == "can be opened, with bytecode for this Python"


@needs_installation
def test_doctor_says_why_bundles_are_not_imported(bundle: Path) -> None:
    seen = doctor(str(bundle), 1, BUNDLEIMP_DISABLE="1")
    assert seen["path hook"]["fine"] is False
    assert "BUNDLEIMP_DISABLE is set" in seen["path hook"]["text"]


@needs_installation
@pytest.mark.parametrize(
    ("content", "message"), [(None, "there is no such file"), (b"no zip", "not a zip archive"), (b"", "is empty")]
)
def test_doctor_says_what_is_wrong_with_a_bundle_on_the_path(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "bad.pybundle"
    if content is not None:
        path.write_bytes(content)
    result = run_python("-m", "bundleimp", "doctor", path=[path], check=False)
    assert result.returncode == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("PROBLEM")]
    assert line.startswith(f"PROBLEM  {path}: ")
    assert message in line


@needs_installation
def test_doctor_names_what_two_bundles_have(tmp_path: Path) -> None:
    trees: list[Tree] = [{"pkg/__init__.py": "", "ns/a.py": "", "one.py": ""}, {"pkg/__init__.py": "", "ns/b.py": ""}]
    one, two = (make_bundle(tmp_path / f"{number}.pybundle", tree) for number, tree in enumerate(trees))
    seen = doctor(os.pathsep.join([str(one), str(two)]), 1)
    assert seen["pkg"]["text"] == f"is in {one} and in {two}: only the first is imported"
    assert not {"ns", "one"} & seen.keys()


@needs_installation
def test_doctor_finds_a_nested_bundle_under_another_name(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"pkg/__init__.py": ""}, layout="nested").rename(tmp_path / "o.zip")
    assert "is a nested bundle" in doctor(str(bundle), 1)[str(bundle)]["text"]
    assert str(make_zip(tmp_path / "plain.zip", {"a.py": ""})) not in doctor(str(tmp_path / "plain.zip"), 0)


@needs_installation
def test_doctor_says_that_nothing_compiled_is_kept(tmp_path: Path) -> None:
    bare = make_bundle(tmp_path / "bare.pybundle", {"b.py": ""}, bytecode=False)
    seen = doctor(str(bare), 1, PYTHONDONTWRITEBYTECODE="1")
    assert "it is compiled in every process" in seen[str(bare)]["text"]


@needs_installation
def test_doctor_says_what_makes_a_sound_bundle_slow(tmp_path: Path) -> None:
    plain = make_zip(tmp_path / "plain.pybundle", {"a.py": ""})
    bare = make_bundle(tmp_path / "bare.pybundle", {"b.py": ""}, bytecode=False)
    seen = doctor(os.pathsep.join([str(plain), str(bare)]), 0)
    assert "has no index" in seen[str(plain)]["text"]
    assert "no bytecode for this Python" in seen[str(bare)]["text"]
