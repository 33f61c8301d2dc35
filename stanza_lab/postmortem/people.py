"""Who was paged, who should have been, and whose service it probably was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import StanzaError
from stanza_lab.postmortem.origins import possible
from stanza_lab.production import words
from stanza_lab.production.spread.origin_words import (  # that the origin is theirs: a page is right, or asking is
    LIKELY,
    POSSIBLE,
)

if TYPE_CHECKING:
    from stanza_lab.postmortem.scene import Scene

ASKED = pd.Timedelta("5min")  # into the incident, when `whom_to_wake` is asked
LATE = 300.0  # seconds from the first alert within which a first page is in time


def paged(scene: Scene, origins: pd.DataFrame, *, columns: dict[str, Any]) -> pd.DataFrame:
    """Return a row per team that was paged or owns a likely origin; see `Review.paged`."""
    share = origins.dropna(subset=["team"]).groupby("team")["probability"].sum()
    known = len(possible(origins)) > 0
    wake = _wake(scene)
    pages = scene.pages.assign(team=scene.pages["team"].astype(object).where(scene.pages["team"].notna(), None))
    rows = [_row(scene, team, mine, share, wake, known=known) for team, mine in pages.groupby("team", dropna=False)]
    rows += [
        _row(scene, str(team), pages.iloc[:0], share, wake, known=known)
        for team, probability in share.items()
        if probability >= POSSIBLE and team not in set(pages["team"])
    ]
    table = pd.DataFrame(rows, columns=list(columns))
    for name in ("first_at", "acked_at"):
        table[name] = pd.to_datetime(table[name], utc=True).astype(schema.TIME_DTYPE)
    table = table.astype(columns)
    return table.sort_values(["first_at", "probability", "team"], ascending=[True, False, True], ignore_index=True)


def _row(
    scene: Scene, team: Any, pages: pd.DataFrame, share: pd.Series, wake: dict[str, dict[str, Any]], *, known: bool
) -> dict[str, Any]:
    name = None if team is None or pd.isna(team) else str(team)
    first: Any = pages["at"].min() if len(pages) else pd.NaT
    took = pages["acked_at"].dropna()
    acked: Any = took.min() if len(took) else pd.NaT
    row: dict[str, Any] = {
        "team": name,
        "on_call": (wake.get(name or "") or {}).get("on_call"),
        "pages": len(pages),
        "first_at": first,
        "after_s": (first - scene.begin).total_seconds() if len(pages) else float("nan"),
        "acked_at": acked,
        "ack_s": (acked - first).total_seconds() if len(took) else float("nan"),
        "services": list(dict.fromkeys(pages["service"].dropna().astype("str"))),
        "probability": float(share.get(name, 0.0)) if len(share) and name else float("nan"),
        "wake": (wake.get(name or "") or {}).get("wake"),
    }
    row["verdict"] = _verdict(row) if scene.by_pager and known else "not known"
    row["words"] = _words(row, by_pager=scene.by_pager, known=known)
    return row


def _verdict(row: dict[str, Any]) -> str:
    """Return what the page was, by how likely the origin is theirs; of one that was not sent, whether it is missed."""
    probability = row["probability"]
    if pd.isna(probability):
        return "not known"
    if probability >= LIKELY:
        return "right" if row["pages"] else "missing"
    return "unclear" if probability >= POSSIBLE else "not the origin"


def _words(row: dict[str, Any], *, by_pager: bool, known: bool) -> str:
    name = row["team"] or "A team that is not known"
    sure = "" if pd.isna(row["probability"]) else words.probability(row["probability"])
    sure += "" if known or not sure else ", and where it began is not known"
    if not row["pages"]:
        said = "was not paged" if by_pager else "may have been paged or not"
        said = f"{name} {said}; the origin is theirs: {sure}"
        return said + (f" (on call: {row['on_call']})" if row["on_call"] else "")
    late = "at the first alert" if row["after_s"] < 1 else f"{words.span(row['after_s'])} after the first alert"
    if row["after_s"] < 0:
        late = f"{words.span(row['after_s'])} before the first alert"
    about = f" about {words.listing(row['services'])}" if row["services"] else ""
    pages = words.count(row["pages"], "page")
    took = (
        f"acknowledged {words.span(row['ack_s'])} after the first"
        if pd.notna(row["ack_s"])
        else "no acknowledgement is known"
    )
    origin = f"; the origin is theirs: {sure}" if sure else "; whose the origin is, is not known"
    then = f"; {words.span(ASKED.total_seconds())} in, the map said: {row['wake']}" if row["wake"] else ""
    return f"{name}: {pages}{about}, {late}; {took}{origin}{then}"


def _wake(scene: Scene) -> dict[str, dict[str, Any]]:
    """Return of each team what `whom_to_wake` says, asked of the service that alerted first, early in the incident."""
    if not scene.services:
        return {}
    at = min(scene.begin + ASKED, scene.end + pd.Timedelta("1s"))
    try:
        found = scene.production.whom_to_wake(scene.services[0], at=at)
    except StanzaError:  # the map does not know the service, or its alerts are others
        return {}
    rows: list[Any] = found.to_dict("records")
    return {str(row["team"]): row for row in rows}
