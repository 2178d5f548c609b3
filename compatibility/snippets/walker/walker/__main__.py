"""Print the files of the package."""

from . import listed

print(*listed(), sep="\n")
