"""Open a path entry and import modules from it: ``opening.py ENTRY MODULE...`` prints the cost.

The hook is installed and its runtime loaded before the clock starts: that cost does not depend on the size.
"""

import sys
import time

from bundleimp.runtime import hook


def main(entry: str, *names: str) -> None:
    """Import the modules *names* from *entry*."""
    hook.install()
    wall, cpu = time.perf_counter(), time.process_time()
    sys.path.insert(0, entry)
    for name in names:
        __import__(name)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall

    import json  # noqa: PLC0415 (after the clock has stopped)

    print(json.dumps({"cpu": cpu, "wall": wall}))


main(*sys.argv[1:])
