"""What ``pack`` leaves out of directories, what ``--include`` and ``--exclude`` say instead, and how it is reported."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing.choice import Choice
from bundleimp.packing.collect import collect
from bundleimp.packing.errors import PackError
from bundleimp.packing.leftout import LeftOut, summary

from .builders import Tree, make_bundle, make_tree
from .command_line import bundleimp_command, error_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="links and pipes need a privilege or are missing there"
)

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


def pack(source: Path, **options: Any) -> bundleimp.PackReport:
    return bundleimp.pack([source], source.parent / "out.pybundle", jobs=1, bytecode=False, **options)


def members(source: Path, **options: Any) -> list[str]:
    """Pack *source*, and return the names of the members."""
    report = pack(source, **options)
    return [member.name for member in bundleimp.open_bundle(report.output).members]


def left_out(source: Path, **options: Any) -> dict[str, str]:
    """Pack *source*, and return what was left out, with the reasons."""
    return {item.name: item.reason for item in pack(source, **options).left_out}


def warnings(source: Path, **options: Any) -> list[str]:
    return [f"{warning.member}: {warning.message}" for warning in pack(source, **options).warnings]


LEFT_OUT: list[tuple[str, str, str, str]] = [
    # name of a file, its content, what is left out, the reason
    (".env", "S=1", ".env", "secret"),
    ("pkg/conf/.env", "S=1", "pkg/conf/.env", "secret"),
    ("pkg/.env.production", "S=1", "pkg/.env.production", "secret"),
    ("pkg/.envrc", "S=1", "pkg/.envrc", "secret"),
    ("pkg/.netrc", "", "pkg/.netrc", "secret"),
    ("id_rsa", "any", "id_rsa", "secret"),
    ("pkg/keys/id_ed25519", "any", "pkg/keys/id_ed25519", "secret"),
    ("pkg/store.p12", "any", "pkg/store.p12", "secret"),
    ("pkg/server.pem", KEY, "pkg/server.pem", "secret"),
    ("pkg/chain.crt", CERTIFICATE + KEY, "pkg/chain.crt", "secret"),
    ("pkg/deploy", KEY, "pkg/deploy", "secret"),
    ("pkg/rsa.KEY", "-----BEGIN RSA PRIVATE KEY-----\n", "pkg/rsa.KEY", "secret"),
    ("pkg/mine.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "pkg/mine.asc", "secret"),
    ("pkg/account.json", json.dumps({"private_key": KEY}), "pkg/account.json", "secret"),
    (".github/workflows/ci.yml", "", ".github", "hidden"),
    (".pre-commit-config.yaml", "", ".pre-commit-config.yaml", "hidden"),
    ("env2/pyvenv.cfg", "", "env2", "virtual environment"),
    ("pkg/deep/venv/pyvenv.cfg", "", "pkg/deep/venv", "virtual environment"),
    ("conda/conda-meta/history", "", "conda", "virtual environment"),
    ("pkg/.git/config", "", "pkg/.git", "version control"),
    ("pkg/CVS/Root", "", "pkg/CVS", "version control"),
    ("pkg/.mypy_cache/x.json", "", "pkg/.mypy_cache", "cache"),
    ("pkg/.tox/x", "", "pkg/.tox", "cache"),
    ("pkg/.coverage.host.1", "", "pkg/.coverage.host.1", "cache"),
    ("pkg/node_modules/a/a.js", "", "pkg/node_modules", "cache"),
    ("pkg/odd/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55", "pkg/odd", "cache"),
    ("pkg/old.pybundle", "", "pkg/old.pybundle", "bundle"),
    ("pkg/old.pybundle.sig", "", "pkg/old.pybundle.sig", "bundle"),
    ("pkg/.mod.py.swp", "", "pkg/.mod.py.swp", "editor file"),
]


@pytest.mark.parametrize(("name", "text", "out", "reason"), LEFT_OUT, ids=[case[0] for case in LEFT_OUT])
def test_what_is_not_meant_to_be_shipped_is_left_out_and_reported(
    tmp_path: Path, name: str, text: str, out: str, reason: str
) -> None:
    source = make_tree(tmp_path / "src", {"pkg/__init__.py": "", name: text})
    assert members(source) == ["pkg/__init__.py"]
    assert left_out(source) == {out: reason}


@pytest.mark.parametrize("name", [case[0] for case in LEFT_OUT])
def test_include_keeps_what_it_names(tmp_path: Path, name: str) -> None:
    tree = {"pkg/__init__.py": "", **{case[0]: case[1] for case in LEFT_OUT if case[0] == name}}
    source = make_tree(tmp_path / "src", tree)
    assert members(source, include=[name]) == sorted(tree)
    assert left_out(source, include=[name]) == {}
    assert warnings(source, include=[name]) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pkg/.hidden", ""),
        ("pkg/.github/workflows/ci.yml", ""),
        ("pkg/.streamlit/config.toml", ""),
        ("pkg/template/.gitignore", "*.log"),
        ("pkg/.env.example", "S="),
        ("pkg/env.py", ""),
        ("pkg/cert.pem", CERTIFICATE),
        ("pkg/public.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
        ("pkg/test_keys.py", f"KEY = '''{KEY}'''"),
        ("pkg/keys.md", KEY),
        ("pkg/id_rsa/__init__.py", ""),
        ("pkg/id_rsa.pub", "ssh-rsa AAAA"),
        ("pkg/a.pybundle/mod.py", ""),
        ("build/__init__.py", ""),
        ("dist/mod.py", ""),
        ("gitlab.py", ""),
        ("environment/mod.py", ""),
        ("pkg/archive.zip", "PK" + "x" * 100),
        ("pkg/empty", ""),
    ],
)
def test_what_only_looks_like_it_is_packed(tmp_path: Path, name: str, text: str) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": "", name: text})
    assert members(source) == sorted(["mod.py", name])
    assert left_out(source) == {}


def test_build_and_dist_beside_a_project_file_are_left_out_unless_they_are_packages(tmp_path: Path) -> None:
    project = "[tool.ruff]\n"
    tree: Tree = {
        **dict.fromkeys(["pkg/__init__.py", "build/lib/pkg/__init__.py", "dist/x.whl", "part/dist/x.whl"], ""),
        **dict.fromkeys(["part/build/__init__.py", "pkg/dist/mod.py"], ""),
        **dict.fromkeys(["pyproject.toml", "part/pyproject.toml"], project),
    }
    source = make_tree(tmp_path / "src", tree)
    assert left_out(source) == dict.fromkeys(["build", "dist", "part/dist"], "build output")
    assert {"part/build/__init__.py", "pkg/dist/mod.py"} < set(members(source))


def test_a_package_that_is_a_source_has_the_same_rules(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "pkg", {"__init__.py": "", ".git/config": "", ".env": "", "sub/.data": ""})
    assert members(source) == ["pkg/__init__.py", "pkg/sub/.data"]
    assert left_out(source) == {"pkg/.env": "secret", "pkg/.git": "version control"}
    assert members(source, include=["pkg/.env"]) == ["pkg/.env", "pkg/__init__.py", "pkg/sub/.data"]


def test_bundles_are_known_by_their_content_under_names_of_programs(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    for layout in ("flat", "nested"):
        make_bundle(tmp_path / "b.pybundle", {"app/__init__.py": ""}, layout=layout).rename(source / layout)
    (source / "data.bin").write_bytes((source / "flat").read_bytes())
    assert members(source) == ["data.bin", "mod.py"]
    assert left_out(source) == {"flat": "bundle", "nested": "bundle"}


def test_what_a_record_lists_is_never_left_out(tmp_path: Path) -> None:
    recorded = [
        ".libs/a.so",
        "pkg/.env",
        "pkg/key.pem",
        "pkg/node_modules/a.js",
        "pkg/venv/pyvenv.cfg",
        "pkg/x.pybundle",
    ]
    recorded += ["pkg/.git/x", "pkg/build/CACHEDIR.TAG"]
    record = "".join(f"{name},,\n" for name in [*recorded, "pkg-1.0.dist-info/RECORD"])
    others = [".libs/b.so", ".libs/sub/c.so", "pkg/node_modules/b.js", "pkg/build/y", "pkg/venv/z", "pkg/.git/y"]
    tree = dict.fromkeys([*recorded, *others], KEY) | {"pkg-1.0.dist-info/RECORD": record}
    source = make_tree(tmp_path / "site", tree)
    assert members(source) == sorted([*recorded, "pkg-1.0.dist-info/RECORD"])
    # What is not recorded in there is left out with its folder.
    assert list(left_out(source)) == [".libs", "pkg/.git", "pkg/build", "pkg/node_modules", "pkg/venv"]


def test_include_reaches_into_what_is_left_out_and_keeps_the_rest_out(tmp_path: Path) -> None:
    tree = [".github/workflows/ci.yml", ".github/workflows/old.yml", ".github/other/a.txt", "mod.py"]
    source = make_tree(tmp_path / "src", dict.fromkeys(tree, ""))
    assert members(source, include=[".github/workflows/ci.yml"]) == [".github/workflows/ci.yml", "mod.py"]
    assert left_out(source, include=[".github/workflows/ci.yml"]) == {".github": "hidden"}
    assert members(source, include=["./.github/workflows/"]) == [*tree[:2], "mod.py"]
    assert members(source, include=[".git*/*/c?.yml"]) == [tree[0], "mod.py"]


def test_a_folder_that_is_included_brings_no_secrets(tmp_path: Path) -> None:
    tree: Tree = {".conf/a.txt": "", ".conf/.env": "S=1", ".conf/sub/id_rsa": KEY, ".conf/sub/k.pem": KEY, "mod.py": ""}
    source = make_tree(tmp_path / "src", tree)
    assert members(source, include=[".conf"]) == [".conf/a.txt", "mod.py"]
    assert set(left_out(source, include=[".conf"])) == {".conf/.env", ".conf/sub/id_rsa", ".conf/sub/k.pem"}
    assert members(source, include=[".conf", ".conf/*"]) == sorted(tree)
    assert members(source, include=["*"]) == sorted(tree)


def test_exclude_overrules_include_and_is_not_reported(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {".env": "S=1", ".venv/pyvenv.cfg": "", "mod.py": ""})
    assert members(source, include=[".env"], exclude=[".env"]) == ["mod.py"]
    # The user has said it already.
    assert left_out(source, exclude=[".env", ".venv"]) == {}
    assert warnings(source, exclude=[".env", ".venv"]) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"exclude": ["*.md"]}, ["--exclude '*.md': matches nothing that would be packed"]),
        ({"exclude": ["test/", "tests/"]}, ["--exclude 'test/': matches nothing that would be packed"]),
        ({"exclude": ["tests", "tests/data", "tests/data/*.txt"]}, []),
        ({"exclude": ["__pycache__"]}, []),
        ({"include": ["pkg"]}, ["--include 'pkg': matches nothing that is left out, so it has no effect"]),
        ({"include": ["*.pem"]}, ["--include '*.pem': matches nothing that is left out, so it has no effect"]),
        ({"include": [".env", ".env"]}, []),
        ({"include": [".e?v"], "exclude": ["tests"]}, []),
    ],
    ids=str,
)
def test_a_glob_that_matches_nothing_is_a_warning(
    tmp_path: Path, options: dict[str, Sequence[str]], expected: list[str]
) -> None:
    tree = ["pkg/__init__.py", "pkg/__pycache__/__init__.cpython-311.pyc", "tests/data/a.txt", ".env"]
    source = make_tree(tmp_path / "src", dict.fromkeys(tree, ""))
    assert warnings(source, **options) == expected


def test_an_exclude_that_matches_in_one_source_of_many_is_no_warning(tmp_path: Path) -> None:
    sources = [make_tree(tmp_path / name, {f"{name}.py": "", f"{name}.txt": ""}) for name in ("one", "two")]
    report = bundleimp.pack(sources, tmp_path / "out.pybundle", exclude=["two.txt"], jobs=1)
    assert report.warnings == []


def unreadable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no one list *path* or what is in it; a mode would not stop root."""
    real = os.listdir

    def listdir(folder: Any = ".") -> list[Any]:
        if str(path) in str(folder):
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "listdir", listdir)


