"""A review as Markdown that no renderer turns into more than text, whatever the alerts say.

Backslashes keep markup from being read. Links, mentions and issue numbers are made by most tools of the finished text,
where no escape helps: there a space of no width stands behind what would start one. A dollar could start a formula in
any renderer; it becomes its full-width twin.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from stanza_lab.postmortem import outline

if TYPE_CHECKING:
    from stanza_lab.postmortem.found import Review
    from stanza_lab.postmortem.outline import Section

_LONGEST = 600  # characters of a cell or sentence
_GAP = "\u200b"
# C0 and C1 controls, line separators, what turns the direction of text, and what no font shows.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
# An underscore within a word is one everywhere; names are full of them.
_MARKUP = re.compile(r"([\\`*\[\]{}|~!^]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_STARTS = re.compile(
    r"(://|www(?=\.)|[@#\\](?=\S)|(?<=\bGH)-(?=\d)|(?:mailto|javascript|data|tel|xmpp)(?=:))", re.IGNORECASE
)
_TAGS = re.compile(r"&|[<>](?!\.?\d)")  # <0.01 opens no tag anywhere, and people read this in a terminal too
_OPENING = re.compile(r"^(?:([-+=>#:])|(\d+)([.)]))")
_AGREED = "| what | team | until |\n| --- | --- | --- |\n|  |  |  |"


def document(review: Review, *, rows: int) -> str:
    """Return the whole document."""
    parts = [
        f"# {text(outline.heading(review), limit=200)}",
        text(outline.when(review)) + ".",
        f"*{outline.BLAMELESS}*",
        *(_section(section) for section in outline.sections(review, rows=rows)),
        f"## Agreed\n\n{_AGREED}",
    ]
    return "\n\n".join(parts) + "\n"


def text(value: object, *, limit: int = _LONGEST, cell: bool = False) -> str:
    """Return a value as one line of Markdown that shows as it is; in the cell of a table nothing opens a list."""
    said = " ".join(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value)).split())
    said = said if len(said) <= limit else said[: limit - 1] + "…"
    said = _STARTS.sub(lambda found: f":{_GAP}//" if found[0] == "://" else found[0] + _GAP, said)
    said = _MARKUP.sub(r"\\\1", said).replace("$", "\N{FULLWIDTH DOLLAR SIGN}")
    said = _TAGS.sub(lambda found: html.escape(found[0]), said)
    return said if cell else _OPENING.sub(lambda found: f"{found[2] or ''}\\{found[1] or found[3]}", said)


def _section(section: Section) -> str:
    parts = [f"## {section.title}"]
    if section.lines:
        parts.append("\n".join(f"- {text(line)}" for line in section.lines))
    if section.rows:
        head = f"| {' | '.join(section.head)} |\n|{' --- |' * len(section.head)}"
        body = "\n".join(f"| {' | '.join(text(value, cell=True) for value in row)} |" for row in section.rows)
        parts.append(f"{head}\n{body}")
    elif not section.lines and section.nothing:
        parts.append(text(section.nothing))
    if section.note:
        parts.append(text(section.note))
    return "\n\n".join(parts)
