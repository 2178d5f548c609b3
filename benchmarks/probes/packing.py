"""Pack a tree: ``packing.py TREE OUT`` prints the most memory that it took, in MB: its own, and its largest process."""

import json
import resource
import sys

import bundleimp


def _own() -> int:
    """Return how much memory this process had at most, in kB."""
    try:
        with open("/proc/self/status", "rb") as stream:
            for line in stream:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    # Not first: on Linux it counts what the process was before it became this program.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


bundleimp.pack([sys.argv[1]], sys.argv[2])
compiler = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"own": _own() / 1024, "compiler": compiler / 1024}))
