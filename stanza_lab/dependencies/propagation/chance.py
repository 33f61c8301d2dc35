"""How often the caller's kind would have fired in the same window anyway, told in three ways."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.dependencies.propagation.episodes import (
    DAY_MS,
    DAYS,
    FAR,
    NEAR,
    Episodes,
    in_chunks,
    pairs_of_series,
)

_SAMPLED = 1_500_000  # questions; beyond, only every so-and-so-many-th firing of a series is asked about
WAYS = ("flank", "day", "unlinked")


def expect(episodes: Episodes, links: pd.DataFrame, *, cell: list[str]) -> pd.DataFrame:
    """Estimate the share of windows with a firing of the caller's kind if calls passed nothing on.

    `flank`: in the hours before and after, so that a noisy week counts as noisy. `day`: at the same time of other days,
    so that two nightly jobs explain each other. `unlinked`: at the same time on nodes without a link to the callee, so
    that a storm that hits everything is not taken for propagation.

    Returns
    -------
    DataFrame
        One row per cell, sorted by the columns of `cell`, as `count_following`; for each way weighted `_hits` and
        `_windows` (0 where nothing can be told).
    """
    pairs = pairs_of_series(episodes, links)
    related = _related(links)
    step = 1 + int(pairs_of_series(episodes, related)["count"].sum()) // _SAMPLED
    local = _nearby(episodes, pairs, step)
    elsewhere = _elsewhere(episodes, pairs_of_series(episodes, related), pairs, step)
    told = pairs.merge(elsewhere, on=["a", "caller_kind"], how="left")
    share = (told["weight"] * told["count"]).to_numpy()
    known = told["unlinked"].notna().to_numpy()
    columns = {name: local[name] * share for name in local.columns}
    columns["unlinked_hits"] = told["unlinked"].fillna(0.0).to_numpy() * share
    columns["unlinked_windows"] = known * share
    told = told[cell].assign(**{name: np.asarray(values) for name, values in columns.items()})
    return told.groupby(cell).sum().reset_index(drop=True)


def _related(links: pd.DataFrame) -> pd.DataFrame:
    """Return callee, caller of every link in both directions, and of every node with itself."""
    ends = links[["callee", "caller"]]
    back = ends.set_axis(["caller", "callee"], axis=1)
    nodes = np.unique(ends.to_numpy())
    return pd.concat([ends, back, pd.DataFrame({"callee": nodes, "caller": nodes})]).drop_duplicates(ignore_index=True)


def _nearby(episodes: Episodes, pairs: pd.DataFrame, step: int) -> pd.DataFrame:
    """Count the caller's firings and the windows that were seen, in flanks and on other days; per firing asked."""
    searched = episodes.searched_by(np.arange(len(episodes.series)))
    width, end = episodes.within, episodes.span
    parts = [pd.DataFrame(columns=["flank_hits", "flank_windows", "day_hits", "day_windows"], dtype="float64")]
    for part, pair, row in in_chunks(pairs, step=step):
        at, b = episodes.times[row], part["b"].to_numpy()[pair]
        told = {name: np.zeros(len(part)) for name in parts[0].columns}
        asked = np.bincount(pair, minlength=len(part))
        for low, high in ((-FAR, -NEAR), (NEAR, FAR)):
            seen = np.clip(at + high * width, 0, end) - np.clip(at + low * width, 0, end)
            hits = searched.count(b, at + low * width, at + high * width)
            told["flank_hits"] += np.bincount(pair, weights=hits, minlength=len(part))
            told["flank_windows"] += np.bincount(pair, weights=seen / width, minlength=len(part))
        for day in DAYS:
            then = at + day * DAY_MS
            inside = (then >= 0) & (then + width <= end)
            hits = searched.count(b, then, then + width + 1)
            told["day_hits"] += np.bincount(pair, weights=hits * inside, minlength=len(part))
            told["day_windows"] += np.bincount(pair, weights=inside, minlength=len(part))
        parts.append(pd.DataFrame(told).div(asked, axis=0))
    return pd.concat(parts, ignore_index=True)


def _elsewhere(episodes: Episodes, related: pd.DataFrame, pairs: pd.DataFrame, step: int) -> pd.DataFrame:
    """Return a, caller_kind and `unlinked`: the share of unlinked nodes with that kind that fire it in the window."""
    series, within = episodes.series, episodes.within
    own = episodes.searched_by(np.arange(len(series)))
    hits: list[np.ndarray] = [np.zeros(0)]
    for part, pair, row in in_chunks(related, step=step):
        b, at = part["b"].to_numpy()[pair], episodes.times[row]
        hits.append(np.bincount(pair, weights=own.gaps(b, at)[0] <= within, minlength=len(part)))
    inside = related[["a", "caller_kind"]].assign(near=np.concatenate(hits), near_nodes=1)
    inside = inside.groupby(["a", "caller_kind"]).sum().reset_index()

    wanted = pairs[["a", "caller_kind", "first", "count"]].drop_duplicates(["a", "caller_kind"], ignore_index=True)
    anywhere = episodes.searched_by(series["kind"].to_numpy())
    everywhere: list[np.ndarray] = [np.zeros(0)]
    for part, pair, row in in_chunks(wanted, step=step):
        kind, at = part["caller_kind"].to_numpy()[pair], episodes.times[row]
        everywhere.append(np.bincount(pair, weights=anywhere.count(kind, at, at + within + 1), minlength=len(part)))
    nodes = series.groupby("kind").size()
    told = wanted.assign(all=np.concatenate(everywhere), nodes=wanted["caller_kind"].map(nodes).to_numpy())
    told = told.merge(inside, on=["a", "caller_kind"], how="left")
    asked = -(-told["count"] // step)
    others = (told["nodes"] - told["near_nodes"]).to_numpy()
    rate = (told["all"] - told["near"]).to_numpy() / (asked.to_numpy() * np.maximum(others, 1))
    return told[["a", "caller_kind"]].assign(unlinked=np.where(others > 0, rate, np.nan))
