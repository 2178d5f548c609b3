"""Real servers: which version of a replaced bundle their workers serve, and how they get the new one."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .builders import Tree, make_tree
from .programs import copy_installed, interpreter_without_bundleimp
from .servers import Server, running

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(
    sys.platform in {"win32", "emscripten"}, reason="these servers need fork and the signals of POSIX"
)
pytest.importorskip("gunicorn", reason="gunicorn is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")
pytest.importorskip("flask", reason="Flask is not installed")
in_each_layout = pytest.mark.parametrize("layout", ["flat", "nested"])

RUNNING = "{}.{}".format(*sys.version_info[:2])
NEEDED = {
    "gunicorn": ("gunicorn", "packaging"),
    "flask": ("flask", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "blinker"),
    "uvicorn": ("uvicorn", "h11", "click"),
}


def shop(version: str) -> Tree:
    """Return the modules of a site that says which version each part of it is of."""
    return {
        "shop/__init__.py": f"VALUE = {version!r}\n",
        "shop/late.py": f"VALUE = {version!r}\n",
        "shop/data.txt": version,
        "shop/parts.py": f"""
import os

def parts():
    import importlib.resources, shop.late  # at the first request
    text = importlib.resources.files("shop").joinpath("data.txt").read_text()
    return " ".join([shop.VALUE, shop.late.VALUE, text, {version!r}, str(os.getpid())])
""",
        "shop/wsgi.py": """
from shop.parts import parts

def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [parts().encode()]
""",
        "shop/site.py": """
import flask
from shop.parts import parts

app = flask.Flask(__name__)
app.get("/")(parts)
""",
        "shop/asgi.py": """
from shop.parts import parts

async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": parts().encode()})
""",
    }


def whole(content: str) -> str:
    """Return the version that all parts of a worker are of."""
    *versions, _ = content.split()
    assert len(set(versions)) == 1, content
    return versions[0]


def worker(content: str) -> str:
    """Return the worker that has served *content*."""
    return content.rsplit(maxsplit=1)[-1]


@pytest.fixture(scope="module", name="installed")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with the servers and what they need."""
    return {
        name: copy_installed(tmp_path_factory.mktemp(name), *distributions) for name, distributions in NEEDED.items()
    }


class Site:
    """A bundle with the site, and the newer version that is to replace it."""

    def __init__(self, folder: Path, sources: Sequence[Path] = (), **options: Any) -> None:
        self.folder = folder
        self.path = self._pack("old", *sources, **options)
        self._new = self._pack("new", *sources, **options)

    def _pack(self, version: str, *sources: Path, **options: Any) -> Path:
        output = self.folder / f"{version}.pybundle"
        bundleimp.pack([make_tree(self.folder / version, shop(version)), *sources], output, jobs=1, **options)
        return output

    def replace(self) -> None:
        """Put the new version in the place of the old one, as `pack` does."""
        os.utime(self._new, (2_000_000_000,) * 2)  # for reloaders, which compare times
        self._new.replace(self.path)


def another(server: Server, *before: str) -> str:
    """Return what a worker serves that has served none of *before*."""
    workers = {worker(content) for content in before}
    return server.wait_for(lambda content: worker(content) not in workers)


GUNICORN = ["--bind", "127.0.0.1:0", "--pid", "pid"]


def command(name: str) -> Path:
    """Return the installed command *name*."""
    return Path(sys.executable).with_name(name)


def upgraded(server: Server, workers: int, *before: str) -> str:
    """Make gunicorn start a new master process, end the old one, and return what the new one's worker serves."""
    server.send(signal.SIGUSR2)
    server.line("Booting worker", workers)
    server.send(signal.SIGTERM)
    return another(server, *before)


@in_each_layout
def test_workers_of_an_installed_gunicorn_serve_the_file_as_it_is_when_they_start(tmp_path: Path, layout: str) -> None:
    site = Site(tmp_path, layout=layout)
    gunicorn: list[Path | str] = [command("gunicorn"), "shop.site:app", *GUNICORN]
    with running(*gunicorn, cwd=tmp_path, PYTHONPATH=str(site.path)) as server:
        first = server.get()
        site.replace()
        again = server.get()
        os.kill(int(worker(again)), signal.SIGKILL)  # as after --max-requests, or when the system kills it
        restarted = another(server, again)
        server.send(signal.SIGHUP)
        reloaded = another(server, again, restarted)
    assert [whole(content) for content in (first, again, restarted, reloaded)] == ["old", "old", "new", "new"]


