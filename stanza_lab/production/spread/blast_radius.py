"""Who is hit if a service fails or changes: how likely, how much later, and which alerts would fire.

What links say and what history shows are put together. Links: the map is drawn many times, each link there or not as
likely as it is; where it is, trouble travels it with probability `causes.TRAVELS` and is noticed with `causes.SHOWS`,
less at services that rarely alert. History: around each firing of the service it is weighed whether the service itself
was behind it, or something it depends on, or nothing (`causes`); those of its own count how often the others followed,
less what they do by chance. Both meet in a beta distribution in which the links are worth `WORTH` failures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtr

from stanza_lab.production import words
from stanza_lab.production.spread import causes, followers
from stanza_lab.production.spread.firings import Firings
from stanza_lab.production.spread.reach import Arcs

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from stanza_lab.production.contents import MapContents

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

COLUMNS: dict[str, Any] = {
    "service": "str",
    "team": "str",
    "hops": "Int64",
    "depends": "float64",
    "hit": "float64",
    "low": "float64",
    "high": "float64",
    "followed": "int64",
    "firings": "int64",
    "lag_s": "float64",
    "lag_low_s": "float64",
    "lag_high_s": "float64",
    "alerts": object,
    "via": object,
    "basis": "str",
    "words": "str",
}
WORTH = 8.0  # failures that what the links say is worth: history outweighs it from there on
LEAST = 0.05  # probability from which a service is listed
FAINT = 0.01  # below it links say nothing of a service
MANY = 3  # firings in which a service must have followed for its delay to be known
_NOTICED_S = 90.0  # until a monitor notices
_SPREAD = 1.0  # of the logarithm of delays


def blast_radius(
    production: MapContents, service: str, *, hops: int, window: pd.Timedelta, min_confidence: float
) -> pd.DataFrame:
    """Return the table that `ProductionMap.blast_radius` documents."""
    table, pairs = production.services, production.links
    names = pd.Index(table["service"])
    start = int(names.get_loc(service))
    arcs = Arcs.of(pairs[pairs["strength"] >= min_confidence], names)
    trouble, notice = arcs.thinned(causes.TRAVELS), causes.noticed(table["alerts"].to_numpy("float64"))
    depends = arcs.spread(start, hops=hops)
    ways = arcs.ways(start, hops=hops)
    lags = np.array([arcs.lag_s[way].sum() if way else np.nan for way in ways])
    said = trouble.spread(start, hops=hops) * notice * _in_time(lags, window.total_seconds())
    alerts, seen = production.alerts, None
    if alerts is not None:
        behind = causes.Causes.of(start, trouble, notice, hops=hops)
        seen = followers.Followers.of(Firings.of(alerts, names), start, behind, window=window)
    history = followers.Followers.none(len(names)) if seen is None else seen
    hit = _together(said, history)
    shown = np.flatnonzero((np.maximum(hit.mean, depends) >= LEAST) & (np.arange(len(names)) != start))
    shown = shown[np.lexsort((names[shown], -depends[shown], -hit.mean[shown]))]
    usual = np.where(
        history.followed >= MANY, history.lag_s, [np.full(len(names), np.nan), lags, np.full(len(names), np.nan)]
    )
    raised, paths = history.alerts(shown), [ways[one] for one in shown]
    basis = np.where(said[shown] >= FAINT, "both", "history") if history.failures >= 1 else "edges"
    found = pd.DataFrame(
        {
            "service": names[shown],
            "team": table["team"].to_numpy()[shown],
            "hops": pd.array([len(path) or None for path in paths], dtype="Int64"),
            "depends": depends[shown],
            "hit": hit.mean[shown],
            "low": hit.low[shown],
            "high": hit.high[shown],
            "followed": history.followed[shown],
            "firings": history.firings,
            "lag_s": usual[1, shown],
            "lag_low_s": usual[0, shown],
            "lag_high_s": usual[2, shown],
            "alerts": pd.Series([raised[int(one)] for one in shown], dtype=object),
            "via": pd.Series([[service, *names[arcs.src[path]]] if path else [] for path in paths], dtype=object),
            "basis": basis,
        }
    )
    never = table["alerts"].to_numpy()[shown] == 0
    unseen = found.loc[never, "service"].tolist() if seen is not None else []
    span = window.total_seconds()
    found["words"] = [_words(row, service, span, never=row["service"] in unseen) for row in found.to_dict("records")]
    found = found[list(COLUMNS)].astype(COLUMNS)
    found.attrs = {"service": service, "unseen": unseen, "words": _summary(found, unseen, seen, span)}
    return found


@dataclass(frozen=True)
class _Hit:
    """How likely each service alerts, with an interval that holds the truth nine times in ten."""

    mean: Floats
    low: Floats
    high: Floats


def _in_time(lags: Floats, window_s: float) -> Floats:
    """Return how likely an alert that takes `lags` seconds and the time to notice comes within the window."""
    usual = np.nan_to_num(np.abs(lags)) + _NOTICED_S
    return np.asarray(ndtr(np.log(window_s / usual) / _SPREAD), dtype=np.float64)


def _together(said: Floats, seen: followers.Followers) -> _Hit:
    """Return the beta distribution of what links say (`WORTH` failures) and history shows."""
    prior = np.clip(said, 1e-4, 0.99)
    by_chance = seen.failures * seen.chance
    luck = np.where(said < FAINT, 2 * np.sqrt(by_chance * (1 - seen.chance)), 0.0)  # without a link it takes more
    more = np.clip(seen.weight - by_chance - luck, 0.0, None)
    yes = WORTH * prior + more
    no = WORTH * (1 - prior) + np.maximum(seen.failures * (1 - seen.chance) - more, 0.0)
    low, high = betaincinv(yes, no, 0.05), betaincinv(yes, no, 0.95)
    return _Hit(yes / (yes + no), low, high)


def _words(row: dict[Hashable, Any], service: str, window_s: float, *, never: bool) -> str:
    """Return one sentence on one service that could be hit."""
    name, firings = row["service"], row["firings"]
    hit, low, high = (words.probability(row[column]) for column in ("hit", "low", "high"))
    said = [f"{name} alerts within {words.span(window_s)} of a failure of {service}: {hit} ({low} to {high})"]
    if never:
        said = [f"{name} never alerts: if {service} fails and hits it, nobody sees it there"]
    late = row["lag_s"]
    if pd.notna(late) and row["followed"] >= MANY:
        way = "later" if late > 0 else "earlier"
        said.append(f"usually {'at the same moment' if abs(late) < 1 else f'{words.span(late)} {way}'}")
    if row["via"]:
        through = row["via"][1:-1]
        by = f", likeliest through {words.listing(through)}" if through else ""
        said.append(f"depends on it: {words.probability(row['depends'])}{by}")
    else:
        said.append("no link leads there, they only fire together")
    if firings:
        said.append(f"fired around {row['followed']} of {words.count(firings, 'firing')} of {service}")
    else:
        said.append("from the links alone")
    if row["alerts"]:
        said.append(f"likely alerts: {words.listing(row['alerts'])}")
    return "; ".join(said)


def _summary(found: pd.DataFrame, unseen: list[str], seen: followers.Followers | None, window_s: float) -> list[str]:
    """Say what the table comes to, what it is known from, and what could not be seen."""
    likely, teams = int((found["hit"] >= 0.5).sum()), found["team"].dropna().nunique()
    size = words.count(len(found), "service") + (f" of {words.count(teams, 'team')}" if teams else "")
    expected = f"about {found['hit'].sum():.0f} would alert within {words.span(window_s)}"
    said = [f"{size} could be hit, {likely} likelier than not; {expected}"]
    if seen is None:
        return [*said, "no alerts were given: all this comes from the links alone; pass alerts= to the map for history"]
    if seen.firings:
        own = f"about {seen.failures:.0f} of these look like its own failure"
        rest = "the others like a false alert or trouble further down"
        said.append(f"the service began to fire {words.count(seen.firings, 'time')}; {own}, {rest}")
    else:
        said.append("the service never fired: what its failure does comes from the links alone")
    if unseen:
        said.append(f"{words.listing(unseen)}: no alert was ever seen there, they may be hit unseen")
    return said
