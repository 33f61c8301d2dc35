"""The alert a bot's message carries: bots are told by what they write, for they are named freely."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from stanza_lab.loaders import honeycomb
from stanza_lab.loaders._records import Ignored
from stanza_lab.loaders._slack_alert import (
    HOSTS,
    NO_ALERT,
    UPTIME,
    Alert,
    Bot,
    Found,
    lines_of,
    origin_of,
    told_state,
    update_of,
)
from stanza_lab.loaders._slack_aws import amazon
from stanza_lab.loaders._slack_states import hinted, kind_of, state_of
from stanza_lab.loaders._slack_text import Content, without_emoji

_NUMBERED = re.compile(r"(?:(?:alert|incident|issue)\s+)?\[?#(?P<number>\d+)\]?\s*:?\s*(?P<rest>.*)", re.IGNORECASE)
_QUOTES = "\"'“”"


def alert_of(said: Content, bot: Bot) -> Alert | Ignored:
    """Return the alert a message carries, or that it carries none."""
    if _CHATTER.search(" ".join(bot.names).lower()):
        return NO_ALERT
    for reader in _READERS:
        if (found := reader(said, bot)) is not None:
            return found
    return NO_ALERT


def _prometheus(said: Content, bot: Bot) -> Found:
    """Read ``[FIRING:2] name (values of labels)`` of Alertmanager and Grafana, ``[Alerting] name`` of the latter."""
    grafana = origin_of(said, bot) == "grafana"
    for line in lines_of(said):
        match = (_GROUP if not grafana else _GRAFANA).match(line)
        if match is None:
            continue
        word = match["word"].lower()
        kind = {"firing": "fired", "alerting": "fired", "no data": "fired"}.get(word, kind_of(word))
        if kind is None:
            return NO_ALERT  # "Pending", "Paused"
        title = without_emoji(line[match.end() :])
        before, _, values = title.partition("(") if title.endswith(")") else (title, "", "")
        values = values.removesuffix(")").strip()
        alertname = said.stated.get("alertname") or before.strip() or (values.split() or [""])[0]
        if not alertname:
            return NO_ALERT
        if alertname.lower() in _HEARTBEATS:
            return Ignored("alertmanager heartbeat")
        rule = "|".join(filter(None, (before.strip(), values)))
        word_of_severity = next((word for word in reversed(values.split()) if word in _LABEL_SEVERITIES), None)
        origin = "grafana" if grafana else "alertmanager"
        return Alert(origin, kind, alertname, rule, severity=word_of_severity, stated={"group": values})
    return None


_GROUP = re.compile(r"\[(?P<word>FIRING|RESOLVED)(?::\d+)?(?:,\s*[A-Z]+:\d+)*\]\s*")
_GRAFANA = re.compile(
    r"\[(?P<word>FIRING|RESOLVED|Alerting|OK|No Data|Pending|Paused)(?::\d+)?(?:,\s*[A-Z]+:\d+)*\]\s*", re.IGNORECASE
)
_HEARTBEATS = ("watchdog", "infoinhibitor", "deadmansswitch", "deadmanssnitch")
_LABEL_SEVERITIES = ("critical", "error", "warning", "info", "page")


def _datadog(said: Content, bot: Bot) -> Found:
    """Read a monitor's ``Triggered: [P2] name on scope``, and a page of Datadog On-Call."""
    for line in lines_of(said):
        if match := _PAGE.match(line):
            title = match["title"].strip()
            kind = kind_of(said.stated.get("status")) or state_of(line[: match.start("number")]).kind or "fired"
            return Alert("datadog", kind, title, title, in_place=True, stated={"page": match["number"]})
    if origin_of(said, bot) != "datadog":
        return None
    state = told_state(said)
    if state.kind is None or not state.name:
        return NO_ALERT
    title, scope = state.name, state.scope
    if match := _SCOPE.fullmatch(title):
        title, scope = match["title"], match["scope"]
    url = next((url for url, _ in said.links if "/monitors/" in url), None)
    monitor = re.search(r"/monitors/(\d+)", url or "")
    query = parse_qs(urlsplit(url).query) if url else {}
    group = next(iter(query.get("group", [])), scope or "").strip("{}")
    scoped = [pair.partition(":") for pair in (group or scope or "").strip("{}").split(",")]
    tags = {key.strip().lower(): value.strip() for key, colon, value in scoped if colon}
    key = monitor[1] if monitor else title
    triggered = re.search(r"last triggered at (.+?)\.?$", "\n".join(said.lines), re.MULTILINE)
    return Alert(
        "datadog",
        state.kind,
        title,
        f"{key}|{','.join(sorted(filter(None, map(str.strip, group.split(',')))))}".rstrip("|"),
        severity=state.severity,
        url=url,
        stated={
            **tags,
            "event_id": next(iter(query.get("event_id", [])), None),
            "last_triggered": triggered[1] if triggered else None,
            "monitor_id": monitor[1] if monitor else None,
        },
    )


