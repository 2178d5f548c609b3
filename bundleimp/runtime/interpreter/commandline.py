"""The command line of an interpreter: ``[OPTION ...] [-c CODE | -m MODULE | SCRIPT | -] [ARG ...]``, taken apart."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Options of CPython whose value is the rest of the word, or else the next word.
_WITH_VALUE = "WX"
_LONG_WITH_VALUE = "--check-hash-based-pycs"


class Command:
    """What an interpreter is to run.

    Attributes:
        options: the words that only an interpreter that is being started can follow.
        kind: "-c", "-m", "-" or "script"; "" if nothing is named, so an interactive session starts.
        value: the code, the name of the module, or the path of the script.
        arguments: the words of the program.

    """

    __slots__ = ("arguments", "kind", "options", "value")

    def __init__(self, options: "Sequence[str]", kind: str, value: str, arguments: "Sequence[str]") -> None:
        self.options = list(options)
        self.kind = kind
        self.value = value
        self.arguments = list(arguments)

    def words(self) -> list[str]:
        """Return the words of this command without its options."""
        named = {"": [], "-": ["-"], "script": [self.value]}.get(self.kind, [self.kind, self.value])
        return [*named, *self.arguments]


def parse(words: "Sequence[str]") -> Command:
    """Return the command that *words* give.

    Raises:
        ValueError: an option has no value.

    """
    for place, word in enumerate(words):
        if word == "-":
            return Command(words[:place], "-", "", words[place + 1 :])
        if not word.startswith("-"):
            if place and _takes_next(words[place - 1]):
                continue
            return Command(words[:place], "script", word, words[place + 1 :])
        letters = "" if word.startswith("--") else word[1:]
        for at, letter in enumerate(letters):
            if letter in "cm":
                return _with_value(words, place, at + 1)
            if letter in _WITH_VALUE:
                break
    if words and _takes_next(words[-1]):
        message = f"the option {words[-1]} needs a value"
        raise ValueError(message)
    return Command(words, "", "", [])


def _with_value(words: "Sequence[str]", place: int, at: int) -> Command:
    """Return the command whose ``-c`` or ``-m`` ends at the letter *at* of the word at *place*."""
    word = words[place]
    kind = "-" + word[at]
    before = [*words[:place], *([word[:at]] if at > 1 else [])]
    if word[at + 1 :]:
        return Command(before, kind, word[at + 1 :], words[place + 1 :])
    if place + 1 == len(words):
        message = f"the option {kind} needs a value"
        raise ValueError(message)
    return Command(before, kind, words[place + 1], words[place + 2 :])


def _takes_next(word: str) -> bool:
    """Return whether the option *word* has its value in the next word."""
    if word.startswith("--"):
        return word == _LONG_WITH_VALUE
    first = min((word.find(letter) for letter in _WITH_VALUE if letter in word), default=0)
    return word.startswith("-") and 0 < first == len(word) - 1
