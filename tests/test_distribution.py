"""The sdist and the wheel: what they contain, and that PyPI would take them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import bundleimp

from .builders import clean_environment

pytest.importorskip("build")
pytest.importorskip("twine")

ROOT = Path(__file__).parent.parent
NAME = f"bundleimp-{bundleimp.__version__}"
IN_THE_SDIST = [
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "PKG-INFO", "README.md", "bundleimp.pth", "pyproject.toml"),
    *("benchmarks", "bundleimp", "compatibility", "docs", "examples", "fixtures", "fuzz", "tests"),
]
NOT_SHIPPED = ("__pycache__", ".pyc", ".git", ".ci", "node_modules", ".venv")


def run(*arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", *arguments], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(name="dist", scope="module")
def _dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run("build", "--outdir", str(folder), str(ROOT))
    return folder


def names_in_wheel(dist: Path) -> list[str]:
    with zipfile.ZipFile(dist / f"{NAME}-py3-none-any.whl") as wheel:
        return wheel.namelist()


def names_in_sdist(dist: Path) -> list[str]:
    with tarfile.open(dist / f"{NAME}.tar.gz") as sdist:
        return [name.partition("/")[2] for name in sdist.getnames()]


def test_there_are_one_sdist_and_one_wheel(dist: Path) -> None:
    assert sorted(path.name for path in dist.iterdir()) == [f"{NAME}-py3-none-any.whl", f"{NAME}.tar.gz"]


def test_the_wheel_has_the_package_the_hook_and_metadata_only(dist: Path) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "bundleimp").rglob("*.py")}
    metadata = {f"{NAME}.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    charts = {path.relative_to(ROOT).as_posix() for path in (ROOT / "bundleimp/inspection/report/echarts").iterdir()}
    page = {f"bundleimp/inspection/report/page.{suffix}" for suffix in ("css", "html", "js")}
    texts = {"LICENSE", *(name for name in charts if not name.endswith(".js"))}
    licences = {f"{NAME}.dist-info/licenses/{name}" for name in texts}
    other = {"bundleimp.pth", "bundleimp/py.typed"}
    assert set(names_in_wheel(dist)) == modules | metadata | licences | charts | page | other


def test_the_sdist_has_what_the_tests_need_and_nothing_else(dist: Path) -> None:
    names = names_in_sdist(dist)
    assert sorted({name.partition("/")[0] for name in names} - {".gitignore"}) == sorted(IN_THE_SDIST)
    assert [name for name in names if any(part in name.removeprefix(".gitignore") for part in NOT_SHIPPED)] == []


@pytest.mark.parametrize("folder", ["bundleimp", "tests", "docs", "fixtures"])
def test_the_sdist_has_all_that_git_has(dist: Path, folder: str) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", folder],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\0")
    assert set(filter(None, listed)) <= set(names_in_sdist(dist))


def test_pypi_would_show_the_readme(dist: Path) -> None:
    assert "PASSED" in run("twine", "check", "--strict", *map(str, dist.iterdir()))


def test_the_version_is_the_same_everywhere(dist: Path) -> None:
    with zipfile.ZipFile(dist / f"{NAME}-py3-none-any.whl") as wheel:
        metadata = wheel.read(f"{NAME}.dist-info/METADATA").decode()
    assert f"\nVersion: {bundleimp.__version__}\n" in metadata
    assert f"## [{bundleimp.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
