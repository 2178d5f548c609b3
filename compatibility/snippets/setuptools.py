"""a wheel and an sdist through build_meta, its vendored packages, entry points, a launcher."""
# /// script
# dependencies = ["setuptools", "wheel"]
# ///

import contextlib
import io
import pathlib
import subprocess
import sys
import tarfile
import zipfile

from setuptools import build_meta, find_packages

pathlib.Path("pyproject.toml").write_text(
    '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "demo"\nversion = "1.0"\n'
    'scripts = {demo = "demo:main"}\n[tool.setuptools]\npackages = ["demo"]\n'
    '[tool.setuptools.package-data]\ndemo = ["*.txt"]\n'
)
pathlib.Path("demo").mkdir()
pathlib.Path("demo/__init__.py").write_text("def main(): print('made')\n")
pathlib.Path("demo/data.txt").write_text("data\n")
with contextlib.redirect_stdout(io.StringIO()):
    wheel, sdist = build_meta.build_wheel("out"), build_meta.build_sdist("out")
print(wheel, sorted(zipfile.ZipFile(f"out/{wheel}").namelist()))
print(sdist, sorted(tarfile.open(f"out/{sdist}").getnames()))
print(build_meta.get_requires_for_build_wheel(), find_packages("."))
pathlib.Path("setup.py").write_text("from setuptools import setup; setup()")
result = subprocess.run([sys.executable, "setup.py", "-q", "build_py", "--dry-run"], stdout=-1, stderr=-2, text=True)
print(result.returncode, subprocess.run([sys.executable, "setup.py", "--name"], stdout=-1, text=True).stdout)
