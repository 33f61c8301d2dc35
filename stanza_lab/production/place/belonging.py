"""What else is probably yours: how likely each other service belongs with some that are, and why.

Links into what is yours (which alerts that fire together make), the same repository, team and hosts are weighed as
additions to the log odds. Incidents in common, and how sure the surest link is, were tried beside the share of all its
links that go to what is yours, and told nothing more.
`python -m benchmarks.onboarding fit` fits the weights on simulated productions; it is measured on others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.production.contents import MapContents

COLUMNS = ("service", "team", "probability", "reasons", "words")
WEIGHTS = {
    "start": -2.11,
    "many": 0.38,  # log of how many are picked per service that is not: of few others more are theirs
    "share": 11.49,  # of at most 0.3
    "repository": 1.98,
    "same_team": 3.49,
    "other_team": -2.51,
}
_HOST = 1.0  # stated, not fitted: no simulated services share a host
_UNSEEN = 0.5  # strength of links that nobody saw: that the only, faint link of a service is to ours proves little
_MOST_SHARE = 0.3  # more was hardly ever simulated: it counts as this
_COMMON = 20  # services: a repository or host of more is nobody's
LIKELY = 0.5  # from here on it is called probable
_SHOWN = 0.1  # what is less likely is no proposal
_TOLD, _TOLD_SHARE = 0.3, 0.1  # strength of a link, share of links: worth a word


def proposals(
    production: MapContents, mine: Collection[str], *, known: pd.DataFrame, without: Collection[str]
) -> pd.DataFrame:
    """Return what else is probably of somebody with the services `mine`, the likeliest first.

    `known` are the `picking.choices`; services of `without` are not proposed.
    """
    table = features(production, mine, known=known)
    table = table[~table.index.isin(list(without))]
    chance = probability(table, WEIGHTS)
    table = table.assign(probability=chance)[chance >= _SHOWN]
    table = table.reset_index().sort_values(["probability", "service"], ascending=[False, True], ignore_index=True)
    reasons = [_reasons(row) for row in table.to_dict("records")]
    table["reasons"] = pd.Series(reasons, index=table.index, dtype=object)
    told = zip(table["service"], table["probability"], table["reasons"], strict=True)
    table["words"] = [
        f"{name} {'is probably' if sure >= LIKELY else 'may be'} yours: {words.probability(sure)}; {'; '.join(why)}"
        for name, sure, why in told
    ]
    return table[list(COLUMNS)].astype({"service": "str", "team": "str", "words": "str"})


def probability(table: pd.DataFrame, weights: Mapping[str, float]) -> pd.Series:
    """Return how likely each row of `features` belongs, from weights of their columns."""
    odds = weights["start"] + _HOST * table["shares_host"].astype("float64")
    for name, weight in weights.items():
        if name != "start":
            odds = odds + weight * table[name].astype("float64")
    return pd.Series(1 / (1 + np.exp(-odds.to_numpy())), table.index)


def features(production: MapContents, mine: Collection[str], *, known: pd.DataFrame) -> pd.DataFrame:
    """Return what speaks for and against each service that is not among `mine`, a row per service."""
    services = production.services.set_index("service")
    ours = services.index[services.index.isin(list(mine))].tolist()
    table = services.drop(index=ours)[["team"]]
    table["many"] = np.log(max(len(ours), 1) / max(len(table), 1))
    table = table.join(_linked(production.links, set(ours), table.index)).join(_teams(table, services, ours))
    for kind, column in (("repository", "repository"), ("host", "shares_host")):
        shared = _shared(known[known["kind"] == kind], set(mine))
        table[f"{kind}_name"] = pd.Series(shared, dtype=object).reindex(table.index)
        table[column] = table[f"{kind}_name"].notna()
    return table


def _linked(links: pd.DataFrame, ours: set[str], others: pd.Index) -> pd.DataFrame:
    """Return the surest link of each other service into `ours`, and the share of its links that go there."""
    columns = ["end", "strength", "provenance", "support", "lift"]
    out = links.rename(columns={"src": "service", "dst": "end"})
    both = pd.concat([out, links.rename(columns={"dst": "service", "src": "end"})])[["service", *columns]]
    inward = both[both["end"].isin(ours)].sort_values(["strength", "end"], ascending=[False, True], kind="stable")
    surest = inward.drop_duplicates("service").set_index("service").reindex(others)
    inside, all_of_it = (
        rows.groupby("service")["strength"].sum().reindex(others).fillna(0.0) for rows in (inward, both)
    )
    share = (inside / (all_of_it + _UNSEEN)).clip(upper=_MOST_SHARE)
    found = surest.rename(columns={"end": "linked_to", "strength": "link"})
    known = {name: found[name].fillna(0.0) for name in ("link", "support")}
    return found.assign(**known, share=share, of_links=(inside / all_of_it).fillna(0.0))


def _teams(table: pd.DataFrame, services: pd.DataFrame, ours: Collection[str]) -> pd.DataFrame:
    """Return which other services are of a team that at least half of ours are of, and which are of another.

    Half of those whose team is known: `of_most` tells where it is more than half of all.
    """
    counts = services.loc[list(ours), "team"].dropna().value_counts()
    usual = set(counts.index[counts >= 0.5 * counts.sum()])
    same = table["team"].isin(usual) & table["team"].notna()
    most = table["team"].isin(counts.index[counts > 0.5 * len(ours)])
    other = table["team"].notna() & ~same & bool(usual)
    return pd.DataFrame({"same_team": same, "other_team": other, "of_most": most})


def _shared(rows: pd.DataFrame, mine: set[str]) -> dict[str, str]:
    """Return service -> a repository or host that it shares with ours; one of many services is nobody's."""
    found: dict[str, str] = {}
    for name, services in zip(rows["name"], rows["services"], strict=True):
        if len(services) <= _COMMON and not mine.isdisjoint(services):
            found |= {service: str(name) for service in services if service not in mine and service not in found}
    return found


def _reasons(row: Mapping[Any, Any]) -> list[str]:
    """Return what speaks for a service, the most telling first, then what speaks against it."""
    found = []
    if row["same_team"]:
        whose = "most of yours" if row["of_most"] else "half or more of yours whose team is known"
        found.append(f"it is of team {row['team']}, as {whose}")
    if row["repository"]:
        found.append(f"its code is in {row['repository_name']}, as of yours")
    if row["link"] >= _TOLD:
        share = f"{100 * row['of_links']:.0f} % of its links are to yours"
        found.append(f"{_link(row)}; {share}" if row["of_links"] >= _TOLD_SHARE else _link(row))
    if row["shares_host"]:
        found.append(f"it alerts on {row['host_name']}, as yours do")
    if row["other_team"]:
        found.append(f"but it is of team {row['team']}")
    return found or ["nothing speaks for it but that it is on the map"]


def _link(row: Mapping[Any, Any]) -> str:
    sure = words.seen(row["provenance"]) or words.probability(row["link"])
    if not row["support"]:
        return f"linked with {row['linked_to']} ({sure})"
    times = "once" if row["support"] == 1 else f"{row['support']:,.0f} times"
    lift = f", {row['lift']:.1f} times as often as chance" if pd.notna(row["lift"]) else ""
    return f"linked with {row['linked_to']} ({sure}; their alerts fired together {times}{lift})"
