"""The tables every part of the package agrees on: names, dtypes, severity order, checks.

Tables are plain DataFrames. This is the only module that spells out their columns. A table is checked once, where
it enters: `check` returns a new frame with the dtypes below, or raises a `SchemaError` that lists every problem.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from stanza_lab.errors import SchemaError

if TYPE_CHECKING:
    import pyarrow as pa

Dtype = Literal["str", "category", "time", "severity", "strings", "ints", "bool", "int64", "float64"]

SEVERITIES = ("info", "warning", "error", "critical")
KINDS = ("fired", "renotified", "acknowledged", "resolved", "changed", "note")
TIME_SOURCES = ("event", "receipt", "none")
PROVENANCES = ("declared", "inferred", "traced")
VERDICTS = ("confirmed", "alert-only", "trace-only", "declared-only")
CALL_KINDS = ("request", "messaging", "database", "unknown")
TOLD_BY = ("parent", "peer", "spelling")  # the surest first
NOISE = -1  # incident_id of an alert on its own

SEVERITY_DTYPE = pd.CategoricalDtype(list(SEVERITIES), ordered=True)
TIME_DTYPE = pd.DatetimeTZDtype("us", "UTC")


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, its dtype in our words, what it means, the words it may hold."""

    name: str
    dtype: Dtype
    meaning: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: its name and its columns in order."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(column for column in self.columns if column.name == name)


# What a record can say about an alert, and what an alert keeps: shared by both tables.
_ABOUT = (
    Column("alertname", "category", "rule or monitor name"),
    Column("starts_at", "time", "when it fired; null = unknown"),
    Column("acked_at", "time", "when a person took it; null = not acknowledged"),
    Column("ends_at", "time", "when it recovered; null = still open or unknown"),
    Column("severity", "severity", "info < warning < error < critical; null when the source states none"),
    Column("severity_raw", "category", "the source's own word"),
    Column("summary", "str", "one line for people; untrusted text"),
    Column("description", "str", "more for people; untrusted text"),
    Column("url", "str", "where it came from; untrusted text"),
    Column("service", "category", "what it is about; null when unknown"),
    Column("environment", "category", "production, staging ...; null when unknown"),
    Column("team", "category", "who is paged; null when unknown"),
    Column("resources", "strings", "affected ARNs, instance ids, hosts, pods; never notification targets"),
    Column("trace_ids", "strings", "traces the record names"),
    Column("labels", "str", "the rest as canonical JSON"),
)
_SOURCE = Column("source", "category", "system the record was exported from")
_ORIGIN = Column("origin", "category", "system that raised it, when the source only carries a copy")
_RULE = Column("rule_key", "category", "the recurring alert: rule and group")
_TIME_SOURCE = Column("time_source", "category", "where the time comes from", TIME_SOURCES)

EVENTS = Table(
    "events",
    (
        _SOURCE,
        _ORIGIN,
        Column("event_id", "str", "the fact, unique within a source: the same in every shape of one vendor"),
        Column("native_ids", "strings", "ids of the record as its file wrote them"),
        Column("occurrence_key", "str", "one firing interval, where the vendor has a key for it"),
        _RULE,
        Column("at", "time", "when it happened; null when the record carries no time"),
        _TIME_SOURCE,
        Column("kind", "category", "what happened", KINDS),
        Column("has_recovery", "bool", "the source reports when this alert ends; without it a quiet gap ends it"),
        *_ABOUT,
        Column("raw", "str", "the record as it came, after redaction, JSON"),
    ),
)

ALERTS = Table(
    "alerts",
    (
        Column("alert_id", "str", "stable: hash of the source and the first event"),
        _SOURCE,
        _ORIGIN,
        Column("event_ids", "strings", "native ids of every event folded in"),
        _RULE,
        *_ABOUT[:4],
        _TIME_SOURCE,
        *_ABOUT[4:],
        Column("incident_id", "int64", "added by incidents; -1 = on its own"),
    ),
)

REJECTED = Table(
    "rejected",
    (
        Column("file", "str", "file, with the archive member behind '!'"),
        Column("locator", "str", "line or JSON path"),
        Column("reason", "str", "short code"),
        Column("message", "str", "what, where, what to do"),
        Column("raw", "str", "the record as it came, after redaction, at most 2,000 characters"),
    ),
)

