"""From a table of alerts to what is counted: usable rows, one for each node of an alert."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.dependencies.statistics import Firings
from stanza_lab.entities.symptoms import classify_symptoms
from stanza_lab.errors import ParameterError, SchemaError

_REASONS = ("without a time", "without a node", "without a place")
INNER = ("saturation",)  # symptoms of the thing itself; errors, latency and availability are seen from outside as well
_LISTS = (list, tuple, set, frozenset, np.ndarray)
MOST_PLACES = 5_000  # which of them are near each other is a matrix
_TEXTS = ("alertname", "labels", "summary", "description")


def reasons(place: str | None) -> tuple[str, ...]:
    """Return why alerts may be skipped."""
    return _REASONS if place is not None else _REASONS[:2]


@dataclass(frozen=True, eq=False)
class Reading:
    """Alerts that can be used.

    Attributes
    ----------
    alerts : DataFrame
        Those with a time and a node, as they came.
    rows : DataFrame
        One per alert and node: `starts_at`, `node`, `inner`, `alert_id` (null where it has none), with places also
        `place` and `ends_at`.
    skipped : dict
        Alerts that could not be used, counted by reason.
    """

    alerts: pd.DataFrame
    rows: pd.DataFrame
    skipped: dict[str, int]

    def firings(self) -> Firings:
        """Return the rows as what slices are counted from."""
        return firings_of(self.rows)

    def without(self, known: pd.DataFrame) -> Reading:
        """Return what is not among rows known already; an alert of the same id counts as known."""
        rows = self.rows[~_keys(self.rows).isin(_keys(known))]
        return Reading(self.alerts.loc[self.alerts.index.isin(rows["row"])], rows, self.skipped)

    def with_ends(self, known: pd.DataFrame, *, since: pd.Timestamp) -> pd.DataFrame:
        """Return rows known already, those from an instant on with the ends that were told only now."""
        if "ends_at" not in known.columns or "ends_at" not in self.rows.columns:
            return known
        told = self.rows[self.rows["ends_at"].notna()]
        ends = pd.Series(told["ends_at"].array, index=_keys(told))
        ends = ends[~ends.index.duplicated()]
        found = pd.Series(ends.reindex(_keys(known)).array, index=known.index)
        missing = known["ends_at"].isna() & (known["starts_at"] >= since)
        return known.assign(ends_at=known["ends_at"].where(~missing, found))


def read(alerts: pd.DataFrame, *, node: str, place: str | None, texts: bool) -> Reading:
    """Check alerts and take from them what is counted; of alerts with the same id, the first.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; `starts_at`, `node` and `place` are needed.
    node, place : str
        Columns; `node` may hold lists, which are as many nodes.
    texts : bool
        Whether to read from texts what each alert says is wrong.

    Raises
    ------
    SchemaError
        A column is missing, or there are alerts but none can be used.
    ParameterError
        There are more places than can be compared.
    """
    alerts = schema.check(alerts, schema.ALERTS, need=["starts_at", node, *([] if place is None else [place])])
    alerts = _once(alerts).reset_index(drop=True)
    named = pd.DataFrame({"row": alerts.index, "starts_at": alerts["starts_at"], "node": alerts[node]})
    if isinstance(alerts[node].dtype, pd.CategoricalDtype) or alerts[node].dtype != object:
        lists = False
    else:
        lists = any(isinstance(value, _LISTS) for value in alerts[node])
    named = named.explode("node", ignore_index=True).drop_duplicates(["row", "node"]) if lists else named
    named = named.assign(node=_blank_is_null(named["node"]))
    named = named[named["node"].notna()]
    no_time, no_node = alerts["starts_at"].isna(), ~alerts.index.isin(named["row"])
    rows = named[named["starts_at"].notna()].reset_index(drop=True)
    if len(alerts) and rows.empty:
        raise SchemaError(
            f"alerts: none of {len(alerts)} has both a time and a {node!r} ({int(no_time.sum())} lack the "
            f"time, {int(no_node.sum())} the {node}); run sl.resolve_entities first, or pass another node="
        )
    placed = alerts["starts_at"].notna() if place is None else _blank_is_null(_first(alerts[place])).notna()
    rows = rows[placed.to_numpy()[rows["row"].to_numpy()]].reset_index(drop=True)
    if len(alerts) and rows.empty:
        raise SchemaError(f"alerts: none of {len(alerts)} has a {place!r}; pass another place=, or none")
    if place is not None and (count := _first(alerts[place]).nunique()) > MOST_PLACES:
        raise ParameterError(
            f"{count:,} places; at most {MOST_PLACES:,}: pass a coarser place=, such as a cluster or zone"
        )
    at = rows["row"].to_numpy()
    if texts and any(name in alerts.columns for name in _TEXTS):
        rows["inner"] = classify_symptoms(alerts).isin(INNER).to_numpy()[at]
    else:
        rows["inner"] = False
    if place is not None:
        rows["place"] = _first(alerts[place]).take(at).to_numpy()
        ends = alerts["ends_at"] if "ends_at" in alerts.columns else pd.Series(pd.NaT, alerts.index, schema.TIME_DTYPE)
        rows["ends_at"] = ends.take(at).array
    ids = alerts["alert_id"] if "alert_id" in alerts.columns else pd.Series(None, alerts.index, "str")
    rows["alert_id"] = ids.take(at).array
    no_place = ~placed & ~no_time & ~no_node
    counts = (int(no_time.sum()), int((no_node & ~no_time).sum()), int(no_place.sum()))
    skipped = dict(zip(reasons(place), counts, strict=False))
    used = alerts if not (no_time | no_node | no_place).any() else alerts.loc[alerts.index.isin(at)]
    return Reading(used, rows, skipped)


def _blank_is_null(names: pd.Series) -> pd.Series:
    """Return names with null for those without a visible character."""
    known = names.cat.categories if isinstance(names.dtype, pd.CategoricalDtype) else names.dropna().unique()
    blank = [name for name in known if isinstance(name, str) and not name.strip()]
    return names.where(~names.isin(blank)) if blank else names


def _first(values: pd.Series) -> pd.Series:
    """Return a column of names; of lists the first name."""
    if values.dtype != object:
        return values
    return values.map(
        lambda value: (
            next(iter(sorted(value, key=str) if isinstance(value, set) else value), None)
            if isinstance(value, _LISTS)
            else value
        )
    )


def _once(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return alerts without those whose id came before."""
    if "alert_id" not in alerts.columns:
        return alerts
    again = alerts["alert_id"].duplicated() & alerts["alert_id"].notna()
    return alerts[~again] if again.any() else alerts


def _keys(rows: pd.DataFrame) -> pd.MultiIndex:
    """Return what makes rows the same: node and id, and where there is no id, time and place."""
    ids = rows["alert_id"] if "alert_id" in rows.columns else pd.Series(None, rows.index, "str")
    told = ids.notna()
    keys = {
        "id": ids.astype("str").fillna(""),
        "node": rows["node"].astype("str"),
        "at": rows["starts_at"].mask(told, pd.Timestamp(0, tz="UTC")),
    }
    if "place" in rows.columns:
        keys["place"] = rows["place"].astype("str").mask(told, "").fillna("")
    return pd.MultiIndex.from_frame(pd.DataFrame(keys))


def firings_of(rows: pd.DataFrame) -> Firings:
    """Return rows (`Reading.rows`, or those of them that were kept) as what slices are counted from."""
    optional = {"places": "place", "inner": "inner", "ends": "ends_at"}
    given = {name: rows[column] for name, column in optional.items() if column in rows.columns}
    if "places" not in given:
        given.pop("ends", None)
    return Firings.of(rows["starts_at"], rows["node"], **given)
