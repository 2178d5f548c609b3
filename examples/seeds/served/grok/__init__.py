"""A package."""

from .blah import WORD

print(f"grok: I have {WORD} from a submodule")
