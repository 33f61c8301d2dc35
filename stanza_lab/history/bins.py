"""Fold more events than fit into memory: in bins, of which each holds whole threads of facts.

A thread is what makes intervals together: the facts of one occurrence, or those of one rule that have no occurrence of
their own. What a thread needs beside itself is small and known before: full rule keys and the definitions of rules.
"""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stanza_lab import _params, schema
from stanza_lab.history import definitions
from stanza_lab.history.facts import TOGETHER, connect, in_buckets, parquet, tell_once
from stanza_lab.history.folding import ALERT_COLUMNS, ALERTING, QUIET_GAP, complete, fold_facts, in_order
from stanza_lab.history.parts import ROW_GROUP, damage_told, to_arrow

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE = 60_000  # events folded at once, unless one piece of a thread has more
_MEMORY = 384 * 2**20  # for DuckDB, which may use the disk
_SLOTS = 4096  # groups of threads of which bins are made

_FACTS = schema.arrow(schema.EVENTS)
_FACTS = _FACTS.remove(_FACTS.get_field_index("raw"))
_ALERTS = pa.schema([field for field in schema.arrow(schema.ALERTS) if field.name in ALERT_COLUMNS])

_DEFINES = "kind = 'note' AND rule_key IS NOT NULL AND occurrence_key IS NULL"
_FOLDED = f"(kind IN {ALERTING} OR source = 'logs' AND kind = 'note')"
# Facts whose interval follows from those of the same rule before them; the others state theirs, or stand alone.
_STATE = f"""(
    kind IN {ALERTING} AND occurrence_key IS NULL AND starts_at IS NULL AND rule_key IS NOT NULL AND "at" IS NOT NULL
)"""
# Log lines are judged by all lines of their rule, and a burst of them is an occurrence that its start tells.
_THREAD = f"""
    source,
    CASE WHEN kind = 'note' THEN rule_key ELSE coalesce(occurrence_key, rule_key, event_id) END,
    CASE WHEN source <> 'logs' AND occurrence_key IS NULL THEN starts_at END,
    CASE WHEN {_STATE} THEN len(list_filter(cuts, lambda cut: cut <= "at")) END
"""


def fold_parts(parts: Sequence[Path], place: Path, target: Path) -> None:
    """Fold the events of Parquet parts into alerts, written to the Parquet file `target` in order of time.

    Parameters
    ----------
    parts : sequence of Path
        Events of a history.
    place : Path
        Empty directory for what lies on the disk meanwhile.
    target : Path
        The file to write.

    Raises
    ------
    HistoryError
        A part is missing or damaged.
    """
    gap = _params.duration(QUIET_GAP, "quiet_gap")
    folded = place / "folded.parquet"
    with closing(connect(place, _MEMORY)) as run, damage_told(parts[0].parent):
        run.execute("SET preserve_insertion_order = false")
        tell_once(run, parts, place / "merged.parquet", _FACTS)
        defined = _definitions(run)
        _cut(run, gap)
        number = _assign(run)
        binned = "SELECT * EXCLUDE (slot, cuts) FROM threads JOIN bins USING (slot)"
        with pq.ParquetWriter(folded, _ALERTS, compression="lz4") as writer:
            for facts in in_buckets(run, binned, number):
                alerts = fold_facts(in_order(complete(facts)), defined, gap)
                writer.write_table(to_arrow(alerts, _ALERTS))
        _sort(run, folded, target)


def _definitions(run: Any) -> pd.DataFrame:
    """Return what is defined of rules, some 50,000 notes at a time."""
    [[rows]] = run.execute(f"SELECT count(*) FROM facts WHERE {_DEFINES}").fetchall()
    buckets = rows // AT_ONCE + 1
    notes = f"SELECT *, hash(source, rule_key) % {buckets} AS bucket FROM facts WHERE {_DEFINES}"
    found = [definitions.latest(complete(some)) for some in in_buckets(run, notes, buckets)]
    nothing = definitions.latest(complete(_FACTS.empty_table().to_pandas()))
    return pd.concat(found, ignore_index=True) if found else nothing


