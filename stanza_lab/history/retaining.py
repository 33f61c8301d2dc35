"""Retention: what happened before a time goes, but for what was still going on then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stanza_lab import schema
from stanza_lab.history import bursts, families, folding
from stanza_lab.history.facts import completed, connect, in_buckets, parquet, spilling
from stanza_lab.history.parts import KEYED, PartWriter, damage_told
from stanza_lab.history.report import count

if TYPE_CHECKING:
    from stanza_lab.history.manifest import Manifest, Part

_EVENTS = schema.arrow(schema.EVENTS)
_FACT = ["source", "event_id"]
_RULE = ["source", "alertname", "rule_key"]
_TIMES = ["at", "starts_at", "acked_at", "ends_at"]
_COLUMNS = [*_FACT, "native_ids", "occurrence_key", "rule_key", "alertname", "kind", "has_recovery", *_TIMES]
_ROWS = 2**14  # of whole events held at once

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RetentionReport:
    r"""Tell what `History.retain` removed, or would.

    Attributes
    ----------
    kept_from : Timestamp
        Events before this time are not read again.
    events_before, events_after : int
        Facts.
    alerts_before, alerts_after : int
        Alerts they fold into.
    removed : dict of str to int
        Facts that go, by source.
    bytes_freed : int
        On the disk; an estimate for a dry run.
    dry_run : bool
        Nothing was changed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from stanza_lab import History
    >>> times = {"ALARM": "2026-03-01T14:02:11Z", "OK": "2026-03-01T14:20:00Z"}
    >>> alarms = [f'{{"AlarmName": "cpu", "NewStateValue": "{s}", "StateChangeTime": "{t}"}}' for s, t in times.items()]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "alarms.json").write_text("\n".join(alarms))
    ...     history = History(Path(folder, "history"))
    ...     report = history.ingest(Path(folder, "alarms.json"))
    ...     history.retain("2026-06-01").removed
    {'cloudwatch': 2}
    """

    kept_from: pd.Timestamp
    events_before: int
    events_after: int
    alerts_before: int
    alerts_after: int
    removed: dict[str, int]
    bytes_freed: int
    dry_run: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON.

        Returns
        -------
        dict
            The attributes; the time in ISO.
        """
        return {**vars(self), "kept_from": iso(self.kept_from)}

    def __str__(self) -> str:
        verb = "would be removed" if self.dry_run else "removed"
        events, alerts = self.events_before - self.events_after, self.alerts_before - self.alerts_after
        sums = [
            f"{count(events, 'event')} of {self.events_before:,} {verb}, {self.events_after:,} kept",
            f"{count(alerts, 'alert')} of {self.alerts_before:,} {verb}, {self.alerts_after:,} kept",
        ]
        sums += [f"{verb}: {number:,} of {source}" for source, number in self.removed.items()]
        about = "about " if self.dry_run else ""
        return "\n".join([*sums, f"{about}{self.bytes_freed / 2**20:,.1f} MB {'would be ' * self.dry_run}freed"])


@dataclass
class Plan:
    """What goes."""

    rows: dict[str, Mask] = field(default_factory=dict)  # by part: the rows that go; only parts that change
    pins: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*_RULE, "full"]))
    removed: dict[str, int] = field(default_factory=dict)  # facts by source
    alerts: int = 0
    first: str | None = None  # span of what stays, ISO
    last: str | None = None

    def facts(self, before: Mapping[str, int]) -> dict[str, int]:
        """Return how many facts stay, by source."""
        left = {source: number - self.removed.get(source, 0) for source, number in before.items()}
        return {source: number for source, number in left.items() if number}

    def share(self, directory: Path, parts: tuple[Part, ...]) -> int:
        """Return about how many bytes go."""
        sizes = (
            (directory / p.name).stat().st_size * int(self.rows[p.name].sum()) // p.rows
            for p in parts
            if p.name in self.rows
        )
        return sum(sizes)


