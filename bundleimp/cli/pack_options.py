"""The options of ``pack``: what the command line gives, then the table ``[tool.bundleimp]``, then the defaults."""

from __future__ import annotations

import contextlib
import os
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ..packing.declared import project_settings, script_at, script_settings
from ..packing.options import PackOptions
from ..runtime.faults.kinds import BundleError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def options_of(arguments: argparse.Namespace) -> PackOptions:
    """Return the options; the arguments have the names of their fields, and are None if they are not given.

    Raises:
        BundleError: nothing says where to write, or the table is not valid.

    """
    given = {field.name: getattr(arguments, field.name, None) for field in fields(PackOptions)}
    given["installer_options"] = arguments.passed_on or None
    words = given["sources"] or []
    if len(words) > 1 or (words and script_at(words[0]) is None):
        # argparse takes all words as sources; the last is OUT.
        given["sources"], given["output"] = words[:-1], words[-1]
    given = {name: value for name, value in given.items() if value is not None and value != []}
    empty: dict[str, Any] = {"sources": [], "installer_options": []}
    options = arguments.defaults | empty | _settings(given) | given | {"progress": None}
    if options["output"] is None:
        message = "the following arguments are required: OUT; see 'bundleimp pack --help'"
        raise BundleError(message)
    arguments.output = given.get("output")
    return PackOptions(**options)


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options in the table of the project, or of the one script that is given."""
    if "project" in given:
        return project_settings(given["project"])
    scripts = [path for path in given.get("sources", ()) if script_at(path) is not None]
    if len(scripts) != 1:
        return {}
    settings = script_settings(scripts[0])
    given["sources"] = [*given["sources"], *settings.pop("sources")[1:]]
    return settings


@contextlib.contextmanager
def folder_of(output: str | os.PathLike[str], *, wanted: bool) -> Iterator[None]:
    """Make the folder of *output* if it is *wanted*; on an error, remove it if it was not there before."""
    folder = os.path.dirname(output)
    made = wanted and bool(folder) and not os.path.isdir(folder)
    if made:
        os.makedirs(folder)
    try:
        yield
    except BaseException:
        if made:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        raise
