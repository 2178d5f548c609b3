"""What the workers do in `benchmarks.engines`: use both packages; and how a folder is counted."""

from __future__ import annotations

import os


def both(_: object = None) -> str:
    """Use sympy and orjson; return what did not work, or ""."""
    import sympy  # noqa: PLC0415 (on the worker)

    text = str(sympy.factor("x**4 - 1"))
    try:
        import orjson  # noqa: PLC0415 (on the worker)
    except ImportError as error:
        return f"{type(error).__name__}: {error}"
    return "" if orjson.loads(orjson.dumps(text)) == text else "wrong"


def count(*folders: str) -> dict[str, int]:
    """Return the number of files in *folders*, and their bytes."""
    found = [os.path.join(top, name) for folder in folders for top, _, names in os.walk(folder) for name in names]
    files = [path for path in found if not os.path.islink(path) and not path.endswith((".lock", "stdout", "stderr"))]
    return {"files": len(files), "size": sum(map(os.path.getsize, files))}
