"""Which labels an alert of a rule carries where it is routed: those it was seen with, or those somebody promises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stanza_lab.artefacts.bundle.contents import LABELLED
from stanza_lab.artefacts.exports.registry import Option
from stanza_lab.errors import ParameterError
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Rule, Walk

FIELDS = ("alertname", "service", "team", "environment", "severity")
LABELS = Option(
    "which labels your alerts will carry for our fields, as alertname=alertname,service=app; default: those seen in "
    "the alerts of Alertmanager and Grafana",
)
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ALWAYS = 1.0  # share of a source's alerts that carry a label


@dataclass(frozen=True)
class Labelled:
    """A rule, and the labels that every alert of it carries."""

    rule: Rule
    labels: dict[str, str]

    def covers(self, other: Labelled) -> bool:
        """Tell whether an alert of `other` could carry all of these labels too."""
        return all(other.labels.get(name, value) == value for name, value in self.labels.items())


def labelled(walk: Walk, labels: str | None, *, severity: bool = False) -> tuple[list[Labelled], list[str]]:
    """Return the rules that matchers can tell, and in sentences which they cannot.

    Without a promise only labels count that every alert of the rule's source carried, with one value on this rule's:
    a label that may be missing is empty, and empty equals empty. With `severity` a promised one counts too, with the
    value it usually has: what is said of the rule then holds for no other severity.
    """
    promised = read_labels(labels)
    fields = {field: label for field, label in promised.items() if severity or field != "severity"}
    told = [_promised(rule, fields) if promised else _seen(walk, rule) for rule in walk.rules]
    name = promised.get("alertname", "alertname")
    usable = [one for one in told if name in one.labels and len(one.labels) > 1]
    lost = []
    if missing := len(told) - len(usable):
        why = "lack a name or a service" if promised else "never carried labels that an Alertmanager saw"
        lost.append(
            f"{words.count(missing, 'rule')} of {len(told)} {why}: no matcher can tell their alerts"
            + ("" if promised else "; pass labels= to say which labels they will carry")
        )
    rivals = [one for one in told if name in one.labels]
    return _told_apart(usable, rivals, name, lost)


def read_labels(labels: str | None) -> dict[str, str]:
    """Return our field -> their label, from text."""
    if not labels:
        return {}
    found = {}
    for pair in labels.split(","):
        field, _, label = (part.strip() for part in pair.partition("="))
        if field not in FIELDS or not _NAME.fullmatch(label):
            raise ParameterError(
                f"labels={labels[:200]!r}: {pair[:60]!r} must be field=label, the field one of {', '.join(FIELDS)}, "
                "the label of letters, digits and underscores"
            )
        found[field] = label
    if not {"alertname", "service"} <= found.keys():
        raise ParameterError(
            f"labels={labels[:200]!r} must name labels for alertname and service: they tell rules apart"
        )
    return found


def _promised(rule: Rule, promised: dict[str, str]) -> Labelled:
    values = {label: getattr(rule, field) for field, label in promised.items()}
    whole = rule.alertname and rule.service
    return Labelled(rule, {name: value for name, value in values.items() if value} if whole else {})


def _seen(walk: Walk, rule: Rule) -> Labelled:
    if rule.source not in LABELLED:
        return Labelled(rule, {})
    known = walk.labels[(walk.labels["source"] == rule.source) & (walk.labels["share"] >= _ALWAYS)]
    always = set(known["label"])
    kept = {name: value for name, value in sorted(rule.labels.items()) if name in always and _NAME.fullmatch(name)}
    return Labelled(rule, kept if "alertname" in kept else {})


def _told_apart(
    usable: list[Labelled], rivals: list[Labelled], name: str, lost: list[str]
) -> tuple[list[Labelled], list[str]]:
    """Leave out rules whose matchers could mean the alerts of another rule too: that one may flap, or be severe.

    `name` is the label that names the alert: only rules of one name can be taken for each other.
    """
    namesakes: dict[str, list[Labelled]] = {}
    for one in rivals:
        namesakes.setdefault(one.labels[name], []).append(one)
    kept = [
        one
        for one in usable
        if not any(one.covers(other) for other in namesakes[one.labels[name]] if other.rule.rule != one.rule.rule)
    ]
    if twice := len(usable) - len(kept):
        lost.append(
            f"{words.count(twice, 'rule')} {'carries' if twice == 1 else 'carry'} labels that alerts of another one "
            "may carry too: no matcher can tell them apart"
        )
    return kept, lost
