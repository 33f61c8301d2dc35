"""The state a bot's line tells, and the line without it: a firing and its recovery then have one name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stanza_lab.loaders._slack_text import without_emoji

_WORDS = {
    "fired": (
        *("triggered", "firing", "fired", "alerting", "alert", "alarm", "in alarm", "problem", "critical", "warning"),
        *("warn", "down", "open", "opened", "reopened", "activated", "active", "created", "no data", "unhealthy"),
        *("degraded", "offline", "unreachable", "unavailable", "breached", "new alert", "new incident", "error"),
        *("failed", "failing", "degraded performance", "experiencing degraded performance"),
    ),
    "renotified": (
        *("re triggered", "retriggered", "renotify", "renotified", "re notify", "re alert", "re warn", "re no data"),
        *("still firing", "still triggered", "still down"),
    ),
    "acknowledged": ("acknowledged", "acked", "acknowledgement"),
    "resolved": (
        *("resolved", "recovered", "recovery", "ok", "closed", "cleared", "up", "back up", "online", "back online"),
        *("back to normal", "normal", "healthy", "inactive", "no data recovered", "warn recovered", "all clear"),
        *("available", "deactivated"),
    ),
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words}
_SEVERITIES = (
    *("critical", "fatal", "page", "error", "high", "warning", "warn", "medium", "info", "low"),
    *("p1", "p2", "p3", "p4", "p5", "sev0", "sev1", "sev2", "sev3", "sev4"),
)
_EMOJI = {
    **dict.fromkeys(("red_circle", "fire", "rotating_light", "🔴", "🚨", "🔥", "🟥", "❌", "x", "‼"), "fired"),
    **dict.fromkeys(("large_red_square", "large_yellow_circle", "🟡", "🟨", "🟠", "large_orange_circle"), "fired"),
    **dict.fromkeys(("warning", "⚠", "exclamation", "heavy_exclamation_mark", "bangbang", "boom", "💥"), "fired"),
    **dict.fromkeys(("white_check_mark", "heavy_check_mark", "✅", "✔", "🟢", "🟩", "💚"), "resolved"),
    **dict.fromkeys(("large_green_circle", "large_green_square", "green_heart"), "resolved"),
}
_COLOURS = {"red": "fired", "yellow": "fired", "green": "resolved"}

_ANY = "|".join(re.escape(word).replace(r"\ ", "[ _-]") for word in sorted(_KINDS, key=len, reverse=True))
_BRACKET = re.compile(r"\[(?P<held>[^\[\]]{1,60})\]\s*(?:[:–-]\s+)?")
_HELD = re.compile(rf"(?P<word>{_ANY})(?::\d+)?(?:,\s*\w+:\d+)*(?:[ ]on[ ](?P<scope>.*))?", re.IGNORECASE)
_PREFIX = re.compile(
    rf"""
    (?P<word>{_ANY})
    (?: [ ]on[ ]\{{ (?P<scope>[^}}]*) \}} )?
    (?: [ ]in[ ][\dhms ]{{1,12}} )?
    (?: \s*:\s* | \s+[|–—-]\s+ | [ ](?=\#\d) )
    (?P<rest>\S.*)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SUFFIX = re.compile(
    rf"""
    (?P<rest>.*?\S)
    (?:
        \s+ (?:is|are|was|has|have|went|came|became|has[ ]been|have[ ]been|has[ ]gone)
        \s+ (?:(?:now|back|currently|been|again)\s+)*
      | \s* [:–-] \s+
    )
    (?P<word>{_ANY}) (?:[ ]again)?
    (?P<tail> [.!]? | \s*[(:,.!–-].* | [ ](?:after|for|since|on|at|by|in)[ ].* )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_IMPROVED = re.compile(r"(?P<rest>.*?\S)\s+performance has (?P<word>improved)(?P<tail>.*)", re.IGNORECASE)
_DEGRADED = re.compile(
    r"(?P<rest>.*?\S)\s+(?:(?:is|has|experiences|is experiencing|experiencing)\s+)?"
    r"(?P<word>degraded performance)(?P<tail>.*)",
    re.IGNORECASE,
)
_LONGEST_LINE = 500  # characters of a line in which a state is looked for behind the name


@dataclass(frozen=True, slots=True)
class State:
    """What a line tells.

    Attributes
    ----------
    kind : str or None
        fired, renotified, acknowledged or resolved.
    name : str
        The line without state, severity and emoji.
    word : str or None
        The word for the state, as it stood there.
    severity : str or None
        A word for the severity that stood before the name.
    scope : str or None
        What the state was said to be on.
    tail : str
        What followed the state behind the name.
    """

    kind: str | None
    name: str
    word: str | None = None
    severity: str | None = None
    scope: str | None = None
    tail: str = ""


def kind_of(word: str | None) -> str | None:
    """Return the kind of event a word for a state stands for."""
    return _KINDS.get(re.sub(r"[ _-]+", " ", word).strip().lower()) if word else None


def state_of(line: str) -> State:
    """Tell state and name of a line such as ``[P2] [Triggered] name``, ``RESOLVED: name`` or ``name is down``."""
    rest = without_emoji(line)
    kind = word = severity = scope = None
    while match := _BRACKET.match(rest):
        held = without_emoji(match["held"])
        said = _HELD.fullmatch(held)
        if said and (found := kind_of(said["word"])) and kind is None:
            kind, word, scope = found, said["word"], said["scope"]
            if said["word"].lower() in _SEVERITIES:
                severity = severity or said["word"]
        elif held.lower() in _SEVERITIES:
            severity = severity or held
        else:
            break
        if not rest[match.end() :]:
            break
        rest = without_emoji(rest[match.end() :])
    if kind is None:
        for pattern in (_PREFIX, _IMPROVED, _DEGRADED, _SUFFIX):
            if (pattern is _PREFIX or len(rest) <= _LONGEST_LINE) and (said := pattern.fullmatch(rest)):
                groups = said.groupdict()
                kind = "resolved" if pattern is _IMPROVED else kind_of(groups["word"])
                if pattern is _PREFIX and groups["word"].lower() in _SEVERITIES:
                    severity = severity or groups["word"]
                inner = _severity(groups["rest"])
                tail = (groups.get("tail") or "").strip()
                return State(kind, inner[1], groups["word"], inner[0] or severity, groups.get("scope"), tail)
    before, rest = _severity(rest)
    return State(kind, rest, word, severity or before, scope)


def hinted(colour: str | None, emoji: Iterable[str]) -> str | None:
    """Return what colour, or else emoji, tell: weaker than words."""
    return _COLOURS.get(colour or "") or next((_EMOJI[e] for e in emoji if e in _EMOJI), None)


def _severity(line: str) -> tuple[str | None, str]:
    """Split a severity in brackets from the start of a name."""
    match = _BRACKET.match(line)
    if match and match["held"].strip().lower() in _SEVERITIES and line[match.end() :]:
        return match["held"].strip(), without_emoji(line[match.end() :])
    return None, without_emoji(line)