def test_a_worker_that_has_not_served_yet_serves_one_version(tmp_path: Path) -> None:
    """It has imported the site, and not what that imports at the first request."""
    site = Site(tmp_path, layout="nested")
    (tmp_path / "conf.py").write_text("def post_worker_init(worker):\n    print('the site is imported', flush=True)\n")
    gunicorn: list[Path | str] = [command("gunicorn"), "shop.wsgi:app", "-c", "conf.py", *GUNICORN]
    with running(*gunicorn, cwd=tmp_path, PYTHONPATH=str(site.path)) as server:
        server.line("the site is imported")
        site.replace()
        assert whole(server.get()) == "old"


def test_a_master_that_has_imported_the_site_serves_it_until_it_is_upgraded(tmp_path: Path) -> None:
    site = Site(tmp_path, layout="nested")
    gunicorn: list[Path | str] = [command("gunicorn"), "shop.wsgi:app", "--preload", *GUNICORN]
    with running(*gunicorn, cwd=tmp_path, PYTHONPATH=str(site.path)) as server:
        first = server.get()
        site.replace()
        server.send(signal.SIGHUP)
        reloaded = another(server, first)
        upgrade = upgraded(server, 3, first, reloaded)
    assert [whole(content) for content in (first, reloaded, upgrade)] == ["old", "old", "new"]


@pytest.fixture(name="bare")
def _bare() -> str:
    return interpreter_without_bundleimp(RUNNING)


@in_each_layout
def test_workers_of_a_gunicorn_in_the_bundle_serve_its_version_until_it_is_upgraded(
    tmp_path: Path, layout: str, installed: dict[str, Path], bare: str
) -> None:
    sources = [installed["gunicorn"], installed["flask"]]
    site = Site(tmp_path, sources, layout=layout, entry_point="gunicorn", standalone=True)
    with running(bare, site.path.name, "shop.site:app", *GUNICORN, cwd=tmp_path) as server:
        first = server.get()
        site.replace()
        server.send(signal.SIGHUP)
        reloaded = another(server, first)
        upgrade = upgraded(server, 3, first, reloaded)
    assert [whole(content) for content in (first, reloaded, upgrade)] == ["old", "old", "new"]


def test_a_gunicorn_that_was_started_as_a_module_of_the_bundle_is_upgraded_too(
    tmp_path: Path, installed: dict[str, Path]
) -> None:
    site = Site(tmp_path, [installed["gunicorn"]], layout="nested")
    run = [sys.executable, "-m", "bundleimp", "run", str(site.path)]
    with running(*run, "-m", "gunicorn", "shop.wsgi:app", *GUNICORN, cwd=tmp_path) as server:
        first = server.get()
        site.replace()
        upgrade = upgraded(server, 2, first)
    assert [whole(content) for content in (first, upgrade)] == ["old", "new"]


@pytest.mark.parametrize("hook", ["on_reload(server)", "post_fork(server, worker)"])
def test_a_hook_that_invalidates_caches_is_enough_for_new_workers(
    tmp_path: Path, hook: str, installed: dict[str, Path], bare: str
) -> None:
    site = Site(tmp_path, [installed["gunicorn"]], layout="nested", entry_point="gunicorn", standalone=True)
    (tmp_path / "conf.py").write_text(f"import importlib\n\ndef {hook}:\n    importlib.invalidate_caches()\n")
    with running(bare, site.path, "shop.wsgi:app", "-c", "conf.py", *GUNICORN, cwd=tmp_path) as server:
        first = server.get()
        site.replace()
        again = server.get()
        server.send(signal.SIGHUP)
        reloaded = another(server, again)
    assert [whole(content) for content in (first, again, reloaded)] == ["old", "old", "new"]


@pytest.mark.parametrize("way", ["PYTHONPATH", "--pythonpath", "program"])
def test_gunicorn_in_another_folder_finds_the_bundle(
    tmp_path: Path, way: str, installed: dict[str, Path], bare: str
) -> None:
    (tmp_path / "other").mkdir()
    arguments: list[Path | str] = ["shop.wsgi:app", "--chdir", "other", "--bind", "127.0.0.1:0"]
    if way == "program":
        site = Site(tmp_path, [installed["gunicorn"]], layout="nested", entry_point="gunicorn", standalone=True)
        starting = [bare, site.path.name, *arguments]
    else:
        site = Site(tmp_path, layout="nested")
        starting = [command("gunicorn"), *arguments]
    if way == "--pythonpath":
        starting += [way, site.path]
    path = {"PYTHONPATH": site.path.name} if way == "PYTHONPATH" else {}
    with running(*starting, cwd=tmp_path, **path) as server:
        first = server.get()
        site.replace()
        os.kill(int(worker(first)), signal.SIGKILL)
        # With the option, the master process has opened the file.
        restarted = "new" if way == "PYTHONPATH" else "old"
        assert [whole(first), whole(another(server, first))] == ["old", restarted]


