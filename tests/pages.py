"""The code blocks of Markdown pages, found by Sybil, and run as a reader would type them.

A page has one folder, with a package ``src/mypkg``, a bundle ``out.pybundle`` of it, and a program ``app.pybundle``.

- ``console``: lines after ``$`` are given to bash.  The other lines are what it prints; ``...`` stands for any text.
- ``sh``: given to bash.  Nothing may fail, or be printed as an error.
- ``python``: a script of its own.  A ``text`` block after it has its output.
- a block with a caption: the content of that file.

Blocks in other languages are only shown.  ``<!-- skip: next "reason" -->`` before a block leaves it out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, REPORT_NDIFF, Example, OutputChecker
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import SkipTest

from sybil import Region, Sybil
from sybil.parsers.myst import CodeBlockParser, SkipParser

from .builders import clean_environment, make_bundle, make_tree, run_python

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sybil import Document
    from sybil import Example as Block
    from sybil.typing import Evaluator

ROOT = Path(__file__).parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
}
SHOWN = {"dockerfile", "ini", "json", "text", "toml", "yaml"}
"""Languages of blocks that are not run."""
MYPKG = {
    "mypkg/__init__.py": "",
    "mypkg/__main__.py": 'print("hello")\n',
    "mypkg/app.py": "def main():\n    print('hello')\n",
}
_FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE | REPORT_NDIFF


def make_workspace(folder: Path) -> None:
    """Make the files that the pages use."""
    make_tree(folder / "src", MYPKG)
    make_bundle(folder / "out.pybundle", MYPKG)
    make_bundle(folder / "app.pybundle", MYPKG, entry_point="mypkg.app:main")


def run_blocks(page: Path, folder: Path) -> str:
    """Run the blocks of *page* in *folder*; return why some were left out, or ""."""
    document = Sybil([_blocks, SkipParser()]).parse(page)
    document.namespace["folder"] = folder
    reasons = []
    try:
        for block in document.examples():
            try:
                block.evaluate()
            except SkipTest as skip:
                reasons.append(f"line {block.line}: {skip}")
    finally:
        # What a page has made read-only, pytest must be able to remove.
        for place, _, _ in os.walk(folder):
            os.chmod(place, 0o700)
    return "; ".join(reasons)


def languages(page: Path) -> set[str]:
    """Return the languages of the blocks of *page* that have no caption."""
    found = CodeBlockParser("any").lexers(Sybil([]).parse(page))
    return {region.lexemes["arguments"] for region in found if not _caption(region)}


def _caption(region: Region) -> str:
    options: dict[str, str] = region.lexemes.get("options") or {}
    return options.get("caption", "")


def _blocks(document: Document) -> Iterable[Region]:
    for region in CodeBlockParser("any").lexers(document):
        evaluator = _write if _caption(region) else _EVALUATORS.get(region.lexemes["arguments"])
        if evaluator is not None:
            yield Region(region.start, region.end, (region.lexemes["source"], _caption(region)), evaluator)


def _write(block: Block) -> None:
    text, name = block.parsed
    path = block.namespace["folder"] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _run(commands: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = clean_environment(PATH=path, HOME=str(folder), GIT_CONFIG_NOSYSTEM="1")
    return subprocess.run(
        ["bash", *options, "-c", commands],  # noqa: S607 (whichever bash is there)
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )


def _run_shell(block: Block) -> None:
    result = _run(block.parsed[0], block.namespace["folder"], "-e")
    assert result.returncode == 0, f"{block.path}:{block.line}\n{result.stdout}"


def _run_console(block: Block) -> None:
    lines = block.parsed[0].splitlines()
    commands = [line[2:] for line in lines if line.startswith(("$ ", "> "))]
    expected = "".join(f"{line}\n" for line in lines if not line.startswith(("$ ", "> ")))
    _compare(block, expected, _run("\n".join(commands), block.namespace["folder"]).stdout)


def _run_script(block: Block) -> None:
    script = block.namespace["folder"] / "script.py"
    script.write_text(block.parsed[0], "utf-8")
    result = run_python("script.py", cwd=script.parent, check=False)
    assert result.returncode == 0, f"{block.path}:{block.line}\n{result.stderr}"
    block.namespace["output"] = result.stdout


def _check_output(block: Block) -> None:
    if "output" in block.namespace:
        _compare(block, block.parsed[0], block.namespace.pop("output"))


def _compare(block: Block, expected: str, printed: str) -> None:
    checker = OutputChecker()
    example = Example(block.parsed[0], expected)
    difference = checker.output_difference(example, printed, _FLAGS)
    assert checker.check_output(expected, printed, _FLAGS), f"{block.path}:{block.line}\n{difference}"


_EVALUATORS: dict[str, Evaluator] = {
    "console": _run_console,
    "python": _run_script,
    "sh": _run_shell,
    "text": _check_output,
}
