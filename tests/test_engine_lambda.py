"""AWS Lambda: its runtime client, `awslambdaric`, takes invocations from a server on the loopback interface.

All is read-only, as there, but one folder in the place of ``/tmp``.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import bundleimp

from .builders import Tree, make_bundle, make_tree
from .engines import engine_marks, probe, reports, run_alone, whole
from .programs import copy_installed, interpreter_without_bundleimp

CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
pytestmark = engine_marks("awslambdaric", commands=("mount",))

APP: Tree = {
    "app.py": """
import os, sys
import probe

COLD = []

def handler(event, context):
    if "error" in event:
        raise ValueError(event["error"])
    COLD.append(event["number"])
    report = probe.report()
    return {"report": report, "numbers": COLD, "request": context.aws_request_id, "native": probe.fast.__file__}
"""
}
# argv: the folder of the function, then the command.  First, all but the folder "tmp" becomes read-only.
SERVER = """
import collections, http.server, json, os, queue, subprocess, sys, threading

here, task, command = os.getcwd(), sys.argv[1], sys.argv[2:]
for mount in (["--bind", here, here], ["-o", "remount,bind,ro", here], ["-o", "remount,bind,ro", "/"],
              ["-t", "tmpfs", "tmpfs", here + "/tmp"]):
    result = subprocess.run(["mount", *mount], capture_output=True, text=True)
    if result.returncode:
        print(json.dumps({"skip": result.stderr}))
        sys.exit()
for folder in ("/", here, task, os.environ["HOME"]):
    assert not os.access(folder, os.W_OK), folder

EVENTS = [{"number": 1}, {"number": 2}, {"error": "wrong"}]
asked, answers = iter(enumerate(EVENTS)), queue.Queue()

class API(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        assert self.path == "/2018-06-01/runtime/invocation/next", self.path
        number, event = next(asked, (None, None))
        if number is None:
            answers.put(["end", None])
            threading.Event().wait()  # as Lambda does: until the next invocation
        self.answer(200, json.dumps(event).encode(), {
            "Lambda-Runtime-Aws-Request-Id": f"request-{number}",
            "Lambda-Runtime-Deadline-Ms": "9999999999999",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:000000000000:function:probe",
        })

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answers.put([self.path.removeprefix("/2018-06-01/runtime/"), json.loads(body)])
        self.answer(202, b"{}", {})

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), API)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = os.environ | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}", "LAMBDA_TASK_ROOT": task}
pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
process = subprocess.Popen(command, cwd=task, env=environment, **pipes)
threading.Thread(target=lambda: answers.put(["exit", process.wait()]), daemon=True).start()
seen = {}
while not seen.keys() & {"end", "exit"}:
    name, value = answers.get()
    seen[name] = value
process.kill()
seen["log"], seen["stderr"] = process.communicate()
seen["written"] = sorted(os.listdir(here + "/tmp"))
print(json.dumps(seen), flush=True)
os._exit(0)
"""

# As the Python of Lambda starts a function that is no image: folders on the path, and their ``.pth`` files.
MANAGED: Tree = {
    "start.py": """
import os, site, sys
from awslambdaric.__main__ import main

folders = [os.environ["LAMBDA_TASK_ROOT"]]
if "PYTHONPATH" not in os.environ:
    layer = sys.argv[2]
    folders += [f"{layer}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages", layer]
sys.path[:0] = folders
for folder in folders:
    site.addsitedir(folder)
main(sys.argv[:2])
"""
}


@pytest.fixture(name="bundles")
def _bundles(tmp_path: Path) -> list[Path]:
    """Return the bundles of the function, one of them with the handler."""
    (tmp_path / "made").mkdir()
    return [*probe(tmp_path / "made", 1), make_bundle(tmp_path / "made" / "app.pybundle", APP)]


def invoked(folder: Path, task: Path, *command: Path | str, **variables: Any) -> dict[str, Any]:
    """Return what the function in the folder *task* answers, and what it prints and writes."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    variables |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "BUNDLEIMP_CACHE_DIR": ""}
    (seen,) = reports(run_alone(SERVER, folder, str(task), *map(str, command), PYTHONWARNINGS="default", **variables))
    if "skip" in seen:
        pytest.skip(f"cannot make folders read-only: {seen['skip']}")
    return dict(seen)