def plan_retention(directory: Path, manifest: Manifest, since: pd.Timestamp, gap: pd.Timedelta) -> Plan:
    """Decide what goes when a history is to keep what was still going on at `since` or later.

    Parameters
    ----------
    directory : Path
        The history.
    manifest : Manifest
        What it holds.
    since : Timestamp
        The time.
    gap : Timedelta
        Quiet time after which an alert counts as over when its source does not report ends.

    Returns
    -------
    Plan
        The rows that go, part by part, and what that amounts to.

    Raises
    ------
    HistoryError
        A part is missing or damaged.
    """
    plan = Plan()
    paths = [directory / part.name for part in manifest.events]
    if not paths:
        return plan
    with damage_told(directory), spilling(directory) as spill, closing(connect(spill)) as run:
        run.execute(f"CREATE VIEW events AS SELECT * FROM {parquet(paths)}")
        run.execute("CREATE TABLE goes (source VARCHAR, event_id VARCHAR)")
        pins: list[pd.DataFrame] = []
        with closing(run.cursor()) as writing:
            for events in _families(run):
                going, alerts, pinned = _going(events, since, gap)
                writing.register("batch", pa.Table.from_pandas(going, preserve_index=False))
                writing.execute("INSERT INTO goes SELECT source, event_id FROM batch")
                writing.unregister("batch")
                plan.alerts += alerts
                pins.append(pinned)
        plan.pins = pd.concat([plan.pins, *pins], ignore_index=True).drop_duplicates()
        run.register("pins", pa.Table.from_pandas(plan.pins.astype("str"), preserve_index=False))
        for part in manifest.events:
            rows, completes = _rows(run, directory / part.name)
            if rows.any() or completes:
                plan.rows[part.name] = rows
        plan.removed = _counted(run)
        stays = 'SELECT min("at"), max("at") FROM events ANTI JOIN goes USING (source, event_id)'
        span = run.sql(stays).to_arrow_table().to_pylist()[0].values()
        plan.first, plan.last = (None if at is None else iso(at) for at in span)
    return plan


def iso(at: Any) -> str:
    """Return a time as the manifest has it."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


def rewritten(directory: Path, part: Part, plan: Plan) -> tuple[Part, ...]:
    """Write what stays of a part into a new one, a few events at a time; an untouched part is returned as it is."""
    if part.name not in plan.rows:
        return (part,)
    going, start = plan.rows[part.name], 0
    with damage_told(directory), PartWriter(directory / "events", _EVENTS) as writer:
        for batch in pq.ParquetFile(directory / part.name).iter_batches(_ROWS, columns=_EVENTS.names):
            stays = pa.array(~going[start : start + batch.num_rows])
            writer.write(_pinned(pa.Table.from_batches([batch]).cast(_EVENTS).filter(stays), plan.pins))
            start += batch.num_rows
        return writer.finish()


def _families(run: Any) -> Iterator[pd.DataFrame]:
    """Yield the events in bins of which each holds all that its alerts depend on."""
    bins = families.assign(run)
    run.register("bins", bins)
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    joined = f"SELECT {columns}, bin AS bucket FROM events JOIN bins ON {families.NAME} = name"
    yield from in_buckets(run, joined, (pc.max(bins["bin"]).as_py() or 0) + 1)


def _going(events: pd.DataFrame, since: pd.Timestamp, gap: pd.Timedelta) -> tuple[pd.DataFrame, int, pd.DataFrame]:
    """Return which events go (by source and id as stored), how many alerts with them, and rule keys to write down.

    An event goes only in all its shapes, and only when each has a time before `since`: what is read again is told by
    its time.
    """
    told = folding.merge_shapes(events)
    staying, alerts = _staying(told, since, gap)
    stored = folding.complete(events)[[*_RULE, "event_id", "at"]]
    twice = stored.duplicated(_FACT, keep=False)
    names = stored["event_id"].mask(twice, folding._told_apart(stored[twice]) if twice.any() else None)
    kept = pd.MultiIndex.from_frame(told.loc[staying, _FACT])
    stays = ~(stored["at"] < since) | pd.MultiIndex.from_arrays([stored["source"], names]).isin(kept)
    stays = stays.groupby([stored["source"], stored["event_id"]]).transform("any")
    going = stored.loc[~stays, _FACT].drop_duplicates()
    return going, alerts, _to_pin(stored, stored[stays])


def _to_pin(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the rules that stay whose full key is known from events that go: source, alertname, rule_key, full."""
    known = completed(before[_RULE].drop_duplicates())
    if known.empty:
        return known
    left = after[_RULE].drop_duplicates()
    needed = known.merge(left, on=_RULE)
    still = completed(left).assign(still=True)
    found = needed.merge(still, how="left", on=[*_RULE, "full"])
    return found.loc[found["still"].isna(), [*_RULE, "full"]]


