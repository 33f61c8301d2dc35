"""Labels from pager systems: incidents that people merged, alerts bundled into one, pages that copy an alert."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stanza_lab import _params, schema
from stanza_lab.incidents.quality.labels import labels_table, needed

if TYPE_CHECKING:
    import numpy.typing as npt

    from stanza_lab.incidents.quality._contingency import Ints

_NEED = ["alert_id", "source", "event_ids", "starts_at", "labels"]
_USED = [*_NEED, "origin", "rule_key", "alertname", "summary", "service"]


def labels_from_pages(
    alerts: pd.DataFrame,
    *,
    events: pd.DataFrame | None = None,
    delay: _params.Duration = "5min",
    unmerged: str = "unknown",
) -> pd.DataFrame:
    """Label alerts by what people and their pager put together.

    Three things say that alerts are one incident: a PagerDuty incident that was merged into another; alerts that
    PagerDuty bundled into one incident; and a page that is a copy of an alert which is there too. It takes for granted
    that whoever merged was right, that a bundle (made by rules of PagerDuty, not by a person) is an incident, and that
    two incidents which each were merged from several and not into one another are different ones.

    Parameters
    ----------
    alerts : DataFrame
        Needs alert_id, source, event_ids, starts_at and labels, as `read_alerts` gives them; origin, rule_key,
        alertname, summary and service are used to find copies.
    events : DataFrame, optional
        The events of the same alerts (see `History.events`). An alert keeps the labels of its first record only, so
        that a merge told by a later webhook, and the keys of bundled alerts, are in the events alone. Lists of
        incidents (``GET /incidents``) tell merges without it.
    delay : duration, default "5min"
        How long after an alert fired its page may be raised, longer than zero. Larger: more copies are found, and of
        a rule that fires often, wrong ones.
    unmerged : {"unknown", "incident"}, default "unknown"
        What is said of a page that nothing was merged into: nothing (that nobody merged two pages is no proof that they
        are two incidents), or that it is an incident of its own, with the alerts it copies. Choose that only where
        people merge with care.

    Returns
    -------
    DataFrame
        One row per labelled alert, in the order of `alerts`: alert_id (str), incident_id (str: the incident
        others were merged into, else the `alert_id` of its first page; never null, for no pager says what is noise).

    Raises
    ------
    SchemaError
        A column is missing or does not fit.
    ParameterError
        A parameter is outside its range.

    Notes
    -----
    A page is the copy of an alert when its `origin` is the alert's `source`, its deduplication key is the alert's
    rule key or name, or its title the alert's summary, or its title (without "service: ") the alert's name about the
    same service, and it began within `delay` after it. Where titles fit several alerts, none is taken.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import labels_from_pages
    >>> alerts = pd.DataFrame({
    ...     "alert_id": ["x", "y", "z"],
    ...     "source": "pagerduty",
    ...     "event_ids": [["Q1"], ["Q2"], ["Q3"]],
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z", "2026-03-01T19:30Z"],
    ...     "labels": ['{"merged_into":"Q2"}', "{}", "{}"],
    ... })
    >>> labels_from_pages(alerts)
      alert_id incident_id
    0        x          Q2
    1        y          Q2
    """
    within = _params.duration(delay, "delay")
    _params.choice(unmerged, "unmerged", ("unknown", "incident"))
    needed(alerts, _NEED)
    table = schema.check(alerts[[name for name in _USED if name in alerts.columns]], schema.ALERTS, need=_NEED)
    table = table.assign(**{name: None for name in _USED if name not in table.columns}).reset_index(drop=True)
    told = table["labels"].map(_object)
    paged = table[table["source"] == "pagerduty"]
    pages = table[table["origin"].notna()].assign(key=told.map(lambda said: _text(said, "key")))

    into = told[paged.index].map(lambda said: _text(said, "merged_into")).dropna()
    if events is not None:
        more, children = _of_events(paged, events)
        into = pd.concat([into, more])
        pages = pd.concat([pages, children])
    into = into[~into.index.duplicated()].astype("str")
    merged = _merged(paged, into)
    copies = copies_of(pages, table, within)

    group = _groups(len(table), pd.concat([merged, copies]))
    if unmerged == "incident":
        speaking = table.index.isin(paged.index) | table.index.isin(copies["page"])
    else:
        bundles = copies[copies["page"].isin(paged.index)].groupby("page")["of"].nunique()
        speaking = table.index.isin([*merged["page"], *bundles.index[bundles > 1]])
    labelled = np.isin(group, group[speaking])
    return labels_table(table["alert_id"].to_numpy()[labelled], _names(group, table, paged, into)[labelled])


def copies_of(pages: pd.DataFrame, alerts: pd.DataFrame, within: pd.Timedelta) -> pd.DataFrame:
    """Return `page` and `of`: the index of a page and that of the alert it copies, by the first way that tells.

    `pages` may hold several rows of one index: each alert that was bundled into it, with its own key.
    """
    waiting = _spelled(pages).assign(key=pages["key"].astype("str"), row=np.arange(len(pages)))
    waiting = waiting.assign(system=pages["origin"].astype("str"), page=pages.index).dropna(subset=["starts_at"])
    raised = (
        _spelled(alerts).assign(system=alerts["source"].astype("str"), of=alerts.index).dropna(subset=["starts_at"])
    )
    found = []
    # The same rule fires again and again: the latest counts. Names and titles must fit one alert only.
    for said, meant, latest in (
        ("key", "rule_key", True),
        ("key", "alertname", False),
        ("summary", "summary", False),
        ("about", "about", False),
    ):
        pairs = _nearest(waiting.assign(by=waiting[said]), raised.assign(by=raised[meant]), within)
        pairs = pairs[pairs["page"] != pairs["of"]]
        found.append(pairs if latest else pairs[pairs["of"] == pairs["first"]])
        waiting = waiting[~waiting["row"].isin(found[-1]["row"])]
    return pd.concat(found)[["page", "of"]].drop_duplicates()


def _spelled(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return time, rule and names as text, and `about`: the name, without "service: ", and the service."""
    told = alerts[["rule_key", "alertname", "summary", "service"]].astype("str")
    pair = told.groupby(["alertname", "service"], sort=False).ngroup()  # null where one of both is
    new = pair.notna() & ~pair.duplicated()  # far fewer than alerts
    names = zip(told["alertname"][new], told["service"][new], strict=True)
    spelled = [f"{name.removeprefix(f'{of}: ')}\n{of}" for name, of in names]
    about = pd.Series(spelled, index=pair[new].to_numpy(), dtype="str")
    return told.assign(about=about.reindex(pair).array, starts_at=alerts["starts_at"])


