"""What a backtest of grouping rules found: a table, sentences, and where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stanza_lab.history.report import count
from stanza_lab.incidents.rules import _damage

_TYPES = {
    "rule": "str", "alerts": "int64", "groups": "int64", "alone": "int64", "pages": "int64", "compression": "float64",
    "recall": "float64", "precision": "float64", "ari": "float64", "ari_all": "float64",
    "splits": "Int64", "merges": "Int64", "hidden_incidents": "Int64", "hidden_alerts": "Int64",
    "notifications": "Int64", "words": "str",
}  # fmt: skip
_LISTS = {"alert_ids", "incidents", "behind", "paged_instead"}
_NUMBERS = {"alerts", "pieces", "alone", "largest", "group", "of_none"}


@dataclass(frozen=True, eq=False, repr=False)
class GroupingBacktest:
    """Tell what each grouping rule would have done to a history.

    Attributes
    ----------
    table : DataFrame
        One row per rule, in the order given:

        - rule (str): its name
        - alerts (int64): alerts of the span
        - groups, alone (int64): groups with an alert of the span, alerts on their own
        - pages (int64): alerts that page: first of their group, or on their own
        - compression (float64): share of the alerts that do not page; read it beside recall
        - recall, precision (float64): of the pairs of alerts that belong together, the share put together; of the
          pairs put together, the share that belongs together; over all alerts that are labelled
        - ari, ari_all (float64): adjusted Rand index over alerts of true incidents, and over all labelled alerts
        - splits, merges (Int64): true incidents whose alerts of the span are not all in one group (one alert on its
          own is enough); true incidents that share a group with another
        - hidden_incidents, hidden_alerts (Int64): true incidents none of whose alerts pages, and their alerts
        - notifications (Int64): notifications sent, of rules that plan them (`GroupByRule`, `AlertmanagerRoute`),
          without repeats
        - words (str): all of it for people

        What needs labels is null without them.
    splits : DataFrame
        rule, incident_id, alerts, pieces (groups and alerts on their own it fell into), alone, largest (alerts of the
        largest piece), alert_ids.
    merges : DataFrame
        rule, group (the label), incidents (the true ones in it), alerts, of_none (alerts in it known to belong to
        none), alert_ids.
    hidden : DataFrame
        rule, incident_id, alerts, behind (the true incidents that paged instead, "no incident" or "not labelled"),
        paged_instead (their alert ids), alert_ids.
    groupings : DataFrame
        `alert_id` and a column per rule with the group of each alert of the span.
    notes : list of str
        What to know before believing the figures.
    """

    table: pd.DataFrame
    splits: pd.DataFrame
    merges: pd.DataFrame
    hidden: pd.DataFrame
    groupings: pd.DataFrame
    notes: Sequence[str]

    @classmethod
    def of(
        cls,
        rows: list[dict[str, Any]],
        damage: Sequence[_damage.Damage],
        groupings: pd.DataFrame,
        *,
        incidents: int | None,
        unknown: int,
        copies: Mapping[str, int],
        timeless: int,
    ) -> GroupingBacktest:
        """Put the parts together."""
        for row in rows:
            row["words"] = _sentence(row, incidents)
        table = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=t) for name, t in _TYPES.items()})
        return cls(
            table,
            _together(_damage.SPLITS, [harm.splits for harm in damage]),
            _together(_damage.MERGES, [harm.merges for harm in damage]),
            _together(_damage.HIDDEN, [harm.hidden for harm in damage]),
            groupings,
            _notes(incidents, unknown=unknown, copies=copies, timeless=timeless),
        )

    @property
    def summary(self) -> list[str]:
        """The findings, a sentence per rule, then the notes; names in them are untrusted text."""
        return [*self.table["words"], *self.notes]

    def to_frame(self) -> pd.DataFrame:
        """Return `table`."""
        return self.table.copy()

    def __repr__(self) -> str:
        alerts = int(self.table["alerts"].max())
        return f"GroupingBacktest({count(len(self.table), 'rule')} over {count(alerts, 'alert')}; see .table, .summary)"

    def _repr_html_(self) -> str:
        shown = self.table.drop(columns="words").head(40)
        return str(shown.to_html(index=False, border=0, escape=True, float_format="{:.2f}".format))


def _together(columns: Sequence[str], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of all rules as one, with these columns whether there are rows or not."""
    found = pd.concat([table for table in tables if len(table)] or [pd.DataFrame(columns=list(columns))])
    types = {name: "int64" if name in _NUMBERS else "str" for name in columns if name not in _LISTS}
    return found[list(columns)].astype(types).reset_index(drop=True)


def _sentence(row: Mapping[str, Any], incidents: int | None) -> str:
    """Say what a rule does to a history."""
    alerts, pages = row["alerts"], row["pages"]
    if not alerts:
        return f"{row['rule']}: no alert lies in the span."
    fewer = f", {row['compression']:.0%} fewer" if row["compression"] else ""
    whose = "its" if row["alone"] == 1 else "their"
    alone = f" and {count(row['alone'], 'alert')} on {whose} own" if row["alone"] else ""
    told = f"{row['rule']} turns {count(alerts, 'alert')} into {count(row['groups'], 'incident')}{alone}"
    told += f" ({count(pages, 'page')}{fewer})"
    if row["notifications"] is not None:
        told += f", sends {count(row['notifications'], 'notification')}"
    if incidents is None:
        return f"{told}; without labels nobody can tell what it splits, merges or hides."
    if row["recall"] == row["recall"]:
        told += f"; finds {row['recall']:.0%} of the pairs that belong together"
        right = row["precision"]
        told += f", {right:.0%} of its own pairs are right" if right == right else ", puts none together"
    else:
        told += "; no two labelled alerts belong together"
    hidden = "hides none"
    if row["hidden_alerts"]:
        of = f"{count(row['hidden_alerts'], 'alert')} of {count(row['hidden_incidents'], 'incident')}"
        hidden = f"hides {of} that nobody else saw"
    real = count(incidents, "real incident")
    return f"{told}; of {real} it splits {row['splits']:,}, merges {row['merges']:,}, and {hidden}."


def _notes(incidents: int | None, *, unknown: int, copies: Mapping[str, int], timeless: int) -> list[str]:
    notes = []
    if copies:
        listed = ", ".join(f"{source} {n:,}" for source, n in copies.items())
        notes.append(
            f"Copies of alerts that are here too: {listed}. They count as alerts of their own and flatter every rule; "
            "leave them out with origin is null, or compare with and without."
        )
    if timeless:
        notes.append(f"Left out: {count(timeless, 'alert')} without a start.")
    if incidents is not None and unknown:
        notes.append(f"{count(unknown, 'alert')} without a label: they page, but count neither for a rule nor against.")
    return notes
