"""a program from type annotations, its help in colours, completion scripts, its own command line."""

import importlib.metadata
import pathlib
import subprocess
import sys

pathlib.Path("app.py").write_text(
    "import enum\nimport typer\n"
    "class Kind(str, enum.Enum):\n    a = 'a'\n    b = 'b'\n"
    "app = typer.Typer()\n"
    "@app.command()\ndef greet(name: str, times: int = 1, kind: Kind = Kind.a):\n"
    "    '''Greet NAME.'''\n    for _ in range(times):\n        typer.echo(f'hello {name} {kind.value}')\n"
    "@app.command()\ndef fail():\n    raise RuntimeError('x')\n"
    "if __name__ == '__main__':\n    app()\n"
)
for arguments in (
    ["--help"],
    ["greet", "you", "--times", "2", "--kind", "b"],
    ["greet", "you", "--kind", "c"],
    ["fail"],
):
    result = subprocess.run([sys.executable, "app.py", *arguments], capture_output=True, text=True)
    print(result.returncode, result.stdout, result.stderr)
result = subprocess.run([sys.executable, "-m", "typer", "app.py", "utils", "docs"], capture_output=True, text=True)
print(result.returncode, result.stdout[:300], result.stderr)
print(importlib.metadata.entry_points(group="console_scripts", name="typer")["typer"].value)
