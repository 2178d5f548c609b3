"""The program of this bundle.  Written by `bundleimp pack --entry-point`."""

import sys

_FITS = "<fits>"


def _runtime():
    try:
        from bundleimp import runtime
    except ImportError:
        sys.exit(f"{sys.argv[0]}: needs bundleimp: install it for {sys.executable}, or pack with --standalone")
    return runtime.interpreter.program


if __name__ in {"__main__", "__mp_main__"}:
    if not _FITS and __name__ == "__main__":
        exec("<elsewhere>", {"loader": globals()["__loader__"]})
    _main = _runtime().prepare(globals(), "<module>", "<attribute>")
    if _main is not None:
        sys.exit(_main())
