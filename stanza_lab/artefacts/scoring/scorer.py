"""`Scorer`: a stream of alerts in, one answer for each."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson

from stanza_lab import schema
from stanza_lab.artefacts.scoring.cases import Case, Teller
from stanza_lab.artefacts.scoring.tables import progress, rows, table, untimed
from stanza_lab.artefacts.scoring.why import why
from stanza_lab.errors import BundleError
from stanza_lab.incidents.stream import StreamGrouper

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.artefacts.bundle import Bundle
    from stanza_lab.incidents.stream import Placed

WINDOW = 16_384
FORMAT = 1
_CASE = tuple(Case.__dataclass_fields__)
_LARGEST = 500_000_000  # bytes of a checkpoint


class Scorer:
    """Say of each alert, as it comes in, what it belongs to, where that likely began, whose it is, what could be done.

    Parameters
    ----------
    bundle : Bundle
        What was learned, of format 3 or later.
    window : int, default 16384
        Alerts that are remembered at most (see `StreamGrouper`). Larger: more memory.

    Raises
    ------
    BundleError
        The bundle is of a format that kept nothing of what was learned.

    Notes
    -----
    Nothing is learned from the stream, and nothing is done: a reaction is words. Incidents are numbered on from those
    of the bundle. Where a later alert shows that an earlier one belongs elsewhere, or that two incidents are one, its
    answer says so in `moved` and `merged`. Memory does not grow with the stream: what is over is forgotten.

    Of an incident the grouping is looked at again with each alert; its origin and team when alerts brought a service
    that it did not have and it has grown by a quarter since, and whenever it has doubled; pattern and reaction then,
    and when an alert brings another kind. Of a long incident the first 32 and the latest 32 alerts are looked at.

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
    >>> scorer = sl.Scorer(bundle)
    >>> scorer.push({"alert_id": "a", "starts_at": 0, "service": "web"})["status"]
    'alone'
    >>> scorer.push({"alert_id": "b", "starts_at": 60_000_000, "service": "web"})["moved"]
    [['a', 2]]
    """

    def __init__(self, bundle: Bundle, *, window: int = WINDOW) -> None:
        if not hasattr(bundle.clusterer, "labels_"):
            raise BundleError(
                f"{bundle.path} is of format {bundle.manifest['format']}, which kept nothing that was learned of "
                "incidents; save it again from its history with this version"
            )
        self._bundle_id = bundle.id
        self._teller = Teller(bundle)
        self._window = window
        self._clusterer = bundle.clusterer
        self._grouper = StreamGrouper(bundle.clusterer, window=window)
        self._alerts: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._cases: dict[int, Case] = {}
        self._unnamed = 0

    def push(self, alert: Mapping[str, Any]) -> dict[str, Any]:
        """Answer for one alert.

        Parameters
        ----------
        alert : mapping
            Columns of `schema.ALERTS`; `starts_at` and `ends_at` in microseconds since 1970 (UTC), lists as lists.

        Returns
        -------
        dict
            The columns of `score`, `starts_at` in microseconds, and besides `moved` (list of [alert_id, incident_id]:
            earlier alerts that came into another incident), `merged` (incidents that are part of this one now).

        Raises
        ------
        ParameterError
            The alert has no time.
        """
        if alert.get("alert_id") is None:
            self._unnamed += 1
            alert = {**alert, "alert_id": f"unnamed-{self._unnamed}"}
        kept = self._teller.kept(alert)
        placed = self._grouper.push(alert)
        self._remember(kept)
        self._rearrange(placed, kept)
        lone = placed.incident_id == schema.NOISE
        told = self._teller.alone(kept) if lone else self._teller.of(self._cases[placed.incident_id])
        for incident in placed.closed:
            self._cases.pop(incident, None)
        return {
            "alert_id": kept["alert_id"],
            "starts_at": kept["starts_at"],
            "service": kept["service"],
            "incident_id": placed.incident_id,
            "status": placed.status,
            "confidence": round(placed.confidence, 4),
            "why": why(placed, self._alerts.get(placed.nearest) if placed.nearest is not None else None),
            **told,
            "moved": [[alert_id, incident] for alert_id, incident in placed.moved],
            "merged": list(placed.merged),
        }

    def ended(self, alert_id: str, at: int) -> int | None:
        """Tell when an alert recovered.

        Parameters
        ----------
        alert_id : str
            Which.
        at : int
            When, in microseconds since 1970 (UTC).

        Returns
        -------
        int or None
            Its incident by now, -1: on its own; None where it is not remembered any more.
        """
        self._grouper.ended(alert_id, at)
        if alert_id in self._alerts:
            self._alerts[alert_id]["ends_at"] = at  # its incident holds the same
        return self.incident_of(alert_id)

    def incident_of(self, alert_id: str) -> int | None:
        """Return the incident of an alert by now: later alerts may have moved it.

        Parameters
        ----------
        alert_id : str
            Which.

        Returns
        -------
        int or None
            -1: on its own; None where it is not remembered any more.
        """
        return self._grouper.incident_of(alert_id)

    def score(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """Answer for a table of alerts, after what was pushed before.

        Parameters
        ----------
        alerts : DataFrame
            `schema.ALERTS`, in any order; `starts_at` must be there.

        Returns
        -------
        DataFrame
            A row per alert, in the order and with the index given. `alert_id` (str), `starts_at` (datetime64[us, UTC]),
            `service` (str), `incident_id` (int64; -1: on its own), `status` (str: "alone", "new", "joined", "merged",
            "late", as it was when the alert came in; "moved": a later one showed where it belongs; "untimed"),
            `confidence` (float64, 0 to 1: how firmly it belonged there when it came in; null where it moved), `why`
            (str), `origin` (str), `origin_probability` (float64), `team` (str), `pattern` (str), `pattern_confidence`
            (float64), `reaction` (str: words; nothing is done). Incident, origin, team, pattern and reaction are those
            that are known at the end.

        Raises
        ------
        SchemaError
            A column is missing or malformed.
        """
        given = schema.check(alerts, schema.ALERTS, need=["starts_at"])
        given_rows = rows(given)
        order = sorted(
            (row for row in given_rows if row[1]["starts_at"] is not None), key=lambda row: row[1]["starts_at"]
        )
        answers = [untimed(row) for _, row in given_rows]
        final: dict[int, dict[str, Any]] = {}
        where: dict[str, int] = {}
        became: dict[int, int] = {}
        for place, row in progress(order):
            answer = self.push(row)
            answers[place] = answer
            where[answer["alert_id"]] = place
            for alert_id, incident in answer["moved"]:
                if alert_id in where:
                    moved = {"incident_id": incident, "status": "moved", "confidence": None}
                    answers[where[alert_id]] |= moved
                    answers[where[alert_id]]["why"] = f"a later alert showed it: {answer['why']}"
            for incident in answer["merged"]:
                became[incident] = answer["incident_id"]
            if answer["incident_id"] != schema.NOISE:
                final[answer["incident_id"]] = answer
        known = ("origin", "origin_probability", "team", "pattern", "pattern_confidence", "reaction")
        for answer in answers:
            while (later := became.get(answer["incident_id"])) is not None and later != answer["incident_id"]:
                answer["incident_id"] = later
            if answer["incident_id"] in final:
                answer |= {name: final[answer["incident_id"]][name] for name in known}
        return table(answers, index=alerts.index)

    def _remember(self, kept: dict[str, Any]) -> None:
        self._alerts[kept["alert_id"]] = kept  # its case holds the same, with the incident it is in
        if len(self._alerts) > self._window + 1:
            self._alerts.popitem(last=False)

    def _rearrange(self, placed: Placed, kept: dict[str, Any]) -> None:
        """Bring the cases up to date with what an alert changed."""
        for incident in placed.merged:
            other = self._cases.pop(incident, None)
            for joining in other.alerts if other is not None else ():
                self._add(placed.incident_id, joining)
        merged = {alert["alert_id"] for alert in self._cases[placed.incident_id].alerts} if placed.merged else set()
        for alert_id, incident in placed.moved:
            if alert_id in merged and incident == placed.incident_id:
                continue
            alert = self._alerts.get(alert_id)
            if alert is None:
                continue
            before = alert.get("incident_id", schema.NOISE)
            case = self._cases.get(before)
            if case is not None:
                case.remove(alert_id)
                if not case.alerts:  # an incident that all its alerts went from is none
                    del self._cases[before]
            self._add(incident, alert)
        self._add(placed.incident_id, kept)

    def _add(self, incident: int, alert: dict[str, Any]) -> None:
        alert["incident_id"] = incident
        if incident != schema.NOISE:
            self._cases.setdefault(incident, Case()).add(alert)

    @property
    def let_go(self) -> int:
        """Return how many alerts were let go before they were old, because more came than are remembered."""
        return self._grouper.let_go

    def state(self) -> dict[str, Any]:
        """Return all that `from_state` needs to go on exactly from here.

        Returns
        -------
        dict
            As what JSON knows. It holds names and texts of the alerts that are remembered.
        """
        return {
            "format": FORMAT,
            "bundle": self._bundle_id,
            "grouper": self._grouper.state(),
            "alerts": list(self._alerts.values()),
            "cases": [
                {"incident": incident} | {name: getattr(case, name) for name in _CASE}
                for incident, case in self._cases.items()
            ],
            "unnamed": self._unnamed,
        }

    @classmethod
    def from_state(cls, bundle: Bundle, state: Mapping[str, Any], *, window: int = WINDOW) -> Self:
        """Go on from what `state` returned.

        Parameters
        ----------
        bundle : Bundle
            The same as then.
        state : mapping
            What `state` returned.
        window : int, default 16384
            At least as large as then.

        Returns
        -------
        Scorer
            That answers as if there had been no break.

        Raises
        ------
        BundleError
            The state is damaged, or belongs to another bundle.
        """
        if not isinstance(state, Mapping) or state.get("format") != FORMAT:
            raise BundleError("the checkpoint is of no format that this version reads; begin without it")
        if state.get("bundle") != bundle.id:
            raise BundleError(
                f"the checkpoint belongs to bundle {str(state.get('bundle'))[:40]}, not to {bundle.id}; "
                "incidents would get mixed up: begin without it"
            )
        scorer = cls(bundle, window=window)
        try:
            scorer._grouper = StreamGrouper.resume(bundle.clusterer, state["grouper"], window=window)
            scorer._alerts = OrderedDict((alert["alert_id"], dict(alert)) for alert in state["alerts"])
            for told in state["cases"]:
                case = Case(**{name: told[name] for name in _CASE})
                case.alerts = [scorer._alerts.get(alert["alert_id"], alert) for alert in case.alerts]
                scorer._cases[int(told["incident"])] = case
            scorer._unnamed = int(state["unnamed"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"the checkpoint is damaged ({error}); begin without it") from error
        return scorer

    def save(self, path: str | os.PathLike[str], **more: Any) -> None:
        """Write a checkpoint, whole or not at all.

        Parameters
        ----------
        path : path-like
            File; one that is there is replaced.
        **more : object
            What is kept beside it, as what JSON knows.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = orjson.dumps(self.state() | {"more": more}, option=orjson.OPT_NON_STR_KEYS)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(target)

    @classmethod
    def resume(
        cls, bundle: Bundle, path: str | os.PathLike[str], *, window: int = WINDOW
    ) -> tuple[Self, dict[str, Any]]:
        """Return a scorer that goes on from a checkpoint, and what was kept beside it.

        Parameters
        ----------
        bundle : Bundle
            The same as then.
        path : path-like
            File that `save` wrote.
        window : int, default 16384
            At least as large as then.

        Returns
        -------
        Scorer
            That answers as if there had been no break.
        dict
            What `save` was given besides.

        Raises
        ------
        BundleError
            There is no checkpoint at `path`, it is damaged, or belongs to another bundle.
        """
        file = Path(path)
        if not file.is_file() or file.stat().st_size > _LARGEST:
            raise BundleError(f"{file} is no checkpoint; begin without it")
        try:
            state = orjson.loads(file.read_bytes())
        except orjson.JSONDecodeError as error:
            raise BundleError(f"{file} is no checkpoint ({error}); begin without it") from error
        return cls.from_state(bundle, state, window=window), dict(state.get("more") or {})
