"""Make the child processes of ``multiprocessing`` import from the program's bundle.

Such a child first runs the main module of its parent again, named ``__mp_main__``.  It is made to run the ``__main__``
of the bundle, which makes the bundle importable, and then runs what the parent ran.
"""

import os

from . import choosing, telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def lead(path: str, main: str) -> None:
    """Make the children run the bundle at *path*, and then *main*.

    Arguments:
        path: the bundle.
        main: "module NAME", "script PATH", or "" for nothing.

    """

    def adapt(spawn: "Any") -> None:
        prepare: Callable[[str], dict[str, Any]] = spawn.get_preparation_data

        def get_preparation_data(name: str) -> "dict[str, Any]":
            data = prepare(name)
            data.pop("init_main_from_name", None)
            data["init_main_from_path"] = path
            os.environ[choosing.MAIN] = main
            return data

        spawn.get_preparation_data = get_preparation_data

    path = os.path.abspath(path)
    telling.tell_when_loaded("multiprocessing.spawn", adapt)


def repeat(namespace: "dict[str, Any]", path: str, default: str) -> None:
    """Run in a child what its parent ran, and add its names to *namespace*, the globals of ``__mp_main__``.

    Arguments:
        namespace: where the names go.
        path: the bundle.
        default: the module that is run if the parent has chosen nothing; "" if it was a function.

    """
    whole = os.environ.get(choosing.MAIN, f"module {default}" if default else "")
    lead(path, whole)  # this child may have children, too
    kind, _, main = whole.partition(" ")
    if main and not main.endswith(".__main__"):
        import runpy  # noqa: PLC0415 (runpy runs this code, so it is loaded)

        name = namespace["__name__"]
        if kind == "script":
            namespace.update(runpy.run_path(main, run_name=name))
        else:
            namespace.update(runpy.run_module(main, run_name=name, alter_sys=True))
