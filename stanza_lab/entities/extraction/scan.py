"""What many texts say, columnwise: one pass of one pattern over the distinct texts, each distinct segment read once.

The pass sets marks around segments, and the texts are split at the marks: so the places of segments are sums of
lengths, and nothing in Python touches a text. Polars is imported here on first use.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab.entities.extraction._segments import ERROR_WORDS, SEGMENT
from stanza_lab.entities.extraction.readings import CONFIDENCE, Reading
from stanza_lab.entities.extraction.texts import read_segment
from stanza_lab.errors import SchemaError

if TYPE_CHECKING:
    import polars as pl

Ints = npt.NDArray[np.int64]

MARK = "\x01"
_INSTEAD = "\x02"  # of a mark that stands in a text: it is no part of a name either
# Texts that a thread holds at once in their marked form: few enough for memory, enough to pay for its start.
_LEAST, _MOST = 20_000, 250_000
_RARE = 0.9  # share of distinct texts from which on to look for those that repeat does not pay


class _Segments(NamedTuple):
    """The distinct segments of some texts, and where each stands."""

    distinct: list[str]  # with a mark at the end where the text tells of an error
    code: Ints  # of each occurrence, in the order of the texts
    text: Ints
    start: Ints


def extract_entities(texts: str | Sequence[str | None] | pd.Series) -> pd.DataFrame:
    """Extract what texts name: resources, services, teams, environments, URLs, images, repositories, traces.

    Each text is read for itself; `find_entities` reads whole alerts and unifies names. Work is done once per distinct
    text and once per distinct word that may name something, columnwise: a million texts take seconds.

    Parameters
    ----------
    texts : str, sequence of str or Series of str
        The texts; null says nothing.

    Returns
    -------
    DataFrame
        `schema.READINGS`, one row per mention, by text and place: `text` (position in `texts`, from 0), `kind`,
        `type` (of a resource: ``rds:db``, ``host``, ``pod``), `name`, `arn` (where one is stated), `start` and `end`
        (characters), `method` and `confidence` (0 to 1; see `find_entities`). Method callee marks what an error text
        says was called: it is not what the alert is about.

    Raises
    ------
    SchemaError
        `texts` cannot be read as a column of text.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> from stanza_lab import extract_entities
    >>> text = "connection refused to db-orders:5432 on i-0abc1234def567890"
    >>> extract_entities(text)[["kind", "name", "start", "end", "method"]].values.tolist()
    [['service', 'db-orders', 22, 31, 'callee'], ['resource', 'i-0abc1234def567890', 40, 59, 'id']]
    """
    series = _series([texts] if isinstance(texts, str) else texts)
    if not series.null_count() and series.hash().n_unique() > _RARE * len(series):
        distinct, of_row = series, np.arange(len(series))
    else:
        distinct, of_row = distinct_values(series)
    found = _scan(distinct)
    readings, sizes = _read(found.distinct)
    occurrence, reading = spread(found.code, sizes)
    text = found.text[occurrence]
    # Every row that carries a text has its mentions.
    counts = np.bincount(text, minlength=len(distinct) + 1)
    row, mention = spread(of_row, counts)
    occurrence, reading = occurrence[mention], reading[mention]
    return _table(readings, row, reading, found.start[occurrence])


def read_texts(texts: Iterable[str]) -> list[list[Reading]]:
    """Return what each text says, with places."""
    series = _series(list(texts))
    found = _scan(series)
    each = [read_segment(segment.rstrip(MARK), error=segment.endswith(MARK)) for segment in found.distinct]
    readings: list[list[Reading]] = [[] for _ in range(len(series))]
    for code, text, start in zip(found.code.tolist(), found.text.tolist(), found.start.tolist(), strict=True):
        readings[text] += [r._replace(start=r.start + start, end=r.end + start) for r in each[code]]
    return readings


def read_text(text: str) -> list[Reading]:
    """Read a free text, with places; many texts are read faster together (`read_texts`)."""
    return read_texts([text])[0]


def spread(codes: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """Return item and number of every entry, where an item of code k has the sizes[k] entries that follow those of k-1.

    A code of -1 takes the last of `sizes`.
    """
    firsts = np.cumsum(sizes) - sizes
    each = sizes[codes]
    before = np.cumsum(each) - each
    return np.repeat(np.arange(len(codes)), each), np.repeat(firsts[codes] - before, each) + np.arange(each.sum())


def _series(texts: Any) -> pl.Series:
    import polars as pl
    import pyarrow as pa

    try:
        values = pa.array(pd.Series(texts).astype("str"))
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise SchemaError(f"texts must be text: {error}; pass a str, or a list or Series of str") from None
    series = pl.from_arrow(values)
    assert isinstance(series, pl.Series)
    return series.cast(pl.String)


def distinct_values(values: pl.Series, keys: pl.Series | None = None) -> tuple[pl.Series, Ints]:
    """Return the distinct values in the order they come, and which one each row has; -1 = null.

    Rows of one hash (`keys`) are taken for one value, then compared with it. Should two values share a hash, the values
    themselves are grouped, which takes three times as long.
    """
    import polars as pl

    if values.null_count():
        there = values.is_not_null()
        codes = np.full(len(values), -1, np.int64)
        distinct, codes[there.to_numpy()] = distinct_values(
            values.drop_nulls(), None if keys is None else keys.filter(there)
        )
        return distinct, codes
    codes = pd.factorize((values.hash() if keys is None else keys).to_numpy())[0].astype(np.int64)
    distinct = values.gather(np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1)))
    if distinct.gather(codes).equals(values):
        return distinct, codes
    rows = pl.DataFrame({"value": values}).with_row_index()
    groups = rows.group_by("value", maintain_order=True).agg(pl.col("index"), pl.len().alias("rows"))
    codes[groups["index"].explode().to_numpy()] = np.repeat(np.arange(len(groups)), groups["rows"].to_numpy())
    return groups["value"], codes


@cache
def pattern() -> str:
    """Return the pattern of segments as Rust writes it: the same classes, of ASCII only."""
    return SEGMENT.replace("(?i:", "(?i-u:").replace(r"\b", r"(?-u:\b)").replace(r"\d", "[0-9]")


def _scan(texts: pl.Series) -> _Segments:
    """Find the segments of distinct texts."""
    import polars as pl

    threads = os.cpu_count() or 1
    size = min(_MOST, max(_LEAST, -(-len(texts) // threads)))
    firsts = range(0, len(texts), size)
    if len(firsts) > 1:
        with ThreadPoolExecutor(threads) as pool:  # polars works outside Python's lock
            parts = list(pool.map(lambda first: _scan_slice(texts.slice(first, size), first), firsts))
    else:
        parts = [_scan_slice(texts, 0)]
    distinct, code = distinct_values(pl.concat([part[0] for part in parts]))
    text, start = (np.concatenate([part[place] for part in parts]) for place in (1, 2))
    return _Segments(distinct.to_list(), code, text, start)


def without_marks(texts: pl.Series) -> pl.Series:
    """Return texts in which a mark cannot be mistaken for ours; as long as before."""
    if texts.str.contains(MARK, literal=True).any():
        return texts.str.replace_all(MARK, _INSTEAD, literal=True)
    return texts


def _scan_slice(texts: pl.Series, first: int) -> tuple[pl.Series, Ints, Ints]:
    """Return the segments of some texts, the number of the text of each and its place there."""
    texts = without_marks(texts)
    kept = texts.str.contains(pattern())
    number = kept.arg_true().to_numpy().astype(np.int64)
    texts = texts.filter(kept)
    pieces = texts.str.replace_all(pattern(), f"{MARK}${{0}}{MARK}").str.split(MARK)
    sizes = pieces.list.len().to_numpy().astype(np.int64)
    flat = pieces.explode()
    lengths = flat.str.len_chars().to_numpy().astype(np.int64)
    before = np.cumsum(lengths) - lengths
    firsts = np.cumsum(sizes) - sizes
    inner = np.arange(len(lengths)) - np.repeat(firsts, sizes)
    odd = np.flatnonzero(inner % 2)  # text, segment, text, segment, text
    of_text = np.repeat(np.arange(len(sizes)), sizes)[odd]
    start = before[odd] - before[firsts][of_text]
    segments = flat.gather(odd)
    # An address means something else in an error: it gets a mark there.
    address = segments.str.contains("://", literal=True)
    if address.any():
        there = np.flatnonzero(address.to_numpy())
        about, place = np.unique(of_text[there], return_inverse=True)
        words = texts.gather(about).str.contains_any(list(ERROR_WORDS), ascii_case_insensitive=True).gather(place)
        segments = segments.scatter(there, segments.gather(there) + words.replace_strict({True: MARK, False: ""}))
    return segments.rename("segment"), number[of_text] + first, start


def _read(distinct: list[str]) -> tuple[list[Reading], Ints]:
    """Return what the distinct segments say, and how much each says."""
    readings: list[Reading] = []
    ends = [0]
    for segment in distinct:
        error = segment.endswith(MARK)
        said = read_segment(segment[:-1] if error else segment, error=error)
        # A resource's name taken for the service is a guess; that of an ECS service is none.
        readings += [r for r in said if r.method != "arn-name" or (r.resource and r.resource.type == "ecs:service")]
        ends.append(len(readings))
    bounds = np.array(ends, np.int64)
    return readings, bounds[1:] - bounds[:-1]


def _table(readings: list[Reading], row: Ints, reading: Ints, offset: Ints) -> pd.DataFrame:
    """Return `schema.READINGS`: what each reading says is told once, and taken for every mention."""
    kinds = pd.Categorical([r.kind for r in readings]).take(reading)
    said = [r.resource for r in readings]
    types = pd.Categorical(
        [s.type if s and r.kind == "resource" else None for s, r in zip(said, readings, strict=True)]
    )
    arns = pd.array([s.arn if s else None for s in said], dtype="str")
    methods = [r.method for r in readings]
    starts, ends = (np.array([r[place] for r in readings], np.int64) for place in (3, 4))
    return pd.DataFrame(
        {
            "text": row,
            "kind": kinds,
            "type": types.take(reading),
            "name": pd.array([r.name for r in readings], dtype="str").take(reading),
            "arn": arns.take(reading),
            "start": starts[reading] + offset,
            "end": ends[reading] + offset,
            "method": pd.Categorical(methods).take(reading),
            "confidence": np.array([*map(CONFIDENCE.__getitem__, methods)], np.float64)[reading],
        }
    )
