"""Bytecode in a bundle: for which Pythons, in which form, and what happens to what cannot be compiled."""

from __future__ import annotations

import errno
import importlib.util
import json
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

import bundleimp
from bundleimp.packing import worker
from bundleimp.packing.compiler import Compiler, Module
from bundleimp.packing.errors import PackError
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.format import CODE

from .archives import index_of
from .builders import Tree, make_bundle, make_tree, run_python
from .platforms import needs_processes
from .programs import interpreters

TREE: Tree = {
    "pkg/__init__.py": '"""Docstring."""\nassert True\nx = 1\n',
    "pkg/mod.py": "value = 'value'\n",
    "pkg/data.txt": "text\n" * 100,
}
OWN_TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"


def python_of(bundle: Path) -> list[dict[str, str]]:
    manifest = bundleimp.open_bundle(bundle).manifest
    assert manifest is not None
    return list(manifest["python"])


def code_members(bundle: Path) -> list[str]:
    """Return the names of the members that hold bytecode for a kind of Python."""
    with zipfile.ZipFile(bundle) as archive:
        return [name.removeprefix(CODE) for name in archive.namelist() if name.startswith(CODE)]


def other_pythons() -> list[str]:
    """Return one interpreter of each other supported version that is here; the test is skipped where there is none."""
    others = [f"3.{minor}" for minor in range(11, 16) if minor != sys.version_info[1]]
    found = [executable for version in others for executable in list(interpreters(version))[:1]]
    if not found:
        pytest.skip("there is no other supported Python")
    return found


def test_what_cannot_be_compiled_is_kept_with_one_warning_that_names_member_and_line(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", TREE | {"pkg/bad.py": "x = 1\ny = \n", "pkg/nul.py": b"x = '\0'"})
    report = bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1)
    bad, nul = report.warnings
    assert bad.member == "pkg/bad.py"
    assert bad.message.startswith("line 2: ")
    assert "not compiled" in bad.message
    assert nul.member == "pkg/nul.py"
    bundle = bundleimp.open_bundle(tmp_path / "out.pybundle")
    assert bundle.read("pkg/bad.py") == b"x = 1\ny = \n"
    assert (report.modules, bundle.verify()) == (2, [])


def test_a_module_that_overwhelms_the_compiler_is_kept_with_one_warning(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"deep.py": "x = " + "-" * 200_000 + "1\n", "fine.py": "x = 1\n"})
    report = bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1)
    assert [warning.member for warning in report.warnings] == ["deep.py"]
    assert report.modules == 1


def test_without_bytecode_there_is_none(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, bytecode=False)
    assert code_members(bundle) == []
    assert (python_of(bundle), index_of(bundle.read_bytes()).tags) == ([], [])


def test_without_source_each_module_is_its_bytecode(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE | {"bad.py": "x ="}, source=False)
    opened = bundleimp.open_bundle(bundle)
    assert [member.name for member in opened.members] == [
        *("bad.py", "pkg/__init__.pyc", "pkg/data.txt", "pkg/mod.pyc")
    ]
    image = opened.read("pkg/mod.pyc")
    assert image[:8] == importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")  # unchecked hash-based (PEP 552)
    assert {member.method for member in opened.members if member.name.endswith(".pyc")} == {zipfile.ZIP_STORED}
    assert code_members(bundle) == []
    assert run_python("-c", "import pkg.mod; print(pkg.mod.value)", path=[bundle]).stdout == "value\n"


