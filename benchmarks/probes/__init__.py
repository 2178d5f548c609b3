"""Scripts that the measured interpreters run: each does one thing between two looks at the clock, and prints JSON."""