@pytest.mark.parametrize("name", [".venv", ".git", "node_modules", ".anything"])
def test_what_is_left_out_is_not_read(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": "", f"{name}/secret/x": ""})
    unreadable(source / name, monkeypatch)
    assert members(source) == ["mod.py"]
    with pytest.raises(PackError, match=f"{name}: cannot be read: Permission denied"):
        pack(source, include=[name])


def test_what_is_in_a_virtual_environment_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": "", "env2/pyvenv.cfg": "", "env2/lib/x": ""})
    unreadable(source / "env2/lib", monkeypatch)
    assert members(source) == ["mod.py"]


@needs_posix
def test_links_are_left_out_by_their_names_wherever_they_lead(tmp_path: Path) -> None:
    make_tree(tmp_path, {"secrets": KEY, "envs/one/pyvenv.cfg": "", "store/pkg.txt": ""})
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    for name, target in {
        ".env": tmp_path / "secrets",
        "key": tmp_path / "secrets",
        "current": tmp_path / "envs/one",
        ".venv": tmp_path / "gone",
        ".#mod.py": tmp_path / "user@host.1234:5",
        "data": tmp_path / "store",
        ".circle": source,
    }.items():
        (source / name).symlink_to(target)
    assert members(source) == ["data/pkg.txt", "mod.py"]
    assert set(left_out(source)) == {".env", "key", "current", ".venv", ".#mod.py", ".circle"}


@needs_posix
def test_what_is_no_file_and_left_out_is_not_opened(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    for name in (".pipe", "id_rsa"):
        os.mkfifo(source / name)
    assert members(source) == ["mod.py"]
    os.mkfifo(source / "key.pem")
    with pytest.raises(PackError, match=r"key\.pem: is neither a file nor a directory"):
        pack(source)


@pytest.mark.parametrize("inside", ["app.pybundle", "pkg/app.pybundle"])
def test_an_output_inside_its_source_is_no_member_of_itself(tmp_path: Path, inside: str) -> None:
    source = make_tree(tmp_path / "src", {"pkg/__init__.py": "", "mod.py": ""})
    output = source / inside
    reports = []
    contents = set()
    for include in ([], [], ["*.pybundle"]):
        reports.append(bundleimp.pack([source], output, include=include, jobs=1))
        contents.add(output.read_bytes())
    assert len(contents) == 1
    assert [report.left_out for report in reports] == [[], [], []]
    bundle = bundleimp.open_bundle(output)
    assert [member.name for member in bundle.members] == ["mod.py", "pkg/__init__.py"]
    assert bundle.verify() == []


@needs_posix
def test_an_output_that_a_link_leads_to_is_no_member_of_itself(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    (tmp_path / "link").symlink_to(source)
    (source / "current").symlink_to("app.pybundle")
    for _ in range(2):
        (source / "current").unlink()
        bundleimp.pack([source], tmp_path / "link/app.pybundle", jobs=1)
        (source / "current").symlink_to("app.pybundle")
    bundleimp.pack([source], tmp_path / "link/app.pybundle", include=["current"], jobs=1)
    assert [member.name for member in bundleimp.open_bundle(source / "app.pybundle").members] == ["mod.py"]


def test_an_output_that_is_a_file_of_the_source_is_an_error(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": "x = 1\n"})
    with pytest.raises(PackError, match="is a file of the source and would be replaced"):
        collect([source], Choice(output=source / "mod.py"))
    make_bundle(tmp_path / "b.pybundle", {"app.py": ""}).rename(source / "program")
    assert [file.member for file in collect([source], Choice(output=source / "program"))] == ["mod.py"]


def test_a_virtual_environment_as_a_source_is_an_error_that_names_the_option(tmp_path: Path) -> None:
    make_tree(tmp_path / "env", {"pyvenv.cfg": "", "lib/mod.py": ""})
    text = error_of("pack", tmp_path / "env", tmp_path / "out.pybundle")
    assert text == f"{tmp_path / 'env'}: is a virtual environment; pack what is installed in it with --from-venv"
    assert not (tmp_path / "out.pybundle").exists()


def test_a_source_of_which_all_is_left_out_is_an_error_that_says_so(tmp_path: Path) -> None:
    make_tree(tmp_path / "src", {".env": "", ".git/config": ""})
    text = error_of("pack", "src", "out.pybundle", cwd=tmp_path)
    assert text.endswith("the sources give no file; left out: .env, .git (keep with --include GLOB)")


def test_the_command_says_in_one_line_what_was_left_out(tmp_path: Path) -> None:
    tree: Tree = {"shop/__init__.py": "", ".env": "", ".venv/pyvenv.cfg": "", "build/x.py": "", "pyproject.toml": ""}
    source = make_tree(tmp_path / "src", tree | dict.fromkeys([f"shop/{number}.pybundle" for number in range(4)], ""))
    line = "bundleimp: left out: .env, .venv, build, 4 bundles (keep with --include GLOB)\n"
    assert bundleimp_command("pack", source, tmp_path / "out.pybundle").stderr == line
    assert bundleimp_command("pack", "--quiet", source, tmp_path / "out.pybundle").stderr == ""


def test_json_has_all_that_was_left_out(tmp_path: Path) -> None:
    make_tree(tmp_path / "src", {"mod.py": "", ".env": "", "a/.git/config": ""})
    report = json.loads(bundleimp_command("pack", "--json", tmp_path / "src", tmp_path / "out.pybundle").stdout)
    assert report["left_out"] == [
        {"name": ".env", "reason": "secret"},
        {"name": "a/.git", "reason": "version control"},
    ]


def test_the_summary_is_short_and_names_secrets_first() -> None:
    items = [LeftOut(f".dot{number}", "hidden") for number in range(20)]
    items += [LeftOut(f"k{number}.pem", "secret") for number in range(12)]
    items += [LeftOut("a/node_modules", "cache"), LeftOut("b/.tox", "cache")]
    secrets = ", ".join(sorted(f"k{number}.pem" for number in range(12))[:10])
    assert summary(items) == f"{secrets}, 2 more secrets, 20 names with a dot in front, a/node_modules, b/.tox"


def test_a_name_that_moves_the_cursor_is_escaped(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    try:
        (source / ".x\x1b[2J").touch()
    except OSError:
        pytest.skip("no such names here")
    assert "\x1b" not in bundleimp_command("pack", source, tmp_path / "out.pybundle").stderr
