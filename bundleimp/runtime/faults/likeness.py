"""Suggestions for misspelled names, for error messages."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def near(name: str, known: "Iterable[str]", form: str = "; did you mean {}?") -> str:
    """Return a question that names the most similar of the *known* names, or "" if none is similar.

    Arguments:
        name: the name that is unknown.
        known: the names that it may be.
        form: the question, with ``{}`` for the similar name.

    """
    import difflib  # noqa: PLC0415 (for an error only)

    matches = difflib.get_close_matches(name, sorted(known), n=1)
    return form.format(matches[0]) if matches else ""
