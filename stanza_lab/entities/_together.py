"""Alerts, a catalogue and traces under one spelling: what is compared between them must be called the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import PathLike
from typing import Any, NamedTuple

import pandas as pd

from stanza_lab import schema
from stanza_lab.entities.evidence import Evidence, open_catalog
from stanza_lab.entities.identity.overrides import Overrides, read_overrides
from stanza_lab.entities.resolve import resolve

Catalog = pd.DataFrame | str | PathLike[str] | None
Said = Overrides | Mapping[str, Any] | str | PathLike[str] | None


class Together(NamedTuple):
    """Alerts with who and what they are about, the catalogue in the same names, and the evidence for both."""

    alerts: pd.DataFrame
    owned: pd.DataFrame  # schema.OWNERSHIP, one row per service
    evidence: Evidence

    def spelled(self, names: pd.Series) -> pd.Series:
        """Return names of services as the alerts call them; null stays null."""
        return names.astype("str").map(self.evidence.services.canonical, na_action="ignore").astype("str")


def resolve_together(
    alerts: pd.DataFrame,
    catalog: Catalog,
    *,
    overrides: Said = None,
    spans: pd.DataFrame | None = None,
    need: Collection[str] = (),
    fill_teams: bool = True,
) -> Together:
    """Resolve `alerts` with the names of `catalog` and `spans`.

    Without `fill_teams` a team is only what an alert itself names, and the catalogue's teams stay apart from it.
    """
    alerts = schema.check(alerts, schema.ALERTS, need=need)
    given = open_catalog(catalog)
    listed = schema.empty(schema.OWNERSHIP) if given is None else given.reindex(columns=schema.OWNERSHIP.names)
    listed = schema.check(listed, schema.OWNERSHIP).dropna(subset="service")
    known = listed if fill_teams else listed[["service"]]
    evidence = Evidence(alerts, known, overrides=read_overrides(overrides), spans=spans)
    together = Together(resolve(alerts, evidence), listed, evidence)
    owned = listed.assign(service=together.spelled(listed["service"])).astype({"team": "str"})
    owned = owned.groupby("service", sort=False).first().reset_index()[schema.OWNERSHIP.names]
    owned = owned.assign(team=owned["team"].map(evidence.overrides.team, na_action="ignore"))
    return together._replace(owned=schema.check(owned, schema.OWNERSHIP))
