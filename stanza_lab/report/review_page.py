"""The review of an incident as a page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from stanza_lab import plot
from stanza_lab.errors import SchemaError
from stanza_lab.postmortem import Review, notebook, outline
from stanza_lab.production import card
from stanza_lab.report import embedding, shell

if TYPE_CHECKING:
    from stanza_lab.postmortem.outline import Section

_ROWS, _TOP, _LONGEST = 200, 60, 600  # rows of the timeline, of other tables; characters of a sentence
_FOLDED = {"Timeline", "What could not be seen"}
_STYLE = "<style>.sl-card td:last-child { min-width: 18rem; } .sl-card { max-width: none; }</style>"
_LINES = (
    "Marks above the alerts: releases, pages, who took them, notes. A mark is where an alert fires, the bar behind it "
    "lasts until it recovers; hover for details."
)
_STEPS = "Move the slider, or play it: who fired when, and along which dependencies."


def write_review(path: str | os.PathLike[str], review: Review, *, title: str | None = None) -> Path:
    """Write the review of an incident as one HTML file that asks for nothing from outside.

    Parameters
    ----------
    path : path
        File to write, in a folder that is there. It is replaced in one step; a broken write leaves the old one.
    review : Review
        From `review`.
    title : str, optional
        Heading. Default: the incident with its services and commonest alert.

    Returns
    -------
    Path
        The file. It has the summary, a figure of all that happened, the replay over the map, and the tables; text of
        alerts and notes is escaped, and no script runs but the page's own.

    Raises
    ------
    SchemaError
        `review` is none.
    OSError
        The folder is not there, or the file cannot be written.

    See Also
    --------
    Review.to_markdown : The same as Markdown.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z"],
    ...     "service": ["orders-db", "orders"],
    ...     "incident_id": [7, 7],
    ... })
    >>> edges = pd.DataFrame({"src": ["orders"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> found = sl.review(alerts, incident=7, production=sl.ProductionMap(edges, alerts))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sl.write_review(f"{folder}/review.html", found).name
    'review.html'
    """
    if not isinstance(review, Review):
        raise SchemaError(f"review must be a Review, not {type(review).__name__}; pass sl.review(alerts, incident=...)")
    sections = outline.sections(review, rows=_ROWS)
    about = (f"{outline.when(review)}.", outline.BLAMELESS)
    parts = [card.STYLE + _STYLE, *(f'<p class="faint">{card.text(said, limit=_LONGEST)}</p>' for said in about)]
    parts += [_section(section, review) for section in sections]
    contents = shell.contents(section.title for section in sections)
    return shell.write(path, outline.heading(review) if title is None else title, parts, contents=contents)


def _section(section: Section, review: Review) -> str:
    inner = notebook.body(section, top=_ROWS if section.title == "Timeline" else _TOP, limit=_LONGEST)
    drawn = {"In short": _timeline, "How it spread": _replay}.get(section.title)
    said = f'<article class="sl-card">{inner}</article>{drawn(review) if drawn else ""}'
    return shell.section(section.title, said, folded=True if section.title in _FOLDED else None)


def _timeline(review: Review) -> str:
    scene = review.scene
    near = scene.alerts["starts_at"].between(scene.begin - scene.before, scene.end)
    alerts = scene.alerts[near | (scene.alerts["incident_id"] == scene.incident)]
    drawn = plot.incident_swimlane(alerts, incident=scene.incident, marks=review.timeline)
    return embedding.figure(drawn, "what-happened", _LINES)


def _replay(review: Review) -> str:
    """Return the replay; nothing where no alert names a service or there is no map."""
    scene = review.scene
    if not scene.services or not scene.mapped:
        return ""
    return embedding.figure(plot.replay(scene.production, incident=scene.incident), "over-the-map", _STEPS)
