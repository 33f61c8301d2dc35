"""The two tables of a map: its edges, and what is known about each service."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import SchemaError
from stanza_lab.production import links

COLUMNS = ("service", "team", "alerts", "incidents", "first_seen", "last_seen", "environment")


def complete(edges: pd.DataFrame) -> pd.DataFrame:
    """Return checked `edges` with all columns of the schema; null is what neither was given nor follows."""
    given = schema.check(edges, schema.EDGES, need=["src", "dst", "confidence"])
    twice = given[given.duplicated(["src", "dst"])]
    if len(twice):
        first = twice.iloc[0]
        raise SchemaError(
            f"edges: {len(twice)} of {len(given)} rows repeat a pair, first {first['src']!r} -> {first['dst']!r}; "
            "keep one row per pair with edges.drop_duplicates(['src', 'dst'])"
        )
    if "support" not in given.columns:
        given = given.assign(support=0)
    given = _with(given, schema.EDGES, schema.EDGES.names)
    return given.assign(link_confidence=links.link_confidence(given))[schema.EDGES.names].reset_index(drop=True)


def filled(alerts: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    """Return `alerts` with all columns of `names`; those that were missing are null."""
    return _with(alerts, schema.ALERTS, names)


def _with(frame: pd.DataFrame, table: schema.Table, names: Collection[str]) -> pd.DataFrame:
    absent = [column for column in table.columns if column.name in names and column.name not in frame.columns]
    nothing = pd.Series(None, index=frame.index, dtype=object)
    return frame.assign(**{column.name: schema.convert(nothing, column) for column in absent})


def describe(edges: pd.DataFrame, alerts: pd.DataFrame | None, ownership: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row per service of `edges` and `alerts`, sorted by name, with the columns of `COLUMNS`."""
    named = None if alerts is None else alerts[alerts["service"].notna()].astype({"service": "str"})
    names = {*edges["src"], *edges["dst"], *([] if named is None else named["service"])}
    table = pd.DataFrame(index=pd.Index(sorted(names), name="service", dtype="str"))
    table["team"] = pd.Series(index=table.index, dtype="str")
    table["alerts"] = 0
    table["incidents"] = pd.array([None] * len(table), dtype="Int64")
    table["first_seen"] = table["last_seen"] = pd.Series(index=table.index, dtype=schema.TIME_DTYPE)
    table["environment"] = pd.Series(index=table.index, dtype="str")
    if named is not None:
        groups = named.groupby("service", observed=True)
        table["alerts"] = groups.size().reindex(table.index, fill_value=0).astype("int64")
        table["first_seen"] = groups["starts_at"].min().reindex(table.index)
        table["last_seen"] = groups["starts_at"].max().reindex(table.index)
        for column in ("team", "environment"):
            if column in named.columns:
                table[column] = _most_frequent(named, column).reindex(table.index).astype("str")
        if "incident_id" in named.columns:
            grouped = named[named["incident_id"] != schema.NOISE].groupby("service", observed=True)["incident_id"]
            table["incidents"] = grouped.nunique().reindex(table.index, fill_value=0).astype("Int64")
    if ownership is not None:
        owned = ownership.dropna(subset=["service", "team"]).drop_duplicates("service").set_index("service")["team"]
        table["team"] = owned.astype("str").reindex(table.index).fillna(table["team"]).astype("str")
    return table.reset_index()[list(COLUMNS)]


def _most_frequent(alerts: pd.DataFrame, column: str) -> pd.Series:
    """Return the most frequent value of `column` per service; of equals the first by name."""
    counts = alerts.dropna(subset=[column]).astype({column: "str"}).value_counts(["service", column])
    ranked = counts.rename("n").reset_index().sort_values(["service", "n", column], ascending=[True, False, True])
    return ranked.drop_duplicates("service").set_index("service")[column]
