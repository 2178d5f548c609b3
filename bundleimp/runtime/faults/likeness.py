"""What a user may have meant, for errors about an unknown name."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def near(name: str, known: "Iterable[str]", form: str = "; did you mean {}?") -> str:
    """Return a question that names the most similar of the *known* names, or "" if none is similar."""
    import difflib  # noqa: PLC0415 (for an error only)

    matches = difflib.get_close_matches(name, sorted(known), n=1)
    return form.format(matches[0]) if matches else ""
