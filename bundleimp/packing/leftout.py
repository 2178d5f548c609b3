"""What is not meant to be shipped, and is left out of folders that people work in unless the user includes it.

Rules only: each answers for one name, one folder or one file.  `shipping` applies them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..runtime.format import LOCATOR_SIZE, SUFFIXES
from ..runtime.plain.stubs import CONTENT as STUB
from .reading import is_bundle, read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

SECRET = "secret"  # noqa: S105 (a reason)
ENVIRONMENT = "virtual environment"
VERSION_CONTROL = "version control"
CACHE = "cache"
BUILD = "build output"
BUNDLE = "bundle"
EDITOR = "editor file"
HIDDEN = "hidden"

# In the order of `summary`.
_PLURALS = {
    HIDDEN: "names with a dot in front",
    ENVIRONMENT: "virtual environments",
    VERSION_CONTROL: "version control folders",
    CACHE: "caches",
    BUILD: "folders of build output",
    EDITOR: "files of editors",
    BUNDLE: "bundles",
}

_SECRET_NAME = re.compile(
    r"\.env(?!\.(example|sample|template|dist|defaults)$)(\..+)?|\.envrc|[._]netrc|\.pypirc|\.pgpass|\.git-credentials"
)
# Names of files alone: there are packages with such names.
_KEY_NAME = re.compile(r"id_(rsa|dsa|ecdsa|ed25519)(_sk)?|.+\.(p12|pfx|ppk|jks|keystore|kdbx)", re.IGNORECASE)
_NAMES = {
    VERSION_CONTROL: re.compile(r"\.git|\.hg|\.svn|\.bzr|\.jj|\.fslckout|_FOSSIL_|CVS|_darcs"),
    CACHE: re.compile(
        r"node_modules|bower_components|__pypackages__|\.(mypy|pytest|ruff|pytype|ipynb)_(cache|checkpoints)"
        r"|\.(cache|tox|nox|eggs|hypothesis|pytype|pyre|pixi|ropeproject|dmypy\.json|coverage|coverage\..+)"
    ),
    EDITOR: re.compile(r".*~|\..*\.sw.|\.#.*|#.*#|\.DS_Store|Thumbs\.db|\.idea|\.vscode"),
    BUNDLE: re.compile(r"\.bundleimp-.*\.tmp"),  # what a killed `pack` has left
}
_BUNDLE_NAME = re.compile(rf".*({'|'.join(map(re.escape, SUFFIXES))})(\.sig)?", re.DOTALL)
# A folder that holds such a file is what the file says.
_MARKERS = {"pyvenv.cfg": ENVIRONMENT, "conda-meta": ENVIRONMENT, "CACHEDIR.TAG": CACHE}

# Files with these suffixes may be keys; others, such as modules and pages, only show some.
_KEY_SUFFIXES = {
    *("", ".pem", ".key", ".priv", ".crt", ".cer", ".cert", ".p8", ".pk8", ".pkcs8", ".asc", ".gpg", ".pgp"),
    ".json",  # of a cloud's service account
}
_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_LARGEST_KEY = 64 << 10
# Bundles under other names, such as programs.
_ARCHIVE_SUFFIXES = {"", ".pyz", ".pyzw", ".zip", ".egg", ".jar"}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or a folder that was left out.

    Attributes:
        name: the name that it would have in the bundle.
        reason: what it is: one of the constants of this module.

    """

    name: str
    reason: str


def by_name(path: str, *, at_top: bool) -> str | None:
    """Return why a file or a folder is left out because of its name, or None.

    Arguments:
        path: its path.
        at_top: whether it lies in the folder that the user named, and not deeper.

    """
    name = os.path.basename(path)
    if _SECRET_NAME.fullmatch(name):
        return SECRET
    for reason, names in _NAMES.items():
        if names.fullmatch(name):
            return reason
    if _KEY_NAME.fullmatch(name) and not os.path.isdir(path):
        return SECRET
    if _BUNDLE_NAME.fullmatch(name) and not os.path.isdir(path):
        return BUNDLE
    if name in {"build", "dist"} and _is_build_output(path):
        return BUILD
    return HIDDEN if at_top and name.startswith(".") else None


def _is_build_output(path: str) -> bool:
    """Return whether a folder stands beside a pyproject.toml, and is no package."""
    project = os.path.join(os.path.dirname(path), "pyproject.toml")
    return os.path.isdir(path) and os.path.exists(project) and not os.path.exists(os.path.join(path, "__init__.py"))


def by_markers(names: Iterable[str]) -> str | None:
    """Return why a folder is left out that holds *names*, or None."""
    return next((_MARKERS[name] for name in names if name in _MARKERS), None)


def by_content(path: str, size: int) -> str | None:
    """Return why a regular file of *size* bytes is left out because of its content, or None.

    Raises:
        PackError: it cannot be read.

    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix in _KEY_SUFFIXES and size and _KEY.search(read(path, _LARGEST_KEY)):
        return SECRET
    if suffix in _ARCHIVE_SUFFIXES and size > LOCATOR_SIZE and is_bundle(path):
        return BUNDLE
    if size == len(STUB) and read(path, size) == STUB:  # another tool has extracted it from a bundle
        return BUNDLE
    return None


def is_secret(path: str) -> bool:
    """Return whether the file at *path* is a secret by its name or its content.

    Raises:
        PackError: it cannot be read.

    """
    return by_name(path, at_top=False) == SECRET or by_content(path, os.path.getsize(path)) == SECRET


_MOST_SECRETS = 10
_MOST_OTHERS = 3


def summary(left_out: Collection[LeftOut]) -> str:
    """Return a short text that names what was left out: secrets first, and only the number of what is frequent."""
    return ", ".join(_parts(left_out))


def _parts(left_out: Collection[LeftOut]) -> Iterator[str]:
    secrets = sorted(item.name for item in left_out if item.reason == SECRET)
    yield from secrets[:_MOST_SECRETS]
    if secrets[_MOST_SECRETS:]:
        yield f"{len(secrets) - _MOST_SECRETS} more secrets"
    for reason, plural in _PLURALS.items():
        names = sorted(item.name for item in left_out if item.reason == reason)
        if len(names) <= _MOST_OTHERS:
            yield from names
        else:
            yield f"{len(names)} {plural}"
