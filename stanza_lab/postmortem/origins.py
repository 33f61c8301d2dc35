"""Where it probably began: ranked by `rank_origins`, with whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.production.spread.origin_words import POSSIBLE
from stanza_lab.production.spread.origins import rank_origins

if TYPE_CHECKING:
    from stanza_lab.postmortem.scene import Scene


def likely(scene: Scene, *, changes: pd.DataFrame | None, columns: dict[str, Any]) -> pd.DataFrame:
    """Return the likely origins; see `Review.origins`. `changes` are the releases near it, None where none is known."""
    told = None if changes is None else changes.assign(kind="changed")[["at", "kind", "service"]]
    found = rank_origins(scene.production, alerts=scene.mine.drop(columns=["name", "paged_at"]), events=told)
    teams = pd.Series([scene.teams.get(str(name)) for name in found["service"]], index=found.index, dtype="str")
    table = found.assign(team=teams).reindex(columns=list(columns)).astype(columns).reset_index(drop=True)
    table.attrs = dict(found.attrs)
    return table


def possible(origins: pd.DataFrame) -> pd.DataFrame:
    """Return the suspects worth a look, the likeliest first; none where it is not known where it began.

    It is not known where no suspect reaches 0.2, or where something that is none of them is likelier than each.
    """
    likely = origins[origins["probability"] >= POSSIBLE]
    outside = float(origins.attrs.get("outside", 0.0))
    return likely if len(likely) and likely["probability"].max() >= outside else likely.iloc[:0]
