"""What people read of a review, in order, as plain text: the same for Markdown, notebook and page; not escaped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.postmortem import sentences, spreading
from stanza_lab.postmortem.people import ASKED
from stanza_lab.postmortem.timeline import folded
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.postmortem.found import Review

BLAMELESS = (
    "Put together by rules from alerts, pages, releases and the map. It says what systems did and what could be known "
    "then; it judges nobody. Notes are quoted as they were written: read them before you share this."
)
_ORDER = "Order within a minute means little: monitors look about once a minute."
ORIGINS, ALIKE = 5, 3  # shown
_FAINT = 0.01  # probability below which a suspect is only counted


@dataclass(frozen=True)
class Section:
    """A part: sentences, then a table; `nothing` stands where both are empty."""

    title: str
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    nothing: str = ""
    note: str = ""  # below


def heading(review: Review) -> str:
    """Return the title."""
    return f"Incident {review.incident}: {review.title}"


def when(review: Review) -> str:
    """Return from when to when it went, and in which time zone times stand."""
    begin, end = (moment.tz_convert(review.tz) for moment in (review.scene.begin, review.scene.last))
    until = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    zone = f"times are {review.tz} where no other zone stands beside them"
    return f"{begin:%Y-%m-%d}, alerts from {begin:%H:%M} to {until}; {zone}"


def sections(review: Review, *, rows: int) -> list[Section]:
    """Return the parts in the order in which they are read."""
    return [
        Section("In short", lines=review.words),
        _times(review),
        _origins(review),
        _spread(review),
        _timeline(review, rows),
        _paged(review),
        _before(review),
        _questions(review),
        Section("What could not be seen", lines=review.unseen),
    ]


def clock(review: Review, at: Any) -> str:
    """Return a time in the review's zone; the date too where it is another day than that of the first alert."""
    if pd.isna(at):
        return ""
    here = at.tz_convert(review.tz)
    same = here.date() == review.scene.begin.tz_convert(review.tz).date()
    return f"{here:%H:%M:%S}" if same else f"{here:%Y-%m-%d %H:%M:%S}"


def _times(review: Review) -> Section:
    rows = tuple(
        (row["what"], clock(review, row["at"]) or "not known", row["words"], row["definition"])
        for row in review.times.to_dict("records")
    )
    return Section("Detection and recovery", head=("what", "at", "how long", "counted as"), rows=rows)


def _origins(review: Review) -> Section:
    likely = review.origins[review.origins["probability"] >= _FAINT]
    shown = review.origins.head(min(max(len(likely), 1), ORIGINS))
    rows = tuple(
        (
            row["service"] + (" (silent)" if row["silent"] else ""),
            _text(row["team"]),
            words.probability(row["probability"]),
            clock(review, row["first_at"]),
            "; ".join(map(str, row["reasons"])),
        )
        for row in shown.to_dict("records")
    )
    left = len(review.origins) - len(shown)
    rest = [f"{words.count(left, 'suspect')} less likely left out here; {_all('origins')}."] if left else []
    known = tuple(words.sentence(said.rstrip(".")) for said in review.origins.attrs.get("words", ())[1:])
    return Section(
        "Where it probably began",
        lines=(*_movers(review), *known, *rest),
        head=("service", "team", "probability", "first alert", "why, and what speaks against it"),
        rows=rows,
        nothing="Not known: no alert of this incident names a service.",
    )


def _movers(review: Review) -> tuple[str, ...]:
    first = [f"{row['service']} ({clock(review, row['first_at'])})" for row in review.first_movers.to_dict("records")]
    if not first:
        return ()
    return (
        f"Nothing they depend on alerted before them, as far as the map knows: {words.listing(first, top=ORIGINS)}.",
        _ORDER,
    )


