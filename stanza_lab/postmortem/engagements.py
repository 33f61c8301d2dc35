"""What people did during an incident, from what their pager recorded of its pages: who joined, what was noted, done."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.postmortem.spelling import spelled, text
from stanza_lab.reliability.load import read_engagements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanza_lab.postmortem.scene import Scene

_DONE = re.compile(
    r"\b(?:restart|reboot|re-?deploy|roll(?:ed|ing)?[ -]?back|revert|scal(?:e|ed|ing)\b|shift|drain|"
    r"fail(?:ed|ing)?[ -]?over|switch|disabl|enabl|flush|clear(?:ed|ing)\b|rotat|block|throttl|shed|kill|replac|"
    r"resiz|increas|decreas|silenc|paus|promot|mitigat|appl(?:ied|ying)\b|patch|hotfix)",
    re.IGNORECASE,
)  # what a note says that was done
_AFTER = pd.Timedelta("24h")  # after its end what is noted on its pages still belongs to it
_READ = ("source", "at", "kind", "raw")  # of events, to tell what people did
_CALLED = {"assigned": "page", "notified": "page", "escalated": "page", "asked": "page"}
_WRITTEN = {"noted": "noted", "said": "wrote"}
_SAID = {
    "assigned": "was given the page",
    "notified": "was notified",
    "escalated": "was paged, as it went on",
    "asked": "was asked to help",
    "acknowledged": "acknowledged",
    "joined": "joined",
    "declined": "could not join",
    "snoozed": "put the page off for a while",
    "resolved": "closed the page",
}


def engagements_of(events: pd.DataFrame | None, scene: Scene) -> pd.DataFrame | None:
    """Return what the records tell that people did in the time of the incident; None where they cannot tell."""
    if events is None or not set(_READ) <= set(events.columns):
        return None
    inside = events["at"].between(scene.begin - scene.before, scene.end + _AFTER)
    return read_engagements(events[inside])


def engaged(scene: Scene, engagements: pd.DataFrame | None, *, people: bool) -> Iterator[dict[str, Any]]:
    """Yield rows of the timeline, of the pages of the incident.

    That somebody was called, and that a page was taken as its alert says too, is left out unless people are asked for:
    it is in the timeline already.
    """
    if engagements is None:
        return
    ids = {name for listed in scene.pages["ids"] for name in listed if isinstance(name, str)}
    told = engagements.dropna(subset=["at"])
    told = told[told["at"].between(scene.begin - scene.before, scene.end + _AFTER)]
    told = told[told["page"].isin(ids) | (told["kind"] == "said")]
    told = told.assign(service=spelled(told["service"], scene.services)).sort_values("at", kind="stable")
    acked = {name: row["acked_at"] for row in scene.pages.to_dict("records") for name in row["ids"]}
    for row in told.to_dict("records"):
        kind, page = str(row["kind"]), text(row["page"])
        by_hand = row.get("automatic") is None or pd.isna(row["automatic"]) or not row["automatic"]
        known = kind == "acknowledged" and _close(acked.get(page or ""), row["at"])
        if not people and (known or (kind in _CALLED and kind != "escalated")):
            continue
        if kind not in _WRITTEN and (kind not in _SAID or not by_hand):
            continue
        yield _row(scene, row, kind, page, people=people)


def _row(scene: Scene, row: dict[Any, Any], kind: str, page: str | None, *, people: bool) -> dict[str, Any]:
    service, written = text(row["service"]), text(row.get("text"))
    team = scene.teams.get(service or "") or text(row.get("team"))
    who = (people and text(row.get("person"))) or team or "somebody"
    if kind in _WRITTEN:
        said, sort = f"{who} {_WRITTEN[kind]}: {written or 'nothing'}", "chat" if kind == "said" else "note"
        sort = "action" if _DONE.search(written or "") else sort
    else:
        said = f"{who} {_SAID[kind]}" + (f": {written}" if written else "")
        sort = _CALLED.get(kind) or {"joined": "joined", "acknowledged": "acknowledged"}.get(kind, "note")
    about = {"team": team, "source": text(row.get("source")) or "engagements", "ref": page}
    return {"at": row["at"], "kind": sort, "service": service, "what": written or kind, "words": said} | about


def _close(known: Any, at: pd.Timestamp) -> bool:
    return known is not None and pd.notna(known) and abs((known - at).total_seconds()) <= 1
