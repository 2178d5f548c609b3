"""the C tracer, a measured child process, HTML with the files of its report, combined data."""

import pathlib
import subprocess
import sys

import coverage

pathlib.Path("app.py").write_text("def f(x):\n    if x:\n        return 1\n    return 2\nf(1)\n")
command = [sys.executable, "-m", "coverage"]
for arguments in (
    ("run", "--branch", "app.py"),
    ("report", "-m"),
    ("html", "-q"),
    ("json", "-q"),
    ("annotate",),
    ("debug", "config"),
):
    result = subprocess.run([*command, *arguments], capture_output=True, text=True)
    print(arguments[0], result.returncode, result.stdout if arguments[0] == "report" else "", result.stderr)
print(sorted(path.suffix for path in pathlib.Path("htmlcov").iterdir() if not path.name.startswith(".")))
measured = coverage.Coverage(data_file=None)
measured.start()
exec(compile(pathlib.Path("app.py").read_text(), "app.py", "exec"), {})
measured.stop()
print(type(measured._collector.tracers).__name__, coverage.Coverage.__module__, pathlib.Path("app.py,cover").exists())
print(coverage.tracer.CTracer.__name__)
