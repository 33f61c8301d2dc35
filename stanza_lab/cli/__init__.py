"""The command line: the verbs of the package, for people who live in a shell."""

from stanza_lab.cli import grouping, keeping, naming, tuning  # noqa: F401  (their verbs come first)
from stanza_lab.cli.app import main

__all__ = ["main"]
