"""What the firings of each reaction come to, or how many are missing to say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.patterns.reactions.backtested import REACTIONS
from stanza_lab.patterns.reactions.vocabulary import ACTIONS
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.catalogue import Reactions
    from stanza_lab.patterns.reactions.reaction import Reaction

_WRONG = {  # what a false trigger is: that somebody was paged does not say that the action would be right
    "pattern": ("more often wrong than right", "not sure: could be wrong as often as right"),
    "when": ("more often nobody is paged", "not sure: half may be without a page"),
}
_COIN = 0.5  # false as often as a coin: from there on nobody should act on it


def reactions(
    catalogue: Reactions,
    firings: pd.DataFrame,
    looked: Sequence[int],
    *,
    patterns: Patterns | None,
    effect: pd.Timedelta | None,
    min_support: int,
) -> pd.DataFrame:
    """Return a row per reaction, columns `REACTIONS`."""
    rows = []
    for one, cases in zip(catalogue.items, looked, strict=True):
        mine = firings[(firings["reaction"] == one.name) & (firings["team"] == one.team)]
        soonest = one.effect[0] if one.effect else effect if ACTIONS[one.action].ends_trouble else None
        row = _counts(one, mine, cases, soonest)
        row |= _measures(mine[mine["blocked_by"].isna()], min_support)
        row["verdict"] = _untried(one, patterns) or _verdict(row, min_support)
        rows.append(row | {"words": _words(row, min_support)})
    return pd.DataFrame(rows, columns=list(REACTIONS)).astype(REACTIONS)


def _counts(one: Reaction, mine: pd.DataFrame, looked: int, soonest: pd.Timedelta | None) -> dict[str, Any]:
    fired = mine[mine["blocked_by"].isna()]
    touched = fired["n_touched"].dropna()
    return {
        "reaction": one.name,
        "team": one.team,
        "action": one.action,
        "bound_to": one.bound,
        "looked_at": looked,
        "triggers": len(mine),
        "blocked": len(mine) - len(fired),
        "fired": len(fired),
        "right": int(fired["right"].sum()),
        "false": int((~fired["right"]).sum()),
        "before_page": int((fired["lead_to_page_s"] > 0).sum()),
        "page_n": int(fired["lead_to_page_s"].notna().sum()),
        "recovery_n": int(fired["lead_to_recovery_s"].notna().sum()),
        "touched_most": int(touched.max()) if len(touched) else None,
        "effect_s": None if soonest is None else soonest.total_seconds(),
        "saved_n": int(fired["saved_high_s"].notna().sum()),
    }


def _measures(fired: pd.DataFrame, min_support: int) -> dict[str, float]:
    """Return shares, leads and savings, null under `min_support` firings; a lead also where fewer of them have one.

    What could be saved is a sum, not an estimate: it is over those firings for which it is known, `saved_n`.
    """
    from stanza_lab.dependencies.judging import wilson

    unknown = float("nan")
    found = dict.fromkeys(
        ("false_share", "false_low", "false_high", "page_lead_s", "recovery_lead_s", "saved_low_min", "saved_high_min",
         "budget_low", "budget_high"), unknown,
    )  # fmt: skip
    if len(fired) < min_support:
        return found
    share = float((~fired["right"]).mean())
    low, high = wilson(np.array([share]), np.array([float(len(fired))]))
    found |= {"false_share": share, "false_low": float(low[0]), "false_high": float(high[0])}
    for name, column in (("page_lead_s", "lead_to_page_s"), ("recovery_lead_s", "lead_to_recovery_s")):
        known = fired[column].dropna()
        found[name] = float(known.median()) if len(known) >= min_support else unknown
    saved, budget = fired["saved_high_s"].dropna(), fired["budget_high"].dropna()
    if len(saved):
        found |= {"saved_low_min": 0.0, "saved_high_min": float(saved.sum()) / 60}
    if len(budget):
        found |= {"budget_low": 0.0, "budget_high": float(budget.sum())}
    return found


def _untried(one: Reaction, patterns: Patterns | None) -> str:
    if not one.pattern:
        return ""
    if patterns is None:
        return "not tried: no patterns were given"
    return "" if one.patterns_in(patterns) else f"not tried: no pattern like {', '.join(one.pattern)} was mined"


def _verdict(row: dict[str, Any], min_support: int) -> str:
    """Return what the firings say; the rule: too few, mostly false, too late, not sure, else worth a dry run."""
    if row["fired"] < min_support:
        return f"needs {words.count(min_support, 'firing')}, has {row['fired']}"
    more, even = _WRONG[row["bound_to"]]
    if row["false_low"] > _COIN:
        return more
    if row["effect_s"] is not None and row["recovery_lead_s"] <= row["effect_s"]:
        return "too late: half of the incidents are over before it helps"
    return "worth a dry run" if row["false_high"] < _COIN else even


def _words(row: dict[str, Any], min_support: int) -> str:
    said = [f"{row['reaction']} ({row['team']}): {row['verdict']}"]
    if row["verdict"].startswith("not tried"):
        return said[0]
    if not row["triggers"]:
        return f"{said[0]}; it never fired in {row['looked_at']:,} incidents and lone alerts"
    blocked = f", and was blocked {words.count(row['blocked'], 'time')}" if row["blocked"] else ""
    said.append(f"would have fired {words.count(row['fired'], 'time')}{blocked}")
    if row["fired"] < min_support:
        return "; ".join(said)
    low, high = (words.probability(row[name]) for name in ("false_low", "false_high"))
    what = "nobody was paged" if row["bound_to"] == "when" else "it did not become the pattern"
    share = words.probability(row["false_share"])
    said.append(f"false ({what}) {row['false']} of {row['fired']}: {share} ({low} to {high})")
    said.append(_lead(row, "page", "before the first page", "after the first page"))
    said.append(_lead(row, "recovery", "before recovery", "after recovery"))
    if not np.isnan(row["saved_high_min"]):
        n, after = words.count(row["saved_n"], "firing"), words.span(row["effect_s"])
        said.append(
            f"saves 0 (no effect) to {row['saved_high_min']:,.0f} min (always helps after {after}) of trouble, {n}"
        )
    if not np.isnan(row["budget_high"]):
        said.append(f"error budget saved: 0 to {row['budget_high']:.2f} of one window's, at most")
    return "; ".join(part for part in said if part)


def _lead(row: dict[str, Any], what: str, before: str, after: str) -> str:
    seconds, n = row[f"{what}_lead_s"], row[f"{what}_n"]
    if np.isnan(seconds):
        return f"how long {before} is known of {words.count(n, 'firing')} only"
    if abs(seconds) < 1:
        return f"at the moment of {before.removeprefix('before ')} (median of {n})"
    return f"{words.span(seconds)} {before if seconds > 0 else after} (median of {n})"
