"""Traits: whom a node's alerts page, what they say is wrong, what kind of thing it is; counts that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from stanza_lab.dependencies.evidence.facts import DAY, check_alerts, node_rows, owner_by_name
from stanza_lab.dependencies.evidence.names import SERVICE, NodeNames
from stanza_lab.dependencies.evidence.roles import role_of_name, role_of_system, role_of_type
from stanza_lab.dependencies.evidence.sums import add_up
from stanza_lab.entities.evidence import Column, Evidence, Objects
from stanza_lab.entities.symptoms import classify_symptoms

COLUMNS = ("slice", "node", "trait", "count")
_THINGS = (SERVICE, "resources")  # columns whose values are things that have a role
_SYMPTOM_FIELDS = ("alertname", "labels", "summary", "description")
# What labels say a node is (X-Ray), and whose metric it was: groups are systems of AWS.
_TYPES = (r'"(?:ServiceType|service_type|ResourceType|resource_type)":"AWS::([A-Za-z0-9]+)',)
_METRICS = (
    r'"(?:namespace|metric_namespace|Namespace)":"AWS/([A-Za-z0-9-]+)"',
    r"\b(?:avg|sum|min|max|p\d\d):aws\.([a-z0-9-]+)\.",
)


def count_traits(alerts: pd.DataFrame, *, node: str = SERVICE, slice_us: int = DAY) -> pd.DataFrame:
    """Count the traits of each node by its alerts.

    ``team:<name>`` is the team an alert pages, ``symptom:<word>`` what it says is wrong (`classify_symptoms`), and
    ``role:<word>`` (edge, service, store, queue, managed) what kind of thing it is about, the first of these that
    tells: a resource named after the node, its type of AWS in the labels, the node's name, the other resources it is
    about, the namespace of its metric. An alert counts once for each kind of trait. Roles are of services and resources
    only.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with at least `starts_at` and the column `node`. Alerts without either are left out.
    node : str, default "service"
        Column with the nodes, also one of lists.
    slice_us : int, default one day
        Length of a time slice in microseconds, at least 1. Longer: fewer rows.

    Returns
    -------
    DataFrame
        `slice` (start, datetime64[us, UTC]), `node` (str), `trait` (category), `count` (int64), sorted by these.

    Raises
    ------
    SchemaError
        A column is missing or cannot be read.
    ParameterError
        `slice_us` is no whole number of at least 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab.dependencies.evidence import count_traits
    >>> at = pd.to_datetime(["2026-03-01T14:00Z"])
    >>> alerts = pd.DataFrame(
    ...     {"starts_at": at, "service": ["orders-db"], "team": ["payments"], "summary": ["CPU high"]}
    ... )
    >>> count_traits(alerts)[["node", "trait", "count"]].values.tolist()
    [['orders-db', 'role:store', 1], ['orders-db', 'symptom:saturation', 1], ['orders-db', 'team:payments', 1]]
    """
    alerts = check_alerts(alerts, node)
    rows = node_rows(alerts, node, slice_us)
    parts = []
    if "team" in alerts.columns and node != "team":
        parts.append(_of_alert(rows, alerts["team"], "team"))
    if any(field in alerts.columns for field in _SYMPTOM_FIELDS):
        parts.append(_of_alert(rows, classify_symptoms(alerts), "symptom"))
    if node in _THINGS:
        role = _roles(alerts, rows)
        parts.append(rows.assign(trait=("role:" + role).where(role.notna()), count=1))
    return _table(parts)


def merge_traits(traits: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Add traits counted apart.

    Parameters
    ----------
    traits : iterable of DataFrame
        As `count_traits` returns them, from different slices or different alerts.

    Returns
    -------
    DataFrame
        The same columns, sorted.
    """
    return _table([*traits])


def _of_alert(rows: pd.DataFrame, values: pd.Series, kind: str) -> pd.DataFrame:
    """Return a value that every alert has one of as a trait of its nodes."""
    names = values.astype("str").iloc[rows["row"].to_numpy()].set_axis(rows.index)
    return rows.assign(trait=f"{kind}:" + names, count=1)


def _roles(alerts: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Return the role that each alert tells of its node, None where nothing does."""
    codes, nodes = pd.factorize(rows["node"])
    names = NodeNames(nodes, spellings=True)
    by_name = np.array([*map(role_of_name, nodes), None], dtype=object)[codes]
    columns = [name for name in ("resources", "labels") if name in alerts.columns]
    own, other = np.full(len(rows), None, dtype=object), np.full(len(rows), None, dtype=object)
    if columns:
        evidence = Evidence(alerts[columns], None)
        for column in evidence.columns.values():
            own_role, other_role = _of_column(column, names)
            value = column.codes[evidence.of_row][rows["row"].to_numpy()]
            of_node = [own_role.get((code, node)) for code, node in zip(value.tolist(), rows["node"], strict=True)]
            own = np.where(pd.isna(own), np.array(of_node, dtype=object), own)
            other = np.where(pd.isna(other), np.array([*other_role, None], dtype=object)[value], other)
    role = pd.Series(own, index=rows.index, dtype=object)
    typed, metric = (_of_labels(alerts, patterns)[rows["row"].to_numpy()] for patterns in (_TYPES, _METRICS))
    for more in (typed, by_name, other, metric):
        role = role.where(role.notna(), pd.Series(more, index=rows.index, dtype=object))
    return role.astype("str")


def _of_column(column: Column, names: NodeNames) -> tuple[dict[tuple[int, str], str], list[str | None]]:
    """Return the roles of the resources each distinct value names: by value and node named so, and the others' most."""
    own: dict[tuple[int, str], str] = {}
    other: list[str | None] = []
    for code, readings in enumerate(column.readings):
        others: Counter[str] = Counter()
        for resource in {reading.resource for reading in readings if reading.kind == "resource" and reading.resource}:
            role = role_of_type(resource.type)
            node = owner_by_name(resource, names) if role else None
            if role and node:
                own[code, node] = min(role, own.get((code, node), role))
            elif role:
                others[role] += 1
        other.append(min(others, key=lambda role: (-others[role], role)) if others else None)
    return own, other


def _of_labels(alerts: pd.DataFrame, patterns: Iterable[str]) -> Objects:
    """Return the role of the system of AWS that the labels of each alert name, by the first pattern that matches."""
    if "labels" not in alerts.columns:
        return np.full(len(alerts), None, dtype=object)
    codes, distinct = pd.factorize(alerts["labels"])
    texts = pd.Series(distinct, dtype="str")
    found = pd.Series(None, index=texts.index, dtype="str")
    for pattern in patterns:
        found = found.fillna(texts.str.extract(pattern, expand=False))
    role = [role_of_system(system) if isinstance(system, str) else None for system in found]
    return np.array([*role, None], dtype=object)[codes]


def _table(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return add_up(parts, keys=COLUMNS[:-1], words="trait")
