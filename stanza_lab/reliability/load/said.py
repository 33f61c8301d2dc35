"""One thing that a record of a pager says about people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said: its kind, the person as the record refers to one, what was written.

    Attributes
    ----------
    kind : str
        One of `engagements.KINDS`.
    person : Any
        The reference as the record has it; a machine or null where nobody is told.
    text : str or None
        Note or message; untrusted.
    at : Any
        Its own time as written; null: that of the record.
    automatic : bool or None
        Whether a machine did it; null where the record does not say.
    """

    kind: str
    person: Any = None
    text: str | None = None
    at: Any = None
    automatic: bool | None = None
