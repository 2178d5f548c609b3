"""``bundleimp cache`` shows what is in the cache, and removes what nobody uses, and never anything else."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bundleimp.cli import main
from bundleimp.inspection import cache as cache_logic

from .builders import Tree, clean_environment, make_bundle, make_tree, run_python
from .command_line import bundleimp_command, error_of
from .platforms import needs_processes

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 24 * 60 * 60
KEY = "0123456789abcdef" * 2
# Two units: only the one with a RECORD is placed.
TREE: Tree = {
    "placed-1.dist-info/RECORD": "placed/__init__.py,,\nplaced/table.txt,,\n",
    "placed/__init__.py": "import os\nPLACE = os.path.dirname(__file__)\n",
    "placed/table.txt": "table\n" * 100,
    "res/__init__.py": "",
    "res/one.txt": "one\n",
    "res/folder/two.txt": "two\n",
}
USE = """
import placed
from importlib import resources

files = resources.files("res")
with resources.as_file(files / "one.txt") as one, resources.as_file(files / "folder") as folder:
    paths = [placed.PLACE + "/table.txt", str(one), str(folder / "two.txt")]
"""
KINDS = ["code", "files", "folders", "sites"]


class Cache:
    """A cache with an entry of every kind, and the command that looks after it."""

    def __init__(self, folder: Path, path: Path) -> None:
        self.folder = folder
        self.bundle = path

    def use(self, script: str = "") -> str:
        """Have a process use the bundle; return what it prints."""
        result = run_python("-c", USE + script, path=[self.bundle], BUNDLEIMP_CACHE_DIR=str(self.folder))
        return result.stdout

    def run(self, *arguments: str, status: int = 0) -> str:
        """Return what ``bundleimp cache`` prints."""
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out, redirect_stderr(out):
            patch.setenv("BUNDLEIMP_CACHE_DIR", str(self.folder))
            assert main(["cache", *arguments]) == status
        assert "bundleimp: " not in out.getvalue()
        return out.getvalue()

    def json(self, *arguments: str) -> Any:
        """Return what it prints with ``--json``."""
        return json.loads(self.run(*arguments, "--json"))

    def entries(self) -> dict[str, Path]:
        """Return the folder of the one entry of each kind that has one."""
        return {path.parent.name: path for path in self.folder.glob("*/*") if not path.name.startswith(".")}

    def age(self, kind: str, days: float) -> None:
        """Let the entry of a *kind* have been used last so many *days* ago."""
        then = time.time() - days * DAY
        entry = self.entries()[kind]
        for path in entry.rglob("*") if kind == "code" else [entry / ".bundleimp"]:
            os.utime(path, (then, then))


@pytest.fixture(name="bundle", scope="module")
def _bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("cache") / "out.pybundle", TREE, bytecode=False)


@pytest.fixture(name="used", scope="module")
def _used_cache(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Path:
    cache = Cache(tmp_path_factory.mktemp("used") / "cache", bundle)
    cache.use()
    assert sorted(cache.entries()) == KINDS
    return cache.folder


@pytest.fixture(name="cache")
def _cache_of_all_kinds(tmp_path: Path, bundle: Path, used: Path) -> Cache:
    return Cache(Path(shutil.copytree(used, tmp_path / "cache")), bundle)


# dir and list


@pytest.mark.parametrize("there", [False, True])
def test_dir_names_the_folder_also_where_it_does_not_exist_yet(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "not" / "yet"
    if there:
        folder.mkdir(parents=True)
    assert bundleimp_command("cache", "dir", BUNDLEIMP_CACHE_DIR=str(folder)).stdout == f"{folder}\n"
    printed = bundleimp_command("cache", "dir", "--json", BUNDLEIMP_CACHE_DIR=str(folder)).stdout
    assert json.loads(printed) == {"dir": str(folder)}
    assert folder.exists() == there


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have their cache folders elsewhere")
@pytest.mark.parametrize("home", ["", "unwritable", "missing", "home"])
def test_dir_names_the_folder_that_processes_use(tmp_path: Path, bundle: Path, home: str) -> None:
    """A home that is missing is not made: it may be mounted later."""
    (tmp_path / "unwritable").write_text("in the way")
    (tmp_path / "temporary").mkdir()
    (tmp_path / "home").mkdir()
    variables: Any = {"XDG_CACHE_HOME": "", "HOME": str(tmp_path / home) if home else "", "BUNDLEIMP_CACHE_DIR": ""}
    variables["TMPDIR"] = str(tmp_path / "temporary")
    said = bundleimp_command("cache", "dir", **variables).stdout.rstrip("\n")
    temporary = tmp_path / "temporary" / f"bundleimp-{os.getuid()}"
    assert said == str(tmp_path / "home/.cache/bundleimp" if home == "home" else temporary)
    run_python("-c", USE, path=[bundle], **variables)
    assert sorted(os.listdir(said)) == KINDS
    assert os.stat(said).st_mode & 0o777 == 0o700
    assert bundleimp_command("cache", "dir", **variables).stdout == f"{said}\n"


def test_list_has_kind_name_size_and_last_use_of_every_entry(cache: Cache) -> None:
    cache.age("sites", 3)
    listed = cache.json("list")
    assert sorted(entry["kind"] for entry in listed) == KINDS
    assert listed[0]["kind"] == "sites"  # the least recently used
    for entry in listed:
        path = cache.entries()[entry["kind"]]
        assert (entry["path"], entry["name"]) == (str(path), path.name)
        assert entry["size"] == sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    table = cache.run("list")
    day = listed[0]["last_use"][:10]
    assert f"{day}  sites    {cache.entries()['sites'].name}\n" in table
    assert table.endswith(f"4 entries, {sum(entry['size'] for entry in listed) / 1000:.1f} kB\n")


@pytest.mark.parametrize("action", ["list", "prune", "clear"])
def test_a_cache_that_does_not_exist_yet_is_empty_and_is_not_made(tmp_path: Path, action: str) -> None:
    folder = tmp_path / "cache"
    assert "0 entries, 0 B\n" in bundleimp_command("cache", action, BUNDLEIMP_CACHE_DIR=str(folder)).stdout
    assert not folder.exists()


def test_bytecode_was_used_when_it_was_last_read_or_written(cache: Cache) -> None:
    now = time.time()
    cache.age("code", 9)
    file = min(cache.entries()["code"].rglob("*.pyc"))
    for times, day in (((now - 9 * DAY, now - 5 * DAY), 5), ((now - 2 * DAY, now - 9 * DAY), 2)):
        os.utime(file, times)
        (last,) = (entry.last_use for entry in cache_logic.entries(str(cache.folder)) if entry.kind == "code")
        assert round((now - last) / DAY) == day


# prune and clear


def test_clear_removes_every_entry_and_says_so(cache: Cache) -> None:
    size = sum(entry["size"] for entry in cache.json("list"))
    printed = cache.run("clear")
    assert printed.count("removed  ") == 4
    assert printed.endswith(f"removed 4 entries, {size / 1000:.1f} kB\n")
    assert cache.entries() == {}
    assert [path for path in cache.folder.rglob("*") if not path.is_dir()] == []


@pytest.mark.parametrize("action", ["clear", "prune"])
def test_what_was_removed_is_made_again_when_it_is_needed(cache: Cache, action: str) -> None:
    before = {kind: path.name for kind, path in cache.entries().items()}
    cache.run(action, *(["--older-than", "0"] if action == "prune" else []))
    assert cache.entries() == {}
    cache.use()
    assert {kind: path.name for kind, path in cache.entries().items()} == before


def test_prune_removes_what_was_not_used_for_thirty_days(cache: Cache) -> None:
    for kind, days in zip(KINDS, (29, 31, 0, 31), strict=True):
        cache.age(kind, days)
    removed = cache.json("prune")["removed"]
    assert sorted(entry["kind"] for entry in removed) == ["files", "sites"]
    assert sorted(cache.entries()) == ["code", "folders"]


@pytest.mark.parametrize(("days", "left"), [("4", ["files", "folders", "sites"]), ("2.5", ["folders", "sites"])])
def test_prune_removes_what_was_not_used_for_as_long_as_is_said(cache: Cache, days: str, left: list[str]) -> None:
    for kind, age in zip(KINDS, (5, 3, 1, 0), strict=True):
        cache.age(kind, age)
    cache.run("prune", "--older-than", days)
    assert sorted(cache.entries()) == left


def test_prune_to_a_size_removes_the_least_recently_used_first(cache: Cache) -> None:
    for kind, age in zip(KINDS, (3, 90, 2, 1), strict=True):
        cache.age(kind, age)
    sizes = {entry["kind"]: entry["size"] for entry in cache.json("list")}
    cache.run("prune", "--max-size", str(sum(sizes.values())))
    assert sorted(cache.entries()) == KINDS  # it fits, and no age was given
    rest = sizes["folders"] + sizes["sites"]
    removed = cache.json("prune", "--max-size", f"{(rest + 1) / 1000}kB")["removed"]
    assert [entry["kind"] for entry in removed] == ["files", "code"]
    assert sorted(cache.entries()) == ["folders", "sites"]


@pytest.mark.parametrize(
    "arguments", [["--max-size", "much"], ["--max-size", "-1"], ["--older-than", "nan"], ["--older-than", "-1"]]
)
def test_a_size_or_age_that_is_none_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    assert arguments[1] in error_of("cache", "prune", *arguments, BUNDLEIMP_CACHE_DIR=str(tmp_path))


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["list", "x"], ["clear", "--max-size", "1"]])
def test_bad_usage_is_one_line(arguments: list[str]) -> None:
    assert "--help" in error_of("cache", *arguments)


@pytest.mark.parametrize("age", [0, 2])
@pytest.mark.parametrize("action", ["prune", "clear"])
def test_what_killed_processes_left_is_removed_once_it_can_be_nobodys(cache: Cache, action: str, age: float) -> None:
    code = next(path.parent for path in cache.entries()["code"].rglob("*.pyc"))
    names = ["sites/.12-0123abcd.tmp/pkg/mod.py", f"{code.relative_to(cache.folder)}/.7-00000000.tmp"]
    make_tree(cache.folder, dict.fromkeys([*names, "files/.99-76543210.tmp"], "left"))
    tops = [
        next(path for path in (cache.folder / name, (cache.folder / name).parents[1]) if path.name[0] == ".")
        for name in [*names, "files/.99-76543210.tmp"]
    ]
    then = time.time() - age * DAY
    for top in tops:
        os.utime(top, (then, then))
    cache.age("code", 0)
    os.utime(tops[1], (then, then))
    printed = cache.run(action)
    if age:
        count = 2 if action == "clear" else 3  # one was in an entry that goes
        assert f"{count} left-overs of killed processes\n" in printed
        assert not any(top.exists() for top in tops)
    else:
        assert "left-over" not in printed
        assert [top.exists() for top in tops] == [True, action == "prune", True]


# What is in use


@pytest.fixture(name="user")
def _user(cache: Cache) -> Iterator[subprocess.Popen[str]]:
    """A process that uses an entry of each kind, and looks at its files once it is told to."""
    script = USE + "print('ready', flush=True)\ninput()\nprint([len(open(path).read()) for path in paths])\n"
    environment = clean_environment(PYTHONPATH=str(cache.bundle), BUNDLEIMP_CACHE_DIR=str(cache.folder))
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@needs_processes
@pytest.mark.parametrize("action", [["clear"], ["prune", "--older-than", "0"], ["prune", "--max-size", "0"]])
def test_a_running_process_never_loses_a_file_that_it_uses(
    cache: Cache, user: subprocess.Popen[str], action: list[str]
) -> None:
    for kind in KINDS:
        cache.age(kind, 99)
    printed = cache.run(*action)
    assert printed.count(": in use\n") == 3
    assert printed.count("removed  code/") == 1
    assert sorted(cache.entries()) == ["files", "folders", "sites"]
    assert user.communicate("\n")[0] == "[600, 4, 4]\n"
    assert cache.run(*action).count("removed  ") == 3
    assert cache.entries() == {}


@needs_processes
def test_what_a_killed_process_used_is_not_in_use(cache: Cache, user: subprocess.Popen[str]) -> None:
    user.kill()
    user.wait()
    cache.run("clear")
    assert cache.entries() == {}


def test_a_use_is_noted_once_a_day(cache: Cache) -> None:
    marks = [path / ".bundleimp" for kind, path in cache.entries().items() if kind != "code"]
    for days, noted in ((0.9, False), (1.1, True), (-2, True)):  # the last is a clock that was wrong
        for mark in marks:
            os.utime(mark, (time.time() - days * DAY,) * 2)
        before = [mark.stat().st_mtime for mark in marks]
        cache.use()
        changed = [mark.stat().st_mtime != time_before for mark, time_before in zip(marks, before, strict=True)]
        assert changed == [noted] * 3


# Sites with files of others


OTHER_FILES = ["db.sqlite3", "placed/added.txt", "new/deep/file", ".hidden", ".bundleimp-other/file", "placed/.1-0.tmp"]


@pytest.mark.parametrize("name", OTHER_FILES)
@pytest.mark.parametrize("action", [["clear"], ["prune", "--older-than", "0"], ["prune", "--max-size", "0"]])
def test_a_site_that_a_program_has_written_into_is_kept_and_the_file_is_named(
    cache: Cache, action: list[str], name: str
) -> None:
    site = cache.entries()["sites"]
    before = sorted(site.rglob("*"))
    other = make_tree(site, {name: "mine"}) / name
    printed = cache.run(*action, status=1)
    assert f": {other} is not a file of the bundle; move or delete it\n" in printed
    assert printed.count("removed  ") == 3
    assert cache.entries() == {"sites": site}
    assert set(before) < set(site.rglob("*"))
    assert other.read_text() == "mine"
    other.unlink()
    assert "removed 1 entry" in cache.run(*action)
    assert cache.entries() == {}


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("name", ["link", "placed/link", ".bundleimp-units"])
@pytest.mark.parametrize("target", ["file", "folder", "nothing"])
def test_a_site_with_a_link_of_a_program_is_kept(cache: Cache, tmp_path: Path, name: str, target: str) -> None:
    """So is one with lists behind a link: this is not ours."""
    listed = "placed/__init__.py\0placed/table.txt"
    outside = make_tree(tmp_path / "outside", {"file": "mine", "folder/x.files": listed})
    site = cache.entries()["sites"]
    if (site / name).exists():
        (site / name).rename(tmp_path / "moved")
    (site / name).symlink_to(outside / target)
    assert " is not a file of the bundle" in cache.run("clear", status=1)
    assert (site / "placed" / "table.txt").exists()
    assert (outside / "file").read_text() == "mine"


def test_a_folder_with_the_name_of_a_site_and_no_list_is_kept(tmp_path: Path) -> None:
    folder = make_tree(tmp_path / "cache", {f"sites/{KEY}.pybundle/pkg/mod.py": "mine"})
    folder.chmod(0o700)
    cache = Cache(folder, folder)
    assert " is not a file of the bundle" in cache.run("clear", status=1)
    assert (folder / "sites" / f"{KEY}.pybundle" / "pkg" / "mod.py").read_text() == "mine"


def test_bytecode_that_an_interpreter_or_a_tool_has_added_keeps_no_site(cache: Cache) -> None:
    site = cache.entries()["sites"]
    make_tree(site, {"placed/__pycache__/__init__.cpython-311-pytest-9.pyc": "bytecode"})
    assert cache.run("clear").count("removed  ") == 4
    make_tree(cache.folder, {f"sites/{KEY}.pybundle/placed/sourceless.pyc": "bytecode"})
    assert " is not a file of the bundle" in cache.run("clear", status=1)


@needs_processes
@pytest.mark.parametrize("action", [["clear"], ["prune", "--older-than", "0"]])
def test_an_unpacked_bundle_that_a_program_has_written_into_is_kept(
    bundle: Path, tmp_path: Path, action: list[str]
) -> None:
    cache = Cache(tmp_path / "cache", bundle)
    run_python("-c", USE, path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache.folder), BUNDLEIMP_UNPACK="1")
    assert sorted(cache.entries()) == ["unpacked"]
    other = cache.entries()["unpacked"] / "db.sqlite3"
    other.write_text("mine")
    assert f": {other} is not a file of the bundle" in cache.run(*action, status=1)
    assert other.read_text() == "mine"
    other.unlink()
    cache.run(*action)
    assert cache.entries() == {}


@needs_processes
@pytest.mark.parametrize("moved", [0, 1])
def test_what_a_process_had_placed_when_it_was_killed_does_not_keep_the_site(
    cache: Cache, tmp_path: Path, moved: int
) -> None:
    """Nor does an empty folder that a program has made."""
    killed = f"""
