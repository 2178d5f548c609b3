"""Programs as interpreters: without an entry point, by ``BUNDLEIMP_INTERPRETER``, and by ``bundleimp run``.

What plain Python does with the same files in a directory is what must be printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .builders import TIMEOUT, Tree, clean_environment, make_bundle, make_tree
from .programs import PARALLEL, run_file

if TYPE_CHECKING:
    from pathlib import Path

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
BARE = (sys.executable, "-S")
SHOW = """
import os, sys
print(__name__, sys.argv, __spec__ and __spec__.name, __package__)
known = {"BUNDLEIMP_CACHE_DIR", "BUNDLEIMP_CHILDREN"}
print(sys.path[0], [name for name in os.environ if name.startswith("BUNDLEIMP_") and name not in known])
del known
print(sorted(name for name in globals() if name[:2] != "__"))
"""
TREE: Tree = {
    "tool/__init__.py": "",
    "tool/__main__.py": SHOW,
    "tool/part.py": SHOW,
    "tool/cli.py": "def main():\n    print('the entry point')\n",
    "fails.py": "def fail():\n    raise ValueError('wrong')\n",
}
# The ways to the same interpreter: the options of `pack`, the command before the file, and the variables.
WAYS: dict[str, tuple[dict[str, Any], tuple[str, ...], dict[str, str]]] = {
    "standalone": ({"standalone": True}, BARE, {}),
    "shebang": ({"shebang": "/usr/bin/env python3"}, (sys.executable,), {}),
    "variable": ({"entry_point": "tool.cli:main"}, (sys.executable,), {"BUNDLEIMP_INTERPRETER": "1"}),
    "variable, busybox": ({"entry_point": "*"}, (sys.executable,), {"BUNDLEIMP_INTERPRETER": "1"}),
    "run, library": ({}, (sys.executable, "-m", "bundleimp", "run"), {}),
    "run, program": ({"entry_point": "tool.cli:main"}, (sys.executable, "-m", "bundleimp", "run"), {}),
}
COMMANDS: dict[str, list[str]] = {
    "module": ["-m", "tool.part", "a", "-b"],
    "package": ["-m", "tool"],
    "code": ["-c", SHOW, "a", "-b"],
    "script": ["script.py", "a", "-b"],
    "script elsewhere": [os.path.join("sub", "script.py")],
    "input": ["-", "a"],
}


@pytest.fixture(params=WAYS, name="way")
def _way(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[tuple[str | Path, ...], dict[str, str]]:
    """The command and the environment of an interpreter that is made of a bundle, in a folder with scripts."""
    options, command, variables = WAYS[request.param]
    tree = TREE
    if options.get("entry_point") == "*":
        tree = TREE | {
            "tool-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: tool\nVersion: 1\n",
            "tool-1.dist-info/entry_points.txt": "[console_scripts]\ntool = tool.cli:main\n",
        }
    name = "env" if options else "env.pybundle"
    make_bundle(tmp_path / name, tree, layout="nested", **options)
    return (*command, name), variables


def run(
    command: tuple[str | Path, ...], *words: str, cwd: Path, given: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    make_tree(cwd, {"script.py": SHOW, "sub/script.py": SHOW})
    return subprocess.run(
        [*map(str, command), *words],
        env=clean_environment(**variables),
        cwd=cwd,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_it_does_what_python_does(
    way: tuple[tuple[str | Path, ...], dict[str, str]], tmp_path: Path, words: list[str]
) -> None:
    tree = make_tree(tmp_path / "tree", TREE)
    expected = run((sys.executable,), *words, cwd=tmp_path, given=SHOW, PYTHONPATH=str(tree))
    command, variables = way
    result = run(command, *words, cwd=tmp_path, given=SHOW, **variables)
    own = str(tmp_path / str(command[-1]))
    assert (result.stdout.replace(own, str(tree)), result.stderr) == (expected.stdout, ""), result.stderr
    assert expected.stdout.startswith("__main__ ")


def test_the_bundle_comes_next_on_the_path_and_then_what_the_user_has(
    way: tuple[tuple[str | Path, ...], dict[str, str]], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A program without an entry point stands in the place of installed packages."""
    command, variables = way
    script = "import sys; print(sys.path[:3])"
    result = run(command, "-c", script, cwd=tmp_path, PYTHONPATH=str(tmp_path / "more"), **variables)
    entries = [str(tmp_path / str(command[-1])), str(tmp_path / "more")]
    if request.node.callspec.id in {"standalone", "shebang"}:
        entries.reverse()
    assert result.stdout == f"{['', *entries]}\n", result.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["-m", "tool.none"], 1, "No module named tool.none"),
        (["-c", "import sys; sys.exit(7)"], 7, ""),
        (["-c", "import sys; sys.exit('a last word')"], 1, "a last word"),
    ],
)
def test_the_end_is_that_of_python(
    way: tuple[tuple[str | Path, ...], dict[str, str]], tmp_path: Path, words: list[str], status: int, message: str
) -> None:
    command, variables = way
    result = run(command, *words, cwd=tmp_path, **variables)
    assert (result.returncode, len(result.stderr.splitlines())) == (status, bool(message))
    assert message in result.stderr


