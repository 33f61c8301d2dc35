"""Figures in a page: their data as inert JSON, what they show in words, and the place where they are drawn."""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING

from stanza_lab.plot import _theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLOT = '<div class="plot"'
_HEIGHT = 450  # px, plotly's own, where a figure names none
_MARKUP = re.compile(r"<br\s*/?>|</?(?:b|i|em|sub|sup|span|a)\b[^>]*>", re.IGNORECASE)
_KEYS = "Keys: arrows walk through what is shown, Home and End jump"
_SLIDER_KEYS = "Keys: left and right step through time, space plays, up and down walk through what is shown"
# In a script element only these end it or change how it is read; in JSON they occur in strings alone.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def figure(drawn: go.Figure, name: str, text: str) -> str:
    """Return a figure of the page: a place of its height, drawn when it comes into sight, with its words.

    `name` must be the page's own and of letters, digits and hyphens; `text` goes below.
    """
    data = as_data(str(drawn.to_json()))
    label, title = html.escape(described(drawn, text)), html.escape(_plain(drawn.layout.title.text or name))
    height = int(drawn.layout.height or _HEIGHT)
    keys = _SLIDER_KEYS if drawn.layout.sliders else _KEYS
    return (
        f'<figure aria-label="{title}"><div class="pan">'
        f'{PLOT} id="{name}" data-figure="{name}-data" tabindex="0" role="application" '
        f'aria-roledescription="figure" aria-label="{label}" style="height: {height}px"></div></div>'
        f'<script type="application/json" id="{name}-data">{data}</script>'
        f'<figcaption>{html.escape(text)} <span class="keys">{keys}.</span></figcaption></figure>'
    )


def described(drawn: go.Figure, text: str) -> str:
    """Return a figure in words: what it says of itself, else its title, `text` and its first note."""
    meta = drawn.layout.meta
    if isinstance(meta, dict) and meta.get("description"):
        return str(meta["description"])
    said = [drawn.layout.title.text, text, *(note.text for note in drawn.layout.annotations[:1])]
    return ". ".join(_plain(part).rstrip(".") for part in said if part) + "."


def as_data(json: str) -> str:
    """Return JSON so that it can stand in a script element."""
    return json.translate(_ESCAPES)


def colours() -> dict[str, object]:
    """Return what the page needs to show figures on a dark screen: which colour stands for which, and of axes."""
    return {"dark": _theme.DARK, "grid": _theme.DARK[_theme.GRID], "faint": _theme.DARK[_theme.FAINT]}


@cache
def library() -> str:
    """Return plotly.js."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _plain(markup: str) -> str:
    """Return what plotly's markup says: our texts in it are escaped."""
    return html.unescape(_MARKUP.sub(lambda tag: ". " if tag[0].startswith("<br") else "", markup))
