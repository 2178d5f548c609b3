"""Spark: `bundleimp.spark.ship`, the way with ``--files``, and a bundle as the Python of the workers.

The tests are marked ``engines``.  They need pyspark in this Python, and Java.  The cluster has two executors on this
machine, with a working directory each.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_bundle
from .engines import engine_marks, probe, reports, run_alone, shadowing, whole
from .programs import interpreter_without_bundleimp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = engine_marks("pyspark", commands=("java", "gcc"), large=True)
CLUSTER = "local-cluster[2,1,1024]"
VERSION = "{}.{}".format(*sys.version_info[:2])

START = """
import json, os, sys
from pyspark.sql import SparkSession

SETTINGS = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}

def start(master="local[2]", **more):
    return SparkSession.builder.master(master).config(map=SETTINGS | more).getOrCreate()

def say(*values):
    print(json.dumps(values if len(values) > 1 else values[0]))

def refused(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        say(type(error).__name__, str(error))
    else:
        say("not refused")

def work(number):
    import probe
    return probe.report()

def each(spark, function=work):
    return spark.sparkContext.parallelize(range(2), 2).map(function)
"""


def run(script: str, folder: Path, *arguments: Any, python: str = sys.executable) -> list[Any]:
    """Run `START` and *script* with *python* for the workers, and return what is said."""
    (spec,) = importlib.util.find_spec("pyspark").submodule_search_locations  # type: ignore[union-attr,misc]
    home = folder / "spark"  # executors work in a folder of it
    home.mkdir(exist_ok=True)
    for name in ("bin", "jars", "python"):
        if not (home / name).is_symlink():
            (home / name).symlink_to(os.path.join(spec, name))
    lines = run_alone(
        START + script,
        folder,
        *map(str, arguments),
        SPARK_HOME=str(home),
        SPARK_LOCAL_IP="127.0.0.1",
        JAVA_TOOL_OPTIONS="-XX:-UsePerfData",  # no files that are named by process ids, which are not unique here
        PYSPARK_PYTHON=python,
        PYSPARK_DRIVER_PYTHON=sys.executable,
    )
    return reports(lines)


SHIP = """
from pyspark.sql.functions import udf
import bundleimp.spark

def used(number):
    return "".join(map(str, work(number)))

def python_of(number):
    import importlib.util
    return os.getppid(), importlib.util.find_spec("bundleimp") is not None

def table(*functions):
    return [list(row) for row in spark.range(2).select(*(function("id") for function in functions)).collect()]

master, *bundles = sys.argv[1:]
one, two = bundles[:2], bundles[2:]
spark = start(master, **{"spark.executorEnv.PYTHONPATH": "/of/the/user"})
bundleimp.spark.ship(spark, *one)
rdd, first = each(spark), udf(used, useArrow=False)
say(rdd.collect())
say(table(first))
before = each(spark, python_of).collect()
say([found for _, found in before])
bundleimp.spark.ship(spark.sparkContext, *one)
say(sorted(each(spark, python_of).collect()) == sorted(before))  # the same processes, in any order

bundleimp.spark.ship(spark, *two)
second = udf(used, useArrow=False)
say(each(spark).collect())
say(table(second))
say(rdd.collect())
say(table(first))
say(table(first, second))
say(spark.sparkContext.environment["PYTHONPATH"].split(os.pathsep)[-1])
bundleimp.spark.ship(spark, *one)
say(each(spark).collect())
bundleimp.spark.ship(spark, *two)
say(work(0))
refused(bundleimp.spark.ship, spark, *one)
say(each(spark).collect())
spark.stop()
refused(bundleimp.spark.ship, spark, *two)

spark = start(master)
bundleimp.spark.ship(spark, *two)
say(each(spark).collect())
spark.stop()
"""


@pytest.mark.parametrize(
    ("master", "options", "lacking"),
    [
        ("local[2]", {"layout": "nested"}, True),
        (CLUSTER, {}, True),
        (CLUSTER, {"standalone": True}, False),
    ],
    ids=["local", "cluster", "standalone"],
)
def test_a_new_version_runs_whole_on_living_executors(
    tmp_path: Path, master: str, options: dict[str, Any], lacking: bool
) -> None:
    one, two = (probe(tmp_path, version, **options) for version in (1, 2))
    python = interpreter_without_bundleimp(VERSION) if lacking else sys.executable
    said = run(SHIP, tmp_path, master, *one, *two, python=python)
    texts = [["".join(map(str, whole(version)))] for version in (1, 2)]
    assert said[:4] == [[whole(1)] * 2, [texts[0]] * 2, [not lacking] * 2, True]
    assert said[4:6] == [[whole(2)] * 2, [texts[1]] * 2]
    assert said[6:8] == [[whole(1)] * 2, [texts[0]] * 2]  # they keep what they had
    together = said[8]  # in one process: all of one version
    assert together in [[text * 2] * 2 for text in texts]
    assert said[9] == "/of/the/user"
    assert said[10] == [whole(1)] * 2
    assert said[11] == whole(2)  # the driver
    kind, message = said[12]
    assert kind == "BundleError"
    assert message.startswith(f"{one[0]}: this process has imported probe, probe.fast, ")
    assert said[13] == [whole(2)] * 2
    assert said[14] == ["BundleError", "the Spark session is stopped: make a new one"]
    assert said[15:] == [[whole(2)] * 2]


def test_what_runs_in_the_driver_and_in_sessions_with_files_of_their_own_imports_too(tmp_path: Path) -> None:
    bundle = make_bundle(
        tmp_path / "some app#1.pybundle",
        {
            "sources.py": """
from pyspark.sql.datasource import DataSource, DataSourceReader

class Source(DataSource):
    @classmethod
    def name(cls):
        return "ours"

    def schema(self):
        return "value int"

    def reader(self, schema):
        return Reader()

class Reader(DataSourceReader):
    def read(self, partition):
        yield (7,)
"""
        },
    )
    script = """
import bundleimp.spark
from pyspark.sql.functions import udf

spark = start(sys.argv[1])
bundleimp.spark.ship(spark, sys.argv[2])
import sources
spark.dataSource.register(sources.Source)
say([list(row) for row in spark.read.format("ours").load().collect()])

def imported(number):
    import sources
    return sources.Source.name()

other = spark.newSession()
other.addArtifacts("script.py", file=True)  # its workers have a folder of their own
say([list(row) for row in other.range(1).select(udf(imported, useArrow=False)("id")).collect()])
spark.stop()
"""
    assert run(script, tmp_path, CLUSTER, bundle) == [[[7]], [["ours"]]]


def test_what_cannot_be_shipped_is_refused_in_one_line(tmp_path: Path) -> None:
    bundles = {
        name: make_bundle(tmp_path / name / "app.pybundle", tree)
        for name, tree in {
            "one": {"app.py": "X = 1\n", "more.py": ""},
            "two": {"app.py": "X = 2\n"},
            "bare": {"else.py": ""},
        }.items()
    }
    other = make_bundle(tmp_path / "other.pybundle", {"app.py": "X = 3\n"})
    foreign = make_bundle(tmp_path / "foreign.pybundle", {"_f.cpython-310-x86_64-linux-gnu.so": b"\x7fELF", "f.py": ""})
    script = """
import warnings
import bundleimp.spark

one, two, bare, other, foreign = sys.argv[1:]
spark = start("local[1]")
ship = bundleimp.spark.ship
refused(ship, "spark", one)
refused(ship, spark)
refused(ship, spark, foreign)
refused(ship, spark, one, other)
refused(ship, spark, "missing.pybundle")

# A file of that name, with other content, is where Spark puts files.
from bundleimp.engines import parcel
from pyspark import SparkFiles
place = SparkFiles.get(parcel.make(bare)[0].name)
with open(place, "w") as file:
    file.write("something else")
refused(ship, spark, bare)
os.remove(place)
say("PYTHONPATH" in spark.sparkContext.environment)

def version(number):
    import app
    return app.X

ship(spark, one)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    ship(spark, two)  # a version without a module
    say([str(each.message) for each in seen])
    ship(spark, one)
    ship(spark, other)
    say([[type(each.message).__name__, str(each.message)] for each in seen])
say(each(spark, version).collect())
spark.sparkContext.stop()
refused(ship, spark.sparkContext, one)
"""
    arguments = [*bundles.values(), other, foreign]
    said = run(script, tmp_path, *arguments)
    one, _two, bare = bundles.values()
    assert said[0] == ["TypeError", "a SparkContext or a SparkSession is needed, and not str"]
    assert said[1] == ["TypeError", "no bundle was given"]
    assert said[2][0].startswith("Bundle")
    assert said[2][1].startswith(f"{foreign}: ")
    clash = f"{other}: has the module app, and {one} has another one of that name: ship one of them"
    assert said[3] == ["BundleError", clash]
    assert said[4][0].startswith("Bundle")
    assert said[4][1].startswith("missing.pybundle: ")
    assert said[5][0] == "BundleError"
    assert said[5][1].startswith(f"{bare}: Spark refuses it: ")
    assert "does not match" in said[5][1]
    assert not any("\n" in message for kind, message in said[:6])
    lost = f"{other}: replaces {one}, so more cannot be imported any more"
    assert said[6:9] == [False, [], [["BundleWarning", lost]]]
    assert said[9] == [3, 3]
    assert said[10:] == [["BundleError", "the Spark session is stopped: make a new one"]]


CONNECT = """
import socket, subprocess, time
from pyspark.sql.functions import udf
import bundleimp.spark

master, lacking, *bundles = sys.argv[1:]
one, two = bundles[:2], bundles[2:]
options = [f"--conf={name}={value}" for name, value in SETTINGS.items()]
options += ["--conf=spark.connect.grpc.binding.address=127.0.0.1", "--master", master]
server = "org.apache.spark.sql.connect.service.SparkConnectServer"
command = [os.path.join(os.environ["SPARK_HOME"], "bin", "spark-submit"), *options, "--class", server]
with open("server.log", "wb") as log:
    process = subprocess.Popen(command, stdout=log, stderr=log)
while True:
    assert process.poll() is None, open("server.log").read()
    try:
        socket.create_connection(("127.0.0.1", 15002)).close()
        break
    except OSError:
        time.sleep(0.1)

def connect(**settings):
    spark = SparkSession.builder.remote("sc://127.0.0.1").create()
    for name, value in settings.items():
        spark.conf.set(name, value)
    return spark

first = connect()

@udf("string", useArrow=False)
def text(number):
    import json
    return json.dumps(work(number))

def table(spark):
    return [json.loads(value) for (value,) in spark.range(2).select(text("id")).collect()]

bundleimp.spark.ship(first, *one)
bundleimp.spark.ship(first, *one)
say(table(first))
refused(bundleimp.spark.ship, first, *two)
second = connect()
bundleimp.spark.ship(second, *two)
say(table(second))
say(table(first))
say(work(0))
third = connect(**{"spark.sql.execution.pyspark.python": lacking})
refused(bundleimp.spark.ship, third, *two)
for session in (first, second, third):
    session.stop()
refused(bundleimp.spark.ship, first, *one)
process.terminate()
process.wait()
"""


@pytest.mark.skipif(importlib.util.find_spec("grpc") is None, reason="needs pyspark[connect]")
def test_a_session_of_spark_connect_has_one_version(tmp_path: Path) -> None:
    one, two = (probe(tmp_path, version) for version in (1, 2))
    said = run(CONNECT, tmp_path, CLUSTER, interpreter_without_bundleimp(VERSION), *one, *two)
    assert said[0] == [whole(1)] * 2
    assert said[1] == [
        "BundleError",
        f"{two[0]}: this session of Spark Connect has another version of it: make a new one",
    ]
    assert said[2:5] == [[whole(2)] * 2, [whole(1)] * 2, whole(2)]
    lacks = "the Python of the workers lacks bundleimp, which Spark Connect needs: install it there"
    assert said[5] == ["BundleError", f"{two[0]}: {lacks}"]
    assert said[6:] == [["BundleError", "the Spark session is stopped: make a new one"]]


# Without code of ours

SUBMIT = """
import subprocess
submit = os.path.join(os.environ["SPARK_HOME"], "bin", "spark-submit")
options = [f"--conf={name}={value}" for name, value in SETTINGS.items()]
subprocess.run([submit, *options, *sys.argv[1:]], stdout=sys.stderr, check=True)  # it prints what is not the job's
with open("result") as file:
    print(file.read())
"""
RESULT = """
spark = start(sys.argv[1])
with open("result", "w") as file:
    json.dump(each(spark).collect(), file)
spark.stop()
"""


def test_files_and_pythonpath_are_enough(tmp_path: Path) -> None:
    """Each of the two entries that the page names: with bundleimp on the workers, and without."""
    (tmp_path / "job.py").write_text(START + RESULT)
    for version, lacking in ((1, False), (2, True)):
        bundles = probe(tmp_path, version, standalone=lacking)
        names = [os.path.join(each.name, "__children__") if lacking else each.name for each in bundles]
        python = interpreter_without_bundleimp(VERSION) if lacking else sys.executable
        path = f"spark.executorEnv.PYTHONPATH={os.pathsep.join(names)}"
        files = ",".join(map(str, bundles))
        options = ["--master", CLUSTER, "--files", files, "--conf", path, tmp_path / "job.py", CLUSTER]
        assert run(SUBMIT, tmp_path, *options, python=python) == [[whole(version)] * 2]


JOB = """
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

master, *files = sys.argv[1:]
spark = start(master, **({"spark.files": files[0]} if files else {}))
say(spark.sparkContext.parallelize(range(4), 2).map(work).collect())
spark.stop()
"""


@pytest.mark.parametrize("master", ["local[2]", CLUSTER])
def test_a_bundle_is_the_python_of_workers(tmp_path: Path, master: str) -> None:
    """On the cluster, ``--files`` puts it into the working directory of each executor."""
    tree = shadowing("pyspark", tmp_path / "c")
    python = interpreter_without_bundleimp(VERSION)
    (tmp_path / "env").mkdir()
    env = make_bundle(tmp_path / "env" / "env.pybundle", tree, standalone=True, shebang=python)
    files = [env] if master == CLUSTER else []
    said = run(JOB, tmp_path, master, *files, python="./env.pybundle" if files else str(env))
    assert said == [[[number, "hello", 7, None, [1, 2], "hello\n"] for number in range(4)]]