def test_tracebacks_show_the_code_and_nothing_of_ours(
    way: tuple[tuple[str | Path, ...], dict[str, str]], tmp_path: Path
) -> None:
    command, variables = way
    for words, file in (["-c", "import fails; fails.fail()"], "<string>"), (["bad.py"], "bad.py"):
        make_tree(tmp_path, {"bad.py": "import fails\nfails.fail()\n"})
        result = run(command, *words, cwd=tmp_path, **variables)
        files = [line.split('"')[1] for line in result.stderr.splitlines() if line.startswith("  File ")]
        assert files == [file, str(tmp_path / str(command[-1]) / "fails.py")]
        assert result.stderr.endswith("ValueError: wrong\n")


def program(path: Path, **options: Any) -> Path:
    return make_bundle(path, TREE, **({"standalone": True} | options))


def test_it_is_named_in_the_manifest_and_by_verify(tmp_path: Path) -> None:
    bundle = bundleimp.open_bundle(program(tmp_path / "env"))
    manifest = bundle.manifest or {}
    assert (manifest["entry_point"], manifest["interpreter"]) == (None, True)
    assert bundle.verify() == []


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["-O", "-c", "import sys; print(sys.flags.optimize)"], "1\n"),
        (["-Oc", "import sys; print(sys.flags.optimize)"], "1\n"),
        (["-W", "error", "-Xdev", "-c", "import sys; print(sys.warnoptions[-1], sys.flags.dev_mode)"], "error True\n"),
        (["-Wignore", "-m", "tool.cli"], ""),
        (["-Bmtool.part", "x"], "__main__"),
        (["-mtool.part", "x"], "__main__"),
        (["-Bs", "script.py", "-W", "x"], "__main__ ['script.py', '-W', 'x'] None None\n"),
        (["-V"], f"Python {sys.version.split()[0]}\n"),
    ],
)
def test_options_of_python_start_it_again_with_them(tmp_path: Path, words: list[str], printed: str) -> None:
    program(tmp_path / "env")
    result = run((sys.executable, "env"), *words, cwd=tmp_path)
    assert (result.stdout[: len(printed)], result.stderr, result.returncode) == (printed, "", 0)


