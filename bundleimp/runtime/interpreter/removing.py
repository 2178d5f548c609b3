"""Taking the hooks out of the import system again."""

import sys

from .. import hook
from . import telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def uninstall() -> None:
    """Take the path hook out again; what was imported stays imported, and works on."""
    hooks: Any
    for hooks in (sys.path_hooks, sys.meta_path):
        hooks[:] = hook.others(hooks)
    hook.forget_path_entries(ours=True)
    hook.NamespaceLoader.get_resource_reader = hook.original_reader
    telling.forget(hook.TOLD)