def is_whole(seen: dict[str, Any], folder: Path) -> None:
    """Check that the function has answered twice, that its error was reported, and that it wrote to the cache only."""
    assert seen["stderr"] == "", seen
    for number in (1, 2):
        answer = seen[f"invocation/request-{number - 1}/response"]
        assert answer.pop("native").startswith(str(folder / "tmp" / "bundleimp-"))
        numbers = list(range(1, number + 1))
        assert answer == {"report": whole(1), "numbers": numbers, "request": f"request-{number - 1}"}
    error = seen["invocation/request-2/error"]
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "wrong")
    assert 'raise ValueError(event["error"])' in error["stackTrace"][-1]
    assert len(seen["written"]) == 1


def test_an_image_names_bundles_in_pythonpath(tmp_path: Path, bundles: list[Path]) -> None:
    task = tmp_path / "task"
    task.mkdir()
    path = os.pathsep.join(shutil.copy(str(bundle), str(task)) for bundle in bundles)
    seen = invoked(tmp_path, task, sys.executable, "-m", "awslambdaric", "app.handler", PYTHONPATH=path)
    is_whole(seen, tmp_path)


@pytest.fixture(name="python")
def _python() -> str:
    return interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))


@pytest.fixture(name="start")
def _start(tmp_path: Path) -> Path:
    """Return the script that starts the function, beside the runtime client, as in ``/var/runtime``."""
    return make_tree(copy_installed(tmp_path / "runtime", *CLIENT), MANAGED) / "start.py"


def with_bundleimp(folder: Path, bundles: list[Path]) -> Path:
    """Put bundleimp and *bundles* into *folder*, and a ``.pth`` file that names the bundles."""
    shutil.copytree(Path(bundleimp.__file__).parent, folder / "bundleimp")
    (pth,) = (file for file in importlib.metadata.files("bundleimp") or () if file.name == "bundleimp.pth")
    shutil.copy(str(pth.locate()), folder)
    for bundle in bundles:
        shutil.copy(bundle, folder)
    (folder / "paths.pth").write_text("".join(f"{bundle.name}\n" for bundle in bundles))
    return folder


def test_a_function_names_bundles_in_a_pth_file(tmp_path: Path, bundles: list[Path], python: str, start: Path) -> None:
    task = with_bundleimp(tmp_path / "task", bundles)
    is_whole(invoked(tmp_path, task, python, start, "app.handler", tmp_path / "no layer"), tmp_path)


@pytest.mark.parametrize("subfolder", [".", "lib/python{}.{}/site-packages".format(*sys.version_info[:2])])
def test_a_layer_names_bundles_in_a_pth_file(
    tmp_path: Path, bundles: list[Path], python: str, start: Path, subfolder: str
) -> None:
    layer = tmp_path / "opt" / "python"
    with_bundleimp(layer / subfolder, bundles[:2])
    task = make_tree(tmp_path / "task", APP)
    is_whole(invoked(tmp_path, task, python, start, "app.handler", layer), tmp_path)


@pytest.mark.parametrize("in_task", [False, True])
def test_pythonpath_keeps_lambda_from_reading_the_pth_files_of_a_layer(
    tmp_path: Path, bundles: list[Path], python: str, start: Path, *, in_task: bool
) -> None:
    """Those of the function's own folder are read."""
    layer = with_bundleimp(tmp_path / "opt" / "python", bundles[:2])
    task = make_tree(tmp_path / "task", APP)
    if in_task:
        with_bundleimp(task, [])
    path = os.pathsep.join([str(layer), *(str(layer / bundle.name) for bundle in bundles[:2])])
    seen = invoked(tmp_path, task, python, start, "app.handler", layer, PYTHONPATH=path)
    if in_task:
        is_whole(seen, tmp_path)
    else:
        error = seen["invocation/request-0/error"]["errorMessage"]
        assert error.startswith("No module named 'probe.fast': it is in a bundle, which needs bundleimp")


def test_a_bundle_is_the_python_of_an_image(tmp_path: Path, bundles: list[Path], python: str) -> None:
    source = copy_installed(tmp_path / "client", *CLIENT)
    task = tmp_path / "task"
    task.mkdir()
    bundleimp.pack([source, *bundles], task / "env.pybundle", standalone=True, shebang=python)
    is_whole(invoked(tmp_path, task, task / "env.pybundle", "-m", "awslambdaric", "app.handler"), tmp_path)