@pytest.mark.parametrize("options", [{"bytecode": False}, {"python": [sys.executable, "another"]}])
def test_without_source_there_is_bytecode_for_one_python(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(PackError, match="--no-source needs bytecode for one Python"):
        make_bundle(tmp_path / "out.pybundle", TREE, source=False, **options)


@pytest.mark.parametrize(
    ("optimize", "suffix", "printed"), [(0, "", "Docstring."), (1, ".opt-1", "Docstring."), (2, ".opt-2", "None")]
)
def test_optimized_bytecode_has_a_tag_of_its_own(tmp_path: Path, optimize: int, suffix: str, printed: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, optimize=optimize)
    assert code_members(bundle) == [OWN_TAG + suffix]
    flags = ["-" + "O" * optimize] if optimize else []
    result = run_python(*flags, "-c", "import pkg; print(pkg.__doc__)", path=[bundle], BUNDLEIMP_TRACE="1")
    assert result.stdout == printed + "\n"


def test_bytecode_is_unchecked_hash_based_and_in_the_order_of_the_modules(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    data = bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        info = archive.getinfo(CODE + OWN_TAG)
        assert info.compress_type == zipfile.ZIP_STORED
        stored = archive.read(info)
    images = []
    for name in ("pkg/__init__.py", "pkg/mod.py"):
        (extent,) = index_of(data)[name].codes
        assert extent is not None
        image = data[extent.offset : extent.offset + extent.size]
        assert bundle_format.checksum(image) == extent.checksum
        assert image[:4] == importlib.util.MAGIC_NUMBER
        assert image[4:8] == b"\1\0\0\0"
        assert image[8:16] == importlib.util.source_hash(str(TREE[name]).encode())
        images.append(image)
    assert b"".join(images) == stored


def test_an_interpreter_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=f"is the same kind of Python \\({OWN_TAG}\\)"):
        make_bundle(tmp_path / "out.pybundle", TREE, python=[sys.executable, sys.executable])


def test_bytecode_for_several_pythons_stands_side_by_side(tmp_path: Path) -> None:
    pythons = other_pythons()
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, python=[sys.executable, *pythons])
    tags = code_members(bundle)
    assert tags[0] == OWN_TAG
    assert len(set(tags)) == len(tags) == len(pythons) + 1
    assert [python["tag"] for python in python_of(bundle)] == tags
    assert bundleimp.open_bundle(bundle).verify() == []


def test_bytecode_of_another_python_is_not_taken(tmp_path: Path) -> None:
    pythons = other_pythons()
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, python=pythons[:1])
    assert OWN_TAG not in code_members(bundle)
    assert run_python("-c", "import pkg.mod; print(pkg.mod.value)", path=[bundle]).stdout == "value\n"


def script(folder: Path, text: str) -> str:
    """Return the path of an executable that runs *text*."""
    path = folder / "fake-python"
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)
    return str(path)


OLD_GREETING = '{"tag": "cpython-310", "magic": "6f0d0d0a", "version": "3.10.13"}'
NEW_GREETING = '{"tag": "cpython-399", "magic": "01020d0a", "version": "3.99.0"}'


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
@pytest.mark.parametrize("text", ["", "print('hello')", "import sys; sys.exit(3)", f"print('{OLD_GREETING}')"])
def test_what_is_no_supported_python_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    executable = script(tmp_path, text)
    with pytest.raises(PackError, match=r"CPython 3\.11 or newer") as caught:
        make_bundle(tmp_path / "out.pybundle", TREE, python=[executable])
    assert caught.value.file == executable


def test_a_python_that_cannot_be_started_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no-such-python: this interpreter cannot be started"):
        make_bundle(tmp_path / "out.pybundle", TREE, python=[str(tmp_path / "no-such-python")])


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_python_that_dies_at_work_is_an_error_that_names_the_member(tmp_path: Path) -> None:
    executable = script(tmp_path, f"print('{NEW_GREETING}', flush=True)")
    with pytest.raises(PackError, match=r"pkg/__init__\.py: .*fake-python ended unexpectedly"):
        make_bundle(tmp_path / "out.pybundle", TREE, python=[executable])


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_python_that_dies_later_is_an_error_that_names_the_first_member_without_an_answer(tmp_path: Path) -> None:
    executable = script(tmp_path, f"print('{NEW_GREETING}\\nok 4\\nabcd', end='', flush=True)")
    with pytest.raises(PackError, match=r"pkg/mod\.py: .*fake-python ended unexpectedly"):
        make_bundle(tmp_path / "out.pybundle", TREE, python=[executable])


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_the_module_that_a_compiler_died_on_is_named_whoever_else_waits_for_it(tmp_path: Path) -> None:
    executable = script(tmp_path, f"print('{NEW_GREETING}', flush=True)")
    with Compiler(executable, 0, 1) as compiler:
        futures = [compiler.submit([Module(f"{name}.py", b"")]) for name in ("culprit", "innocent")]
        errors = [future.exception() for future in futures]
    assert [error.member for error in errors if isinstance(error, PackError)] == ["culprit.py", "culprit.py"]


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_python_that_answers_nonsense_is_not_waited_for(tmp_path: Path) -> None:
    executable = script(
        tmp_path,
        f"import sys\nprint('{NEW_GREETING}', flush=True)\nwhile data := sys.stdin.buffer.read1():\n"
        "    sys.stdout.buffer.write(data)\n    sys.stdout.buffer.flush()",
    )
    with Compiler(executable, 0, 1) as compiler:
        futures = [compiler.submit([Module(f"m{at}.py", b"#" * size)]) for at, size in enumerate((10, 10**6, 10**6))]
        assert all(isinstance(future.exception(), PackError) for future in futures)


