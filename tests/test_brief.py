"""Parameters that a shorter run leaves out are run by the next Pythons."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from .brief import shared_out


@pytest.mark.parametrize("share", [1, 2, 3, 6])
@pytest.mark.parametrize("count", range(1, 30))
def test_pythons_share_the_parameters_and_each_runs_every_test(count: int, share: int) -> None:
    items: list[Any] = [SimpleNamespace(nodeid=f"tests/test_x.py::{name}[{n}]") for name in "ab" for n in range(count)]
    shares = [shared_out(items, version, share) for version in range(12, 12 + share)]
    assert all({item.nodeid.partition("[")[0][-1] for item in share} == {"a", "b"} for share in shares)
    ran = sorted(item.nodeid for share in shares for item in share)
    assert set(ran) == {item.nodeid for item in items}
    assert count < share or len(ran) == len(items)
