"""Support for bundles in the standard library, for programs, and for the embedded runtime.

Most modules here each adapt one module of the standard library, and are loaded when that module is loaded.  The others
are loaded by a program.  This package may import every other package of the runtime.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import (
        children,
        choosing,
        classes,
        commandline,
        completion,
        console,
        distributions,
        embedded,
        ending,
        events,
        foreign,
        lazily,
        lines,
        parts,
        pkgresources,
        program,
        programs,
        reasons,
        refreshing,
        refusing,
        removing,
        scripts,
        spawning,
        telling,
        tracebacks,
        tracing,
        trimming,
    )
else:
    __getattr__ = parts_of(
        __name__,
        {
            "ending": ("gc", "io", "itertools"),
            "program": ("atexit", "gc"),
            "foreign": ("zipimport",),
            "reasons": ("zipimport",),
        },
    )
