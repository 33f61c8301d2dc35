"""From members and occurrences to the tables people read: patterns, steps, when each happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.patterns.found import OCCURRENCES, PATTERNS, STEPS
from stanza_lab.patterns.mining import naming

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.patterns.mining.chance import Odds
    from stanza_lab.patterns.mining.members import Member
    from stanza_lab.patterns.mining.sequences import Sequences

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_LOW, _HIGH = 0.1, 0.9
_NAMED = ("service", "what", "kind")
_OWN = [name for name in PATTERNS if name not in {"first", "last", "lead_s"}]


@dataclass(frozen=True)
class Described:
    """The tables of all patterns, without their families."""

    table: pd.DataFrame
    steps: pd.DataFrame
    occurrences: pd.DataFrame


def describe(found: list[Member], odds: Odds, sequences: Sequences, ends: pd.DataFrame) -> Described:
    """Return the tables, the pattern with the most occurrences first; `ends` as of `endings`."""
    bounds = np.searchsorted(sequences.incident, np.arange(sequences.n_incidents + 1))
    starters = sequences.kind[bounds[:-1]] if len(sequences.kind) else np.zeros(0, np.int64)
    kinds = {name: sequences.kinds[name].to_numpy(object) for name in ("kind", "service", "what")}
    parts = [_steps(one, sequences, bounds) for one in found]
    names = [naming.pattern_id(kinds["kind"][one.core].tolist()) for one in found]
    order = sorted(range(len(found)), key=lambda i: (-len(found[i].incidents), odds.q_value[i], names[i]))
    rows = []
    for i in order:
        one, steps = found[i], parts[i]
        core = steps.member[steps.core].tolist()
        began = starters == core[0]
        rows.append(
            {
                "pattern": names[i],
                "family": "",
                "name": naming.pattern_name([naming.step_name(*(kinds[of][k] for of in _NAMED)) for k in core]),
                "support": len(one.incidents),
                "expected": odds.expected[i],
                "confidence": began[one.incidents].sum() / began.sum() if began.any() else np.nan,
                "p_value": odds.p_value[i],
                "q_value": odds.q_value[i],
                "services": list(dict.fromkeys(s for s in kinds["service"][steps.member] if isinstance(s, str))),
            }
        )
    happened = _occurrences([found[i] for i in order], [parts[i] for i in order], sequences, ends)
    happened.insert(0, "pattern", np.repeat([names[i] for i in order], [len(found[i].incidents) for i in order]))
    occurrences = typed(happened, OCCURRENCES)
    times = occurrences.groupby("pattern", sort=False).agg(
        first=("starts_at", "min"), last=("starts_at", "max"), lead_s=("lead_s", "median")
    )
    return Described(
        table=typed(pd.DataFrame(rows, columns=_OWN).join(times, on="pattern"), PATTERNS),
        steps=_step_table([parts[i] for i in order], [names[i] for i in order], kinds),
        occurrences=occurrences,
    )


def typed(rows: list[dict[str, Any]] | pd.DataFrame, columns: dict[str, Any]) -> pd.DataFrame:
    """Return rows as a table of the columns and dtypes of `found`."""
    return pd.DataFrame(rows, columns=list(columns)).astype(columns).reset_index(drop=True)


@dataclass(frozen=True)
class _Steps:
    """The members of a pattern in their usual order, and when each occurrence began (its first member, in seconds)."""

    began: Floats
    member: Ints
    core: NDArray[np.bool_]
    count: Ints
    share: Floats
    after: Floats  # columns: low, median, high


def _steps(one: Member, sequences: Sequences, bounds: Ints) -> _Steps:
    members = one.members
    at = np.full((len(one.incidents), len(members)), np.nan)
    for row, incident in enumerate(one.incidents.tolist()):
        low, high = bounds[incident], bounds[incident + 1]
        kinds, times = sequences.kind[low:high], sequences.first_at[low:high]
        order = np.argsort(kinds)
        place = np.minimum(np.searchsorted(kinds[order], members), len(kinds) - 1)
        there = kinds[order][place] == members
        at[row, there] = times[order][place][there]
    began = np.nanmin(at, axis=1)
    after = at - began[:, None]
    told = np.nanquantile(after, (_LOW, 0.5, _HIGH), axis=0).T
    order = np.lexsort((members, np.nanmean(after, axis=0), told[:, 1]))
    count = (~np.isnan(at)).sum(axis=0)[order]
    core = (np.arange(len(members)) < len(one.core))[order]
    return _Steps(began, members[order], core, count, count / len(at), told[order])


def _step_table(parts: list[_Steps], names: list[str], kinds: dict[str, NDArray[np.object_]]) -> pd.DataFrame:
    if not parts:
        return typed([], STEPS)
    sizes = [len(part.member) for part in parts]
    member, after = np.concatenate([part.member for part in parts]), np.concatenate([part.after for part in parts])
    columns = {
        "pattern": np.repeat(names, sizes),
        "position": np.concatenate([np.arange(size) for size in sizes]),
        **{name: values[member] for name, values in kinds.items()},
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in ("core", "count", "share")},
        **dict(zip(("low_s", "after_s", "high_s"), after.T, strict=True)),
    }
    return typed(pd.DataFrame(columns), STEPS)


def _occurrences(found: list[Member], parts: list[_Steps], sequences: Sequences, ends: pd.DataFrame) -> pd.DataFrame:
    """Return a row per occurrence, by pattern and time: when it began, when somebody was paged, how it ended."""
    none = [np.zeros(0)]
    rows = np.concatenate([*(one.incidents for one in found), *none]).astype(np.int64)
    began = np.concatenate([*(part.began for part in parts), *none])
    starts = pd.Series(pd.to_datetime(np.round(began * 1e6).astype("int64"), unit="us", utc=True))
    told = ends.loc[sequences.incidents[rows]].reset_index()
    table = pd.DataFrame(
        {
            "incident_id": told["incident_id"],
            "starts_at": starts.astype(schema.TIME_DTYPE),
            "ends_at": told["ends_at"],
            "half_at": told["half_at"],
            "page_at": told["page_at"],
            "lead_s": (told["page_at"] - starts).dt.total_seconds(),
            "match": np.concatenate([*(one.match for one in found), *none]),
            "ended": told["ended"],
        }
    )
    of = np.repeat(np.arange(len(found)), [len(one.incidents) for one in found])
    return table.iloc[np.lexsort((table["incident_id"], began, of))].reset_index(drop=True)
