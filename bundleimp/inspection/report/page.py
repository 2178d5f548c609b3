"""The page as HTML text.  Values in, text out; only the files beside this module are read.

Names from a bundle are hostile.  In the HTML they are escaped; to the script they go as JSON without ``<``, ``>`` and
``&``; the script makes text nodes of them.  The policy of the page allows its two scripts and its style, by their
digests.  It allows nothing else: no load, no connection, no form.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...runson import words
from .names import shown
from .sizetree import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..info import Info
    from .model import Report, Rows, Timing

_HERE = Path(__file__).parent
_LONG_TEXT = 400
LICENCES = ("NOTICE", "LICENSE", "LICENSE-d3", "LICENSE-zrender")
"""The licences of ECharts and of what it contains.  Each page has to include them."""


def render(report: Report) -> str:
    """Return the page about *report*."""
    style, script, charts = (_file(name) for name in ("page.css", "page.js", "echarts/echarts.min.js"))
    scripts = " ".join(map(_digest, (charts, script)))
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src {_digest(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(_file("page.html")).substitute(
        policy=html.escape(policy),
        title=_text(report.info.path.replace("\\", "/").rpartition("/")[2]),
        style=style,
        charts=charts,
        script=script,
        data=json_for_script(_data(report)),
        facts=_facts(report),
        runs=_runs(report.info),
        sizes=_sizes(report),
        start=_start(report.timing),
        placed=_placed(report),
        findings=_findings(report),
        version=_text(__version__),
        licences=html.escape("\n\n".join(_file(f"echarts/{name}") for name in LICENCES)),
    )


def json_for_script(data: Any) -> str:
    """Return *data* as JSON that cannot end the element ``<script>`` that it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _file(name: str) -> str:
    return (_HERE / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(report: Report) -> dict[str, Any]:
    nodes = [[node.name, node.parent, *node.sizes, node.members, node.state] for node in report.tree]
    timing = report.timing
    bars = [] if timing is None else timing.bars
    return {
        "kinds": KINDS,
        "nodes": nodes,
        "bars": [
            [bar.name, bar.parent, bar.begin, bar.own, bar.total, int(bar.bundled), int(bar.lazy), bar.merged]
            for bar in bars
        ],
    }


def _text(text: str, most: int = _LONG_TEXT) -> str:
    return html.escape(shown(text, most))


def _bytes(size: int) -> str:
    return f'<data class="bytes" value="{size}">{size:,} bytes</data>'


def _time(microseconds: int) -> str:
    return f'<data class="time" value="{microseconds}">{microseconds / 1000:,.1f} ms</data>'


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], more: int = 0) -> str:
    """Return a table that the script makes sortable.

    Arguments:
        caption: its caption, as HTML.
        columns: the headings; those that begin with "#" are for numbers.
        rows: the cells, as HTML.
        more: how many rows are left out.

    """
    numbers = [' class="number"' if column.startswith("#") else "" for column in columns]
    heads = "".join(
        f'<th scope="col"{number}>{column.removeprefix("#")}</th>'
        for column, number in zip(columns, numbers, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{number}>{cell}</td>" for cell, number in zip(row, numbers, strict=True)) + "</tr>\n"
        for row in rows
    )
    left_out = f"<p>{more:,} more are not shown.</p>" if more else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{caption}"><table class="sortable">'
        f"<caption>{caption}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>{left_out}"
    )


