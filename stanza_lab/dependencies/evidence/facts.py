"""Facts: what every alert says of other nodes, of resources and of traces, each distinct value read once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab._params import at_least
from stanza_lab.dependencies.evidence.names import SERVICE, NodeNames
from stanza_lab.entities._known_names import find_known
from stanza_lab.entities.evidence import TEXTS, Evidence
from stanza_lab.entities.extraction import hosts
from stanza_lab.entities.extraction.fields import read_trace
from stanza_lab.entities.extraction.scan import spread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanza_lab.entities.evidence import Column
    from stanza_lab.entities.extraction.arns import Resource
    from stanza_lab.entities.extraction.fields import Reading

Codes = npt.NDArray[np.int64]

DAY = 86_400_000_000  # microseconds

# The ways of naming something, the most telling first.
CALLED = 0  # its text says that the node was called, or could not be
OWNED = 1  # it names a resource that is the node's own
NAMED = 2  # it merely names the node
CALLED_RESOURCE, TOLD_RESOURCE, AFFECTED_RESOURCE, TRACE = 3, 4, 5, 6  # whose it is, the other alerts tell
_Fact = tuple[int, str]


@dataclass(frozen=True)
class Facts:
    """What alerts say.

    Attributes
    ----------
    rows : DataFrame
        Every node of every alert that has a time: `row` (number of the alert), `slice` (microseconds), `node` (str).
    facts : DataFrame
        `row`, `how` (one of the constants above), `what` (str): a node, a resource, or a trace. Distinct.
    """

    rows: pd.DataFrame
    facts: pd.DataFrame


def node_rows(alerts: pd.DataFrame, node: str, slice_us: int) -> pd.DataFrame:
    """Return the nodes of every alert that has a time and a node, and the slice (microseconds) it lies in."""
    length = at_least(slice_us, "slice_us", 1)
    at = alerts["starts_at"]
    names = alerts[node].array.take(np.arange(len(alerts)))
    rows = pd.DataFrame({"row": np.arange(len(alerts)), "node": names})
    us = at.astype("datetime64[us, UTC]").astype("int64").to_numpy()
    rows["slice"] = us // length * length
    rows = rows[at.notna().to_numpy()].explode("node")
    rows = rows[rows["node"].notna()]
    return rows.assign(node=rows["node"].astype("str")).drop_duplicates(["row", "node"], ignore_index=True)


def read_facts(alerts: pd.DataFrame, rows: pd.DataFrame, names: NodeNames, *, node: str) -> Facts:
    """Return what the alerts of `rows` say.

    Nothing is decided here by how often or by whom else something is named, so what an alert says does not depend on
    the alerts beside it.
    """
    columns = [name for name in ("resources", "labels", *TEXTS) if name in alerts.columns and name != node]
    evidence = Evidence(alerts[columns], None)
    searched = names.searched()
    parts = [pd.DataFrame({"row": np.zeros(0, dtype=np.int64), "how": np.zeros(0, dtype=np.int64), "what": []})]
    for column in evidence.columns.values():
        known = _known(column, names, searched) if column.name in TEXTS else [()] * len(column.values)
        said = [
            [*dict.fromkeys((*_facts(column.name, readings, names, services=node == SERVICE), *more))]
            for readings, more in zip(column.readings, known, strict=True)
        ]
        sizes = np.array([*map(len, said), 0], dtype=np.int64)
        row, number = spread(column.codes[evidence.of_row], sizes)
        how = np.array([fact[0] for each in said for fact in each], dtype=np.int64)
        what = pd.array([fact[1] for each in said for fact in each], dtype="str")
        parts.append(pd.DataFrame({"row": row, "how": how[number], "what": what.take(number)}))
    parts.append(_traces(alerts, node))
    facts = pd.concat(parts, ignore_index=True).astype({"what": "str"})
    facts = facts[facts["row"].isin(rows["row"])]
    return Facts(rows, facts.drop_duplicates(ignore_index=True))


def _facts(column: str, readings: Iterable[Reading], names: NodeNames, *, services: bool) -> Iterator[_Fact]:
    """Yield what the readings of one value say."""
    for reading in readings:
        called = reading.method == "callee"
        if reading.kind == "service":
            node = names.match(reading.name)
            if called and (node or services):
                yield CALLED, node or reading.name
            elif node and reading.method != "arn-name":  # its resource stands beside it and says more
                yield NAMED, node
        elif reading.kind == "resource" and reading.resource and reading.resource.type != "pod":  # a pod's service does
            yield from _of_resource(column, reading.resource, names, called=called, services=services)
        elif reading.kind == "trace":
            yield TRACE, reading.name


def _of_resource(column: str, resource: Resource, names: NodeNames, *, called: bool, services: bool) -> Iterator[_Fact]:
    node = owner_by_name(resource, names)
    if node:
        yield (CALLED if called else OWNED), node
        return
    thing = f"{resource.type}/{resource.name}"
    if called:
        yield CALLED_RESOURCE, thing
        if services and hosts.is_host(resource.name):
            yield CALLED, resource.name  # nobody's in the alerts, perhaps another company's
    else:
        yield (TOLD_RESOURCE if column in TEXTS else AFFECTED_RESOURCE), thing


def owner_by_name(resource: Resource, names: NodeNames) -> str | None:
    """Return the node after which a resource is named, or None."""
    if resource.type == "host":
        return names.match_host(resource.name)
    return names.match(resource.name.rpartition("/")[2]) if resource.named else None


def _known(column: Column, names: NodeNames, searched: set[str]) -> list[Sequence[_Fact]]:
    """Return the nodes whose names stand in each text, outside of what the readings told already."""
    hits = find_known(searched, column.values, alert_name=column.name == "alertname")
    found: list[Sequence[_Fact]] = []
    for text, each, readings in zip(column.values, hits, column.readings, strict=True):
        taken = sorted({(r.start, r.end) for r in readings}) if each else []
        reach = [*accumulate((end for _, end in taken), max)]
        said = []
        for hit in each:
            before = bisect_right(taken, (hit.start, len(text))) - 1
            node = names.match(text[hit.start : hit.start + len(hit.folded)])
            if node and (before < 0 or hit.start >= reach[before]):
                said.append((NAMED, node))
        found.append(said)
    return found


def _traces(alerts: pd.DataFrame, node: str) -> pd.DataFrame:
    if "trace_ids" not in alerts.columns or node == "trace_ids":
        return pd.DataFrame({"row": np.zeros(0, dtype=np.int64), "how": np.zeros(0, dtype=np.int64), "what": []})
    ids = pd.Series(alerts["trace_ids"].array, index=np.arange(len(alerts))).explode().dropna()
    codes, distinct = pd.factorize(ids.to_numpy(dtype=object))
    read = pd.array([next((r.name for r in read_trace(value)), None) for value in distinct], dtype="str")
    row = ids.index.to_numpy(dtype=np.int64)
    return pd.DataFrame({"row": row, "how": TRACE, "what": read.take(codes)}).dropna(subset="what")


def check_alerts(alerts: pd.DataFrame, node: str) -> pd.DataFrame:
    """Return the alerts with checked columns; `starts_at` and `node` are needed."""
    return schema.check(alerts, schema.ALERTS, need=["starts_at", node])
