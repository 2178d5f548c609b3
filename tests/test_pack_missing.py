"""`pack` warns of what a program needs and lacks, of secrets that a build took, and of targets without an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bundleimp

from .builders import make_tree
from .test_pack_inputs import BACK_END, PROJECT

if TYPE_CHECKING:
    from pathlib import Path

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: 1\n"
# A back end that takes all files of the package, as most do.
TAKES_ALL = BACK_END.replace(
    '        names = ["proj/__init__.py", ',
    '        for each in (".env", "tls.key"):\n            wheel.write("proj/" + each)\n'
    '        names = ["proj/.env", "proj/tls.key", "proj/__init__.py", ',
)
KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n"


def warnings_of(source: Path, output: Path, **options: object) -> list[tuple[str, str]]:
    report = bundleimp.pack([source], output, **options)  # type: ignore[arg-type]
    return [(warning.member, warning.message) for warning in report.warnings]


def test_a_program_without_its_dependencies_is_a_warning(tmp_path: Path) -> None:
    needs = "Requires-Dist: There_Is\nRequires-Dist: rich (>=13)\nRequires-Dist: odd; sys_platform == 'odd'\n"
    tree = {
        "app.py": "def main(): pass\n",
        "app-1.dist-info/METADATA": METADATA.format("app") + needs,
        "there_is-1.dist-info/METADATA": METADATA.format("there.is"),
    }
    source = make_tree(tmp_path / "source", tree)
    assert warnings_of(source, tmp_path / "library.pybundle") == []
    (warning,) = warnings_of(source, tmp_path / "app", entry_point="app:main")
    assert warning == ("app", "needs rich (>=13), which the bundle lacks; pack dependencies with --with or -r")


def test_a_program_without_what_some_pythons_need_is_a_warning(tmp_path: Path) -> None:
    needs = "Requires-Dist: back ; python_version < '3.12'\nRequires-Dist: more; python_version<'3.11'\n"
    tree = {"app.py": "def main(): pass\n", "app-1.dist-info/METADATA": METADATA.format("app") + needs}
    source = make_tree(tmp_path / "source", tree)
    (warning,) = warnings_of(source, tmp_path / "app", entry_point="app:main")
    assert warning[1].startswith("needs back ; python_version < '3.12', which the bundle lacks; if it is for such")


def test_a_script_that_cannot_be_started_is_a_warning(tmp_path: Path) -> None:
    scripts = "[console_scripts]\ngood = app:main\ngone = nothere:main\nodd = app:nope\n"
    tree = {
        "app.py": "def main(): pass\n",
        "app-1.dist-info/METADATA": METADATA.format("app"),
        "app-1.dist-info/entry_points.txt": scripts,
    }
    source = make_tree(tmp_path / "source", tree)
    assert warnings_of(source, tmp_path / "tools", entry_point="*") == [
        ("script gone", "cannot be started: nothere:main: no module nothere is packed"),
        ("script odd", "cannot be started: app:nope: app.py defines no name nope"),
    ]


def test_a_secret_that_the_build_of_a_project_took_is_a_warning(tmp_path: Path) -> None:
    files = {"proj/.env": "TOKEN=1\n", "proj/tls.key": KEY, "back_end.py": TAKES_ALL}
    project = make_tree(tmp_path / "project", PROJECT | files)
    found = dict(warnings_of(project, tmp_path / "out.pybundle"))
    message = "looks like a secret, and the build of the project took it; leave it out with --exclude"
    assert found == {"proj/.env": message, "proj/tls.key": message}
    assert "proj/.env" not in dict(warnings_of(project, tmp_path / "out.pybundle", exclude=[".env"]))
    assert "proj/.env" not in dict(warnings_of(project, tmp_path / "out.pybundle", include=[".env"]))


def test_a_target_without_an_effect_is_a_warning(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source", {"app.py": ""})
    (warning,) = warnings_of(source, tmp_path / "out.pybundle", target=["cp313-macosx_11_0_arm64"])
    assert warning == ("--target", "has no effect: nothing is installed, and files of sources are for all Pythons")
