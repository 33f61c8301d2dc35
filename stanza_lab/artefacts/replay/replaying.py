"""`replay_alertmanager`: each alert of a history fires in a real Alertmanager, with what fired then."""

from __future__ import annotations

import heapq
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from stanza_lab import schema
from stanza_lab._html import escaped
from stanza_lab.artefacts.exports._labels import read_labels
from stanza_lab.artefacts.replay.predicting import Rules, read_config
from stanza_lab.artefacts.replay.server import Alertmanager, running
from stanza_lab.errors import LoadError
from stanza_lab.production import words

ID = "stanza_lab_alert"  # an annotation: labels would change what the rules see
ALERTS: dict[str, Any] = {
    "alert_id": "str",
    "starts_at": schema.TIME_DTYPE,
    "service": "str",
    "alertname": "str",
    "incident_id": "int64",
    "group": "str",
    "predicted_group": "str",
    "inhibited": "bool",
    "predicted_inhibited": "bool",
    "inhibited_by": "str",
    "predicted_by": "str",
    "agrees": "bool",
}
_SEEN_S = 5.0  # how long an alert may take to show
_END_UNKNOWN = pd.Timedelta("30min")


@dataclass(frozen=True, eq=False, repr=False)
class Replay:
    """What a real Alertmanager did with a history, as `replay_alertmanager` returns it.

    Attributes
    ----------
    alerts : DataFrame
        A row per alert at the moment it fired, by time: alert_id, starts_at, service, alertname, incident_id (-1: on
        its own), group and predicted_group (labels as JSON), inhibited and predicted_inhibited (bool), inhibited_by and
        predicted_by (names of the alerts that hide it), agrees (bool: all of it).
    words : list of str
        What it grouped and hid, and whether that was predicted.
    unseen : list of str
        What was left out.
    """

    alerts: pd.DataFrame
    words: list[str]
    unseen: list[str]

    def __repr__(self) -> str:
        """Say in one line how much was hidden and predicted."""
        hidden, wrong = int(self.alerts["inhibited"].sum()), int((~self.alerts["agrees"]).sum())
        return f"Replay({words.count(len(self.alerts), 'alert')}, {hidden} hidden, {wrong} not as predicted)"

    def __str__(self) -> str:
        """Say what happened, then what was left out."""
        return "\n".join([*self.words, *self.unseen])

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{escaped(sentence, 300)}</p>" for sentence in (*self.words, *self.unseen))
        return f"<b>{escaped(repr(self), 200)}</b>{said}"


def replay_alertmanager(
    alerts: pd.DataFrame,
    *,
    config: str | os.PathLike[str],
    labels: str | None = None,
    binary: str | None = None,
    progress: bool = False,
) -> Replay:
    """Send a history through a real Alertmanager: what it groups and hides, beside what its rules predict.

    At the moment each alert fired, all alerts that were firing then are firing in an Alertmanager on this machine,
    started for this and reachable by nobody else. Asked is whether the new one is hidden, by which, and in which group
    it is. The same is predicted from the configuration by the documented semantics.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; with `incident_id` it is told whether an incident was hidden whole.
    config : path
        A configuration of Alertmanager with one route, as `export` writes it.
    labels : str, optional
        Which labels alerts carry for our fields, as "alertname=alertname,service=service". Default: those they came
        with, of alerts of Alertmanager and Grafana; others are left out.
    binary : str, optional
        The program. Default: `alertmanager`, or `prometheus-alertmanager` as Debian names it.
    progress : bool, default False
        Show a bar on standard error.

    Returns
    -------
    Replay
        `alerts`, `words`, `unseen`.

    Raises
    ------
    LoadError
        Alertmanager is not on this machine, does not start with the configuration, or no alert can be sent.
    SchemaError
        The configuration or a column cannot be read.

    Notes
    -----
    An alert whose end is not known fires for half an hour. Two alerts with the same labels are one to Alertmanager: a
    second one that fires while the first does is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> sl.replay_alertmanager(pd.DataFrame({"starts_at": []}), config="no/such/alertmanager.yml")
    Traceback (most recent call last):
        ...
    stanza_lab.errors.SchemaError: no/such/alertmanager.yml is no configuration of Alertmanager that can be read: ...
    """
    path = Path(config)
    rules = read_config(path)
    known = schema.check(alerts, schema.ALERTS, need=["starts_at"])
    promised = read_labels(labels)
    sent, unseen = _sendable(known, promised)
    if not sent:
        raise LoadError(f"no alert can be sent: {'; '.join(unseen)}; pass labels= to say which labels they carry")
    with running(path, binary=binary) as server:
        rows = [_row(server, rules, one, firing) for one, firing in _moments(server, sent, progress=progress)]
    table = pd.DataFrame(rows, columns=list(ALERTS))
    table["starts_at"] = pd.to_datetime(table["starts_at"], utc=True)
    table = table.astype(ALERTS)
    return Replay(table, _said(table, rules), unseen)


@dataclass(frozen=True)
class _Sent:
    alert_id: str
    at: pd.Timestamp
    until: pd.Timestamp
    labels: dict[str, str]
    incident: int
    service: str
    alertname: str

    @property
    def key(self) -> str:
        return json.dumps(self.labels, sort_keys=True)


