"""What an importing process loads, and nothing else.

The modules here import only one another (later ones import earlier ones, in the order errors, codec, format,
zipdirectory, bundlefile, archive, bundles, cachefolder, codecache, resources, native, loaders, finder, adapt, hook) and what every interpreter has
loaded before the first ``import`` statement runs.
"""
