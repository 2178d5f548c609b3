"""Whether well-known distributions work from a bundle as they do from a directory.

``python -m compatibility`` installs them into a directory, and packs that.  It runs a snippet for each distribution
from the directory, from the bundle, and from the bundle with ``BUNDLEIMP_UNPACK=1``.  It compares what they print and
how they end, and counts what is written to the cache.  The snippets stand in ``snippets``, one file for each
distribution; differences that are known and accepted stand in ``differences.toml``, each with its reason.

`catalogue` reads both; `laboratory` makes the places; `trial` runs a snippet in one; `verdict` compares; `table`
prints.  Nothing is kept unless asked for.  POSIX only (process groups).
"""
