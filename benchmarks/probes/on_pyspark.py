"""One run of `benchmarks.engines` with Spark: WAY, the folder with what is sent, and a folder of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pyspark
from both import both, count
from pyspark.sql import SparkSession

import bundleimp.spark

WORKERS = 2


def main(way: str, folder: str, own: str) -> None:
    """Run a cluster, and print the outcome."""
    python = next(Path(folder, "bare", "bin").glob("python3*"))
    settings = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["PYSPARK_PYTHON"] = str(python)
    if way == "directory on PYTHONPATH":
        settings["spark.executorEnv.PYTHONPATH"] = f"{folder}/libs"
    for name, what in (("env.pybundle", "bundle"), ("env.pex", "pex")):
        if way == f"{what} as PYSPARK_PYTHON":
            settings["spark.files"] = f"{folder}/place/{name}"
            os.environ["PYSPARK_PYTHON"] = f"./{name}"
    # local-cluster wants a home with the folder of its jars.
    home = Path(own, "spark")
    home.mkdir()
    for name in ("bin", "jars", "python"):
        source = Path(pyspark.__file__).parent / name
        (home / name).symlink_to(source if source.exists() else source.parent)
    os.environ["SPARK_HOME"] = str(home)
    spark = SparkSession.builder.master(f"local-cluster[{WORKERS},1,1024]").config(map=settings).getOrCreate()
    context = spark.sparkContext
    tracker = context._jsc.sc().statusTracker()  # noqa: SLF001 (nothing public tells of executors)
    while len(tracker.getExecutorInfos()) <= WORKERS:  # one of them is the driver
        time.sleep(0.05)
    spark.range(1000).repartition(2 * WORKERS).count()  # a job without Python, so that the JVMs are warm
    both.__module__ = count.__module__ = "__main__"  # so that they are sent as code, and not by their names

    def work(_: object) -> tuple[str, str]:
        import os  # noqa: PLC0415 (on the worker)

        return "" if way == "nothing" else both(), os.getcwd()

    start = time.perf_counter()
    if way == "bundleimp.spark.ship":
        bundleimp.spark.ship(spark, f"{folder}/out.pybundle")
    elif way == "addPyFile, plain zip":
        context.addPyFile(f"{folder}/out.zip")
    found = context.parallelize(range(WORKERS), WORKERS).map(work).collect()
    seconds = time.perf_counter() - start
    fault, place = found[0]
    print(json.dumps({"seconds": seconds, **count(place), "fault": fault}))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
