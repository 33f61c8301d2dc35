"""A change in words: what to do, what it saved, what it would have missed, how sure that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stanza_lab.production import words
from stanza_lab.reliability.quieter.record import KEYS

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

    from stanza_lab.reliability.quieter.routing import Route
    from stanza_lab.reliability.quieter.trying import Change

WHAT = {
    "delete": "delete it",
    "notify": "lower its severity: it notifies and pages nobody",
    "hold": "let it wait {value} longer before it fires",
    "debounce": "count it as the same alert when it comes again within {value}",
    "group": "let it join a page of the same {by} raised up to {value} before",
    "route": "page {value} instead",
}
_CERTAIN = "with 95 % certainty"


def value(change: Change) -> str:
    """Return the value of a change as people write it: 5min, service within 30min, or nothing."""
    if not change.seconds:
        return ""
    long = f"{change.seconds // 60}min"
    return f"{change.by} within {long}" if change.by else long


def what(change: Change) -> str:
    """Say what is to be done."""
    return WHAT[change.kind].format(value=words.span(change.seconds), by=KEYS.get(change.by, ""))


def reason(row: Mapping[Hashable, Any], *, only: bool, useless: bool) -> str:
    """Say why this change and no other."""
    kind, promised, pages = row["change"], row["promised"], row["pages_before"]
    most = f"{promised:,} of its {words.count(pages, 'page')} on the earlier part"
    said = {
        "delete": f"{most} would not have come",
        "notify": f"{most} would not have come, and its alerts stay to be seen",
        "hold": f"{most} ended by themselves within {row['value']}",
        "debounce": f"{most} came within {row['value']} of the last time",
        "group": f"{most} followed a page of another rule of the same {row['value'].partition(' ')[0]}",
    }[kind]
    if useless:
        said += "; it took part in no real incident"
    if only and kind in ("notify", "delete"):
        said += "; it is the only rule of its service that pages, so silencing it is not proposed"
    return said


def change(row: Mapping[Hashable, Any], done: str, weeks: float) -> str:
    """Return the sentences about one change."""
    said = [f"{row['rule']}{_of(row)}: {done}"]
    saved, pages = row["pages_saved"], row["pages"]
    if not pages:
        said.append("on the later part it paged nobody, so nothing could be checked there")
        return words.sentence("; ".join([*said, row["reason"]]))
    said.append(row["reason"])
    a_week = f" ({row['pages_saved_per_week']:.1f} a week over {weeks:.1f} weeks)" if saved else ""
    said.append(f"on the later part it saved {saved:,} of {words.count(pages, 'page')}{a_week}")
    return words.sentence("; ".join([*said, missed(row), *([late(row)] if row["late"] else [])]))


def missed(row: Mapping[Hashable, Any]) -> str:
    """Say what would have been missed, and how much more it may be."""
    of, times = row["occasions"], row["missed"]
    if not of:
        return "it silenced nothing there, so what it would miss is not known"
    high = row["missed_high"]
    limit = "" if math.isnan(high) else f" (at most {math.ceil(100 * high):.0f} %, {_CERTAIN})"
    if not times:
        return f"0 of {words.count(of, 'occasion')} was an incident that nobody else caught{limit}"
    were = "was an incident" if times == 1 else "were incidents"
    return f"{times:,} of {words.count(of, 'occasion')} {were} that nobody else caught in time{limit}"


def late(row: Mapping[Hashable, Any]) -> str:
    """Say how much later incidents would have been noticed."""
    by = f"{words.span(row['later_s'])}, at most {words.span(row['later_max_s'])}"
    return f"{words.count(row['late'], 'incident')} noticed later (half of them by up to {by})"


def kept(row: Mapping[Hashable, Any]) -> str:
    """Say why a loud rule is left as it is."""
    head = f"{row['rule']}{_of(row)} paged {words.count(row['pages'], 'time')} on the earlier part"
    if row["alone"]:
        return words.sentence(
            f"{head}; it is the only witness of {words.count(row['alone'], 'real incident')}: without it nobody would "
            "have been paged in time; leave it as it is"
        )
    return words.sentence(f"{head}; no change tried saves enough without missing something; leave it as it is")


def route(route: Route, rule: Mapping[Hashable, Any]) -> tuple[str, str]:
    """Return the reason for another team, and all of it in words."""
    if route.because == "catalogue":
        why = f"the catalogue says that {route.owner} owns {route.service}"
    else:
        why = (
            f"in {route.times:,} of {words.count(route.of, 'incident')} {route.service} of {route.owner}, "
            "which it depends on, alerted first"
        )
    told = f"{rule['rule']}{_of(rule)} pages {route.paged}; {why}: ask whether {route.owner} should be paged instead"
    return why, words.sentence(f"{told}; this moves {words.count(route.times, 'page')} and saves none")


def combined(row: Mapping[Hashable, Any], pages: int) -> str:
    """Say what the changes up to here come to on the later part."""
    share = f" ({row['share']:.0%})" if pages else ""
    head = "the first change" if row["step"] == 1 else f"the first {row['step']:,} changes together"
    said = f"{head}: {row['pages_saved']:,} of "
    said += f"{words.count(pages, 'page')} fewer{share}"
    said += f"; {row['missed']:,} of {words.count(row['real'], 'real incident')} missed"
    if row["real"]:
        said += f" (at most {math.ceil(100 * row['missed_high']):.0f} %, {_CERTAIN})"
    return words.sentence(said)


def _of(row: Mapping[Hashable, Any]) -> str:
    parts = [str(row[name]) for name in ("service", "source") if isinstance(row[name], str)]
    return f" ({', '.join(parts)})" if parts else ""


def span(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Return from when to when; times of day only where the two share a day."""
    form = "%Y-%m-%d %H:%M" if first.date() == last.date() else "%Y-%m-%d"
    return f"{first.strftime(form)} to {last.strftime(form)} (UTC)"
