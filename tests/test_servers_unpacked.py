"""A server that imports from the files of an unpacked bundle serves one version until it is started again."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from .servers import running
from .test_servers import GUNICORN, Site, another, command, pytestmark, whole

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["pytestmark"]


def test_with_unpack_a_reload_serves_the_old_version_and_a_restart_the_new_one(tmp_path: Path) -> None:
    site = Site(tmp_path, layout="nested")
    variables = {"PYTHONPATH": str(site.path), "BUNDLEIMP_UNPACK": "1"}
    with running(command("gunicorn"), "shop.wsgi:app", *GUNICORN, cwd=tmp_path, **variables) as server:
        first = server.get()
        site.replace()
        server.send(signal.SIGHUP)
        reloaded = another(server, first)
    with running(command("gunicorn"), "shop.wsgi:app", *GUNICORN, cwd=tmp_path, **variables) as server:
        restarted = server.get()
    assert [whole(content) for content in (first, reloaded, restarted)] == ["old", "old", "new"]
