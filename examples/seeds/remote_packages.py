"""Import packages and namespace packages over the network.

python remote_packages.py http://127.0.0.1:8000/
"""

import importlib.resources
import sys

import fsspec

import bundleimp

near = {"tools/near.py": 'PLACE = "in a dict"\n'}

with bundleimp.mount(fsspec.get_mapper(sys.argv[1]), "server", trust="unverified"), bundleimp.mount(near, "near"):
    import grok.blah

    print(grok.__name__, grok.blah.__package__, grok.__spec__.submodule_search_locations)
    print((importlib.resources.files(grok) / "words.txt").read_text().strip())

    import tools.far
    import tools.near

    print(tools.far.PLACE, "and", tools.near.PLACE)
    print(list(tools.__path__))
