"""Which members belong together, and which modules need real files.  Names in, groups out; no I/O.

`packing.units` uses these rules when a bundle is packed, and `listing` when a plain zip first needs a real file.

A *unit* is a distribution, by its RECORD.  All members that no RECORD lists are one unit: they stood together in the
user's own tree.  Two units become one if a file of the one, which is not Python code, is in a package whose
``__init__`` only the other records.
"""

CODE = (".py", ".pyc")
_INERT = (".pyi", "/py.typed")
_COMMANDS = ("bin/", "Scripts/")
_INITS = ("__init__.py", "__init__.pyc")
# What begins with this at the top of a site belongs to the site.
RESERVED = ".bundleimp"
# The group of the members that no RECORD lists, if they are not one top-level package.
UNRECORDED = "own-files"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Group:
    """The members of one unit.

    Attributes:
        names: the distributions, or the top-level packages, that the unit consists of.
        files: the members, sorted.
        native: the first extension module, or "".
        others: whether a member is neither a module nor a command.
        data: the members that a program may open: all but modules, commands, stubs and ``py.typed``.
        near: the modules near data: in the folder of data, or in the nearest folder with code above it, and the
            ``__init__`` modules of the packages above.
        portions: the folders outside packages that contain data.  As namespace portions, they need real files.

    """

    __slots__ = ("data", "files", "names", "native", "near", "others", "portions")

    def __init__(self, names: "list[str]", files: "list[str]", is_command: "Callable[[str], bool]") -> None:
        self.names = names
        self.files = sorted(files)
        self.native = next(filter(is_extension, self.files), "")
        plain = [file for file in self.files if not is_module(file)]
        plain = [file for file in plain if not (file.startswith(_COMMANDS) and is_command(file))]
        self.others = bool(plain)
        self.data = [file for file in plain if not f"/{file}".endswith(_INERT)]
        self.near, self.portions = _near_data(self)

    @property
    def name(self) -> str:
        """The name of the unit."""
        return " + ".join(self.names)

    @property
    def short_name(self) -> str:
        """The name in at most 60 ASCII characters, for the table of units."""
        plain = (letter if letter.isascii() and (letter.isalnum() or letter in "._+-") else "_" for letter in self.name)
        return "".join(plain)[:60]

    @property
    def data_part(self) -> "set[str]":
        """The members that modules near data need: the data, and these modules."""
        return {*self.data, *self.near}


def folder_of(member: str) -> str:
    """Return the folder that contains the member, "" at the top."""
    return member.rpartition("/")[0]


def is_extension(member: str) -> bool:
    """Return whether the member is an extension module, for whatever platform."""
    stem, *tags = member.rpartition("/")[2].split(".")
    return bool(stem) and len(tags) in {1, 2} and tags[-1] in {"so", "pyd"} and _is_tag(tags[0])


def is_module(member: str) -> bool:
    """Return whether the member is Python code, or an extension module."""
    return member.endswith(CODE) or is_extension(member)


def _is_tag(text: str) -> bool:
    return (bool(text) and text.replace("-", "_").isidentifier()) or text.replace("-", "").isalnum()


def is_metadata(member: str) -> bool:
    """Return whether the member describes a distribution, for ``importlib.metadata``."""
    return member.partition("/")[0].endswith((".dist-info", ".egg-info"))


def is_init(member: str) -> bool:
    """Return whether the member is a package's own module."""
    return member.rpartition("/")[2].partition(".")[0] == "__init__" and is_module(member)


def record_owner(member: str) -> "str | None":
    """Return the name of the distribution whose RECORD *member* is, or None.

    A RECORD deeper in the tree belongs to a distribution that a package has copied into itself.
    """
    folder, _, name = member.rpartition("/")
    if name != "RECORD" or "/" in folder or not folder.endswith(".dist-info"):
        return None
    return folder.partition("-")[0]


