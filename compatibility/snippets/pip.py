"""`-m pip`: hash, inspect, a wheel built by a build backend in a child process, its installation, vendored data."""
# /// script
# dependencies = ["pip", "setuptools"]
# ///

import json
import pathlib
import subprocess
import sys


def pip(*arguments):
    result = subprocess.run(
        [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
    )
    print(arguments[0], result.returncode, result.stderr.strip())
    return result.stdout


pathlib.Path("file").write_text("content")
print(pip("hash", "file"))
inspected = json.loads(pip("inspect"))
print(
    sorted(
        each["metadata"]["name"] for each in inspected["installed"] if each["metadata"]["name"] in {"pip", "setuptools"}
    )
)
pathlib.Path("project/demo").mkdir(parents=True)
pathlib.Path("project/pyproject.toml").write_text(
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "demo"\nversion = "1.0"\n[tool.setuptools]\npackages = ["demo"]\n'
)
pathlib.Path("project/demo/__init__.py").write_text("NAME = 'demo'\n")
pip("wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", "wheels", "./project")
pip(
    "install",
    "--quiet",
    "--root-user-action=ignore",
    "--no-index",
    "--target",
    "target",
    "wheels/demo-1.0-py3-none-any.whl",
)
print(sorted(path.name for path in pathlib.Path("target").rglob("*.py")))
print("certifi" in pip("debug", "--verbose"), "Usage" in pip("help"))
from pip._vendor import certifi

print(pathlib.Path(certifi.where()).stat().st_size > 100_000)
