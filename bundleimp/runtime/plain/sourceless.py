"""The loader of modules that have bytecode but no source."""

from _frozen_importlib_external import MAGIC_NUMBER

from .. import loaders
from . import special

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

_HEADER = 16


class SourcelessBundleLoader(special.SpecialLoader):
    """Loader of modules that have bytecode but no source."""

    def get_code(self, fullname: str) -> "CodeType":
        """Return the module's code object.

        Raises:
            ImportError: the bytecode is for another version of Python.
            BundleFormatError: the bytecode is damaged.

        """
        path = self.get_filename(fullname)
        image = self.get_data(path)
        if image[:4] != MAGIC_NUMBER or len(image) < _HEADER:
            message = f"bad magic number in {fullname!r}: {image[:4]!r}; {path} was compiled by another Python"
            raise ImportError(message, name=fullname, path=path)
        return loaders.unmarshalled(image, self, path[:-1])
