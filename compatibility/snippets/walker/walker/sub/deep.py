"""Run by its path."""

NAME = "deep"
