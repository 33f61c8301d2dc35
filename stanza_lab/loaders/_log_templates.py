"""From log messages to templates: what changes from line to line becomes a placeholder.

Each message is masked by itself, so that neither the order of lines nor the other lines change its template.
"""

from __future__ import annotations

import re
from functools import lru_cache

_LONGEST = 1_000  # characters of a message that are looked at
_TEMPLATE = 200  # characters of a template that are kept
_POD = "bcdfghjklmnpqrstvwxz2456789"  # the letters Kubernetes names pods with

# What is found first is masked first; what may hold the next ones comes before them.
_MASKS = tuple(
    (re.compile(pattern, re.IGNORECASE), mask)
    for pattern, mask in (
        (r"\x1b\[[0-9;]*m", ""),
        (
            (
                r"\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?\b"
                r"|\b\d\d?/[a-z]{3}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?"
                r"|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"
            ),
            "<time>",
        ),
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<uuid>"),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<email>"),
        (r"(\b[a-z][a-z0-9+.-]*://[^\s\"'<>?#]*|(?<![\w<])/[\w./~%+@:-]+)[?#][^\s\"'<>]+", r"\1?<query>"),
        (r"\"(?:[^\"\\]|\\.){1,300}\"|(?<!\w)'[^'\n]{1,300}'(?!\w)", "<str>"),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b", "<ip>"),
        (r"(?<![\w:])\[?(?=[0-9a-f:]*[0-9a-f])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}\]?(?![\w:])", "<ip>"),
        (rf"-(?=[{_POD}]*\d)[{_POD}]{{8,10}}-[{_POD}]{{5}}\b", "-<pod>"),
        (r"\b0x[0-9a-f]+\b|(?<![a-z0-9])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}(?![a-z0-9])", "<hex>"),
        (r"(?<![a-z0-9.])[+-]?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?(?=(?:[a-zµ]{1,3}|%)?(?![a-z0-9]))", "<num>"),
        (r"(?<![a-z0-9<])(?=[a-z]*\d+[a-z]+\d|\d+[a-z]+\d|\d+[a-z]{4})[a-z0-9]+(?![a-z0-9>])", "<id>"),
        (r"\d+", "<num>"),
        (r"(?<!http)/<(?:num|hex|uuid|id|time)>(?![\w<])", "/<path>"),
        (r"\s+", " "),
    )
)


def first_line(message: str) -> str:
    """Return the line of a message that says what happened: the first, of a Python traceback the last."""
    lines = [line for line in message[: 20 * _LONGEST].splitlines() if line.strip()]
    if not lines:
        return ""
    trace = lines[0].startswith("Traceback (most recent call last)")
    return (lines[-1] if trace else lines[0]).strip()[:_LONGEST]


@lru_cache(2**12)
def template(line: str) -> str:
    """Return what lines of one kind have in common: `line` with what varies masked, at most 200 characters."""
    for pattern, mask in _MASKS:
        line = pattern.sub(mask, line)
    line = line.strip()
    if len(line) <= _TEMPLATE:
        return line
    cut, _, _ = line[: _TEMPLATE + 1].rpartition(" ")
    return (cut or line[:_TEMPLATE]) + " ..."
