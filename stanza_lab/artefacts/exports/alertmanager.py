"""Alertmanager: a route that groups by labels, and rules that hide an effect while its cause fires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
import yaml

from stanza_lab import schema
from stanza_lab.artefacts.exports._labels import LABELS, Labelled, labelled, read_labels
from stanza_lab.artefacts.exports.quoting import one_line
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Link, Walk

WHAT = "route with group_by, and inhibit_rules from the dependencies, for Alertmanager 0.22 and later"
PROVEN_BY = "amtool check-config, and a real Alertmanager (stanza-lab replay-alertmanager)"
OPTIONS = {
    "labels": LABELS,
    "max_q": Option("largest share of false rules expected among the inhibitions, 0 to 1", 0.05, "number"),
}
_TELLING = ("telling", "unclear")  # habits of a cause: what flaps or always fires must hide nothing
_MOST_CHRONIC = 0.5


@dataclass(frozen=True)
class Inhibition:
    """While an alert with the labels of `cause` fires, those with the labels of `effect` page nobody."""

    cause: Labelled
    effect: Labelled
    link: Link
    probability: float
    evidence: str


def write(walk: Walk, *, labels: str | None, max_q: float) -> Written:
    """Return a whole configuration, the rules alone, and what speaks for each."""
    rules, lost = labelled(walk, labels, severity=True)
    found, refused = inhibitions(walk, rules, max_q=max_q)
    group_by = _group_by(rules, read_labels(labels))
    config = {
        "route": {
            "receiver": "default",
            "group_by": group_by,
            "group_wait": "30s",
            "group_interval": _seconds(walk.settings.get("resolution", 240.0)),
            "repeat_interval": "4h",
        },
        "receivers": [{"name": "default"}],
        "inhibit_rules": [_rule(one) for one in found],
    }
    told = [_evidence(one) for one in found]
    lost += refused
    lost.append("incidents themselves: Alertmanager groups by equal labels, not by what fires together")
    lost.append("confidences: an inhibition holds or does not; they stand in evidence.json")
    for what, there in (("patterns", walk.patterns is not None), ("reactions", walk.reactions is not None)):
        if there:
            lost.append(f"{what}: Alertmanager has no place for them")
    return Written(
        {
            "alertmanager.yml": _yaml(config, found),
            "inhibit_rules.yml": _yaml({"inhibit_rules": config["inhibit_rules"]}, found),
            "evidence.json": orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
        },
        lost,
    )


def inhibitions(walk: Walk, rules: list[Labelled], *, max_q: float) -> tuple[list[Inhibition], list[str]]:
    """Return what may be hidden by what, and in sentences how much was refused and why.

    An effect is hidden only by the alert of a service that its own depends on, likelier than not in this direction,
    when the one alert was seen to follow the other more often than by chance; by none that flaps or fires whatever
    happens; by none that is less severe; and never in a circle.
    """
    follows = walk.propagation
    if follows.empty:
        return [], ["no alert was seen to lead to another on a dependency often enough: there are no inhibit_rules"]
    by_name: dict[tuple[str | None, str | None], list[Labelled]] = {}
    for one in rules:
        by_name.setdefault((one.rule.service, one.rule.alertname), []).append(one)
    links = {(link.src, link.dst): link for link in walk.links if link.confidence >= walk.min_confidence}
    likely = follows[follows["q_value"].le(max_q) & follows["probability"].notna()]
    likely = likely.sort_values(["probability", "src", "dst"], ascending=[False, True, True], kind="stable")
    found: list[Inhibition] = []
    refused: dict[str, int] = {}
    for row in likely.to_dict("records"):
        link = links.get((row["src"], row["dst"]))
        causes = by_name.get((row["dst"], row["callee_kind"]), [])
        effects = by_name.get((row["src"], row["caller_kind"]), [])
        if link is None or not causes or not effects:
            why = "are on no link that is sure enough" if link is None else "are of rules that no matcher can tell"
            refused[why] = refused.get(why, 0) + 1
            continue
        for cause in causes:
            for effect in effects:
                against = _refusal(cause, effect, found)
                if against is None:
                    found.append(Inhibition(cause, effect, link, float(row["probability"]), str(row["words"])))
                else:
                    refused[against] = refused.get(against, 0) + 1
    said = [f"{words.count(count, 'pair')} of alerts {why}" for why, count in sorted(refused.items())]
    unsure = len(follows) - len(likely)
    if unsure:
        said.append(
            f"{words.count(unsure, 'pair')} of alerts on links came together no more often than chance explains"
        )
    return found, said


def _refusal(cause: Labelled, effect: Labelled, found: list[Inhibition]) -> str | None:
    """Return why a cause must not hide an effect; None: it may."""
    if cause.rule.habit not in _TELLING or cause.rule.chronic > _MOST_CHRONIC:
        return "begin with one that fires whatever happens, and would hide the other for no reason"
    if _severity(cause, unknown=-1) < _severity(effect, unknown=len(schema.SEVERITIES)):
        return "begin with one that is less severe, or of a severity that is not known"
    if cause.covers(effect) or effect.covers(cause):
        return "cannot be told apart by their labels"
    if _leads(effect, cause, found):
        return "would hide each other in a circle"
    return None


def _leads(start: Labelled, goal: Labelled, found: list[Inhibition]) -> bool:
    """Tell whether `start` hides `goal` already, over whatever stands between."""
    ahead, seen = [start.rule.rule], {start.rule.rule}
    while ahead:
        here = ahead.pop()
        if here == goal.rule.rule:
            return True
        for one in found:
            if one.cause.rule.rule == here and one.effect.rule.rule not in seen:
                seen.add(one.effect.rule.rule)
                ahead.append(one.effect.rule.rule)
    return False


def _severity(one: Labelled, *, unknown: int) -> int:
    """Return the rank of a severity; one that is not known counts against hiding."""
    severity = one.rule.severity
    return schema.SEVERITIES.index(severity) if severity in schema.SEVERITIES else unknown


def _group_by(rules: list[Labelled], promised: dict[str, str]) -> list[str]:
    """Return the labels that tell one service from another and that all rules carry; else the name of the alert."""
    if promised:
        return sorted({promised[name] for name in ("service", "environment") if name in promised})
    shared = set.intersection(*(set(one.labels) for one in rules)) if rules else set()
    says = [name for name in sorted(shared) if all(one.labels[name] == one.rule.service for one in rules)]
    return says[:1] or (["alertname"] if "alertname" in shared else [])


def _rule(one: Inhibition) -> dict[str, Any]:
    """Return an inhibition; without `equal`: where a label is missing on both sides, it would be equal."""
    return {"source_matchers": _matchers(one.cause), "target_matchers": _matchers(one.effect)}


def _matchers(one: Labelled) -> list[str]:
    return [f"{name}={quoted(value)}" for name, value in sorted(one.labels.items())]


def quoted(value: str) -> str:
    """Return a value between double quotes, as a matcher of any version reads it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _evidence(one: Inhibition) -> dict[str, Any]:
    return {
        "cause": one.cause.labels,
        "effect": one.effect.labels,
        "dependency": {
            "src": one.link.src,
            "dst": one.link.dst,
            "confidence": one.link.confidence,
            "provenance": list(one.link.provenance),
        },
        "probability": one.probability,
        "words": one_line(one.evidence),
    }


def _yaml(config: dict[str, Any], found: list[Inhibition]) -> bytes:
    """Return YAML, with a line of evidence before each rule."""
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=False, width=10_000, default_flow_style=False)
    lines, told = [], iter(found)
    for line in text.splitlines():
        if line.startswith("- source_matchers:"):
            one = next(told)
            evidence = one_line(one.evidence).encode("ascii", "backslashreplace").decode()
            sure = words.probability(one.link.confidence)
            lines.append(f"# {evidence}; the dependency: {sure}")
        lines.append(line)
    return ("\n".join(lines) + "\n").encode()


def _seconds(seconds: float) -> str:
    return f"{max(int(pd.Timedelta(seconds=seconds).total_seconds()), 1)}s"
