"""an environment made with the wheels, scripts and activators that the package carries as files."""

import pathlib
import subprocess
import sys

command = [sys.executable, "-m", "virtualenv", "--no-download", "--no-periodic-update", "-q", "env"]
result = subprocess.run(command, capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr)
print(sorted(path.name for path in pathlib.Path("env/bin").glob("activate*")))
check = "import sys, pip; print(sys.prefix != sys.base_prefix)"
result = subprocess.run(["env/bin/python", "-E", "-c", check], capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr)
