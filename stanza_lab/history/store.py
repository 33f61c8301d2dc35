"""The durable store: exports in, alerts out, each fact once; what a person does with a history."""

from __future__ import annotations

import html
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from stanza_lab import _params, schema
from stanza_lab.history import manifest as manifests
from stanza_lab.history.directory import Directory
from stanza_lab.history.folding import merge_shapes
from stanza_lab.history.manifest import Manifest, Part, sha256
from stanza_lab.history.parts import KnownEvents, PartWriter, adopt, read
from stanza_lab.history.pieces import LEAST_MEMORY, Reading, read_pieces
from stanza_lab.history.querying import LEAST_MEMORY as LEAST_SQL_MEMORY
from stanza_lab.history.querying import query_history
from stanza_lab.history.report import IngestReport, count
from stanza_lab.history.retaining import Plan, RetentionReport, iso, plan_retention, rewritten
from stanza_lab.history.selecting import select_alerts, span
from stanza_lab.history.tally import Tally, by_file
from stanza_lab.history.verifying import verify_history
from stanza_lab.loaders import Options, Redaction, files

_AT_ONCE = 2**17  # events told apart at once
_LARGE = 10_000  # events of a piece that stays a part of its own
_EVENTS = schema.arrow(schema.EVENTS)


class History:
    """Keep alert exports as events in a directory: each fact once, whatever is ingested again.

    The directory holds Parquet files and a manifest. It is made by the first `ingest`. An ingest happens as a whole or
    not at all: killed at any moment and run again, it leaves the same history as one run.

    Parameters
    ----------
    path : str or Path
        The directory. Nothing is read or made before it is needed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from stanza_lab import History
    >>> alarm = '{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "alarms.json").write_text(alarm)
    ...     history = History(Path(folder, "history"))
    ...     report = history.ingest(Path(folder, "alarms.json"))
    ...     history.alerts(since="2026-03-01", where="alertname = 'cpu'")["starts_at"].tolist()
    [Timestamp('2026-03-01 14:02:11+0000', tz='UTC')]
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def _at(self) -> Directory:
        return Directory(self.path)

    def ingest(
        self,
        paths: str | Path | Iterable[str | Path],
        *,
        source: str = "auto",
        tz: str | None = None,
        columns: Mapping[str, str] | None = None,
        dayfirst: bool | None = None,
        keep_personal_data: bool = False,
        redact_ips: bool = False,
        pseudonym_key: str | None = None,
        n_jobs: int | None = None,
        memory_limit: _params.Size | None = None,
        progress: bool = False,
    ) -> IngestReport:
        """Add alert exports to the history.

        A record known already, from this file or another, adds nothing and counts as a duplicate. So does the same
        fact in another shape of its vendor, but what that shape adds (ids, fields) is kept. Cut off at any moment and
        run again, it goes on with the pieces (of about 32 MB) that were not read yet.

        Parameters
        ----------
        paths : str, Path or iterable of them
            Files, folders (searched through), patterns, archives (zip, tar), packed files (gz, bz2, xz, zst), "-" for
            standard input.
        source : str, default "auto"
            System the exports come from; "auto" tells it record by record.
        tz : str, optional
            Zone of times that name none, for example "Europe/Berlin". Without it such records are rejected.
        columns : mapping of str to str, optional
            What the columns of a table mean: theirs and ours, ``{"startsAt": "starts_at"}``. Everything is then read as
            rows of such tables. Without it a table's columns are guessed, and the report says how.
        dayfirst : bool, optional
            How dates such as 05/06/2024 in a table are read. Default: by the other dates of the column.
        keep_personal_data : bool, default False
            Keep records as they came. By default secrets, e-mail addresses and names of people are replaced, the same
            by the same pseudonym, before anything is written.
        redact_ips : bool, default False
            Replace IP addresses too.
        pseudonym_key : str, optional
            Makes the pseudonyms. Without one of your own, who guesses a name can tell its pseudonym. Use the same for
            all ingests of a history, or what belongs together no longer does.
        n_jobs : int, optional
            Processes that read, as joblib counts them: None is 1 unless a ``joblib.parallel_config`` says otherwise, -1
            all cores. They read pieces; one piece is read by one process.
        memory_limit : str or int, optional
            What reading may take in all processes together, for example "2GB"; at least 768 MB. Fewer processes read,
            and what is known moves to the disk earlier. Folding into alerts is not bounded by it (some 1.2 GB, and more
            where one occurrence or one kind of log line has millions of events). Default: no limit.
        progress : bool, default False
            Show a progress bar on stderr.

        Returns
        -------
        IngestReport
            What became of every record.

        Raises
        ------
        LoadError
            A path does not exist.
        HistoryError
            The directory is no history, or another ingest is writing to it.
        ParameterError
            An option is not known or out of its range.
        """
        redaction = Redaction(keep_personal_data, redact_ips, pseudonym_key)
        options = Options(source, tz, tuple((columns or {}).items()), dayfirst, redaction)
        options.check()
        memory = None if memory_limit is None else _params.size(memory_limit, "memory_limit", low=LEAST_MEMORY)
        given = files(paths, self.path)
        with self._at.locked():
            before = self._at.clean()
            manifests.begin(self.path, before)
            known = KnownEvents(
                [self.path / part.name for part in before.events],
                temporary=self.path / "cache",
                memory=None if memory is None else memory // 3,
            )
            readings = read_pieces(given, options, self._at.spool, n_jobs=n_jobs, memory=memory, progress=progress)
            with ThreadPoolExecutor(1) as pool:
                contents = {path: pool.submit(sha256, path) for path in given if path.is_file()}
                tally = Tally(lambda path: contents[path].result() if path in contents else sha256(path))
                try:
                    with closing(readings), PartWriter(self.path / "events", _EVENTS) as writer:
                        large = tuple(
                            chain.from_iterable(
                                self._settled(reading, known, tally, writer, before) for reading in readings
                            )
                        )
                        events_parts = large + writer.finish()
                finally:
                    known.close()
                    pool.shutdown(cancel_futures=True)
            rejected = self._at.still_rejected(before, tally)
            ledger = manifests.ledger(before.files, tally.entries(), Counter(rejected["content"]))
            there = {part.name for part in before.events}
            after = replace(
                before,
                events=before.events + tuple(part for part in events_parts if part.name not in there),
                rejected=self._at.store_rejected(rejected, ledger),
                files=tuple(ledger.values()),
                facts=dict(sorted((Counter(before.facts) + tally.facts).items())),
                first=min(filter(None, [before.first, *tally.times]), default=None),
                last=max(filter(None, [before.last, *tally.times]), default=None),
            )
            if after != before:
                manifests.write(self.path, after)
            self._at.sweep(after)
            shutil.rmtree(self._at.spool, ignore_errors=True)
            manifests.end(self.path)
            return tally.report(lambda: (self._at.count(before), self._at.count(after)))

    def _settled(
        self, reading: Reading, known: KnownEvents, tally: Tally, writer: PartWriter, before: Manifest
    ) -> tuple[Part, ...]:
        """Count a piece and store what is worth it; a large part of which all is comes in whole."""
        new, stored, expired = (np.empty(0, dtype=bool) for _ in range(3))
        for keys in reading.key_tables(_AT_ONCE):
            old = before.expired(keys["at"])
            if old.any():
                old = old & known.lacks(keys)
            fresh, worth = np.zeros((2, len(old)), dtype=bool)
            fresh[~old], worth[~old] = known.add(keys.filter(pa.array(~old)))
            tally.count_sources(keys, fresh)
            new, stored, expired = (np.concatenate(pair) for pair in ((new, fresh), (stored, worth), (expired, old)))
        tally.count(reading, new, expired)
        if reading.part is not None and len(stored) >= _LARGE and stored.all():
            return (adopt(reading.part, self.path / "events", len(stored)),)
        for events in reading.kept(stored):
            writer.write(events)
        return ()

    def alerts(
        self,
        *,
        since: _params.Instant | None = None,
        until: _params.Instant | None = None,
        where: str | None = None,
    ) -> pd.DataFrame:
        """Fold the events into alerts and return those asked for.

        The folded table is kept beside the events, so that only the first call after an ingest takes time.

        Parameters
        ----------
        since, until : str or Timestamp, optional
            Only alerts that started at `since` or later and before `until` (UTC where no zone is named). Where the
            start is not known the end counts; alerts without either are left out when one of the two is given.
        where : str, optional
            Only alerts that meet this SQL condition (DuckDB) over the columns of the table, for example
            ``"service = 'checkout' and severity >= 'error'"``; severities compare by their order.

        Returns
        -------
        DataFrame
            `schema.ALERTS` without `incident_id`, as `fold_events` returns it.

        Raises
        ------
        HistoryError
            There is no history in the directory, or a part of it is damaged.
        ParameterError
            A parameter is not a time, or not a condition over these columns.
        """
        manifest, (start, end) = self._at.manifest(), span(since, until)
        return select_alerts(self._at.alerts(manifest, start, end), since=start, until=end, where=where)

    def events(self) -> pd.DataFrame:
        """Return the facts, what their shapes tell put together.

        Two alarms of one name, in two accounts or regions, that changed at the same instant are two facts when both are
        told with their ARN; each then has it before its event id. An item of the alarm history, which has no ARN, stays
        by itself beside them (and was counted as a duplicate by `ingest`).

        Returns
        -------
        DataFrame
            `schema.EVENTS`, one row per source and event id, in order of time.

        Raises
        ------
        HistoryError
            There is no history in the directory, or a part of it is damaged.
        """
        facts = merge_shapes(read(self.path, self._at.manifest().events, _EVENTS))
        return schema.check(facts, schema.EVENTS)

    def rejected(self) -> pd.DataFrame:
        """Return the records that could not be used, each once, however often its file was ingested.

        Returns
        -------
        DataFrame
            `schema.REJECTED`, in the order of the files.

        Raises
        ------
        HistoryError
            There is no history in the directory, or a part of it is damaged.
        """
        return schema.check(self._at.rejected(self._at.manifest()).drop(columns="content"), schema.REJECTED)

    def files(self) -> pd.DataFrame:
        """Return what became of the records of every file ever ingested.

        Returns
        -------
        DataFrame
            file, records, events, duplicates, ignored, rejected; one row per file content, in the order of ingest.
            Records equal events + duplicates + ignored + rejected.

        Raises
        ------
        HistoryError
            There is no history in the directory.
        """
        return by_file(self._at.manifest().files)

    def sql(self, query: str, /, *, memory_limit: _params.Size | None = None, **parameters: object) -> pd.DataFrame:
        """Ask the history in SQL (DuckDB), without loading it.

        The tables are ``events`` (each fact once, as `events` returns them), ``alerts``, ``rejected`` and ``files``,
        with the columns of the methods of these names. Severities compare by their order, times are UTC. The query can
        read nothing else, neither files nor the network, and change nothing.

        Parameters
        ----------
        query : str
            One SELECT. ``$name`` stands for a parameter.
        memory_limit : str or int, optional
            What DuckDB may take, for example "1GB"; what exceeds it goes to the disk. The result comes on top. Default:
            most of the machine's memory.
        **parameters : object
            Values for the names in the query.

        Returns
        -------
        DataFrame
            The result. Text in columns named like our categories is categorical; whole numbers with nulls are nullable
            integers; spans are timedeltas, with months of 30 days.

        Raises
        ------
        HistoryError
            There is no history in the directory, or a part of it is damaged.
        ParameterError
            The query is not one SELECT over these tables; the message names them and their columns.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from stanza_lab import History
        >>> alarm = '{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "alarms.json").write_text(alarm)
        ...     history = History(Path(folder, "history"))
        ...     report = history.ingest(Path(folder, "alarms.json"))
        ...     query = "select alertname, count(*) as times from alerts where alertname = $name group by all"
        ...     history.sql(query, name="cpu").values.tolist()
        [['cpu', 1]]
        """
        memory = None if memory_limit is None else _params.size(memory_limit, "memory_limit", low=LEAST_SQL_MEMORY)
        found = self._at.manifest()
        alerts = partial(self._at.folded, found)
        return query_history(self.path, found, alerts, by_file(found.files), query, parameters, memory=memory)

    def verify(self, *, progress: bool = False) -> pd.DataFrame:
        """Check the history against its manifest: hash and count every part again, count the facts again.

        Of export files that still lie where they were read, it says whether they changed since. That, or that they are
        no longer there, is no fault of the history.

        Parameters
        ----------
        progress : bool, default False
            Show a progress bar on stderr.

        Returns
        -------
        DataFrame
            item, kind (events part, rejected part, manifest, export file), rows_expected, rows_found, state (ok,
            missing, changed, miscounted), message (what is wrong and what to do).

        Raises
        ------
        HistoryError
            There is no history in the directory, or its manifest cannot be read or does not add up.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from stanza_lab import History
        >>> alarm = '{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "alarms.json").write_text(alarm)
        ...     history = History(Path(folder, "history"))
        ...     report = history.ingest(Path(folder, "alarms.json"))
        ...     history.verify()["state"].unique().tolist()
        ['ok']
        """
        while True:
            found = manifests.read(self.path) or self._at.manifest()
            checked = verify_history(self.path, found, partial(self._at.unlisted, found), progress=progress)
            if manifests.read(self.path) == found:  # else something was ingested meanwhile
                return checked

    def retain(
        self, since: _params.Instant, *, quiet_gap: _params.Duration = "30min", dry_run: bool = False
    ) -> RetentionReport:
        """Remove the events of alerts that ended before a time.

        An alert that was still going on at `since` or later stays whole, and so does one without an end whose source
        reports ends. Events of no alert (changes, notes) go by their own time, but the definitions of rules whose
        alerts stay. Events without a time stay. What was removed does not come back: events before `since` that the
        history does not hold are ignored by later ingests. All of it happens, or nothing. Bursts of log lines are
        judged by the mean of the lines that are kept, so fewer lines may make others of them.

        Parameters
        ----------
        since : str or Timestamp
            The time, UTC where no zone is named.
        quiet_gap : duration, default "30min"
            As in `fold_events`: how long an alert goes on after its last record when its source reports no ends.
        dry_run : bool, default False
            Only tell what would be removed.

        Returns
        -------
        RetentionReport
            Events and alerts before and after, bytes freed.

        Raises
        ------
        HistoryError
            There is no history in the directory, a part of it is damaged, or an ingest is writing to it.
        ParameterError
            `since` is not a time, or `quiet_gap` not a duration.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from stanza_lab import History
        >>> alarm = '{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "alarms.json").write_text(alarm)
        ...     history = History(Path(folder, "history"))
        ...     report = history.ingest(Path(folder, "alarms.json"))
        ...     print(history.retain("2026-06-01", dry_run=True))  # it is still going on
        0 events of 1 would be removed, 1 kept
        0 alerts of 1 would be removed, 1 kept
        about 0.0 MB would be freed
        """
        start, gap = _params.instant(since, "since"), _params.duration(quiet_gap, "quiet_gap")
        self._at.manifest()
        with nullcontext() if dry_run else self._at.locked():
            before = self._at.manifest() if dry_run else self._at.clean()
            plan = plan_retention(self.path, before, start, gap)
            alerts = self._at.count(before)
            if dry_run:
                freed, left = plan.share(self.path, before.events), alerts - plan.alerts
            else:
                size = self._at.size(before)
                after = self._without(before, plan, start)
                freed, left = size - self._at.size(after), self._at.count(after)
        events = sum(before.facts.values())
        gone = sum(plan.removed.values())
        return RetentionReport(start, events, events - gone, alerts, left, plan.removed, freed, dry_run)

    def _without(self, before: Manifest, plan: Plan, since: pd.Timestamp) -> Manifest:
        """Remove what a plan says; before the manifest is written all of it is there, afterwards nothing."""
        manifests.begin(self.path, before, [part for part in before.events if part.name in plan.rows])
        parts = tuple(chain.from_iterable(rewritten(self.path, part, plan) for part in before.events))
        after = replace(
            before,
            events=tuple(dict.fromkeys(parts)),
            facts=plan.facts(before.facts),
            first=plan.first,
            last=plan.last,
            kept_from=max(filter(None, [before.kept_from, iso(since)])),
            removed=dict(sorted((Counter(before.removed) + Counter(plan.removed)).items())),
        )
        manifests.write(self.path, after)
        self._at.sweep(after)
        manifests.end(self.path)
        return after

    def __repr__(self) -> str:
        found = manifests.read(self.path)
        if found is None:
            return f"History({str(self.path)!r}): nothing ingested yet"
        span = f", {found.first[:10]} to {found.last[:10]}" if found.first and found.last else ""
        sums = f"{count(sum(found.facts.values()), 'event')} from {count(len(found.files), 'file')}"
        return f"History({str(self.path)!r}): {sums}{span}"

    def _repr_html_(self) -> str:
        found = manifests.read(self.path) or Manifest()
        sources = pd.DataFrame({"source": list(found.facts), "events": list(found.facts.values())})
        return f"<p>{html.escape(repr(self))}</p>" + str(sources.to_html(index=False, border=0, escape=True))
