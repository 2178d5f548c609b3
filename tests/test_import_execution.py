"""Running bundled code: ``python -m``, ``python BUNDLE``, ``runpy``, and the children of ``multiprocessing``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, make_tree
from .places import FLAT, NESTED, Places, in_each, in_each_and_mounted, in_each_with_source_and_mounted
from .platforms import needs_processes

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

REPORT = """\
import sys


def show(names):
    spec = names["__spec__"]
    print([names["__name__"], names["__file__"], names["__package__"], names.get("__cached__"), names["__doc__"]])
    print([spec and [spec.name, spec.origin, spec.parent, spec.cached], sys.argv, sys.flags.optimize])
    print(spec is None or spec.loader is names["__loader__"], type(names["__loader__"]).__name__.endswith("Loader"))
    print(show.__code__.co_filename, sys._getframe(1).f_code.co_filename)
"""
WORKERS = """\
import multiprocessing
import sys


class Job:
    def __init__(self, number):
        self.number = number


def square(job, answers):
    where = square.__code__.co_filename
    main_spec = sys.modules["__main__"].__spec__
    answers.send([job.number**2, square.__module__, where, __name__, main_spec and main_spec.name, __file__])


def main():
    for method in sys.argv[1:]:
        context = multiprocessing.get_context(method)
        answer, answers = context.Pipe(duplex=False)
        process = context.Process(target=square, args=(Job(7), answers))
        process.start()
        answers.close()
        print(method, answer.recv())
        process.join()
        print(process.exitcode)


if __name__ == "__main__":
    main()
"""
TREE: Tree = {
    "report.py": REPORT,
    "__main__.py": '"""The whole place."""\nimport report, sys\nreport.show(globals())\nprint(sys.path[0])\n',
    "tool/__init__.py": "",
    "tool/__main__.py": '"""A tool."""\nfrom report import show\nfrom .part import NAME\nshow(globals())\nprint(NAME)',
    "tool/part.py": "NAME = __name__\n",
    "tool/run.py": '"""Runs."""\nfrom report import show\nif __name__ == "__main__":\n    show(globals())\n',
    "bare/__init__.py": "",
    "spaces/__main__.py": "from report import show\nshow(globals())\n",
    "exits.py": "import sys\nsys.exit(7)\n",
    "speaks.py": "import sys\nprint('out')\nprint('err', file=sys.stderr)\n",
    "workers.py": WORKERS,
    "crew/__init__.py": "",
    "crew/__main__.py": "from .staff import main\nif __name__ == '__main__':\n    main()\n",
    "crew/staff.py": WORKERS,
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("execution"), TREE)


@in_each_and_mounted
@pytest.mark.parametrize("module", ["tool", "tool.run", "tool.__main__", "spaces", "exits", "speaks"])
def test_python_m_runs_modules_and_packages(places: Places, kind: str, module: str) -> None:
    outcome = places.runs_as_in_directory(kind, "-m", module, "argument")
    assert outcome.status == (7 if module == "exits" else 0)


@in_each_with_source_and_mounted
@pytest.mark.parametrize("options", [("-O",), ("-B",), ("-s", "-P"), ("-X", "frozen_modules=off")])
def test_python_m_runs_under_options(places: Places, kind: str, options: tuple[str, ...]) -> None:
    places.runs_as_in_directory(kind, *options, "-m", "tool")


@in_each_and_mounted
@pytest.mark.parametrize("module", ["missing", "bare", "tool.missing", "report.part"])
def test_python_m_refuses_in_the_same_words(places: Places, kind: str, module: str) -> None:
    assert places.runs_as_in_directory(kind, "-m", module).status == 1


@in_each_and_mounted
def test_python_runs_the_place_itself(places: Places, kind: str) -> None:
    outcome = places.runs_as_in_directory(kind, "{place}", "argument")
    assert outcome.stdout.startswith("['__main__', '<place>/__main__.py")
    assert outcome.stdout.endswith("<place>\n")


@in_each
def test_python_runs_the_place_itself_where_it_is_not_on_the_path(places: Places, kind: str) -> None:
    path = str(places.path(kind))
    outcome = places.laboratory.run_elsewhere([], [path, "argument"], {path: "<place>"})
    assert outcome == places.runs_as_in_directory(kind, "{place}", "argument")


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_python_runs_a_bundle_with_any_name_and_relative_path(tmp_path: Path, layout: str) -> None:
    places = Places(tmp_path / "laboratory", {})
    make_tree(tmp_path / "laboratory" / "empty", {})
    make_bundle(tmp_path / "laboratory" / "empty" / "näme with space.pybundle", TREE, layout=layout)
    outcome = places.laboratory.run([], "näme with space.pybundle")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.endswith("näme with space.pybundle\n")


@in_each_and_mounted
def test_runpy_runs_modules_and_paths(places: Places, kind: str) -> None:
    probe = """
    import contextlib, io, runpy, sys
    result = []
    for call in (
        lambda: runpy.run_module("tool.part"),
        lambda: runpy.run_module("tool.run", run_name="__main__", alter_sys=True),
        lambda: runpy.run_module("tool", run_name="__main__"),
        lambda: runpy.run_path(sys.path[1], run_name="__main__"),
    ):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            names = call()
        known = [names[key] for key in ("__name__", "__file__", "__package__")]
        result.append([*known, names["__spec__"] and names["__spec__"].name, printed.getvalue()])
    """
    assert places.as_in_directory(kind, probe)[0][:2][0] == "tool.part"


@needs_processes
@in_each_with_source_and_mounted
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("module", ["workers", "crew"])
def test_children_of_multiprocessing_import_from_the_bundle(
    places: Places, kind: str, method: str, module: str
) -> None:
    outcome = places.runs_as_in_directory(kind, "-W", "error", "-m", module, method)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith(f"{method} [49, ")


@needs_processes
@pytest.mark.parametrize("kind", [FLAT, NESTED])
def test_children_work_where_the_bundle_is_run_and_not_on_their_path(places: Places, kind: str, tmp_path: Path) -> None:
    tree = TREE | {"__main__.py": "from crew.staff import main\nif __name__ == '__main__':\n    main()\n"}
    path = make_bundle(tmp_path / "run.pybundle", tree, layout=kind.partition(" ")[0])
    outcome = places.laboratory.run_elsewhere([], [str(path), "spawn", "forkserver"], {str(tmp_path): "<tmp>"})
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.count("<tmp>/run.pybundle/crew/staff.py") == 4


@needs_processes
@in_each_with_source_and_mounted
def test_process_pools_give_their_answers(places: Places, kind: str) -> None:
    code = """
    import concurrent.futures, multiprocessing
    import crew.staff
    if __name__ == "__main__":
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            print(pool.submit(crew.staff.Job, 3).result().number)
    """
    assert places.runs_as_in_directory(kind, str(places.laboratory.probe_file(code))).stdout == "3\n"
