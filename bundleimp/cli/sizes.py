"""Sizes as options give them: ``500MB``, ``2GB``."""

from __future__ import annotations

import argparse
import re

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def parse_size(text: str) -> int:
    """Return the number of bytes that *text* gives, as a ``type`` of `argparse`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-z]*)", text.strip().lower(), re.ASCII)
    if match is None or match[2] not in _UNITS:
        message = f"{text!r} is not a size: give bytes, or 500MB, or 2GB"
        raise argparse.ArgumentTypeError(message)
    return int(float(match[1]) * _UNITS[match[2]])
