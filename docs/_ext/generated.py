"""Parts of the reference that come from the code: the command line and the environment variables."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sphinx.util.docutils import SphinxDirective

from bundleimp import cli
from bundleimp.environment import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from docutils import nodes
    from sphinx.application import Sphinx


class EnvironmentVariables(SphinxDirective):
    """``environment-variables``: one entry for each variable, as a target of the role ``envvar``."""

    def run(self) -> list[nodes.Node]:
        """Return the entries."""
        text = "".join(
            f"```{{envvar}} {variable.name}\n`{variable.name}={variable.value}`\n\n{variable.effect}\n```\n\n"
            for variable in VARIABLES
        )
        return self.parse_text_to_nodes(text)


def _parser_of(command: str) -> Callable[[], argparse.ArgumentParser]:
    def parser() -> argparse.ArgumentParser:
        subparsers = next(
            action
            for action in cli._parser([command])._actions  # noqa: SLF001 (argparse has no public way)
            if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
        )
        found = subparsers.choices[command]
        assert isinstance(found, argparse.ArgumentParser)  # noqa: S101 (for the type checker)
        # The directive shows an epilog with several lines as one block.  So only the examples stay in it.
        text, _, examples = f"\n\n{found.epilog}".rpartition("\n\n")
        found.description = " ".join(f"{found.description}{text}".split())
        found.epilog = examples
        found.formatter_class = argparse.RawDescriptionHelpFormatter
        return found

    return parser


def __getattr__(name: str) -> Callable[[], argparse.ArgumentParser]:
    """Return the function that makes the parser of the command *name*, for the directive ``sphinx_argparse_cli``."""
    if name in cli._COMMANDS:  # noqa: SLF001 (our own)
        return _parser_of(name)
    raise AttributeError(name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("environment-variables", EnvironmentVariables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
