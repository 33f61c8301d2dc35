"""Teams: what each owns, and which of them are paged together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.entities._together import Catalog, Said, resolve_together
from stanza_lab.entities.ownership.owners import infer_ownership
from stanza_lab.errors import ParameterError
from stanza_lab.history.report import count

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

_DAY = 86_400_000_000  # microseconds
_FEW = 5  # times together: below, a lift says little
_MOST_TEAMS = 30  # of one service: what more teams are paged for is no one service, and its pairs would be many
_LISTED = 3  # names in a sentence


def summarize_teams(alerts: pd.DataFrame, *, catalog: Catalog = None, overrides: Said = None) -> pd.DataFrame:
    """Tell what each team owns, whom it is paged for besides, and which teams own nothing.

    Parameters
    ----------
    alerts : DataFrame
        As for `infer_ownership`.
    catalog : DataFrame or path, optional
        `schema.OWNERSHIP` or files for `read_ownership`.
    overrides : path or mapping, optional
        What people say of names, as `EntityResolver` takes it.

    Returns
    -------
    DataFrame
        `schema.TEAMS`, sorted by team: every team that the catalogue or an alert names. One that owns nothing has no
        `services`: a catalogue names it for none, and no service is paged to it most.

    Raises
    ------
    SchemaError
        A column cannot be read as what it should be, or the catalogue has no column for the service.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({"service": ["web", "web", "db"], "team": ["shop", "shop", "storage"]})
    >>> catalog = pd.DataFrame({"service": ["web", "db"], "team": ["shop", "shop"]})
    >>> sl.summarize_teams(alerts, catalog=catalog)["words"].tolist()
    ['owns 2 services with 3 alerts', 'owns nothing, and is paged for db']
    """
    owners = infer_ownership(alerts, catalog=catalog, overrides=overrides)
    owned: dict[str, list[dict[Any, Any]]] = defaultdict(list)
    paged: dict[str, list[str]] = defaultdict(list)
    for row in owners.to_dict("records"):
        if isinstance(row["team"], str):
            owned[row["team"]].append(row)
        for team in {row["paged"], *row["also_paged"]} - {row["team"]}:
            if isinstance(team, str):
                paged[team].append(row["service"])
    rows = []
    for team in sorted({*owned, *paged}):
        services, alerted = [row["service"] for row in owned[team]], sum(row["alerts"] for row in owned[team])
        owns = f"owns {count(len(services), 'service')} with {count(alerted, 'alert')}" if services else "owns nothing"
        others = f", and is paged for {_listing(paged[team])}" if paged[team] else ""
        rows.append(
            {
                "team": team,
                "services": services,
                "also_paged_for": paged[team],
                "alerts": alerted,
                "repositories": sorted(
                    {row["repository"] for row in owned[team] if isinstance(row["repository"], str)}
                ),
                "words": owns + others,
            }
        )
    return schema.build(rows, schema.TEAMS)


def relate_teams(
    alerts: pd.DataFrame, *, catalog: Catalog = None, overrides: Said = None, within: _params.Duration = "5min"
) -> pd.DataFrame:
    """Tell which teams are paged together, and which share services.

    Counted is every alert that began at most `within` before or after one of the other team, once, however many of
    those there are. By chance that would be, on each day, the alerts of one team times the probability that the
    other's, spread evenly over that day, leave none within reach: ``n (1 - exp(-m 2w / day))``, added over both teams
    and all days. Days on which both have much to do thus expect more. Alerts come in bursts, which makes the true
    expectation smaller than that: a `lift` somewhat above 1 is no proof, one below 1 no proof of the opposite. All
    counts are sums over days.

    Paged together does not say who depends on whom, nor that the people talk: a common cause, a shared monitor or a
    deploy of one does it too. `DependencyModel` tells direction. Alerts without a team or a time are not counted; a
    page that copies an alert counts beside it, so leave copies out with `select_alerts`.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with at least starts_at; before or after `resolve_entities`.
    catalog : DataFrame or path, optional
        `schema.OWNERSHIP` or files for `read_ownership`: the team of alerts that name none.
    overrides : path or mapping, optional
        What people say of names, as `EntityResolver` takes it.
    within : duration, default "5min"
        How near the starts of two alerts must be. Longer: more pairs, and more of them by chance.

    Returns
    -------
    DataFrame
        `schema.TEAM_PAIRS`: pairs that were together at least once or share a service, those with the most times
        together above what is expected first. `lift` is null where nothing is expected.

    Raises
    ------
    SchemaError
        starts_at is missing or a column cannot be read as what it should be.
    ParameterError
        `within` is no duration, or longer than a day.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame(
    ...     {
    ...         "starts_at": ["2026-03-01T10:00Z", "2026-03-01T10:02Z", "2026-03-01T10:03Z", "2026-03-02T09:00Z"],
    ...         "team": ["shop", "storage", "storage", "shop"],
    ...         "service": ["web", "db", "db", "web"],
    ...     }
    ... )
    >>> sl.relate_teams(alerts)[["team", "other", "together", "of_alerts", "days"]].values.tolist()
    [['shop', 'storage', 3, 4, 1]]
    """
    width = _params.duration(within, "within")
    if width > pd.Timedelta("1D"):
        raise ParameterError(f"within={within!r} is longer than a day; pass '5min' or the like")
    together = resolve_together(alerts, catalog, overrides=overrides, need=["starts_at"])
    known = together.alerts[["starts_at", "team", "service"]]
    timed = known.dropna(subset=["starts_at", "team"])
    codes, teams = pd.factorize(timed["team"].astype("str"), sort=True)
    near = _Near.of(timed["starts_at"].to_numpy("datetime64[us]").astype(np.int64), codes, len(teams), width)
    shared = _shared(known, together.owned)
    place = {team: number for number, team in enumerate(teams)}
    pairs = {(int(a), int(b)) for a, b in np.argwhere(np.triu(near.together + near.together.T, 1))}
    names = {(str(teams[a]), str(teams[b])) for a, b in pairs} | {*shared}
    rows = []
    for team, other in sorted(names):
        a, b = place.get(team), place.get(other)
        row: dict[str, Any] = {"team": team, "other": other, "shared_services": shared.get((team, other), [])}
        row |= near.pair(a, b) if a is not None and b is not None else _Near.none()
        rows.append(row | {"words": _words(row, width)})
    table = schema.build(rows, schema.TEAM_PAIRS)
    return table.loc[(table["expected"] - table["together"]).sort_values(kind="stable").index].reset_index(drop=True)


class _Near:
    """How many alerts of each team (row) began near one of each other team (column), and on how many days."""

    def __init__(self, together: Counts, days: Counts, alerts: Counts, expected: Numbers) -> None:
        self.together, self.days, self.alerts, self.expected = together, days, alerts, expected

    @classmethod
    def of(cls, times: Counts, codes: Counts, teams: int, width: pd.Timedelta) -> _Near:
        """Count over sorted times: for each team the stretches of alerts within its reach are marked at once."""
        order = np.argsort(times, kind="stable")
        times, codes, reach = times[order], codes[order], int(width.value // 1_000)
        day_codes, days = pd.factorize(times // _DAY)
        cell = codes * max(len(days), 1) + day_codes
        per_day = np.bincount(cell, minlength=teams * len(days)).reshape(teams, len(days)).astype(np.float64)
        together, on_days = np.zeros((teams, teams), dtype=np.int64), np.zeros((teams, teams), dtype=np.int64)
        for team in range(teams):
            own = times[codes == team]
            change = np.zeros(len(times) + 1, dtype=np.int64)
            np.add.at(change, np.searchsorted(times, own - reach, side="left"), 1)
            np.add.at(change, np.searchsorted(times, own + reach, side="right"), -1)
            within = np.cumsum(change[:-1]) > 0
            together[:, team] = np.bincount(codes[within], minlength=teams)
            there = np.bincount(cell[within], minlength=teams * len(days)).reshape(teams, len(days)) > 0
            on_days[:, team] = there.sum(axis=1)
        np.fill_diagonal(together, 0)
        chance = per_day @ (1 - np.exp(-per_day * 2 * reach / _DAY)).T
        return cls(together, on_days, per_day.sum(axis=1).astype(np.int64), chance)

    def pair(self, a: int, b: int) -> dict[str, object]:
        """Return the counts of two teams; a day near midnight counts for either."""
        both = int(self.together[a, b] + self.together[b, a])
        expected = float(self.expected[a, b] + self.expected[b, a])
        return {
            "together": both,
            "of_alerts": int(self.alerts[a] + self.alerts[b]),
            "expected": expected,
            "lift": both / expected if expected > 0 else None,
            "days": int(max(self.days[a, b], self.days[b, a])),
        }

    @staticmethod
    def none() -> dict[str, object]:
        """Return the counts of two teams of which one has no alert with a time."""
        return {"together": 0, "of_alerts": 0, "expected": 0.0, "lift": None, "days": 0}


def _shared(alerts: pd.DataFrame, owned: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Return the services whose alerts name both teams of a pair, or that one owns and whose alerts name the other."""
    pairs = pd.concat([alerts[["service", "team"]], owned[["service", "team"]]]).dropna().astype("str")
    shared: dict[tuple[str, str], list[str]] = defaultdict(list)
    for service, each in pairs.drop_duplicates().sort_values(["service", "team"]).groupby("service")["team"]:
        teams = each.tolist() if len(each) <= _MOST_TEAMS else []
        for at, team in enumerate(teams):
            for other in teams[at + 1 :]:
                shared[team, other].append(str(service))
    return shared


def _words(row: Mapping[str, Any], width: pd.Timedelta) -> str:
    together, shared = row["together"], row["shared_services"]
    minutes = f"{width.total_seconds() / 60:g} min"
    if not together:
        said = f"never paged within {minutes} of each other"
    else:
        on = f"on {count(row['days'], 'day')}"
        said = (
            f"{together:,} of their {row['of_alerts']:,} alerts began within {minutes} of an alert of the other, {on}"
        )
        if row["lift"] is not None:
            said += f", {row['lift']:.1f} times what chance would bring"
        said += "; too few to tell from chance" if together < _FEW else ""
    return f"{said}; both are paged for {_listing(shared)}" if shared else said


def _listing(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"
