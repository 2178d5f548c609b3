"""The program of this bundle.  Written by `bundleimp pack --entry-point`."""

import sys

_FITS = "<fits>"


def _leave():
    import os

    if sys.version_info >= (3, 11) and os.environ.get("BUNDLEIMP_SAME_PYTHON", "0") not in {"", "0"}:
        return
    archive = getattr(globals()["__loader__"], "archive", None)
    if archive is None or getattr(getattr(archive, "file", None), "signers", None) is not None:
        # The file that was checked may be another one by now.
        sys.exit(f"{sys.argv[0]}: needs {'<needs>'}, and {sys.executable} is {sys.version.split()[0]}")
    from zipimport import zipimporter

    path = getattr(archive, "path", archive)
    exec(zipimporter(path).get_data("BUNDLE-INFO/elsewhere"), {"path": path, "__name__": "elsewhere"})


def _runtime():
    try:
        from bundleimp import runtime
    except ImportError:
        sys.exit(f"{sys.argv[0]}: needs bundleimp: install it for {sys.executable}, or pack with --standalone")
    return runtime.interpreter.program


if __name__ in {"__main__", "__mp_main__"}:
    if not _FITS and __name__ == "__main__":
        _leave()
    _main = _runtime().prepare(globals(), "<module>", "<attribute>")
    if _main is not None:
        sys.exit(_main())
