"""Remove the hooks from the import system."""

import sys

from .. import hook
from . import programs, telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def uninstall() -> None:
    """Remove the path hook.  Modules that were imported stay imported, and keep working."""
    hooks: Any
    for hooks in (sys.path_hooks, sys.meta_path):
        hooks[:] = [other for other in hook.others(hooks) if other is not programs.path_hook]
    hook.forget_path_entries(ours=True)
    programs.forget_path_entries()
    hook.NamespaceLoader.get_resource_reader = hook.original_reader
    telling.forget(hook.TOLD)
