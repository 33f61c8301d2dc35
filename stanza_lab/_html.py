"""Text of others in HTML: shortened, then escaped."""

from __future__ import annotations

import html


def escaped(value: object, limit: int) -> str:
    """Return a value as text of at most `limit` characters, the rest an ellipsis, safe within HTML."""
    said = str(value)
    return html.escape(said if len(said) <= limit else f"{said[: limit - 1]}…")
