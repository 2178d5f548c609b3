"""What property tests draw from: member names, trees, contents, and the settings they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from .brief import sparse

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def examples(count: int) -> settings:
    """Return settings for *count* examples, or fewer (`sparse`), which depend neither on time nor on earlier runs."""
    return settings(
        max_examples=max(count // sparse(), 5),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


# Letters that meet in real names, letters of two, three and four bytes, and those that other formats trip over.
_LETTERS = st.sampled_from('abcxyzABC019_-.+ äßé日本語𝒳,"\r\n\t%*?')
_ANY_LETTER = st.characters(exclude_characters="/\\\0:", exclude_categories=["Cs"])

parts: SearchStrategy[str] = st.text(st.one_of(_LETTERS, _ANY_LETTER), min_size=1, max_size=12).filter(
    lambda part: part not in {".", "..", "BUNDLE-INFO"}
)
"""One part of a member's name that every tool takes as it is, and that is not the name of what bundles hold beside."""

names: SearchStrategy[str] = st.lists(parts, min_size=1, max_size=4).map("/".join)
"""A member's name, up to four levels deep."""

contents: SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200), st.builds(lambda unit, times: unit * times, st.binary(max_size=20), st.integers(0, 400))
)
"""A member's content, sometimes one that deflates well."""
