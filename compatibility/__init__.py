"""Whether well-known distributions work from a bundle as they do from a directory.

``python -m compatibility`` installs them into a directory, packs that, runs a snippet for each from both, and compares
what the two print, how they end, and what was written to the cache.  The snippets stand in ``snippets``, one file for
each distribution; differences that are known and accepted stand in ``differences.toml``, each with its reason.

`catalogue` reads both; `laboratory` makes the places; `trial` runs a snippet in one; `verdict` compares; `table`
prints.  Nothing is kept unless asked for.  POSIX only (process groups).
"""