def _staying(told: pd.DataFrame, since: pd.Timestamp, gap: pd.Timedelta) -> tuple[Mask, int]:
    """Return which facts stay, and how many alerts go."""
    alerting = told["kind"].isin(folding.ALERTING).to_numpy()
    stays = ~(told["at"] < since).to_numpy()
    facts, interval = folding._intervals(told[alerting], gap)
    going_on, said = _going_on(facts, interval, since, gap)
    stays[facts.index] = going_on[interval]
    found = bursts.lines_of_bursts(told.reset_index(names="row"), gap)
    burst_goes = np.empty(0, dtype=bool)
    if found is not None:
        lines, number, *_ = found
        burst_goes = (lines["at"].groupby(number).max() + gap < since).to_numpy()
        stays[lines["row"].to_numpy()[~burst_goes[number]]] = True
    defining = (told["kind"] == "note") & told["rule_key"].notna() & told["occurrence_key"].isna()
    defining &= told["source"] != "logs"
    alive = told[alerting & stays]
    for by in ("rule_key", "alertname"):
        pairs = pd.MultiIndex.from_frame(alive[["source", by]].dropna())
        stays |= (defining & pd.MultiIndex.from_frame(told[["source", by]]).isin(pairs)).to_numpy()
    return stays, int((said & ~going_on).sum()) + int(burst_goes.sum())


def _going_on(
    facts: pd.DataFrame, interval: npt.NDArray[np.intp], since: pd.Timestamp, gap: pd.Timedelta
) -> tuple[Mask, Mask]:
    """Return for each interval whether it was going on at `since` or later, and whether it is an alert at all.

    Without an end an alert goes on, or as long as the quiet gap where its source does not report ends.
    """
    at, firing = facts["at"], folding._firing(facts)
    ends = facts["ends_at"].fillna(at.where(folding._recovered(facts)))
    ended = ends.notna().to_numpy()
    by = pd.DataFrame(
        {
            "ended": ends,
            "fired_at": at.where(firing & ~ended),
            "ended_at": at.where(ended),
            "last": facts[_TIMES].max(axis=1),
        }
    ).groupby(interval)
    times = by.last().assign(last=by["last"].max())
    flags = (
        pd.DataFrame(
            {
                "firing": firing,
                "recovers": facts["has_recovery"].to_numpy(),
                "acked": (facts["acked_at"].notna() | (facts["kind"] == "acknowledged")).to_numpy(),
                "timeless": at.isna().to_numpy(),
            }
        )
        .groupby(interval)
        .any()
    )
    closed = times["ended"].notna() & ~(times["fired_at"] > times["ended_at"])
    until = times["last"].where(closed, times["last"] + gap)
    going_on = (~closed & flags["recovers"]) | ~(until < since) | flags["timeless"]
    said = flags["firing"] | flags["acked"] | times["ended"].notna()
    return going_on.to_numpy(), said.to_numpy()


def _rows(run: Any, path: Path) -> tuple[Mask, bool]:
    """Return which rows of a part go, and whether one that stays gets its full rule key."""
    rows = run.execute(
        f"""
        SELECT goes.event_id IS NOT NULL AS going, pins."full" IS NOT NULL AS pinned
        FROM (SELECT * FROM read_parquet(?, file_row_number = true)) part
        LEFT JOIN goes USING (source, event_id)
        LEFT JOIN pins USING ({", ".join(_RULE)})
        ORDER BY file_row_number
        """,
        [[str(path)]],
    ).fetchnumpy()
    going = rows["going"].astype(bool)
    return going, bool((rows["pinned"].astype(bool) & ~going).any())


def _pinned(events: pa.Table, pins: pd.DataFrame) -> pa.Table:
    """Return the events with the full rule keys that nothing left tells."""
    if pins.empty or not events.num_rows:
        return events
    rules = events.select(_RULE).to_pandas()
    full = rules.merge(pins, how="left", on=_RULE)["full"]
    keys = pc.coalesce(pa.array(full, pa.string(), from_pandas=True), events["rule_key"].combine_chunks())
    place = _EVENTS.get_field_index("rule_key")
    return events.set_column(place, _EVENTS.field(place), keys)


def _counted(run: Any) -> dict[str, int]:
    """Return how many facts go, by source, counted as an ingest counts them."""
    counted = run.execute(
        f"""
        SELECT source, sum(facts)::BIGINT FROM (
            SELECT source, greatest(count(DISTINCT rule), 1) AS facts
            FROM (SELECT {KEYED} FROM events SEMI JOIN goes USING (source, event_id)) GROUP BY source, fact, fact_2
        ) GROUP BY source ORDER BY source
        """
    ).fetchall()
    return {str(source): int(number) for source, number in counted}