EDGES = Table(
    "edges",
    (
        Column("src", "str", "depends on dst (calls it); trouble travels from dst to src"),
        Column("dst", "str", "the dependency"),
        Column("confidence", "float64", "probability that this directed dependency is real"),
        Column("link_confidence", "float64", "probability that there is one in either direction"),
        Column("support", "int64", "co-firings"),
        Column("lift", "float64", "co-firings over those expected by chance"),
        Column("lag_s", "float64", "median seconds from dst's alert to src's; negative when src fires first"),
        Column("p_value", "float64", "of so many co-firings by chance"),
        Column("q_value", "float64", "p_value after Benjamini-Hochberg over all pairs"),
        Column("provenance", "strings", "where it is known from", PROVENANCES),
        Column("verdict", "category", "after an overlay of traces; null before", VERDICTS),
    ),
)

CALLS = Table(
    "calls",
    (
        Column("src", "str", "the caller: depends on dst"),
        Column("dst", "str", "what it calls; a queue for its producers and its consumers"),
        Column("calls", "int64", "times that traces show it"),
        Column("errors", "int64", "of these, where either side's span says error"),
        Column("kind", "category", "what most of them are", CALL_KINDS),
        Column("told_by", "category", "spans of both; or only the name the caller gives", TOLD_BY),
        Column("p50_ms", "float64", "median time a call took, on one clock; null when none is known"),
        Column("p95_ms", "float64", "95 % took at most this long"),
        Column("first_seen", "time", "start of the first"),
        Column("last_seen", "time", "start of the last"),
        Column("dst_traced", "bool", "whether dst writes spans itself"),
        Column("skewed", "int64", "calls whose callee cannot have run when its clock says so"),
        Column("skew_ms", "float64", "how far dst's clock is ahead of src's in these (median); 0: none; null: unknown"),
        Column("spelled", "str", "most usual other spelling of dst among callers' peers; null when none"),
    ),
)

ENTITIES = Table(
    "entities",
    (
        Column("entity_id", "str", "kind and name"),
        Column("kind", "category", "service, team, environment, resource ..."),
        Column("name", "str", "canonical name"),
        Column("aliases", "strings", "other spellings seen"),
        Column("team", "category", "who owns it; null when unknown"),
        Column("first_seen", "time", "first alert that mentions it"),
        Column("last_seen", "time", "last alert that mentions it"),
    ),
)

MENTIONS = Table(
    "mentions",
    (
        Column("alert_id", "str", "the alert"),
        Column("entity_id", "str", "the entity"),
        Column("field", "category", "column, label or text the name stood in"),
        Column("span", "ints", "start and end in that text; empty when the whole value"),
        Column("method", "category", "how it was read"),
        Column("confidence", "float64", "how sure the reading is, 0 to 1"),
    ),
)

READINGS = Table(
    "readings",
    (
        Column("text", "int64", "position of the text, from 0"),
        Column("kind", "category", "service, resource, team, environment, url, image, repository, trace, on_call"),
        Column("type", "category", "of a resource: system and type, host or pod; null for other kinds"),
        Column("name", "str", "as it is written there; of a resource its short name"),
        Column("arn", "str", "full ARN where the text states one"),
        Column("start", "int64", "place in the text, in characters"),
        Column("end", "int64", "where it ends"),
        Column("method", "category", "how it was read; callee is what was called, not what the text is about"),
        Column("confidence", "float64", "how sure the reading is, 0 to 1"),
    ),
)

SPANS = Table(
    "spans",
    (
        Column("trace_id", "str", "trace, lower-case hex"),
        Column("span_id", "str", "span, lower-case hex"),
        Column("parent_span_id", "str", "span that caused it; null for a root"),
        Column("service", "category", "service.name of the resource; null when unset"),
        Column("name", "category", "operation"),
        Column("kind", "category", "role in the call", ("internal", "server", "client", "producer", "consumer")),
        Column("starts_at", "time", "start"),
        Column("ends_at", "time", "end"),
        Column("status", "category", "outcome", ("unset", "ok", "error")),
        Column("peer", "category", "callee a client span names (peer.service, database, queue); null when none"),
    ),
)

OWNERSHIP = Table(
    "ownership",
    (
        Column("service", "str", "the service"),
        Column("team", "category", "who owns it"),
        Column("repository", "str", "where its code lives"),
        Column("on_call", "str", "whom to wake"),
        Column("tier", "category", "how much it matters, as the catalogue words it"),
    ),
)

NAMES = Table(
    "names",
    (
        Column("name", "str", "a name of a service, spellings unified"),
        Column("service", "str", "the one name of the service it means"),
        Column("confidence", "float64", "probability that it does, 0 to 1"),
        Column("basis", "category", "what says so", ("stated", "learned", "given")),
        Column("spellings", "strings", "how it is written"),
        Column("places", "strings", "systems and their fields that use it"),
        Column("first_seen", "time", "first alert that states it"),
        Column("last_seen", "time", "last alert that states it"),
    ),
)

