"""Measure objectives: what was attained, what is left of the error budget, how fast it burns, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from stanza_lab import _params, schema
from stanza_lab.errors import LoadError, ParameterError, UnknownNameError
from stanza_lab.production import words
from stanza_lab.production.reading import globbed
from stanza_lab.reliability.objectives import attained, tables, windows
from stanza_lab.reliability.objectives.counts import Counts, select
from stanza_lab.reliability.objectives.golden import SIGNALS, golden_signals
from stanza_lab.reliability.objectives.measured import BURN, OBJECTIVES, STATEMENTS, Reliability
from stanza_lab.reliability.objectives.objective import Objective, objectives_of
from stanza_lab.reliability.objectives.proxy import counts_of_alerts
from stanza_lab.reliability.objectives.statements import ASSUMED, POLICY, ordered, statement

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.production.door.contributed import Contributed


def measure_objectives(
    indicators: pd.DataFrame,
    *,
    objectives: Contributed | Objective | Iterable[Objective],
    alerts: pd.DataFrame | None = None,
    at: _params.Instant | None = None,
    tz: str = "UTC",
    min_total: int | None = None,
) -> Reliability:
    """Measure how services keep their objectives: attained, error budget, burn rates, ship or freeze.

    Parameters
    ----------
    indicators : DataFrame
        As `read_indicators` returns it.
    objectives : Objective, list of Objective or Contributed
        What is promised: ``sl.Objective(...)``, `read_objectives`, or what `read_contributed` read. A glob of services
        is judged service by service.
    alerts : DataFrame, optional
        `schema.ALERTS`, for saturation in the golden signals.
    at : str or Timestamp, optional
        The instant it is about. Default: the end of the last interval.
    tz : str, default "UTC"
        Zone whose days are the blocks in which failures come together, and of times in sentences.
    min_total : int, optional
        Fewest requests in a window to judge it; more judges less. Default: for the whole window so many that the
        budget allows 10 failures, n >= 10 / (1 - s); for a burn rate so many that one failure alone does not fire its
        rule, n > 1 / (b (1 - s)).

    Returns
    -------
    Reliability
        Tables `objectives`, `burn`, `statements`, `golden`, `over_time`; `words`, `definition`, `unseen`.

    Raises
    ------
    UnknownNameError
        No objective fits a service of the table.
    ParameterError
        `tz` is unknown, or nothing was counted before `at`.

    Notes
    -----
    Objective s, period P: the error budget is 1 - s, the burn rate b = e / (1 - s), the budget spent b w / P with w the
    part of the window that was counted (from the first interval on). Time inside it that was not seen is taken to be
    like what was seen; `worst` says what if it had all failed. `low` and `high` hold the share behind the failures 95
    times in 100 (Wilson's interval of the requests they are worth; those of one day, or hour, fail together).

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> at = pd.date_range("2026-03-01 01:00", periods=240, freq="1h", tz="UTC")
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": at, "covers_s": 3600.0,
    ...                        "good": [9_990.0] * 200 + [9_950.0] * 40, "total": 10_000.0})
    >>> promised = sl.Objective(name="Answers", service="shop", objective=99.9, window="30D")
    >>> found = sl.measure_objectives(counts, objectives=promised)
    >>> found.objectives[["attained", "spent", "burn_day"]].round(3)
       attained  spent  burn_day
    0    99.833  0.556       5.0
    >>> found.statements["verdict"].tolist()
    ['slow down']
    """
    known = tables.checked(indicators)
    instant = known["at"].max() if at is None else _params.instant(at, "at")
    found, unseen = select(known, objectives_of(objectives))
    found = [one.before(instant.value // 1000) for one in found]
    if not any(len(one.end) for one in found):
        raise ParameterError(f"at={at!r}: nothing was counted before; the first interval ends at {known['at'].min()}")
    longest = max(one.objective.period for one in found)
    golden = golden_signals(
        known[known["at"] > instant - longest], alerts=alerts, every=longest, since=instant - longest, until=instant
    )
    return _measured(
        found,
        instant,
        tz=tz,
        min_total=min_total,
        unit="request",
        golden=golden,
        unseen=unseen + golden.attrs["unseen"],
    )


def objectives_from_alerts(
    alerts: pd.DataFrame,
    *,
    objectives: Contributed | Objective | Iterable[Objective] | None = None,
    objective: float = 99.9,
    window: _params.Duration = "30D",
    severity: str = "error",
    since: _params.Instant | None = None,
    at: _params.Instant | None = None,
    tz: str = "UTC",
) -> Reliability:
    """Measure objectives by alert time: a proxy, where nobody counts requests.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with service, starts_at, ends_at and severity.
    objectives : Objective, list of Objective or Contributed, optional
        What is promised; of each only share and window are used. Default: nobody promised anything; `objective` over
        `window` is assumed at every service, and the verdict is "nobody promised".
    objective : float, default 99.9
        Percent of the time without a grave alert.
    window : duration, default "30D"
        Rolling period.
    severity : {"info", "warning", "error", "critical"}, default "error"
        From which severity on an alert makes its time bad; graver counts less. Where no alert states one, every alert
        counts, as where pages are counted; `unseen` says so.
    since : str or Timestamp, optional
        When the history begins. Default: the first alert of any service.
    at : str or Timestamp, optional
        The instant it is about. Default: the last time in the alerts. Up to half of a window after that
        is taken as quiet; where it is more, it is not seen, and nothing is judged.
    tz : str, default "UTC"
        Zone of the days in which trouble comes together, and of times in sentences.

    Returns
    -------
    Reliability
        As `measure_objectives`, in seconds. Bad is the union of the time in which such alerts of a service were open;
        alerts whose end is not known are excluded and counted: `high` is without them, `low` as if each had lasted
        until its rule fired again (or until `at`). `golden` is empty.

    Raises
    ------
    LoadError
        No alert has a time.
    SchemaError
        A column is missing or malformed.
    UnknownNameError
        No objective fits a service of the alerts.

    Notes
    -----
    Alert time is neither what users saw nor as exact: alerts begin late, end late, and fire for what nobody notices.
    A service that never alerts is not there. How sure a share of seconds is they do not tell, so `kept` and `sure` are
    null. Where less than three quarters of the budget are spent without the alerts whose end is not known, and more if
    these lasted, the service is not judged.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "service": ["shop", "shop", "db"], "rule_key": ["a", "b", "c"], "severity": ["error", "critical", "info"],
    ...     "starts_at": pd.to_datetime(["2026-03-01T00:00Z", "2026-03-01T00:30Z", "2026-03-01T00:00Z"]),
    ...     "ends_at": pd.to_datetime(["2026-03-01T01:00Z", "2026-03-01T01:12Z", "2026-03-11T00:00Z"])})
    >>> found = sl.objectives_from_alerts(alerts, objective=99)
    >>> found.objectives[["service", "bad", "attained"]]
      service     bad  attained
    0      db     0.0     100.0
    1    shop  4320.0      99.5
    """
    _params.choice(severity, "severity", schema.SEVERITIES)
    known = schema.check(alerts, schema.ALERTS, need=["service", "starts_at", "ends_at", "severity", "rule_key"])
    if known["starts_at"].notna().sum() == 0:
        raise LoadError("alerts: none has a time, so nothing is known of how long they lasted")
    first = known["starts_at"].min() if since is None else _params.instant(since, "since")
    last = (
        max(known["starts_at"].max(), known["ends_at"].max())
        if known["ends_at"].notna().any()
        else known["starts_at"].max()
    )
    instant = last if at is None else _params.instant(at, "at")
    last = max(last, first)  # since= may lie after the last alert: then nothing is seen
    if not first < instant:
        raise ParameterError(
            f"at={instant} must lie after the first alert ({first}); pass since= if alerts began earlier"
        )
    services = known["service"].dropna().astype("str").unique()
    if objectives is None:
        wanted = [
            Objective(name="Without grave alerts", service=name, objective=objective, window=window)
            for name in sorted(services)
        ]
    else:
        wanted = objectives_of(objectives)
    fits = [any(globbed(name, [one.service]) for name in services) for one in wanted]
    if wanted and not any(fits):
        raise UnknownNameError.among("service", wanted[0].service, services)
    found, notes = counts_of_alerts(known, wanted, severity=severity, since=first, until=instant, last=last)
    notes += [
        f"{one.name}: no alert is of {one.service}, so nothing is known of it"
        for one, fit in zip(wanted, fits, strict=True)
        if not fit
    ]
    if not len(services):
        notes.append("no alert states a service, so there is nothing to judge")
    if instant > last:
        quiet = words.span((instant - last).total_seconds())
        notes.append(f"no alert is known in the last {quiet}: taken as quiet where it is up to half of the window")
    nothing = tables.framed([], SIGNALS)
    notes += [f"nobody promised anything: {objective:g} % is assumed"] if objectives is None else []
    return _measured(
        found, instant, tz=tz, min_total=None, unit="second", golden=nothing, unseen=notes, assumed=objectives is None
    )


def _measured(
    found: Sequence[Counts],
    instant: pd.Timestamp,
    *,
    tz: str,
    min_total: int | None,
    unit: str,
    golden: pd.DataFrame,
    unseen: list[str],
    assumed: bool = False,
) -> Reliability:
    try:
        local = instant.tz_convert(tz)
    except (KeyError, ValueError, TypeError) as error:
        raise ParameterError(f"tz={tz!r} is no time zone; pass a name such as 'Europe/Berlin'") from error
    used = [one for one in found if len(one.end)]
    rows = [attained.row(one, instant, tz=tz, min_total=min_total) for one in used]
    burns = [windows.burns(one, whole, min_total=min_total) for one, whole in zip(used, rows, strict=True)]
    firing = [windows.firing(one, instant, min_total=min_total) for one in used]
    said = []
    for service in dict.fromkeys(one.service for one in used):
        mine = [place for place, one in enumerate(used) if one.service == service]
        said.append(
            statement(service, [rows[p] for p in mine], [fact for p in mine for fact in firing[p]], assumed=assumed)
        )
    notes = [*unseen, *dict.fromkeys(note for one in used for note in one.notes)]
    notes += [
        f"{row['name']}: {row['service']} was seen for {row['seen']:.1%} of the time"
        for row in rows
        if row["seen"] < 0.9995
    ]
    return Reliability(
        objectives=tables.framed(rows, OBJECTIVES),
        burn=tables.framed(list(chain.from_iterable(burns)), BURN),
        statements=tables.framed(ordered(said), STATEMENTS),
        golden=golden,
        over_time=attained.over_time(used, instant),
        at=instant,
        definition=_definition(rows, local, tz, unit, assumed=assumed),
        unseen=notes,
    )


def _definition(rows: list[dict[str, Any]], local: pd.Timestamp, tz: str, unit: str, *, assumed: bool) -> str:
    counted = []
    for one in dict.fromkeys(row["unit"] for row in rows):
        most: dict[str, float] = {}  # of several objectives of a service the largest count: they may count the same
        for row in rows:
            if row["unit"] == one:
                most[row["service"]] = max(row["total"], most.get(row["service"], 0.0))
        counted.append(f"{sum(most.values()):,.0f} {one}s of {words.count(len(most), 'service')}")
    judged = sum(row["judged"] for row in rows)
    proxy = unit == "second"
    what = "time without an open grave alert / all time (a proxy)" if proxy else "good / all that was counted"
    between = (
        "in brackets with, and without, alerts whose end is not known"
        if proxy
        else "in brackets the share behind it, 95 %, failures of a day (or hour) coming together"
    )
    return (
        f"attained = {what} in the rolling window up to {local:%Y-%m-%d %H:%M} {tz}, {between}; error budget = 1 - "
        f"objective, burn rate = error ratio / error budget, spent = burn rate x counted time / window; "
        f"n = {' and '.join(counted) or 0}; {judged} of {words.count(len(rows), 'objective')} judged; "
        f"excluded: what was not seen. {f'{ASSUMED}: no verdict follows' if assumed else POLICY}"
    )
