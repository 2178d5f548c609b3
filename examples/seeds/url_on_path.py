"""Put a URL on ``sys.path``: the Cookbook's path hook for URLs, with the check that the Cookbook says is missing.

python url_on_path.py http://127.0.0.1:8000/seeds.pybundle
"""

import hashlib
import importlib
import sys
import warnings
from pathlib import Path

import bundleimp

url = sys.argv[1]
warnings.simplefilter("ignore", bundleimp.BundleWarning)  # the ImportError below has the same text

sys.path.append(url)
try:
    import fib
except ImportError as error:
    print(error)
sys.path.remove(url)

# Trust on first use.  Usually the pin is copied from the output of `bundleimp fetch URL`.
path = Path(bundleimp.fetch(url))
pin = hashlib.sha256(path.read_bytes()).hexdigest()

sys.path.append(f"{url}#sha256={pin}")
import fib
import grok

print(fib.fib(10), grok.WORD)
print(Path(fib.__file__) == path / "fib.py")

# The URL was opened once.  Like other path entries, it has one finder until the caches are invalidated.
print(sys.path_importer_cache[sys.path[-1]])
importlib.invalidate_caches()
