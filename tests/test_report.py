"""``bundleimp report``: the content of the page.  Names cannot change it, and large bundles make small pages."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import bundleimp
from bundleimp import importtimes
from bundleimp.importtimes import Import
from bundleimp.inspection.bundle import open_bundle
from bundleimp.inspection.finding import Finding
from bundleimp.inspection.info import Info, Survey, placed_units, survey
from bundleimp.inspection.report.model import make_report
from bundleimp.inspection.report.names import LONGEST, shown
from bundleimp.inspection.report.page import LICENCES, json_for_script, render
from bundleimp.inspection.report.sizetree import CLOSED, DEEPEST, KINDS, MERGED, MOST, WIDEST, is_native, size_tree
from bundleimp.inspection.report.start import BEGIN, Lazy, Start, bars, decode
from bundleimp.inspection.sizes import Part, Share

from .archives import index_of
from .builders import Tree, make_bundle, make_zip
from .command_line import APP, bundleimp_command, error_of
from .platforms import needs_processes

ECHARTS = Path(bundleimp.__file__).parent / "inspection" / "report" / "echarts"
# Version 6.1.0, as it is in the npm package `echarts`: dist/echarts.min.js.
ECHARTS_VERSION = "6.1.0"
ECHARTS_SHA256 = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
HOSTILE = (
    "</script><script>alert(1)</script>.txt",
    "<!--<img src=x onerror=alert(2)>.txt",
    "a\u202egnp.txt",
    "\"'&amp;{b|rich}.txt",
)
LARGE = 36_000


def survey_of(shares: list[Share], parts: dict[str, Part] | None = None, **facts: Any) -> Survey:
    info = Info("large.pybundle", sum(share.size for share in shares), "flat", len(shares), None, [], **facts)
    return Survey(info, parts or {}, shares)


def share(name: str, size: int = 1, bytecode: int = 0) -> Share:
    return Share(name, name.partition("/")[0] + "/", "source" if name.endswith(".py") else "other", size, bytecode)


def page_of(bundle: Path, start: Start | None = None) -> str:
    opened = open_bundle(bundle)
    return render(make_report(survey(opened), opened.verify(), start))


def data_of(page: str) -> Any:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    return json.loads(match[1])


class Elements(HTMLParser):
    """The elements of a page, with their attributes and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found[-1:] and self.found[-1][0] in {"script", "style"}:
            self.raw.append((self.found[-1][0], data))


# --- the tree of sizes


