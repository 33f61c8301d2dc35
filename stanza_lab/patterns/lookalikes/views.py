"""Incidents as sparse tables: which kinds, services, rules and symptoms each had, weighed by how unusual these are.

What is usual is learned from the whole history, alerts on their own included: the share of incidents that had it, plus
the chance that it fires within an hour without any incident. The weight is the square of minus the logarithm of that:
what was there in one incident of a hundred says 20 times as much as what was there in every third.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.patterns.kinds import alert_kinds
from stanza_lab.patterns.lasting import half_recovered

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_TINY = 1e-12  # below any weight
AN_HOUR = 3600.0  # seconds in which an alert on its own may fall into an incident by chance
_COLUMN = {"kinds": "kind", "services": "service", "rules": "rule", "order": "kind", "symptoms": "what"}


@dataclass(frozen=True)
class Views:
    """The incidents of a history, each part a sparse table of incidents x things.

    Attributes
    ----------
    incidents : DataFrame
        incident_id, starts_at, ends_at (null while an alert is open), half_at (half of the alerts had recovered),
        alerts, placeless (alerts whose service is not known); sorted by incident_id.
    parts : dict
        name of the part -> sparse table: weight of each thing in each incident, 0 where it was not there.
    firsts : DataFrame
        incident (row), kind, starts_at, before (kinds that came earlier), weight: the first alert of each kind in each
        incident, in order of time.
    """

    incidents: pd.DataFrame
    parts: dict[str, sparse.csr_array]
    firsts: pd.DataFrame

    @classmethod
    def of(cls, alerts: pd.DataFrame, *, by: str) -> Views:
        """Return the views of checked `alerts`; those without a time are left out."""
        told = _told(alerts, by=by)
        ids, rows = np.unique(told["incident_id"].to_numpy("int64"), return_inverse=True)
        alone = int(len(ids) > 0 and ids[0] == schema.NOISE)
        told["incident"] = rows - alone
        on_their_own, inside = told[told["incident"] < 0], told[told["incident"] >= 0]
        spans = inside.groupby("incident").agg(
            starts_at=("starts_at", "min"),
            ends_at=("ends_at", "max"),
            open=("open", "any"),
            alerts=("open", "size"),
            placeless=("placeless", "sum"),
        )
        spans["ends_at"] = spans["ends_at"].mask(spans.pop("open"))
        spans["half_at"] = half_recovered(inside["ends_at"], of=inside["incident"])
        spans.insert(0, "incident_id", ids[alone:])
        hours = (
            max((told["starts_at"].max() - told["starts_at"].min()).total_seconds() / AN_HOUR, 1.0)
            if rows.size
            else 1.0
        )
        parts, firsts = {}, {column: _firsts(inside, column) for column in set(_COLUMN.values())}
        for column, first in firsts.items():
            per_hour = on_their_own[column].value_counts() / hours
            held = first[column].value_counts()
            usual = (held + 0.5) / (len(spans) + 1) - np.expm1(-per_hour.reindex(held.index).fillna(0.0))
            first["weight"] = first[column].map(usual.clip(upper=1.0).map(math.log) ** 2).astype("float64")
        for part, column in _COLUMN.items():
            parts[part] = _table(firsts[column], column, len(spans), early=part == "order")
        return cls(spans.reset_index(drop=True), parts, firsts["kind"])


def _told(alerts: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """Return what the views are made of, a row per alert that has a time, in order."""
    kinds = alert_kinds(alerts, by=by)
    what = kinds["what"] if by == "symptom" else alert_kinds(alerts)["what"]
    told = pd.DataFrame(
        {
            "incident_id": alerts["incident_id"],
            "starts_at": alerts["starts_at"],
            "ends_at": alerts["ends_at"],
            "open": alerts["ends_at"].isna(),
            "kind": kinds["kind"].astype("str"),
            "service": kinds["service"],
            "placeless": kinds["service"].isna(),
            "what": what,
            "rule": alerts["rule_key"].astype("str"),
        }
    )
    return told[told["starts_at"].notna()].sort_values(["starts_at", "kind"], kind="stable", ignore_index=True)


def _firsts(inside: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the first alert of each thing in each incident, with how many things came earlier; in order of time."""
    first = inside[inside[column].notna()].drop_duplicates(["incident", column])[["incident", column, "starts_at"]]
    before = first.groupby("incident")["starts_at"].rank(method="min") - 1
    return first.assign(before=before.astype("int64")).reset_index(drop=True)


def _table(firsts: pd.DataFrame, column: str, incidents: int, *, early: bool) -> sparse.csr_array:
    """Return incidents x things: roots of weights, so that products are weights; `early` counts the first most."""
    from scipy import sparse

    codes, names = pd.factorize(firsts[column])
    values = np.sqrt(firsts["weight"].to_numpy("float64"))
    if early:
        values = values / (1 + firsts["before"].to_numpy("float64"))
    rows = firsts["incident"].to_numpy("int64")
    return sparse.csr_array((values, (rows, codes)), shape=(incidents, len(names)))


def agreement(table: sparse.csr_array, rows: Ints) -> tuple[Floats, Floats]:
    """Return for the incidents at `rows` and all incidents which share of what both had was the same, by weight.

    That is twice the weight of what is shared over the weight of what one had and what the other had (Dice's
    coefficient). With it, per incident, 1 where it had nothing that says anything, else 0.
    """
    own = np.asarray(table.multiply(table).sum(axis=1), dtype=np.float64).ravel()
    shared = np.asarray((table[rows] @ table.T).toarray(), dtype=np.float64)
    shared *= 2
    shared /= np.maximum(own[rows][:, None] + own[None, :], _TINY)
    return shared, (own <= 0).astype(np.float64)
