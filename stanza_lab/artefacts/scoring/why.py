"""Why an alert belongs to an incident, in one sentence out of the parts of its distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stanza_lab.artefacts.exports.quoting import one_line
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanza_lab.incidents.stream import Placed

LONGEST = 120  # characters of a name
_WORTH = 30.0  # seconds from which a part is worth a word
_DRAWS = {
    "calls": "their services depend on each other",
    "trace": "they share a trace",
    "kind": "they are of one kind",
    "recovery": "they recovered together",
    "recurrence": "their rules came together before",
    "chronic": "their rules fire when things break",
    "company": "much else fires with them",
}
_PUSHES = {
    "service": "other services",
    "team": "other teams",
    "environment": "other environments",
    "recurrence": "their rules seldom came together",
    "chronic": "their rules fire by chance too",
    "crowd": "a crowded hour",
}


def name(text: Any) -> str:
    """Return a name as it may stand in a line on a terminal."""
    return one_line(str(text), longest=LONGEST)


def why(placed: Placed, near: Mapping[str, Any] | None) -> str:
    """Return why an alert is where it is; `near` is the alert that holds it most."""
    if placed.status == "late":
        return "it came later than alerts are remembered: nothing is known of what fired with it"
    if placed.status == "alone":
        return "nothing that fired near it belongs to it, by now"
    said = []
    if near is not None and "time" in placed.parts:
        about = " ".join(name(near[key]) for key in ("service", "alertname") if near.get(key))
        said.append(f"{words.span(placed.parts['time'])} from {about or 'another alert'}")
    elif near is not None:
        said.append("at the same time as another alert")
    parts = placed.parts.items()
    drawn = [(seconds, _DRAWS[part]) for part, seconds in parts if seconds <= -_WORTH and part in _DRAWS]
    pushed = [(-seconds, _PUSHES[part]) for part, seconds in parts if seconds >= _WORTH and part in _PUSHES]
    if "service" not in placed.parts and near is not None:
        said.append("the same service or resource")
    said += [text for _, text in sorted(drawn)]
    if pushed:
        said.append(f"against it: {', '.join(text for _, text in sorted(pushed))}")
    return "; ".join(said) or "it joined a storm too large to be looked at alert by alert"
