"""a program beside the package, found through its files and run as a child process."""
# /// script
# dependencies = ["ruff"]
# [tool.compatibility]
# subset = true
# ///

import os
import pathlib
import subprocess
import sys

from ruff.__main__ import find_ruff_bin

pathlib.Path("app.py").write_text("import os\nx  =  1\n")
for arguments in (("check", "--no-cache", "app.py"), ("format", "--no-cache", "app.py")):
    result = subprocess.run([sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True)
    print(result.returncode, result.stdout, result.stderr)
print(pathlib.Path("app.py").read_text(), os.access(find_ruff_bin(), os.X_OK))