def _cut(run: Any, gap: pd.Timedelta) -> None:
    """Make the table `pieces`: for rules of many facts the instants `cuts` at which their history may be cut.

    What fires when all is over starts an alert, whatever was before: after an instant that tells of a recovery and of
    nothing else or, for a rule that never reports recoveries, after a quiet gap. So it does too when some of the pieces
    between lie in another bin.
    """
    run.execute(
        f"""
        CREATE TABLE large AS SELECT source, rule_key, row_number() OVER () AS number
        FROM facts WHERE {_STATE} GROUP BY source, rule_key HAVING count(*) > {AT_ONCE}
        """
    )
    run.execute(
        f"""
        CREATE TABLE pieces AS
        WITH instants AS (
            SELECT number, "at", epoch_us("at") AS time, count(*) AS facts,
                bool_and(kind IN ('fired', 'renotified')) AS fires,
                bool_and(kind = 'resolved' AND has_recovery) AS recovers,
                bool_or(has_recovery) AS reports
            FROM facts JOIN large USING (source, rule_key) WHERE {_STATE} GROUP BY number, "at"
        ), told AS (
            SELECT number, "at", sum(facts) OVER past - facts AS before, fires AND CASE
                WHEN bool_or(reports) OVER (PARTITION BY number) THEN lag(recovers) OVER past
                ELSE time - lag(time) OVER past > $gap
            END AS safe
            FROM instants WINDOW past AS (PARTITION BY number ORDER BY "at")
        ), cuts AS (
            SELECT number, min("at") AS cut FROM told WHERE safe GROUP BY number, before // {AT_ONCE}
        )
        SELECT source, rule_key, list(cut) AS cuts FROM cuts JOIN large USING (number) GROUP BY source, rule_key
        """,
        {"gap": gap // pd.Timedelta("1us")},
    )


def _assign(run: Any) -> int:
    """Make the view `threads` of the facts that are folded, and the table `bins` of slots; return their number."""
    run.execute(
        f"""
        CREATE VIEW threads AS SELECT *, hash({_THREAD}) % {_SLOTS} AS slot
        FROM facts LEFT JOIN pieces USING (source, rule_key) WHERE {_FOLDED}
        """
    )
    number, held = 0, 0
    bins = []
    for slot, size in run.execute("SELECT slot, count(*) FROM threads GROUP BY slot ORDER BY slot").fetchall():
        if held and held + size > AT_ONCE:
            number, held = number + 1, 0
        held += size
        bins.append({"slot": slot, "bucket": number})
    run.register("bins", pa.Table.from_pylist(bins, pa.schema([("slot", pa.uint64()), ("bucket", pa.uint64())])))
    return number + 1


def _sort(run: Any, folded: Path, target: Path) -> None:
    """Write the alerts in order of time, span by span: one sort of all takes the more memory the more there are."""
    time = "coalesce(epoch_us(coalesce(starts_at, ends_at)), $last)"
    rows, last = pq.read_metadata(folded).num_rows, 2**62
    spans = rows // (TOGETHER * AT_ONCE) + 1
    shares = [number / spans for number in range(1, spans)]
    within = f"SELECT approx_quantile({time}, {shares}) FROM {parquet([folded])}"
    cuts = run.execute(within, {"last": last}).fetchall()[0][0] if shares else []
    query = f"""
        FROM {parquet([folded])} WHERE {time} >= $start AND {time} < $until
        ORDER BY coalesce(starts_at, ends_at) NULLS LAST, alert_id
    """
    with pq.ParquetWriter(target, _ALERTS, compression="zstd") as writer:
        for start, until in pairwise([-last, *sorted(set(cuts)), last + 1]):
            found = run.sql(query, params={"last": last, "start": start, "until": until})
            for batch in found.to_arrow_reader(ROW_GROUP):
                writer.write_table(pa.Table.from_batches([batch]).cast(_ALERTS))
