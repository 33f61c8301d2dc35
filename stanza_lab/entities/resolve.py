"""Who and what every alert is about: read each distinct value once, agree on names, write the answer to the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.entities.evidence import TEXTS, Codes, Column, Evidence, Objects, open_catalog
from stanza_lab.entities.extraction.fields import read_resource
from stanza_lab.entities.identity.overrides import Overrides, read_overrides

if TYPE_CHECKING:
    from stanza_lab.entities.extraction.fields import Kind, Reading

_ELSEWHERE = ("callee", "text-host")  # a host that was called or talked of is not what the alert is about


def resolve_entities(
    alerts: pd.DataFrame,
    *,
    catalog: pd.DataFrame | str | PathLike[str] | None = None,
    overrides: Overrides | Mapping[str, Any] | str | PathLike[str] | None = None,
    spans: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Fill and correct who and what every alert is about.

    A service that is null is taken from tags, CloudWatch dimensions and pods in the labels, else from resources, else
    from ``service:x`` and ARNs in the text, else from the one service of other alerts or the catalogue that stands in
    the alert's name or summary. Where there is no evidence, it stays null. Spellings that differ in case or separators
    are one name in its most frequent spelling (the catalogue's, if it lists it; AWS names keep their case); a
    production word or a pod's hash is dropped where the rest is itself seen, so ``prod-orders-db`` is ``orders-db``
    once anything says so. Names of several tools that differ more (checkout, web-checkout, Checkout (P1)) become one
    where `EntityResolver`, which also explains them, finds that likely. Names with another environment stay apart, and
    so do orders-db and orders-api. Environments get one word each (prod, prd -> production). A team comes from the
    labels, else from the catalogue. Notification targets and template residue never count. Give it the alerts
    as a history has them: a second time, the names it wrote count as stated, and a few more may be joined.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; whichever of service, environment, team, resources, labels, alertname, summary, description and
        source are there are used, none is needed.
    catalog : DataFrame or path, optional
        `schema.OWNERSHIP` (service, team) or a file for `read_ownership`. Lists names that are services and who owns
        them; more of it means fewer nulls and fewer spellings.
    overrides : path or mapping, optional
        What people say of names, as `EntityResolver` takes it; it always wins.
    spans : DataFrame, optional
        `schema.SPANS`: further names of services, and the traces they share with alerts.

    Returns
    -------
    DataFrame
        The same rows, order and columns, with service, environment, team (category) and resources (list of str: those
        there first, then those found; an ARN instead of its short name) resolved.

    Raises
    ------
    SchemaError
        A column cannot be read as what it should be, or the catalogue has no column for the service.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame(
    ...     {
    ...         "service": ["orders-db", None],
    ...         "labels": [None, '{"dimensions":{"DBInstanceIdentifier":"prod-orders-db"},"tags":["env:prod"]}'],
    ...     }
    ... )
    >>> sl.resolve_entities(alerts)[["service", "environment"]].values.tolist()
    [['orders-db', nan], ['orders-db', 'production']]
    """
    alerts = schema.check(alerts, schema.ALERTS, need=[])
    return resolve(alerts, Evidence(alerts, open_catalog(catalog), overrides=read_overrides(overrides), spans=spans))


