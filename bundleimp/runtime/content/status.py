"""What tells one version of a file from another: two statuses of it, compared."""

import os


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    """Return whether two file statuses are of the same file, whatever its content."""
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def same_version(one: os.stat_result, other: os.stat_result) -> bool:
    """Return whether two file statuses are of the same file with the same content, as far as they tell."""
    return same_file(one, other) and (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def is_untouched(one: os.stat_result, other: os.stat_result) -> bool:
    """Return whether nothing was done to a file between two looks at its status.

    A program can set back the time of what it has written, but not that of its last change (but on Windows).
    """
    return same_version(one, other) and one.st_ctime_ns == other.st_ctime_ns
