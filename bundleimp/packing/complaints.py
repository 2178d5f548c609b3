"""Runs an installer.  If it fails, what it says becomes the error: one line."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from typing import TYPE_CHECKING

from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# More lines than these, or a traceback, are the output of a build: a user needs all of it.
_MOST_LINES = 20
_LONGEST = 700
_FRAME = " \t╰─▶>│├·"
_OF_PIP = "ERROR: "
# Older versions of uv draw a cross.
_OF_UV = re.compile("(?:error:|\u00d7)\\s*")
_AFTER = ("hint:", "tip:", "help:", "note:", "Usage:", "For more information", "exit code:", "Traceback ")
# What pip says below "... a different Python. 3.11.7 not in:", without the address of the wheel.
_WANTED = re.compile(r"'[^']+' \(required by \S+ [^\s)]+")
_OUTPUT = re.compile(r"\[(?:stdout|stderr|\d+ lines? of output)\]")
_END_OF_OUTPUT = ("[end of output]", "hint:", "note:")
_VERSIONS = re.compile(r" \(from versions: (?!none)[^)]*\)")
_WRONG_OPTIONS = ("unexpected argument", "no such option")
_OTHER = {"uv": "pip", "pip": "uv"}


def run(
    name: str,
    command: Sequence[str],
    *,
    talk: bool,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run an installer.

    Arguments:
        name: "pip" or "uv".
        command: how it is called.
        talk: whether it may say what it is doing; it then writes to the terminal itself.
        variables: environment variables to set.
        folder: the current folder of the process.

    Raises:
        PackError: the installer cannot be started, or failed.

    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as said:
        try:
            status = subprocess.run(  # noqa: S603 (the user asked for it)
                command,
                # Standard output is the report's, which may be JSON.
                stdout=2 if talk else subprocess.DEVNULL,
                stderr=None if talk else said,
                env=os.environ | {"UV_NO_WRAP": "1"} | dict(variables or {}),
                cwd=folder,
                check=False,
            ).returncode
        except OSError as error:
            message = f"cannot be started: {error.strerror}"
            raise PackError(message, file=command[0]) from None
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    gist = gist_of(text)
    if text and (not status or _is_log(text) or not gist):
        sys.stderr.write(text)
        sys.stderr.flush()
    if status:
        raise PackError(_failure(name, status, gist, is_above=talk or _is_log(text)))


def _failure(name: str, status: int, gist: str, *, is_above: bool) -> str:
    if not gist:
        return f"{name} failed with exit status {status}" + "; it says why above" * is_above
    words = f"{name} failed: {gist}" + "; it says more above" * is_above
    if any(sign in gist for sign in _WRONG_OPTIONS):
        words += f"; options after -- are for {name} here, and --installer {_OTHER[name]} takes the other installer"
    return words


def _is_log(text: str) -> bool:
    return "Traceback (most recent call last)" in text or len(text.split("\n")) > _MOST_LINES


def gist_of(text: str) -> str:
    """Return in one line what an installer said of its failure, or "" if it said nothing."""
    lines = [line.strip(_FRAME) for line in text.splitlines() if line.strip(_FRAME)]
    output = _output(lines)
    errors = [
        _with_cause(line.removeprefix(_OF_PIP).strip(), following)
        for line, following in itertools.zip_longest(lines, lines[1:], fillvalue="")
        if line.startswith(_OF_PIP)
    ]
    errors = [line for line in errors if not line.startswith(("ResolutionImpossible", "Exception:"))]
    gist = "; ".join(dict.fromkeys(errors)) or _of_uv(lines) or (lines[-1] if lines else "")
    if output and not errors:
        # What the build back end says comes last, or is marked as an error.
        reason = next((line for line in output if line.startswith("error:")), output[-1])
        gist = f"{gist}: {reason.removeprefix('error:').strip()}"
    return textwrap.shorten(_VERSIONS.sub("", gist), _LONGEST, placeholder=" ...")


def _with_cause(error: str, following: str) -> str:
    """Return an *error* of pip, with the beginning of the *following* line if it says which Python is wanted."""
    wanted = _WANTED.match(following) if error.endswith(":") else None
    return f"{error} {wanted[0]})" if wanted is not None else error


def _output(lines: Sequence[str]) -> list[str]:
    """Return the lines that an installer cites of a build back end."""
    found: list[str] = []
    start = next((at for at, line in enumerate(lines) if _OUTPUT.fullmatch(line)), len(lines))
    for line in lines[start + 1 :]:
        if line.startswith(_END_OF_OUTPUT):
            break
        found.append(line)
    return found


def _of_uv(lines: Sequence[str]) -> str:
    starts = [at for at, line in enumerate(lines) if _OF_UV.match(line) and "subprocess-exited" not in line]
    if not starts:
        return ""
    start = starts[0]
    words = _OF_UV.sub("", lines[start], count=1)
    for line in lines[start + 1 :]:
        if line.startswith(_AFTER) or _OUTPUT.fullmatch(line):
            break
        words = f"{words.rstrip(':')}: {line[7:]}" if line.startswith("cause: ") else f"{words} {line}"
    hint = next((line for line in lines[start:] if line.startswith("hint:")), "")
    return words.rstrip(".") + f" ({hint.removeprefix('hint:').strip().rstrip('.')})" * bool(hint)