def resolve(alerts: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """Return `alerts` with service, environment, team and resources as `evidence` says."""
    raw = stated_services(evidence)
    service = _map(raw, evidence.services.canonical)
    environment = _first_of(evidence, "environment", ("environment", "labels", *TEXTS), same=naming.environment)
    environment = _fill(_map(environment, naming.environment), _map(raw, naming.environment_of))
    environment = _fill(environment, _map(service, naming.environment_of))
    if "alertname" in evidence.columns:
        names = evidence.columns["alertname"]
        environment = _fill(environment, names.spread(map(naming.environment_in, names.values)))
    team = _first_of(evidence, "team", ("team", "labels", *TEXTS), same=evidence.teams.canonical)
    team = _fill(
        _map(team, evidence.teams.canonical), _map(service, lambda name: evidence.team_of.get(naming.key(name)))
    )
    resources = _resources(evidence)
    return alerts.assign(
        service=_category(service, evidence.of_row, alerts.index),
        environment=_category(environment, evidence.of_row, alerts.index),
        team=_category(team, evidence.of_row, alerts.index),
        resources=pd.Series([[*resources[row]] for row in evidence.of_row.tolist()], index=alerts.index, dtype=object),
    )


def stated_services(evidence: Evidence) -> Objects:
    """Return for every distinct row the service it names, spelled as there, by the best evidence it has."""
    names = _first_of(evidence, "service", ("service", "labels", *TEXTS), same=evidence.services.canonical)
    names = _fill(names, _of_resources(evidence))
    for column in ("alertname", "summary"):
        if column in evidence.columns:
            methods = ("pod", "text", "weak-text") if column == "alertname" else ("pod", "text")
            of_text = zip(evidence.columns[column].values, evidence.named(column), strict=True)
            only = [
                None if naming.is_exception(text) else sole({r.name for r in found if r.method in methods})
                for text, found in of_text
            ]
            names = _fill(names, evidence.columns[column].spread(only))
    return names


def _first_of(evidence: Evidence, kind: Kind, columns: Iterable[str], *, same: Callable[[str], str]) -> Objects:
    """Return for every distinct row the first name of `kind`, columns in order; a text with several says nothing."""
    names = np.full(evidence.rows, None, dtype=object)
    for column in columns:
        if column not in evidence.columns:
            continue
        chosen: list[str | None] = []
        for readings in evidence.stated(column):
            found = [
                r.name
                for r in readings
                if r.kind == kind and r.method != "callee" and not (column in TEXTS and r.method == "arn-name")
            ]
            chosen.append(sole({*map(same, found)}) if column in TEXTS else found[0] if found else None)
        names = _fill(names, evidence.columns[column].spread(chosen))
    return names


def _of_resources(evidence: Evidence) -> Objects:
    """Return for every distinct row the one service that its resources, those in texts included, are named after.

    What the texts name becomes part of the resources, so the two are one source: else doing it twice would differ.
    """
    names = np.full(evidence.rows, None, dtype=object)
    several = np.zeros(evidence.rows, dtype=bool)
    for column in ("resources", *TEXTS):
        if column not in evidence.columns:
            continue
        sets = [
            {r.name for r in readings if r.method in ("arn-name", "pod") and r.kind == "service"}
            for readings in evidence.stated(column)
        ]
        same = [{*map(evidence.services.canonical, each)} for each in sets]
        one = evidence.columns[column].spread(min(a) if len(b) == 1 else None for a, b in zip(sets, same, strict=True))
        several |= np.array([*(len(each) > 1 for each in same), False])[evidence.columns[column].codes]
        there = _map(names, evidence.services.canonical)
        several |= ~pd.isna(one) & ~pd.isna(there) & (there != _map(one, evidence.services.canonical))
        names = _fill(names, one)
    names[several] = None
    return names


def _resources(evidence: Evidence) -> list[tuple[str, ...]]:
    """Return for every distinct row its resources: those of the column without residue, then those found elsewhere."""
    united: list[tuple[str, ...]] = [()]
    of_row: Codes = np.zeros(evidence.rows, dtype=np.int64)
    for name in ("resources", "labels", *TEXTS):
        if name in evidence.columns:
            codes, found = _spelled(evidence.columns[name])
            pairs, distinct = pd.factorize(of_row * len(found) + codes)
            united = [tuple(dict.fromkeys(united[p // len(found)] + found[p % len(found)])) for p in distinct.tolist()]
            of_row = pairs
    united = [_without_short(names) for names in united]
    return [united[number] for number in of_row.tolist()]


def _without_short(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return resources without those that are the end of an ARN beside them: a dimension's value, an instance id."""
    arns = [name for name in names if name.startswith("arn:")]
    ends = {arn[at + 1 :] for arn in arns for at, letter in enumerate(arn) if letter in ":/"}
    return tuple(name for name in names if name.startswith("arn:") or name not in ends)


def _spelled(column: Column) -> tuple[Codes, list[tuple[str, ...]]]:
    """Return the distinct sets of resources of a column, and the number of each row's."""
    if column.name == "resources":
        known = {value: _kept(value) for each in column.values for value in each}
        spelled = [tuple(name for value in each for name in known[value]) for each in column.values]
    else:
        spelled = [_names(readings) for readings in column.readings]
    numbers = {names: number for number, names in enumerate(dict.fromkeys([*spelled, ()]))}
    of_code = np.array([*map(numbers.__getitem__, spelled), numbers[()]], dtype=np.int64)
    return of_code[column.codes], [*numbers]


def _names(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Return the resources that readings name."""
    said = (r.resource for r in readings if r.kind == "resource" and r.method not in _ELSEWHERE)
    return tuple(resource.arn or resource.name for resource in said if resource)


def _kept(value: str) -> tuple[str, ...]:
    """Return what a value of the column resources stays as: pods and hosts as written, with namespace and port."""
    readings = read_resource(value)
    plain = any(r.resource and r.resource.type in ("pod", "host") for r in readings)
    return (value.strip(),) if plain else _names(readings)


def sole(names: set[str]) -> str | None:
    """Return the one name of a set, None when it holds another number of them."""
    return next(iter(names)) if len(names) == 1 else None


def _fill(names: Objects, others: Objects) -> Objects:
    return np.where(pd.isna(names), others, names)


def _map(names: Objects, function: Callable[[str], str | None]) -> Objects:
    """Apply `function` once per distinct name; null stays null."""
    codes, distinct = pd.factorize(names)
    return np.array([*map(function, distinct), None], dtype=object)[codes]


def _category(names: Objects, of_row: Codes, index: pd.Index) -> pd.Series:
    """Return the names of all rows as a category whose words are those that occur, sorted."""
    return pd.Series(pd.Categorical(pd.array(names, dtype="str")).take(of_row), index=index)
