"""Compare two statuses of a file, to distinguish its versions."""

import os


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    """Return whether two file statuses belong to the same file, whatever its content."""
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def same_version(one: os.stat_result, other: os.stat_result) -> bool:
    """Return whether two file statuses belong to the same file with the same content, as far as they show it."""
    return same_file(one, other) and (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def is_untouched(one: os.stat_result, other: os.stat_result) -> bool:
    """Return whether a file was not changed at all between two readings of its status.

    A program can set back the modification time of a file, but not the time of its last status change (except on
    Windows).
    """
    return same_version(one, other) and one.st_ctime_ns == other.st_ctime_ns
