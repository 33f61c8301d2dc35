"""Keep: correlation rules, one per recurring pattern, and one that groups the alerts of a service."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from stanza_lab.artefacts.exports._conditions import (
    All,
    Among,
    Condition,
    Either,
    Equal,
    Not,
    parts_cel,
    plainly_quoted,
    sql,
)
from stanza_lab.artefacts.exports._graph import dumped
from stanza_lab.artefacts.exports.quoting import one_line
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.errors import ParameterError
from stanza_lab.patterns.mining.members import quorum
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Rule, Walk

WHAT = "correlation rules for Keep: one per recurring pattern, one for the alerts of a service"
PROVEN_BY = "cel-python, the library Keep evaluates rules with; SQLite for the SQL beside it; our own reader of rules"
OPTIONS = {
    "service_field": Option("field of Keep's alerts that holds the service, as labels.app", "service"),
    "patterns": Option("at most so many patterns, the most frequent; 0 to 1000", 20, "number"),
    "whole": Option(
        "whether an incident of a pattern needs each member to fire, not only enough alerts", default=False, kind="flag"
    ),
    "approve": Option(
        "whether incidents are only candidates, which Keep's list may not show", default=False, kind="flag"
    ),
}
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_SHORTEST, _LONGEST = 60, 1080  # seconds of a time frame, where the model does not say
_TERMS = 100  # of one expression: Keep reads it with a recursion per term, and that ends at some hundreds
_NO_NEWS = ("chronic", "periodic")  # habits of what fires whatever happens


@dataclass(frozen=True)
class Correlation:
    """One rule of Keep: alerts of which it takes, how they become an incident."""

    name: str
    about: str
    title: str
    parts: tuple[Condition, ...]
    frame_s: int
    by: tuple[str, ...]
    threshold: int


def write(walk: Walk, *, service_field: str, patterns: float, whole: bool, approve: bool) -> Written:
    """Return the rules as Keep takes them one by one, and as our own `read_rules` reads them."""
    if not _FIELD.fullmatch(service_field):
        raise ParameterError(f"service_field={service_field[:80]!r} must be a field of Keep's alerts, as labels.app")
    if isinstance(patterns, bool) or patterns != int(patterns) or not 0 <= patterns <= 1000:
        raise ParameterError(f"patterns={patterns!r} must be a whole number from 0 to 1000")
    found, lost = _correlations(walk, service_field, most=int(patterns))
    ours = {"rules": {one.name: _replayed(one) for one in _correlations(walk, "service", most=int(patterns))[0]}}
    files = {
        "rules.json": dumped([_body(one, whole=whole, approve=approve) for one in found]),
        "replay_rules.yml": yaml.safe_dump(ours, sort_keys=False, allow_unicode=False, width=10_000).encode(),
    }
    lost.append("services that the model does not know: the rule for the alerts of a service names those it means")
    lost.append("dependencies: rules of Keep do not know them; they go into its topology (target keep_topology)")
    if whole:
        lost.append("times at which not all members fire, or some have resolved: Keep waits for each of them")
        lost.append("replay_rules.yml takes enough alerts for an incident: each member is not asked for")
    else:
        told = "a threshold counts alerts, not different members: one that fires often can reach it alone"
        lost.append(f"{told}, so more comes up than the pattern; pass whole=yes to need each member")
    lost.append("an alert comes into an incident of every rule it meets, so an incident may stand in Keep twice")
    lost.append("optional members, order and probabilities of patterns have no place in a rule")
    if approve:
        lost.append("thresholds: of a candidate Keep does not ask how many alerts it has")
    if walk.reactions is not None:
        lost.append(f"{words.count(len(walk.reactions), 'reaction')}: a rule of Keep does nothing")
    return Written(files, lost)


def _correlations(walk: Walk, field: str, *, most: int) -> tuple[list[Correlation], list[str]]:
    """Return all rules, the alerts' service in `field`, and in sentences what they leave out."""
    found, lost = _of_patterns(walk, field, most=most)
    service, left = _of_services(walk, field)
    return [*found, *service], [*lost, *left]


def _of_patterns(walk: Walk, field: str, *, most: int) -> tuple[list[Correlation], list[str]]:
    """Return a rule per pattern of which enough members can be told, and in sentences what that leaves out."""
    if walk.patterns is None:
        return [], []
    told = [one for one in walk.rules if one.alertname and one.service]
    kinds = dict(zip(walk.bundle.rules["rule"], walk.bundle.rules["kind"], strict=True))
    by_kind: dict[str, list[Rule]] = {}
    for one in told:
        by_kind.setdefault(kinds[one.rule], []).append(one)
    found, mute, long = [], 0, 0
    for row in walk.patterns.table.to_dict("records"):
        steps = walk.patterns.steps[walk.patterns.steps["pattern"].eq(row["pattern"]) & walk.patterns.steps["core"]]
        members = [by_kind[kind] for kind in steps["kind"] if kind in by_kind]
        need = quorum(len(steps))
        if len(members) < need:
            mute += 1
            continue
        if sum(map(len, members)) > _TERMS:
            long += 1
            continue
        found.append(_of_pattern(walk, row, members, field, need=need, last_s=float(steps["high_s"].max())))
    lost = []
    if unnamed := len(walk.rules) - len(told):
        lost.append(f"{words.count(unnamed, 'recurring alert')} without a name or a service cannot be told in Keep")
    if mute:
        lost.append(f"{words.count(mute, 'pattern')} of which too few members can be told")
    if long:
        lost.append(f"{words.count(long, 'pattern')} of so many alerts that the expression would be too long for Keep")
    if shared := _shared(told, kinds):
        lost.append(f"{words.count(shared, 'recurring alert')} share name and service with another of another kind")
    if left := len(found[most:]):
        lost.append(f"{words.count(left, 'less frequent pattern')}; pass patterns= to have more")
    return found[:most], lost


