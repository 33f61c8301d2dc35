"""Which incidents were put together wrongly, which were torn apart: what one number hides."""

from __future__ import annotations

import pandas as pd

from stanza_lab.incidents.quality._contingency import Ints, numbered
from stanza_lab.incidents.quality.labels import needed, said_of
from stanza_lab.schema import NOISE

MISTAKES = ("merged", "noise in", "split", "left out")
_COUNTS = ("over_grouped", "over_grouped_noise", "under_grouped", "under_grouped_alone")
_COLUMNS = ("kind", "incident", "alerts", "wrong", "parts", "others", "pairs")


def grouping_errors(alerts: pd.DataFrame, *, truth: pd.Series | pd.DataFrame) -> pd.DataFrame:
    """Return one row per wrong merge and per wrong split.

    Parameters
    ----------
    alerts : DataFrame
        Alerts with `incident_id`; also `alert_id` or `event_ids` when `truth` is a table of such ids.
    truth : Series or DataFrame
        The true incident of each alert, as in `score_incidents`. Alerts of which it says nothing are left out.

    Returns
    -------
    DataFrame
        Sorted by `pairs` (falling), kind, incident:

        - kind (category): "merged" = a found incident holds several true ones; "noise in" = a found incident holds
          alerts that belong to none; "split" = a true incident lies in several found ones; "left out" = some alerts of
          a true incident were left on their own
        - incident (str): the found incident (merged, noise in) or the true one (split, left out)
        - alerts (int64): its alerts of which the truth is known
        - wrong (int64): those outside its largest part (merged, split), that belong to none (noise in), that were left
          on their own (left out)
        - parts (int64): true incidents in the found one, or found ones that hold the true one
        - others (list of str): these, the largest first; names of the truth are untrusted text
        - pairs (int64): pairs of alerts wrongly put together (merged, noise in) or wrongly parted (split, left out).
          They add up to all that pairwise precision, and recall, miss

    Raises
    ------
    SchemaError
        A column is missing, or the index of `truth` is not that of `alerts`.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab.incidents.quality import metrics
    >>> alerts = pd.DataFrame({"incident_id": [0, 0, 0, 1, -1]})
    >>> truth = pd.Series(["A", "A", "B", "B", "B"])
    >>> metrics.grouping_errors(alerts, truth=truth)[["kind", "incident", "alerts", "wrong", "others", "pairs"]]
           kind incident  alerts  wrong  others  pairs
    0  left out        B       3      1  [0, 1]      2
    1    merged        0       3      1  [A, B]      2
    2     split        B       3      1  [0, 1]      1
    """
    at, names = said_of(alerts, truth)
    found_ids = needed(alerts, ["incident_id"])["incident_id"].to_numpy()[at]
    true = numbered(names)
    cells = _cells(true, found_ids)
    called = pd.Series(names.to_numpy(dtype=object), index=true)
    called = called[~called.index.duplicated()]
    cells = cells.assign(true_name=called.reindex(cells["true"]).to_numpy(), found_name=cells["found"].astype("str"))
    table = pd.concat([*_over(cells, "found", "true"), *_over(cells, "true", "found")], ignore_index=True)
    table = table.astype({"incident": "str", **dict.fromkeys(("alerts", "wrong", "parts", "pairs"), "int64")})
    table = table.assign(kind=pd.Categorical(table["kind"], categories=list(MISTAKES)))
    by = table.assign(kind=table["kind"].astype("str"))
    order = by.sort_values(["pairs", "kind", "incident"], ascending=[False, True, True]).index
    return table.loc[order].reset_index(drop=True)


def count_mistakes(true: Ints, found: Ints) -> dict[str, int]:
    """Return how many incidents were wrongly put together or parted, by kind; -1 = on its own."""
    cells = _cells(true, found)
    return dict(zip(_COUNTS, (*_counts(cells, "found", "true"), *_counts(cells, "true", "found")), strict=True))


def _cells(true: Ints, found: Ints) -> pd.DataFrame:
    """Return one row per pair of a true and a found incident that share alerts; -1 stands for all that are alone."""
    table = pd.DataFrame({"true": true, "found": found})
    return table.groupby(["true", "found"], as_index=False).size().rename(columns={"size": "n"})


def _counts(cells: pd.DataFrame, whole: str, part: str) -> tuple[int, int]:
    inside = cells[cells[whole] != NOISE]
    alone = inside[part] == NOISE
    sizes = inside.groupby(whole)["n"].sum()
    mixed = int((inside[~alone].groupby(whole).size() > 1).sum())
    # One alert that is alone and all there is of it is no mistake: a group of one either way.
    return mixed, int((sizes.loc[inside.loc[alone, whole]] > 1).sum())


def _over(cells: pd.DataFrame, whole: str, part: str) -> list[pd.DataFrame]:
    """Return the mistakes of the incidents of one side, by the incidents of the other side that each holds."""
    mixing, alone = MISTAKES[:2] if whole == "found" else MISTAKES[2:]
    inside = cells[cells[whole] != NOISE].sort_values(["n", f"{part}_name"], ascending=[False, True], kind="stable")
    held = inside[inside[part] != NOISE].assign(square=lambda table: table["n"] ** 2)
    groups = held.groupby(whole)
    of = inside.drop_duplicates(whole).set_index(whole)[[f"{whole}_name"]].set_axis(["incident"], axis=1)
    of = of.assign(
        lone=inside[inside[part] == NOISE].groupby(whole)["n"].sum(),
        total=groups["n"].sum(),
        largest=groups["n"].max(),
        square=groups["square"].sum(),
        parts=groups.size(),
    )
    of = of.fillna(dict.fromkeys(("lone", "total", "largest", "square", "parts"), 0))
    of = of.assign(alerts=of["total"] + of["lone"])
    mixed = of.assign(kind=mixing, wrong=of["total"] - of["largest"], pairs=(of["total"] ** 2 - of["square"]) // 2)
    lone = of.assign(kind=alone, wrong=of["lone"], pairs=of["lone"] * of["total"] + of["lone"] * (of["lone"] - 1) // 2)
    found = [table[table["pairs"] > 0] for table in (mixed, lone)]
    wanted = held[held[whole].isin([*found[0].index, *found[1].index])]
    others = wanted.groupby(whole)[f"{part}_name"].agg(list)
    return [_with_others(table, others)[list(_COLUMNS)] for table in found]


def _with_others(table: pd.DataFrame, others: pd.Series) -> pd.DataFrame:
    lists = [others.get(key, []) for key in table.index]
    return table.assign(others=pd.Series(lists, index=table.index, dtype=object))
