"""Keep: the services and what they depend on, as a topology to import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from stanza_lab.artefacts.exports.quoting import cell, one_line
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

WHAT = "services and dependencies as a topology for Keep; an import replaces the topology that is there"
PROVEN_BY = "a pydantic copy of the fields Keep reads"
OPTIONS: dict[str, Option] = {}


def write(walk: Walk) -> Written:
    """Return the topology, and beside it how sure each dependency is: Keep has no field for that."""
    kept = [link for link in walk.links if link.confidence >= walk.min_confidence]
    ids = {one.name: number for number, one in enumerate(walk.services, start=1)}
    services = [
        {
            "id": ids[one.name],
            "service": one.name,
            "display_name": one_line(one.name).strip() or one.name,
            "environment": one.environment or "unknown",
            "source_provider_id": "stanza_lab",
            "is_manual": True,  # only then people can correct it in Keep
            **({} if one.team is None else {"team": one.team}),
        }
        for one in walk.services
    ]
    told: dict[str, list[dict[str, Any]]] = {
        "applications": [],
        "services": services,
        "dependencies": [{"service_id": ids[one.src], "depends_on_service_id": ids[one.dst]} for one in kept],
    }
    rows = [
        (cell(one.src), cell(one.dst), f"{one.confidence:.4f}", f"{one.link_confidence:.4f}", "+".join(one.provenance))
        for one in kept
    ]
    lost = [f"how sure each of the {words.count(len(kept), 'link')} is: Keep has no field; see confidences.csv"]
    if left := len(walk.links) - len(kept):
        lost.append(f"{words.count(left, 'link')} less likely than {words.probability(walk.min_confidence)} one way")
    if altered := sum(name[:1] in ("=", "+", "-", "@", "\t", "\r") for name in ids):
        lost.append(f"{words.count(altered, 'name')} like a formula have an apostrophe before them in confidences.csv")
    lost.append("applications: what belongs together for your users is not in alerts; add them in Keep")
    lost.append("alerts, rules, patterns and reactions: a topology has no place for them (rules: target keep)")
    files = {
        "topology.yaml": yaml.safe_dump(told, sort_keys=False, allow_unicode=False, width=10_000).encode(),
        "confidences.csv": _table(("src", "dst", "confidence", "link_confidence", "provenance"), rows),
    }
    return Written(files, lost)


def _table(header: tuple[str, ...], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([header, *rows])
    return text.getvalue().encode()
