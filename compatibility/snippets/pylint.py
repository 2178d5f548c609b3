"""checkers and astroid's models of libraries, found by listing the package's folder; worker processes."""

import pathlib
import subprocess
import sys

import astroid

pathlib.Path("app.py").write_text(
    '"""Module."""\nimport os\nimport enum\nimport dataclasses\nfrom collections import namedtuple\n\n'
    "P = namedtuple('P', 'x y')\nprint(P(1, 2).z, undefined)\n\n\n"
    'class Colour(enum.Enum):\n    """Colours."""\n    RED = 1\n\n\nprint(Colour.RED.nothing, Colour.RED.value)\n'
)
pathlib.Path("other.py").write_text('"""Module."""\nX = 1\n')
for arguments in (["app.py"], ["-j", "2", "app.py", "other.py"]):
    command = [sys.executable, "-m", "pylint", "--score=n", "--load-plugins=pylint.extensions.mccabe", *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    codes = sorted({code for code in ("E1101", "E0602", "W0611") if code in result.stdout})
    print("checks:", result.returncode, *codes)
print(
    [node.value for node in astroid.extract_node("import dataclasses\n'a'.upper()  #@").infer()],
    len(astroid.MANAGER.brain["astroid_cache"]) > 0,
)