import os, signal
from bundleimp.runtime.site import filling
left = {moved}
def move(*places, really=filling._move):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    really(*places)
filling._move = move
import placed
"""
    folder = tmp_path / "new"
    result = run_python("-c", killed, path=[cache.bundle], check=False, BUNDLEIMP_CACHE_DIR=str(folder))
    assert result.returncode < 0
    (site,) = (folder / "sites").glob("*.pybundle")
    assert [path.suffix for path in site.glob(".bundleimp-units/*")].count(".whole") == 0
    assert len([path for path in site.glob("*/*") if not path.parent.name.startswith(".")]) == moved
    (site / "empty").mkdir()
    assert "removed 1 entry" in Cache(folder, cache.bundle).run("clear")
    assert list((folder / "sites").glob("*.pybundle")) == []


# Never anything else


def test_nothing_but_what_is_named_as_an_entry_is_listed_or_removed(tmp_path: Path) -> None:
    """Though somebody may have made a folder with other things in it the cache."""
    tree = dict.fromkeys(
        [
            *("code/project/main.py", "sites/example.org/index", "files/letter.txt", "folders/.hidden/x", "notes.txt"),
            *(f"code/{KEY}0/a", f"sites/{KEY}/a", f"sites/pkg-{KEY}.pybundle/a", f"files/{KEY.upper()}/a"),
            f"other/{KEY}/a",
        ],
        "mine",
    )
    folder = make_tree(tmp_path / "home", tree)
    folder.chmod(0o700)
    then = time.time() - 99 * DAY
    for path in folder.rglob("*"):
        os.utime(path, (then, then))
    for action in ("list", "prune", "clear"):
        assert "0 entries" in bundleimp_command("cache", action, BUNDLEIMP_CACHE_DIR=str(folder)).stdout
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == set(tree)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("action", ["list", "prune", "clear"])
def test_links_in_the_cache_are_never_followed(cache: Cache, tmp_path: Path, action: str) -> None:
    outside = make_tree(tmp_path / "outside", {f"{KEY}/file": "mine", "file": "mine", ".1-00000000.tmp": "mine"})
    links = {
        cache.folder / "code" / KEY: outside / KEY,
        cache.folder / "files" / KEY: outside / "nothing",
        cache.folder / "sites" / f"{KEY}.pybundle": outside / "file",
        cache.folder / "sites" / ".5-00000000.tmp": outside,
        next(cache.entries()["folders"].glob("*/folder")) / "link": outside,
    }
    for link, target in links.items():
        link.symlink_to(target)
    for path in outside.rglob("*"):
        os.utime(path, (1, 1))
    before = {path: path.stat().st_ino for path in outside.rglob("*")}
    if action == "list":
        assert len(cache.json("list")) == 7
    else:
        for link in links:
            os.utime(link, (1, 1), follow_symlinks=False)
        cache.age("folders", 99)
        cache.run(action)
        assert not any(link.is_symlink() for link in links)
    assert {path: path.stat().st_ino for path in outside.rglob("*")} == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_left_overs_are_not_looked_for_behind_a_link_or_in_what_is_not_ours(cache: Cache, tmp_path: Path) -> None:
    outside = make_tree(tmp_path / "outside", {".1-00000000.tmp": "mine"})
    (cache.folder / "code" / KEY).symlink_to(outside)
    make_tree(cache.folder / "code" / "project", {".1-00000000.tmp": "mine"})
    kept = [outside / ".1-00000000.tmp", cache.folder / "code" / "project" / ".1-00000000.tmp"]
    for path in kept:
        os.utime(path, (1, 1))
    assert "left-over" not in cache.run("prune", "--max-size", "1TB")
    assert all(path.exists() for path in kept)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_is_a_link_is_left_alone_because_others_may_use_what_is_behind_it(
    cache: Cache, tmp_path: Path, kind: str
) -> None:
    (cache.folder / kind).rename(tmp_path / "elsewhere")
    (cache.folder / kind).symlink_to(tmp_path / "elsewhere")
    cache.run("clear")
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1
    assert (cache.folder / kind).is_symlink()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no other users here")
@pytest.mark.parametrize("action", ["dir", "list", "prune", "clear"])
@pytest.mark.parametrize("fault", ["mode", "owner", "file"])
def test_a_cache_that_is_not_trusted_is_refused_with_one_line(cache: Cache, action: str, fault: str) -> None:
    reasons = {
        "mode": "can be written to by other users",
        "owner": "belongs to another user",
        "file": "is not a folder",
    }
    if fault == "mode":
        cache.folder.chmod(0o770)
    elif fault == "owner":
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown(cache.folder, 12345, -1)
    before = sorted(cache.folder.rglob("*"))
    path = cache.folder if fault != "file" else before[-1] if before[-1].is_file() else cache.bundle
    variables: Any = {"BUNDLEIMP_CACHE_DIR": str(path)}
    if fault == "owner":  # one that this variable names may be another user's
        path = cache.folder.rename(cache.folder.with_name("bundleimp"))
        before = sorted(path.rglob("*"))
        variables = {"BUNDLEIMP_CACHE_DIR": "", "XDG_CACHE_HOME": str(path.parent)}
    text = error_of("cache", action, **variables)
    reason = reasons.get(fault, "is not a folder")
    expected = f"{path}: this cache folder is not used: it {reason}; set BUNDLEIMP_CACHE_DIR to another"
    assert text == expected
    assert sorted(path.rglob("*") if fault != "file" else cache.folder.rglob("*")) == before


def test_what_cannot_be_removed_is_named_and_the_status_says_so(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: str, _aside: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setenv("BUNDLEIMP_CACHE_DIR", str(cache.folder))
    monkeypatch.setattr(os, "rename", refuse)
    assert main(["cache", "clear"]) == 1
    printed = capsys.readouterr()
    assert (printed.out.count(": cannot be removed: Permission denied\n"), printed.err) == (4, "")
    assert printed.out.endswith("removed 0 entries, 0 B\n")
