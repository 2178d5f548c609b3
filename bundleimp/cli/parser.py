"""The parser of the command line: errors are one line that suggests what was meant and points to the command's help.

Each parser has the option ``--color``.  It is used as soon as it is parsed, also for later errors in the command line.
"""

from __future__ import annotations

import argparse
import re
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from ..runtime.faults.likeness import near
from .color import WHEN, choose, is_colored, painted
from .output import show_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_HEADING = re.compile("^(usage|[a-z]+( [a-z]+)?):(?= |$)", re.MULTILINE)
_OPTION = re.compile("(?<=^  )-[^ ,]+(, --[^ ]+)?", re.MULTILINE)


class _Formatter(argparse.HelpFormatter):
    """Fills paragraphs, but not those with indented lines, such as examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = text.split("\n\n")
        return "\n\n".join(
            part if "\n " in part else super(_Formatter, self)._fill_text(part, width, indent) for part in parts
        )


class _Color(argparse.Action):
    def __call__(self, _parser: Any, _namespace: Any, value: Any, _option: Any = None) -> None:
        choose(value)


class Parser(argparse.ArgumentParser):
    """A parser of the program, of a command, or of an action of a command.

    `argparse` itself suggests choices from Python 3.14 on, and options on none.
    """

    intermixed = False
    """Whether options may stand between the positional arguments."""

    alone: Mapping[str, str] = MappingProxyType({})
    """Options that take a value only after an equals sign, each with its value if there is none."""

    unset: tuple[str, ...] = ()
    """Arguments that are None if they are not given, whatever their defaults: `pack` asks which these are."""

    _is_nested = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"formatter_class": _Formatter, **options})
        # Python 3.14 and newer: `argparse` looks at the environment only.  `print_help` adds the colour.
        self.color = False
        when = "when to use colour; auto (default): on a terminal, unless NO_COLOR is set"
        self.add_argument("--color", choices=WHEN, action=_Color, default=argparse.SUPPRESS, help=when)

    def error(self, message: str) -> NoReturn:
        """Print the error in one line, and exit."""
        show_error(f"{message}; see '{self.prog} --help'")
        self.exit(2)

    def print_help(self, file: Any = None) -> None:
        """Print the help, with colour if `is_colored` says so."""
        stream = sys.stdout if file is None else file
        text = self.format_help()
        if is_colored(stream):
            text = _HEADING.sub(lambda match: painted(match[0], "heading"), text)
            text = _OPTION.sub(lambda match: painted(match[0], "good"), text)
        self._print_message(text, stream)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse arguments; unknown ones are an error of the parser that meets them, and not of the whole program."""
        if self._is_nested:
            return super().parse_known_args(args, namespace)
        if self._subparsers is not None and args and self._is_unknown_option(args[0]):
            self.error(self._unknown(args))  # rather than of the command that is missing then
        words = sys.argv[1:] if args is None else args
        args = [f"{word}={self.alone[word]}" if word in self.alone else word for word in words]
        self._is_nested = True  # the other way to parse comes back here for each half
        try:
            parse = self.parse_known_intermixed_args if self.intermixed else super().parse_known_args
            parsed, unknown = parse(args, namespace or argparse.Namespace(**dict.fromkeys(self.unset)))
        finally:
            self._is_nested = False
        if unknown:
            self.error(self._unknown(unknown))
        return parsed, unknown

    def _is_unknown_option(self, word: str) -> bool:
        return word.startswith("-") and word != "--" and word.partition("=")[0] not in self._option_string_actions

    def _unknown(self, words: list[str]) -> str:
        option = next((word for word in words if word.startswith("-")), None)
        if option is None:
            return f"unexpected argument {words[0]!r}"
        name = option.partition("=")[0]
        return f"unknown option {name}{_suggestion(name, self._option_string_actions)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Check a value of an option, or the name of a command."""
        if action.choices is None or value in action.choices:
            return
        choices = list(map(str, action.choices))
        suggestion = _suggestion(str(value), choices)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 (it has no public name)
            message = f"unknown {str(action.metavar).lower()} {value!r}{suggestion}"
            raise argparse.ArgumentError(None, message)
        all_of_them = f" (choose from {', '.join(choices)})"
        message = f"invalid choice: {str(value)!r}{suggestion or all_of_them}"
        raise argparse.ArgumentError(action, message)


def _suggestion(word: str, known: Iterable[str]) -> str:
    return near(word, known, " (did you mean {}?)")
