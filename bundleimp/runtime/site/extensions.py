"""The loader of extension modules."""

import _imp
from _frozen_importlib_external import ExtensionFileLoader

from .. import bundles, cache, plain
from . import native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


class BundleExtensionLoader(plain.special.SpecialLoader):
    """Loader that loads extension modules from the site of their bundle, or else from memory."""

    def create_module(self, spec: "Any") -> "ModuleType":
        """Return the new module, created by its own code (PEP 489).

        Raises:
            ImportError: the platform cannot load the module without a file, or the linker refuses it.
            BundleFormatError: the bundle is damaged.

        """
        settle = getattr(spec, "settle", None)
        if settle is not None:
            settle()
        if bundles.locate_site(self.path) is not None and cache.folder.allows_code(self.path):
            loader = ExtensionFileLoader(spec.name, self.path)
            if isinstance(spec.loader, BundleExtensionLoader):  # and not a wrapper
                spec.loader = loader  # every attribute as if the module were installed
            return loader.create_module(spec)
        return native.load_extension(self.archive, self.directory.member(self.filename), spec)

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module's code (PEP 489)."""
        _imp.exec_dynamic(module)

    def get_code(self, fullname: str) -> None:
        """Return None: an extension module has no code object."""
        self.get_filename(fullname)
