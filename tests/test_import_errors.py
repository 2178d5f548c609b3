"""What goes wrong in an imported module is shown as from a directory: same words, same lines, same frames."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, run_python
from .places import DIRECTORY, Places, in_each_and_mounted, in_each_with_source_and_mounted
from .platforms import needs_threads

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "fails/__init__.py": "from . import inside\n",
    "fails/inside.py": '"""Fails."""\n\n\ndef run():\n    raise ValueError("at import")\n\n\nrun()\n',
    "chain.py": "try:\n    import fails\nexcept ValueError as error:\n    raise RuntimeError('chained') from error\n",
    "wants.py": "import not_there\n",
    "pkg/__init__.py": "",
    "pkg/syntax.py": "FINE = 1\n\ndef broken(:\n    pass\n",
    "pkg/indent.py": "if True:\npass\n",
    "pkg/nul.py": b"FINE = 1\0\n",
    "pkg/encoding.py": b"# -*- coding: utf-8 -*-\nNAME = '\xff'\n",
    "pkg/codec.py": b"# -*- coding: nonsense -*-\n",
    "pkg/imports_syntax.py": "from pkg import syntax\n",
    "pkg/work.py": (
        "def divide(number):\n"
        "    return 1 / number\n\n\n"
        "def group():\n"
        "    failed = []\n"
        "    for text in 'ab':\n"
        "        try:\n"
        "            int(text)\n"
        "        except ValueError as error:\n"
        "            failed.append(error)\n"
        "    raise ExceptionGroup('two', failed)\n\n\n"
        "def deep(level):\n"
        "    return deep(level - 1) if level else divide(level)\n\n\n"
        "class Bad(Exception):\n"
        "    def __str__(self):\n"
        "        return 'first line\\nsecond line'\n\n\n"
        "def noted():\n"
        "    error = Bad()\n"
        "    error.add_note('a note')\n"
        "    raise error\n"
    ),
    "flow.py": "import pkg.work\nprint('before')\npkg.work.divide(0)\n",
    "careful.py": "import warnings\n\n\ndef warn():\n    warnings.warn('careful', stacklevel=1)\n\n\nwarn()\n",
}

SHAPE = """
import traceback


def shape(statement):
    try:
        exec(statement)
    except Exception as error:
        trace = traceback.extract_tb(error.__traceback__)
        frames = [[frame.filename, frame.name, frame.lineno, frame.line] for frame in trace]
        details = [getattr(error, name, None) for name in ("filename", "lineno", "offset", "end_lineno", "text", "msg")]
        return [type(error).__name__, str(error), details, frames]
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("errors"), TREE)


@in_each_and_mounted
@pytest.mark.parametrize("module", ["fails", "fails.inside", "chain", "wants"])
def test_an_exception_at_import_has_the_frames_of_the_modules_alone(places: Places, kind: str, module: str) -> None:
    known = places.as_in_directory(kind, f"{SHAPE}\nresult = shape('import {module}')")
    assert all("<place>" in frame[0] for frame in known[3][2:])


@in_each_and_mounted
@pytest.mark.parametrize("module", ["syntax", "indent", "nul", "encoding", "codec"])
def test_what_cannot_be_compiled_is_a_syntax_error_with_file_and_line(places: Places, kind: str, module: str) -> None:
    """And the package that holds it is importable all the same."""
    known = places.as_in_directory(kind, f"{SHAPE}\nimport pkg\nresult = shape('import pkg.{module}')[:3]")
    assert known[0] in {"SyntaxError", "IndentationError"}


@in_each_and_mounted
@pytest.mark.parametrize("module", ["syntax", "imports_syntax"])
def test_a_syntax_error_shows_no_frame_of_the_import_system(places: Places, kind: str, module: str) -> None:
    known = places.as_in_directory(kind, f"{SHAPE}\nresult = shape('import pkg.{module}')[3]")
    assert known[-1][0] in {"<string>", "<place>/pkg/imports_syntax.py"}


@in_each_and_mounted
def test_a_module_that_failed_is_not_left_behind(places: Places, kind: str) -> None:
    probe = """
    import sys
    for _ in range(2):
        try:
            import fails
        except ValueError:
            pass
    result = sorted(name for name in sys.modules if name.startswith("fails"))
    """
    assert places.as_in_directory(kind, probe) == []


UNCAUGHT = {
    "in a function": "import pkg.work; pkg.work.divide(0)",
    "after recursion": "import pkg.work; pkg.work.deep(5)",
    "in a group": "import pkg.work; pkg.work.group()",
    "with a note": "import pkg.work; pkg.work.noted()",
    "with a cause": "import chain",
    "of syntax": "import pkg.syntax",
    "of syntax, from another module": "import pkg.imports_syntax",
    "of a missing module": "import wants",
}


@in_each_and_mounted
@pytest.mark.parametrize("where", UNCAUGHT)
def test_an_uncaught_exception_prints_the_lines_of_bundled_code(places: Places, kind: str, where: str) -> None:
    script = places.laboratory.probe_file(UNCAUGHT[where])
    outcome = places.runs_as_in_directory(kind, str(script))
    assert outcome.status == 1
    assert outcome.stderr.startswith(("Traceback", "  + Exception Group"))


@in_each_and_mounted
@pytest.mark.parametrize("arguments", [("-c", "import flow"), ("-m", "flow")])
def test_an_uncaught_exception_prints_bundled_lines_for_any_main(
    places: Places, kind: str, arguments: tuple[str, ...]
) -> None:
    assert places.runs_as_in_directory(kind, *arguments).status == 1


