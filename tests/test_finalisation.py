"""Objects that are finalised while something is imported, or while the interpreter ends, import, read and fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .places import FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, Places
from .platforms import needs_processes, needs_threads

if TYPE_CHECKING:
    from .builders import Tree

in_kinds = pytest.mark.parametrize("kind", [FLAT, PLAIN_ZIP])
TREE: Tree = {
    "app/__init__.py": "",
    "app/data.txt": "data",
    "app/located.py": "import os\nHERE = os.path.dirname(__file__)\n",
    "app/held.py": "from app.things import *\nfirst, second = Imports('app.leaf0'), Raises('of a module')\n",
    "app/things.py": """
class Imports:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print(self.name, __import__(self.name, fromlist=["V"]).V)


class Raises:
    def __init__(self, text):
        self.text = text

    def __del__(self):
        raise ValueError(self.text)  # in vain


class Reads:
    def __del__(self):
        import importlib, importlib.metadata, importlib.resources, inspect
        importlib.invalidate_caches()
        print(importlib.resources.files("app").joinpath("data.txt").read_text(), importlib.metadata.version("thing"))
        print(inspect.getsource(Reads))


class Opens:
    def __init__(self):
        import app.located
        self.path = app.located.HERE

    def __del__(self, open=open, print=print):
        with open(self.path + "/data.txt") as file:
            print(file.read())


def generate(action):
    try:
        yield
    finally:
        action()


def imports(*_):
    import app.leaf1
    print("imports", app.leaf1.V)


def raises(*_):
    try:
        import app.nothing
    except ImportError:
        raise ValueError("instead")


def circle(thing):
    thing.itself = thing
""",
    **{f"app/leaf{number}.py": f"import app.things\nV = {number}\n" for number in range(30)},
    "thing-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\n",
}
THINGS = ["Imports('app.leaf0')", "Raises('wrong')", "Reads()", "Opens()"]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("finalisation"), TREE)


@needs_processes
@in_kinds
@pytest.mark.parametrize(
    "holder",
    [
        "kept = [{}]",  # until the modules go
        "circle(*[{}])",  # until the last collection
        "import sys; sys.kept = [{}]",  # until there is nothing else
        "import atexit; [atexit.register(type(thing).__del__, thing) for thing in [{}]]",
        "import sys; kept = [{}]; sys.exit(3)",
        "kept = [{}]; 1 / 0",
    ],
)
def test_what_ends_with_the_interpreter_does_what_it_does_from_a_directory(
    places: Places, kind: str, holder: str
) -> None:
    things = THINGS if "circle" not in holder else THINGS[:2]
    for thing in [", ".join(THINGS)] if things is THINGS else things:
        places.runs_as_in_directory(kind, "-c", f"from app.things import *\n{holder.format(thing)}")


@needs_processes
@in_kinds
@pytest.mark.parametrize(
    "program",
    [
        "import app.held",
        "kept = generate(imports); next(kept); other = generate(raises); next(other)",
        "kept = generate(raises); next(kept); circle = [kept]; circle.append(circle); del kept, circle",
        "import weakref; kept = Opens(); first, second = weakref.ref(kept, imports), weakref.ref(kept, raises)",
        "import weakref; kept = Opens(); weakref.finalize(kept, imports); weakref.finalize(kept, raises)",
        "import atexit; atexit.register(imports); atexit.register(raises)",
        "import sys; kept = Raises('in silence'); sys.stderr = None",
        "import sys; kept = Raises('its own way'); sys.unraisablehook = lambda what: print(what.exc_value)",
    ],
)
def test_generators_callbacks_and_handlers_at_the_end_do_the_same(places: Places, kind: str, program: str) -> None:
    assert places.runs_as_in_directory(kind, "-c", f"from app.things import *\n{program}").status == 0


@needs_processes
@needs_threads
@in_kinds
@pytest.mark.parametrize("action", ["imports", "raises"])
def test_a_thread_goes_on_when_the_program_is_at_its_end(places: Places, kind: str, action: str) -> None:
    program = f"""
import threading
from app.things import imports, raises
main = threading.main_thread()
threading.Thread(target=lambda: (main.join(), {action}()), name="later").start()
"""
    assert places.runs_as_in_directory(kind, "-c", program).status == 0


@needs_processes
@needs_threads
@pytest.mark.parametrize("kind", [FLAT, NO_BYTECODE])
def test_daemon_threads_that_import_let_the_interpreter_end(places: Places, kind: str) -> None:
    program = """
import app.things, atexit, importlib, importlib.resources, sys, threading
atexit.register(app.things.imports)
started = threading.Semaphore(0)


def work():
    turn = 0
    while True:
        for number in range(2, 30):
            sys.modules.pop(f"app.leaf{number}", None)
            try:
                importlib.import_module(f"app.leaf{number}")
            except (ImportError, KeyError):  # another thread has just taken it out
                pass
        importlib.resources.files("app").joinpath("data.txt").read_text()
        turn += 1
        if turn == 2:
            started.release()


for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
for _ in range(4):
    started.acquire()
print("ends")
"""
    for _ in range(3):
        outcome = places.run(kind, "-c", program)
        assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "ends\nimports 1\n", "")


@pytest.mark.parametrize("kind", [FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP])
def test_what_is_collected_in_the_midst_of_an_import_may_import(places: Places, kind: str) -> None:
    """The collector looks at every turn, and always finds something that imports or reads."""
    probe = """
    import gc, importlib, sys
    import app.things

    class Circle:
        def __init__(self, number):
            self.itself, self.number = self, number

        def __del__(self):
            import importlib.metadata, importlib.resources
            seen.append(importlib.import_module(f"app.leaf{self.number}").V == self.number)
            seen.append(importlib.resources.files("app").joinpath("data.txt").read_text() == "data")
            seen.append(importlib.metadata.version("thing") == "1")

    seen = []
    gc.set_threshold(1)
    for number in range(0, 30, 2):
        Circle(number + 1)
        importlib.import_module(f"app.leaf{number}")
    import app.located
    gc.collect()
    gc.set_threshold(700)
    result = [len(seen), all(seen), [sys.modules[f"app.leaf{number}"].V for number in range(30)]]
    """
    assert places.as_in_directory(kind, probe)[:2] == [45, True]


@in_kinds
def test_what_fails_while_the_printer_is_loaded_is_reported_all_the_same(places: Places, kind: str) -> None:
    program = """
import sys
from app.things import Raises
waiting = ["traceback", "linecache", "tokenize"]
for name in waiting:
    sys.modules.pop(name, None)


def hook(event, arguments):
    if event == "import" and arguments[0] in waiting:
        waiting.remove(arguments[0])
        Raises(f"before {arguments[0]}")


sys.addaudithook(hook)
Raises("the first")
Raises("the last")
"""
    outcome = places.run(kind, "-c", program)
    assert outcome.status == 0
    reports = ["before traceback", "before linecache", "before tokenize", "the first", "the last"]
    assert sorted(line for line in outcome.stderr.splitlines() if line.startswith("ValueError: ")) == sorted(
        f"ValueError: {text}" for text in reports
    )
    assert outcome.stderr.count("Exception ignored ") == len(reports)
    assert outcome.stderr.count("# in vain") >= 2