def _of_pattern(
    walk: Walk, row: dict[Any, Any], members: list[list[Rule]], field: str, *, need: int, last_s: float
) -> Correlation:
    name = one_line(str(row["name"]))
    span = f"{row['first']:%Y-%m-%d} to {row['last']:%Y-%m-%d}"
    about = (
        f"Seen {words.count(int(row['support']), 'time')}, {span}; by chance {row['expected']:.2g} were to be expected "
        f"(q {words.rate(float(row['q_value']))}). "
        f"It takes {need} of its {len(members)} alerts. Bundle {walk.bundle_id}."
    )
    return Correlation(
        name=f"stanza_lab {row['pattern']}: {name}",
        about=about,
        title=_titled(name, field),
        parts=tuple(_meant(rules, field) for rules in members),
        frame_s=_frame(walk, last_s),
        by=(),
        threshold=need,
    )


def _of_services(walk: Walk, field: str) -> tuple[list[Correlation], list[str]]:
    """Return the rule that groups the alerts of one service, but for what fires whatever happens, if there is one."""
    gap, most = walk.settings.get("service_gap"), walk.settings.get("max_chronic", 1.0)
    if not gap or not walk.services:
        return [], []
    chronic = [
        one for one in walk.rules if one.alertname and one.service and (one.habit in _NO_NEWS or one.chronic > most)
    ]
    without, left = _without(chronic, field)
    told = f", but for {words.count(len(chronic) - left, 'alert')} that fire whatever happens" if without else ""
    rule = Correlation(
        name="stanza_lab services: alerts of one service",
        about=f"Alerts of one service within {words.span(gap)} of each other{told}. Bundle {walk.bundle_id}.",
        title=f"{{{{ alert.{field} }}}}",
        parts=(All((Among(field, tuple(one.name for one in walk.services)), *without)),),
        frame_s=max(math.ceil(gap), _SHORTEST),
        by=(field,),
        threshold=2,
    )
    many = f"{words.count(left, 'alert')} that fire whatever happens: the expression would be too long for Keep"
    return [rule], [many] if left else []


def _without(rules: Sequence[Rule], field: str) -> tuple[list[Condition], int]:
    """Return conditions that an alert is none of these, few as there are, and how many rules they leave aside."""
    of_service: dict[str, list[str]] = {}
    for one in rules:
        of_service.setdefault(str(one.service), []).append(str(one.alertname))
    of_names: dict[tuple[str, ...], list[str]] = {}
    for service, names in sorted(of_service.items()):
        of_names.setdefault(tuple(sorted(set(names))), []).append(service)
    covered = {names: sum(len(of_service[service]) for service in of_names[names]) for names in of_names}
    order = sorted(of_names, key=lambda names: (-covered[names], names))
    kept = [Not(All((_one_of("name", names), _one_of(field, of_names[names])))) for names in order[:_TERMS]]
    return list(kept), sum(covered[names] for names in order[_TERMS:])


def _one_of(field: str, values: Sequence[str]) -> Condition:
    return Equal(field, values[0]) if len(values) == 1 else Among(field, tuple(values))


def _meant(rules: Sequence[Rule], field: str) -> Condition:
    """Return the condition that an alert is of one of these: the name first, so that an absent service is no error."""
    pairs = sorted({(str(one.alertname), str(one.service)) for one in rules})
    each = tuple(All((Equal("name", name), Equal(field, service))) for name, service in pairs)
    return each[0] if len(each) == 1 else Either(each)


def _shared(told: list[Rule], kinds: dict[str, str]) -> int:
    """Count rules that Keep cannot tell from those of another kind."""
    of_pair: dict[tuple[str | None, str | None], set[str]] = {}
    for one in told:
        of_pair.setdefault((one.alertname, one.service), set()).add(kinds[one.rule])
    return sum(len(of_pair[one.alertname, one.service]) > 1 for one in told)


def _frame(walk: Walk, last_s: float) -> int:
    """Return how long Keep waits for the next alert: until the last member usually fired, as the model allows."""
    shortest = max(walk.settings.get("resolution", _SHORTEST), _SHORTEST)
    longest = max(walk.settings.get("max_gap", _LONGEST), shortest)
    return math.ceil(min(max(last_s if math.isfinite(last_s) else longest, shortest), longest))


def _titled(name: str, field: str) -> str:
    """Return a name for incidents; without a field to fill in, Keep would not use it."""
    return name.replace("{{", "{ {").replace("}}", "} }") + f" ({{{{ alert.{field} }}}})"


def _body(one: Correlation, *, whole: bool, approve: bool) -> dict[str, Any]:
    text, values = sql(one.parts[0] if len(one.parts) == 1 else Either(one.parts))
    return {
        "ruleName": one.name,
        "sqlQuery": {"sql": text, "params": values},
        "celQuery": parts_cel(one.parts),
        "timeframeInSeconds": one.frame_s,
        "timeUnit": "seconds",
        "groupingCriteria": list(one.by),
        "groupDescription": one.about,
        "requireApprove": approve,
        "resolveOn": "all_resolved",
        "createOn": "all" if whole and len(one.parts) > 1 else "any",
        "incidentNameTemplate": one.title,
        "threshold": one.threshold,
    }


def _replayed(one: Correlation) -> dict[str, Any]:
    """Return the rule for `read_rules`: what it would have done can be looked at before Keep has it."""
    condition = parts_cel(one.parts, quote=plainly_quoted)
    told = {"kind": "attribute", "cel": condition, "window": f"{one.frame_s}s", "min_alerts": max(one.threshold, 2)}
    return told | ({"by": list(one.by)} if one.by else {})
