"""Another module."""

print("spam: I am being loaded")


def hello(name: str) -> None:
    """Greet."""
    print(f"spam: hello {name}")
