"""Whether a module asks where it lies is found in its code, not in its text."""

from __future__ import annotations

import importlib.util
import marshal

import pytest

from bundleimp.packing.locations import NONE, Question, question_of_image, question_of_source

OWN = Question(own=True)
CODE = Question(own=True, code=True)

ASKING = {
    "module level": "HERE = __file__",
    "function": "def where():\n    return __file__",
    "method": "class Kind:\n    def where(self):\n        return __file__",
    "class body": "class Kind:\n    HERE = __file__",
    "comprehension in a class body": "class Kind:\n    HERE = [__file__ for _ in range(2)]",
    "nested function": "def outer():\n    def inner():\n        return __file__\n    return inner",
    "lambda": "where = lambda: __file__",
    "default argument": "def where(path=__file__):\n    return path",
    "f-string": "HERE = f'{__file__}/x'",
    "deleted afterwards": "HERE = __file__\ndel __file__",
    "async function": "async def where():\n    return __file__",
    "under another condition": "import os\nif os.name == 'posix':\n    HERE = __file__",
    "not as the program": "if __name__ != '__main__':\n    HERE = __file__",
    "else of the program": "if __name__ == '__main__':\n    pass\nelse:\n    HERE = __file__",
    "after the program": "if __name__ == '__main__':\n    pass\nHERE = __file__",
    "program or not": "import os\nif __name__ == '__main__' or os.name:\n    HERE = __file__",
    "the program's name as a value": "NAME = '__main__'\nif NAME:\n    HERE = __file__",
    "the program's name as an argument": "print('__main__')\nwhile True:\n    HERE = __file__\n    break",
    "globals": "HERE = globals()['__file__']",
    "globals, if there": "HERE = globals().get('__file__')",
    "vars": "import sys\nHERE = vars(sys.modules[__name__])['__file__']",
    "frame": "import inspect, os\nHERE = os.path.dirname(inspect.getfile(inspect.currentframe()))",
    "source of the frame": "import inspect as i, pathlib as p\nHERE = p.Path(i.getsourcefile(i.currentframe())).parent",
    "stack": "import inspect, os\nHERE = os.path.dirname(inspect.stack()[0].filename)",
    "code of the frame": "import os, sys\nHERE = os.path.dirname(sys._getframe().f_code.co_filename)",
    "frame info": "import inspect as i, os\nHERE = os.path.dirname(i.getframeinfo(i.currentframe()).filename)",
    "taken from another and used": "from other import __file__\nHERE = __file__",
}
NOT_ASKING = {
    "empty": "",
    "comment": "# __file__",
    "docstring": '"""Lies at __file__."""',
    "text": "NAME = '__file__'",
    "attribute": "import other\nHERE = other.__file__",
    "attribute by name": "import other\nHERE = getattr(other, '__file__', None)",
    "imported under another name": "from other import __file__ as here",
    "assigned": "__file__ = 'somewhere'",
    "parameter": "def show(__file__):\n    return __file__",
    "local variable": "def show():\n    __file__ = 1\n    return __file__",
    "program": "if __name__ == '__main__':\n    print(__file__)",
    "program with a loop": "if __name__ == '__main__':\n    for x in (1, 2):\n        print(x, __file__)",
    "program in a function": "def run():\n    if __name__ == '__main__':\n        print(__file__)",
    "program under a second condition": "import sys\nif __name__ == '__main__' and sys.argv:\n    print(__file__)",
    "frame without a folder": "import inspect\nNAME = inspect.getfile(inspect.currentframe())",
    "folder without a frame": "import inspect, os\nHERE = os.path.dirname(inspect.getfile(os))",
}
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


@pytest.mark.parametrize("name", NOT_ASKING)
def test_a_module_that_does_not_use_its_own_location_does_not_ask(name: str) -> None:
    source = NOT_ASKING[name]
    expected = Question(program=name.startswith("program"))
    assert question_of_source(source.encode(), "mod.py") == expected
    assert question_of_image(image(source.encode())) == expected


@pytest.mark.parametrize("source", LOOKING_FOR_CODE.values(), ids=LOOKING_FOR_CODE)
def test_one_that_lists_folders_or_names_python_files_may_look_for_code(source: str) -> None:
    assert question_of_source(source.encode(), "mod.py") == CODE
    assert question_of_image(image(source.encode())) == CODE


@pytest.mark.parametrize("source", NOT_LOOKING_FOR_CODE.values(), ids=NOT_LOOKING_FOR_CODE)
def test_one_that_does_neither_looks_for_data_alone(source: str) -> None:
    assert question_of_source(source.encode(), "mod.py") == OWN


def test_long_programs_are_left_out_as_a_whole() -> None:
    """Their jumps are too wide for one instruction, and so are the numbers of their names."""
    filler = "\n".join(f"    name{number} = other{number} + {number}" for number in range(400))
    program = f"if __name__ == '__main__':\n{filler}\n    print(__file__)\n"
    assert question_of_source(program.encode(), "mod.py") == Question(program=True)
    before = "\n".join(f"name{number} = other{number}" for number in range(400))
    assert question_of_source(f"{before}\n{program}".encode(), "mod.py") == Question(program=True)
    assert question_of_source(f"{before}\n{program}HERE = __file__\n".encode(), "mod.py") == OWN


@pytest.mark.parametrize("source", ["def broken(", "print 'old'", "x = '\0'", "\tif\n", "x = " + "(" * 500])
def test_source_that_does_not_compile_may_ask_for_anything(source: str) -> None:
    assert question_of_source(f"HERE = __file__\n{source}".encode(), "mod.py") == OWN
    assert question_of_source(source.encode(), "mod.py") == NONE


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
    for source, expected in ((asking, OWN), (silent, NONE)):
        assert question_of_source(source, "mod.py", [image(source)]) == expected
    # It is not compiled again, or this could not be told from what asks.
    assert question_of_source(asking, "mod.py", [None, image(silent)]) == NONE
    assert question_of_source(asking, "mod.py", [None, image(silent, b"\x01\x02\r\n")]) == OWN


def test_bytecode_of_another_python_may_ask_for_anything() -> None:
    assert question_of_image(image(b"x = __file__", b"\x01\x02\r\n")) == OWN
    assert question_of_image(image(b"import other; other.__file__", b"\x01\x02\r\n")) == OWN
    assert question_of_image(image(b"x = 1", b"\x01\x02\r\n")) == NONE


@pytest.mark.parametrize("end", [16, 20, 60])
def test_damaged_bytecode_may_ask_for_anything_or_nothing_but_stops_nobody(end: int) -> None:
    data = image(b"x = __file__")
    assert question_of_image(data[:end] + b"__file__") == OWN
    assert question_of_image(data[:end]) in {NONE, OWN}


def test_bytecode_that_holds_no_code_asks_for_nothing() -> None:
    assert question_of_image(image(b"")[:16] + marshal.dumps(["__file__"])) == NONE