def _sendable(alerts: pd.DataFrame, promised: Mapping[str, str]) -> tuple[list[_Sent], list[str]]:
    """Return the alerts with labels, by time, and in sentences what is left out."""
    found: list[_Sent] = []
    without = again = 0
    until: dict[str, pd.Timestamp] = {}
    timed = alerts[alerts["starts_at"].notna()].sort_values("starts_at", kind="stable").reset_index(drop=True)
    for place, row in enumerate(timed.to_dict("records")):
        told = _labels({str(name): value for name, value in row.items()}, promised)
        if "alertname" not in told and not promised:
            without += 1
            continue
        ends = row.get("ends_at")
        end = row["starts_at"] + _END_UNKNOWN if ends is None or pd.isna(ends) else ends
        one = _Sent(
            str(row.get("alert_id") or f"row {place}"),
            row["starts_at"],
            max(end, row["starts_at"]),
            told,
            int(row.get("incident_id", schema.NOISE)),
            _text(row.get("service")),
            _text(row.get("alertname")),
        )
        if not told:
            without += 1
        elif until.get(one.key, one.at) > one.at:
            again += 1
        else:
            until[one.key] = one.until
            found.append(one)
    said = (
        [f"{words.count(len(alerts) - len(timed), 'alert')} without a time left out"]
        if len(alerts) > len(timed)
        else []
    )
    if without:
        said.append(f"{words.count(without, 'alert')} without labels left out")
    if again:
        said.append(
            f"{words.count(again, 'alert')} left out whose labels another one that fired had: to it they are one"
        )
    return found, said


def _labels(row: Mapping[str, Any], promised: Mapping[str, str]) -> dict[str, str]:
    if promised:
        told = {label: _text(row.get(field)) for field, label in promised.items()}
        return {label: value for label, value in told.items() if value}
    try:
        own = json.loads(row.get("labels") or "{}")
    except (TypeError, ValueError):
        return {}
    return {str(k): str(v) for k, v in own.items() if v not in (None, "")} if isinstance(own, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def _moments(server: Alertmanager, sent: list[_Sent], *, progress: bool) -> Iterator[tuple[_Sent, list[_Sent]]]:
    """Fire alerts one after the other, those that are over by then resolved; yield each with all that fire."""
    from tqdm import tqdm

    firing: dict[str, _Sent] = {}
    ends: list[tuple[pd.Timestamp, str]] = []
    for one in tqdm(sent, desc="replaying", unit=" alerts", delay=2, disable=not progress, file=sys.stderr):
        over = []
        while ends and ends[0][0] <= one.at:
            over.append(firing.pop(heapq.heappop(ends)[1]))
        firing[one.key] = one
        heapq.heappush(ends, (one.until, one.key))
        now = datetime.now(tz=UTC)
        server.post(
            [
                *({**_posted(gone, now), "endsAt": (now - timedelta(seconds=1)).isoformat()} for gone in over),
                _posted(one, now),
            ]
        )
        yield one, list(firing.values())


def _posted(one: _Sent, now: datetime) -> dict[str, Any]:
    return {
        "labels": one.labels,
        "annotations": {ID: one.alert_id},
        "startsAt": (now - timedelta(minutes=1)).isoformat(),
        "endsAt": (now + timedelta(hours=6)).isoformat(),
    }


def _row(server: Alertmanager, rules: Rules, one: _Sent, firing: list[_Sent]) -> list[Any]:
    """Return what is asked of one alert and what was predicted, once the server shows what fires."""
    named = {sent.key: sent for sent in firing}
    until = time.monotonic() + _SEEN_S
    while True:
        shown = {json.dumps(alert["labels"], sort_keys=True): alert for alert in server.alerts()}
        groups = _groups(server)
        if shown.keys() == named.keys() and one.key in groups:
            break
        if time.monotonic() > until:
            raise LoadError(f"Alertmanager does not show the alert {one.alert_id} after {_SEEN_S:.0f} s; try again")
        time.sleep(0.002)
    by_print = {alert["fingerprint"]: key for key, alert in shown.items()}
    hidden = [by_print.get(who, "?") for who in shown[one.key]["status"]["inhibitedBy"]]
    predicted = [
        json.dumps(dict(labels), sort_keys=True) for labels in rules.hidden_by(one.labels, [s.labels for s in firing])
    ]
    group = json.dumps(groups[one.key], sort_keys=True)
    expected = json.dumps(rules.group(one.labels), sort_keys=True)
    agrees = group == expected and bool(hidden) == bool(predicted) and set(hidden) <= set(predicted)
    return [
        one.alert_id,
        one.at,
        one.service,
        one.alertname,
        one.incident,
        group,
        expected,
        bool(hidden),
        bool(predicted),
        _names(hidden, named),
        _names(predicted, named),
        agrees,
    ]


def _groups(server: Alertmanager) -> dict[str, dict[str, str]]:
    """Return for the labels of each alert the labels of its group."""
    return {
        json.dumps(alert["labels"], sort_keys=True): group["labels"]
        for group in server.groups()
        for alert in group["alerts"]
    }


def _names(keys: list[str], named: Mapping[str, _Sent]) -> str:
    return ", ".join(sorted(f"{named[key].service}: {named[key].alertname}" for key in keys if key in named))


def _said(table: pd.DataFrame, rules: Rules) -> list[str]:
    hidden, wrong = table[table["inhibited"]], int((~table["agrees"]).sum())
    sent = words.count(len(table), "alert"), words.count(len(rules.inhibit), "inhibit rule")
    came = "all as predicted" if not wrong else f"{wrong} not as predicted"
    said = [
        f"{sent[0]} sent, {sent[1]}, {words.count(table['group'].nunique(), 'group')}",
        f"{words.count(len(hidden), 'alert')} hidden when they fired; {came}",
    ]
    inside = table[table["incident_id"] != schema.NOISE]
    if len(inside):
        whole = inside.groupby("incident_id")["inhibited"].all()
        said.append(f"{int(whole.sum())} of {words.count(len(whole), 'incident')} hidden whole")
    lone = int((hidden["incident_id"] == schema.NOISE).sum())
    if lone:
        said.append(f"{words.count(lone, 'alert')} hidden that belong to no incident")
    return said
