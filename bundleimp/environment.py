"""The environment variables that bundleimp reads: one table for the documentation.

The code reads each variable where it needs it.  A test compares the names in the code with this table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """An environment variable.

    Attributes:
        name: its name.
        value: what it may be set to, as documentation shows it.
        effect: what it does, in Markdown.

    """

    name: str
    value: str
    effect: str


VARIABLES = (
    Variable(
        "BUNDLEIMP_CACHE_DIR",
        "DIR",
        "The cache folder, instead of the platform's.",
    ),
    Variable(
        "CACHE_DIRECTORY",
        "DIR",
        "Set by systemd for a service with `CacheDirectory=`. The cache is the folder `bundleimp` in DIR, unless"
        " `BUNDLEIMP_CACHE_DIR` is set.",
    ),
    Variable(
        "BUNDLEIMP_UNPACK",
        "1",
        "This process and its children import from real files of the whole bundle, in the cache.",
    ),
    Variable(
        "BUNDLEIMP_TRACE",
        "1",
        "Print one line on standard error for each event of `bundleimp.trace`.",
    ),
    Variable(
        "BUNDLEIMP_DISABLE",
        "1",
        "Do not install the path hook when Python starts. Bundles on the path are not imported.",
    ),
    Variable(
        "BUNDLEIMP_ALLOWED_SIGNERS",
        "FILE",
        "Import only from bundles that a signer listed in FILE has signed.",
    ),
    Variable(
        "BUNDLEIMP_INTERPRETER",
        "1",
        "A program is a Python interpreter that has the packed modules.",
    ),
    Variable(
        "BUNDLEIMP_MODULE",
        "MODULE[:FUNCTION]",
        "A program starts there, instead of at its entry point.",
    ),
    Variable(
        "BUNDLEIMP_SCRIPT",
        "NAME",
        "A program runs this console script, instead of its entry point.",
    ),
    Variable(
        "BUNDLEIMP_SAME_PYTHON",
        "1",
        "A program runs with this Python, even if it needs another one. A bundle on the path gives no warning if it"
        " is for another Python.",
    ),
    Variable(
        "BUNDLEIMP_CHILDREN",
        "0",
        "Programs do not put themselves on the `PYTHONPATH` of their child processes. Programs set other values, for"
        " these child processes.",
    ),
    Variable(
        "BUNDLEIMP_OFFLINE",
        "1",
        "`fetch` uses no network, only the cache.",
    ),
    Variable(
        "BUNDLEIMP_RELAX_GC",
        "0",
        "Programs leave Python's cyclic garbage collector alone.",
    ),
    Variable(
        "BUNDLEIMP_LAZY",
        "0",
        "A program that was packed with `--lazy` imports eagerly.",
    ),
    Variable(
        "NO_COLOR",
        "1",
        "The commands print without colour, unless `--color` is given. See [no-color.org](https://no-color.org).",
    ),
    Variable(
        "FORCE_COLOR",
        "1",
        "The commands print with colour, even without a terminal. `NO_COLOR` and `--color` have precedence.",
    ),
    Variable(
        "SOURCE_DATE_EPOCH",
        "SECONDS",
        "The modification time of the members that `pack` writes, in seconds since 1970. Default: 1980-01-01.",
    ),
)
