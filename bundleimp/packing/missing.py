"""Which dependencies of the packed distributions are not packed.  Content of members in, warnings out."""

from __future__ import annotations

import email.parser
import re
from typing import TYPE_CHECKING

from .. import pythons
from ..distinfo import normalized
from ..runson import OLDEST
from .errors import PackWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_METADATA = ".dist-info/METADATA"
_ON_SOME_PYTHONS = re.compile(r"; ?\(?python_(?:full_)?version ?([<>=!~]+) ?['\"]([\d.*]+)['\"]\)?$")
_NAME = re.compile(r"\s*([A-Za-z0-9][\w.\-]*)")


def missing(members: Sequence[str], read: Callable[[str], bytes]) -> Iterator[PackWarning]:
    """Yield a warning for each distribution that needs others which are not among the members.

    Of the dependencies with a condition, only those of some versions of Python are looked at.

    Arguments:
        members: the names of all members.
        read: returns the content of a member.

    Raises:
        PackError: a member cannot be read.

    """
    parser = email.parser.BytesParser()
    found = [parser.parsebytes(read(name), headersonly=True) for name in members if name.endswith(_METADATA)]
    known = {normalized(str(headers.get("Name", ""))) for headers in found}
    for headers in found:
        needed = [" ".join(str(text).split()) for text in headers.get_all("Requires-Dist") or ()]
        names = {text: match[1] for text in needed if (match := _NAME.match(text)) is not None}
        absent = [text for text, name in names.items() if normalized(name) not in known]
        distribution = str(headers.get("Name", ""))
        always = [text for text in absent if ";" not in text]
        if always:
            message = f"needs {', '.join(always)}, which the bundle lacks; pack dependencies with --with or -r"
            yield PackWarning(distribution, message)
        for text in absent:
            if _is_for_some_pythons(text):
                message = f"needs {text}, which the bundle lacks; if it is for such Pythons, name one with --python"
                yield PackWarning(distribution, message)


def _is_for_some_pythons(requirement: str) -> bool:
    """Return whether a requirement is for some versions of Python that can import from bundles, and for no others."""
    match = _ON_SOME_PYTHONS.search(requirement)
    if match is None:
        return False
    try:
        return bool(pythons.both(pythons.parse(match[1] + match[2]), pythons.since(OLDEST)))
    except ValueError:
        return False
