"""Whether a module asks for its location is found in its code, not in its text."""

from __future__ import annotations

import importlib.util
import marshal
import sys

import pytest

from bundleimp.packing.locations import question_of_image, question_of_source
from bundleimp.runtime.site.questions import LOCATIONS, Question

NOTHING = Question()
OWN = Question(own=True)
CODE = Question(own=True, code=True)

ASKING = {
    "module level": "HERE = __file__",
    "function": "def where():\n    return __file__",
    "method": "class Kind:\n    def where(self):\n        return __file__",
    "class body": "class Kind:\n    HERE = __file__",
    "comprehension in a class body": "class Kind:\n    HERE = [__file__ for _ in range(2)]",
    "comprehension": "HERE = [__file__ for _ in range(2)]",
    "generator": "HERE = list(__file__ for _ in range(2))",
    "nested function": "def outer():\n    def inner():\n        return __file__\n    return inner",
    "lambda": "where = lambda: __file__",
    "default argument": "def where(path=__file__):\n    return path",
    "decorator": "@print(__file__)\ndef where():\n    pass",
    "f-string": "HERE = f'{__file__}/x'",
    "called": "def where():\n    return __file__.upper()",
    "as a function": "def where():\n    return __loader__()",
    "deleted afterwards": "HERE = __file__\ndel __file__",
    "declared global": "def where():\n    global __file__\n    return __file__",
    "async function": "async def where():\n    return __file__",
    "under a condition": "import os\nif os.name == 'posix':\n    HERE = __file__",
    "not as the program": "if __name__ != '__main__':\n    HERE = __file__",
    "as the program": "if __name__ == '__main__':\n    print(__file__)",
    "as the program, in a loop": "if __name__ == '__main__':\n    for x in (1, 2):\n        print(x, __file__)",
    "as the program, in a function": "def run():\n    if __name__ == '__main__':\n        print(__file__)",
    "globals": "HERE = globals()['__file__']",
    "globals, if there": "HERE = globals().get('__file__')",
    "globals in a function": "def where():\n    return globals()['__file__']",
    "locals": "HERE = locals()['__file__']",
    "vars": "import sys\nHERE = vars(sys.modules[__name__])['__file__']",
    "taken from another and used": "from other import __file__\nHERE = __file__",
    "path": "import pkgutil\n__path__ = pkgutil.extend_path(__path__, __name__)",
    "added to the path": "__path__.append('x')",
    "spec": "HERE = __spec__.origin",
    "spec, by another name": "own = __spec__\nHERE = own.parent, own.origin",
    "spec after its name": "PACKAGE = __spec__.parent\nHERE = __spec__.origin",
    "spec's attribute by name": "HERE = getattr(__spec__, 'parent')",
    "spec's name, among many names": f"{'; '.join(f'name_{n} = 1' for n in range(300))}\nNAME = __spec__.name",
    "spec's loader": "def read(name):\n    return __spec__.loader.get_data(name)",
    "loader": "DATA = __loader__.get_data('table.txt')",
    "cached": "HERE = __cached__",
    "globals, cached": "HERE = globals()['__cached__']",
}
NOT_ASKING = {
    "empty": "",
    "names of the spec": "import other\nPACKAGE = __spec__.parent, other.of(__spec__.name)\nother.name = 1",
    "names of the spec in a function": "def package():\n    return __spec__.parent or __spec__.name",
    "comment": "# __file__, __path__, __spec__, __loader__, __cached__",
    "docstring": '"""Lies at __file__, which is in __path__."""',
    "text": "NAME = '__file__'",
    "text with globals elsewhere": "NAME = '__file__'\ndef all_names():\n    return globals()",
    "globals": "NAMES = globals()",
    "attribute": "import other\nHERE = other.__file__",
    "attributes": "import other\nHERE = other.__path__, other.__spec__.origin, other.__loader__, other.__cached__",
    "attribute of its own module": "import sys\nHERE = sys.modules[__name__].__file__",
    "attribute in a function": "def where(module):\n    return module.__file__",
    "method of another": "import other\nDATA = other.__loader__.get_data('table.txt')",
    "attribute by name": "import other\nHERE = getattr(other, '__file__', None)",
    "attribute is set": "import other\nother.__file__ = None",
    "attribute is deleted": "import other\ndel other.__file__",
    "imported under another name": "from other import __file__ as here",
    "imported": "from other import __file__",
    "assigned": "__file__ = 'somewhere'",
    "deleted": "del __file__",
    "parameter": "def show(__file__):\n    return __file__",
    "local variable": "def show():\n    __file__ = 1\n    return __file__",
    "variable of an outer function": "def show(__file__):\n    return lambda: __file__",
    "other names": "import other\nHERE = __name__, __package__, __doc__, other.__file__",
    "frame": "import inspect, os\nHERE = os.path.dirname(inspect.getfile(inspect.currentframe()))",
    "stack": "import inspect, os\nHERE = os.path.dirname(inspect.stack()[0].filename)",
    "code of the frame": "import os, sys\nHERE = os.path.dirname(sys._getframe().f_code.co_filename)",
}
if sys.version_info >= (3, 12):
    ASKING |= {
        "base of a generic class in a class": "class Kind:\n    class Inner[T](make(__file__)):\n        pass",
        "bound of a generic method": "class Kind:\n    def where[T: (__file__)](self):\n        pass",
        "annotation of a generic method": "class Kind:\n    def where[T](self, path: __file__):\n        pass",
        "type alias": "type Here = __file__",
        "type alias in a class": "class Kind:\n    type Here = __file__",
        "type alias in a function": "def where():\n    type Here = __file__\n    return Here.__value__",
    }
    NOT_ASKING |= {"attribute in a type alias in a class": "class Kind:\n    type Here = other.__file__"}
