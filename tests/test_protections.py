"""The list of protections is about the code and the tests as they are; `protections` tries whether it is true."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from .protections import PAGE, TESTS, Protection, load, page

PROTECTIONS = load()


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("protection", PROTECTIONS.entries, ids=lambda protection: protection.promise)
def test_a_protection_can_be_taken_out_and_has_tests(protection: Protection) -> None:
    assert protection.source.count(protection.remove) == 1
    compile(protection.changed, protection.file, "exec")
    assert protection.tests != ()
    for test in protection.tests:
        file, _, name = test.partition("[")[0].partition("::")
        assert name in names_in(file), test


def test_every_case_has_protections_and_every_protection_its_case() -> None:
    assert {one.row for one in PROTECTIONS.entries} == set(PROTECTIONS.rows)


def test_each_promise_is_listed_once() -> None:
    promises = [one.promise for one in PROTECTIONS.entries]
    assert sorted(set(promises)) == sorted(promises)


def test_the_documentation_has_the_list() -> None:
    assert PAGE.read_text("utf-8") == page()
