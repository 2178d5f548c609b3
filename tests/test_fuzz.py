"""The fuzz targets hold over their seeds, whole and damaged, without a fuzzer."""

from __future__ import annotations

import random

import pytest

from fuzz import targets

from .archives import flipped


@pytest.mark.parametrize("name", targets.TARGETS)
def test_a_fuzz_target_holds_over_its_seeds(name: str, damages: int) -> None:
    target = targets.TARGETS[name]
    seeds = target.seeds()
    assert seeds != []
    chance = random.Random(name)  # noqa: S311 (the same in each run)
    for seed in seeds:
        target.run(seed)
        for _ in range(damages):
            data = flipped(seed, chance.randrange(8 * len(seed)))
            target.run(data)
            target.run(data[: chance.randrange(len(data))])
    for size in (0, 1, 4, 22, 100):
        target.run(bytes(size))