LOOKING_FOR_CODE = {
    "listdir": "import os\nNAMES = os.listdir(os.path.dirname(__file__))",
    "scandir": "import os\nNAMES = [e.name for e in os.scandir(os.path.dirname(__file__))]",
    "walk": "import os\nNAMES = list(os.walk(os.path.dirname(__file__)))",
    "glob": "import glob, os\nNAMES = glob.glob(os.path.join(os.path.dirname(__file__), '*'))",
    "iterdir": "from pathlib import Path\nNAMES = list(Path(__file__).parent.iterdir())",
    "rglob": "from pathlib import Path\nNAMES = list(Path(__file__).parent.rglob('*'))",
    "in another function": "import os\nHERE = os.path.dirname(__file__)\ndef find():\n    return os.listdir(HERE)",
    "Python file": "import os\nTOOL = os.path.join(os.path.dirname(__file__), 'tool.py')",
    "Python file in a folder": "from pathlib import Path\nTOOL = Path(__file__).with_name('x') / 'tools/tool.py'",
    "Python file in a tuple": "import os\nTOOLS = [os.path.join(__file__, '..', name) for name in ('a.py', 'b.py')]",
    "runs itself": "import subprocess, sys\ndef run():\n    return subprocess.run([sys.executable, __file__])",
    "runs a file": "import os, runpy\ndef run(name):\n    runpy.run_path(os.path.join(__file__, '..', name + '.py'))",
    "lists its path": "import os\nNAMES = [name for place in __path__ for name in os.listdir(place)]",
    "file beside its spec": "import os\nTOOL = os.path.join(os.path.dirname(__spec__.origin), 'tool.py')",
    "loads a file": "from importlib.util import spec_from_file_location\nSPEC = spec_from_file_location('x', __file__)",
}
NOT_LOOKING_FOR_CODE = {
    "data file": "import os\nTABLE = os.path.join(os.path.dirname(__file__), 'table.txt')",
    "suffix alone": "NAME = __file__.removesuffix('.py')",
    "sentence": "USAGE = 'run as python tool.py'\nHERE = __file__",
}


def image(source: bytes, magic: bytes = importlib.util.MAGIC_NUMBER) -> bytes:
    return magic + bytes(12) + marshal.dumps(compile(source, "mod.py", "exec", dont_inherit=True))


@pytest.mark.parametrize("source", ASKING.values(), ids=ASKING)
def test_a_module_that_uses_its_own_location_asks_for_it(source: str) -> None:
    assert question_of_source(source.encode(), "mod.py").own
    assert question_of_image(image(source.encode())).own


@pytest.mark.parametrize("source", NOT_ASKING.values(), ids=NOT_ASKING)
def test_a_module_that_does_not_use_its_own_location_does_not_ask(source: str) -> None:
    assert question_of_source(source.encode(), "mod.py") == NOTHING
    assert question_of_image(image(source.encode())) == NOTHING


@pytest.mark.parametrize("name", sorted(LOCATIONS))
@pytest.mark.parametrize("form", ["HERE = {}", "def where():\n    return {}", "HERE = globals()['{}']"])
def test_every_name_that_tells_a_location_counts(name: str, form: str) -> None:
    assert question_of_source(form.format(name).encode(), "mod.py") == OWN
    assert question_of_source(b"import other\nHERE = other." + name.encode(), "mod.py") == NOTHING


