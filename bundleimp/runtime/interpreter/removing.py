"""Remove the hooks from the import system."""

import sys

from .. import hook
from . import telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def uninstall() -> None:
    """Remove the path hook.  Modules that were imported stay imported, and keep working."""
    hooks: Any
    for hooks in (sys.path_hooks, sys.meta_path):
        hooks[:] = hook.others(hooks)
    hook.forget_path_entries(ours=True)
    hook.NamespaceLoader.get_resource_reader = hook.original_reader
    telling.forget(hook.TOLD)
