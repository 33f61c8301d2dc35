"""What Alertmanager's rules say of alerts that fire at one moment: which are hidden, by what, and how they are grouped.

The semantics of its documentation: a missing label is empty; an alert that matches both sides of a rule is not hidden
by another one that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from stanza_lab.errors import SchemaError
from stanza_lab.incidents.rules._matchers import Matcher, parse

Labels = Mapping[str, str]


@dataclass(frozen=True)
class InhibitRule:
    """One entry of `inhibit_rules`."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def hides(self, target: Labels, source: Labels) -> bool:
        """Tell whether `source`, firing, hides `target`."""
        if not _matches(self.target, target) or not _matches(self.source, source):
            return False
        if any(target.get(name, "") != source.get(name, "") for name in self.equal):
            return False
        return not (_matches(self.source, target) and _matches(self.target, source))


@dataclass(frozen=True)
class Rules:
    """What a configuration groups by, and what it hides."""

    group_by: tuple[str, ...]
    inhibit: tuple[InhibitRule, ...]

    def hidden_by(self, alert: Labels, firing: Iterable[Labels]) -> list[Labels]:
        """Return the firing alerts that hide an alert."""
        return [one for one in firing if any(rule.hides(alert, one) for rule in self.inhibit)]

    def group(self, alert: Labels) -> dict[str, str]:
        """Return the labels of the group that an alert falls into."""
        names = sorted(alert) if self.group_by == ("...",) else self.group_by
        return {name: alert[name] for name in names if name in alert}


def read_config(path: Path) -> Rules:
    """Return the rules of a configuration, of its top route.

    Raises
    ------
    SchemaError
        It is no configuration, or holds child routes, which are not predicted.
    """
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        route = dict(told["route"])
        children, group_by = route.get("routes"), tuple(route.get("group_by") or ())
        inhibit = tuple(_rule(entry) for entry in told.get("inhibit_rules") or ())
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise SchemaError(f"{path} is no configuration of Alertmanager that can be read: {error}") from error
    if children:
        raise SchemaError(f"{path} has child routes; replay the rules with one route, as the export writes it")
    return Rules(group_by, inhibit)


def _rule(entry: Mapping[str, Any]) -> InhibitRule:
    return InhibitRule(
        _read(entry["source_matchers"]),
        _read(entry["target_matchers"]),
        tuple(entry.get("equal") or ()),
    )


def _read(entries: Iterable[str]) -> tuple[Matcher, ...]:
    return tuple(one for entry in entries for one in parse(entry, "inhibit_rules"))


def _matches(matchers: Iterable[Matcher], labels: Labels) -> bool:
    return all(_holds(matcher, labels.get(matcher.name, "")) for matcher in matchers)


def _holds(matcher: Matcher, value: str) -> bool:
    if matcher.operator in ("=", "!="):
        return (value == matcher.value) != matcher.operator.startswith("!")
    found = pc.match_substring_regex(pa.scalar(value), pattern=rf"\A(?:{matcher.value})\z")  # RE2: linear time
    return bool(found.as_py()) != matcher.operator.startswith("!")
