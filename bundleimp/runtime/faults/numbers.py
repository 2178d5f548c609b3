"""The platform's error numbers for files.  `errno` has them, but need not be loaded yet."""

import sys

ENOENT, ENOTDIR, EISDIR = (44, 54, 31) if sys.platform in {"emscripten", "wasi"} else (2, 20, 21)