def _spread(review: Review) -> Section:
    rows = tuple(
        (
            row["service"],
            _text(row["team"]),
            clock(review, row["first_at"]) or "no alert",
            "" if row["state"] == "origin" else words.probability(row["expected"]),
            spreading.how(row),
        )
        for row in review.spread.to_dict("records")
    )
    note = "Expected: probability that it alerts when the likely origin fails, as the map had it before."
    return Section(
        "How it spread",
        head=("service", "team", "first alert", "expected", "how it got there"),
        rows=rows,
        nothing="Not known: no alert of this incident names a service.",
        note=note if review.spread["expected"].notna().any() else "",
    )


def _timeline(review: Review, most: int) -> Section:
    table = folded(review.timeline)
    shown = _chosen(table, most)
    rows = tuple(
        (clock(review, row["at"]), row["kind"], row["words"] + _again(row)) for row in shown.to_dict("records")
    )
    left = len(table) - len(shown)
    note = f"{words.count(left, 'more row')} left out here, alerts and recoveries; {_all('timeline')}." if left else ""
    return Section("Timeline", head=("at", "kind", "what"), rows=rows, note=note)


def _chosen(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most so many rows: all that people did first, then first alerts, then recoveries, in order of time."""
    if len(table) <= most:
        return table
    weight = table["kind"].map({"alert": 1, "recovery": 2}).fillna(0)
    return table.loc[sorted(weight.sort_values(kind="stable").index[:most])]


def _again(row: dict[Any, Any]) -> str:
    times = int(row["times"])
    return "" if times == 1 else f"; {times:,} times in all" if row["kind"] == "alert" else f"; the last of {times:,}"


def _paged(review: Review) -> Section:
    rows = tuple(
        (
            _text(row["team"]) or "not known",
            f"{row['pages']:,}",
            words.listing(row["services"]),
            clock(review, row["first_at"]),
            clock(review, row["acked_at"]),
            words.probability(row["probability"]),
            row["verdict"],
            _said_then(row),
        )
        for row in review.paged.to_dict("records")
    )
    return Section(
        "Who was paged, and who should have been",
        head=("team", "pages", "about", "first page", "acknowledged", "origin theirs", "page was", "the map then"),
        rows=rows,
        nothing="No page of it is known.",
        note=f"Counted: {review.scene.page}. Whether a page was right is judged by what is known now; the map then: "
        f"what it said {words.span(ASKED.total_seconds())} in, and who is on call where none was sent.",
    )


def _said_then(row: dict[Any, Any]) -> str:
    said = [_text(row["wake"]), "" if row["pages"] or not _text(row["on_call"]) else f"on call: {row['on_call']}"]
    return "; ".join(filter(None, said))


def _before(review: Review) -> Section:
    known = tuple(
        f"Pattern {row['name']}, {str(row['words']).rstrip('.')}."
        for row in review.patterns.head(ALIKE).to_dict("records")
    )
    close = review.look_alikes["similarity"] >= sentences.ALIKE
    alike = review.look_alikes.head(min(max(int(close.sum()), 1), ALIKE))
    rows = tuple(
        (
            str(row["incident_id"]),
            f"{row['starts_at'].tz_convert(review.tz):%Y-%m-%d %H:%M}",
            f"{row['similarity']:.2f}",
            f"{row['alerts']:,}",
            sentences.agreement(row),
        )
        for row in alike.to_dict("records")
    )
    return Section(
        "Incidents like it",
        lines=known,
        head=("incident", "began", "similarity (0 to 1)", "alerts", "kinds of alerts that agree"),
        rows=rows,
        nothing="Nothing like it is in this history.",
        note=f"From {sentences.ALIKE} more agrees than differs; later incidents are there too." if rows else "",
    )


def _questions(review: Review) -> Section:
    rows = tuple((row["topic"], row["question"], row["because"]) for row in review.questions.to_dict("records"))
    return Section("Questions for the meeting", head=("about", "question", "because"), rows=rows, nothing="None arose.")


def _all(name: str) -> str:
    """Return where the whole table is, for who reads this in a shell and for who has it in Python."""
    return f"all of them: review --view {name}, in Python .{name}"


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)
