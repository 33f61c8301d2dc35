"""Pages per shift: every shift of a rotation that the history covers, also the quiet ones."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError
from stanza_lab.production import hours

SHIFTS: dict[str, Any] = {
    "rotation": "str",
    "team": "str",
    "starts_at": schema.TIME_DTYPE,
    "local": "datetime64[us]",  # the same on the wall of `tz`
    "tz": "str",
    "pages": "int64",
    "incidents": "int64",
    "limit": "float64",
    "over": "bool",
    "whole": "bool",  # the history covers all of it
}
LIMIT, LIMIT_FOR = 2, pd.Timedelta("12h")  # paging incidents in a shift: SRE book
NOT_KNOWN = "not known"
_DAY, _SHORTEST = pd.Timedelta("1D"), pd.Timedelta("1h")
_MONDAY = pd.Timestamp("1970-01-05")


def length(shift: _params.Duration) -> pd.Timedelta:
    """Return the length of a shift: one that fits into a day so many times, or is some days."""
    given = _params.duration(shift, "shift")
    if given < _SHORTEST:
        raise ParameterError(f"shift={shift!r} is no time to hand over after; pass an hour or more, such as '12h'")
    if _DAY % given != pd.Timedelta(0) and given % _DAY != pd.Timedelta(0):
        raise ParameterError(f"shift={shift!r} would begin at another hour each day; pass '8h', '12h', '1D' or '7D'")
    return given


def handover_at(handover: str) -> pd.Timedelta:
    """Return the time of day at which shifts change."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", handover) if isinstance(handover, str) else None
    if found is None:
        raise ParameterError(f"handover={handover!r} is no time of day; pass '08:00' or '9:30'")
    return pd.Timedelta(hours=int(found[1]), minutes=int(found[2]))


def table(
    pages: pd.DataFrame,
    *,
    span: tuple[pd.Timestamp, pd.Timestamp],
    shift: pd.Timedelta,
    handover: pd.Timedelta,
    zones: dict[Any, str],
) -> pd.DataFrame:
    """Return `SHIFTS`, by rotation and time.

    Parameters
    ----------
    pages : DataFrame
        at, rotation, team, incident.
    span : (Timestamp, Timestamp)
        First and last time of the history.
    shift, handover : Timedelta
        How long a shift is, and at which time of day they change; shifts of weeks change on Monday.
    zones : dict
        Time zone by rotation or team; under None that of all others.
    """
    own = pages.assign(rotation=pages["rotation"].fillna(NOT_KNOWN), team=pages["team"].fillna(NOT_KNOWN))
    teams = own.groupby(["rotation", "team"]).size().rename("n").reset_index().sort_values(["n", "team"])
    team = teams.drop_duplicates("rotation", keep="last").set_index("rotation")["team"].sort_index()
    tz = pd.Series([zones.get(name, zones.get(of, zones[None])) for name, of in team.items()], index=team.index)
    found = [
        _counted(own[own["rotation"].isin(names.index)], team[names.index], str(zone), span, shift, handover)
        for zone, names in tz.groupby(tz)
    ]
    if not found:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in SHIFTS.items()})
    table = pd.concat(found, ignore_index=True)[list(SHIFTS)].astype(SHIFTS)
    return table.sort_values(["rotation", "starts_at"], kind="stable", ignore_index=True)


def _counted(
    pages: pd.DataFrame,
    team: pd.Series,
    tz: str,
    span: tuple[pd.Timestamp, pd.Timestamp],
    shift: pd.Timedelta,
    handover: pd.Timedelta,
) -> pd.DataFrame:
    """Return the shifts of the rotations that live in one zone; `team` is that of each."""
    first, last = _number(pd.Series(span), tz, shift, handover)
    of = pd.DataFrame(
        {
            "shift": _number(pages["at"], tz, shift, handover),
            "rotation": pages["rotation"],
            "incident": pages["incident"],
        }
    )
    groups = of.groupby(["rotation", "shift"])
    counts = pd.DataFrame({"pages": groups.size(), "incidents": groups["incident"].nunique()})
    every = pd.MultiIndex.from_product([team.index, range(int(first), int(last) + 1)], names=["rotation", "shift"])
    counts = counts.reindex(every, fill_value=0).reset_index()
    began = pd.DatetimeIndex(_MONDAY + handover + np.arange(int(first), int(last) + 2) * shift).as_unit("us")
    instants, place = _utc(began, tz), counts["shift"].to_numpy(dtype="int64") - int(first)
    allowed = LIMIT * (shift / LIMIT_FOR)
    return counts.assign(
        team=counts["rotation"].map(team),
        starts_at=instants[place],
        local=began[place],
        tz=tz,
        limit=allowed,
        over=counts["incidents"] > allowed,
        whole=(instants[place] >= span[0]) & (instants[place + 1] <= span[1]),
    )


def _number(times: pd.Series, tz: str, shift: pd.Timedelta, handover: pd.Timedelta) -> pd.Series:
    """Return the number of the shift in which each time lies, counted from a Monday long ago."""
    return (hours.local(times, tz) - handover - _MONDAY) // shift


def _utc(local: pd.DatetimeIndex, tz: str) -> pd.DatetimeIndex:
    """Return the instant of each time on the wall; one that the clock skips is the next there is."""
    first = np.ones(len(local), dtype=bool)
    return local.tz_localize(tz, nonexistent="shift_forward", ambiguous=first).tz_convert("UTC").as_unit("us")
