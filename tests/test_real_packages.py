"""Real packages from PyPI, packed into one bundle: imported and used, from the directory and from the bundle."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from pathlib import Path

import pytest

import bundleimp

from .builders import make_tree, run_python

# What each program prints must be the same wherever the packages come from.
PROGRAMS = {
    "sympy": """
import sympy
x, y = sympy.symbols("x y")
print(sympy.integrate(sympy.sin(x) ** 2 * sympy.exp(x), x))
print(sympy.solve([x + y - 3, x - y - 1], [x, y]), sympy.latex(sympy.Matrix([[x, y], [y, x]]).det()))
""",
    "networkx": """
import networkx
graph = networkx.karate_club_graph()
print(networkx.shortest_path(graph, 0, 33), sorted(networkx.connected_components(graph), key=len)[-1] == set(graph))
print(networkx.average_clustering(graph))
""",
    "django": """
import django
from django.conf import settings
settings.configure(
    LANGUAGE_CODE="de",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
from django.contrib.auth.models import User
from django.template import Context, Engine
from django.utils.translation import gettext
print(gettext("Yes"))
print(User.objects.filter(username__startswith="a", groups__name="x").query)
print(Engine().from_string("{% for a in b %}{{ a|title }},{% endfor %}").render(Context({"b": ["one", "two"]})))
""",
    "sqlalchemy": """
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
class Base(DeclarativeBase): pass
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([User(name="ann"), User(name="bob")])
    session.commit()
    print(session.scalars(select(User.name).order_by(User.id.desc())).all())
print(select(User).where(User.name == "ann"))
""",
    "rich": """
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table
console = Console(width=60, force_terminal=True, color_system="truecolor")
table = Table(title="t")
table.add_column("a"); table.add_row("b")
console.print(table, Syntax("def f(): return 1", "python"), Markdown("# h\\n* one\\n* two"))
""",
    "jinja2": """
import jinja2
child = "{% extends 'b' %}{% block c %}{{ x|upper }}{% endblock %}"
env = jinja2.Environment(loader=jinja2.DictLoader({"a": child, "b": "<{% block c %}{% endblock %}>"}))
print(env.get_template("a").render(x="hello & <bye>"))
print(jinja2.Template("{% for i in range(3) %}{{ loop.index }} {% endfor %}").render())
""",
    "requests": """
import requests, requests.certs, hashlib
request = requests.Request("POST", "http://example.org/a b", params={"q": "ü"}, json={"a": [1]}).prepare()
print(request.method, request.url, request.body, sorted(request.headers.items()))
print(hashlib.sha256(open(requests.certs.where(), "rb").read()).hexdigest())
try:
    requests.get("nonsense://x")
except requests.exceptions.InvalidSchema as error:
    print(error)
""",
    "pygments": """
import pygments.lexers, pygments.formatters, pygments.styles
lexer = pygments.lexers.get_lexer_by_name("sql")
print(pygments.highlight("SELECT 1 -- x", lexer, pygments.formatters.HtmlFormatter(full=True)))
print(len(list(pygments.lexers.get_all_lexers())), sorted(pygments.styles.get_all_styles())[:3])
""",
}


def site_packages() -> Path:
    """Return the folder that the installed test requirements are in."""
    return Path(str(importlib.metadata.distribution("sympy").locate_file("")))


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The whole of site-packages as a bundle and as a directory."""
    folder = tmp_path_factory.mktemp("real")
    source = folder / "directory"
    # bundleimp's own files stay out: the process has them already, and with them a hook.
    # And so do the linters, which no test needs.
    ours, linters = ("*.pth", "*.start", "bundleimp*", "_bundleimp*", "__editable__*"), ("*mypy*", "ruff*")
    ignore = shutil.ignore_patterns(*ours, *linters)
    shutil.copytree(site_packages(), source, ignore=ignore)
    bundle = folder / "all.pybundle"
    report = bundleimp.pack([source], bundle)
    assert report.layout == "nested"
    assert report.modules > 3000
    return {"directory": source, "bundle": bundle}


@pytest.fixture(scope="module", name="clean_python")
def _clean_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has bundleimp and nothing else installed."""
    folder = tmp_path_factory.mktemp("clean")
    run_python("-m", "venv", "--without-pip", str(folder))
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run_python("-c", where, executable=str(python)).stdout.strip())
    home = Path(bundleimp.__file__).parent
    shutil.copytree(home, site / "bundleimp", ignore=shutil.ignore_patterns("__pycache__"))
    make_tree(site, {"bundleimp.pth": "import bundleimp; bundleimp._start()\n"})
    return str(python)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_package_does_the_same_from_the_bundle(
    name: str, places: dict[str, Path], clean_python: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAMS[name], "utf-8")
    cache = str(tmp_path / "cache")
    outputs = {
        place: run_python(
            str(program), path=[path], executable=clean_python, BUNDLEIMP_CACHE_DIR=cache, PYTHONHASHSEED="0"
        ).stdout
        for place, path in places.items()
    }
    assert outputs["bundle"]
    assert outputs["bundle"] == outputs["directory"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_of_it_comes_from_the_bundle(name: str, places: dict[str, Path], clean_python: str, tmp_path: Path) -> None:
    script = f"""
import sys, {name}
files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
print(sorted({{file for file in files if "site-packages" in file and "bundleimp" not in file}}))
print({name}.__file__.startswith(({str(places["bundle"])!r}, {str(tmp_path / "sites")!r})))
"""
    result = run_python(
        "-c", script, path=[places["bundle"]], executable=clean_python, BUNDLEIMP_CACHE_DIR=str(tmp_path)
    )
    assert result.stdout.splitlines() == ["[]", "True"]


def test_the_bundle_is_sound(places: dict[str, Path]) -> None:
    assert bundleimp.open_bundle(places["bundle"]).verify() == []


def test_no_file_is_lost_between_tree_and_bundle(places: dict[str, Path]) -> None:
    source = places["directory"]
    packed = {member.name: member.size for member in bundleimp.open_bundle(places["bundle"]).members}
    there = {
        path.relative_to(source).as_posix(): path.stat().st_size
        for path in source.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert packed == there


def test_every_module_that_can_be_found_is_found_alike(places: dict[str, Path], clean_python: str) -> None:
    script = """
import pkgutil, sys
root = sys.argv[1]
found = sorted((info.name, info.ispkg) for info in pkgutil.iter_modules([root]))
import sympy, networkx
for package in (sympy, networkx):
    below = pkgutil.walk_packages(package.__path__, package.__name__ + ".", onerror=lambda name: None)
    found += sorted((info.name, info.ispkg) for info in below)
print(found)
"""
    outputs = {
        run_python("-W", "ignore", "-c", script, str(path), path=[path], executable=clean_python).stdout
        for path in places.values()
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000


def test_every_distribution_says_the_same_of_itself(places: dict[str, Path], clean_python: str) -> None:
    script = """
import importlib.metadata as m, os, sys
root = sys.argv[1]
found = sorted(m.distributions(path=[root]), key=lambda each: each.name.lower())
for each in found:
    files = [file for file in each.files or () if file.locate().is_file() and not file.name.startswith(".git")]
    files = [file for file in files if file.suffix != ".pyc"]  # what other programs have left in the directory
    print(each.name, each.version, each.requires, list(each.entry_points), each.metadata.items())
    print(len(files), sum(len(file.read_binary()) for file in files if file.suffix == ".py"))
    assert m.version(each.name) == each.version
groups = m.entry_points().groups
packages = {name: sorted(set(of)) for name, of in m.packages_distributions().items() if name != "__pycache__"}
print(sorted(groups), sorted(packages.items()))
"""
    outputs = {
        run_python("-W", "ignore", "-c", script, str(path), path=[path], executable=clean_python).stdout
        for path in places.values()
    }
    assert len(outputs) == 1
    assert outputs.pop().count("\n") > 40
