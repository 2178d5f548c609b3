"""IPython and ptpython complete the names of modules in bundles, as of modules in a directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, run_python
from .places import FLAT, NESTED, PLAIN_ZIP, Places

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "richer/__init__.py": "",
    "richer/tabular.py": "class Taut: pass\n",
    "richer/tasks/__init__.py": "",
    "richer/other.py": "",
    "richest.py": "",
    "portions/inner/__init__.py": "",
}
ASKED = ("import rich", "from richer.ta", "from richer.tabular import Ta", "from portions.in", "import por")
IPYTHON = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
result = {text: sorted(set(shell.complete(None, text, len(text))[1])) for text in %r}
"""
PTPYTHON = """
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from ptpython.completer import PythonCompleter
completer = PythonCompleter(dict, dict, lambda: False)
event = CompleteEvent(completion_requested=True)
result = {text: sorted({found.text for found in completer.get_completions(Document(text), event)}) for text in %r}
"""
# Both tools warn of things of their own.
QUIET = ("-W", "ignore")
in_each = pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("completion"), TREE)


@in_each
def test_ipython(places: Places, kind: str, tmp_path: Path) -> None:
    found = places.as_in_directory(kind, IPYTHON % (ASKED,), options=QUIET, IPYTHONDIR=str(tmp_path))
    assert {"richer", "richest"} <= set(found["import rich"])
    assert {"richer.tabular", "richer.tasks"} <= set(found["from richer.ta"])
    assert "Taut" in found["from richer.tabular import Ta"]


@in_each
def test_ptpython(places: Places, kind: str) -> None:
    found = places.as_in_directory(kind, PTPYTHON % (ASKED,), options=QUIET)
    assert {"richer", "richest"} <= set(found["import rich"])
    assert {"tabular", "tasks"} <= set(found["from richer.ta"])
    assert "Taut" in found["from richer.tabular import Ta"]
    assert found["from portions.in"] == ["inner"]
    assert "portions" in found["import por"]


@in_each
def test_a_bundle_that_is_added_later(places: Places, kind: str) -> None:
    code = (
        "import sys\nfrom IPython.core.completerlib import module_list\nimport bundleimp\n"
        "print(sorted(module_list(sys.argv[1])))\nbundleimp.uninstall()\n"
        "from IPython.core import completerlib\nprint(type(completerlib.module_list).__name__)"
    )
    result = run_python("-c", code, str(places.path(kind)))
    assert result.stdout == "['richer', 'richest']\nfunction\n"


def test_a_version_that_does_it_in_another_way(tmp_path: Path) -> None:
    tree: Tree = {
        "IPython/__init__.py": "",
        "IPython/core/__init__.py": "",
        "IPython/core/completerlib.py": "VALUE = 1\n",
        "one.py": "",
    }
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    code = "import one; from IPython.core import completerlib as own; print(sorted(set(vars(own)) - set(vars(one))))"
    assert run_python("-c", code, path=[bundle]).stdout == "['VALUE']\n"
