"""``.pth`` files of what is packed: their path lines are followed everywhere alike, and nothing in them is run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing.errors import PackError

from .builders import Tree, make_tree, run_python
from .command_line import error_of
from .platforms import needs_raw_names
from .test_pack_inputs import editable, installed, make_environment, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="links and pipes need a privilege or are missing there"
)


def from_directory(folder: Path, tree: Mapping[str, str]) -> dict[str, Any]:
    return {"sources": [make_tree(folder / "src", tree)]}


def from_recorded_directory(folder: Path, tree: Mapping[str, str]) -> dict[str, Any]:
    return {"sources": [make_tree(folder / "src", {**tree, **installed("leg", *tree)})]}


def from_wheel(folder: Path, tree: Mapping[str, str]) -> dict[str, Any]:
    return {"sources": [make_wheel(folder, "leg", tree)]}


def from_environment(folder: Path, tree: Mapping[str, str]) -> dict[str, Any]:
    environment = make_environment(folder / "env", {**tree, **installed("leg", *tree)})
    return {"sources": [], "from_venv": environment}


KINDS: dict[str, Callable[[Path, Mapping[str, str]], dict[str, Any]]] = {
    "directory": from_directory,
    "directory with RECORD": from_recorded_directory,
    "wheel": from_wheel,
    "environment": from_environment,
}
everywhere = pytest.mark.parametrize("kind", KINDS)


def pack(folder: Path, kind: str, tree: Mapping[str, str], **options: Any) -> bundleimp.PackReport:
    """Pack *tree* as a source of some *kind*."""
    return bundleimp.pack(
        output=folder / "out.pybundle", jobs=1, bytecode=False, **KINDS[kind](folder, tree), **options
    )


def packed(folder: Path, kind: str, tree: Mapping[str, str], **options: Any) -> set[str]:
    """Pack *tree*, and return the names of the members, without those of distributions."""
    bundle = bundleimp.open_bundle(pack(folder, kind, tree, **options).output)
    assert bundle.verify() == []
    return {member.name for member in bundle.members if ".dist-info" not in member.name}


def warnings(folder: Path, kind: str, tree: Mapping[str, str]) -> list[tuple[str, str]]:
    report = pack(folder, kind, tree)
    return [(os.path.basename(item.member.partition(" of ")[0]), item.message) for item in report.warnings]


VENDED = {
    "leg.pth": "# the parts of leg\n\nvend\n",
    "vend/vended.py": "import os\ntext = open(os.path.join(os.path.dirname(__file__), 'table.txt')).read()\n",
    "vend/table.txt": "rows",
    "vend/pkg/__init__.py": "",
}


@everywhere
def test_modules_of_a_folder_that_a_path_file_names_are_imported_as_installed(tmp_path: Path, kind: str) -> None:
    names = packed(tmp_path, kind, VENDED)
    assert names == {*VENDED, "vended.py", "table.txt", "pkg/__init__.py"}
    code = "import vended, pkg, vend.vended; print(vended.text, vend.vended.text)"
    assert run_python("-c", code, path=[tmp_path / "out.pybundle"]).stdout == "rows rows\n"


@everywhere
def test_what_an_earlier_folder_has_hides_that_of_a_later_one(tmp_path: Path, kind: str) -> None:
    tree = {
        **dict.fromkeys(["both/__init__.py", "two/both/other.py", "one/space/a.py", "two/space/b.py"], ""),
        **dict.fromkeys(["one/mod.py", "one/next.py"], "x = 1\n"),
        "a.pth": "one\n",
        "b.pth": "two\n",
        "mod.py": "x = 0\n",
        "two/next.py": "x = 2\n",
    }
    assert packed(tmp_path, kind, tree) == {*tree, "next.py", "space/a.py", "space/b.py"}
    bundle = bundleimp.open_bundle(tmp_path / "out.pybundle")
    assert (bundle.read("mod.py"), bundle.read("next.py")) == (b"x = 0\n", b"x = 1\n")


@everywhere
def test_exclude_is_for_path_files_and_what_they_name_too(tmp_path: Path, kind: str) -> None:
    assert packed(tmp_path, kind, VENDED, exclude=["leg.pth"]) == {*VENDED} - {"leg.pth"}
    (tmp_path / "again").mkdir()
    tree = {**VENDED, "mod.py": ""}
    assert packed(tmp_path / "again", kind, tree, exclude=["vend"]) == {"leg.pth", "mod.py"}


@everywhere
@pytest.mark.parametrize("line", [".", "./", "sub/..", "pkg/../."])
def test_a_path_file_that_names_its_own_folder_adds_nothing(tmp_path: Path, kind: str, line: str) -> None:
    tree = {"self.pth": f"{line}\n", "mod.py": "", "sub/other.pth": "..\n"}
    assert packed(tmp_path, kind, tree) == {*tree}
    assert warnings(tmp_path / "again", kind, tree) == []


@needs_posix
def test_links_in_circles_come_to_an_end(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"a.pth": "loop\nsub/up\nself\n", "mod.py": "", "sub/b.py": ""})
    (source / "loop").symlink_to(source)
    (source / "sub/up").symlink_to(source / "sub")
    (source / "self").symlink_to("self")
    report = bundleimp.pack([source], tmp_path / "out.pybundle", exclude=["self"], jobs=1, bytecode=False)
    assert [warning.message for warning in report.warnings] == [
        f"names {source / 'self'}, which is not a directory; the line is left out"
    ]
    names = [member.name for member in bundleimp.open_bundle(tmp_path / "out.pybundle").members]
    assert names == ["a.pth", "b.py", "mod.py", "sub/b.py", "up/b.py"]


@everywhere
def test_a_folder_that_is_missing_is_a_warning(tmp_path: Path, kind: str) -> None:
    ((name, message),) = warnings(tmp_path, kind, {"x.pth": "gone\n", "mod.py": ""})
    assert name == "x.pth"
    assert message.startswith("names ")
    assert message.endswith(f"{os.sep}gone, which is not a directory; the line is left out")


@everywhere
def test_a_line_that_runs_code_is_a_warning_and_is_not_run(tmp_path: Path, kind: str) -> None:
    tree = {"x.pth": f"import os; os.mkdir({str(tmp_path / 'ran')!r})\nimport sys\n", "mod.py": ""}
    ((name, message),) = warnings(tmp_path, kind, tree)
    assert name == "x.pth"
    assert message.startswith("runs code when Python starts, which a bundle does not do: import os; os.mkdir(")
    assert "\n" not in message
    assert not (tmp_path / "ran").exists()


def test_code_of_a_file_that_no_distribution_brought_is_a_warning_for_an_environment_too(tmp_path: Path) -> None:
    environment = make_environment(tmp_path / "env", {"mine.pth": "import setup_mine\n", "setup_mine.py": "x = 1\n"})
    report = bundleimp.pack([], tmp_path / "out.pybundle", from_venv=environment, jobs=1)
    (warning,) = report.warnings
    assert Path(warning.member).name == "mine.pth"
    # Other modules may import it.
    assert [member.name for member in bundleimp.open_bundle(report.output).members] == ["setup_mine.py"]


@pytest.mark.parametrize("kind", ["directory", "directory with RECORD", "wheel", "environment"])
@pytest.mark.parametrize("is_relative", [True, False])
def test_a_path_file_that_leads_outside_is_an_error_that_names_it(tmp_path: Path, kind: str, is_relative: bool) -> None:
    outside = make_tree(tmp_path / "outside", {"private.py": ""})
    # Nobody knows where a wheel is installed.
    places = {"directory": "src", "directory with RECORD": "src", "environment": "env/lib/python/site-packages"}
    line = str(outside)
    if is_relative and kind in places:
        line = os.path.relpath(line, tmp_path / places[kind])
    tree = {"x.pth": f"{line}\n", "mod.py": ""}
    (tmp_path / "out.pybundle").write_text("before")
    with pytest.raises(PackError) as caught:
        pack(tmp_path, kind, tree)
    assert "x.pth" in str(caught.value)
    assert str(caught.value).endswith(
        f"names {outside}, which is outside of the source; give that as a SOURCE, and add --exclude x.pth"
    )
    assert (tmp_path / "out.pybundle").read_text() == "before"


def test_a_path_file_that_leads_outside_can_be_left_out_as_the_error_says(tmp_path: Path) -> None:
    make_tree(tmp_path, {"src/x.pth": "..\n", "src/mod.py": "", "other.py": "", "out.pybundle": "before"})
    message = f"names {tmp_path}, which is outside of the source; give that as a SOURCE, and add --exclude x.pth"
    assert error_of("pack", "src", "out.pybundle", cwd=tmp_path) == f"src{os.sep}x.pth: {message}"
    assert packed(tmp_path, "directory", {}, exclude=["x.pth"]) == {"mod.py"}


def test_what_the_user_put_on_the_path_of_an_environment_is_followed_anywhere(tmp_path: Path) -> None:
    make_tree(tmp_path / "mine", {"own.py": "x = 1\n", "notes.txt": ""})
    environment = make_environment(tmp_path / "env", {"mine.pth": f"{tmp_path / 'mine'}\n"})
    report = bundleimp.pack([], tmp_path / "out.pybundle", from_venv=environment, jobs=1)
    assert [member.name for member in bundleimp.open_bundle(report.output).members] == ["own.py"]


def test_editable_installs_in_a_directory_are_followed(tmp_path: Path) -> None:
    tree: Tree = {"pkg/__init__.py": "", "pkg/.env": "S=1", "node_modules/x.js": "", "README.md": ""}
    project = make_tree(tmp_path / "project", tree)
    files = {"__editable__.pkg.pth": f"{project}\n", **editable("pkg", project, "__editable__.pkg.pth")}
    source = make_tree(tmp_path / "src", files)
    report = bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1)
    names = [member.name for member in bundleimp.open_bundle(report.output).members if ".dist" not in member.name]
    assert names == ["__editable__.pkg.pth", "pkg/__init__.py"]
    assert {item.name for item in report.left_out} == {"node_modules", "pkg/.env"}


def test_secrets_and_caches_in_a_folder_that_a_path_file_names_are_left_out(tmp_path: Path) -> None:
    tree = {"a.pth": "vend\n", "vend/mod.py": "", "vend/.env": "", "vend/.tox/x": "", "vend/.conf": ""}
    assert packed(tmp_path, "directory", tree) == {"a.pth", "mod.py", "vend/mod.py", "vend/.conf"}


def test_a_package_has_no_path_files(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "pkg", {"__init__.py": "", "x.pth": "/\nimport os\n", "sub/mod.py": ""})
    report = bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1)
    assert report.warnings == []
    assert report.members == 3


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04\0\0/\n", b"\x80\x02\0import x\n/\n", b"/\n" * 40_000, "import x\n/\n".encode("utf-16")],
    ids=["zip", "pickle", "large", "UTF-16"],
)
def test_a_file_with_this_suffix_that_is_something_else_is_data(tmp_path: Path, content: bytes) -> None:
    source = make_tree(tmp_path / "src", {"model.pth": content, "mod.py": ""})
    report = bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1)
    assert report.warnings == []
    assert bundleimp.open_bundle(report.output).read("model.pth") == content


@needs_raw_names
def test_bytes_that_are_no_text_name_folders_or_are_a_warning(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"a.pth": b"\xef\xbb\xbfb\xe4r\ngone\xff\n", "mod.py": ""})
    make_tree(source / os.fsdecode(b"b\xe4r"), {"found.py": ""})
    report = bundleimp.pack([source], tmp_path / "out.pybundle", exclude=["b*r"], jobs=1)
    assert [member.name for member in bundleimp.open_bundle(report.output).members] == ["a.pth", "mod.py"]
    (warning,) = report.warnings
    assert warning.message.startswith("names ")
    report = bundleimp.pack([source], tmp_path / "out.pybundle", exclude=["b*r/*"], jobs=1)
    assert "found.py" in [member.name for member in bundleimp.open_bundle(report.output).members]


@needs_posix
def test_what_is_no_file_is_no_path_file(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"dir.pth/mod.py": "", ".hidden.pth": "/\n"})
    assert bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1).members == 1
    os.mkfifo(source / "pipe.pth")
    with pytest.raises(PackError, match=r"pipe\.pth: is neither a file nor a directory"):
        bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1)


def test_a_folder_that_cannot_be_read_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_tree(tmp_path / "src", {"a.pth": "vend\n", "mod.py": "", "vend/x.py": ""})
    real = os.listdir

    def listdir(folder: Any = ".") -> list[Any]:
        if os.path.basename(str(folder)) == "vend":
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "listdir", listdir)
    with pytest.raises(PackError, match="vend: cannot be read: Permission denied"):
        bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1)
