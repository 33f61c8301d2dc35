"""Events as the table they are stored in."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from stanza_lab import schema
from stanza_lab.loaders._records import Event, Told

EVENTS = schema.arrow(schema.EVENTS)
_ABSENT: Event = {"time_source": "event", "has_recovery": True, "native_ids": [], "resources": [], "trace_ids": []}
# What a `Told` has for its own.
_OWN = ("event_id", "native_ids", "at", "description", "url")


def events_table(events: Sequence[tuple[str, Event | Told]], raws: pa.Array) -> pa.Table:
    """Return events, each with its source, and their records as JSON as a table of `schema.EVENTS`."""
    told = [event for _, event in events if isinstance(event, Told)]
    if len(told) == len(events):
        table = _shared([source for source, _ in events], told)
    else:
        whole = ((source, event.event() if isinstance(event, Told) else event) for source, event in events)
        table = _table([{"source": source, **_ABSENT, **event} for source, event in whole])
    return table.append_column(EVENTS.field("raw"), raws).select(EVENTS.names)


def _shared(sources: Sequence[str], told: Sequence[Told]) -> pa.Table:
    """Return the table of events of which what they share is converted once."""
    places: dict[tuple[str, int], int] = {}  # of what is shared, by its identity
    shared: list[Event] = []
    rows: list[int] = []
    for source, event in zip(sources, told, strict=True):
        place = places.setdefault((source, id(event.about)), len(shared))
        if place == len(shared):
            shared.append({"source": source, **_ABSENT, **event.about})
        rows.append(place)
    table = _table(shared, without=_OWN).take(pa.array(rows, pa.int64()))
    for name in _OWN:
        values = pa.array([event.own[name] for event in told], EVENTS.field(name).type)
        table = table.append_column(EVENTS.field(name), values)
    return table


def _table(events: Sequence[Event], without: Sequence[str] = ()) -> pa.Table:
    columns = pa.schema([column for column in EVENTS if column.name not in (*without, "raw")])
    rows = pa.RecordBatch.from_struct_array(pa.array(events, pa.struct(list(columns))))
    return pa.Table.from_batches([rows], columns)
