"""modules compiled by mypyc, the grammar files of its parser, worker processes, its command line."""

import pathlib
import subprocess
import sys

import black

print(black.format_str("x = {  'a':1,\n'b' : [1,2,],}\nmatch x:\n  case {'a':y}: pass\n", mode=black.Mode()))
try:
    black.format_str("def (", mode=black.Mode())
except black.InvalidInput as error:
    print(error)
for name in ("a", "b", "c"):
    pathlib.Path(f"{name}.py").write_text("print( 'x' )\n")
command = [sys.executable, "-m", "black", "--quiet", "--workers", "2"]
result = subprocess.run([*command, "."], capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr, pathlib.Path("a.py").read_text())
result = subprocess.run([*command, "--diff", "-"], input="x=1\n", capture_output=True, text=True)
print(result.returncode, [line for line in result.stdout.splitlines() if line[:2] in ("-x", "+x")])
