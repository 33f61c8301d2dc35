"""The front doors in a report: of the services one is most likely to stand before at night."""

from __future__ import annotations

import html
import os
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab.production import Contributed, read_contributed, words

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap, Profile

_NOISIEST, _MOST_LINKED = 4, 4  # services


def doors(
    production: ProductionMap,
    *,
    profile: Profile | None = None,
    contributed: Contributed | str | os.PathLike[str] | None = None,
) -> str:
    """Return the front doors of somebody's services and of the noisiest and most linked ones, folded away."""
    if contributed is not None and not isinstance(contributed, Contributed):
        contributed = read_contributed(contributed)  # once for all doors
    counted = _counted(production)
    noisy = counted[counted["alerts"] > 0].sort_values("alerts", ascending=False, kind="stable").head(_NOISIEST)
    central = counted[counted["links"] > 0].sort_values("links", ascending=False, kind="stable").head(_MOST_LINKED)
    chosen = pd.concat([noisy, central]).drop_duplicates("service")
    folded = []
    if profile is not None and profile.on(production.services["service"]):
        door = production.front_door(profile, contributed=contributed)
        folded.append(_folded("profile", profile.name, "yours", door.html()))
    for name, alerts, links in chosen.itertuples(index=False):
        door = production.front_door(name, contributed=contributed)
        size = f"{words.count(alerts, 'alert')}, {words.count(links, 'link')}"
        folded.append(_folded("service", name, size, door.html()))
    return f"<p>Of the noisiest and the most linked services.</p>{''.join(folded)}" if folded else ""


def _counted(production: ProductionMap) -> pd.DataFrame:
    """Return of each service how many alerts and how many links worth a look it has."""
    known = production.links[production.links["strength"] >= production.usual_confidence]
    ends = pd.concat([known["src"], known["dst"]]).value_counts()
    services = production.services[["service", "alerts"]]
    return services.assign(links=services["service"].map(ends).fillna(0).astype("int64"))


def _folded(kind: str, name: str, size: str, door: str) -> str:
    about, heading = html.escape(f"{kind} {name}"), f"<h3>{html.escape(name)}</h3>"
    summary = f'<summary>{heading} <span class="faint">{html.escape(size)}</span></summary>'
    return f'<details data-about="{about}">{summary}{door}</details>'
