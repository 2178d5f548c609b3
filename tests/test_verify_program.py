"""``verify`` on programs: the first line, ``__main__.py`` and the embedded runtime."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing import executable
from bundleimp.runtime.interpreter import embedded

from .archives import flipped
from .builders import make_bundle

if TYPE_CHECKING:
    from pathlib import Path

TREE = {"app.py": "def main():\n    pass\n"}


def program(folder: Path, **options: Any) -> Path:
    return make_bundle(folder / "app.pybundle", TREE, **{"entry_point": "app:main", "standalone": True} | options)


def findings(path: Path) -> list[str]:
    return [str(finding) for finding in bundleimp.open_bundle(path).verify()]


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("standalone", [False, True])
def test_a_sound_program_has_no_findings(tmp_path: Path, layout: str, standalone: bool) -> None:
    bundle = program(tmp_path, layout=layout, standalone=standalone)
    assert findings(bundle) == []
    record = bundleimp.open_bundle(bundle).read("BUNDLE-INFO/RECORD").decode()
    names = ["__main__.py", "__children__/sitecustomize.py", "app.py"]
    assert [line.partition(",")[0] for line in record.splitlines()] == names


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_every_flipped_bit_of_the_first_line_is_found(tmp_path: Path, layout: str) -> None:
    bundle = program(tmp_path, layout=layout, standalone=False)
    data = bundle.read_bytes()
    for bit in range(8 * data.index(b"PK")):
        bundle.write_bytes(flipped(data, bit))
        assert findings(bundle) == [
            "what stands before the archive is not the first line that the manifest tells of (at offset 0)"
        ]


def test_a_damaged_main_module_is_found(tmp_path: Path) -> None:
    bundle = program(tmp_path, layout="nested")
    data = bundle.read_bytes()
    bundle.write_bytes(flipped(data, 8 * (data.index(b"__main__.py") + 100)))
    assert [text for text in findings(bundle) if text.startswith("__main__.py: ")] != []


def altered(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let what is embedded as the runtime differ from what should be; None leaves a member out."""
    original = executable.runtime_members

    def runtime_members(*arguments: Any) -> dict[str, bytes]:
        members = original(*arguments)
        for name, change in changes.items():
            full = f"BUNDLE-INFO/runtime.{name if name == 'source' else sys.implementation.cache_tag}"
            content = members.pop(full)
            if change is not None:
                members[full] = change(content)
        return members

    monkeypatch.setattr(executable, "runtime_members", runtime_members)


def without_hook(data: bytes) -> bytes:
    return embedded.encode({name: content for name, content in embedded.decode(data).items() if name != "hook.py"})


def with_other_hook(data: bytes) -> bytes:
    return embedded.encode(embedded.decode(data) | {"hook.py": b"print('other')\n"})


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"source": None}, "runtime.source: the program is standalone, and this member is missing"),
        ({"source": lambda data: data[:-1]}, "runtime.source: does not match its checksum"),
        ({"code": lambda data: b"\0" * 8 + data[8:]}, "runtime.{tag}: does not match its checksum"),
        ({"code": without_hook}, "runtime.{tag}: does not hold the modules of BUNDLE-INFO/runtime.source"),
        ({"source": with_other_hook}, "runtime.{tag}: the bytecode of hook.py was made from another source"),
        ({"code": with_other_hook}, "runtime.{tag}: the bytecode of hook.py was made from another source"),
    ],
)
def test_a_runtime_that_is_not_what_it_should_be_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], finding: str
) -> None:
    altered(monkeypatch, **changes)
    expected = "BUNDLE-INFO/" + finding.format(tag=sys.implementation.cache_tag)
    assert findings(program(tmp_path)) == [expected]


def test_a_program_without_its_main_module_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dumps = json.dumps
    monkeypatch.setattr(json, "dumps", lambda value, **options: dumps(value | {"entry_point": "app:main"}, **options))
    bundle = make_bundle(tmp_path / "app.pybundle", TREE)
    assert findings(bundle) == ["__main__.py: the manifest names an entry point, and this member is missing"]