def test_the_tree_has_each_byte_of_the_file_once(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", APP, entry_point="app", standalone=True)
    tree = size_tree(survey(open_bundle(bundle)))
    assert sum(tree[0].sizes) == bundle.stat().st_size
    for number in range(len(tree)):
        inside = [node for node in tree if node.parent == number]
        if inside:
            assert tree[number].sizes == [sum(column) for column in zip(*(node.sizes for node in inside), strict=True)]
            assert tree[number].members == sum(node.members for node in inside)
    assert all(node.parent < number for number, node in enumerate(tree))


def test_a_member_has_its_source_and_its_bytecode_in_its_distribution(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", APP)
    member = next(item for item in index_of(bundle.read_bytes()).members if item.member.name == "single.py")
    tree = size_tree(survey(open_bundle(bundle)))
    node = next(node for node in tree if node.name == "single.py")
    assert node.sizes == [member.member.packed_size, sum(code.size for code in member.codes if code), 0, 0]
    assert tree[node.parent].name == "lib 1.2"
    assert {tree[other.parent].name for other in tree if other.name == "app"} == {"own-files"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b.cpython-311-x86_64-linux-gnu.so", True),
        ("a.libs/libz-1a2b.so.1", True),
        ("a/b.pyd", True),
        ("a/b.dll", True),
        ("a/b.dylib", True),
        ("a/solver.txt", False),
        ("a/b.py", False),
    ],
)
def test_native_files_are_told_by_their_names(name: str, expected: bool) -> None:
    assert is_native(name) is expected
    sizes = dict(zip(KINDS, size_tree(survey_of([share(name, 5)]))[0].sizes, strict=True))
    assert sizes["native"] == (5 if expected else 0)


def test_folders_with_one_folder_in_them_are_one_node() -> None:
    tree = size_tree(survey_of([share("top/a/b/c/one.txt"), share("top/a/b/c/two.txt")]))
    assert [node.name for node in tree if node.members] == ["", "own-files", "top/a/b/c", "one.txt", "two.txt"]


def test_small_members_of_a_wide_folder_are_merged() -> None:
    tree = size_tree(survey_of([share(f"top/{number:04}.txt", number + 1) for number in range(WIDEST + 50)]))
    merged = next(node for node in tree if node.state == MERGED)
    assert (merged.name, merged.members, sum(merged.sizes)) == ("50 smaller ones", 50, sum(range(1, 51)))


def test_a_deep_folder_is_not_opened() -> None:
    shares = [share("/".join(["top"] + [f"{depth}"] * depth) + "/x.txt") for depth in range(3 * DEEPEST)]
    nested = [share("top/" + "a/" * depth + "x.txt") for depth in range(3 * DEEPEST)]
    tree = size_tree(survey_of(shares + nested))
    closed = [node for node in tree if node.state == CLOSED]
    assert sum(node.members for node in closed) > DEEPEST


def test_files_of_a_later_target_are_named_with_it() -> None:
    shares = [share("a.txt"), share("BUNDLE-INFO/targets/2/a.txt")]
    tree = size_tree(survey_of(shares, targets=["cp311", "cp312"]))
    assert {"a.txt", "a.txt (cp312)"} <= {node.name for node in tree}


def large() -> Survey:
    shares = []
    parts: dict[str, Part] = {}
    for number in range(LARGE):
        folder = f"dist{number % 90:02}"
        parts.setdefault(f"{folder}-1.0.dist-info/", Part(name=folder, version="1.0"))
        name = f"{folder}/part{number % 37}/deeper{number % 11}/quite_a_long_module_name_{number:05}.py"
        shares.append(Share(name, f"{folder}-1.0.dist-info/", "source", 1 + number * 7919 % 40000, number))
    return survey_of(shares, parts)


def test_a_bundle_of_36_000_members_has_a_small_page_that_says_what_is_merged() -> None:
    described = large()
    bad = [Finding("the content differs from what RECORD says", share.name) for share in described.shares]
    imports = [Import(f"dist.module_{number}", 1, number, number) for number in range(LARGE)]
    report = make_report(described, bad, Start("-m x", "cpython 3.15.0", 1, imports, None))
    page = render(report)
    assert len(page.encode()) < 5_000_000
    assert len(report.tree) <= MOST
    assert sum(report.tree[0].sizes) == sum(each.size + each.bytecode for each in described.shares)
    assert f"{report.alone:,} of 36,000 members are shown one by one." in page
    assert f"The other {LARGE - report.alone:,} are merged" in page
    assert "35,500 more are not shown." in page


def test_long_names_are_cut_and_keep_their_end() -> None:
    assert shown("short") == "short"
    assert shown("x" * 70_000 + "end.py").endswith("xend.py")
    assert len(shown("\0" * 70_000)) <= LONGEST + 1
    page = render(
        make_report(survey_of([share("a" * 60_000 + f"/{n:05}" + "b" * 60_000) for n in range(50)]), [], None)
    )
    assert len(page) < 2_000_000


# --- the page


def test_the_page_loads_nothing_and_its_policy_allows_only_what_is_in_it(tmp_path: Path) -> None:
    page = page_of(make_bundle(tmp_path / "out.pybundle", APP))
    elements = Elements(page)
    for tag, attributes in elements.found:
        assert not attributes.keys() & {"src", "srcset", "action", "style", "data"} or tag == "data"
        assert not [name for name in attributes if name.startswith("on")]
        assert str(attributes.get("href") or "#").startswith(("#", "data:,"))
    (policy,) = [a["content"] for _, a in elements.found if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    directives = {words.split()[0]: words.split()[1:] for words in policy.split(";")}
    assert directives["default-src"] == ["'none'"]
    assert directives["base-uri"] == directives["form-action"] == ["'none'"]
    digests = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'": tag
        for tag, text in raw_texts(page)
    }
    allowed = [*directives["script-src"], *directives["style-src"]]
    assert sorted(map(digests.get, allowed), key=str) == ["script", "script", "style"]
    assert "url(" not in "".join(text for tag, text in raw_texts(page) if tag == "style")


def raw_texts(page: str) -> list[tuple[str, str]]:
    """Return the scripts that run and the style, as a browser finds them."""
    return re.findall(r"<(script|style)>(.*?)</(?:script|style)>", page, re.DOTALL)


def test_the_script_makes_no_html_of_names() -> None:
    script = (ECHARTS.parent / "page.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|fetch\(", script)


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    tree: Tree = dict.fromkeys(HOSTILE, "x")
    tree["lib-1.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: <b>lib</b>\nVersion: </table>\n"
    bundle = make_zip(tmp_path / "<i>out.pybundle", tree)
    imports = [Import(name.replace(" ", "_"), 1, 1, 1) for name in HOSTILE]
    lazy = [Lazy(name, name, name, happened=True) for name in HOSTILE]
    opened = open_bundle(bundle)
    findings = [Finding(name, name, 1) for name in HOSTILE]
    page = render(make_report(survey(opened), findings, Start(HOSTILE[0], HOSTILE[1], 1, imports, lazy)))
    clean = page_of(make_zip(tmp_path / "clean.pybundle", {"x.txt": "x"}), Start("", "", 1, [Import("x", 1, 1, 1)], []))
    known = {tag for tag, _ in Elements(clean).found} | {"strong"}
    assert {tag for tag, _ in Elements(page).found} - known == set()
    assert len(re.findall("(?i)</?script", page)) == 6
    assert "<!--" not in page
    assert "\u202e" not in page
    names = [node[0] for node in data_of(page)["nodes"]]
    assert {"<!--<img src=x onerror=alert(2)>.txt", "a\\u202egnp.txt", HOSTILE[3], "<b>lib</b> </table>"} <= set(names)
    assert html.escape(HOSTILE[0]) in page


def test_json_cannot_end_its_element() -> None:
    text = json_for_script(["</script>", "<!--", "&", "\u2028"])
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == ["</script>", "<!--", "&", "\u2028"]


def test_what_is_placed_where_it_runs_and_what_is_wrong_are_on_the_page(tmp_path: Path) -> None:
    tree = {"app/__init__.py": "import os\nHERE = os.path.dirname(__file__)\n", "app/table.txt": "row\n" * 99}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    page = page_of(bundle)
    assert "Sound: all checksums" in page
    assert "Python 3.11" in page
    ((unit, _),) = placed_units(survey(open_bundle(bundle)).info)
    assert unit.reason
    assert html.escape(unit.reason) in page
    data = bytearray(bundle.read_bytes())
    data[open_bundle(bundle).data_offsets()["app/table.txt"]] ^= 1
    bundle.write_bytes(data)
    assert '<strong class="wrong">' in page_of(bundle)


def test_without_a_profile_the_page_says_how_to_get_one(tmp_path: Path) -> None:
    assert "--profile" in page_of(make_bundle(tmp_path / "out.pybundle", APP))


def test_a_zip_of_another_tool_has_a_page(tmp_path: Path) -> None:
    page = page_of(make_zip(tmp_path / "out.zip", {"a.py": "", "b/c.txt": "x"}))
    assert "another tool: no manifest, no index" in page
    assert "Not known: the bundle has no manifest." in page


# --- the charts' library


def test_the_charts_library_is_the_released_one_and_has_its_licences() -> None:
    content = (ECHARTS / "echarts.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == ECHARTS_SHA256
    assert f'version="{ECHARTS_VERSION}"'.encode() in content
    assert {path.name for path in ECHARTS.iterdir()} == {"echarts.min.js", *LICENCES}
    assert "Apache License" in (ECHARTS / "LICENSE").read_text("utf-8")


def test_the_page_carries_the_licences(tmp_path: Path) -> None:
    page = page_of(make_bundle(tmp_path / "out.pybundle", APP))
    for name in LICENCES:
        assert html.escape((ECHARTS / name).read_text("utf-8")) in page


# --- a profiled start

OUTPUT = f"""import time: self [us] | cumulative | imported package
import time:       100 |        100 | site
noise
{BEGIN}
import time:        10 |         10 |   app.early
import time:        20 |         30 | app
import time:         5 |          5 |     json.decoder
import time:         7 |         12 |   json
import time:        30 |         42 | app.__main__
"""


def test_imports_are_nested_as_they_were() -> None:
    first, second = importtimes.outermost(OUTPUT.partition(BEGIN)[2])
    assert (first.name, first.own, first.total, [each.name for each in first.nested]) == ("app", 20, 30, ["app.early"])
    assert second.nested[0].nested[0].name == "json.decoder"
    assert [second.depth, second.nested[0].depth, second.nested[0].nested[0].depth] == [1, 2, 3]


def test_bars_follow_one_another_below_their_importers() -> None:
    start = decode("-m app", "cpython 3.15.2", OUTPUT, [Lazy("app", "json", "decoder", happened=True)])
    assert start.own == 100
    found = {bar.name: bar for bar in bars(start, ["app/__init__.py", "app/early.py", "app/__main__.py"])}
    names = list(found)
    begins = {"app": 0, "app.early": 0, "app.__main__": 30, "json": 30, "json.decoder": 30}
    assert {name: bar.begin for name, bar in found.items()} == begins
    importers = {name: names[bar.parent] if bar.parent >= 0 else "" for name, bar in found.items()}
    assert importers["json.decoder"] == "json"
    assert importers["json"] == "app.__main__"
    assert {name for name, bar in found.items() if bar.bundled} == {"app", "app.early", "app.__main__"}
    assert {name for name, bar in found.items() if bar.lazy} == {"json.decoder"}


def test_the_shorter_ones_of_many_imports_are_merged() -> None:
    imports = [Import(f"m{number}", 1, number, number) for number in range(1000)]
    found = bars(Start("", "", 0, imports, None), [])
    assert found[-1].name == "500 shorter ones"
    assert sum(bar.total for bar in found) == sum(range(1000))


@needs_processes
@pytest.mark.parametrize("words", ["-m app.deep.mod", "-c 'import app.deep.mod'", ""])
def test_a_start_is_profiled_in_a_process_of_its_own(tmp_path: Path, words: str) -> None:
    tree = APP | {"main.py": "import json, app.deep.mod\ndef main():\n    import single\n"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, entry_point="main:main")
    out = tmp_path / "page.html"
    printed = bundleimp_command("report", bundle, "-o", out, f"--profile={words}").stdout
    assert printed.startswith(f"{out}: ")
    assert printed.endswith("sound\n")
    found = {bar[0]: bar for bar in data_of(out.read_text("utf-8"))["bars"]}
    assert found["app"][5] == 1
    assert ("single" in found) is (words == "")
    assert not {"bundleimp.cli", "argparse"} & found.keys()


@needs_processes
@pytest.mark.skipif(sys.version_info < (3, 15), reason="Python 3.15 has lazy imports")
def test_lazy_imports_are_told_with_what_became_of_them(tmp_path: Path) -> None:
    code = "__lazy_modules__ = ['json', 'csv']\nimport json, csv\njson.dumps(1)\n"
    bundle = make_bundle(tmp_path / "out.pybundle", {"mod.py": code})
    out = tmp_path / "page.html"
    bundleimp_command("report", bundle, "-o", out, "--profile=-c 'import mod'")
    rows = re.findall("<tr>(.*?)</tr>", out.read_text("utf-8"))
    cells = [[re.sub("<.*?>", "", cell) for cell in re.findall("<td>(.*?)</td>", row)] for row in rows]
    assert ["mod", "json", "", "later"] in cells
    assert ["mod", "csv", "", "never"] in cells
    assert {bar[0] for bar in data_of(out.read_text("utf-8"))["bars"] if bar[6]} >= {"json"}


# --- the command


def test_the_page_is_named_after_the_bundle_and_replaces_the_one_before(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", APP)
    for _ in range(2):
        bundleimp_command("report", bundle, cwd=tmp_path)
        assert "<title>app.pybundle" in (tmp_path / "app.report.html").read_text("utf-8")
    assert bundleimp_command("report", bundle, "-q", cwd=tmp_path).stdout == ""


def test_the_same_bundle_has_the_same_page(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", APP)
    assert page_of(bundle) == page_of(bundle)


@needs_processes
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-m", "profile: '-m' needs the name of a module"),
        ("-c", "profile: '-c' needs code"),
        ("-c '", 'profile: "-c \'" is not a command: no closing quotation'),
        ("-m nothing.there", "profile: '-m nothing.there' failed with exit status 1: "),
        ("-c 'raise SystemExit(3)'", "failed with exit status 3"),
        ("", "has no program; give --profile '-m MODULE' or --profile \"-c 'CODE'\""),
    ],
)
def test_a_start_that_fails_is_one_line_and_leaves_the_page_alone(tmp_path: Path, words: str, message: str) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", {"mod.py": ""})
    out = tmp_path / "page.html"
    out.write_text("before")
    assert message in error_of("report", bundle, "-o", out, f"--profile={words}")
    assert out.read_text() == "before"


@needs_processes
def test_a_bundle_for_another_python_is_not_started(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", {"mod.py": "", "part.cp37-win_amd64.pyd": b"MZ"})
    message = error_of("report", bundle, "-o", tmp_path / "page.html", "--profile=-m mod")
    assert message.startswith(f"{bundle}: cannot be started: ")


def test_errors_are_one_line(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", APP)
    assert (
        error_of("report", bundle, "-o", bundle) == f"{bundle}: is the bundle itself; choose another file for the page"
    )
    assert "cannot be written" in error_of("report", bundle, "-o", tmp_path / "missing" / "page.html")
    (tmp_path / "folder").mkdir()
    assert "cannot be written" in error_of("report", bundle, "-o", tmp_path / "folder")
    assert "No such file" in error_of("report", tmp_path / "missing.pybundle")
    (tmp_path / "text.txt").write_text("text")
    assert str(tmp_path / "text.txt") in error_of("report", tmp_path / "text.txt")
    assert sorted(os.listdir(tmp_path)) == ["app.pybundle", "app.pybundle.source", "folder", "text.txt"]
    assert bundle.stat().st_size > 1000