@pytest.mark.parametrize("source", LOOKING_FOR_CODE.values(), ids=LOOKING_FOR_CODE)
def test_one_that_lists_folders_or_names_python_files_may_look_for_code(source: str) -> None:
    assert question_of_source(source.encode(), "mod.py") == CODE
    assert question_of_image(image(source.encode())) == CODE


@pytest.mark.parametrize("source", NOT_LOOKING_FOR_CODE.values(), ids=NOT_LOOKING_FOR_CODE)
def test_one_that_does_neither_looks_for_data_alone(source: str) -> None:
    assert question_of_source(source.encode(), "mod.py") == OWN


LARGE = {"module": "{}", "function": "def run():\n    {}", "class": "class Kind:\n    {}"}


@pytest.mark.parametrize("names", [0, 1, 120, 126, 127, 128, 129, 250, 254, 255, 256, 257, 300, 511, 512, 513, 1000])
@pytest.mark.parametrize("form", LARGE.values(), ids=LARGE)
def test_large_code_that_asks_is_never_missed(form: str, names: int) -> None:
    """The number of a name may need more than one byte, and so several instructions."""
    before = "; ".join(f"value{number}" for number in range(names))
    source = form.format(f"{before}; __file__" if before else "__file__")
    assert question_of_source(source.encode(), "mod.py") == OWN
    assert question_of_image(image(source.encode())) == OWN


@pytest.mark.parametrize("form", LARGE.values(), ids=LARGE)
def test_code_with_up_to_128_names_is_told_exactly(form: str) -> None:
    """Beyond, a name whose number ends like that of a location may be taken for it."""
    before = "; ".join(f"value{number}" for number in range(126))
    source = form.format(f"{before}; other.__file__; value0")
    assert question_of_source(source.encode(), "mod.py") == NOTHING
    assert question_of_image(image(source.encode())) == NOTHING


@pytest.mark.parametrize("source", ["def broken(", "print 'old'", "x = '\0'", "\tif\n", "x = " + "(" * 500])
def test_source_that_does_not_compile_may_ask_for_anything(source: str) -> None:
    assert question_of_source(f"HERE = __file__\n{source}".encode(), "mod.py") == OWN
    assert question_of_source(source.encode(), "mod.py") == NOTHING


def test_source_that_cannot_be_decoded_may_ask_for_anything() -> None:
    assert question_of_source(b"# coding: utf-8\nHERE = __file__, '\xff'\n", "mod.py") == OWN
    assert question_of_source(b"# coding: no-such-coding\nHERE = __file__\n", "mod.py") == OWN


def test_source_in_another_coding_is_read_in_it() -> None:
    assert question_of_source("# coding: latin-1\nHERE = __file__, 'ä'\n".encode("latin-1"), "mod.py") == OWN


def test_warnings_of_the_compiler_are_not_told_twice() -> None:
    """Warnings are errors here: this would raise."""
    assert question_of_source(b"HERE = __file__, '\\d', 1 is 1\n", "mod.py") == OWN


def test_what_this_python_compiled_already_answers_for_the_source() -> None:
    asking, silent = b"HERE = __file__", b"import other\nHERE = other.__file__"
    for source, expected in ((asking, OWN), (silent, NOTHING)):
        assert question_of_source(source, "mod.py", [image(source)]) == expected
    # It is not compiled again, or this could not be told from what asks.
    assert question_of_source(asking, "mod.py", [None, image(silent)]) == NOTHING
    assert question_of_source(asking, "mod.py", [None, image(silent, b"\x01\x02\r\n")]) == OWN


def test_bytecode_of_another_python_may_ask_for_anything() -> None:
    assert question_of_image(image(b"x = __file__", b"\x01\x02\r\n")) == OWN
    assert question_of_image(image(b"import other; other.__file__", b"\x01\x02\r\n")) == OWN
    assert question_of_image(image(b"x = 1", b"\x01\x02\r\n")) == NOTHING


@pytest.mark.parametrize("end", [16, 20, 60])
def test_damaged_bytecode_may_ask_for_anything_or_nothing_but_stops_nobody(end: int) -> None:
    data = image(b"x = __file__")
    assert question_of_image(data[:end] + b"__file__") == OWN
    assert question_of_image(data[:end]) in {NOTHING, OWN}


def test_bytecode_that_holds_no_code_asks_for_nothing() -> None:
    assert question_of_image(image(b"")[:16] + marshal.dumps(["__file__"])) == NOTHING
