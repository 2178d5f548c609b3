"""What is imported: trees of modules, the same one as directory, zip and bundle, and interpreters to import it with."""

from __future__ import annotations

import importlib.util
import marshal
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bundleimp

from .measure import environment, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SEED = 20240229
_PYC_HEADER = 16
_UNCHECKED = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
# Extension modules load from real files everywhere, so nobody has them; the rest is never imported and only takes time.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "tests", "LC_MESSAGES")


def interpreter(folder: Path, *, hook: bool) -> Path:
    """Make a virtual environment in *folder* that holds bundleimp with its hook, or nothing; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, env=environment())
    site_packages = _site_packages(folder)
    if hook:
        package = Path(bundleimp.__file__).parent
        shutil.copytree(package, site_packages / package.name, ignore=_LEFT_OUT)
        shutil.copy2(package.parent / "bundleimp.pth", site_packages)
        compile_tree(site_packages)
    return folder / "bin" / "python"


def plain_interpreter(folder: Path) -> Path:
    """Copy this Python to *folder*, without what is installed in it; return its executable.

    It is no virtual environment: in one, pex starts the Python that this was made from, and then itself once more.

    Raises:
        RunError: the copy does not start.

    """
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library, commands = folder / sys.platlibdir / name, folder / "bin"
    without = shutil.ignore_patterns("site-packages", "dist-packages", "test", "config-*")
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=without, symlinks=True)
    (library / "site-packages").mkdir()
    commands.mkdir()
    shutil.copy2(os.path.realpath(sys.executable), commands / name)
    (commands / "python").symlink_to(name)
    prepare("copying Python", commands / "python", "-c", "import ssl")
    return commands / "python"


def _site_packages(environment_folder: Path) -> Path:
    return next(environment_folder.glob("lib*/python*/site-packages"))


def add_start_module(folder: Path) -> None:
    """Add to the virtual environment in *folder* an empty module, and a ``.pth`` file that imports it at each start."""
    site_packages = _site_packages(folder)
    (site_packages / "imported_at_start.py").write_text("")
    (site_packages / "imported_at_start.pth").write_text("import imported_at_start\n")
    compile_tree(site_packages)


def copy_packages(names: Iterable[str], folder: Path, *, compiled: bool = True) -> Path:
    """Copy the installed top-level modules and packages *names* to *folder*, compile them there, and return it.

    They stay without bytecode where they are not to be *compiled*.

    Raises:
        ModuleNotFoundError: one is not installed.

    """
    folder.mkdir()
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            message = f"the environment has no {name}"
            raise ModuleNotFoundError(message, name=name)
        origin = Path(spec.origin)
        if spec.submodule_search_locations:
            shutil.copytree(origin.parent, folder / name, ignore=_LEFT_OUT)
        else:
            shutil.copy2(origin, folder)
    if compiled:
        compile_tree(folder)
    return folder


def compile_tree(*paths: Path) -> None:
    """Put bytecode beside the sources at and below *paths*, as an installer does."""
    # Template files that bear the name of modules do not compile; nothing imports them.
    command = [sys.executable, "-W", "ignore", "-m", "compileall", "-qq", "-j0", *map(str, paths)]
    subprocess.run(command, check=False, env=environment())


def synthetic_members(packages: int, subpackages: int, modules: int) -> Iterator[tuple[str, str]]:
    """Yield the name and the source of each member of a made-up tree.

    Arguments:
        packages: how many top-level packages.
        subpackages: how many subpackages in each.
        modules: how many files in each of those and these, ``__init__.py`` with them.

    """
    numbers = random.Random(_SEED)  # noqa: S311 (the same tree each time)
    for package in range(packages):
        for folder in (f"p{package:03}", *(f"p{package:03}/s{number}" for number in range(subpackages))):
            for module in range(modules):
                name = f"m{module:03}.py" if module else "__init__.py"
                value = numbers.randrange(10**9)
                yield f"{folder}/{name}", f"VALUE = {value}\n\ndef double(number: int) -> int:\n    return number * 2\n"


def synthetic_tree(folder: Path, packages: int, subpackages: int, modules: int) -> Path:
    """Write the made-up tree of `synthetic_members` to *folder*, and return it."""
    for name, source in synthetic_members(packages, subpackages, modules):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return folder


def distributions(folder: Path, number: int) -> Path:
    """Write *number* distributions of one module each, with the metadata that an installer leaves, and return *folder*.

    Every other one has entry points; one more module, ``imported``, belongs to none.
    """
    folder.mkdir(parents=True)
    (folder / "imported.py").write_text("VALUE = 1\n")
    for at in range(number):
        (folder / f"project_{at:03}.py").write_text(f"VALUE = {at}\n")
        info = folder / f"project_{at:03}-{at}.0.dist-info"
        info.mkdir()
        header = f"Metadata-Version: 2.1\nName: project-{at:03}\nVersion: {at}.0\nRequires-Dist: click (>=8)\n\n"
        (info / "METADATA").write_text(header + "A line of what the project says about itself.\n" * 100)
        (info / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        (info / "INSTALLER").write_text("pip\n")
        names = [
            f"project_{at:03}.py",
            *(f"{info.name}/{name}" for name in ("METADATA", "WHEEL", "INSTALLER", "RECORD")),
        ]
        if at % 2:
            text = f"[console_scripts]\nproject-{at:03} = project_{at:03}:main\n\n[plugins]\none = project_{at:03}\n"
            (info / "entry_points.txt").write_text(text)
            names.append(f"{info.name}/entry_points.txt")
        (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))
    return folder


def data_tree(folder: Path, package: str, number: int, size: int) -> Path:
    """Write a *package* with *number* text files of *size* bytes each to *folder*, and return that."""
    numbers = random.Random(_SEED)  # noqa: S311 (the same tree each time)
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text("")
    for at in range(number):
        # Repeats itself about as much as text does: deflated it takes a third.
        words = " ".join(f"{numbers.randrange(2000) ** 2:x}" for _ in range(size // 4))
        (folder / package / f"{at:03}.txt").write_text(words[:size], "ascii")
    compile_tree(folder)
    return folder


def bundle(tree: Path, output: Path, *, deflated: bool = True) -> Path:
    """Pack *tree* with the default options, but for what is *deflated*, into *output*, and return it."""
    bundleimp.pack([tree], output, compress="deflate" if deflated else "none")
    return output


@dataclass(frozen=True)
class CompiledModule:
    """A source file of a tree and its bytecode.

    Attributes:
        member: its name in the tree, with slashes.
        name: the module's.
        source: the source file.
        bytecode: its pyc file.
        code: the marshalled code object in that, None where there is none.

    """

    member: str
    name: str
    source: Path
    bytecode: Path
    code: bytes | None

    @property
    def is_package(self) -> bool:
        """Whether it is the ``__init__`` of a package."""
        return self.source.stem == "__init__"


def compiled_modules(tree: Path) -> Iterator[CompiledModule]:
    """Yield the source files of *tree*, which was compiled, in order."""
    for source in sorted(tree.rglob("*.py")):
        member = source.relative_to(tree).as_posix()
        pyc = Path(importlib.util.cache_from_source(str(source)))
        code = pyc.read_bytes()[_PYC_HEADER:] if pyc.exists() else None
        name = member.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        yield CompiledModule(member, name, source, pyc, code)


def zip_file(tree: Path, output: Path, *, deflated: bool = False, bytecode: bool = True) -> Path:
    """Write *tree*, which was compiled, as a zip for `zipimport`, and return it.

    It is fastest with nothing compressed, and beside each ``mod.py`` a ``mod.pyc`` that is not checked against it
    (PEP 552).
    """
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        for path in sorted(tree.rglob("*")):
            if path.is_file() and path.parent.name != "__pycache__":
                archive.writestr(path.relative_to(tree).as_posix(), path.read_bytes())
        for module in compiled_modules(tree):
            if bytecode and module.code is not None:
                header = _UNCHECKED + importlib.util.source_hash(module.source.read_bytes())
                archive.writestr(f"{module.member}c", header + module.code)
    return output


def image_file(tree: Path, output: Path) -> Path:
    """Write the bytecode of *tree*, which was compiled, one after another, and return *output*.

    Beside it, in a file with the suffix ``.table``, is a marshalled dict that says where each lies, and its CRC-32.
    """
    table = {}
    with output.open("wb") as stream:
        for module in compiled_modules(tree):
            if module.code is not None:
                where = (stream.tell(), len(module.code), zlib.crc32(module.code))
                table[module.name] = (str(module.source), str(module.bytecode), module.is_package, where)
                stream.write(module.code)
    output.with_suffix(".table").write_bytes(marshal.dumps(table))
    return output


def code_file(tree: Path, output: Path) -> Path:
    """Write the bytecode of *tree*, which was compiled, as one marshalled dict for the floor's probe, and return it."""
    codes = {
        module.name: (str(module.source), str(module.bytecode), module.is_package, module.code)
        for module in compiled_modules(tree)
        if module.code is not None
    }
    output.write_bytes(marshal.dumps(codes))
    return output
