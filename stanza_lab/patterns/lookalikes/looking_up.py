"""The past incidents most like one, in words: what they share, what came first, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import UnknownNameError
from stanza_lab.patterns.kinds import BY
from stanza_lab.patterns.lasting import over
from stanza_lab.patterns.lookalikes.similarity import PARTS, checked, similarity
from stanza_lab.patterns.lookalikes.views import Views, agreement
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Hashable

LOOK_ALIKES: dict[str, Any] = {
    "incident_id": "int64",
    "similarity": "float64",
    "starts_at": "datetime64[us, UTC]",
    "ends_at": "datetime64[us, UTC]",
    "alerts": "int64",
    **dict.fromkeys(PARTS, "float64"),
    "first": "str",
    "shared": object,
    "missing": object,
    "new": object,
    "words": "str",
}
ALIKE = 0.5  # similarity from which more is shared than not


def look_alikes(
    alerts: pd.DataFrame,
    *,
    incident: int,
    before: _params.Instant | bool | None = None,
    top: int = 5,
    by: str = "symptom",
) -> pd.DataFrame:
    """Return the incidents most like one, the most alike first.

    Parameters
    ----------
    alerts : DataFrame
        Alerts with `starts_at` and `incident_id` (see `cluster_incidents`), the whole history: alerts on their own (-1)
        say which kinds are always there and so say little. `service`, `alertname`, `rule_key` and `ends_at` are used.
    incident : int
        The incident in question; while it lasts, with the alerts it has by now.
    before : time or bool, optional
        Only incidents that began before this time are looked at, with the alerts and recoveries they had by then;
        True: before the incident in question began, as one would have seen it then. Default: all others, also later.
    top : int, default 5
        How many at most; incidents that share nothing are left out.
    by : {"symptom", "rule", "service"}, default "symptom"
        What makes two alerts the same kind.

    Returns
    -------
    DataFrame
        Sorted by similarity, then the latest first:

        - incident_id (int64), similarity (float64, 0 to 1, no probability; parts as in `incident_similarity`)
        - starts_at, ends_at (datetime64[us, UTC]): ends_at is the last recovery, null while an alert is open
        - alerts (int64)
        - kinds, services, rules, order, symptoms (float64): agreement of each part, null where neither incident has any
        - first (str): the kind that came first in both, null when another did
        - shared, missing, new (lists of str): kinds of both; only of the look-alike, in the order in which they came
          there; only of the incident in question
        - words (str): all this for people; untrusted names

        ``attrs``: incident, by, starts_at, alerts (of the incident in question), fired (when each kind fired first in
        each incident, for ``sl.plot.look_alikes``), words (a sentence on the whole), unseen (sentences: what could not
        be compared).

    Raises
    ------
    SchemaError
        `starts_at` or `incident_id` is missing.
    UnknownNameError
        There is no such incident.

    See Also
    --------
    incident_similarity : the numbers alone, for all incidents at once.
    Patterns.seen_before : the same question, asked of mined patterns.

    Notes
    -----
    An alert that is open, or a Sentry issue, does not fire again: what an incident adds to it is missing from its
    alerts. Where that matters pass records, `History.events` of the kinds fired and renotified, each as an alert.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": pd.to_datetime(["2026-03-01T02:00Z", "2026-03-01T02:01Z", "2026-03-08T02:00Z",
    ...                                  "2026-03-08T02:02Z", "2026-03-09T09:00Z"]),
    ...     "service": ["orders-db", "orders", "orders-db", "web", "search"],
    ...     "alertname": ["High latency", "Error rate", "High latency", "Error rate", "High latency"],
    ...     "incident_id": [0, 0, 1, 1, 2],
    ... })
    >>> found = sl.look_alikes(alerts, incident=1, before=True)
    >>> found["words"].iloc[0]
    'incident 0 of 2026-03-01 02:00 UTC, 7 d before; ...'
    >>> found[["first", "missing"]].iloc[0].tolist()
    ['orders-db: latency', ['orders: errors']]
    """
    _params.choice(by, "by", BY)
    _params.at_least(top, "top", 1)
    known = checked(alerts)
    known = known[known["starts_at"].notna()]
    mine = known["incident_id"] == incident
    if incident == schema.NOISE or not mine.any():
        ids = known.loc[known["incident_id"] != schema.NOISE, "incident_id"]
        raise UnknownNameError.among("incident", str(incident), map(str, ids.unique()))
    if before is not None and before is not False:
        until = known.loc[mine, "starts_at"].min() if before is True else _params.instant(before, "before")
        began = known.groupby("incident_id")["starts_at"].transform("min")
        alone = known["incident_id"] == schema.NOISE
        known = known[mine | ((known["starts_at"] < until) & (alone | (began < until)))]
        known = known.assign(ends_at=known["ends_at"].where(known["ends_at"] <= until))
    views = Views.of(known, by=by)
    row = int(views.incidents["incident_id"].searchsorted(incident))
    found = _table(views, row, top)
    mine_is = views.incidents.iloc[row]
    found.attrs = {  # plain values only: what writes a table writes these as JSON
        "incident": int(incident),
        "by": by,
        "starts_at": mine_is["starts_at"].isoformat(),
        "alerts": int(mine_is["alerts"]),
        "fired": _fired(views, [int(incident), *found["incident_id"].tolist()]),
        "words": _summary(found, views),
        "unseen": _unseen(views, row),
    }
    return found


def _table(views: Views, row: int, top: int) -> pd.DataFrame:
    alike = similarity(views, np.array([row]))[0]
    alike[row] = 0.0
    times = views.incidents["starts_at"].astype("int64").to_numpy()
    best = np.lexsort((-times, -alike.round(9)))[:top]
    best = best[alike[best] > 0]
    parts = {}
    for part in PARTS:
        share, blank = agreement(views.parts[part], np.array([row]))
        parts[part] = np.where(blank[best] * blank[row] > 0, np.nan, share[0, best])
    asked = views.firsts[views.firsts["incident"].isin([row, *best.tolist()])]
    kinds = {one: some["kind"].tolist() for one, some in asked.groupby("incident", sort=False)}
    mine, theirs = kinds.get(row, []), [kinds.get(one, []) for one in best.tolist()]
    told = views.incidents.iloc[best].reset_index(drop=True)
    found = told.assign(
        similarity=alike[best],
        **parts,
        first=[mine[0] if mine[:1] == other[:1] and mine else None for other in theirs],
        shared=[[kind for kind in mine if kind in other] for other in theirs],
        missing=[[kind for kind in other if kind not in mine] for other in theirs],
        new=[[kind for kind in mine if kind not in other] for other in theirs],
    )
    began = views.incidents["starts_at"].iloc[row]
    found["words"] = [_words(line, began) for line in found.to_dict("records")]
    table: pd.DataFrame = found[list(LOOK_ALIKES)].astype(LOOK_ALIKES)
    return table


def _fired(views: Views, incidents: list[int]) -> list[dict[str, Any]]:
    """Return when each kind fired first in each of some incidents, in seconds after the first alert."""
    about = views.incidents[["incident_id", "starts_at"]].rename(columns={"starts_at": "began"})
    first = views.firsts.join(about, on="incident")
    first = first[first["incident_id"].isin(incidents)]
    after = (first["starts_at"] - first["began"]).dt.total_seconds()
    return [
        {"incident_id": number, "kind": kind, "after_s": seconds}
        for number, kind, seconds in zip(
            first["incident_id"].tolist(), first["kind"].tolist(), after.tolist(), strict=True
        )
    ]


def _words(row: dict[Hashable, Any], began: pd.Timestamp) -> str:
    """Return one sentence on one look-alike."""
    shared, missing, new = row["shared"], row["missing"], row["new"]
    when = (began - row["starts_at"]).total_seconds()
    apart = f"{words.span(when)} {'before' if when >= 0 else 'after'}"
    said = [f"incident {row['incident_id']} of {row['starts_at']:%Y-%m-%d %H:%M} UTC, {apart}"]
    said.append(
        f"similarity {row['similarity']:.2f}" + ("" if row["similarity"] >= ALIKE else ", more differs than agrees")
    )
    if pd.notna(row["first"]):
        said.append(f"{row['first']} came first in both")
    here = words.count(len(shared) + len(new), "kind")
    said.append(f"{len(shared)} of {here} here were there too" if shared else "no kind shared, only what is less exact")
    if missing:
        said.append(f"not here, but there: {words.listing(missing)}")
    if new:
        said.append(f"not there, but here: {words.listing(new)}")
    lasted = over(row["starts_at"], row["half_at"], row["ends_at"]) or "when the last recovered is not known"
    said.append(f"{words.count(row['alerts'], 'alert')}, {lasted}")
    return "; ".join(said)


def _summary(found: pd.DataFrame, views: Views) -> str:
    """Say how alike the most alike are, among how many."""
    others = len(views.incidents) - 1
    if not others:
        return "there is no other incident to compare with"
    looked = f"{words.count(others, 'other incident')} looked at"
    if found.empty:
        return f"no incident shares anything with it; {looked}"
    close = int((found["similarity"] >= ALIKE).sum())
    if not close:
        return f"nothing alike: the nearest has similarity {found['similarity'].iloc[0]:.2f}; {looked}"
    agree = "agrees in more than it differs" if close == 1 else "agree in more than they differ"
    return f"{words.count(close, 'incident')} {agree}; {looked}"


def _unseen(views: Views, row: int) -> list[str]:
    """Say what could not be compared."""
    said = []
    placeless, alerts = (int(views.incidents[name].iloc[row]) for name in ("placeless", "alerts"))
    if placeless:
        said.append(f"{placeless:,} of {words.count(alerts, 'alert')} name no service: compared by what they say alone")
    blank = [part for part in PARTS if not views.parts[part][[row]].sum()]
    if blank:
        said.append(f"{', '.join(blank)}: nothing known, or nothing that is not always there; not compared")
    return said