NAME_CONFLICTS = Table(
    "name_conflicts",
    (
        Column("name", "str", "a name of a service"),
        Column("other", "str", "another that may mean the same, or was said to"),
        Column("probability", "float64", "that they are one service, by the evidence alone"),
        Column("kind", "category", "what is the matter", ("unsure", "kept apart", "given")),
        Column("why", "str", "in words; untrusted names"),
    ),
)

OWNERS = Table(
    "owners",
    (
        Column("service", "str", "the service"),
        Column("team", "category", "the declared team, else the one paged most; null when neither is known"),
        Column("basis", "category", "what says so", ("declared", "paged", "both", "none")),
        Column("confidence", "float64", "probability that its next alert that names a team names this one"),
        Column("declared", "category", "team of the catalogue"),
        Column("paged", "category", "team that most of its alerts name"),
        Column("pages", "int64", "alerts of the service that name a team"),
        Column("share", "float64", "of pages: those that name the team paged most"),
        Column("also_paged", "strings", "other teams its alerts name, the most paged first"),
        Column("alerts", "int64", "alerts of the service"),
        Column("conflict", "category", "catalogue: pages go elsewhere; shared: two teams", ("catalogue", "shared")),
        Column("repository", "str", "where its code lives"),
        Column("on_call", "str", "whom to wake"),
        Column("words", "str", "all of it for people; untrusted names"),
    ),
)

TEAMS = Table(
    "teams",
    (
        Column("team", "str", "the team"),
        Column("services", "strings", "services it owns"),
        Column("also_paged_for", "strings", "services of others whose alerts name it"),
        Column("alerts", "int64", "alerts of the services it owns"),
        Column("repositories", "strings", "repositories of these services"),
        Column("words", "str", "what stands out; untrusted names"),
    ),
)

TEAM_PAIRS = Table(
    "team_pairs",
    (
        Column("team", "str", "a team"),
        Column("other", "str", "another one, later in the alphabet"),
        Column("together", "int64", "alerts of either that began near one of the other; each alert once"),
        Column("of_alerts", "int64", "alerts of both that have a time"),
        Column("expected", "float64", "together by chance, as often as both alert on each day"),
        Column("lift", "float64", "together over expected"),
        Column("days", "int64", "days on which they were together"),
        Column("shared_services", "strings", "services that one owns or is paged for, and the other too"),
        Column("words", "str", "all of it for people; untrusted names"),
    ),
)

REPOSITORIES = Table(
    "repositories",
    (
        Column("repository", "str", "owner/name"),
        Column("service", "str", "a service whose code is there"),
        Column("team", "category", "who owns the service; null when unknown"),
        Column("basis", "category", "what says so", ("declared", "mentioned", "both")),
        Column("mentions", "int64", "alerts of the service that name the repository"),
        Column("alerts", "int64", "alerts of the service"),
    ),
)


def check(
    frame: pd.DataFrame, table: Table, *, need: Collection[str] | None = None, what: str | None = None
) -> pd.DataFrame:
    """Return `frame` with the dtypes of `table`, or raise with every problem listed.

    Parameters
    ----------
    frame : DataFrame
        The table to check. It is not changed; columns the table does not know are kept as they are.
    table : Table
        What the columns mean, for example `ALERTS`.
    need : collection of str, optional
        Columns that must be there. Default: all of them. Known columns that are there are converted either way.
    what : str, optional
        What to call the frame in messages. Default: the table's name.

    Returns
    -------
    DataFrame
        A new frame, same rows and index.

    Raises
    ------
    SchemaError
        A needed column is missing or a value does not fit; all problems in one message.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import schema
    >>> frame = pd.DataFrame({"starts_at": ["2026-03-01T14:02:00Z"], "service": ["checkout"]})
    >>> schema.check(frame, schema.ALERTS, need=["starts_at", "service"]).dtypes["starts_at"]
    datetime64[us, UTC]
    >>> schema.check(frame, schema.ALERTS, need=["startsAt"])
    Traceback (most recent call last):
        ...
    stanza_lab.errors.SchemaError: alerts: column 'startsAt' is missing; columns are ['starts_at', 'service']; ...
    """
    what = what or table.name
    if not isinstance(frame, pd.DataFrame):
        raise SchemaError(f"{what} must be a pandas DataFrame, not {type(frame).__name__}")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise SchemaError(f"{what}: column {twice[0]!r} stands there more than once; drop or rename one")
    needed = table.names if need is None else list(need)
    problems = [_missing(name, frame) for name in needed if name not in frame.columns]
    columns: dict[str, Any] = {}
    for column in table.columns:
        if column.name in frame.columns:
            try:
                columns[column.name] = convert(frame[column.name], column)
            except (ValueError, TypeError) as error:
                problems.append(f"column {column.name!r}: {error}")
    if problems:
        raise SchemaError(f"{what}: " + "; ".join(problems))
    return frame.assign(**columns)


