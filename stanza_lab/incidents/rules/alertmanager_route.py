"""The tree of routes of an `alertmanager.yml`, replayed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.errors import ParameterError
from stanza_lab.incidents.rules._matchers import Matcher, matchers_of
from stanza_lab.incidents.rules._rule import GroupingRule
from stanza_lab.incidents.rules.group_by import GroupByRule
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from stanza_lab import _params

_TIMES = ("group_wait", "group_interval", "repeat_interval")
_NOT_KEPT = ("mute_time_intervals", "active_time_intervals")
_KEYS = ("receiver", "group_by", "continue", "match", "match_re", "matchers", "routes", *_TIMES, *_NOT_KEPT)
_DEFAULTS = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}  # Alertmanager's own
_DEEPEST = 50
_TIME = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_SECONDS = (365 * 86_400, 7 * 86_400, 86_400, 3600, 60, 1, 0.001)


@dataclass(frozen=True)
class Route:
    """One node of the tree, with what it inherits."""

    name: str
    receiver: str | None
    by: tuple[str, ...]
    times: Mapping[str, pd.Timedelta]
    matchers: list[Matcher]
    goes_on: bool
    routes: list[Route] = field(default_factory=list)

    def taken(self, alerts: pd.DataFrame, among: np.ndarray) -> tuple[np.ndarray, list[tuple[Route, np.ndarray]]]:
        """Return which alerts come here, and which of them end up at which route below or here."""
        here = among.copy()
        for matcher in self.matchers:
            here &= matcher.meets(alerts)
        left, below, gone = here.copy(), np.zeros(len(here), dtype=bool), []
        for route in self.routes:
            there, ends = route.taken(alerts, left)
            gone += ends
            below |= there
            if not route.goes_on:
                left &= ~there
        return here, [*gone, (self, here & ~below)]


class AlertmanagerRoute(GroupingRule):
    """Group as the routes of a Prometheus Alertmanager do.

    An alert goes down the tree to the first route whose matchers it meets, and on to its siblings where that route
    says ``continue``. Where it ends up, it is grouped as `GroupByRule` says, with what that route states or inherits.

    Parameters
    ----------
    route : mapping
        What stands under ``route:`` in an `alertmanager.yml`; `read_rules` reads such a file.
    resolve_timeout : duration, default "5min"
        How long an alert counts as active when no end is known. Larger: longer groups.
    min_alerts : int, default 2
        Fewest alerts of a group; fewer are on their own (-1).

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Group of each alert in the order of the rows; -1 is on its own.
    receivers_ : ndarray of object, shape (n,)
        Receiver of the route that groups the alert; None where it has no start or the route names none.
    notifications_ : DataFrame
        As in `GroupByRule`, over all routes, with `receiver`.

    Notes
    -----
    An alert that several routes take (``continue``) is in several groups there; its label is that of the first route,
    its notifications are counted in all. Not kept: mute and active time intervals, inhibition rules, silences,
    templates of receivers. Labels are read from `labels`; where an alert of another system has no such label, the
    column of that name stands in.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:00Z", "2026-03-01T14:01Z", "2026-03-01T14:02Z"],
    ...     "alertname": ["HighLatency", "HighErrors", "HighErrors"],
    ...     "team": ["payments", "payments", "search"],
    ... })
    >>> tree = {"receiver": "all", "group_by": ["alertname"],
    ...         "routes": [{"matchers": ['team="payments"'], "group_by": ["team"], "receiver": "pay"}]}
    >>> rule = sl.AlertmanagerRoute(route=tree).fit(alerts)
    >>> rule.labels_.tolist(), rule.receivers_.tolist()
    ([0, 0, -1], ['pay', 'pay', 'all'])
    """

    def __init__(
        self, *, route: Mapping[str, Any], resolve_timeout: _params.Duration = "5min", min_alerts: int = 2
    ) -> None:
        self.route = route
        self.resolve_timeout = resolve_timeout
        self.min_alerts = min_alerts

    def _groups(self, alerts: pd.DataFrame) -> np.ndarray:
        tree = read_route(self.route)
        groups, receivers = np.full(len(alerts), NOISE, dtype=np.int64), np.full(len(alerts), None, dtype=object)
        self._told: list[tuple[np.ndarray, pd.DataFrame]] = []
        for route, there in tree.taken(alerts, np.ones(len(alerts), dtype=bool))[1]:
            if not there.any():
                continue
            rule = GroupByRule(by=route.by, resolve_timeout=self.resolve_timeout, min_alerts=1, **route.times)
            found = rule.fit(alerts[there])
            rows = np.flatnonzero(there)
            own = groups[rows] < 0
            # A group of one is -1 in labels_; here each keeps a number of its own.
            alone = found.labels_ < 0
            label = np.where(alone, found.labels_.max(initial=-1) + np.cumsum(alone), found.labels_)
            groups[rows[own]] = label[own] + groups.max(initial=-1) + 1
            receivers[rows[own]] = route.receiver
            self._told.append((rows, found.notifications_.assign(receiver=route.receiver)))
        self._receivers = receivers
        return groups

    def _finish(self, rows: np.ndarray) -> None:
        self.receivers_ = np.full(len(self.labels_), None, dtype=object)
        self.receivers_[rows] = self._receivers
        told = [table for _, table in self._told]
        columns = ["at", "alerts", "repeats", "receiver"]
        empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
        table = pd.concat(told, ignore_index=True)[columns] if told else empty
        self.notifications_ = table.sort_values("at", kind="stable", ignore_index=True)
        del self._told, self._receivers


def read_route(route: Mapping[str, Any]) -> Route:
    """Return the tree under ``route:``; raise ParameterError where it is not understood."""
    return _read(route, "route", by=(), times=_DEFAULTS, receiver=None, depth=0)


def not_kept(route: Mapping[str, Any]) -> list[str]:
    """Return the keys of a tree that the replay leaves out."""
    return sorted({key for one in _walk(route) for key in _NOT_KEPT if one.get(key)})


def _walk(route: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield route
    for child in route.get("routes") or []:
        yield from _walk(child)


def _read(
    route: Any, where: str, *, by: tuple[str, ...], times: Mapping[str, Any], receiver: str | None, depth: int
) -> Route:
    if not isinstance(route, Mapping):
        raise ParameterError(f"{where}: holds {type(route).__name__}, not keys and values")
    if depth > _DEEPEST:
        raise ParameterError(f"{where}: routes lie more than {_DEEPEST} deep")
    for key in route:
        if key not in _KEYS:
            close = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(_KEYS)}"
            raise ParameterError(f"{where}: {key!r} is not known; {hint}")
    given = route.get("group_by")
    if given is not None and (not isinstance(given, list) or not all(isinstance(name, str) for name in given)):
        raise ParameterError(f"{where}: group_by={given!r} is no list of labels; write [alertname, service]")
    by = by if given is None else tuple(given)
    times = {name: times[name] if route.get(name) is None else route[name] for name in _TIMES}
    receiver = route.get("receiver") or receiver
    children = route.get("routes") or []
    if not isinstance(children, list):
        raise ParameterError(f"{where}: routes holds {type(children).__name__}, not a list")
    return Route(
        where,
        receiver,
        by,
        {name: prometheus_time(value, f"{where}: {name}") for name, value in times.items()},
        matchers_of(route, where),
        bool(route.get("continue")),
        [
            _read(child, f"{where}.routes[{k}]", by=by, times=times, receiver=receiver, depth=depth + 1)
            for k, child in enumerate(children)
        ],
    )


def prometheus_time(value: Any, where: str) -> pd.Timedelta:
    """Return a duration as Prometheus writes it: 30s, 5m, 1h30m, 4d."""
    parts = _TIME.fullmatch(str(value).strip())
    if parts is None or not any(parts.groups()):
        if value in (0, "0"):
            return pd.Timedelta(0)
        raise ParameterError(f"{where}={value!r} is no duration of Prometheus; write 30s, 5m, 1h30m")
    seconds = sum(int(n) * unit for n, unit in zip(parts.groups(), _SECONDS, strict=True) if n)
    return pd.Timedelta(seconds, "s").as_unit("us")
