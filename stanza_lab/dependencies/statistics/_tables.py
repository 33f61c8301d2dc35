"""Statistics as tables, and back, whatever the tables hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.dependencies.statistics._arrivals import Arrivals
from stanza_lab.dependencies.statistics._counted import MOST_ROWS
from stanza_lab.dependencies.statistics._sums import Ints, Sums, pack, packable, unpack
from stanza_lab.dependencies.statistics.counting import COUNTS, LAGS, Counting
from stanza_lab.dependencies.statistics.firings import OPEN, Codes, codes_in, names_of, stamps, text
from stanza_lab.dependencies.statistics.near import Near, near_places
from stanza_lab.errors import SchemaError

COLUMNS = {
    "firings": ["block", "node", "place", "firings", "inner"],
    "cofirings": ["slice", "a", "b", "cofirings", *COUNTS],
    "arrivals": ["starts_at", "ends_at", "place", "node"],
    "near": ["src", "dst"],
}
_TIMES = {"block", "slice", "starts_at", "ends_at"}
_NAMES = {"node", "place", "a", "b", "src", "dst"}
_LARGEST = 2**40  # a count; sums of many stay exact


def firings(sums: Sums, nodes: pd.Index, places: pd.Index, counting: Counting) -> pd.DataFrame:
    """Return the table `firings`."""
    block, node, place = unpack(sums.keys, (len(nodes), len(places)))
    names = {"node": text(node, nodes), "place": text(place, places)}
    counts = dict(zip(("firings", "inner"), sums.counts.T, strict=True))
    return pd.DataFrame({"block": stamps(block * counting.block), **names, **counts})


def cofirings(sums: Sums, nodes: pd.Index, counting: Counting) -> pd.DataFrame:
    """Return the table `cofirings`."""
    slice_, a, b = unpack(sums.keys, (len(nodes), len(nodes)))
    counts = dict(zip(COUNTS, sums.counts.T, strict=True))
    total = sums.counts[:, -len(LAGS) :].sum(axis=1, dtype=np.uint64)
    names = {"a": text(a, nodes), "b": text(b, nodes)}
    return pd.DataFrame({"slice": stamps(slice_ * counting.slice), **names, "cofirings": total, **counts})


def arrivals(rows: Arrivals, nodes: pd.Index, places: pd.Index) -> pd.DataFrame:
    """Return the table `arrivals`."""
    return pd.DataFrame(
        {
            "starts_at": stamps(rows.starts),
            "ends_at": stamps(rows.ends),
            "place": text(rows.places, places),
            "node": text(rows.nodes, nodes),
        }
    )


def read(
    frames: dict[str, pd.DataFrame], settings: dict[str, Any]
) -> tuple[Counting, pd.Index, pd.Index, Sums, Sums, Arrivals]:
    """Return what the tables hold; raise SchemaError for what no counting gives."""
    placed = "near" in frames or "arrivals" in frames
    names = ["firings", "cofirings", *(["arrivals", "near"] if placed else [])]
    tables = {name: _checked(frames.get(name), name) for name in names}
    near = _near(tables["near"]) if placed else None
    counting = Counting.from_settings(settings, near)
    used = {name: [c for c in COLUMNS[name] if c in _NAMES] for name in names if name != "near"}
    nodes = _union([tables[name][c] for name, columns in used.items() for c in columns if c != "place"])
    places = _union([tables[name][c] for name, columns in used.items() for c in columns if c == "place"])
    if not placed and len(places.difference([""])):
        raise SchemaError(
            "co-firing statistics: there are places but no tables 'arrivals' and 'near'; save it again with to_frames"
        )
    block = _periods(tables["firings"]["block"], "firings", counting.block)
    sizes = len(nodes), len(places)
    if not packable(np.sort(block), sizes[0] * max(sizes)):
        raise SchemaError("co-firing statistics: table 'firings' spans more time than fits")
    codes = [_codes(tables["firings"][name], known) for name, known in (("node", nodes), ("place", places))]
    fired = _sums("firings", pack(block, codes[0], codes[1], sizes), tables["firings"], ["firings", "inner"])
    return counting, nodes, places, fired, _pairs(tables["cofirings"], nodes, counting), (
        _arrivals(tables["arrivals"], nodes, places) if placed else Arrivals.none()
    )  # fmt: skip


def _near(table: pd.DataFrame) -> Near:
    near = near_places(table)
    if int(near.matrix.sum()) - len(near.places) != 2 * len(table):
        raise SchemaError("co-firing statistics: table 'near' names a pair twice, or a place with itself")
    return near


def _pairs(table: pd.DataFrame, nodes: pd.Index, counting: Counting) -> Sums:
    if len(table) > MOST_ROWS:
        raise SchemaError(f"co-firing statistics: table 'cofirings' has more than {MOST_ROWS:,} rows")
    slice_ = _periods(table["slice"], "cofirings", counting.slice)
    if not packable(np.sort(slice_), len(nodes) ** 2):
        raise SchemaError("co-firing statistics: table 'cofirings' spans more time than fits")
    a, b = _codes(table["a"], nodes), _codes(table["b"], nodes)
    if (a >= b).any():
        raise SchemaError("co-firing statistics: table 'cofirings' has rows in which a is not before b")
    sums = _sums("cofirings", pack(slice_, a, b, (len(nodes), len(nodes))), table, ["cofirings", *COUNTS])
    total, kept = sums.counts[:, 0], Sums.of(sums.keys, sums.counts[:, 1:])
    if (total != kept.counts[:, -len(LAGS) :].sum(axis=1, dtype=np.uint64)).any():
        raise SchemaError("co-firing statistics: table 'cofirings': lags must add up to co-firings")
    return kept


def _arrivals(table: pd.DataFrame, nodes: pd.Index, places: pd.Index) -> Arrivals:
    starts, ends = (_micros(table[name]) for name in ("starts_at", "ends_at"))
    if (starts == OPEN).any():
        raise SchemaError("co-firing statistics: table 'arrivals' has rows without starts_at")
    return Arrivals(starts, ends, _codes(table["place"], places), _codes(table["node"], nodes)).ordered()


def _checked(table: pd.DataFrame | None, name: str) -> pd.DataFrame:
    """Return the columns of a table, of the right kinds."""
    missing = [c for c in COLUMNS[name] if table is None or c not in table.columns]
    if table is None or missing:
        raise SchemaError(f"co-firing statistics: table {name!r} lacks {missing}; save it again with to_frames")
    for column in COLUMNS[name]:
        if not _of_its_kind(table[column], column):
            raise SchemaError(f"co-firing statistics: table {name!r}: {column!r} has nulls or values of another kind")
    return table[COLUMNS[name]].reset_index(drop=True)


def _of_its_kind(values: Any, column: str) -> bool:
    if not isinstance(values, pd.Series):  # a name that is there twice
        return False
    if values.isna().any() and column != "ends_at":
        return False
    if column in _TIMES:
        return isinstance(values.dtype, pd.DatetimeTZDtype)
    if column in _NAMES:
        labels = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values
        return len(labels) == 0 or pd.api.types.infer_dtype(labels, skipna=False) == "string"
    return bool(pd.api.types.is_integer_dtype(values.dtype)) or not len(values)


def _sums(name: str, keys: Ints, table: pd.DataFrame, columns: list[str]) -> Sums:
    if any(len(table) and (int(table[c].min()) < 0 or int(table[c].max()) > _LARGEST) for c in columns):
        raise SchemaError(f"co-firing statistics: table {name!r} has counts below 0 or beyond belief")
    counts = np.column_stack([table[c].to_numpy() for c in columns]).astype(np.int64)
    if (np.diff(keys) <= 0).any():
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
        if (np.diff(keys) == 0).any():
            raise SchemaError(f"co-firing statistics: table {name!r} has rows of the same time and names")
    return Sums.of(keys, counts)


def _periods(times: pd.Series, name: str, length: int) -> Ints:
    number, rest = np.divmod(_micros(times), length)
    if rest.any():
        raise SchemaError(f"co-firing statistics: table {name!r} has times that start no {times.name}; see settings")
    return np.asarray(number, np.int64)


def _micros(times: pd.Series) -> Ints:
    try:
        return pd.DatetimeIndex(times.astype(schema.TIME_DTYPE)).asi8
    except (pd.errors.OutOfBoundsDatetime, OverflowError) as error:
        raise SchemaError(f"co-firing statistics: {times.name!r} has times out of range") from error


def _union(columns: list[pd.Series]) -> pd.Index:
    words = [
        c.cat.categories[np.unique(c.cat.codes)] if isinstance(c.dtype, pd.CategoricalDtype) else c.unique()
        for c in columns
    ]
    found = names_of(np.concatenate([np.asarray(w, object) for w in words]) if words else ())
    return found.unique().sort_values()


def _codes(names: pd.Series, known: pd.Index) -> Codes:
    if isinstance(names.dtype, pd.CategoricalDtype):
        labels = names.cat.categories
        return codes_in(known, names_of(labels))[names.cat.codes.to_numpy()] if len(labels) else np.zeros(0, np.int32)
    return codes_in(known, names_of(names))
