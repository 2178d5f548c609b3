"""A module."""

print("fib: I am being loaded")


def fib(n: int) -> int:
    """Return the *n*-th Fibonacci number."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)
