"""Detection, acknowledgement, mitigation, recovery: when, how long it took, counted how, and what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.postmortem.recovery import SEVERE, course, severe, telling
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.postmortem.scene import Scene

_NO_PAGER = "not known: no pager was exported"
_NEVER = "its source never reports an end"


def times(scene: Scene, *, columns: dict[str, Any]) -> pd.DataFrame:
    """Return when what was reached; see `Review.times`."""
    rows = [_begun(scene), *_paging(scene), _mitigated(scene), _recovered(scene), _closed(scene)]
    table = pd.DataFrame(rows, columns=list(columns))
    table["at"] = pd.to_datetime(table["at"], utc=True).astype(schema.TIME_DTYPE)
    return table.astype(columns)


def _row(what: str, at: Any, seconds: float, definition: str, said: str) -> dict[str, Any]:
    return {"what": what, "at": at, "seconds": seconds, "definition": definition, "words": said}


def _begun(scene: Scene) -> dict[str, Any]:
    said = "when the trouble itself began is not known, so no time to detect can be given"
    definition = "all other times count from it unless they say otherwise"
    return _row("first alert", scene.begin, 0.0, definition, said)


def _paging(scene: Scene) -> list[dict[str, Any]]:
    pages = scene.pages
    definition = f"first page - first alert; {scene.page}"
    acked = "TTA = first acknowledgement of any of its pages - its first page"
    if not scene.by_pager:
        return [_by_rule(scene, definition), _row("acknowledged", pd.NaT, float("nan"), acked, _NO_PAGER)]
    if pages.empty:
        nobody = "nobody was paged, as far as this history tells"
        return [
            _row("first page", pd.NaT, float("nan"), definition, nobody),
            _row("acknowledged", pd.NaT, float("nan"), acked, "there is no page to acknowledge"),
        ]
    first, took = pages["at"].min(), pages["acked_at"].dropna()
    apart = (first - scene.begin).total_seconds()
    when = f"{words.span(apart)} {'after' if apart >= 0 else 'before'} the first alert"
    when += f", {words.count(len(pages), 'page')}"
    rows = [_row("first page", first, apart, definition, when)]
    open_pages = len(pages) - len(took)
    if took.empty:
        told = "no acknowledgement is in this history; it may not have been exported"
        return [*rows, _row("acknowledged", pd.NaT, float("nan"), acked, told)]
    rest = f"; of {words.count(len(pages), 'page')} {open_pages:,} without an acknowledgement" if open_pages else ""
    each = (pages["acked_at"] - pages["at"]).dropna().dt.total_seconds()
    middle = f"; median of {len(each):,} pages by their own start: {words.span(float(each.median()))}"
    seconds = (took.min() - first).total_seconds()
    said = f"{words.span(seconds)}{middle if len(each) > 1 else ''}{rest}"
    return [*rows, _row("acknowledged", took.min(), seconds, acked, said)]


def _by_rule(scene: Scene, definition: str) -> dict[str, Any]:
    """Return when somebody would have been called, by the rule that stands in for a pager."""
    first = scene.mine["paged_at"].min()
    if pd.isna(first):
        return _row("first page", pd.NaT, float("nan"), definition, "no alert of it counts as a page")
    apart = (first - scene.begin).total_seconds()
    said = f"by this rule {words.span(apart)} after the first alert; whether anybody was called is not known"
    return _row("first page", first, apart, definition, said)


def _mitigated(scene: Scene) -> dict[str, Any]:
    """Return when nothing severe was on any more, of what reports its end."""
    definition = f"last recovery of an alert of severity {SEVERE} or worse whose source reports ends - first alert"
    part = severe(scene)
    if part.empty:
        return _row("mitigated", pd.NaT, float("nan"), definition, f"no alert states a severity of {SEVERE} or worse")
    return _over(scene, part, "mitigated", definition)


def _recovered(scene: Scene) -> dict[str, Any]:
    definition = "TTR (ours) = last recovery of an alert whose source reports ends - first alert"
    return _over(scene, scene.mine, "recovered", definition)


def _over(scene: Scene, part: pd.DataFrame, what: str, definition: str) -> dict[str, Any]:
    told = telling(scene, part)
    silent = len(part) - len(told)
    left = f"; not counted: {words.count(silent, 'alert')}, {_NEVER}" if silent else ""
    if told.empty:
        return _row(what, pd.NaT, float("nan"), definition, f"not known: no source of its alerts reports an end{left}")
    found = course(scene, part)
    if found is None:
        still = int(told["ends_at"].isna().sum())
        said = f"not known: of {words.count(len(told), 'alert')} {still:,} never recovered in this history{left}"
        return _row(what, pd.NaT, float("nan"), definition, said)
    return _row(what, found.at, found.last, definition, f"{found.words()}{left}")


def _closed(scene: Scene) -> dict[str, Any]:
    """Return when all pages were resolved: by a person, or by the alert's own recovery; it does not say."""
    definition = "TTR (PagerDuty) = resolved - triggered, of the page that was resolved last"
    pages = scene.pages
    if not scene.by_pager:
        return _row("pages resolved", pd.NaT, float("nan"), definition, _NO_PAGER)
    if pages.empty:
        return _row("pages resolved", pd.NaT, float("nan"), definition, "there was no page")
    still = int(pages["ends_at"].isna().sum())
    if still:
        said = f"not known: {words.count(still, 'page')} of {len(pages):,} not resolved in this history"
        return _row("pages resolved", pd.NaT, float("nan"), definition, said)
    last = pages.sort_values("ends_at", kind="stable").iloc[-1]
    seconds = (last["ends_at"] - last["at"]).total_seconds()
    return _row("pages resolved", last["ends_at"], seconds, definition, f"{words.span(seconds)} after that page")
