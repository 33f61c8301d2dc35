"""Backstage: the services as Components with their owners and what they depend on, for the software catalog."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from stanza_lab.artefacts.exports.quoting import one_line
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Link, Service, Walk

WHAT = "services, teams and dependencies as Components and Groups for the Backstage catalog"
PROVEN_BY = "@backstage/catalog-model: its entity policies and validators"
OPTIONS: dict[str, Option] = {}
UNOWNED = "unowned"  # Backstage requires an owner: the group of services whose team is not known
LONGEST = 63  # characters of a name in Backstage
_LIVE = ("live", "prd", "prod", "production")
_OURS = "stanza-lab.dev/"  # before the names of our annotations
_INVALID = re.compile(r"[^A-Za-z0-9_.-]+")
_ENDS = "-_."  # a name begins and ends with a letter or digit


def write(walk: Walk) -> Written:
    """Return one file of many documents: the groups, then the components."""
    names = valid_names((one.name for one in walk.services), otherwise="service")
    teams: dict[str | None, str] = {None: UNOWNED}
    teams.update(valid_names(walk.teams, otherwise="team", taken=[UNOWNED]))
    kept = [link for link in walk.links if link.confidence >= walk.min_confidence]
    ahead: dict[str, list[Link]] = {}
    for link in kept:
        ahead.setdefault(link.src, []).append(link)
    owners = [team for team in (*walk.teams, None) if any(one.team == team for one in walk.services)]
    documents = [_group(team, teams[team]) for team in owners]
    documents += [_component(walk, one, names, teams[one.team], ahead.get(one.name, [])) for one in walk.services]
    text = yaml.safe_dump_all(documents, explicit_start=True, sort_keys=False, allow_unicode=False, width=10_000)
    return Written({"catalog-info.yaml": text.encode()}, _lost(walk, names, teams, left=len(walk.links) - len(kept)))


def valid_names(names: Iterable[str], *, otherwise: str, taken: Collection[str] = ()) -> dict[str, str]:
    """Return for each name one that Backstage takes, no two the same, whatever their case.

    What is no letter, digit or one of -_. becomes a dash. Where two would be the same, those that had to change get
    some digits of their own hash: they stay what they are, whoever comes or goes besides.
    """
    short = {name: _valid(name, otherwise) for name in sorted(names)}
    times = Counter([*(one.lower() for one in short.values()), *taken])
    keep = {name for name, one in short.items() if times[one.lower()] == 1 or (name == one.lower() not in taken)}
    used = {*taken, *(short[name].lower() for name in keep)}
    found = {}
    for name, one in short.items():
        found[name] = one if name in keep else _with_hash(name, one, used)
        used.add(found[name].lower())
    return found


def _valid(name: str, otherwise: str) -> str:
    return _INVALID.sub("-", name).strip(_ENDS)[:LONGEST].strip(_ENDS) or otherwise


def _with_hash(name: str, short: str, used: Collection[str]) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    every = (f"{short[: LONGEST - 1 - digits]}-{digest[:digits]}" for digits in range(6, LONGEST - 1))
    return next(one for one in every if one.lower() not in used)


def _group(team: str | None, name: str) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name}
    if team is None:
        about["description"] = "Services whose team is not known: Backstage requires an owner."
    else:
        about |= _title(team) | {"annotations": {f"{_OURS}name": team}}
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Group",
        "metadata": about,
        "spec": {"type": "team", "children": []},
    }


def _component(walk: Walk, one: Service, names: dict[str, str], owner: str, ahead: list[Link]) -> dict[str, Any]:
    told = {
        "name": one.name,
        "alerts": str(one.alerts),
        "environment": one.environment,
        "first-seen": None if one.first_seen is None else one.first_seen.isoformat(),
        "last-seen": None if one.last_seen is None else one.last_seen.isoformat(),
        "depends-on": _evidence(ahead, names) if ahead else None,
        "bundle": walk.bundle_id,
    }
    spec: dict[str, Any] = {
        "type": "service",
        "lifecycle": "production" if one.environment is None or one.environment.lower() in _LIVE else "experimental",
        "owner": f"group:default/{owner}",
    }
    if ahead:
        spec["dependsOn"] = [f"component:default/{names[link.dst]}" for link in ahead]
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {
            "name": names[one.name],
            **_title(one.name),
            "annotations": {f"{_OURS}{key}": value for key, value in told.items() if value is not None},
        },
        "spec": spec,
    }


def _title(name: str) -> dict[str, str]:
    """Return the name as people read it, unless nothing of it can be seen."""
    return {"title": shown} if (shown := one_line(name).strip()) else {}


def _evidence(ahead: list[Link], names: dict[str, str]) -> str:
    """Return how sure each dependency is and what it is known from, as JSON in an annotation."""
    told = {
        names[link.dst]: {
            "confidence": round(link.confidence, 4),
            "how": words.seen(link.provenance) or "inferred",
            "from": words.known_from(link.provenance),
            "together": link.support,
        }
        for link in ahead
    }
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def _lost(walk: Walk, names: dict[str, str], teams: dict[str | None, str], *, left: int) -> list[str]:
    lost = []
    if changed := sum(name != other for name, other in [*names.items(), *teams.items()] if name is not None):
        stands = "the name itself stands in the title and in an annotation"
        lost.append(f"{words.count(changed, 'name')} had to change to what Backstage takes; {stands}")
    if unowned := sum(one.team is None for one in walk.services):
        lost.append(f"{words.count(unowned, 'service')} of no known team belong to the group {UNOWNED}")
    if unknown := sum(one.environment is None for one in walk.services):
        lost.append(f"{words.count(unknown, 'service')} of no known environment are written as production")
    if left:
        least = words.probability(walk.min_confidence)
        lost.append(f"{words.count(left, 'link')} less likely than {least} in one direction have no dependsOn")
    lost.append("how sure a dependency is has no field: it stands in the annotation stanza-lab.dev/depends-on")
    lost.append("all are Components of type service: whether one is a database or a queue is not known")
    held = [words.count(len(walk.rules), "recurring alert")]
    held += [] if walk.patterns is None else [words.count(len(walk.patterns.table), "pattern")]
    held += [] if walk.reactions is None else [words.count(len(walk.reactions), "reaction")]
    lost.append(f"a catalog has no place for {', '.join(held)}")
    return lost