def grouped(
    members: "Iterable[str]", records: "dict[str, list[str]]", is_command: "Callable[[str], bool]"
) -> "list[Group]":
    """Return the units of *members*.

    Arguments:
        members: the names of all members.
        records: for each distribution, the members that its RECORD lists.
        is_command: whether a member in ``bin/`` or ``Scripts/`` is a script: it is started, not imported.

    """
    owners: dict[str, list[str]] = {}
    for name, listed in records.items():
        for member in dict.fromkeys(listed):
            owners.setdefault(member, []).append(name)
    files: dict[str, list[str]] = {}
    owners_of: dict[str, list[str]] = {}
    for member in members:
        if not (is_metadata(member) or member.startswith(RESERVED)):
            # A module that was packed without its source is recorded as the source.
            found = owners.get(member) or (owners.get(member[:-1]) if member.endswith(".pyc") else None) or [""]
            owners_of[member] = found
            files.setdefault(found[0], []).append(member)
    groups = []
    for joined in _joined(files, owners_of):
        names = [owner or _own_name(files[""]) for owner in sorted(joined)]
        groups.append(Group(names, [file for owner in joined for file in files[owner]], is_command))
    return sorted(groups, key=lambda group: group.name)


def _joined(files: "dict[str, list[str]]", owners_of: "dict[str, list[str]]") -> "list[list[str]]":
    """Return the owners of *files* in lists: those of one list form one unit."""
    found = {owner: [owner] for owner in files}
    for owner, members in files.items():
        for member in members:
            others = _package_owners(member, owners_of) if not member.endswith(CODE) else []
            # A package that several distributions record is an old-style namespace package, and joins nothing.
            if len(others) == 1 and found[others[0]] is not found[owner]:
                found[owner] += found[others[0]]
                found |= dict.fromkeys(found[others[0]], found[owner])
    return list({id(owners): owners for owners in found.values()}.values())


def _own_name(members: "list[str]") -> str:
    tops = {member.partition("/")[0] for member in members}
    name = tops.pop()
    return UNRECORDED if tops else name.partition(".")[0] or UNRECORDED


def _package_owners(member: str, owners_of: "dict[str, list[str]]") -> "list[str]":
    """Return the owners of the ``__init__`` of the nearest package that contains *member*."""
    for folder in _folders(folder_of(member)):
        for name in _INITS:
            owners = owners_of.get(f"{folder}/{name}")
            if owners is not None:
                return owners
    return []


def _folders(folder: str) -> "Iterator[str]":
    """Yield *folder* and all folders above it, without the top."""
    while folder:
        yield folder
        folder = folder_of(folder)


def _near_data(group: Group) -> "tuple[list[str], set[str]]":
    modules = [file for file in group.files if is_module(file)]
    code = {folder_of(file) for file in modules}
    packages = {folder_of(file) for file in modules if is_init(file)}
    homes = set()
    above = {""}
    portions = set()
    for folder in {folder_of(file) for file in group.data}:
        home = next((above for above in _folders(folder) if above in code), "")
        homes.add(home)
        above.update(_folders(home))
        for portion in _folders(folder):
            if portion in packages:
                break
            portions.add(portion)
    near = [
        file
        for file in modules
        if not is_extension(file) and (folder_of(file) in homes or (is_init(file) and folder_of(file) in above))
    ]
    return near if group.data else [], portions


def has_below(files: "Iterable[str]", folders: "Iterable[str | None]") -> bool:
    """Return whether one of the *files* is below one of the *folders*.  None and the top do not count."""
    starts = tuple(f"{folder}/" for folder in folders if folder)
    return any(file.startswith(starts) for file in files)


def recorded(name: str) -> str:
    """Return the member that the *name* in a RECORD means.  In a bundle, scripts and data are beside the packages."""
    parts: list[str] = []
    for part in name.replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def resolved(member: str, run_path: str) -> "str | None":
    """Return the folder that a run path of the native file *member* names, or None if it leads outside the site."""
    parts = folder_of(member).split("/") if folder_of(member) else []
    for part in run_path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
