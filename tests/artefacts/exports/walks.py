"""Small walks for the tests of graph files: made by hand, without a bundle."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
from hypothesis import strategies as st

from stanza_lab.artefacts.exports.walk import Link, Rule, Service, Walk

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"; } x -> y [label="\\N"]',
    "=cmd()",
    "!!python/object",
    "../x",
    "a\nb",
    "a\rb",
    "a\x01b",
    "a\x02b",
    "a�b",
    "a b",
    "\u202eevil",
    "x" * 10_000,
    "back\\slash\\",
    "<b>bold</b>",
    "__proto__",
    "&amp;",
    "$__all [[x]] ${y}",
    "link0",
    "end",
    "`code`",
    "#35;",
    "1. www.example.com",
)


def service(name: str, team: str | None = None, alerts: int = 1) -> Service:
    """Return a service."""
    return Service(name, team, "prod", alerts, None, pd.Timestamp("2026-03-01", tz="UTC"))


def link(src: str, dst: str, confidence: float = 0.75, *, seen: bool = False) -> Link:
    """Return a link; `seen` ones were traced too and have a lag."""
    provenance = ("inferred", "traced") if seen else ("inferred",)
    return Link(src, dst, confidence, 1 - (1 - confidence) / 2, 3.5, 12.5 if seen else None, provenance, None)


def rule(service: str, severity: str | None, alerts: int) -> Rule:
    """Return a recurring alert."""
    return Rule(
        f"{service}-{severity}", "Down", service, None, None, "prometheus", severity, "rare", 0.0, alerts, 1, {}
    )


def walk(services: list[Service], links: list[Link], rules: list[Rule] | None = None) -> Walk:
    """Return a walk over these."""
    return Walk(
        bundle=cast("Any", SimpleNamespace()),
        bundle_id="0123456789abcdef",
        since=None,
        until=None,
        services=tuple(sorted(services, key=lambda one: one.name)),
        links=tuple(sorted(links, key=lambda one: (one.src, one.dst))),
        rules=tuple(rules or ()),
        labels=pd.DataFrame(),
        propagation=pd.DataFrame(),
        patterns=None,
        reactions=None,
        settings={},
        min_confidence=0.5,
        unseen=(),
    )


def small() -> Walk:
    """Return three services of two teams, one link traced, one inferred."""
    services = [service("shop", "web", 4), service("orders", "pay", 2), service("orders-db", None, 0)]
    return walk(services, [link("shop", "orders", 0.8), link("orders", "orders-db", 1.0, seen=True)])


def hostile() -> Walk:
    """Return services with names that were chosen to do harm, in a row."""
    names = sorted(HOSTILE)
    services = [service(name, ["pay", "<i>t\\N</i>\x07", None][i % 3], i) for i, name in enumerate(names)]
    links = [link(a, b, 0.5 + i / 100, seen=i % 2 == 0) for i, (a, b) in enumerate(itertools.pairwise(names))]
    return walk(services, links, [rule(name, "critical", 2) for name in names])


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    """Draw any small walk."""
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
    names = draw(st.lists(text, min_size=1, max_size=6, unique=True))
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), unique_by=frozenset, max_size=6))
    sure = st.floats(0, 1)
    links = [link(a, b, draw(sure), seen=draw(st.booleans())) for a, b in pairs if a != b]
    return walk([service(name, draw(st.none() | text), i) for i, name in enumerate(names)], links)
