"""`LineScorer`: JSON lines of any system in, one JSON line per alert out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import orjson

from stanza_lab.artefacts.exports.quoting import one_line
from stanza_lab.artefacts.scoring.folding import Fact, Folder
from stanza_lab.artefacts.scoring.reading import LineReader, Read
from stanza_lab.artefacts.scoring.resolving import Resolver
from stanza_lab.artefacts.scoring.scorer import WINDOW, Scorer
from stanza_lab.errors import BundleError

if TYPE_CHECKING:
    from stanza_lab.artefacts.bundle import Bundle
    from stanza_lab.loaders import Redaction

_TEXTS = ("service", "team", "origin", "pattern", "alert_id")


class LineScorer:
    """Answer lines of JSON, each an alert, a record or a notification of any system that is read.

    A line may hold several alerts (a notification about a group), and gets an answer for each. What only repeats an
    alert is answered with status "again", a recovery with "ended", a note or a change with "noted", what is known to
    hold no alert with "ignored", and what cannot be used with "rejected": every line that is not empty gets an answer.

    Parameters
    ----------
    bundle : Bundle
        What was learned.
    redaction : Redaction, optional
        What is taken out of records. Default: secrets and personal data, as at ingest.
    window : int, default 16384
        Alerts that are remembered at most (see `Scorer`).

    Examples
    --------
    >>> import tempfile, pathlib, stanza_lab as sl
    >>> alerts = sl.simulate_production(services=8, teams=2, days=7, incidents=5, random_state=1).alerts
    >>> clusterer, model = sl.IncidentClusterer().fit(alerts), sl.DependencyModel().fit(alerts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = sl.save_bundle(
    ...         pathlib.Path(folder) / "bundle",
    ...         clusterer=clusterer,
    ...         dependencies=model,
    ...         production=sl.ProductionMap(model.edges_, alerts),
    ...     )
    ...     bundle = sl.load_bundle(path)
    >>> line = b'{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'
    >>> [answer["status"] for answer in sl.LineScorer(bundle).answer([line, line, b"nonsense"])]
    ['alone', 'again', 'rejected']
    """

    def __init__(self, bundle: Bundle, *, redaction: Redaction | None = None, window: int = WINDOW) -> None:
        self._scorer = Scorer(bundle, window=window)
        self._reader, self._folder, self._resolver = LineReader(redaction), Folder(), Resolver(bundle)
        self.lines = 0
        self.counts: Counter[str] = Counter()

    def answer(self, lines: Iterable[bytes], *, whole: bool = False) -> list[dict[str, Any]]:
        """Answer some lines, which follow those before; the more at once, the faster.

        Parameters
        ----------
        lines : iterable of bytes
            Each with one JSON value, with or without its line end.
        whole : bool, default False
            Take what these lines hold in the order of time: they are all there is, as files are, and no stream. Else
            only what one line holds is sorted.

        Returns
        -------
        list of dict
            Answers with their line, numbered on from those before: those of `Scorer.push`, times as ISO 8601, or
            "again", "ended", "noted" (with alert_id and incident_id), "ignored", "rejected" (with reason and message).
        """
        numbered = []
        for line in lines:
            self.lines += 1
            numbered.append((self.lines, line))
        reads = sorted(self._reader.read(numbered), key=lambda read: (0 if whole else read.line, _at(read)))
        told = [(read, self._fact(read)) for read in reads]
        fresh = [fact.alert for _, fact in told if fact is not None and fact.alert is not None]
        resolved = iter(self._resolver.resolve(fresh))
        answers = []
        for read, fact in told:
            answer = self._answer(read, fact, resolved)
            self.counts[answer["status"]] += 1
            answers.append({"line": read.line, **answer})
        return answers

    def _fact(self, read: Read) -> Fact | None:
        if read.kind == "event":
            return self._folder.take(read.told)
        return self._folder.take_alert(read.told) if read.kind == "alert" else None

    def _answer(self, read: Read, fact: Fact | None, resolved: Any) -> dict[str, Any]:
        if fact is None:
            return {"status": read.kind, **read.told}
        if fact.alert is not None:
            return plain(self._scorer.push(next(resolved)))
        if fact.kind == "ended" and fact.alert_id is not None and fact.at is not None:
            incident = self._scorer.ended(fact.alert_id, fact.at)
            return {"status": "ended", "alert_id": fact.alert_id, "incident_id": incident}
        incident = None if fact.alert_id is None else self._scorer.incident_of(fact.alert_id)
        return {"status": fact.kind, "alert_id": fact.alert_id, "incident_id": incident}

    def summary(self) -> str:
        """Return what was read and answered.

        Returns
        -------
        str
            One line for people.
        """
        told = ", ".join(f"{count:,} {status}" for status, count in self.counts.most_common())
        early = f"; {self._scorer.let_go:,} let go early, more came than are remembered" if self._scorer.let_go else ""
        return f"{self.lines:,} lines read, {sum(self.counts.values()):,} answers: {told or 'none'}{early}"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint, whole or not at all.

        Parameters
        ----------
        path : path-like
            File; one that is there is replaced.
        """
        self._scorer.save(path, lines=self.lines, counts=dict(self.counts), folder=self._folder.state())

    @classmethod
    def resume(
        cls,
        bundle: Bundle,
        path: str | os.PathLike[str],
        *,
        redaction: Redaction | None = None,
        window: int = WINDOW,
    ) -> Self:
        """Go on from a checkpoint; `lines` says how many were answered by then.

        Parameters
        ----------
        bundle : Bundle
            The same as then.
        path : path-like
            File that `save` wrote.
        redaction : Redaction, optional
            As for a new one.
        window : int, default 16384
            At least as large as then.

        Returns
        -------
        LineScorer
            That answers as if there had been no break.

        Raises
        ------
        BundleError
            There is no checkpoint at `path`, it is damaged, or belongs to another bundle.
        """
        scorer = cls(bundle, redaction=redaction, window=window)
        scorer._scorer, more = Scorer.resume(bundle, path, window=window)
        try:
            scorer.lines, scorer.counts = int(more["lines"]), Counter(more["counts"])
            scorer._folder.resume(more["folder"])
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"{path} is no checkpoint of lines ({error}); begin without it") from error
        return scorer


def _at(read: Read) -> int:
    """Return when what a line tells happened; what has no time comes first."""
    at = read.told.get("at", read.told.get("starts_at"))
    return at if isinstance(at, int) else 0


def plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer as it is printed: times as ISO 8601, names on one line."""
    shown = dict(answer)
    shown["starts_at"] = datetime.fromtimestamp(shown["starts_at"] / 1e6, tz=UTC).isoformat()
    for name in _TEXTS:
        if isinstance(shown.get(name), str):
            shown[name] = one_line(shown[name])
    return shown


def dumped(answers: Iterable[Mapping[str, Any]]) -> bytes:
    """Return answers as JSON lines."""
    return b"".join(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE) for answer in answers)
