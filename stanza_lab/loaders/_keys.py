"""Names of facts and rules for systems that keep pages or tickets about alerts: PagerDuty, Opsgenie, ServiceNow."""

from __future__ import annotations

import re

from stanza_lab.loaders import _times

_RANDOM_KEY = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\d+)?",  # Opsgenie adds a time
    re.IGNORECASE,
)
# What varies in a title from one alert of a rule to the next: ids, the end of a pod's name (which a new pod changes),
# values and times. Names that hold a digit (db-7, p99, us-east-1) and addresses stay: they say which group it is.
_VARIABLE = re.compile(
    r"""
    \b [0-9a-f]{8} (?: -[0-9a-f]{4} ){3} -[0-9a-f]{12} \b
    | \b (?= [a-f]*\d ) [0-9a-f]{12,} \b
    | - (?= [a-z]*\d ) [a-z0-9]{6,10} - [a-z0-9]{5} \b
    | (?<! [\w.-] ) (?! \d+ (?: \.\d+ ){3} \b ) \d [\w.:%+-]*
    """,
    re.VERBOSE,
)


def fact(key: str, change: str, at: int | None) -> str:
    """Return the name of one change of a page or ticket, the same in every shape: to the second."""
    when = "" if at is None else f"{_times.iso_ms(at).partition('.')[0]}Z"
    return f"{key}|{change}|{when}"


def rule(service: str | None, key: str | None, title: str | None) -> str | None:
    """Return the recurring alert: the service, and the sender's own key, or the title without what varies.

    A key drawn at random says nothing about what recurs, nor do values, pods and ids in a title.
    """
    if key is None or is_random(key):
        key = " ".join(_VARIABLE.sub("#", title or "").split()) or None
    return "|".join(filter(None, (service, key))) if key else None


def is_random(key: str) -> bool:
    """Return whether a key looks drawn at random: then it is that of one alert only."""
    return _RANDOM_KEY.fullmatch(key) is not None
