"""HTML that cards for a notebook or a page are put together from: no script, nothing fetched, every text escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import pandas as pd

_SHORT = ("last", "starts_at", "lag", "week")  # columns that never wrap
_NAME, _SENTENCE, _COMMAND = 80, 300, 600  # characters shown of a cell, a sentence, a command

# In JupyterLab its theme says the colours (not the machine's, which may be dark where the notebook is light); elsewhere
# the machine does.
STYLE = """<style>
.sl-card { --ink: var(--jp-ui-font-color1, #1f2328); --faint: var(--jp-ui-font-color2, #59636e); \
--line: var(--jp-border-color2, #d1d9e0); --back: var(--jp-layout-color2, #f3f5f7); --link: \
var(--jp-content-link-color, #0b5cad); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; max-width: 76rem; }
@media (prefers-color-scheme: dark) { .sl-card { --ink: var(--jp-ui-font-color1, #e6e8eb); \
--faint: var(--jp-ui-font-color2, #9aa4b1); --line: var(--jp-border-color2, #3a4048); \
--back: var(--jp-layout-color2, #22272e); --link: var(--jp-content-link-color, #6cb2f5); } }
.sl-card h2 { font-size: 1.35em; margin: 0 0 .1em; overflow-wrap: anywhere; }
.sl-card h3 { font-size: 1em; margin: 1.1em 0 .2em; border-bottom: 1px solid var(--line); }
.sl-card h3 small, .sl-card .faint { color: var(--faint); font-weight: 400; }
.sl-card .faint { font-size: .92em; } .sl-card p { margin: .25em 0; }
.sl-card ul { margin: .2em 0; padding-left: 1.2em; } .sl-card a { color: var(--link); }
.sl-card table { border-collapse: collapse; margin: .2em 0; font-size: .93em; width: 100%; table-layout: auto; }
.sl-card th, .sl-card td { text-align: left; vertical-align: top; padding: .15em .9em .15em 0; background: none; \
border: 0; border-bottom: 1px solid var(--line); color: var(--ink); white-space: normal; overflow-wrap: break-word; }
.sl-card th { color: var(--faint); font-weight: 600; overflow-wrap: normal; }
.sl-card td.n, .sl-card th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.sl-card td.w { white-space: nowrap; }
.sl-card .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 31rem), 1fr)); gap: 0 2.5rem; }
.sl-card pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--back); color: var(--ink); \
padding: .35em .6em; margin: .2em 0 .5em; border-radius: 4px; font-size: .9em; }
.sl-card .facts { display: flex; flex-wrap: wrap; gap: .2em 1.6em; margin: .3em 0 .5em; }
.sl-card .facts b { font-weight: 600; } .sl-card .facts span { color: var(--faint); }
.sl-card .wide { overflow-x: auto; }
.sl-card .risk { border: 1px solid currentColor; border-radius: 3px; padding: 0 .35em; font-size: .85em; }
.sl-card .warn { border-left: 4px solid #d55e00; padding-left: .6em; }
</style>"""


def text(value: object, *, limit: int = _NAME) -> str:
    """Return a value shortened and escaped; nothing for null."""
    if value is None or (not isinstance(value, (list, tuple)) and pd.isna(value)):  # type: ignore[call-overload]
        return ""
    said = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    said = "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in said)
    return html.escape(said if len(said) <= limit else said[: limit - 1] + "…")


def sentences(said: Iterable[str], *, top: int = 12) -> str:
    """Return sentences as a list."""
    items = "".join(f"<li>{text(sentence, limit=_SENTENCE)}</li>" for sentence in list(said)[:top])
    return f"<ul>{items}</ul>" if items else ""


def section(title: str, body: str, *, about: str = "", otherwise: str = "") -> str:
    """Return a part with its heading; where there is nothing in it, `otherwise` says so, or there is no part."""
    if not body and not otherwise:
        return ""
    small = f" <small>{text(about, limit=_SENTENCE)}</small>" if about else ""
    nothing = f'<p class="faint">{text(otherwise, limit=_SENTENCE)}</p>'
    return f"<section><h3>{text(title)}{small}</h3>{body or nothing}</section>"


def table(
    rows: pd.DataFrame, columns: Mapping[str, str], *, top: int, numbers: Sequence[str] = (), rest: str = ""
) -> str:
    """Return the first rows of a table of text, with the heads that `columns` say, and how many more `rest` has."""
    if rows.empty:
        return ""
    marks = {name: ' class="n"' if name in numbers else ' class="w"' if name in _SHORT else "" for name in columns}
    head = "".join(f'<th scope="col"{marks[name]}>{text(said)}</th>' for name, said in columns.items())
    body = "".join(
        "<tr>" + "".join(f"<td{marks[name]}>{text(row[name])}</td>" for name in columns) + "</tr>"
        for row in rows[list(columns)].head(top).to_dict("records")
    )
    where = f" in <code>{text(rest)}</code>" if rest else ""
    more = f'<p class="faint">and {len(rows) - top:,} more{where}</p>' if len(rows) > top else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}'


def facts(known: Mapping[str, object]) -> str:
    """Return what is known in one line: names and values."""
    said = "".join(
        f"<div><span>{text(name)}</span> <b>{text(value)}</b></div>" for name, value in known.items() if text(value)
    )
    return f'<div class="facts">{said}</div>' if said else ""


def link(url: object, said: object) -> str:
    """Return a link where `url` is one of the web, else both as text: a `javascript:` must never be one."""
    address = "" if url is None else str(url).strip()
    try:
        parts = urlsplit(address)
        of_web = parts.scheme in {"http", "https"} and bool(parts.netloc) and address.isprintable()
    except ValueError:
        of_web = False
    if of_web and " " not in address:
        return f'<a href="{html.escape(address)}" target="_blank" rel="noopener noreferrer">{text(said)}</a>'
    return text(said) + (f" ({text(address)})" if address else "")


def command(said: object) -> str:
    """Return a command as text to read and copy."""
    return f"<pre>{text(said, limit=_COMMAND)}</pre>"


def card(title: str, subtitle: str, body: str) -> str:
    """Return the whole card."""
    under = f'<p class="faint">{text(subtitle, limit=_SENTENCE)}</p>' if subtitle else ""
    return f'{STYLE}<article class="sl-card"><h2>{text(title)}</h2>{under}{body}</article>'


def plain(body: str) -> str:
    """Return a card without a heading, to put into a page."""
    return f'{STYLE}<article class="sl-card">{body}</article>'