_PAGE = re.compile(r"(?:\w+:?\s+)?Page #(?P<number>[\w-]+):\s*(?P<title>\S.*)")
_SCOPE = re.compile(r"(?P<title>.*\S)\s+on\s+\{?(?P<scope>(?:[^\s{},:]+:[^\s{},]+|\*)(?:,\s?[^\s{},]+)*)\}?")


def _pagerduty(said: Content, bot: Bot) -> Found:
    """Read an incident; the app edits its message, the integration of old sent one per change."""
    if origin_of(said, bot) != "pagerduty":
        return None
    state = told_state(said)
    labels = [label for url, label in said.links if "/incidents/" in url]
    for line in (*labels, state.name, *lines_of(said)):
        if match := _NUMBERED.fullmatch(without_emoji(line)):
            break
    else:
        return NO_ALERT
    incident = next((m[1] for url, _ in said.links if (m := re.search(r"/incidents/(\w+)", url))), match["number"])
    title = state_of(match["rest"] or f"incident {match['number']}")
    called = title.name if title.kind is None or title.word is None or title.severity else match["rest"]
    service = said.stated.get("service")
    return Alert(
        "pagerduty",
        state.kind or "fired",
        called,
        "|".join(filter(None, (called, service))),
        in_place=not bot.old,
        occurrence=f"pagerduty|{incident}",
        severity=title.severity,
        service=service,
        url=next((url for url, _ in said.links if "/incidents/" in url), None),
        stated={"incident": incident, "number": match["number"]},
    )


def _sentry(said: Content, bot: Bot) -> Found:
    """Read an issue. Sentry tells in Slack when a person resolves it, not when it stops."""
    issue = next(((url, label, m[1]) for url, label in said.links if (m := _ISSUE.search(url))), None)
    if issue is None or origin_of(said, bot) != "sentry":
        return None
    url, label, number = issue
    said.stated.pop("state", None)  # of the issue: "Ongoing", "New"
    title = label or (lines_of(said) or [number])[0]
    state = state_of((lines_of(said) or [""])[0])
    kind = "resolved" if state.kind == "resolved" else "fired"
    project = said.stated.get("project")
    return Alert(
        "sentry",
        kind,
        without_emoji(title),
        number,
        has_recovery=False,
        severity=said.stated.get("level"),
        service=project,
        url=url,
        stated={"issue": number},
    )


_ISSUE = re.compile(r"/issues/(\d+)")


def _honeycomb(said: Content, bot: Bot) -> Found:
    """Read a trigger or burn alert; the address of the trigger names environment and dataset."""
    if origin_of(said, bot) != "honeycomb":
        return None
    state = told_state(said)
    if state.kind is None or not state.name:
        return NO_ALERT
    url = next((url for url, _ in said.links if re.search(r"honeycomb\.io/.*/(?:triggers|slo)/", url)), None)
    place = honeycomb.address(url or next((url for url, _ in said.links if "honeycomb.io/" in url), None))
    trigger = re.search(r"/(?:triggers|slo)/(\w+)", url or "")
    rule = "|".join(filter(None, (place.get("dataset"), trigger[1]))) if trigger else state.name
    stated = {key: value for key, value in place.items() if key != "team"}
    return Alert("honeycomb", state.kind, state.name, rule, url=url, severity=state.severity, stated=stated)


def _opsgenie(said: Content, bot: Bot) -> Found:
    """Read an alert: its message is edited, or others follow in which the action is told."""
    if origin_of(said, bot) != "opsgenie":
        return None
    labels = [label for url, label in said.links if HOSTS["opsgenie"].search(url)]
    lines = [without_emoji(line).strip(_QUOTES) for line in (*labels, *lines_of(said))]
    tiny = next((m for line in lines if (m := re.search(r"#(?P<number>\d+)\]?\s*:?\s*(?P<rest>\S.*)", line))), None)
    status = kind_of(said.stated.get("status"))
    kind = status or update_of(said) or hinted(said.colour, said.emoji)
    if tiny is None or kind is None:
        return None if tiny is None else NO_ALERT
    title = re.split(r'"\s+(?:is|was|has been)\s|"$', tiny["rest"].strip())[0].strip(_QUOTES)
    team = said.stated.get("routed teams") or said.stated.get("team")
    priority = (said.stated.get("priority") or "").split("-")[0].strip() or None
    return Alert(
        "opsgenie",
        kind,
        title,
        title,
        in_place=not bot.old,
        occurrence=f"opsgenie|{tiny['number']}",
        severity=priority,
        stated={"number": tiny["number"], "team": team},
    )


