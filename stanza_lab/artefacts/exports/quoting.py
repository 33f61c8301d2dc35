"""Names and sentences made harmless for what they are written into."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 500  # characters of a name that are written where people read
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")


def one_line(text: str, *, longest: int = LONGEST) -> str:
    """Return text without what moves a cursor or turns the direction of reading, on one line, not endless."""
    if len(text) <= longest and text.isprintable():
        return text
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") else c for c in text)
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def markdown(text: str) -> str:
    """Return text as Markdown shows it as it is."""
    return _MARKDOWN.sub(r"\\\1", one_line(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")


def cell(text: str) -> str:
    """Return text for a cell of a spreadsheet: what begins like a formula is text there."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
