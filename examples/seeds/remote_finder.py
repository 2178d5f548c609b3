"""Make all modules of a web server importable, and stop it again: the Cookbook's ``install_meta`` and ``remove_meta``.

python remote_finder.py http://127.0.0.1:8000/
"""

import sys

import fsspec

import bundleimp

mounted = bundleimp.mount(fsspec.get_mapper(sys.argv[1]), "server", trust="unverified")

import fib
import spam

spam.hello(f"number {fib.fib(10)}")
print(mounted.modules())

mounted.close(forget=True)
spam.hello("from the old object")
try:
    import fib
except ModuleNotFoundError as error:
    print(error)
