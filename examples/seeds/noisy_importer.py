"""Say what imports find, load and miss: PyMOTW's noisy importers.  BUNDLEIMP_TRACE=1 prints all events.

python noisy_importer.py
"""

import bundleimp

store = {"noisy/__init__.py": "", "noisy/part.py": "", "noisy/broken.py": "raise ValueError('no')\n"}


def shout(event: bundleimp.TraceEvent) -> None:
    """Print what was found, loaded or missing.  Other events are about path entries, reads, and the cache."""
    if event.kind in {"found", "load", "loaded", "missing", "failed"}:
        print("   ", event.kind, event.name, event.reason or "")


with bundleimp.trace(shout), bundleimp.mount(store, "noisy"):
    for name in ("noisy.part", "noisy.missing", "noisy.broken"):
        print(f"import {name}")
        try:
            __import__(name)
        except (ImportError, ValueError) as error:
            print(type(error).__name__, error)

with bundleimp.mount({"quiet.py": ""}):
    import quiet

print(quiet.__name__, "was loaded without a word")
