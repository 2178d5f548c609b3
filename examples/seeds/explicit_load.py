"""Load one module from a web server by name, without ``sys.path``: the Cookbook's ``load_module(url)``.

python explicit_load.py http://127.0.0.1:8000/
"""

import sys

import fsspec

import bundleimp

server = fsspec.get_mapper(sys.argv[1])

# Each module is code from a server that nothing checks: this must be said.
try:
    bundleimp.load_module(server, "fib")
except bundleimp.BundleError as error:
    print(error)

fib = bundleimp.load_module(server, "fib", trust="unverified")
print(fib.fib(10))
print("fib" in sys.modules, fib.__name__ in sys.modules)

try:
    bundleimp.load_module(server, "nothing", trust="unverified")
except ModuleNotFoundError as error:
    print(error.name, "is missing")
