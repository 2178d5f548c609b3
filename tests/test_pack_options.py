"""The options of `pack`: one record for the function and the command, and the checks of values and combinations."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

import pytest

import bundleimp
from bundleimp import cli
from bundleimp.packing.errors import PackError
from bundleimp.packing.options import PackOptions, check_options
from bundleimp.packing.progress import Step


def options_of_pack(monkeypatch: pytest.MonkeyPatch, **given: Any) -> PackOptions:
    """Return the record that `pack` makes of one source, an output and what is *given*."""
    made: list[PackOptions] = []
    monkeypatch.setattr("bundleimp.packing.pack.build", made.append)
    bundleimp.pack(["src"], "out.pybundle", **given)
    return made[0]


def options_of_command(monkeypatch: pytest.MonkeyPatch, *words: str) -> PackOptions:
    """Return the record that the command makes of one source, an output and *words*."""
    made: list[PackOptions] = []

    def build(options: PackOptions) -> bundleimp.PackReport:
        made.append(options)
        return bundleimp.PackReport(str(options.output))

    monkeypatch.setattr("bundleimp.cli.pack_command.build", build)
    assert cli.main(["pack", "--quiet", "src", "out.pybundle", *words]) == 0
    return made[0]


def as_dict(options: PackOptions) -> dict[str, Any]:
    fields = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def test_the_record_has_the_arguments_of_pack() -> None:
    assert [field.name for field in dataclasses.fields(PackOptions)] == [*inspect.signature(bundleimp.pack).parameters]


def test_pack_passes_each_argument_on_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: object() for name in list(inspect.signature(bundleimp.pack).parameters)[2:]}
    calls: list[tuple[int, int, str]] = []
    options = options_of_pack(monkeypatch, **given | {"progress": lambda *step: calls.append(step)})
    assert options.progress is not None
    for phase in ("compiling", "writing"):
        options.progress(Step(phase, 1, 2, "name"))
    assert calls == [(1, 2, "name")]
    del given["progress"]
    assert {name: getattr(options, name) for name in given} == given


def test_the_command_has_the_defaults_of_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    assert as_dict(options_of_command(monkeypatch)) == as_dict(options_of_pack(monkeypatch))


WORDS: list[tuple[list[str], dict[str, Any]]] = [
    (["-r", "one", "--requirement", "two"], {"requirement_files": ("one", "two")}),
    (["--with", "rich"], {"requirements": ("rich",)}),
    (["--from-venv", "env"], {"from_venv": "env"}),
    (["--python", "a", "--python", "b"], {"python": ("a", "b")}),
    (["--no-bytecode", "--no-source", "--optimize", "2"], {"bytecode": False, "source": False, "optimize": 2}),
    (["--compress", "none", "--layout", "flat"], {"compress": "none", "layout": "flat"}),
    (
        ["--exclude", "x", "--unpack", "y", "--no-unpack", "z"],
        {"exclude": ("x",), "unpack": ("y",), "no_unpack": ("z",)},
    ),
    (["--include", "x", "--include", "y"], {"include": ("x", "y")}),
    (["--on-conflict", "last"], {"on_conflict": "last"}),
    (
        ["-e", "app", "--shebang", "python", "--standalone"],
        {"entry_point": "app", "shebang": "python", "standalone": True},
    ),
    (["--profile=-m app", "--jobs", "3"], {"profile": "-m app", "jobs": 3}),
    (["--compress-bytecode", "deflate"], {"compress_bytecode": "deflate"}),
    (["--profile=-m app", "--profile-only"], {"profile": "-m app", "profile_only": True}),
    (["--installer", "pip"], {"installer": "pip"}),
    (["--", "--index-url", "url"], {"installer_options": ("--index-url", "url")}),
]


@pytest.mark.parametrize(("words", "changed"), WORDS)
def test_the_command_gives_what_its_words_say(
    monkeypatch: pytest.MonkeyPatch, words: list[str], changed: dict[str, Any]
) -> None:
    assert as_dict(options_of_command(monkeypatch, *words)) == as_dict(options_of_command(monkeypatch)) | changed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"layout": "round"}, "layout must be one of auto, flat, nested, not 'round'"),
        ({"compress": "bzip2"}, "compress must be one of none, deflate, zstd, not 'bzip2'"),
        ({"compress_bytecode": "lzma"}, "compress_bytecode must be one of none, deflate, zstd, not 'lzma'"),
        ({"on_conflict": "both"}, "on_conflict must be one of first, last, error, not 'both'"),
        ({"optimize": 3}, "optimize must be one of 0, 1, 2, not 3"),
        ({"sources": "src"}, "sources must be a sequence of strings, not one string; give ['src']"),
        ({"include": "*.pem"}, "include must be a sequence of strings, not one string; give ['*.pem']"),
        ({"requirements": "rich"}, "requirements must be a sequence of strings, not one string; give ['rich']"),
        ({"requirements": ["--pre"]}, "'--pre' is not a requirement"),
        ({"requirements": [" "]}, "' ' is not a requirement"),
        ({"installer": "conda"}, "installer must be one of uv, pip, not 'conda'"),
        ({"extras": ["web"]}, "extras and dependency groups are those of a project: name its folder (--project DIR)"),
        ({"groups": "web"}, "groups must be a sequence of strings, not one string; give ['web']"),
        ({"jobs": 0}, "jobs must be at least 1, not 0"),
        ({"sources": []}, "there is nothing to pack"),
        ({"source": False, "bytecode": False}, "--no-source needs bytecode for one Python"),
        ({"source": False, "python": ["a", "b"]}, "--no-source needs bytecode for one Python"),
        ({"profile": "-m app", "bytecode": False}, "--profile needs source and bytecode"),
        ({"profile": "-m app", "source": False}, "--profile needs source and bytecode"),
        ({"profile_only": True}, "--profile-only needs a profile: give --profile"),
        ({"compress_bytecode": "deflate", "bytecode": False}, "--compress-bytecode needs embedded bytecode"),
    ],
)
def test_values_that_mean_nothing_are_an_error(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], message: str
) -> None:
    options = options_of_pack(monkeypatch)
    check_options(options)
    with pytest.raises(PackError, match=re.escape(message)):
        check_options(dataclasses.replace(options, **given))
