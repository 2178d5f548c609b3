"""The loader of source modules without embedded bytecode."""

from _frozen_importlib_external import SourceLoader

from .. import loaders


class SourceBundleLoader(loaders.BundleLoader):
    """Loader of source modules that compiles them, and keeps their bytecode in the user's cache.

    ``get_code`` is that of `SourceLoader`, so if the compilation fails, the traceback shows only the program's frames.
    """

    get_code = SourceLoader.get_code  # type: ignore[assignment] # it never returns None here
