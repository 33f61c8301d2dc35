"""What people did about pages: who was woken, who took one, who joined, what was written, who closed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from stanza_lab import schema
from stanza_lab.loaders import _times
from stanza_lab.reliability.load import engagements_others, engagements_pagerduty, persons
from stanza_lab.reliability.load.labels import stated

if TYPE_CHECKING:
    from stanza_lab.loaders._records import Record
    from stanza_lab.reliability.load.persons import Said

ENGAGEMENTS: dict[str, Any] = {
    "at": schema.TIME_DTYPE,
    "kind": "str",  # one of KINDS
    "person": "str",  # pseudonym; null: nobody, a machine, or not told
    "page": "str",  # the pager's own id of the page
    "service": "str",
    "team": "str",
    "policy": "str",  # escalation policy
    "text": "str",  # of notes and messages; untrusted
    "automatic": "boolean",  # a machine did it; null: not told
    "source": "str",
}
KINDS = (
    "assigned", "notified", "escalated", "acknowledged", "asked", "joined", "declined", "noted", "snoozed", "resolved",
)  # fmt: skip
_NEED = ("source", "at", "kind", "raw")
_USED = (*_NEED, "event_id", "occurrence_key", "native_ids", "service", "team", "labels")
_ONCALL = "oncall|"


def read_engagements(events: pd.DataFrame) -> pd.DataFrame:
    """Read what people did about pages from the records of pagers.

    PagerDuty (webhooks of every version, log entries, incidents as listed), Opsgenie (webhooks, alerts as listed) and
    Grafana OnCall (webhooks, alert groups) are understood. Nobody is named: people come out as pseudonyms.

    Parameters
    ----------
    events : DataFrame
        `schema.EVENTS` with `raw`, as `History.events` returns them; records of other systems are passed over.

    Returns
    -------
    DataFrame
        A row per thing done, in order of time: at (datetime64[us, UTC]), kind (str: assigned, notified, escalated,
        acknowledged, asked, joined, declined, noted, snoozed or resolved), person (str, "person 3f2a9c"; null: nobody,
        a machine, or not told), page (str, the pager's id), service, team, policy (str, null when unknown), text (str,
        of notes and messages: untrusted), automatic (boolean: a machine did it; null: not told), source (str).

    Raises
    ------
    SchemaError
        A column is missing or malformed.

    See Also
    --------
    pager_load : What this means for those who are on call.

    Notes
    -----
    The pseudonym is that of redaction, shortened; where a history kept personal data it is made here, with the same
    public key, so both agree. It hides people from sight, not from whoever has a list of names and looks for them.
    Texts are those of the history: redaction takes full names out of them only where it knew them.

    A page that was raised for somebody is an "assigned" at its trigger. "notified" is only told by log entries and by
    OnCall; it alone says that a phone rang.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import read_engagements
    >>> raw = (
    ...     '{"occurred_at":"2026-03-01T14:06:00Z","event_type":"incident.acknowledged",'
    ...     '"agent":{"id":"PU1","type":"user_reference","summary":"Mira Altaby"},"data":{"id":"Q1","type":"incident"}}'
    ... )
    >>> events = pd.DataFrame({
    ...     "source": ["pagerduty"], "at": ["2026-03-01T14:06Z"], "kind": ["acknowledged"], "occurrence_key": ["Q1"],
    ...     "raw": [raw],
    ... })
    >>> read_engagements(events)[["kind", "person", "page", "automatic"]]
               kind         person page  automatic
    0  acknowledged  person ...   Q1      False
    """
    given = schema.check(events, schema.EVENTS, need=_NEED, what="events")
    given = given.assign(**{name: None for name in _USED if name not in given.columns})[list(_USED)]
    reader = _readers(given)
    facts = given[reader.notna()].reset_index(drop=True)
    rows = list(_rows(facts, reader[reader.notna()].tolist()))
    table = pd.DataFrame(rows, columns=["row", "kind", "own", "name", "text", "at", "automatic"])
    about = _pages(facts)
    own = facts["at"].take(table["row"].to_numpy(dtype="int64")).reset_index(drop=True)
    stated = pd.to_datetime(pd.Series(table["at"], dtype="Int64"), unit="us", utc=True)
    table = table.assign(at=stated.astype(schema.TIME_DTYPE).fillna(own).astype(schema.TIME_DTYPE))
    table["person"] = persons.pseudonyms(table["own"].astype("str"), table["name"].astype("str"))
    told = pd.concat([table, about.take(table["row"].to_numpy(dtype="int64")).reset_index(drop=True)], axis=1)
    told = told.dropna(subset=["at", "page"])
    # The same fact in two shapes of a vendor: to the second in one of them.
    told["second"] = told["at"].dt.floor("s")
    told = told.sort_values(["at", "text"], kind="stable", na_position="last")
    told = told.drop_duplicates(["source", "page", "kind", "person", "second", "text"])
    told = told.sort_values(["at", "page", "kind", "person"], kind="stable", ignore_index=True)
    return told[list(ENGAGEMENTS)].astype(ENGAGEMENTS)


def _readers(events: pd.DataFrame) -> pd.Series:
    """Return for each record the reader that knows its pager, null for others."""
    source = events["source"].astype("str")
    readers = {"pagerduty": engagements_pagerduty.said, "opsgenie": engagements_others.opsgenie}
    known = source.map(readers).astype(object)
    oncall = events["occurrence_key"].astype("str").str.startswith(_ONCALL).fillna(value=False).to_numpy(dtype=bool)
    known[oncall] = engagements_others.oncall
    return known.where(events["raw"].notna(), None)


def _rows(facts: pd.DataFrame, readers: list[Callable[[Record], Iterator[Said]]]) -> Iterator[tuple[Any, ...]]:
    for row, (raw, reader) in enumerate(zip(facts["raw"].tolist(), readers, strict=True)):
        try:
            record = orjson.loads(raw)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict):
            for said in reader(record):
                own, name = persons.told(said.person)
                yield row, said.kind, own, name, said.text, _instant(said.at), said.automatic


def _instant(value: Any) -> int | None:
    """Return a time of a record in microseconds; the loader has read and judged it before."""
    try:
        if isinstance(value, tuple):  # so many milliseconds after another time
            began = _times.read(value[0])
            return None if began is None else began + round(value[1] * 1_000)
        return _times.read(value)
    except ValueError:
        return None


def _pages(facts: pd.DataFrame) -> pd.DataFrame:
    """Return page, service, team, policy and source of each record: what any record of its page tells."""
    key = facts["occurrence_key"].astype("str")
    page = key.str.removeprefix(_ONCALL).fillna(facts["native_ids"].map(_last).astype("str"))
    policy = stated(facts["labels"], "escalation_policy")["escalation_policy"]
    table = pd.DataFrame(
        {
            "page": page,
            "service": facts["service"].astype("str"),
            "team": facts["team"].astype("str"),
            "policy": policy,
            "source": facts["source"].astype("str"),
        }
    )
    first = table.groupby("page", sort=False)[["service", "team", "policy"]].first()
    for name in ("service", "team", "policy"):
        table[name] = table[name].fillna(page.map(first[name])).astype("str")
    return table


def _last(ids: Any) -> str | None:
    return str(ids[-1]) if isinstance(ids, list) and ids else None
