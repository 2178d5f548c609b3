"""What pytest has to know before it loads the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.register_assert_rewrite("tests.builders", "tests.places")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests a cache of their own: nothing is left in the user's, and nothing is found there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUNDLEIMP_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield
