"""Prometheus: an alert while a pattern unfolds, and the dependencies as series that dashboards join on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from stanza_lab import _params
from stanza_lab.artefacts.exports._labels import LABELS, Labelled, labelled
from stanza_lab.artefacts.exports.quoting import one_line
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.patterns.mining.members import quorum
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Link, Walk

WHAT = "rules for Prometheus: an alert per recurring pattern over the series ALERTS, the dependencies as series"
PROVEN_BY = "promtool check rules and promtool test rules; a test file is written beside the rules"
OPTIONS = {
    "labels": LABELS,
    "external": Option(
        "labels that your Prometheus adds only when it sends (external_labels), as cluster,replica: ALERTS lacks them"
    ),
    "hold": Option("how long a pattern must last before it alerts, as 1min", "1min"),
}
SERIES = "stanza_lab:dependency:confidence"
_ALERT = "PatternUnfolding"
_UNREAD = "\ufffd"  # stands for what could not be decoded


@dataclass(frozen=True)
class Member:
    """One step of a pattern: a kind of alert, and the rules that tell it."""

    kind: str
    rules: tuple[Labelled, ...]

    @property
    def expression(self) -> str:
        """1 while one of its rules fires, else 0."""
        series = " or ".join(f"ALERTS{{{_matchers(one.labels)}}}" for one in self.rules)
        return f"(max({series}) or vector(0))"


@dataclass(frozen=True)
class Watched:
    """A pattern of which enough members can be told by labels."""

    pattern: str
    name: str
    team: str
    times: int
    members: tuple[Member, ...]
    need: int

    @property
    def expression(self) -> str:
        """How many members fire, while enough do."""
        return f"{' + '.join(member.expression for member in self.members)} >= {self.need}"


def write(walk: Walk, *, labels: str | None, external: str | None, hold: str) -> Written:
    """Return the rules and a test of them."""
    rules, lost = labelled(walk, labels)
    rules = _inside(rules, external, lost)
    lasting = f"{int(_params.duration(hold, 'hold', zero=True).total_seconds())}s"
    watched, told = _watched(walk, rules)
    groups: list[dict[str, Any]] = []
    if watched:
        groups.append({"name": "stanza_lab_patterns", "rules": [_alert(one, lasting) for one in watched]})
    if walk.links:
        series = [_series(one) for one in walk.links]
        groups.append({"name": "stanza_lab_dependencies", "interval": "5m", "rules": series})
    lost += told
    if watched and not external:
        lost.append("which labels only Alertmanager sees (external_labels): ALERTS lacks them; pass external=")
    lost.append("incidents and likely origins: Prometheus has no place for them")
    lost.append("how a link is known (traced, declared, inferred) and when it was last seen")
    if walk.reactions is not None:
        lost.append("reactions: Prometheus has no place for them")
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": _tests(watched)}
    return Written({"rules.yml": _yaml({"groups": groups}), "rules_test.yml": _yaml(test)}, lost)


def _inside(rules: list[Labelled], external: str | None, lost: list[str]) -> list[Labelled]:
    """Return the rules with the labels that they carry inside of Prometheus."""
    outside = {name.strip() for name in (external or "").split(",")}
    inner = [{name: value for name, value in one.labels.items() if name not in outside} for one in rules]
    told = [
        Labelled(one.rule, labels)
        for one, labels in zip(rules, inner, strict=True)
        if not any(_UNREAD in value for value in labels.values())
    ]
    if unread := len(rules) - len(told):
        lost.append(f"{words.count(unread, 'rule')} with a damaged character (U+FFFD) in a label: PromQL refuses it")
    return told


def _watched(walk: Walk, rules: list[Labelled]) -> tuple[list[Watched], list[str]]:
    """Return the patterns that can be watched, and in sentences which cannot."""
    if walk.patterns is None:
        return [], []
    kinds = dict(zip(walk.bundle.rules["rule"], walk.bundle.rules["kind"], strict=True))
    by_kind: dict[str, list[Labelled]] = {}
    for one in rules:
        by_kind.setdefault(kinds[one.rule.rule], []).append(one)
    teams = {one.name: one.team for one in walk.services}
    found, mute = [], 0
    steps = walk.patterns.steps[walk.patterns.steps["core"]]
    for row in walk.patterns.table.sort_values("pattern").to_dict("records"):
        names = [str(kind) for kind in steps.loc[steps["pattern"] == row["pattern"], "kind"]]
        members = tuple(Member(kind, tuple(by_kind[kind])) for kind in names if kind in by_kind)
        need = quorum(len(names))
        if len(members) < max(need, 2):
            mute += 1
            continue
        services = [one.rule.service or "" for member in members for one in member.rules]
        team = next((team for service in services if (team := teams.get(service))), "")
        found.append(Watched(row["pattern"], row["name"], team, int(row["support"]), members, max(need, 2)))
    if mute:
        verb = "has" if mute == 1 else "have"
        return found, [f"{words.count(mute, 'pattern')} {verb} too few members whose alerts labels can tell"]
    return found, []


def _alert(one: Watched, hold: str) -> dict[str, Any]:
    seen = words.count(one.times, "time")
    team = {"team": _literal(one_line(one.team))} if one.team else {}
    return {
        "alert": _ALERT,
        "expr": one.expression,
        "for": hold,
        "labels": {"pattern": _literal(one.pattern), "severity": "info"} | team,
        "annotations": {
            "summary": _literal(f"It looks like: {one_line(one.name)}"),
            "description": _literal(f"Seen {seen} before; at least {one.need} of its {len(one.members)} alerts fire."),
        },
    }


def _series(link: Link) -> dict[str, Any]:
    return {
        "record": SERIES,
        "expr": f"vector({link.confidence:.6g})",
        "labels": {"src": link.src, "dst": link.dst},  # as they are, or nothing joins on them; no template here
    }


def _tests(watched: list[Watched]) -> list[dict[str, Any]]:
    """Return for each pattern that its expression holds with as many members as needed, and not with one fewer."""
    return [
        {
            "interval": "1m",
            "input_series": [
                {"series": f"ALERTS{{{_matchers(member.rules[0].labels)}}}", "values": "1+0x60"}
                for member in one.members[:count]
            ],
            "promql_expr_test": [
                {
                    "expr": one.expression,
                    "eval_time": "30m",
                    "exp_samples": [{"labels": "{}", "value": one.need}] if count == one.need else [],
                }
            ],
        }
        for one in watched
        for count in (one.need, one.need - 1)
    ]


def _quoted(value: str) -> str:
    """Return a value as a string of PromQL, which reads any character when it is escaped, and not all otherwise."""
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    told = (c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain)
    return f'"{"".join(told)}"'


def _matchers(labels: dict[str, str]) -> str:
    told = [*sorted(labels.items()), ("alertstate", "firing")]
    return ", ".join(f"{name}={_quoted(value)}" for name, value in told)


def _literal(text: str) -> str:
    """Return text that a template of Prometheus shows as it is."""
    return re.sub(r"\{(?=\{)", "{ ", text)


def _yaml(told: dict[str, Any]) -> bytes:
    text: str = yaml.safe_dump(told, sort_keys=False, allow_unicode=False, width=10_000)
    return text.encode()