@in_each_and_mounted
def test_running_a_module_that_cannot_be_compiled_prints_what_it_prints_for_a_directory(
    places: Places, kind: str
) -> None:
    assert places.runs_as_in_directory(kind, "-m", "pkg.syntax").stderr.endswith("SyntaxError: invalid syntax\n")


@needs_threads
@in_each_with_source_and_mounted
def test_an_uncaught_exception_in_a_thread_prints_bundled_lines(places: Places, kind: str) -> None:
    for first, second in (("threading", "pkg.work"), ("pkg.work", "threading")):
        code = (
            f"import {first}\nimport {second}\nthreading.Thread(target=pkg.work.divide, args=(0,), name='side').start()"
        )
        outcome = places.runs_as_in_directory(kind, str(places.laboratory.probe_file(code)))
        assert "return 1 / number" in outcome.stderr
        assert outcome.stderr.startswith("Exception in thread side:\nTraceback")


DIVIDE = "import pkg.work, sys\ntry:\n    pkg.work.divide(0)\nexcept ZeroDivisionError as error:\n    "
OWN_WAYS = {
    "own excepthook": "import sys\nsys.excepthook = lambda *_: print('own hook', file=sys.stderr)\nimport flow",
    "own excepthook after the import": "import pkg.work, sys\nsys.excepthook = lambda *_: None\npkg.work.divide(0)",
    "limit of one": "import sys; sys.tracebacklimit = 1\nimport flow",
    "limit of none": "import sys; sys.tracebacklimit = 0\nimport flow",
    "no stderr": "import pkg.work, sys\nsys.stderr = None\npkg.work.divide(0)",
    "exit": f"{DIVIDE}sys.exit('the end')",
    "raise again": f"{DIVIDE}raise",
    "raise another": f"{DIVIDE}raise ValueError('another')",
    "raise another from None": f"{DIVIDE}raise ValueError('another') from None",
    "excepthook called": f"{DIVIDE}sys.excepthook(*sys.exc_info())",
    "excepthook called without traceback": f"{DIVIDE}sys.excepthook(type(error), error, None)",
    "interrupt": "import pkg.work, sys\nraise KeyboardInterrupt",
}


@in_each_with_source_and_mounted
@pytest.mark.parametrize("way", OWN_WAYS)
def test_a_program_that_ends_in_its_own_way_prints_the_same(places: Places, kind: str, way: str) -> None:
    places.runs_as_in_directory(kind, str(places.laboratory.probe_file(OWN_WAYS[way])))


@in_each_with_source_and_mounted
def test_unraisable_exceptions_print_bundled_lines(places: Places, kind: str) -> None:
    """They are printed where nobody can catch them: by a finaliser."""
    code = """
    import pkg.work

    class Final:
        def __del__(self):
            try:
                pkg.work.divide(0)
            except ArithmeticError as error:
                raise Own("in vain").with_traceback(error.__traceback__)

    for module in ("pkg", "builtins", None, []):
        Own = type("Own", (Exception,), {"__module__": module})
        Final()
    """
    program = str(places.laboratory.probe_file(code))
    found = [places.run(place, program) for place in (DIRECTORY, kind)]
    assert "    return 1 / number\n" in found[1].stderr
    assert found[1].stderr.count("Own: in vain\n") == 4
    assert found[0] == found[1]


@in_each_with_source_and_mounted
def test_a_warning_from_bundled_code_shows_its_source_line(places: Places, kind: str) -> None:
    outcome = places.runs_as_in_directory(kind, "-W", "always", str(places.laboratory.probe_file("import careful")))
    assert outcome.stderr == "<place>/careful.py:5: UserWarning: careful\n  warnings.warn('careful', stacklevel=1)\n"


@in_each_with_source_and_mounted
def test_traceback_formatting_shows_the_same_text(places: Places, kind: str) -> None:
    probe = """
    import traceback
    import pkg.work
    result = []
    for function in (pkg.work.group, pkg.work.noted, lambda: pkg.work.deep(2)):
        try:
            function()
        except Exception as error:
            result += traceback.format_exception(error)
            result += traceback.format_exception(error, chain=False, limit=1)
    """
    assert any("    return 1 / number" in line for line in places.as_in_directory(kind, probe))


@pytest.mark.parametrize(
    "shadow", [{"traceback.py": "print('loaded')\n"}, {"textwrap.py": "1 / 0\n", "contextlib.py": "1 / 0\n"}]
)
@pytest.mark.parametrize(
    "failing",
    [
        "bad.fail()",
        pytest.param(
            "import threading; thread = threading.Thread(target=bad.fail); thread.start(); thread.join(); bad.fail()",
            marks=needs_threads,
        ),
    ],
)
def test_a_bundle_that_shadows_what_prints_tracebacks_has_its_errors_printed_without_it(
    failing: str, shadow: Tree, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", shadow | {"bad.py": "def fail():\n    return 1 / 0\n"})
    script = f"import sys; sys.path.insert(0, {str(bundle)!r}); import bad; {failing}"
    result = run_python("-c", script, check=False)
    if sys.version_info < (3, 13):  # from then on the interpreter itself loads whatever has this name
        assert result.stdout == ""
        assert result.stderr.count("ZeroDivisionError: division by zero") == (2 if "thread" in failing else 1)
        assert "Error in sys.excepthook" not in result.stderr