@pytest.mark.parametrize("words", [["-m"], ["-c"], ["-W"], ["-I", "-X"], ["--check-hash-based-pycs"]])
def test_an_option_without_its_value_is_one_line(tmp_path: Path, words: list[str]) -> None:
    program(tmp_path / "env")
    result = run((sys.executable, "env"), *words, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (2, f"env: the option {words[-1]} needs a value\n")


def test_a_script_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    program(tmp_path / "env")
    result = run((sys.executable, "env"), "none.py", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (2, "none.py: cannot be opened: No such file or directory\n")


def test_without_words_the_input_is_the_program(tmp_path: Path) -> None:
    program(tmp_path / "env")
    for command in ((sys.executable, "env"), (sys.executable, "-m", "bundleimp", "run", "lib.pybundle")):
        make_bundle(tmp_path / "lib.pybundle", TREE)
        result = run(command, cwd=tmp_path, given="import sys, tool.cli\nprint(sys.argv)\ntool.cli.main()\n")
        assert (result.stdout, result.stderr) == ("['']\nthe entry point\n", "")


def test_folders_archives_and_bytecode_are_scripts_too(tmp_path: Path) -> None:
    import py_compile  # noqa: PLC0415 (for this test)

    program(tmp_path / "env")
    make_tree(tmp_path / "folder", {"__main__.py": "import tool\nprint(__name__, tool.__name__)\n"})
    py_compile.compile(str(tmp_path / "folder" / "__main__.py"), str(tmp_path / "script.pyc"))
    other = make_bundle(tmp_path / "other.pybundle", {"__main__.py": "import tool\nprint(__name__, tool.__name__)\n"})
    for word in ("folder", "script.pyc", str(other)):
        result = run((sys.executable, "env"), word, cwd=tmp_path)
        assert (result.stdout, result.stderr) == ("__main__ tool\n", "")


@on_posix
@pytest.mark.parametrize("way", ["program", "run"])
def test_on_a_terminal_a_session_starts(tmp_path: Path, way: str) -> None:
    import pty  # noqa: PLC0415 (not on Windows)

    path = program(tmp_path / "env.pybundle", layout="nested")
    command = [sys.executable, str(path)] if way == "program" else [sys.executable, "-m", "bundleimp", "run", str(path)]
    own, other = pty.openpty()
    try:
        process = subprocess.Popen(
            command, stdin=other, stdout=other, stderr=other, env=clean_environment(PYTHON_BASIC_REPL="1", TERM="dumb")
        )
        os.write(own, b"import tool.cli as t; t.main(); print(6 * 7, __name__)\nexit(3)\n")
        assert process.wait(TIMEOUT) == 3
        printed = os.read(own, 100_000).decode()
    finally:
        os.close(own)
        os.close(other)
    assert f"Python {sys.version.split()[0]}" in printed
    assert "the entry point" in printed
    assert "42 __main__" in printed


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("words", [["script.py"], ["-m", "work.cli"]])
def test_children_of_multiprocessing_import_from_the_bundle(tmp_path: Path, method: str, words: list[str]) -> None:
    make_bundle(tmp_path / "env", PARALLEL, layout="nested", standalone=True)
    script = PARALLEL["work/cli.py"]
    make_tree(tmp_path, {"script.py": script})
    result = run_file(*BARE, "-W", "error", "env", *words, method, cwd=tmp_path)
    assert (result.stdout, result.stderr) == ("[2] [3]\n8\n", "")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_children_of_multiprocessing_have_pythonpath_before_the_bundle(tmp_path: Path, method: str) -> None:
    make_bundle(tmp_path / "env", {"engine.py": "PLACE = 'bundle'\n"}, layout="nested", standalone=True)
    make_tree(tmp_path / "more", {"engine.py": "PLACE = 'PYTHONPATH'\n"})
    script = """
import engine, multiprocessing, sys

def look(number):
    return engine.PLACE, sys.path[:3]

if __name__ == "__main__":
    print(look(0))
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        print(pool.map(look, [1])[0])
"""
    make_tree(tmp_path, {"script.py": script})
    result = run_file(*BARE, "env", "script.py", method, cwd=tmp_path, PYTHONPATH=str(tmp_path / "more"))
    expected = ("PYTHONPATH", [str(tmp_path), str(tmp_path / "more"), str(tmp_path / "env")])
    assert (result.stdout, result.stderr) == (f"{expected}\n" * 2, "")
