"""The entities that alerts mention, and every mention with its place, method and confidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.entities.evidence import TEXTS, Codes, Evidence, open_catalog
from stanza_lab.entities.extraction.fields import CONFIDENCE, Reading
from stanza_lab.entities.extraction.scan import spread
from stanza_lab.entities.identity.overrides import Overrides, read_overrides
from stanza_lab.entities.resolve import sole, stated_services

if TYPE_CHECKING:
    from stanza_lab.entities.extraction.arns import Resource


def find_entities(
    alerts: pd.DataFrame,
    *,
    catalog: pd.DataFrame | str | PathLike[str] | None = None,
    overrides: Overrides | Mapping[str, Any] | str | PathLike[str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the services, environments, teams, resources and more that alerts mention.

    Read are the columns of that name, the labels (tags, CloudWatch dimensions, pods, hosts) and the text of alertname,
    summary and description (ARNs, ids, pods, hosts, ``service:x``, what an error says was called, names known from
    elsewhere). URLs, container images, repositories, traces and on-call targets are mentions too. Names are unified as
    `resolve_entities` does.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with at least alert_id; before or after `resolve_entities`.
    catalog : DataFrame or path, optional
        `schema.OWNERSHIP` or a file for `read_ownership`: further names to find in text, and the team of services.
    overrides : path or mapping, optional
        What people say of names, as `EntityResolver` takes it; it always wins.

    Returns
    -------
    entities : DataFrame
        `schema.ENTITIES`, sorted by entity_id: one row per thing that is mentioned. `aliases` are its other spellings,
        ARNs included; first_seen and last_seen are null where no mentioning alert has a time.
    mentions : DataFrame
        `schema.MENTIONS`: alerts in their order, in each by field and place. `confidence` goes by `method`: what the
        export states in a field or tag 0.95, an ARN, id or trace 0.98, a dimension, pod, image, repository, log group
        or AWS host 0.9, ``service:x`` in text 0.85, a URL 0.8, what an error says was called 0.75, a service named
        after its resource or another host in text 0.7, a known name in text 0.6 (one plain word: 0.4).

    Raises
    ------
    SchemaError
        alert_id is missing, a column cannot be read, or the catalogue has no column for the service.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> text = "db arn:aws:rds:eu-west-1:123456789012:db:orders-db is full"
    >>> alerts = pd.DataFrame({"alert_id": ["a"], "service": ["checkout"], "summary": [text]})
    >>> entities, mentions = sl.find_entities(alerts)
    >>> entities[["kind", "name"]].values.tolist()
    [['resource', 'orders-db'], ['service', 'checkout']]
    >>> mentions[["field", "span", "method"]].values.tolist()
    [['service', [], 'field'], ['summary', [3, 50], 'arn']]
    """
    alerts = schema.check(alerts, schema.ALERTS, need=["alert_id"])
    evidence = Evidence(alerts, open_catalog(catalog), overrides=read_overrides(overrides))
    found = _gather(evidence)
    return _entity_table(alerts, evidence, found), _mention_table(alerts, found)


@dataclass(frozen=True)
class _Found:
    """What stands where: every distinct reading once, and for every mention its row and its reading."""

    fields: list[str]
    readings: list[Reading]
    entity: Codes  # of each reading
    entity_ids: list[str]
    row: Codes
    reading: Codes


def _gather(evidence: Evidence) -> _Found:
    same = evidence.services.canonical
    served = {same(name) for name in pd.unique(stated_services(evidence)) if isinstance(name, str)}
    served |= {same(name) for name in evidence.catalog["service"].dropna()}
    fields: list[str] = []
    readings: list[Reading] = []
    rows, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for name, column in evidence.columns.items():
        sizes, offset = [], len(readings)
        for number, stated in enumerate(evidence.stated(name)):
            said = stated + (evidence.named(name)[number] if name in TEXTS else [])
            # A load balancer is a service only where nothing better names one.
            kept = dict.fromkeys(r for r in said if r.method != "arn-name" or same(r.name) in served)
            readings += sorted(kept, key=lambda r: r.start)
            fields += [f"{name}.{r.at}" if r.at else name for r in readings[len(fields) :]]
            sizes.append(len(kept))
        row, within = spread(column.codes[evidence.of_row], np.array([*sizes, 0], dtype=np.int64))
        rows.append(row)
        numbers.append(offset + within)
    row, reading = np.concatenate(rows), np.concatenate(numbers)
    order = np.argsort(row, kind="stable")
    ids = _entity_ids(evidence, readings)
    entity_ids = sorted(set(ids))
    place = {name: code for code, name in enumerate(entity_ids)}
    entity = np.array([place[name] for name in ids], dtype=np.int64)
    return _Found(fields, readings, entity, entity_ids, row[order], reading[order])


