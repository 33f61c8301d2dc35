"""Why a service may be where an incident began, in words: what speaks for it, then what speaks against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.production import words
from stanza_lab.production.spread.suspects import NOTICED_S

if TYPE_CHECKING:
    from stanza_lab.production.spread.suspects import Suspects

LIKELY = 0.5  # probability from which one stands out
POSSIBLE = 0.2  # and from which it is worth a look
_LINKED = 0.2  # probability of a dependency that is named
_RARE, _COMMON = 0.05, 0.3  # chance of alerting for no reason, below and above which it is said
# As benchmarks/origins.py prints.
_MEASURED = "probabilities hold on simulated productions; on recorded faults they were surer than right"
_OF_ITS_OWN = ("saturation", "availability")


def one(name: str, probability: float, why: list[str]) -> str:
    """Return one sentence on one suspect."""
    return f"{name}: {words.probability(probability)}; {'; '.join(why)}"


def reasons(found: Suspects, suspect: int) -> list[str]:
    """Return what speaks for a suspect, then against it."""
    if suspect >= found.alerting:
        return [
            *_silent(found, suspect),
            *_explains(found, suspect),
            *_deploy(found, suspect),
            *_against(found, suspect),
        ]
    said = [f"{words.count(int(found.alerts[suspect]), 'alert')} of {int(found.alerts.sum()):,}"]
    what = [word for word in found.what[suspect] if word in _OF_ITS_OWN]
    if what:
        said.append(f"it says {' and '.join(what)}, which seldom comes from elsewhere")
    chance = float(found.chance[suspect])
    if chance <= _RARE:
        said.append(f"it seldom alerts: {words.probability(chance)} in so long a time by chance")
    said += _order(found, suspect) + _explains(found, suspect) + _deploy(found, suspect)
    if chance >= _COMMON:
        said.append(f"against it: it often alerts, {words.probability(chance)} in so long a time by chance")
    return said + _against(found, suspect)


def _silent(found: Suspects, suspect: int) -> list[str]:
    before = int(found.episodes[suspect])
    if not before:
        return ["it never alerts: nothing shows when it fails"]
    return [f"against it: it is silent, and alerted {words.count(before, 'time')} outside this incident"]


def _order(found: Suspects, suspect: int) -> list[str]:
    others = np.delete(found.first_us[: found.alerting], suspect)
    if not len(others):
        return ["nobody else alerted"]
    ahead = float(others.min() - found.first_us[suspect]) / 1e6
    if ahead > NOTICED_S:
        return [f"began to alert {words.span(ahead)} before the next"]
    if ahead < -NOTICED_S:
        return [f"against it: began to alert {words.span(ahead)} after the first"]
    return [f"began within {words.span(NOTICED_S)} of the first: their order says little"]


def _explains(found: Suspects, suspect: int) -> list[str]:
    needs = found.needs[:, suspect]
    ranked = np.argsort(-needs, kind="stable")
    named = found.names[ranked[needs[ranked] >= _LINKED]]
    if not len(named):
        return ["against it: nobody who alerted is known to depend on it"] if found.alerting > 1 else []
    return [f"it would explain {words.listing(named)}"]


def _deploy(found: Suspects, suspect: int) -> list[str]:
    at = found.deployed[suspect]
    if at is None:
        return []
    first = pd.Timestamp(int(found.first_us[: found.alerting].min()), unit="us", tz="UTC")
    return [f"changed at {at:%H:%M} UTC, {words.span((first - at).total_seconds())} before the first alert"]


def _against(found: Suspects, suspect: int) -> list[str]:
    said = []
    if suspect < found.alerting:
        by = found.needs[suspect, : found.alerting]
        ranked = np.argsort(-by, kind="stable")
        named = ranked[by[ranked] >= _LINKED]
        if len(named):
            sure = words.probability(float(by[named[0]]))
            said.append(f"against it: it may depend on {words.listing(found.names[named])} ({sure}), alerting too")
    callers = [name for name, likely in found.callers[suspect] if likely >= _LINKED]
    if callers:
        said.append(f"against it: {words.listing(callers)} would likely alert too, and did not")
    return said


def summary(
    table: pd.DataFrame, found: Suspects, outside: float, *, unlocated: int, told: bool, history: int
) -> list[str]:
    """Say whether one stands out, what that is known from, and what could not be seen."""
    said = [_verdict(table, outside)]
    services = words.count(found.alerting, "service")
    said.append(f"from {words.count(int(found.alerts.sum()), 'alert')} of {services} and the links of the map")
    if not history:
        said.append("the map has no alerts: what is usual is not known; pass alerts= to the map")
    if unlocated:
        verb = "says" if unlocated == 1 else "say"
        said.append(f"{words.count(unlocated, 'alert')} {verb} no service and could not be used")
    if len(found.names) == found.alerting:
        said.append("nothing that did not alert is known to be behind these: only those that alerted are suspects")
    blind = table.loc[table["silent"] & (table["probability"] >= 0.01), "service"].tolist()
    if blind:
        said.append(f"suspected through the links alone, without an alert of their own: {words.listing(blind)}")
    if not told:
        said.append("deploys and other changes were not given and not looked at; pass events=")
    said.append(f"something that is none of these, as a shared host or network: {words.probability(outside)}")
    said.append(_MEASURED)
    return said


def _verdict(table: pd.DataFrame, outside: float) -> str:
    first = table.iloc[0]
    sure = words.probability(float(first["probability"]))
    if first["probability"] >= LIKELY:
        return f"it likely began at {first['service']} ({sure})"
    if first["probability"] >= max(POSSIBLE, outside):
        pairs = zip(table["service"].iloc[:2], table["probability"].iloc[:2], strict=True)
        named = ", ".join(f"{name} ({words.probability(float(share))})" for name, share in pairs)
        return f"no service is likelier than not; first to look at: {named}"
    if outside >= LIKELY:
        return f"no service stands out: something that is none of them is likelier ({words.probability(outside)})"
    return f"no service stands out: the first of them, {first['service']}, has {sure}"


def nothing(alerts: int, unlocated: int, until: pd.Timestamp | None) -> str:
    """Say why there is nothing to rank."""
    if unlocated:
        return f"no service can be suspected: none of {words.count(alerts, 'alert')} says its service"
    when = "" if until is None else f" until {until:%Y-%m-%d %H:%M} UTC"
    return f"no service can be suspected: there is no alert{when}"
