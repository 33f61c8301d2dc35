"""Incidents as sequences: which kinds of alert each had, and when each of them first fired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.patterns.kinds import alert_kinds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_US = 1_000_000


@dataclass(frozen=True)
class Sequences:
    """What happened in each incident, and how often everything fires.

    Attributes
    ----------
    incidents : array of int64
        Their numbers, rising.
    kinds : DataFrame
        kind, service, what: one row per kind, sorted by kind.
    incident, kind, first_at : arrays
        One element per incident and kind in it, in the order of incident, then time: row of `incidents`, row of
        `kinds`, second at which it first fired there.
    fired_kind, fired_at : arrays
        Every alert with a time, also those on their own, in the order of kind, then time.
    alone : array of int64
        Alerts on their own per kind.
    """

    incidents: Ints
    kinds: pd.DataFrame
    incident: Ints
    kind: Ints
    first_at: Floats
    fired_kind: Ints
    fired_at: Floats
    alone: Ints

    @classmethod
    def of(cls, alerts: pd.DataFrame, *, by: str) -> Sequences:
        """Return the sequences of alerts that carry `incident_id`; alerts without a time are left out."""
        timed = alerts[alerts["starts_at"].notna()]
        found = alert_kinds(timed, by=by)
        codes = found["kind"].cat.remove_unused_categories()
        names = pd.Index(codes.cat.categories.astype("str"))
        code = codes.cat.codes.to_numpy(np.int64)
        order = np.argsort(names.to_numpy(object), kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        code = np.asarray(rank[code], dtype=np.int64)
        first = np.unique(code, return_index=True)[1]
        kinds = pd.DataFrame({"kind": names[order].astype("str"), **{n: found[n].to_numpy()[first] for n in _ABOUT}})
        at = timed["starts_at"].astype(schema.TIME_DTYPE).astype("int64").to_numpy() / _US
        number = timed["incident_id"].to_numpy(np.int64)
        inside = number != schema.NOISE
        incidents, incident = np.unique(number[inside], return_inverse=True)
        rows = _first(incident.astype(np.int64), code[inside], at[inside])
        by_kind = np.lexsort((at, code))
        return cls(
            incidents=incidents,
            kinds=kinds,
            incident=rows[0],
            kind=rows[1],
            first_at=rows[2],
            fired_kind=np.asarray(code[by_kind], dtype=np.int64),
            fired_at=at[by_kind],
            alone=np.bincount(code[~inside], minlength=len(kinds)).astype(np.int64),
        )

    @property
    def n_incidents(self) -> int:
        """How many incidents there are."""
        return len(self.incidents)

    @property
    def n_kinds(self) -> int:
        """How many kinds of alert there are."""
        return len(self.kinds)

    def sizes(self) -> Ints:
        """Return how many kinds each incident has."""
        return np.bincount(self.incident, minlength=self.n_incidents).astype(np.int64)

    def counts(self) -> Ints:
        """Return in how many incidents each kind is."""
        return np.bincount(self.kind, minlength=self.n_kinds).astype(np.int64)

    def fired(self, kind: int) -> Floats:
        """Return when a kind fired, also on its own."""
        low, high = np.searchsorted(self.fired_kind, (kind, kind + 1))
        return self.fired_at[low:high]

    def span_s(self) -> float:
        """Return how long the history is, from its first to its last alert, at least a second."""
        return float(max(1.0, self.fired_at.max() - self.fired_at.min())) if len(self.fired_at) else 1.0


_ABOUT = ("service", "what")


def _first(incident: Ints, kind: Ints, at: Floats) -> tuple[Ints, Ints, Floats]:
    """Return each pair of incident and kind once, with its earliest time, in the order of incident and time."""
    order = np.lexsort((at, kind, incident))
    incident, kind, at = incident[order], kind[order], at[order]
    new = np.ones(len(order), bool)
    new[1:] = (incident[1:] != incident[:-1]) | (kind[1:] != kind[:-1])
    incident, kind, at = incident[new], kind[new], at[new]
    order = np.lexsort((kind, at, incident))
    return incident[order], kind[order], at[order]
