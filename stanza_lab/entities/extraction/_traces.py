"""Ids of traces: W3C, B3, Datadog and X-Ray, in fields of that name and after such a key in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

KEY = (
    r"(?:(?:dd|otel|b3|parent|x-b3|sentry|apm)[._-]?)?trace[_. -]?id|trace[_. -]?parent|x-amzn-trace-id"
    r"|uber-trace-id|x-cloud-trace-context|(?:xray|x-ray)[_. -]?trace(?:[_. -]?id)?|traces?(?:\": ?\{\"id)?"
    r"|sentry-trace|b3"
)
# Between key and id; X-Ray names itself and the root of the trace, Google Cloud the project.
GAP = (
    r"[\"'*]{0,3}[ :=]{1,3}[*\"'`]{0,3} ?(?:projects/[A-Za-z0-9:._-]{1,60}/traces/)?"
    r"(?i:(?:self=[0-9a-f-]{10,40};)?root=)?"
)
KEYS = re.compile(rf"(?:{KEY})", re.I)
_IDS = (
    r"00-(?P<{0}w3c>[0-9a-f]{{32}})-[0-9a-f]{{16}}-[0-9a-f]{{2}}|(?P<{0}xray>1-[0-9a-f]{{8}}-[0-9a-f]{{24}})"
    r"|(?P<{0}hex>[0-9a-f]{{32}}|[0-9a-f]{{16}})|(?P<{0}decimal>\d{{17,20}})"
)
_VALUE = re.compile(rf"(?:Root=)?(?:{_IDS.format('')})(?:(?:[:/;]|-[0-9a-f]{{16}}).*)?", re.I | re.S)
_AFTER_KEY = re.compile(
    rf"(?<![A-Za-z0-9])(?P<key>{KEY}){GAP}(?P<value>{_IDS.format('')})(?:-[0-9a-f]{{16}}(?:-[01d])?)?(?![0-9A-Za-z-])",
    re.I,
)


# Spring writes service, trace and span into each line: [orders,4bf92f3577b34da6,00f067aa0ba902b7].
IN_LINE = r"\[[A-Za-z0-9._-]{0,80},(?:[0-9a-f]{32}|[0-9a-f]{16}),[0-9a-f]{16}"
_IN_LINE = re.compile(r"\[(?P<service>[\w.-]{0,80}),(?P<trace>[0-9a-f]{32}|[0-9a-f]{16}),[0-9a-f]{16}(?![0-9a-f])")


def find_line_traces(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield the places of service and trace in what Spring writes into each line of a log."""
    if text.startswith("["):
        for match in _IN_LINE.finditer(text):
            yield match.span("service"), match.span("trace")


def find_traces(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and id of every trace that `text` names by a key."""
    if "trace" not in text.lower() and "b3" not in text:
        return
    for match in _AFTER_KEY.finditer(text):
        group = next(name for name in ("w3c", "xray", "hex", "decimal") if match[name])
        if match[group].strip("0"):
            yield *match.span(group), match[group].lower()


def read_trace_id(value: str) -> str | None:
    """Return the trace that a field of traces names, as exports spell it: lower-case hex, Datadog's as it is."""
    match = _VALUE.fullmatch(value.strip()) if len(value) <= 512 else None
    if match is None:
        return None
    found: str | None = match["w3c"] or match["xray"] or match["hex"] or match["decimal"]
    return found.lower() if found and found.strip("0") else None