def build(rows: Iterable[Mapping[str, Any]], table: Table) -> pd.DataFrame:
    """Return the `table` with one row per mapping; a column a row does not have is null there.

    Times may be given as whole microseconds since 1970 (UTC).
    """
    rows = list(rows)
    columns = ((c, pd.Series([row.get(c.name) for row in rows], dtype=object)) for c in table.columns)
    return pd.DataFrame({column.name: convert(values, column) for column, values in columns})


def empty(table: Table) -> pd.DataFrame:
    """Return `table` without rows."""
    return build([], table)


def convert(values: pd.Series, column: Column) -> pd.Series:
    """Return `values` in the dtype of `column`; raise ValueError that names the first that does not fit."""
    kind = column.dtype
    if kind == "time":
        return _times(values)
    if kind == "strings":
        lists = [_strings(v) for v in values]
        if column.choices and (unknown := {word for words in lists for word in words} - set(column.choices)):
            raise ValueError(f"{sorted(unknown)[0]!r} is not known; use some of {list(column.choices)}")
        return pd.Series(lists, index=values.index, dtype=object)
    if kind == "ints":
        return pd.Series([[int(i) for i in v] if _listed(v) else [] for v in values], index=values.index, dtype=object)
    if kind == "severity":
        return _words(values, SEVERITIES).astype(SEVERITY_DTYPE)
    if kind == "category":
        if column.choices:
            return _words(values, column.choices).astype(pd.CategoricalDtype(list(column.choices)))
        if isinstance(values.dtype, pd.CategoricalDtype):
            return values
        return values.astype("str").astype("category")
    if kind == "str":
        return values.astype("str")
    if kind == "bool":
        if values.isna().any():
            raise ValueError("has nulls; pass True or False")
        return values.astype(bool)
    number = pd.to_numeric(values)
    if kind == "int64" and number.isna().any():
        raise ValueError(f"{int(number.isna().sum())} of {len(number)} values are null; whole numbers are needed")
    return number.astype(kind)


def arrow(table: Table) -> pa.Schema:
    """Return the Arrow schema in which `table` is stored."""
    import pyarrow as pa

    types = {
        "time": pa.timestamp("us", tz="UTC"),
        "strings": pa.list_(pa.string()),
        "ints": pa.list_(pa.int64()),
        "bool": pa.bool_(),
        "int64": pa.int64(),
        "float64": pa.float64(),
    }
    return pa.schema([(column.name, types.get(column.dtype, pa.string())) for column in table.columns])


def _missing(name: str, frame: pd.DataFrame) -> str:
    """Say that a column is missing, what was there and what to do."""
    there = [str(column) for column in frame.columns]
    folded = {column.replace("_", "").lower(): column for column in there}
    close = difflib.get_close_matches(name.replace("_", "").lower(), folded, n=1, cutoff=0.75)
    if close:
        meant = folded[close[0]]
        hint = f"did you mean {meant!r}? Rename it with frame.rename(columns={{{meant!r}: {name!r}}})"
    else:
        hint = "add it, or rename the one that holds it with frame.rename(columns={...})"
    return f"column {name!r} is missing; columns are {there[:30]}; {hint}"


def _times(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return pd.Series(values.dt.tz_convert("UTC"), dtype=TIME_DTYPE)
    if pd.api.types.is_datetime64_dtype(values.dtype):
        raise ValueError("times have no zone; localise them first, for example frame[...].dt.tz_localize('UTC')")
    present = values.dropna()
    if len(present) and all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in present):
        whole = pd.to_datetime(present.astype("int64"), unit="us", utc=True)
        return pd.Series(whole.reindex(values.index), dtype=TIME_DTYPE)
    try:
        return pd.to_datetime(values, format="ISO8601", utc=True).astype(TIME_DTYPE)
    except (ValueError, TypeError) as error:
        raise ValueError(f"not all values are times: {error}") from None


def _words(values: pd.Series, allowed: Sequence[str]) -> pd.Series:
    words = values.astype("str")
    wrong = words[words.notna() & ~words.isin(allowed)]
    if len(wrong):
        first = f"{len(wrong)} of {len(words)} values are not known, first {wrong.iloc[0]!r}"
        raise ValueError(f"{first}; use one of {list(allowed)}")
    return words


def _listed(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, np.ndarray))


def _strings(value: Any) -> list[str]:
    if _listed(value):
        return [str(v) for v in value]
    if value is None or value is pd.NA or value != value:  # NaN is the only value unequal to itself
        return []
    raise ValueError(f"{value!r} is not a list of text; pass a list, for example [{value!r}]")
