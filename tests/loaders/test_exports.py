"""Every shape that is read as an event has a generator, and what it makes is read as such in every container."""

from __future__ import annotations

import pytest

from stanza_lab.loaders import registry
from stanza_lab.loaders._records import Envelope, ignore
from tests.loaders.exports import EPOCH, LAYOUTS, NAMES, PACKED, Fact, dumped, lines, table
from tests.loaders.exports_all import KINDS, events_of

FACTS = [Fact(n, 7 * n % 50, NAMES[n % len(NAMES)], n % 2 == 1) for n in range(1, 9)]
ONCE = [pytest.param(kind, id=f"{kind.source} {kind.shape}") for kind in KINDS]

# A row is only refused, by the columns it lacks.
REFUSED = {("table", "row of a table of unknown columns")}


def test_every_shape_of_an_event_has_a_generator() -> None:
    ignoring = ignore("", "", lambda record: True).read.__qualname__
    read = {(s.source, s.name) for s in registry.SHAPES if s.read.__qualname__ != ignoring}
    assert {(kind.source, kind.shape) for kind in KINDS} == read - REFUSED


@pytest.mark.parametrize("kind", ONCE)
def test_record_is_told_as_its_shape_and_read_as_events(kind, read) -> None:
    for fact in FACTS[:4]:
        shapes = {shape for shape, *_ in registry.unwrap(kind.make(fact), Envelope("$"), registry.SHAPES)}
        assert {(shape.source, shape.name) for shape in shapes} == {(kind.source, kind.shape)}
        batch = read(kind.document(fact))
        assert batch.rejected["message"].tolist() == []
        told_as = set(events_of(batch)["source"])
        assert told_as == {kind.source} or (batch.ignored and not told_as and not fact.firing)


@pytest.mark.parametrize("kind", ONCE)
def test_page_of_the_vendor_holds_what_its_records_do(kind, read) -> None:
    alone = read(lines(map(kind.document, FACTS)))
    page = read(kind.page(list(map(kind.document, FACTS))))
    assert told(page) == told(alone)


@pytest.mark.parametrize("kind", ONCE)
def test_containers_hold_what_their_documents_do(kind, read) -> None:
    documents = list(map(kind.document, FACTS))
    alone = told(read(lines(documents)))
    assert len(alone) >= len(FACTS) // 2
    for layout in LAYOUTS:
        assert told(read(layout(documents))) == alone, layout
    for pack in PACKED:
        assert told(read(pack(lines(documents)))) == alone, pack


@pytest.mark.parametrize("kind", [param for param in ONCE if param.values[0].flat])
def test_rows_of_a_table_hold_what_records_do(kind, read) -> None:
    rows = list(map(kind.make, FACTS))
    alone = told(read(lines(rows)))
    for delimiter in ",;\t":
        assert told(read(table(rows, delimiter), name="export.csv")) == alone


def told(batch) -> list[tuple]:
    """Return what the events of a batch tell, in order; `raw` is as it was written."""
    assert batch.rejected["message"].tolist() == []
    names = ["source", "event_id", "rule_key", "occurrence_key", "kind", "at", "starts_at", "ends_at", "alertname"]
    return [tuple(map(str, row)) for row in events_of(batch)[names].itertuples(index=False)]


def test_documents_are_json_of_one_line() -> None:
    for kind in KINDS:
        assert b"\n" not in dumped(kind.document(FACTS[0]))
    assert EPOCH % 3600 == 0  # facts of one alert lie within its hour