@pytest.mark.parametrize("inside", [False, True])
def test_workers_of_uvicorn_are_new_processes_and_serve_the_file_as_it_is(
    tmp_path: Path, inside: bool, installed: dict[str, Path], bare: str
) -> None:
    sources = [installed["uvicorn"]] if inside else []
    options = {"entry_point": "uvicorn", "standalone": True} if inside else {}
    site = Site(tmp_path, sources, layout="nested", **options)
    starting: list[Path | str] = [bare, site.path.name] if inside else [command("uvicorn")]
    starting += ["shop.asgi:app", "--port", "0", "--lifespan", "off", "--workers", "2"]
    with running(*starting, cwd=tmp_path, PYTHONPATH="" if inside else str(site.path)) as server:
        seen = [server.get()]
        seen.append(another(server, *seen))
        site.replace()
        again = server.get()
        os.kill(int(worker(again)), signal.SIGKILL)
        restarted = another(server, *seen)
        server.send(signal.SIGHUP)
        reloaded = another(server, *seen, restarted)
    assert [whole(content) for content in (*seen, again, restarted, reloaded)] == ["old"] * 3 + ["new"] * 2


def free_port() -> str:
    """Return a port that nobody listens on, for servers that do not say which one they have chosen."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def test_uvicorn_reloads_a_program(tmp_path: Path, installed: dict[str, Path], bare: str) -> None:
    site = Site(tmp_path, [installed["uvicorn"]], layout="nested", entry_point="uvicorn", standalone=True)
    folder = make_tree(tmp_path / "watched", {"watched.py": ""})
    starting = [bare, site.path.name, "shop.asgi:app", "--port", "0", "--lifespan", "off", "--reload"]
    with running(*starting, "--reload-dir", folder, cwd=tmp_path) as server:
        first = server.get()
        site.replace()
        reloaded = touched(server, folder / "watched.py", first)
    assert [whole(first), whole(reloaded)] == ["old", "new"]


def touched(server: Server, file: Path, *before: str) -> str:
    """Give the *file* newer and newer times, until another process serves; return what that serves."""
    workers = {worker(content) for content in before}
    times = iter(range(2_000_000_000, 3_000_000_000, 10))

    def is_another(content: str) -> bool:
        os.utime(file, (next(times),) * 2)
        return worker(content) not in workers

    return server.wait_for(is_another)


@pytest.mark.parametrize("entry_point", ["flask", "flask.__main__"])
def test_flask_reloads_a_program_when_its_file_is_replaced(
    tmp_path: Path, entry_point: str, installed: dict[str, Path], bare: str
) -> None:
    site = Site(tmp_path, [installed["flask"]], entry_point=entry_point, standalone=True)
    options = ["--debug", "--port", free_port(), "--extra-files", str(site.path)]
    with running(bare, site.path.name, "--app", "shop.site", "run", *options, cwd=tmp_path) as server:
        first = server.get()
        site.replace()
        assert [whole(first), whole(another(server, first))] == ["old", "new"]


DJANGO: Tree = {
    "site_of_django/__init__.py": "",
    "site_of_django/settings.py": "SECRET_KEY = 'x'\nDEBUG = True\nROOT_URLCONF = 'site_of_django.urls'\n"
    "ALLOWED_HOSTS = ['*']\n",
    "site_of_django/urls.py": """
import os
import watched
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse(f"django {os.getpid()}"))]
""",
    "site_of_django/manage.py": """
import os, sys

def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "site_of_django.settings"
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)

if __name__ == "__main__":
    main()
""",
}


@pytest.mark.parametrize("entry_point", ["site_of_django.manage:main", "site_of_django.manage"])
@pytest.mark.parametrize("standalone", [False, True])
def test_django_reloads_a_program(tmp_path: Path, entry_point: str, standalone: bool) -> None:
    pytest.importorskip("django", reason="Django is not installed")
    bundle = tmp_path / "app.pybundle"
    source = make_tree(tmp_path / "source", DJANGO)
    bundleimp.pack([source], bundle, layout="nested", entry_point=entry_point, standalone=standalone, jobs=1)
    folder = make_tree(tmp_path / "watched", {"watched.py": ""})
    starting = [sys.executable, bundle.name, "runserver", f"127.0.0.1:{free_port()}"]
    with running(*starting, cwd=tmp_path, PYTHONPATH=str(folder)) as server:
        first = server.get()
        reloaded = touched(server, folder / "watched.py", first)
        assert re.fullmatch(r"django \d+", reloaded)
        server.line("watched.py changed, reloading")
