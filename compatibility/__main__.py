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
from .catalogue import MODES, differences, snippets
from .laboratory import Laboratory, LaboratoryError
from .marks import between
from .trial import try_out
from .verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .catalogue import Snippet
    from .trial import Outcome

_MARKS = "compatibility"
PAGE = Path(__file__).parent.parent / "docs" / "compatibility.md"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m compatibility",
        description="Compare well-known distributions in a bundle, and unpacked, with the same in a directory.",
        epilog="Exit status: 0 all as listed, 1 a difference that is not listed, 2 bad usage or a failed installation.",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these distributions")
    parser.add_argument("--subset", action="store_true", help="only the light ones")
    parser.add_argument("--python", default=sys.executable, metavar="EXE", help="the interpreter to compare with")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR, use what is there, and leave it there")
    alone = parser.add_mutually_exclusive_group()
    alone.add_argument("--itself", action="store_true", help="compare the directory with itself: tests the snippets")
    alone.add_argument(
        "--write",
        type=Path,
        nargs="?",
        const=PAGE,
        metavar="FILE",
        help="replace the table in FILE (default: docs/compatibility.md)",
    )
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
    texts = [f"{mode} {result.text}" for mode, result in verdict.results.items()]
    if "bundle" in verdict.results:
        texts.append(f"written: {table.written(verdict)}")
    print(f"{verdict.snippet.name} {verdict.version}".strip() + f": {'; '.join(texts)}", flush=True)
    for problem in _problems(verdict):
        print("".join(f"    {line}\n" for line in problem.splitlines()[1:]), end="", flush=True)


def _problems(verdict: Verdict) -> list[str]:
    return [result.problem for result in verdict.results.values() if result.problem is not None]


def _record(folder: Path, outcomes: dict[str, Outcome]) -> None:
    """Leave the outcomes in *folder*, for those who keep it and want to know what was compared."""
    folder.mkdir(parents=True, exist_ok=True)
    for mode, outcome in outcomes.items():
        text = f"== exit status {outcome.status}\n== stdout\n{outcome.stdout}\n== stderr\n{outcome.stderr}\n"
        (folder / f"{mode}.txt").write_text(text, "utf-8")


def _compare(options: argparse.Namespace, folder: Path) -> list[Verdict]:
    chosen = _chosen(options)
    laboratory = Laboratory(folder, options.python)
    laboratory.prepare(sorted({requirement for snippet in chosen for requirement in snippet.requirements}))
    versions = laboratory.versions()
    accepted = {} if options.itself else differences()
    verdicts = []
    for snippet in chosen:
        directory = try_out(snippet, laboratory, "directory")
        modes = ("directory",) if options.itself else MODES[1:] if snippet.unpack else MODES
        outcomes = {mode: try_out(snippet, laboratory, mode) for mode in modes}
        _record(folder / "outcomes" / snippet.name, {"directory": directory} | outcomes)
        version = versions.get(normalized(snippet.distribution), "")
        listed = accepted.get(snippet.name, ())
        results = {mode: judge(mode, directory, outcome, listed) for mode, outcome in outcomes.items()}
        verdict = Verdict(snippet, version, results)
        verdicts.append(verdict)
        if not options.json:
            _print(verdict)
    return verdicts


def _python(executable: str) -> str:
    script = "import platform; print(platform.python_implementation(), platform.python_version())"
    version = subprocess.run([executable, "-c", script], capture_output=True, text=True, check=True)
    return f"{version.stdout.strip()} on {platform.system()} {platform.machine()}"


def _as_data(verdict: Verdict) -> dict[str, Any]:
    results = {
        mode: {
            "result": result.text,
            "problem": result.problem,
            "written_files": result.outcome.written_files,
            "written_bytes": result.outcome.written_bytes,
        }
        for mode, result in verdict.results.items()
    }
    return {
        "distribution": verdict.snippet.name,
        "version": verdict.version,
        "shows": verdict.snippet.shows,
        "results": results,
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
    elif not options.itself:
        print(table.total(verdicts))
    return int(any(_problems(verdict) for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
