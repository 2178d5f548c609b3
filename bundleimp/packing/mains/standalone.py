"""The program of this bundle, and the way to the runtime in it.  Written by `bundleimp pack --standalone`."""

import sys

_FITS = "<fits>"


def _runtime():
    import _imp
    import marshal
    from importlib.util import MAGIC_NUMBER
    from zipimport import zipimporter

    archive = getattr(globals()["__loader__"], "archive", None)
    if archive is None:
        # Real files of the program.  A child process may have the runtime from the bundle that they are from.
        own = [name for name in sys.modules if name.startswith("_bundleimp") and "." not in name]
        if own:
            return sys.modules[own[-1]].interpreter.program
        try:
            from bundleimp import runtime
        except ImportError:
            sys.exit(f"{sys.argv[0]}: only runs as the bundle that it was packed into")
        return runtime.interpreter.program
    if getattr(getattr(archive, "file", None), "signers", None) is not None:
        # The file was checked, and may be another one by now: what checked it is the runtime.
        return sys.modules[type(archive).__module__.rpartition(".")[0]].interpreter.program
    path = getattr(archive, "path", archive)
    for kind in (sys.implementation.cache_tag, "source"):
        try:
            data = zipimporter(path).get_data(f"BUNDLE-INFO/runtime.{kind}")
        except OSError:
            continue  # not for this Python
        except Exception:
            break
        if data[:8] != _imp.source_hash(0, data[8:]):
            break
        # The first module lies behind its name, and that behind the sizes of both.
        start = 14 + int.from_bytes(data[8:10], "little")
        first = data[start : start + int.from_bytes(data[10:14], "little")]
        if kind == "source" or first[:4] == MAGIC_NUMBER:
            module = type(sys)("_bundleimp.interpreter.embedded")
            exec(first if kind == "source" else marshal.loads(first[16:]), module.__dict__)
            return module.runtime(path, data, "<version>")
    sys.exit(f"{path}: its embedded runtime is damaged; copy the file again, or pack it anew")


if __name__ in {"__main__", "__mp_main__"}:
    if not _FITS and __name__ == "__main__":
        exec("<elsewhere>", {"loader": globals()["__loader__"]})
    _main = _runtime().prepare(globals(), "<module>", "<attribute>")
    if _main is not None:
        sys.exit(_main())
