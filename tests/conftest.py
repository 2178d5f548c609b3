"""What pytest has to know before it loads the tests."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .brief import BRIEF, KINDS, ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytest.register_assert_rewrite("tests.builders", "tests.places")

collect_ignore = [f"test_{name}.py" for name in ONCE] if BRIEF else []


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests a cache of their own: nothing is left in the user's, and nothing is found there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUNDLEIMP_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(name="unwritable")
def _unwritable(tmp_path: Path) -> str:
    """A cache folder that nobody can make, root neither."""
    (tmp_path / "file").write_text("in the way")
    return str(tmp_path / "file" / "cache")


OWN_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
STAND_INS = KINDS | dict.fromkeys({"3.11", "3.12", "3.13"} - {OWN_VERSION}, OWN_VERSION)
"""What is left out of a brief run, and what of the same test is not: see `brief`."""


def _same_test(item: pytest.Item, stand_ins: Mapping[str, str]) -> tuple[Any, ...]:
    """Return what an item is: its test, and its parameters, with others in the place of some."""
    parameters = item.callspec.params.items() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    test = item.nodeid.partition("[")[0]
    return (test, *sorted((name, stand_ins.get(str(value), repr(value).strip("'"))) for name, value in parameters))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a brief run, leave out each item of which another differs by what its Python does not see."""
    if BRIEF:
        own = {item: _same_test(item, {}) for item in items}
        known = set(own.values())
        others = {item for item in items if own[item] != (other := _same_test(item, STAND_INS)) and other in known}
        config.hook.pytest_deselected(items=list(others))
        items[:] = [item for item in items if item not in others]


@pytest.fixture(name="damages", scope="session")
def _damages() -> int:
    """How many damages of each kind are tried; ``BUNDLEIMP_TEST_DAMAGES`` says another number."""
    return int(os.environ.get("BUNDLEIMP_TEST_DAMAGES", "40"))
