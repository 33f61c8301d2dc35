"""What a grouping does to true incidents: splits, merges, hides."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from stanza_lab.schema import NOISE

SPLITS = ("rule", "incident_id", "alerts", "pieces", "alone", "largest", "alert_ids")
MERGES = ("rule", "group", "incidents", "alerts", "of_none", "alert_ids")
HIDDEN = ("rule", "incident_id", "alerts", "behind", "paged_instead", "alert_ids")


class Damage(NamedTuple):
    """The tables of one rule, each alert listed in order of time."""

    splits: pd.DataFrame
    merges: pd.DataFrame
    hidden: pd.DataFrame

    def of_rule(self, name: str) -> Damage:
        """Return the tables with the name of the rule before all."""
        return Damage(*(table.assign(rule=name) for table in self))

    def counts(self) -> dict[str, int]:
        """Return the true incidents split, merged, hidden, and the alerts of the hidden ones."""
        return {
            "splits": len(self.splits),
            "merges": len({name for names in self.merges["incidents"] for name in names}),
            "hidden_incidents": len(self.hidden),
            "hidden_alerts": int(self.hidden["alerts"].sum()),
        }


def damage(
    labels: np.ndarray,
    true: np.ndarray,
    inside: np.ndarray,
    pages: np.ndarray,
    *,
    names: list[str],
    ids: pd.Series,
    order: np.ndarray,
) -> Damage:
    """Return what is split, merged and hidden among the alerts `inside` the span; `order` is that of time."""
    table = pd.DataFrame(
        {"group": labels, "true": true, "inside": inside, "pages": pages, "alert_id": ids.to_numpy(dtype=object)}
    )
    table["piece"] = np.where(labels == NOISE, -2 - np.arange(len(labels)), labels)  # each alone is a piece
    table = table.iloc[order]
    here = table[table["inside"]]
    real = here[here["true"] >= 0]
    title = np.array(names, dtype=object)
    return Damage(_splits(real, title), _merges(here, real, title), _hidden(table, real, title))


def _splits(real: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    by = real.groupby("true")
    found = by.agg(alerts=("group", "size"), pieces=("piece", "nunique"), alert_ids=("alert_id", list))
    found["alone"] = (real["group"] == NOISE).groupby(real["true"]).sum()
    found["largest"] = real.groupby(["true", "piece"]).size().groupby("true").max()
    found = found[found["pieces"] > 1]
    return found.assign(incident_id=names[found.index.to_numpy(dtype=np.int64)]).reset_index(drop=True)


def _merges(here: pd.DataFrame, real: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    pairs = real.loc[real["group"] != NOISE, ["group", "true"]].drop_duplicates()
    mixed = pairs[pairs.duplicated("group", keep=False)]
    columns = here[here["group"].isin(mixed["group"])]
    found = columns.groupby("group").agg(alerts=("true", "size"), alert_ids=("alert_id", list))
    found["of_none"] = (columns["true"] == NOISE).groupby(columns["group"]).sum()
    found["incidents"] = mixed.groupby("group")["true"].agg(lambda some: [str(names[k]) for k in some])
    return found.reset_index()


def _hidden(table: pd.DataFrame, real: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    # An incident that paged before the span began is known to people within it.
    seen = table.loc[table["pages"], "true"].unique()
    hidden = real[~real["true"].isin(seen)]
    found = hidden.groupby("true").agg(alerts=("group", "size"), alert_ids=("alert_id", list))
    # All of them joined a group whose first alert paged for something else.
    first = table[table["pages"] & (table["group"] != NOISE)].set_index("group")
    pairs = hidden[["true", "group"]].drop_duplicates()
    words = [*names, "not labelled", "no incident"]  # -2 and -1 count from the end
    pairs["paged_instead"] = first["alert_id"].reindex(pairs["group"]).to_numpy()
    pairs["behind"] = [str(words[k]) for k in first["true"].reindex(pairs["group"])]
    lists = pairs.groupby("true").agg(
        paged_instead=("paged_instead", list), behind=("behind", lambda some: list(dict.fromkeys(some)))
    )
    found = found.join(lists)
    return found.assign(incident_id=names[found.index.to_numpy(dtype=np.int64)]).reset_index(drop=True)