def _nearest(pages: pd.DataFrame, raised: pd.DataFrame, within: pd.Timedelta) -> pd.DataFrame:
    """Return for each page the last alert (`of`) and the first that it can be a copy of."""
    by = ["system", "by"]
    raised = raised[[*by, "starts_at", "of"]].dropna(subset=by).sort_values("starts_at", kind="stable")
    pages = pages[[*by, "starts_at", "row", "page"]].dropna(subset=by).sort_values("starts_at", kind="stable")
    last = pd.merge_asof(pages, raised, on="starts_at", by=by, tolerance=within)
    since = pages.assign(starts_at=pages["starts_at"] - within)
    first = pd.merge_asof(since, raised, on="starts_at", by=by, tolerance=within, direction="forward")
    return last.assign(first=first["of"]).dropna(subset=["of"]).astype({"of": "int64", "first": "int64"})


def _of_events(paged: pd.DataFrame, events: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Return what only events tell: into which incident an alert was merged, and the alerts bundled into one."""
    facts = schema.check(events, schema.EVENTS, need=["source", "native_ids", "at", "labels"], what="events")
    facts = facts[facts["source"] == "pagerduty"].reset_index(drop=True)
    said = facts["labels"].map(_object)
    into, key, alert = (said.map(partial(_text, key=name)) for name in ("merged_into", "key", "alert"))
    child = alert.notna() & key.notna()
    facts = facts.assign(into=into, key=key)[into.notna() | child]
    held = _held(paged)
    held = held[~held.index.duplicated()]
    ids = facts["native_ids"].explode().dropna()
    at = held.reindex(ids.astype("str")).set_axis(ids.index).dropna().astype("int64")
    at = at[~at.index.duplicated()]
    facts = facts.loc[at.index].set_axis(at.to_numpy())
    children = paged.loc[facts.index[facts["into"].isna()]]
    bundled = facts[facts["into"].isna()]
    # The names are the incident's, not the alert's: only its key says what it is a copy of.
    children = children.assign(starts_at=bundled["at"].array, key=bundled["key"].array, alertname=None, summary=None)
    if "origin" in bundled.columns:
        stated = pd.Series(bundled["origin"].astype("str").array, index=children.index)
        children = children.assign(origin=stated.fillna(children["origin"].astype("str")))
    return facts["into"].dropna(), children[children["origin"].notna()]


def _held(pages: pd.DataFrame) -> pd.Series:
    """Return the alert that holds each native id; an incident that was reopened is several alerts."""
    ids = pages["event_ids"].explode().dropna()
    return pd.Series(ids.index.to_numpy(), index=pd.Index(ids.astype("str"), name="into"), dtype="int64")


def _merged(paged: pd.DataFrame, into: pd.Series) -> pd.DataFrame:
    """Return the links from each alert that was merged to those it was merged into, and to others merged there."""
    merges = into.rename("into").rename_axis("page").reset_index()
    held = _held(paged).rename("of").reset_index()
    others = merges.rename(columns={"page": "of"}).drop_duplicates("into")
    links = merges.merge(pd.concat([held, others]), on="into")
    return links.loc[links["page"] != links["of"], ["page", "of"]]


def _groups(n: int, links: pd.DataFrame) -> Ints:
    """Return the number of the group of each alert: what links connect."""
    ends = links["page"].to_numpy(dtype=np.int64), links["of"].to_numpy(dtype=np.int64)
    graph = coo_matrix((np.ones(len(links), dtype=bool), ends), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _names(group: Ints, table: pd.DataFrame, paged: pd.DataFrame, into: pd.Series) -> npt.NDArray[np.object_]:
    """Return the name of each alert's group: the incident others were merged into at last, else its first page."""
    again = _held(paged.loc[into.index])  # an incident that was itself merged does not name the group
    last = into[~into.isin(again.index)]
    named = pd.Series(last.to_numpy(), index=group[last.index.to_numpy(dtype=np.int64)]).sort_values()
    named = named[~named.index.duplicated()]
    first = table.assign(group=group, other=~table.index.isin(paged.index)).sort_values(
        ["other", "starts_at", "alert_id"]
    )
    default = first.drop_duplicates("group").set_index("group")["alert_id"]
    return named.reindex(group).fillna(default.reindex(group)).to_numpy(dtype=object)


def _object(text: Any) -> dict[str, Any]:
    """Return the labels of an alert; what is no JSON object says nothing."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(said: dict[str, Any], key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) else None
