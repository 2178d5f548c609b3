"""``pack --profile``: bytecode lies in the order in which a program reads it, and nothing else changes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.runtime.archive import code_tag

from .archives import index_of
from .builders import Tree, make_bundle, make_tree, run_python
from .command_line import bundleimp_command, error_of
from .platforms import needs_processes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_processes

TREE: Tree = {
    "alpha.py": "import sys\n",
    "beta.py": "import pkg.deep.last\nimport alpha\n",
    "lonely.py": "",
    "pkg/__init__.py": "from . import first\n",
    "pkg/__main__.py": "import sys, importlib\nimportlib.import_module('plugin.part')\nprint('out')\nimport beta\n",
    "pkg/deep/__init__.py": "import pkg.later\n",
    "pkg/deep/last.py": "",
    "pkg/first.py": "",
    "pkg/later.py": "",
    "plugin/__init__.py": "",
    "plugin/part.py": "",
    "table.txt": "row\n" * 100,
}
READ_BY_PKG = (
    *("pkg/__init__.py", "pkg/first.py", "pkg/__main__.py", "plugin/__init__.py", "plugin/part.py", "beta.py"),
    *("pkg/deep/__init__.py", "pkg/later.py", "pkg/deep/last.py", "alpha.py"),
)
READ_BY_BETA = (
    *("beta.py", "pkg/__init__.py", "pkg/first.py", "pkg/deep/__init__.py", "pkg/later.py", "pkg/deep/last.py"),
    "alpha.py",
)


def placed(bundle: Path) -> list[str]:
    """Return the members that have bytecode, in the order in which it lies in the file."""
    index = index_of(bundle.read_bytes())
    column = [tag.name for tag in index.tags].index(code_tag())
    codes = [(item.codes[column], item.member.name) for item in index.members]
    return [name for _, name in sorted((code.offset, name) for code, name in codes if code is not None)]


def rest(*ordered: str) -> list[str]:
    return sorted(name for name in TREE if name.endswith(".py") and name not in ordered)


def profiled(folder: Path, profile: Any, **options: Any) -> Path:
    return make_bundle(folder / "out.pybundle", TREE, profile=profile, **options)


def listing(folder: Path, code: str, *, tree: Tree = TREE) -> Path:
    """Return a file with what ``-X importtime`` prints when *code* runs over *tree*."""
    source = make_tree(folder / "listed", tree)
    output = folder / "imports.txt"
    output.write_text(run_python("-X", "importtime", "-c", code, path=[source]).stderr)
    return output


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize(
    "command", ["-m pkg", "python -m pkg", "python3 -m pkg", f"{shlex.quote(sys.executable)} -m pkg"]
)
def test_what_the_command_imports_comes_first_in_the_order_in_which_it_is_read(
    tmp_path: Path, command: str, layout: str
) -> None:
    bundle = profiled(tmp_path, command, layout=layout)
    assert placed(bundle) == [*READ_BY_PKG, *rest(*READ_BY_PKG)]
    assert bundleimp.open_bundle(bundle).verify() == []
    assert run_python("-m", "pkg", path=[bundle]).stdout == "out\n"


def test_words_are_quoted_as_in_a_shell(tmp_path: Path) -> None:
    bundle = profiled(tmp_path, "-c 'import lonely; import beta'")
    assert placed(bundle)[:2] == ["lonely.py", "beta.py"]


def test_what_child_processes_import_counts(tmp_path: Path) -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import lonely'], check=True); import beta"
    assert placed(profiled(tmp_path, f'-c "{program}"'))[:2] == ["lonely.py", "beta.py"]


def test_the_command_sees_what_is_packed_and_not_the_sources(tmp_path: Path) -> None:
    program = "import os, pkg; folder = os.path.dirname(pkg.__path__[0]); assert sorted(os.listdir(folder)) == {}"
    names = ["alpha.py", "beta.py", "pkg", "plugin", "table.txt"]
    quoted = shlex.quote(program.format(names))
    assert placed(profiled(tmp_path, f"-c {quoted}", exclude=["lonely.py"]))[0] == "pkg/__init__.py"


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no permission to run")
def test_a_file_that_may_be_run_is_a_command(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c 'import lonely, beta'\n")
    program.chmod(0o700)
    assert placed(profiled(tmp_path, str(program)))[:2] == ["lonely.py", "beta.py"]


def test_the_command_does_not_see_the_sources_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tree(tmp_path / "sources", TREE | {"run.py": "import beta\n"})
    monkeypatch.chdir(tmp_path / "sources")
    for command in ("-c 'import beta'", "-m beta", "python run.py"):
        assert placed(profiled(tmp_path, command))[: len(READ_BY_BETA)] == list(READ_BY_BETA)


def test_unfinished_lines_of_the_program_hide_nothing(tmp_path: Path) -> None:
    program = "import sys; sys.stderr.write('loading ... '); import lonely, beta"
    assert placed(profiled(tmp_path, f'-c "{program}"'))[:2] == ["lonely.py", "beta.py"]


def test_what_the_command_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    child = "import sys; sys.stdin.read()"
    program = (
        "import os, subprocess, sys, beta; ends = os.pipe();"
        f" child = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=ends[0], pass_fds=[ends[1]]);"
        " open(os.environ['NUMBER'], 'w').write(str(child.pid)); os._exit(0)"
    )
    number = tmp_path / "number"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBER", str(number))
        bundle = profiled(tmp_path, f"-c {shlex.quote(program)}")
    os.kill(int(number.read_text()), signal.SIGKILL)  # it is still there: it holds the pipe that it waits for
    assert placed(bundle)[: len(READ_BY_BETA)] == list(READ_BY_BETA)


def test_the_order_of_sets_gives_the_same_bytes(tmp_path: Path) -> None:
    command = "-c \"for name in {'alpha', 'beta', 'lonely'}: __import__(name)\""
    assert len({profiled(tmp_path, command).read_bytes() for _ in range(4)}) == 1


def test_a_file_of_importtime_may_be_deep(tmp_path: Path) -> None:
    lines = [f"import time: 1 | 1 | {'  ' * depth}{name}" for depth, name in enumerate(["beta", *["other"] * 3000])]
    output = tmp_path / "imports.txt"
    output.write_text("\n".join(reversed(lines)))
    assert placed(profiled(tmp_path, output))[0] == "beta.py"


def test_a_file_of_importtime_gives_the_order(tmp_path: Path) -> None:
    bundle = profiled(tmp_path, listing(tmp_path, "import beta"))
    assert placed(bundle) == [*READ_BY_BETA, *rest(*READ_BY_BETA)]


def test_a_package_that_the_file_does_not_list_stands_before_its_modules(tmp_path: Path) -> None:
    output = listing(tmp_path, "import importlib; importlib.import_module('beta'); import pkg.later")
    assert " beta\n" not in output.read_text()
    assert placed(profiled(tmp_path, output))[:3] == ["pkg/__init__.py", "pkg/first.py", "pkg/deep/__init__.py"]


def test_other_lines_in_the_file_do_not_matter(tmp_path: Path) -> None:
    output = listing(tmp_path, "import beta")
    noise = "a warning\nimport time: self [us] | cumulative | imported package\nimport time: cached | cached | lonely\n"
    output.write_bytes(noise.encode() + b"\xff\n" + output.read_bytes())
    assert placed(profiled(tmp_path, output))[: len(READ_BY_BETA)] == list(READ_BY_BETA)


def test_a_package_is_meant_where_a_module_has_its_name(tmp_path: Path) -> None:
    tree: Tree = {"a.py": "", "both/__init__.py": "", "both.py": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, profile=listing(tmp_path, "import both", tree=tree))
    assert placed(bundle) == ["both/__init__.py", "a.py", "both.py"]


def test_the_program_starts_with_its_main_module(tmp_path: Path) -> None:
    tree: Tree = {"app.py": "import other\ndef main(): return 0\n", "another.py": "", "other.py": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, entry_point="app:main", profile="-c 'import app'")
    started = ["__main__.py", "__children__/sitecustomize.py"]
    assert placed(bundle) == [*started, "app.py", "other.py", "another.py"]


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    output = listing(tmp_path, "import beta")
    first = profiled(tmp_path / "a", "-c 'import beta'").read_bytes()
    assert profiled(tmp_path / "b", output).read_bytes() == first
    assert profiled(tmp_path / "c", output, jobs=2).read_bytes() == first
    assert profiled(tmp_path / "d", None).read_bytes() != first


def test_only_the_place_of_bytecode_changes(tmp_path: Path) -> None:
    plain = profiled(tmp_path / "plain", None)
    ordered = profiled(tmp_path / "ordered", "-m pkg")
    bundles = [bundleimp.open_bundle(path) for path in (plain, ordered)]
    before, after = ([(member.name, member.offset) for member in bundle.members] for bundle in bundles)
    assert before == after
    assert placed(plain) == rest()
    manifests = [bundle.manifest or {} for bundle in bundles]
    assert manifests[1] == manifests[0] | {"ordered": len(READ_BY_PKG)}


def test_the_report_says_how_many_modules_are_in_order(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", TREE)
    output = tmp_path / "out.pybundle"
    text = bundleimp_command("pack", source, output, "--profile", "-m pkg").stdout
    assert f", {len(READ_BY_PKG)} of them in the order of the profile, flat\n" in text
    report = json.loads(bundleimp_command("pack", "--json", source, output, "--profile", "-m pkg").stdout)
    assert report["ordered"] == len(READ_BY_PKG)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("-c 'import sys; sys.exit(\"no such day\")'", "failed with exit status 1: no such day"),
        ("-c 'raise ValueError(3)'", "failed with exit status 1: ValueError: 3"),
        ("-c 'import sys; sys.exit(7)'", "failed with exit status 7"),
        (
            "no-such-program-anywhere x",
            "is neither a file nor a command that can be started: ",
        ),
        ("-c 'import", "is not a command: no closing quotation"),
        (" ", "is not a command"),
        ("-c pass", "imports none of the modules that are packed"),
        ("-I -c 'import sys'", "imports none of the modules that are packed"),
    ],
)
def test_a_command_that_gives_no_order_is_an_error(tmp_path: Path, command: str, message: str) -> None:
    source = make_tree(tmp_path / "src", TREE)
    output = tmp_path / "out.pybundle"
    output.write_bytes(b"as it was")
    # In the form that no parser takes for another option.
    assert error_of("pack", source, output, f"--profile={command}").startswith(f"profile: {command!r} {message}")
    assert output.read_bytes() == b"as it was"


def test_a_file_without_import_times_is_an_error(tmp_path: Path) -> None:
    output = tmp_path / "imports.txt"
    output.write_text("import time: a long one\n")
    with pytest.raises(bundleimp.BundleError) as caught:
        profiled(tmp_path, output)
    assert str(caught.value).startswith(f"{output}: is not an output of python -X importtime")


def test_a_file_that_lists_nothing_that_is_packed_is_an_error(tmp_path: Path) -> None:
    output = listing(tmp_path, "import json")
    with pytest.raises(bundleimp.BundleError) as caught:
        profiled(tmp_path, output)
    assert str(caught.value) == f"{output}: lists none of the modules that are packed"


@pytest.mark.parametrize("options", [{"bytecode": False}, {"source": False}])
def test_there_must_be_bytecode_to_order(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(bundleimp.BundleError, match="--profile needs source and bytecode"):
        profiled(tmp_path, "-m pkg", **options)
