"""Import from any file system of fsspec: memory here; s3, gs, zip, sftp and others in the same way.

python any_filesystem.py
"""

import importlib

import fsspec

import bundleimp

files = fsspec.filesystem("memory")
files.pipe_file("/plugins/plugin/__init__.py", b"from .part import VERSION\n")
files.pipe_file("/plugins/plugin/part.py", b"VERSION = 1\n")

with bundleimp.mount(fsspec.get_mapper("memory://plugins"), "plugins", forget=True) as mounted:
    import plugin

    print(plugin.VERSION, mounted.modules())
old = plugin

# Another version: the first one keeps working.
files.pipe_file("/plugins/plugin/part.py", b"VERSION = 2\n")
with bundleimp.mount(fsspec.get_mapper("memory://plugins"), "plugins", forget=True):
    plugin = importlib.import_module("plugin")
    print(old.VERSION, plugin.VERSION)

try:
    bundleimp.mount(fsspec.get_mapper("memory://nowhere"), "nowhere")
except bundleimp.BundleError as error:
    print(error)
