"""an application of our own that lists its files, modules among them, by walking its folder and as resources."""
# /// script
# dependencies = []
# [tool.compatibility]
# subset = true
# ///

import inspect
import os
import subprocess
import sys

import walker
from walker import tree

print(walker.walked() == walker.listed(), *walker.walked(), sep="\n")
print(walker.runs(), tree.texts())
print(all(os.path.isfile(name) for name in tree.absolute()), len(tree.absolute()))
print(inspect.getsource(walker).splitlines()[0], os.path.basename(inspect.getfile(walker.walked)))
result = subprocess.run([sys.executable, "-m", "walker"], capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr)