def _newrelic(said: Content, bot: Bot) -> Found:
    """Read an issue: a line tells priority and state, a link the title."""
    if origin_of(said, bot) != "newrelic":
        return None
    match = next((m for line in lines_of(said) if (m := _PRIORITY.search(line))), None)
    state = told_state(said)
    kind = kind_of(match["state"]) if match else state.kind
    if kind is None:
        return NO_ALERT
    labels = [label for url, label in said.links if label and HOSTS["newrelic"].search(url)]
    rest = [line for line in lines_of(said) if not _PRIORITY.search(line)]
    title = next((without_emoji(line) for line in (*labels[:1], *rest) if line), state.name)
    priority = match["priority"] if match else said.stated.get("priority") or state.severity
    title = state_of(title).name if not match else title
    return Alert("newrelic", kind, title, title, severity=priority) if title else NO_ALERT


_PRIORITY = re.compile(
    r"\b(?P<priority>critical|high|medium|low|warning) priority issue (?:is|was|has been) (?P<state>\w+)", re.IGNORECASE
)


def _uptime(said: Content, bot: Bot) -> Found:
    """Read ``name is down (502 in 457 ms)`` of monitors that watch a site: the site is the service."""
    line = (lines_of(said) or [""])[0]
    origin = origin_of(said, bot)
    state = state_of(line)
    if origin not in UPTIME:
        if state.kind is None or not re.fullmatch(r"\(\d+ in \d+ ms\)\.?", state.tail):
            return None
        origin = "upptime"
    if match := _MONITOR.match(without_emoji(line)) or _KUMA.fullmatch(line):
        kind, site = kind_of(match["word"]), match["rest"]
    else:
        kind, site = state.kind or hinted(said.colour, said.emoji), state.name
    site = re.sub(r'^The check "(.+)"$', r"\1", site.strip(" .")).strip(_QUOTES)
    url = next((url for url, _ in said.links), None)
    if match := re.fullmatch(r"(?P<rest>.*?)\s*\(\s*(?P<url>(?:https?://)?[\w.-]+\.[a-z]{2,}\S*)\s*\)", site):
        site, url = match["rest"] or match["url"], url or match["url"]
    if kind is None or not site:
        return NO_ALERT
    tail = state.tail.strip("() ")
    return Alert(origin, kind, site, site, service=site, url=url, stated={"response": tail or None})


_KUMA = re.compile(r"\[(?P<rest>[^\]]+)\]\s*\[\W*(?P<word>Down|Up)\]\s*.*", re.IGNORECASE)
_MONITOR = re.compile(
    r"Monitor is (?P<word>down|up)[.:]?\s+(?P<rest>[^:(]+(?:\([^)]*\))?)(?:\s+-\s.*)?$", re.IGNORECASE
)


def _any(said: Content, bot: Bot) -> Found:
    """Read any other bot's message, if a word, a field, a colour or an emoji tells a state."""
    state = told_state(said)
    if state.kind is None or not state.name or re.match(r"(?:by|via)\b", state.name):
        return NO_ALERT
    if state.word is None and state.kind == "resolved" and _DONE.search(state.name):
        return NO_ALERT  # something went well: the colour tells no recovery
    return Alert(origin_of(said, bot), state.kind, state.name, state.name, severity=state.severity)


_DONE = re.compile(
    r"\b(?:succe\w+|completed?|finished|deployed|deployment|deploy|merged|passed|published|released?|build|done|welcome)\b",
    re.IGNORECASE,
)

# Bots whose colours and words tell the state of changes, tickets and meetings, not that of production.
_CHATTER = re.compile(
    r"\b(?:github|gitlab|bitbucket|jira|linear|trello|asana|jenkins|circle ?ci|travis|buildkite|argo ?cd|atlantis|"
    r"renovate|dependabot|google calendar|google drive|outlook|zoom|giphy|polly|donut|notion|confluence|slackbot|"
    r"geekbot|standuply|workflow builder)\b"
)
_READERS: tuple[Callable[[Content, Bot], Found], ...] = (
    amazon,
    _prometheus,
    _datadog,
    _pagerduty,
    _sentry,
    _honeycomb,
    _opsgenie,
    _newrelic,
    _uptime,
    _any,
)
