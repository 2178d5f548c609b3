"""A plug-in for coverage.py, which reads source from files only: with it, reports show bundled modules too.

It is switched on in coverage's configuration: ``plugins = ["bundleimp.coverage"]`` under ``[tool.coverage.run]``.
Programs in a bundle are measured with ``coverage run -m bundleimp run out.pybundle -m MODULE``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from coverage import CoveragePlugin, FileTracer
from coverage.parser import PythonParser
from coverage.python import PythonFileReporter

from .runtime.content.files import open_source

if TYPE_CHECKING:
    from coverage.plugin_support import Plugins
    from coverage.types import TConfigurable


class _Tracer(FileTracer):
    def __init__(self, filename: str) -> None:
        self._filename = filename

    def source_filename(self) -> str:
        return self._filename


class _Reporter(PythonFileReporter):
    """Coverage's own reporter of Python files, with the source from the bundle."""

    def __init__(self, filename: str, exclude: list[str], partial: list[str]) -> None:
        super().__init__(filename)
        self._exclude = exclude
        self._partial = partial

    def source(self) -> str:
        return open_source(self.filename) or ""

    @property
    def parser(self) -> PythonParser:
        if self._parser is None:
            self._parser = PythonParser(text=self.source(), filename=self.filename, exclude=_joined(self._exclude))
            self._parser.parse_source()
        return self._parser

    def no_branch_lines(self) -> set[int]:
        return self.parser.lines_matching(_joined(self._partial))


def _joined(patterns: list[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


class _Plugin(CoveragePlugin):
    def __init__(self) -> None:
        self._exclude: list[str] = []
        self._partial: list[str] = []

    def configure(self, config: TConfigurable) -> None:
        # On 3.14 and later coverage's usual core is `sysmon`, which runs no plug-ins.
        if sys.version_info >= (3, 14) and config.get_option("run:core") is None:
            config.set_option("run:core", "ctrace")
        self._exclude = _strings(config.get_option("report:exclude_lines"))
        self._partial = _strings(config.get_option("report:partial_branches")) + _strings(
            config.get_option("report:partial_branches_always")
        )

    def file_tracer(self, filename: str) -> FileTracer | None:
        return _Tracer(filename) if open_source(filename) is not None else None

    def file_reporter(self, filename: str) -> PythonFileReporter:
        return _Reporter(os.fspath(filename), self._exclude, self._partial)


def _strings(value: Any) -> list[str]:
    return list(value or ())


def coverage_init(plugins: Plugins, options: dict[str, str]) -> None:  # noqa: ARG001 (coverage's protocol)
    """Register the plug-in; coverage calls this."""
    plugin = _Plugin()
    plugins.add_configurer(plugin)
    plugins.add_file_tracer(plugin)
