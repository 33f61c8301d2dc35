"""A review as HTML: a card for a notebook, or the body of a page. No script, nothing fetched, every text escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanza_lab.postmortem import outline
from stanza_lab.production import card

if TYPE_CHECKING:
    from stanza_lab.postmortem.found import Review
    from stanza_lab.postmortem.outline import Section

_ROWS, _TOP, _OPEN = 25, 12, ("In short", "Questions for the meeting")  # of the timeline, of other tables; not folded
_SENTENCE = 300


def card_of(review: Review) -> str:
    """Return the card for a notebook: what is read first stands open, tables are folded."""
    parts = [_folded(section) for section in outline.sections(review, rows=_ROWS)]
    return card.card(outline.heading(review), outline.when(review), "".join(parts))


def body(section: Section, *, top: int, limit: int = _SENTENCE) -> str:
    """Return a section without its heading."""
    lines = "".join(f"<li>{card.text(line, limit=limit)}</li>" for line in section.lines)
    said = f"<ul>{lines}</ul>" if lines else ""
    if section.rows:
        said += _table(section, top, limit)
    elif not section.lines:
        said += f'<p class="faint">{card.text(section.nothing, limit=limit)}</p>'
    return said + (f'<p class="faint">{card.text(section.note, limit=limit)}</p>' if section.note else "")


def _folded(section: Section) -> str:
    inner = body(section, top=_ROWS if section.title == "Timeline" else _TOP)
    if section.title in _OPEN:
        return f"<section><h3>{card.text(section.title)}</h3>{inner}</section>"
    size = len(section.rows) or len(section.lines)
    summary = f"<summary>{card.text(section.title)} ({size})</summary>"
    return f"<section><details>{summary}{inner}</details></section>"


def _table(section: Section, top: int, limit: int) -> str:
    head = "".join(f'<th scope="col">{card.text(name)}</th>' for name in section.head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{card.text(cell, limit=limit)}</td>" for cell in row) + "</tr>"
        for row in section.rows[:top]
    )
    more = f'<p class="faint">and {len(section.rows) - top:,} more</p>' if len(section.rows) > top else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}'
