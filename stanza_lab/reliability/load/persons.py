"""Who did something: what a record says of a person, and short stable words for people, never a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stanza_lab.loaders.redaction import Redaction, Redactor

_DONE = re.compile(r"person-([0-9a-f]{10})(?:@redacted\.invalid)?")
_MACHINES = frozenset(("", "system", "alert api", "api", "auto", "automatic", "unknown", "none", "null"))
_DIGITS = 6


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


def told(reference: Any) -> tuple[str | None, str | None]:
    """Return the id and the name by which a record refers to a person; nulls for a machine or nobody."""
    if isinstance(reference, str):
        return (None, reference) if reference.strip().lower() not in _MACHINES else (None, None)
    if not isinstance(reference, dict):
        return None, None
    kind = reference.get("type")
    if isinstance(kind, str) and "user" not in kind.lower():
        return None, None
    own = _text(reference, "id", "pk")
    name = _text(reference, "summary", "name", "username", "email")
    return (own, name) if (own or name or "").strip().lower() not in _MACHINES else (None, None)


def pseudonyms(own: pd.Series, names: pd.Series) -> pd.Series:
    """Return a pseudonym for each person, null where neither id nor name is known.

    Who is told by a name alone is the person whose id stands beside this name elsewhere, if there is one only.
    """
    both = pd.DataFrame({"id": own, "name": names}).dropna().drop_duplicates()
    single = both[~both["name"].duplicated(keep=False)].set_index("name")["id"]
    found = own.fillna(names.map(single.to_dict()).astype("str")).fillna(names)
    redactor = Redactor(Redaction())
    digests = {value: _digest(str(value), redactor) for value in found.dropna().unique()}
    length = _DIGITS
    while len({digest[:length] for digest in digests.values()}) < len(set(digests.values())):
        length += 1
    words = {value: f"person {digest[:length]}" for value, digest in digests.items()}
    return found.map(words).astype("str")


def _digest(value: str, redactor: Redactor) -> str:
    """Return the digits that redaction gives a person, whether or not it was at work already."""
    done = _DONE.fullmatch(value.strip())
    if not done:
        done = _DONE.search(str(redactor.record({"user": value})["user"]))
    return done[1] if done else value


def _text(reference: dict[str, Any], *keys: str) -> str | None:
    return next((value for key in keys if isinstance(value := reference.get(key), str) and value.strip()), None)
