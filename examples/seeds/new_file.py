"""See a new file on the server after ``importlib.invalidate_caches()``: the link cache of the Cookbook's path hook.

The folder is the one that the server serves.

python new_file.py http://127.0.0.1:8000/ FOLDER
"""

import importlib
import sys
from pathlib import Path

import fsspec

import bundleimp

url, folder = sys.argv[1:]
new = Path(folder, "late.py")

with bundleimp.mount(fsspec.get_mapper(url), "server", trust="unverified"):
    new.write_text('print("late: I am being loaded")\n')
    try:
        import late
    except ModuleNotFoundError as error:
        print(error)

    importlib.invalidate_caches()
    import late

    new.unlink()
    try:
        importlib.reload(late)
    except ImportError as error:
        print(error)