@needs_processes
@pytest.mark.parametrize("jobs", [1, 2])
def test_requests_and_answers_that_fill_every_pipe_come_through(jobs: int) -> None:
    modules = [Module(f"m{at}.py", f"x = {'y' * 300_000!r}, {at}\n".encode()) for at in range(12)]
    with Compiler(sys.executable, 0, jobs) as compiler:
        futures = [compiler.submit(modules[at : at + 3]) for at in range(0, len(modules), 3)]
        images = [compiled.image for future in futures for compiled in future.result()]
    assert images == [worker.image(module.source, module.name, 0) for module in modules]


def refuse_processes(*_: object, **__: object) -> None:
    """Do what ``subprocess`` does in a browser."""
    raise OSError(errno.ENOTSUP, "emscripten does not support processes.")


@needs_processes
def test_where_there_are_no_processes_the_running_python_makes_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = TREE | {"top.py": "TOP = 'top'\n", "odd.py": "x = '\\d'\n", "bad.py": "x ="}
    usual = make_bundle(make_tree(tmp_path / "usual", {}) / "out.pybundle", tree, jobs=2)
    monkeypatch.setattr(subprocess, "Popen", refuse_processes)
    own = make_bundle(make_tree(tmp_path / "own", {}) / "out.pybundle", tree, jobs=2)
    assert python_of(own) == python_of(usual)
    assert own.read_bytes() == usual.read_bytes()


def refuse_threads(*_: object, **__: object) -> None:
    """Do what ``threading`` does in a browser."""
    message = "can't start new thread"
    raise RuntimeError(message)


@pytest.mark.parametrize("options", [{}, {"source": False}, {"bytecode": False}])
def test_where_there_are_no_threads_the_bundle_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    usual = make_bundle(make_tree(tmp_path / "usual", {}) / "out.pybundle", TREE, jobs=2, **options)
    monkeypatch.setattr(subprocess, "Popen", refuse_processes)
    monkeypatch.setattr(threading.Thread, "start", refuse_threads)
    own = make_bundle(make_tree(tmp_path / "own", {}) / "out.pybundle", TREE, jobs=2, **options)
    assert own.read_bytes() == usual.read_bytes()


def test_where_there_are_no_processes_another_python_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", refuse_processes)
    with pytest.raises(PackError, match="/other/python: this interpreter cannot be started: emscripten does not"):
        make_bundle(tmp_path / "out.pybundle", TREE, python=["/other/python"])


@needs_processes
def test_every_module_of_the_standard_library_compiles_to_the_same_bytes_in_this_process() -> None:
    folder = Path(str(json.__file__)).parent
    with Compiler(sys.executable, 0, 1) as compiler:
        for path in sorted(folder.parent.glob("[a-f]*.py")):
            # A name out of a path is interned, and the string that a process reads is not.
            name = sys.intern(path.name)
            (compiled,) = compiler.submit([Module(name, path.read_bytes())]).result()
            assert worker.image(path.read_bytes(), name, 0) == compiled.image
