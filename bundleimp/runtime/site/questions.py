"""Whether a module asks for its location: found in its code object, never by its name.

`packing.locations` applies this when a bundle is packed, and `placing` when a module of a plain zip is loaded.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import CodeType

LOCATIONS = frozenset({"__file__", "__path__", "__spec__", "__loader__", "__cached__"})
_SPEC = "__spec__"
_NAMES = ("parent", "name")  # attributes of a spec that are no locations
_LARGEST = 127  # names whose numbers have one byte in every instruction
_NAMESPACES = frozenset({"globals", "locals", "vars"})
# The forms of code that read a name by different instructions.  The module `opcode` knows them, but is large.
_READS = ("{}", "lambda: {}", *(["class A:\n type B = {}"] if sys.version_info >= (3, 12) else []))
_LISTINGS = frozenset({"listdir", "scandir", "walk", "fwalk", "glob", "iglob", "rglob", "iterdir"})
# Names by which code runs or loads Python files by their paths.
_RUNS = frozenset({"executable", "run_path", "spec_from_file_location", "SourceFileLoader"})
# For each instruction that reads a name, how far its argument shifts the name's number; the same for the one that reads
# an attribute (filled when first needed).
_loads: "dict[int, int]" = {}
_attributes: "dict[int, int]" = {}


class Question:
    """What a module asks.

    Attributes:
        own: whether it reads a name of `LOCATIONS` of its own.
        code: whether it then may look for code there: it lists directories, names Python files, or runs files.

    """

    __slots__ = ("code", "own")

    def __init__(self, *, own: bool = False, code: bool = False) -> None:
        self.own = own
        self.code = code

    def may_find(self, *, others: bool) -> bool:
        """Return whether there may be something to find.

        Arguments:
            others: whether the module's unit has files that are neither modules nor commands.

        """
        return self.own and (others or self.code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Question) and (self.own, self.code) == (other.own, other.code)

    def __hash__(self) -> int:
        return hash((self.own, self.code))

    def __repr__(self) -> str:
        return f"Question(own={self.own}, code={self.code})"


def may_ask(data: bytes) -> bool:
    """Return whether the source or the pyc image of a module has a word that it needs to ask anything."""
    return any(name.encode() in data for name in LOCATIONS)


def question_of(code: "CodeType") -> Question:
    """Return what the module with this *code*, of the running interpreter, asks about its location."""
    parts = list(_code_objects(code))
    if not any(map(_asks, parts)):
        return Question()
    names = {name for part in parts for name in part.co_names}
    files = any(_is_python_file(constant) for part in parts for constant in part.co_consts)
    return Question(own=True, code=files or not names.isdisjoint(_LISTINGS | _RUNS))


def _code_objects(code: "CodeType") -> "Iterator[CodeType]":
    yield code
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from _code_objects(constant)


def _instructions(code: "CodeType") -> "Iterator[tuple[int, int]]":
    """Yield the number of each instruction, and the last byte of its argument.  Leave out the caches between them."""
    return (pair for pair in zip(code.co_code[::2], code.co_code[1::2], strict=True) if pair[0])


def _load(form: str, names: "tuple[str, str]" = ("(x, y)", "(x, x)")) -> "tuple[int, int]":
    """Return the number of the instruction that reads a name, and how far its argument shifts the name's number.

    Arguments:
        form: code around *names*.
        names: code that reads two names, and code that reads the first of them twice.

    """
    codes = [compile(form.format(each), "", "exec", dont_inherit=True) for each in names]
    two, one = ({*_instructions([*_code_objects(code)][-1])} for code in codes)
    ((operation, argument),) = two - one  # which reads the last name
    last = len([*_code_objects(codes[0])][-1].co_names) - 1
    return operation, argument // last - 1


def _asks(code: "CodeType") -> bool:
    texts = [constant for constant in code.co_consts if type(constant) is str]
    if not (_NAMESPACES.isdisjoint(code.co_names) or LOCATIONS.isdisjoint(texts)):  # ``globals()["__file__"]``
        return True
    if LOCATIONS.isdisjoint(code.co_names):
        return False
    if not _loads:
        _loads.update(dict(map(_load, _READS)))
        _attributes.update([_load("{}", ("(x.x, x.y)", "(x.x, x.x)"))])
    # Only the last byte of an argument is compared.  So a large code object may seem to ask, but none is missed.
    instructions = list(_instructions(code))
    if not _reads(code, LOCATIONS - {_SPEC}, _loads).isdisjoint(instructions):
        return True
    spec = _reads(code, {_SPEC}, _loads)
    harmless = _reads(code, _NAMES, _attributes) if len(code.co_names) <= _LARGEST else set()
    following = [*instructions[1:], (0, 0)]
    return any(one in spec and two not in harmless for one, two in zip(instructions, following, strict=True))


def _reads(code: "CodeType", names: "Collection[str]", operations: "dict[int, int]") -> "set[tuple[int, int]]":
    """Return the instructions that read one of *names* by one of *operations*."""
    return {
        (operation, (place << shift | low) & 0xFF)
        for place, name in enumerate(code.co_names)
        if name in names
        for operation, shift in operations.items()
        for low in range(1 + shift)
    }


def _is_python_file(constant: object) -> bool:
    if isinstance(constant, (tuple, frozenset)):
        return any(map(_is_python_file, constant))
    name = constant if isinstance(constant, str) else ""
    return name.endswith(".py") and len(name) > len(".py") and "\n" not in name and " " not in name
