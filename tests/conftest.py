"""What pytest has to know before it loads the tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

pytest.register_assert_rewrite("tests.builders", "tests.places", "tests.placing")

from bundleimp.runtime import bundles  # noqa: E402

from .brief import LEFT_OUT, SPARSE, shared_out  # noqa: E402
from .builders import make_bundle  # noqa: E402 (after its rewriting is asked for)
from .placing import TREE, recorded  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

collect_ignore = [f"test_{name}.py" for name in LEFT_OUT]


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests a cache of their own: nothing is left in the user's, and nothing is found there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUNDLEIMP_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("PIP_COMPILE", raising=False)  # `.ci/run` sets it
        yield


@pytest.fixture(autouse=True)
def _bundles_in_use() -> Iterator[None]:
    """Leave no bundle to the next test, whose `importlib.invalidate_caches()` would warn of a broken one."""
    yield
    bundles.in_use.clear()


@pytest.fixture(name="unwritable")
def _unwritable(tmp_path: Path) -> str:
    """A cache folder that nobody can make, root neither."""
    (tmp_path / "file").write_text("in the way")
    return str(tmp_path / "file" / "cache")


@pytest.fixture(name="cache")
def _cache_folder(tmp_path: Path) -> Path:
    """A cache folder that is not there yet."""
    return tmp_path / "cache"


@pytest.fixture(name="bundle")
def _bundle(tmp_path: Path) -> Path:
    """A bundle with units that need real files."""
    return make_bundle(tmp_path / "out.pybundle", recorded(TREE))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a shorter run, leave out what other Pythons run."""
    if SPARSE:
        kept = set(shared_out(items))
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]


@pytest.fixture(name="damages", scope="session")
def _damages() -> int:
    """How many damages of each kind are tried; ``BUNDLEIMP_TEST_DAMAGES`` says another number."""
    return int(os.environ.get("BUNDLEIMP_TEST_DAMAGES", "40"))
