"""Lists its own files."""

from .tree import listed, runs, walked

__all__ = ["listed", "runs", "walked"]
