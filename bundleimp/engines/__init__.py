"""Parts of `bundleimp.dask`, `bundleimp.spark` and `bundleimp.ray`.

Loaded when one of them is imported.  `dask_plugins` imports the engine, and the other modules do not.
"""
