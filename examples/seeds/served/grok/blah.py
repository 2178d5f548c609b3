"""A submodule."""

WORD = "blah"
