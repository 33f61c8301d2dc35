"""What a bundle holds besides the models: rules and their labels, as sums over alerts, and their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from stanza_lab import schema
from stanza_lab.dependencies import PROPAGATION, infer_propagation
from stanza_lab.loaders.redaction import Redaction, Redactor
from stanza_lab.patterns.kinds import alert_kinds

if TYPE_CHECKING:
    from stanza_lab.incidents import IncidentClusterer

RULES: dict[str, Any] = {
    "rule": "str",  # its key
    "alertname": "str",
    "service": "str",
    "team": "str",
    "environment": "str",
    "source": "str",
    "severity": "str",
    "kind": "str",  # as patterns name it
    "alerts": "int64",
    "incidents": "int64",
    "alone_share": "float64",
    "chronic": "float64",
    "per_day": "float64",
    "habit": "str",
    "labels": "str",  # those with one value on all its alerts, as JSON
}
LABELS: dict[str, Any] = {"source": "str", "label": "str", "share": "float64", "values": "int64"}
METRICS: dict[str, Any] = {"metric": "str", "value": "float64", "n": "int64", "definition": "str"}
CALIBRATION: dict[str, Any] = {
    "from": "float64",
    "to": "float64",
    "pairs": "int64",
    "confidence": "float64",
    "real": "float64",
    "low": "float64",
    "high": "float64",
}
NAMES: dict[str, Any] = {"name": "str", "service": "str", "confidence": "float64", "basis": "str"}
OWNERS: dict[str, Any] = {"service": "str", "team": "str"}
_DENSE = (
    "from -1 to 1: how much further apart incidents are than they are wide (DBCV, within max_gap); it says that groups "
    "are dense, not that they are right"
)
_MOST_USUAL = ("alertname", "service", "team", "environment", "source", "severity")
LONGEST = 200  # characters of a label: a longer one is a text, not a name
LABELLED = ("alertmanager", "grafana")  # sources whose labels are what their rules are told apart by


def empty(columns: dict[str, Any]) -> pd.DataFrame:
    """Return a table without rows."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def rule_table(alerts: pd.DataFrame, clusterer: IncidentClusterer, *, keep_personal_data: bool = False) -> pd.DataFrame:
    """Return a row per rule of `alerts`, the most alerts first, with the habits that the clusterer learned."""
    keyed = alerts[alerts["rule_key"].notna()] if "rule_key" in alerts else alerts.iloc[:0]
    if keyed.empty:
        return empty(RULES)
    keyed = keyed.assign(kind=alert_kinds(keyed)["kind"].astype("str"), rule=keyed["rule_key"].astype("str"))
    table = pd.DataFrame(index=pd.Index(sorted(keyed["rule"].unique()), name="rule", dtype="str"))
    for column in (*_MOST_USUAL, "kind"):
        table[column] = _most_usual(keyed, column).reindex(table.index).astype("str")
    table["labels"] = (
        _constant_labels(keyed, Redactor(Redaction(keep_personal_data))).reindex(table.index).fillna("{}").astype("str")
    )
    habits = clusterer.rules_.set_index("rule").reindex(table.index)
    table["alerts"] = keyed["rule"].value_counts().reindex(table.index)
    table["incidents"] = habits["incidents"].fillna(0)
    for column in ("alone_share", "chronic", "per_day"):
        table[column] = habits[column]
    table["habit"] = habits["habit"].astype("str").fillna("unclear")
    ranked = table.reset_index().sort_values(["alerts", "rule"], ascending=[False, True], ignore_index=True)
    return ranked[list(RULES)].astype(RULES)


def label_table(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return which labels the alerts of each source carry: on what share of them, and how many values each has."""
    if "labels" not in alerts or "source" not in alerts:
        return empty(LABELS)
    told = alerts.loc[alerts["labels"].notna(), ["source", "labels"]].astype("str")
    size = alerts["source"].astype("str").value_counts()
    pairs = [
        (source, name, value) for source, text in told.itertuples(index=False) for name, value in _labels(text).items()
    ]
    if not pairs:
        return empty(LABELS)
    rows = pd.DataFrame(pairs, columns=["source", "label", "value"], dtype="str")
    counted = rows.groupby(["source", "label"]).agg(alerts=("value", "size"), values=("value", "nunique")).reset_index()
    counted["share"] = counted["alerts"] / counted["source"].map(size)
    return counted.sort_values(["source", "share", "label"], ascending=[True, False, True], ignore_index=True)[
        list(LABELS)
    ].astype(LABELS)


def follow_table(alerts: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Return which alert on a callee leads to which on its caller, link by link; see `infer_propagation`."""
    if "alertname" not in alerts or edges.empty or alerts.empty:
        return empty({"src": "str", "dst": "str"} | {column.name: "object" for column in PROPAGATION.columns})
    return infer_propagation(alerts, edges, kind="alertname", by="edge").reset_index(drop=True)


def _most_usual(alerts: pd.DataFrame, column: str) -> pd.Series:
    """Return the most frequent value per rule; of equals the first by name."""
    if column not in alerts:
        return pd.Series(dtype="str")
    told = alerts[["rule", column]].dropna().astype("str")
    counts = told.value_counts().rename("n").reset_index()
    ranked = counts.sort_values(["rule", "n", column], ascending=[True, False, True])
    return ranked.drop_duplicates("rule").set_index("rule")[column]


def _constant_labels(alerts: pd.DataFrame, redactor: Redactor) -> pd.Series:
    """Return per rule the labels that have one and the same short value on all of its alerts, as canonical JSON.

    What the redactor would change is left out: a pseudonym would be no label of any alert.
    """
    if "labels" not in alerts or "source" not in alerts:
        return pd.Series(dtype="str")
    alerts = alerts[alerts["source"].astype("str").isin(LABELLED)]  # of others they may be texts
    kept: dict[str, dict[str, str]] = {}
    for rule, text in zip(alerts["rule"], alerts["labels"], strict=True):
        now = _labels(text)
        before = kept.get(rule)
        kept[rule] = now if before is None else {k: v for k, v in before.items() if now.get(k) == v}
    for rule, labels in kept.items():
        kept[rule] = {
            name: value for name, value in labels.items() if redactor.anything({name: value}) == {name: value}
        }
    texts = {rule: orjson.dumps(labels, option=orjson.OPT_SORT_KEYS).decode() for rule, labels in kept.items()}
    return pd.Series(texts, dtype="str")


def _labels(text: Any) -> dict[str, str]:
    if not isinstance(text, str):
        return {}
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(told, dict):
        return {}
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in told.items()
        if isinstance(value, str | int | float | bool) and len(name) <= LONGEST and len(str(value)) <= LONGEST
    }


def own_metrics(clusterer: IncidentClusterer) -> pd.DataFrame:
    """Return what a grouping says of itself: how much it holds together, not whether it is right."""
    labels = clusterer.labels_
    inside = int((labels != schema.NOISE).sum())
    if not inside:
        return empty(METRICS)
    count = len(set(labels[labels != schema.NOISE].tolist()))
    rows = [
        ("alerts per incident", inside / count, inside, "alerts in incidents over incidents"),
        ("alerts on their own", 1 - inside / len(labels), len(labels), "share of all alerts that are in no incident"),
        (
            "relative validity",
            clusterer.relative_validity_,
            len(labels),
            _DENSE,
        ),
    ]
    return pd.DataFrame(rows, columns=list(METRICS)).astype(METRICS)
