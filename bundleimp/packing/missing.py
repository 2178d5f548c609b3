"""Which dependencies of the packed distributions are not packed.  Content of members in, warnings out."""

from __future__ import annotations

import email.parser
import re
from typing import TYPE_CHECKING

from ..distinfo import normalized
from .errors import PackWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_METADATA = ".dist-info/METADATA"
_NAME = re.compile(r"\s*([A-Za-z0-9][\w.\-]*)")


def missing(members: Sequence[str], read: Callable[[str], bytes]) -> Iterator[PackWarning]:
    """Yield a warning for each distribution that always needs others which are not among the members.

    Dependencies with a condition, such as those of an extra, are not looked at.

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
        needed = [str(text) for text in headers.get_all("Requires-Dist") or () if ";" not in str(text)]
        names = {text: match[1] for text in needed if (match := _NAME.match(text)) is not None}
        absent = [text.strip() for text, name in names.items() if normalized(name) not in known]
        if absent:
            message = f"needs {', '.join(absent)}, which the bundle lacks; pack dependencies with --with or -r"
            yield PackWarning(str(headers.get("Name", "")), message)
