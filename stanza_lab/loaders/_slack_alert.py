"""The alert a Slack message carries, and what tells whose it is and in which state."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stanza_lab.loaders._origins import origin as named
from stanza_lab.loaders._records import Ignored
from stanza_lab.loaders._slack_states import State, hinted, kind_of, state_of

if TYPE_CHECKING:
    from stanza_lab.loaders._slack_text import Content

NO_ALERT = Ignored("slack message of a bot that is no alert")


@dataclass(slots=True)
class Alert:
    """The alert a message carries.

    Attributes
    ----------
    origin : str or None
        The system that raised it, None when nothing tells.
    kind : str
        What happened.
    alertname : str
        Its name, without state.
    rule : str
        What recurs: begins with the name, or is an id of the origin.
    in_place : bool
        The bot edits its message when the state changes, instead of sending another.
    occurrence : str or None
        The origin's key of one firing interval.
    summary : str or None
        A line for people where the message has none that says it.
    time : str or None
        When it happened, where it is stated.
    stated : dict
        More that is stated, as fields are.
    """

    origin: str | None
    kind: str
    alertname: str
    rule: str
    in_place: bool = False
    occurrence: str | None = None
    has_recovery: bool = True
    severity: str | None = None
    service: str | None = None
    url: str | None = None
    summary: str | None = None
    time: str | None = None
    stated: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bot:
    """Who posted: its names, the id of its app, whether it is an integration of the old kind."""

    names: tuple[str, ...]
    app_id: str | None = None
    old: bool = False


Found = Alert | Ignored | None

_PAGERDUTY_APP = "A1FKYAUUX"
HOSTS = {
    "datadog": re.compile(r"//[^/]*\b(?:datadoghq\.(?:com|eu)|ddog-gov\.com)/"),
    "pagerduty": re.compile(r"//[^/]*\bpagerduty\.com/"),
    "sentry": re.compile(r"//[^/]*\bsentry\.io/|//[^/]*\bsentry\.[^/]+/.*issues/\d"),
    "honeycomb": re.compile(r"//ui\.(?:[a-z0-9]+\.)?honeycomb\.io/"),
    "opsgenie": re.compile(r"//[^/]*\bopsgenie\.com/|//opsg\.in/|atlassian\.net/.*/(?:ops|opsgenie)/"),
    "newrelic": re.compile(r"//[^/]*\bnewrelic\.com/|//onenr\.io/"),
    "elastic": re.compile(r"//[^/]*(?:kibana|\b(?:es\.io|elastic-cloud\.com|found\.io)[:/])|/app/observability/alerts"),
    "cloudwatch": re.compile(r"//[^/]*\bconsole\.[^/]*aws[^/]*/cloudwatch/"),
    "grafana": re.compile(r"//[^/]*grafana"),
    "azure": re.compile(r"//portal\.azure\.com/"),
    "gcp": re.compile(r"//console\.cloud\.google\.com/monitoring/"),
}
UPTIME = {
    "upptime": "upptime",
    "uptimerobot": r"uptime ?robot",
    "pingdom": "pingdom",
    "statuscake": "status ?cake",
    "uptimekuma": "uptime ?kuma",
    "betterstack": r"better ?(?:stack|uptime)",
    "healthchecks": r"health ?checks",
    "freshping": "freshping",
    "hetrixtools": "hetrix",
}


def origin_of(said: Content, bot: Bot) -> str | None:
    """Return the system a message is from: by the bot's app and name, its footer, else where its links lead."""
    if bot.app_id == _PAGERDUTY_APP:
        return "pagerduty"
    spoken = " ".join(bot.names).lower()
    known = next((system for system, words in UPTIME.items() if re.search(words, spoken)), None)
    known = known or named(*bot.names) or named(said.footer)
    return known or next((system for system, host in HOSTS.items() for url, _ in said.links if host.search(url)), None)


def update_of(said: Content) -> str | None:
    """Return what a message in a thread says happened to the alert it belongs to."""
    for line in (*said.titles, *said.heads):
        if (state := state_of(line)).kind:
            return state.kind
        if match := re.search(r"\b(acknowledged|resolved|re-?triggered|closed|re-?opened)\b", line, re.IGNORECASE):
            return kind_of(match[1]) or "renotified"
    return None


def lines_of(said: Content) -> list[str]:
    """Return titles, then the other heads."""
    return [*said.titles, *said.heads]


def told_state(said: Content) -> State:
    """Return the state a title tells, else a field, colour, line or emoji, named by the first title.

    Without titles it is the first line that tells one, named by itself.
    """
    titles = [state_of(line) for line in said.titles]
    heads = [state for line in said.heads if (state := state_of(line)).name.lower() not in _STATE_FIELDS]
    if told := next((state for state in (titles or heads) if state.kind), None):
        return told
    first = (titles or heads or [State(None, "")])[0]
    word = next((said.stated[key] for key in _STATE_FIELDS if key in said.stated), None)
    body = next((state for state in heads if state.kind), first)
    kind = kind_of(word) or hinted(said.colour, ()) or body.kind or hinted(None, said.emoji)
    return State(kind, first.name, word or body.word, first.severity, first.scope)


_STATE_FIELDS = ("current state", "state", "status", "alert status", "alert state")
