"""``bundleimp doctor``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..inspection.doctor import examine
from .color import Styled
from .output import add_json, print_json, show

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Check the path hook, the files that install it at start-up, the bundles on sys.path and the cache.
Exit status 1: there is a problem."""
EXAMPLES = (
    "bundleimp doctor",
    "bundleimp doctor --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    observations = examine()
    if arguments.json:
        print_json([asdict(observation) for observation in observations])
    else:
        for observation in observations:
            word = Styled("ok     ", "good") if observation.fine else Styled("PROBLEM", "bad")
            show(word, f"  {observation.about}: {observation.text}")
    return 0 if all(observation.fine for observation in observations) else 1