def _entity_ids(evidence: Evidence, readings: list[Reading]) -> list[str]:
    """Return the entity of each reading.

    A resource is known by its ARN. Where only type and name are stated they mean the one ARN of that type and name, if
    there is just one; a bare host name likewise means the one resource of that name.
    """
    resources = {r.resource for r in readings if r.kind == "resource" and r.resource}
    arns: dict[str, set[str]] = defaultdict(set)
    for resource in resources:
        if resource.arn:
            arns[_typed(resource)].add(resource.arn)
    own = {r: r.arn or sole(arns[_typed(r)]) or _typed(r) for r in resources}
    by_name: dict[str, set[str]] = defaultdict(set)
    for resource, known_as in own.items():
        if resource.type != "host":
            tail = (resource.arn or "").split(":", 5)[-1]
            for name in {resource.name, tail, tail.partition("/")[2], tail.partition(":")[2]}:
                by_name[name].add(known_as)
    own |= {r: sole(by_name[r.name]) or own[r] for r in resources if r.type == "host"}
    same = {"service": evidence.services.canonical, "team": evidence.teams.canonical, "environment": naming.environment}
    return [
        f"resource:{own[r.resource]}"
        if r.kind == "resource" and r.resource
        else f"{r.kind}:{same[r.kind](r.name) if r.kind in same else r.name}"
        for r in readings
    ]


def _mention_table(alerts: pd.DataFrame, found: _Found) -> pd.DataFrame:
    spans = [[r.start, r.end] if r.start >= 0 else [] for r in found.readings]
    per_reading = schema.build(
        [{"span": span, "method": r.method} for span, r in zip(spans, found.readings, strict=True)], schema.MENTIONS
    ).assign(
        field=pd.Categorical(found.fields),
        entity_id=pd.array([found.entity_ids[code] for code in found.entity], dtype="str"),
        confidence=[CONFIDENCE[r.method] for r in found.readings],
    )
    mentions = per_reading.take(found.reading).reset_index(drop=True)
    return mentions.assign(alert_id=alerts["alert_id"].array.take(found.row))


def _without_cluster(found: _Found) -> dict[int, set[str]]:
    """Return the names of ECS services without their cluster, by entity, where just one service is called so."""
    called: dict[str, set[int]] = defaultdict(set)
    for code, reading in zip(found.entity.tolist(), found.readings, strict=True):
        if reading.kind == "service":
            called[reading.name.rpartition("/")[2]].add(code)
    sole_of: dict[int, set[str]] = defaultdict(set)
    for code, reading in zip(found.entity.tolist(), found.readings, strict=True):
        name = reading.name.rpartition("/")[2]
        if reading.kind == "service" and reading.resource and reading.resource.type == "ecs:service":
            sole_of[code] |= {name} if len(called[name]) == 1 else set()
    return sole_of


def _entity_table(alerts: pd.DataFrame, evidence: Evidence, found: _Found) -> pd.DataFrame:
    spellings: list[set[str]] = [set() for _ in found.entity_ids]
    short: dict[int, str] = {}
    for code, reading in zip(found.entity.tolist(), found.readings, strict=True):
        spellings[code].add(reading.name)
        if reading.kind == "resource" and reading.resource:
            short[code] = min(reading.name, short.get(code, reading.name))
            spellings[code] |= {reading.resource.arn} if reading.resource.arn else set()
    bare = _without_cluster(found)
    rows: list[dict[str, Any]] = []
    for code, entity_id in enumerate(found.entity_ids):
        kind, _, rest = entity_id.partition(":")
        name = short.get(code, rest)
        team = evidence.team_of.get(naming.key(name)) if kind == "service" else None
        aliases = sorted((spellings[code] | bare.get(code, set())) - {name})
        rows.append({"entity_id": entity_id, "kind": kind, "name": name, "aliases": aliases, "team": team})
    entities = schema.build(rows, schema.ENTITIES)
    if "starts_at" not in alerts.columns:
        return entities
    seen = alerts["starts_at"].take(found.row).groupby(found.entity[found.reading])
    return entities.assign(first_seen=seen.min(), last_seen=seen.max())


def _typed(resource: Resource) -> str:
    return f"{resource.type}/{resource.name}"
