"""Errors and warnings, each catchable by name.

Every message says what was wrong with its value, what was there, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StanzaError(Exception):
    """Base of every error this package raises on purpose."""


class SchemaError(StanzaError, ValueError):
    """Report a table that does not have the columns or values that are needed."""


class ParameterError(StanzaError, ValueError):
    """Report a parameter outside its range."""


class LoadError(StanzaError, ValueError):
    """Report input of which nothing could be used."""


class HistoryError(StanzaError, RuntimeError):
    """Report a history directory that cannot be read or written."""


class BundleError(StanzaError, ValueError):
    """Report a bundle that is incomplete, altered or of an unknown version."""


class UnknownNameError(StanzaError, KeyError):
    """Report a service, team or edge that is not there."""

    def __str__(self) -> str:
        """Return the message itself (``KeyError`` would show its repr)."""
        return str(self.args[0]) if self.args else ""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
        """Build the message for `name` that is not among the `known` names of one `kind`."""
        names = sorted(set(known))
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        if close:
            hint = f"did you mean {' or '.join(map(repr, close))}?"
        elif names:
            shown = ", ".join(map(repr, names[:8])) + (", ..." if len(names) > 8 else "")
            hint = f"{len(names)} known: {shown}"
        else:
            hint = f"no {kind} is known here"
        return cls(f"{kind} {name!r} not found; {hint}")


class RefusedError(StanzaError, RuntimeError):
    """Report that something must not be done: a guardrail stands against it, or nobody approved."""


class MissingExtraError(StanzaError, ImportError):
    """Report an optional dependency that is not installed."""


class StanzaWarning(UserWarning):
    """Base of every warning this package gives."""
