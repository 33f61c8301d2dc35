"""The page around all that is written as HTML: its policy, its style, its script, and how it reaches the disk."""

from __future__ import annotations

import base64
import errno
import hashlib
import html
import json
import os
import tempfile
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path

from stanza_lab.report import embedding, tables

# Nothing may be fetched, and no script runs whose exact text is not named here by its hash: whatever a hostile alert
# text got into the page, a browser would neither run it nor ask for what it names. Styles stay open: plotly.js makes
# its own as it draws.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
{style}</style>
{library}
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<h1>{title}</h1>
{contents}
<main id="content" tabindex="-1">
{body}
</main>
<p id="heard" class="heard" role="status"></p>
<script type="application/json" id="page-facts">{facts}</script>
<script>{script}</script>
</body>
</html>
"""
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def section(title: str, content: str, *, folded: bool | None = None, anchor: str | None = None) -> str:
    """Return a section with its heading, or nothing where it has no content.

    `folded` makes it collapsible: True starts it closed, False open; None leaves it as it is. `anchor` is its id, by
    default its title in lower case.
    """
    if not content:
        return ""
    heading = f"<h2>{html.escape(title)}</h2>"
    if folded is not None:
        content = f"<details{'' if folded else ' open'}><summary>{heading}</summary>{content}</details>"
        heading = ""
    return f'<section id="{anchor or slug(title)}">{heading}{content}</section>'


def slug(title: str) -> str:
    """Return one of our own titles as an id."""
    return title.lower().replace(" ", "-")


def contents(titles: Iterable[str]) -> str:
    """Return the table of contents: links to the sections of these titles."""
    links = "".join(f'<li><a href="#{slug(title)}">{html.escape(title)}</a></li>' for title in titles)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>' if links else ""


def listing(sentences: Iterable[str]) -> str:
    """Return sentences as a list."""
    items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def write(path: str | os.PathLike[str], title: str, parts: Iterable[str], *, contents: str = "") -> Path:
    """Write a page beside its target, then put it in its place; where that fails nothing is left behind."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a directory; name a file in it", str(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", str(target.parent))
    page = _page(title, "\n".join(part for part in parts if part), contents)
    # half a surrogate pair is no character; it must not be what a page fails on
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="replace", newline="\n", dir=target.parent, suffix=".part", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(page)
            file.close()
            temporary.chmod(0o644)
            return temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _page(title: str, body: str, contents: str) -> str:
    drawing = embedding.PLOT in body
    script, facts = _asset("page.js"), {"rows": tables.ROWS, "few": tables.FEW} | embedding.colours()
    scripts = [script, *([embedding.library()] if drawing else [])]
    return _PAGE.format(
        policy=_POLICY.format(scripts=" ".join(map(_hash, scripts))),
        title=html.escape(title),
        style=_asset("page.css"),
        library=f"<script>{embedding.library()}</script>" if drawing else "",
        contents=contents,
        body=body,
        facts=embedding.as_data(json.dumps(facts)),
        script=script,
    )


@cache
def _asset(name: str) -> str:
    return (resources.files("stanza_lab.report") / name).read_text(encoding="utf-8")


@cache
def _hash(script: str) -> str:
    """Return what a policy calls the script with exactly this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
