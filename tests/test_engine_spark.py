"""Spark with a bundle as the Python of its workers, which have nothing installed.

The test is marked ``engines``.  It needs pyspark in this Python, and Java.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .builders import TIMEOUT, Tree, clean_environment, make_bundle
from .compiling import extension
from .programs import interpreter_without_bundleimp

if TYPE_CHECKING:
    from pathlib import Path

LACKING = [name for name in ("java", "gcc") if shutil.which(name) is None]
LACKING += ["pyspark"] * (importlib.util.find_spec("pyspark") is None)
pytestmark = [pytest.mark.engines, pytest.mark.skipif(bool(LACKING), reason=f"not here: {', '.join(LACKING)}")]

MINE: Tree = {
    "mine/__init__.py": "import os\nfrom . import fast\n"
    "TEXT = open(os.path.join(os.path.dirname(__file__), 'data.txt')).read()\n",
    "mine/data.txt": "hello",
    "pyspark/__init__.py": "raise ImportError('not that of the engine')\n",
}
JOB = """
from pyspark.sql import SparkSession

settings = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()

def work(number):
    import multiprocessing, os, subprocess, sys
    import mine
    try:
        import bundleimp
    except ModuleNotFoundError:
        bundleimp = None
    with multiprocessing.get_context("fork").Pool(2) as pool:
        lengths = pool.map(len, ["a", "bb"])
    child = subprocess.run([sys.executable, "-c", "import mine; print(mine.TEXT)"], capture_output=True, text=True)
    return number, mine.TEXT, mine.fast.value(), bundleimp, lengths, child.stdout

for result in spark.sparkContext.parallelize(range(4), 2).map(work).collect():
    print(*result)
spark.stop()
"""


def test_a_bundle_is_the_python_of_workers(tmp_path: Path) -> None:
    tree = MINE | {"mine/fast.abi3.so": extension(tmp_path / "c", "fast", "7")}
    python = interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))
    env = make_bundle(tmp_path / "env.pybundle", tree, standalone=True, shebang=python)
    (tmp_path / "job.py").write_text(JOB)
    result = subprocess.run(
        [sys.executable, tmp_path / "job.py"],
        env=clean_environment(
            PYSPARK_PYTHON=str(env), PYSPARK_DRIVER_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1"
        ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    lines = [line for line in result.stdout.splitlines() if line]
    assert lines == [f"{number} hello 7 None [1, 2] hello" for number in range(4)], result.stderr
