"""Starts the program of this bundle.  Written by `bundleimp pack --entry-point`."""

import sys

MODULE = "<module>"
ATTRIBUTE = "<attribute>"  # what to call in the module; where this is empty, it is run as `python -m` runs it
RUNTIME = "<runtime>"  # the version of the embedded runtime; empty where there is none


def _find_bundle() -> "str | None":
    """Return the path of this bundle as the path hook knows it; None where it was unpacked into a directory."""
    import os

    archive = getattr(globals()["__loader__"], "archive", None)
    path: str | None = getattr(archive, "path", archive)
    if path is None or path.endswith(".pybundle"):
        return path
    # A command is often a link with a shorter name.
    real = os.path.realpath(path)
    if not real.endswith(".pybundle"):
        sys.exit(f"{path}: cannot be run under this name; let it end in .pybundle, or be a link to one that does")
    sys.path[:] = [real if entry == path else entry for entry in sys.path]
    return real


def _prepare(path: str) -> None:
    """Make the bundle importable: with the embedded runtime, unless a newer one is at work already."""
    at_work = any(getattr(hook, "claims_bundles", False) for hook in sys.path_hooks)
    version = getattr(sys.modules.get("bundleimp"), "__version__", "") if at_work else ""
    if RUNTIME and _release(version) <= _release(RUNTIME):
        _start_runtime(path)
        return
    try:
        from bundleimp import install
    except ImportError:
        sys.exit(f"{path}: needs bundleimp, which this Python does not have; install it, or pack with --standalone")
    install()


def _release(version: str) -> "list[int]":
    return [int(part) for part in version.split(".") if part.isdigit()]


def _start_runtime(path: str) -> None:
    """Start the embedded runtime: its module `embedded` is made here, and brings the others."""
    name = "_bundleimp.embedded"
    if name not in sys.modules:
        module = type(sys)(name)
        data, code = _read_runtime(path)
        exec(code, module.__dict__)
        module.__dict__["provide"](module, path, data)
    sys.modules[name].__dict__["start"](path, as_module=not ATTRIBUTE)


def _read_runtime(path: str) -> "tuple[bytes, object]":
    """Return the embedded runtime, in bytecode for this Python or else in source, and the code of its first module."""
    import _imp
    import marshal
    from importlib.util import MAGIC_NUMBER
    from zipimport import zipimporter

    archive = zipimporter(path)
    for kind in (sys.implementation.cache_tag, "source"):
        try:
            data = archive.get_data(f"BUNDLE-INFO/runtime.{kind}")
        except OSError:
            continue  # there is none
        except Exception:
            break
        if data[:8] != _imp.source_hash(0, data[8:]):
            break
        # Name and content of the first module lie behind their sizes.
        first = data[22 : 22 + int.from_bytes(data[10:14], "little")]
        if kind == "source":
            return data, compile(first, __file__, "exec")
        if first[:4] == MAGIC_NUMBER:
            return data, marshal.loads(first[16:])
    sys.exit(f"{path}: its embedded runtime is damaged; copy the file again, or pack it anew")


def _run_module(module: str, name: str) -> None:
    """Run *module* as `python -m` does, or as `multiprocessing` runs the main module of the parent in a child."""
    import runpy

    for own in [own for own in globals() if own[:2] != "__"]:
        del globals()[own]
    if name == "__main__":
        runpy._run_module_as_main(module, alter_argv=False)
    elif not module.endswith(".__main__"):
        globals().update(runpy.run_module(module, run_name=name, alter_sys=True))


if __name__ in {"__main__", "__mp_main__"}:
    _path = _find_bundle()
    if _path is not None:
        _prepare(_path)
        # As in a script: whoever starts this program again, or a child of it, has to start the file, not a module.
        __file__, __package__, __spec__ = _path, None, None
    if not ATTRIBUTE:
        _run_module(MODULE, __name__)
    elif __name__ == "__main__":
        __import__(MODULE)
        _main = sys.modules[MODULE]
        for _name in ATTRIBUTE.split("."):
            _main = getattr(_main, _name)
        sys.exit(_main())
