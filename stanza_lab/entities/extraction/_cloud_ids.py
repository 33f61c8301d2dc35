"""Resource ids of Azure and Google Cloud: paths that end in type and name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stanza_lab.entities.extraction.arns import Resource

_PART = r"[\w.()-]{1,128}"
_ID = re.compile(
    rf"(?<![\w/])/subscriptions/{_PART}/resourcegroups/{_PART}/providers/(?P<system>[a-z.]{{3,60}})"
    rf"/(?P<azure>{_PART}/{_PART}(?:/{_PART}/{_PART}){{0,4}})"
    rf"|(?<![\w-])(?://(?P<api>[a-z]{{2,40}})\.googleapis\.com/)?projects/{_PART}/(?:zones|regions|locations)/{_PART}"
    rf"/(?P<gcp>{_PART}/{_PART}(?:/{_PART}/{_PART}){{0,3}})",
    re.I,
)


def find_cloud_ids(text: str) -> Iterator[tuple[int, int, Resource]]:
    """Yield start, end and resource of every Azure or Google Cloud id in `text`.

    Examples
    --------
    >>> from stanza_lab.entities.extraction._cloud_ids import find_cloud_ids
    >>> [found[2][:2] for found in find_cloud_ids("projects/shop/zones/europe-west1-b/instances/web-1 is down")]
    [('gcp:instances', 'web-1')]
    """
    if "rojects/" not in text and "ubscriptions/" not in text:
        return
    for match in _ID.finditer(text):
        value = match.group().rstrip(".")
        *_, kind, name = value.split("/")
        system = match["system"] or match["api"] or "gcp"
        yield match.start(), match.start() + len(value), Resource(f"{system}:{kind}".lower(), name, value, named=False)


def read_cloud_id(value: str) -> Resource | None:
    """Return the resource that the whole of `value` is the id of, or None."""
    return next((found for start, end, found in find_cloud_ids(value[:1024]) if (start, end) == (0, len(value))), None)
