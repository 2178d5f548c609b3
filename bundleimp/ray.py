"""`runtime_env`: bundles on the workers of Ray.

Ray uploads the folders of `py_modules`, and puts them on ``PYTHONPATH`` of the workers.  The folder made here contains
a package ``sitecustomize``, which every Python imports at its start.  The package puts the bundles beside it on
``sys.path``, also in child processes.  The caller's ``working_dir``, ``py_modules`` and ``env_vars`` stay as they are.

``env_vars`` cannot put the bundles on ``PYTHONPATH``, because their folder on the workers is not known before.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .engines import parcel, runtimeparcel
from .runtime.sources.signatures import SUFFIX as SIGNATURE

if TYPE_CHECKING:
    import os

_TEMPLATE = Path(__file__).with_name("engines") / "raystart.py"
_PACKAGE = "sitecustomize"
_ALONE = ("container", "image_uri")  # Ray combines them with no other key that brings files


def runtime_env(*bundles: str | os.PathLike[str], **more: Any) -> dict[str, Any]:
    """Return a runtime environment of Ray whose workers import from *bundles*.

    Each version of a bundle gives another runtime environment, and Ray starts other workers for it.  Before `ray.init`,
    pass the result to `ray.init`.  After it, `runtime_env` uploads the bundles; pass the result to the ``options`` of
    tasks and actors of this cluster.  The workers need no bundleimp: if no bundle is standalone, one that contains only
    the runtime is added.

    Arguments:
        bundles: the paths of the bundles.  The first is the first on ``sys.path``.
        more: other keys of the runtime environment.

    Returns:
        A dict with *more*, and with the bundles as the first entry of ``py_modules``.

    Raises:
        BundleError: a bundle cannot be read, is damaged, or does not run on this Python; or two of them have different
            modules of one name.
        TypeError: no bundle is given, or ``py_modules`` is no list.
        ValueError: *more* has a key that Ray does not combine with uploaded files.

    """
    for key in _ALONE:
        if more.get(key):
            message = f"Ray does not combine {key} with uploaded files: put the bundles into the image instead"
            raise ValueError(message)
    others = more.get("py_modules") or []
    if not isinstance(others, list):
        message = f"py_modules must be a list, and not {type(others).__name__}"
        raise TypeError(message)
    folder = _folder(*bundles)
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        folder = _upload(folder)
    return more | {"py_modules": [folder, *others]}


def _folder(*bundles: str | os.PathLike[str]) -> str:
    """Return a folder with parcels of *bundles*, and with the package that puts them on the path."""
    own = parcel.own_folder()
    with tempfile.TemporaryDirectory(dir=own) as aside:
        made = Path(aside, _PACKAGE)
        made.mkdir()
        parcels = parcel.make(*bundles, folder=str(made))
        for runtime in runtimeparcel.needed(parcels):
            parcels += parcel.make(runtime.path, folder=str(made))
        entries = repr([each.entry for each in parcels])
        text = _TEMPLATE.read_text("utf-8").replace('"<names>"', entries)
        (made / "__init__.py").write_text(text, "utf-8")
        # The text names the parcels by their content: the same bundles give the same folder, and runtime environment.
        signatures = [path.read_bytes() for path in sorted(made.glob(f"*{SIGNATURE}"))]
        folder = Path(own, hashlib.sha256(repr([text, *signatures]).encode()).hexdigest(), _PACKAGE)
        folder.parent.mkdir(exist_ok=True)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # else it was made before, or another thread has just made it
                raise
    return str(folder)


def _upload(folder: str) -> str:
    """Upload *folder* to the cluster that this process is connected to, and return its URI.

    Ray itself uploads only the local folders that `ray.init` gets.
    """
    from ray._private.runtime_env.py_modules import upload_py_modules_if_needed  # noqa: PLC0415 (an engine)

    with tempfile.TemporaryDirectory(dir=parcel.own_folder()) as aside:
        done = upload_py_modules_if_needed({"py_modules": [folder]}, include_gitignore=False, scratch_dir=aside)
    return str(done["py_modules"][0])
