"""compiled by mypyc; typeshed's stubs as files beside the package; types of bundled packages; reports."""
# /// script
# dependencies = ["mypy", "attrs"]
# ///

import pathlib

from mypy import api, stubgen

pathlib.Path("app.py").write_text(
    "import collections\nimport json\n"
    "def f(x: int) -> str:\n    return collections.Counter([x]).most_common(1)\n"
    "reveal_type(json.loads('1'))\n"
)
pathlib.Path("other.py").write_text("import attrs\n@attrs.define\nclass C:\n    n: int\nC('x')\n")
out, errors, status = api.run(["--strict", "app.py"])
print(status, out, errors)
print(api.run(["--no-pretty", "other.py"])[0])
print(api.run(["-c", "1 + ''"])[0], api.run(["--txt-report", "report", "app.py"])[2])
print(pathlib.Path("report/index.txt").read_text())
stubgen.generate_stubs(stubgen.parse_options(["app.py", "-o", "stubs", "-q"]))
print(pathlib.Path("stubs/app.pyi").read_text())