def _items(pairs: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>\n" for name, value in pairs if value) + "</dl>"


def _facts(report: Report) -> str:
    info = report.info
    manifest = info.manifest or {}
    program = str(manifest.get("entry_point") or ("a Python interpreter" if manifest.get("interpreter") else ""))
    names = {"*": "all console scripts"}
    wrong = len(report.findings.shown) + report.findings.more
    tool = f"{manifest.get('tool', 'an unknown tool')}, format {manifest.get('format')}"
    return _items(
        [
            ("Size", _bytes(info.size)),
            ("Members", f"{info.members:,}"),
            ("Layout", _text(info.layout)),
            ("Bytecode", _text(", ".join(info.code_tags) or "none embedded")),
            ("Made by", _text(tool if info.manifest is not None else "another tool: no manifest, no index")),
            ("Program", _text(names.get(program, program)) + (", standalone" if info.runtimes else "")),
            ("Targets", _text(", ".join(info.targets))),
            ("Signature", _text(info.signature or "none beside it")),
            (
                "Check",
                "sound" if not wrong else f'<strong class="wrong">{wrong:,} problem{"s" * (wrong != 1)}</strong>',
            ),
        ]
    )


def _runs(info: Info) -> str:
    if not info.runs_on:
        if info.manifest is None:
            return "<p>Not known: the bundle has no manifest.</p>"
        return "<p>Nowhere: its parts need different Pythons.</p>"
    rows = [
        (_text(words([each], reasons=False)), _text(", ".join(each.because) or "the runtime of bundleimp"))
        for each in (alternative.for_runtime() for alternative in info.runs_on[:100])
    ]
    return _table("The bundle runs on each of these", ("Python and platform", "Reason"), rows)


def _sizes(report: Report) -> str:
    alone, members = report.alone, report.info.members
    merged = members - alone
    rest = f" The other {merged:,} are merged: small members of a folder, or whole small folders." if merged else ""
    rows = [
        (
            f"<bdi>{_text(part.name)}</bdi>",
            _text(part.version),
            *(_bytes(size) for size in (part.source, part.bytecode, part.other, part.total)),
            f"{part.members:,}",
        )
        for part in report.parts.shown
    ]
    columns = ("Distribution", "Version", "#Source", "#Bytecode", "#Other", "#Total", "#Members")
    table = _table("Distributions", columns, rows, report.parts.more)
    return f"<p>{alone:,} of {members:,} members are shown one by one.{rest}</p><noscript>{table}</noscript>"


def _start(timing: Timing | None) -> str:
    if timing is None:
        return (
            "<p>No start was profiled. To add one, run <code>bundleimp report BUNDLE --profile ''</code> for a "
            "program, or with <code>--profile '-m MODULE'</code>. This runs code from the bundle.</p>"
        )
    start = timing.start
    facts = _items(
        [
            ("Started", f"<code>{_text(start.command) or 'the program'}</code>"),
            ("Python", _text(start.python)),
            (
                "Imports of the program",
                f"{timing.modules:,} modules, {_time(sum(each.total for each in start.imports))}",
            ),
            ("Imports of Python before the program", _time(start.own)),
        ]
    )
    names = ("Module", "#Own time", "#With its imports")
    rows = [(f"<bdi>{_text(each.name)}</bdi>", _time(each.own), _time(each.total)) for each in timing.slowest.shown]
    slowest = _table("Slowest modules by their own time", names, rows, timing.slowest.more)
    return facts + _WATERFALL + _lazy(timing.lazy) + slowest


def _lazy(lazy: Rows[Any] | None) -> str:
    if lazy is None:
        return (
            "<h3>Lazy imports</h3><p>Not known: this Python has no lazy imports (PEP 810), or the program did not end "
            "normally.</p>"
        )
    rows = [
        (
            f"<bdi>{_text(each.importer)}</bdi>",
            f"<bdi>{_text(each.module)}</bdi>",
            f"<bdi>{_text(each.name)}</bdi>",
            "later" if each.happened else "never",
        )
        for each in lazy.shown
    ]
    if not rows:
        return "<h3>Lazy imports</h3><p>The program has none.</p>"
    return "<h3>Lazy imports</h3>" + _table("Lazy imports", ("In", "Module", "Name", "Loaded"), rows, lazy.more)


def _placed(report: Report) -> str:
    if not report.placed.shown:
        return "<p>Nothing: all modules and data are read from the bundle.</p>"
    rows = [
        (
            f"<bdi>{_text(unit.name)}</bdi>" + _text(f" ({', '.join(targets)})" * bool(targets)),
            "all" if unit.files else "data",
            f"{unit.files or unit.data_files:,}",
            _bytes(unit.size or unit.data_size),
            _text(unit.reason),
            _text(", ".join(unit.brings)),
        )
        for unit, targets in report.placed.shown
    ]
    columns = ("Distribution or package", "Which files", "#Files", "#Size", "Reason", "Also placed")
    return _table("Files that are placed in the cache when they are imported", columns, rows, report.placed.more)


def _findings(report: Report) -> str:
    if not report.findings.shown:
        return "<p>Sound: all checksums, names, sizes and offsets, RECORD, and the index are right.</p>"
    rows = [
        (
            f"<bdi>{_text(finding.member or '')}</bdi>",
            _text(finding.message),
            "" if finding.offset is None else f'<data value="{finding.offset}">{finding.offset}</data>',
        )
        for finding in report.findings.shown
    ]
    return _table("Problems", ("Member", "Problem", "#Offset"), rows, report.findings.more)


_WATERFALL = """
<h3>Waterfall</h3>
<p>Each bar is an import, below the module that imports it. Python measures durations only, so bars follow one another
without gaps. A first start also writes files to the cache: profile twice to see a usual start.</p>
<p class="legend"><span class="swatch bundled"></span>own code, in the bundle
<span class="swatch elsewhere"></span>own code, elsewhere <span class="swatch nested"></span>its imports</p>
<div id="waterfall" class="chart" role="img" aria-label="Waterfall of imports; the table below has the same numbers"
aria-describedby="imports-caption"></div>
<p id="waterfall-note"></p>
<div class="wide" tabindex="0" role="region" aria-label="Imports"><table id="imports">
<caption id="imports-caption">Imports</caption>
<thead><tr><th scope="col">Module</th><th scope="col">Imported by</th>
<th scope="col" class="number">Begin</th><th scope="col" class="number">Own time</th>
<th scope="col" class="number">With its imports</th><th scope="col">From</th><th scope="col">Lazy</th></tr></thead>
<tbody></tbody></table></div>
"""
