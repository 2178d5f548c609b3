"""Fuzz targets for everything that parses bytes of a bundle; `targets` has them, ``python -m fuzz`` runs one.

One command runs a target, here for five minutes (``pip install -e ".[fuzz]"`` before, on Linux)::

    python -m fuzz verify -max_total_time=300

What is behind the target's name is for libFuzzer (``-help=1`` lists all).  An input that a target fails on is written
to a file, and ``python -m fuzz verify FILE`` runs it again.  ``tests/test_fuzz.py`` runs every target over its seeds.
"""
