"""Children of a process that is in the midst of its imports: forked or started, of a pool, daemons, and their own."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from .places import FLAT, NESTED, PLAIN_ZIP, Laboratory, Places, lay_out

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "emscripten", reason="needs fork")

in_kinds = pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])


def tree(value: str) -> Tree:
    return {
        "pkg/__init__.py": f"V = {value!r}\n",
        "pkg/first.py": f"V = {value!r}\n",
        "pkg/second.py": f"V = {value!r}\n",
        "pkg/located.py": "import os\nHERE = os.path.dirname(__file__)\n\n\ndef text():\n"
        "    with open(os.path.join(HERE, 'data.txt')) as file:\n        return file.read()\n",
        "pkg/data.txt": value,
        "pkg/work.py": """
import multiprocessing


def look(_=None):
    import importlib.resources, pkg.first, pkg.located, pkg.second
    text = importlib.resources.files("pkg").joinpath("data.txt").read_text()
    return [pkg.first.V, pkg.second.V, pkg.located.text(), text]


def look_in_child(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map(look, [None])[0]


def pass_on(methods):
    from concurrent.futures import ProcessPoolExecutor
    if not methods:
        return look()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(methods[0])) as pool:
        return pool.submit(pass_on, methods[1:]).result()
""",
        "pkg/forks.py": f"import os\nCHILD = os.fork()\nfrom pkg import second\nV = {value!r} + second.V\n",
        "thing-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\n",
    }


@in_kinds
def test_a_pool_sees_the_version_that_its_processes_have(kind: str, tmp_path: Path) -> None:
    """The parent has imported half of a package when its bundle is replaced: who is forked has that one, too."""
    program = """
    import importlib, os, sys
    result = None
    if __name__ == "__main__":  # and not in a child, which prints nothing
        import pkg.first, pkg.work
        os.replace(sys.argv[1], sys.path[1])
        result = [pkg.work.look_in_child(method) for method in ("fork", "forkserver", "spawn")]
        result.append(pkg.work.look())
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.startswith("pkg")]:
            del sys.modules[name]
        import pkg.work
        result.append(pkg.work.look_in_child("fork"))
    else:
        print = str
    """
    place = lay_out(kind, tmp_path, tree("old"))
    new = lay_out(kind, tmp_path / "new", tree("new"))
    seen = Laboratory(tmp_path / "laboratory").observe([place], program, str(new), options=())
    assert seen == [["old"] * 4, ["new"] * 4, ["new"] * 4, ["old"] * 4, ["new"] * 4]


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("forks"), tree("value"))


@pytest.mark.parametrize("kind", [FLAT, PLAIN_ZIP])
@pytest.mark.parametrize("methods", [["fork", "spawn", "fork"], ["forkserver", "fork"]])
def test_children_of_children_import_on(places: Places, kind: str, methods: list[str]) -> None:
    program = f"import pkg.first, pkg.work\nif __name__ == '__main__':\n    print(pkg.work.pass_on({methods!r}))\n"
    outcome = places.runs_as_in_directory(kind, str(places.laboratory.probe_file(program)))
    assert outcome.stdout == f"{['value'] * 4}\n"


@in_kinds
def test_a_module_that_forks_while_it_is_imported_is_imported_in_both(places: Places, kind: str) -> None:
    probe = """
    import os
    import pkg.forks
    import pkg.work
    seen = pkg.work.look() + [pkg.forks.V]
    if not pkg.forks.CHILD:
        os._exit(7 if seen == ["value"] * 4 + ["valuevalue"] else 1)
    result = seen + [os.waitstatus_to_exitcode(os.waitpid(pkg.forks.CHILD, 0)[1])]
    """
    assert places.as_in_directory(kind, probe) == ["value"] * 4 + ["valuevalue", 7]


_DAEMON = """
import os, sys
{before}
import pkg.located
pkg.located.text()
answers, questions = sys.argv[1:3]
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.chdir("/")
for number in range(3):
    try:
        os.close(number)
    except OSError:
        pass
for number in range({reopened}):
    os.open(os.devnull, os.O_RDWR)
import pkg.work
with open(questions) as stream:
    stream.read()
with open(answers, "w") as stream:
    stream.write(repr(pkg.work.look()))
"""


@pytest.mark.parametrize("kind", [FLAT, PLAIN_ZIP])
@pytest.mark.parametrize("reopened", [0, 3])
@pytest.mark.parametrize("before", ["", "os.closerange(0, 3)"])
def test_a_daemon_keeps_what_its_parent_used_of_the_cache(
    kind: str, before: str, reopened: int, tmp_path: Path
) -> None:
    """Only the grandchild is left when the cache is cleared; without descriptors 0 to 2, or with others there."""
    program = _DAEMON.format(before=before, reopened=reopened)
    probe = f"""
    import os, subprocess, sys
    from bundleimp.inspection import cache
    pipes = [os.path.abspath(name) for name in ("answers", "questions")]
    for name in pipes:
        os.mkfifo(name)
    subprocess.run([sys.executable, "-c", {program!r}, *pipes], check=True)
    with open(pipes[1], "w"):  # it has closed what it closes
        result = [[kept.wanted for kept in cache.clear(os.environ["BUNDLEIMP_CACHE_DIR"]).kept]]
    with open(pipes[0]) as stream:
        result.append(stream.read())
    """
    seen = Laboratory(tmp_path / "laboratory").observe([lay_out(kind, tmp_path, tree("value"))], probe)
    assert seen == [[True], repr(["value"] * 4)]
