"""``python -m compatibility``: compare, print one line for each distribution, write the table."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bundleimp.distinfo import normalized

from . import table
from .catalogue import differences, snippets
from .laboratory import Laboratory, LaboratoryError
from .marks import between
from .trial import try_out
from .verdict import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .catalogue import Snippet
    from .trial import Outcome
    from .verdict import Verdict

_MARKS = "compatibility"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m compatibility",
        description="Compare well-known distributions in a bundle with the same in a directory.",
        epilog="Exit status: 0 all as listed, 1 a difference that is not listed, 2 bad usage or a failed installation.",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these distributions")
    parser.add_argument("--subset", action="store_true", help="only the light ones")
    parser.add_argument("--python", default=sys.executable, metavar="EXE", help="the interpreter to compare with")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR, use what is there, and leave it there")
    parser.add_argument("--itself", action="store_true", help="compare the directory with itself: tests the snippets")
    parser.add_argument("--write", type=Path, metavar="FILE", help="replace the table in FILE")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def _chosen(options: argparse.Namespace) -> list[Snippet]:
    chosen = [snippet for snippet in snippets() if snippet.subset or not options.subset]
    if options.only:
        unknown = set(options.only) - {snippet.name for snippet in chosen}
        if unknown:
            message = f"there is no snippet for {', '.join(sorted(unknown))}"
            raise LaboratoryError(message)
        chosen = [snippet for snippet in chosen if snippet.name in options.only]
    return chosen


def _print(verdict: Verdict) -> None:
    print(f"{verdict.snippet.name} {verdict.version}: {verdict.text}; written: {table.written(verdict)}", flush=True)
    if verdict.problem is not None:
        print("".join(f"    {line}\n" for line in verdict.problem.splitlines()[1:]), end="", flush=True)


def _record(folder: Path, directory: Outcome, other: Outcome) -> None:
    """Leave the outcomes in *folder*, for those who keep it and want to know what was compared."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, outcome in (("directory", directory), ("other", other)):
        text = f"== exit status {outcome.status}\n== stdout\n{outcome.stdout}\n== stderr\n{outcome.stderr}\n"
        (folder / f"{name}.txt").write_text(text, "utf-8")


def _compare(options: argparse.Namespace, folder: Path) -> list[Verdict]:
    chosen = _chosen(options)
    laboratory = Laboratory(folder, options.python)
    laboratory.prepare(sorted({requirement for snippet in chosen for requirement in snippet.requirements}))
    versions = laboratory.versions()
    accepted = {} if options.itself else differences()
    verdicts = []
    for snippet in chosen:
        directory = try_out(snippet, laboratory, laboratory.directory)
        other = try_out(snippet, laboratory, laboratory.directory if options.itself else laboratory.bundle)
        _record(folder / "outcomes" / snippet.name, directory, other)
        version = versions.get(normalized(snippet.name), "")
        verdict = judge(snippet, version, directory, other, accepted.get(snippet.name, ()))
        verdicts.append(verdict)
        if not options.json:
            _print(verdict)
    return verdicts


def _python(executable: str) -> str:
    script = "import platform; print(platform.python_implementation(), platform.python_version())"
    version = subprocess.run([executable, "-c", script], capture_output=True, text=True, check=True)
    return f"{version.stdout.strip()} on {platform.system()} {platform.machine()}"


def _as_data(verdict: Verdict) -> dict[str, Any]:
    return {
        "distribution": verdict.snippet.name,
        "version": verdict.version,
        "shows": verdict.snippet.shows,
        "result": verdict.text,
        "problem": verdict.problem,
        "written_files": verdict.bundle.written_files,
        "written_bytes": verdict.bundle.written_bytes,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    try:
        # What cannot be written to later is an error now.
        text = "" if options.write is None else options.write.read_text("utf-8")
        if options.write is not None:
            between(text, _MARKS, "")
        with ExitStack() as stack:
            folder = options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="bundleimp-"))
            verdicts = _compare(options, Path(folder))
        if options.write is not None:
            made = table.markdown(verdicts, _python(options.python))
            options.write.write_text(between(text, _MARKS, made), "utf-8")
    except (LaboratoryError, OSError, ValueError) as error:
        print(f"compatibility: error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([_as_data(verdict) for verdict in verdicts], indent=2))
    return int(any(verdict.problem is not None for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
