"""Projects are built without files of earlier builds."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.packing import installer

from .builders import make_tree
from .platforms import needs_processes
from .test_pack_inputs import BACK_END, PROJECT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_processes
INSTALLERS = ["pip", *(["uv"] if installer.find_uv(sys.executable) is not None else [])]


@pytest.mark.parametrize("name", INSTALLERS)
@pytest.mark.parametrize("way", ["--with", "--project"])
def test_setuptools_packs_no_module_that_was_deleted(tmp_path: Path, name: str, way: str) -> None:
    pytest.importorskip("setuptools", reason="setuptools is not installed")
    pytest.importorskip("wheel", reason="wheel is not installed")
    project = make_tree(
        tmp_path / "proj",
        {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "setuptools.build_meta"\n'
            '[project]\nname = "app"\nversion = "1"\n[tool.setuptools]\npackages = ["app"]\n',
            "app/__init__.py": "",
            "build/lib/app/deleted.py": "",
        },
    )
    output = tmp_path / "out.pybundle"
    options = ["--no-index", "--no-build-isolation"]
    inputs = {"requirements": [str(project)]} if way == "--with" else {"project": project}
    bundleimp.pack([], output, installer=name, installer_options=options, **inputs)  # type: ignore[arg-type]
    names = [member.name for member in bundleimp.open_bundle(output).members]
    assert [member for member in names if member.startswith("app/")] == ["app/__init__.py"]
    assert os.listdir(project / "build") == ["lib"]


@pytest.mark.parametrize("own", ["", "mine.cfg"])
def test_a_user_may_say_where_setuptools_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str) -> None:
    asked = f"{BACK_END}open(os.environ['SAID'], 'w').write(os.environ['DIST_EXTRA_CONFIG'])\n"
    project = make_tree(tmp_path / "proj", {**PROJECT, "back_end.py": asked})
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    if own:
        monkeypatch.setenv("DIST_EXTRA_CONFIG", own)
    options = ["--no-index", "--no-deps"]
    bundleimp.pack(
        [], tmp_path / "out.pybundle", requirements=[str(project)], installer="pip", installer_options=options
    )
    said = (tmp_path / "said").read_text()
    assert said == own if own else os.path.isabs(said)
    assert not os.path.exists(said), "it is gone"


@pytest.mark.parametrize("name", INSTALLERS)
@pytest.mark.parametrize("way", ["requirements", "sources", "requirement_files"])
def test_projects_of_one_run_get_no_modules_of_each_other(tmp_path: Path, name: str, way: str) -> None:
    pytest.importorskip("setuptools", reason="setuptools is not installed")
    pytest.importorskip("wheel", reason="wheel is not installed")
    names = ["one", "two"]
    for project in names:
        make_tree(
            tmp_path / project,
            {
                "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "setuptools.build_meta"\n'
                f'[project]\nname = "{project}"\nversion = "1"\n[tool.setuptools]\npackages = ["{project}"]\n',
                f"{project}/__init__.py": "",
            },
        )
    folders = [str(tmp_path / project) for project in names]
    listed = tmp_path / "requirements.txt"
    listed.write_text("\n".join(folders))
    output = tmp_path / "out.pybundle"
    bundleimp.pack(
        folders if way == "sources" else [],
        output,
        requirements=folders if way == "requirements" else [],
        requirement_files=[listed] if way == "requirement_files" else [],
        installer=name,  # type: ignore[arg-type]
        installer_options=["--no-index", "--no-build-isolation"],
    )
    bundle = bundleimp.open_bundle(output)
    for project in names:
        record = bundle.read(f"{project}-1.dist-info/RECORD").decode()
        recorded = [line.partition(",")[0] for line in record.splitlines()]
        assert [path for path in recorded if path.endswith(".py")] == [f"{project}/__init__.py"]
        assert not (tmp_path / project / "build").exists(), "what was built there is gone"
