"""The Python and platform that an extension module is for, from its file name.  Names in, values out."""

import _imp

SYSTEMS = {"linux": "Linux", "darwin": "macOS", "macosx": "macOS", "win": "Windows", "win32": "Windows"}
# The machines that have one name in the tags of wheels, and another in the names of extension modules.
TRIPLETS = {
    "i686": "i386",
    "armv6l": "arm",
    "armv7l": "arm",
    "ppc64le": "powerpc64le",
    "ppc64": "powerpc64",
}
NAMES = {"cpython": "CPython", "cp": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
_MACHINES = {triplet: machine for machine, triplet in TRIPLETS.items()}


class Purpose:
    """What an extension module is for, as far as its name says.

    Attributes:
        implementation: "cpython", "pypy", ...; "" if the name does not say.
        version: (3, 11); () if the name does not say.
        newer: whether it is for newer versions, too.
        free_threaded: whether it is for a free-threaded Python (PEP 703), or for others; None if that is not known.
        system: "linux", "darwin", "win", ...; "" if the name does not say.
        machine: "x86_64", "amd64", ...; "" if the name does not say.

    """

    __slots__ = ("free_threaded", "implementation", "machine", "newer", "system", "version")

    def __init__(self, filename: str) -> None:
        tag, _, end = filename.rpartition("/")[2].partition(".")[2].rpartition(".")
        self.implementation, self.machine, self.newer = "", "", False
        self.system = "win" if end == "pyd" else ""
        self.version: tuple[int, ...] = ()
        self.free_threaded: bool | None = None
        if tag in {"abi3", "abi3t"}:
            self.implementation, self.version, self.newer = "cpython", (3, 2), True
            self.free_threaded = tag == "abi3t"
        elif tag:
            self._read(tag.split("-"))

    def _read(self, parts: "list[str]") -> None:
        name = parts[0].rstrip("0123456789tdmu")
        if name not in NAMES:
            return
        self.implementation = "cpython" if name == "cp" else name
        # "cpython-311-...", "cp311-...", "pypy310-pp73-...", "graalpy242-311-native-..."
        version = parts[1] if name in {"cpython", "graalpy"} and len(parts) > 1 else parts[0][len(name) :]
        digits = version.rstrip("tdmu")
        if len(digits) > 1 and digits.isdecimal():
            self.version = int(digits[0]), int(digits[1:])
        if self.implementation == "cpython":
            self.free_threaded = "t" in version[len(digits) :]
        rest = parts[{"cp": 1, "graalpy": 3}.get(name, 2) :]
        if rest and rest[0].startswith("win"):
            self.system, _, self.machine = rest[0].partition("_")
            self.system, self.machine = "win", self.machine or "x86"
        elif len(rest) > 1:
            self.machine, self.system = _MACHINES.get(rest[0], rest[0]), rest[1]
        elif rest:
            self.system = rest[0]

    def __str__(self) -> str:
        """Return what it is for in words: "CPython 3.11, Linux x86_64"."""
        python = NAMES.get(self.implementation, "Python")
        if self.version:
            python += f" {'.'.join(map(str, self.version))}{' or newer' * self.newer}"
        if self.free_threaded:
            python += " (free-threaded)"
        place = f"{SYSTEMS.get(self.system, self.system)} {self.machine}".strip()
        return f"{python}, {place}" if place else python


def here() -> str:
    """Return what the running Python is, as of `Purpose`."""
    return str(Purpose(f"this{(_imp.extension_suffixes() or [''])[0]}"))
