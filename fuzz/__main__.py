"""``python -m fuzz TARGET [ARG…]``: run one target under atheris."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bundleimp"]):
    from fuzz import targets


def main() -> None:
    """Run the target that the command line names, from its seeds on."""
    if len(sys.argv) == 1 or sys.argv[1] not in targets.TARGETS:
        sys.exit(f"usage: python -m fuzz {{{','.join(targets.TARGETS)}}} [ARG…]")
    target = targets.TARGETS[sys.argv[1]]
    arguments = [sys.argv[0], *sys.argv[2:]]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds()):
            Path(folder, str(number)).write_bytes(seed)
        if not any(Path(argument).is_file() for argument in arguments[1:]):
            arguments.append(folder)
        atheris.Setup(arguments, target.run)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
