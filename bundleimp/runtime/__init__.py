"""What an importing process loads, and nothing else.

The modules here import only one another (later ones earlier ones, in the order errors, codec, format, encoding,
zipdirectory, units, bundlefile, signatures, archive, bundles, cachefolder, cacheentries, codecache, mirrors, located,
native, reading, resources, metadata, pkgresources, adapt, loaders, finder, hook, program, embedded) and what every
interpreter has loaded before the first ``import`` statement runs.  Not even ``__future__``, which is a module too:
hence the quotes around annotations.
"""
