"""Broken input of any kind ends in counted rejections: no exception escapes, nothing hangs, memory stays small.

One target per system mutates valid records of its shapes; others mutate the bytes of what holds records. Beside what is
drawn, every odd value stands once in every place of every shape. A short run is part of the tests; ``make fuzz`` runs
long, ``FUZZ_EXAMPLES`` inputs per target.
"""

from __future__ import annotations

import copy
import json
import os
import resource
import signal
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanza_lab import fold_events
from stanza_lab.errors import LoadError
from stanza_lab.loaders import read_files, read_spans
from tests.fuzz.seeds import SEEDS, SPANS
from tests.loaders.exports import PACKED, Fact, bare, facts, lines, table
from tests.loaders.exports_all import KINDS, SYSTEMS, counted, events_of

INPUTS = int(os.environ.get("FUZZ_EXAMPLES", "100"))
RECORDS = 10  # inputs of one example: records of one file
SECONDS = 5  # of work, not of waiting: a file of a few kilobytes takes a hundredth of it
MEGABYTES = 700  # that one target may add to what the process holds

fuzzed = settings(
    max_examples=max(1, INPUTS // RECORDS),
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
bytewise = settings(fuzzed, max_examples=INPUTS)

# -- mutated records ---------------------------------------------------------------------------------------------------


def deep(levels: int, *, array: bool = True) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value] if array else {"data": value}
    return value


STRINGS = (
    *("", " ", "null", "undefined", "<no value>", "{{host.name}}", "%s", "x", "0", "-1", "1e999", "NaN", "²", "1_0"),
    *("\ud800", "a\udfffb", "\0", "a\nb\r\nc", "\u202e", "١٢٣", "ß" * 300, "a" * 20_000, "[" * 3_000, "<" * 3_000),
    *("|" * 3_000, "{" * 2_000, "&lt;" * 500, "*_~`" * 500, " \t" * 2_000, "a," * 2_000, "(" * 500 + ")" * 500),
    *("{}", "[]", "{broken", '{"a": 1', "[1, 2]", '{"data": [{}]}', '"text"', "\\", "\\u0000", "'", "key=" * 500),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-01", "2026-03-01T14:02:11", "2026-02-30T00:00:00Z"),
    *("2026-03-01T14:02:11+99:99", "2026-03-01T14:02:11.1234567890123Z", "Sun, 01 Mar 2026 14:00:00 GMT", "14:02"),
    *("1772373731", "1772373731.5", "1772373731000000000", "9" * 400, "arn:aws:", "arn:aws:ecs:::", "a/b/c", "//", "/"),
    *("https://[broken", "http://x:99999/", "https://x/issues/", "://", "?a=b&c", "P9", "Sev9", "[FIRING:99] ", "[] x"),
    *("aGVsbG8=", "e30=", "////", "resolved", "OK", "firing", "critical", "closed", "-", ":", "a:b:c", "env:", ":prod"),
)
NUMBERS = (
    *(0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**25, 10**400, 0.1, -0.0, 1e308, 5e-324),
    *(float("nan"), float("inf"), float("-inf"), 1772373731, 1772373731000, 1772373731123456, 1e19, 1e21),
)
OTHERS = (None, True, False, [], {}, [[]], [{}], [None], {"": ""}, {"a": None}, [1, "a", None], {"value": {}})

values = st.one_of(
    st.sampled_from(OTHERS),
    st.sampled_from(STRINGS),
    st.sampled_from(NUMBERS),
    st.text(max_size=12),
    st.builds(deep, st.sampled_from([3, 11, 40, 600]), array=st.booleans()),
)
OPERATIONS = ("replace", "remove", "add", "list", "object", "text", "move", "repeat", "rename", "several")
mutations = st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 199), st.integers(0, 199), values)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every (holder, key) inside a JSON value."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        if len(str(key)) < 100:
            yield from places(value[key])


def mutated(record: Any, changes: list[tuple[str, int, int, Any]]) -> Any:
    """Return a record changed in a few places."""
    record = copy.deepcopy(record)
    for operation, at, other, value in changes:
        found = list(places(record))[:2_000]
        if not found:
            return copy.deepcopy(value)
        holder, key = found[at % len(found)]
        from_holder, from_key = found[other % len(found)]
        value = copy.deepcopy(value)
        if operation == "replace":
            holder[key] = value
        elif operation == "remove":
            del holder[key]
        elif operation == "add":
            holder.update({f"{other}": value}) if isinstance(holder, dict) else holder.insert(key, value)
        elif operation == "list":
            holder[key] = [holder[key]]
        elif operation == "object":
            holder[key] = {"value": holder[key]}
        elif operation == "text":
            holder[key] = json.dumps(holder[key])
        elif operation == "move":
            holder[key] = copy.deepcopy(from_holder[from_key])
        elif operation == "repeat":
            holder[key] = [copy.deepcopy(holder[key]) for _ in range(other % 5)]
        elif operation == "rename" and isinstance(holder, dict):
            name = from_key if isinstance(from_key, str) else str(value)[:40]
            holder[name] = holder.pop(key)
        elif operation == "several":
            for place, (inside, at_key) in enumerate(found):
                if place % 3 == other % 3:
                    inside[at_key] = value
    return record


@contextmanager
def guarded(what: Callable[[], object]) -> Iterator[None]:
    """Fail when what is done within takes long or much memory."""

    def stop(*_: object) -> None:
        raise AssertionError(f"took over {SECONDS} s: {str(what())[:2000]!r}")

    before = signal.signal(signal.SIGVTALRM, stop)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) // 1024
    assert more < MEGABYTES, f"took {more} MB: {str(what())[:2000]!r}"


def swallow(data: bytes, folder: str, name: str = "export.json", *, fold: bool = True, **options: Any) -> None:
    """Read bytes as an export: every record is counted, and its events can be folded."""
    path = Path(folder, name)
    path.write_bytes(data)
    with guarded(lambda: data):
        batches = list(map(counted, read_files(path, **options)))
        if (
            fold and zlib.crc32(data) % 8 == 0 and any(batch.table.num_rows for batch in batches)
        ):  # folding takes most time
            fold_events(events_of(*batches))


@pytest.fixture(scope="module")
def folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as made:
        yield made


@pytest.fixture
def inputs(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[int], None]]:
    """Return a function that counts inputs; their number is printed."""
    so_far = [0]

    def count(number: int) -> None:
        so_far[0] += number

    yield count
    with capsys.disabled():
        sys.stdout.write(f"\n{request.node.name}: {so_far[0]:,} inputs ")


@pytest.mark.parametrize("system", SYSTEMS)
def test_mutated_records_of(system: str, folder: str, inputs: Callable[[int], None]) -> None:
    kinds = [kind for kind in KINDS if kind.source == system]
    record = st.tuples(st.sampled_from(kinds), facts, st.lists(mutations, min_size=1, max_size=5))

    @fuzzed
    @given(
        told=st.lists(record, min_size=RECORDS, max_size=RECORDS),
        tz=st.sampled_from([None, "Europe/Berlin"]),
    )
    def run(told: list[Any], tz: str | None) -> None:
        inputs(len(told))
        documents = [mutated(kind.document(fact), changes) for kind, fact, changes in told]
        swallow(b"\n".join(json.dumps(document).encode() for document in documents), folder, tz=tz)

    run()


@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"{kind.source} {kind.shape}") for kind in KINDS])
def test_every_odd_value_in_every_place_of(kind: Any, folder: str) -> None:
    record = kind.document(Fact(1, 5, "cpu-high", firing=False))
    long = [[value] for value in STRINGS if len(value) > 60]
    short = [value for value in STRINGS if len(value) <= 60]
    for odd in ([*NUMBERS, *OTHERS, *short], *long):
        changed = []
        for value in odd:
            for place in range(sum(1 for _ in places(record))):
                changed.append(copy.deepcopy(record))
                holder, key = list(places(changed[-1]))[place]
                holder[key] = value
        swallow(b"\n".join(json.dumps(each).encode() for each in changed), folder, fold=False)


def test_mutated_spans(folder: str, inputs: Callable[[int], None]) -> None:
    record = st.tuples(st.sampled_from(SPANS), st.lists(mutations, min_size=1, max_size=5))

    @fuzzed
    @given(told=st.lists(record, min_size=RECORDS, max_size=RECORDS))
    def run(told: list[Any]) -> None:
        inputs(len(told))
        data = b"\n".join(json.dumps(mutated(span, changes)).encode() for span, changes in told)
        swallow(data, folder)
        spans(data, folder)

    run()


def spans(data: bytes, folder: str) -> None:
    """Read bytes as traces."""
    path = Path(folder, "traces")
    path.write_bytes(data)
    with guarded(lambda: data), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(LoadError):  # what a caller is told when there is no span
            read_spans(path)


# -- mutated bytes -----------------------------------------------------------------------------------------------------

cuts = st.lists(
    st.tuples(
        st.integers(0, 2**16), st.integers(0, 8), st.one_of(st.binary(max_size=6), st.sampled_from(SEEDS["tokens"]))
    ),
    max_size=6,
)
documents = st.lists(st.tuples(st.sampled_from(KINDS), facts), min_size=1, max_size=3)


def spoiled(data: bytes, changes: list[tuple[int, int, bytes]], end: int | None) -> bytes:
    changed = bytearray(data)
    for at, size, new in changes:
        at %= len(changed) + 1
        changed[at : at + size] = new
    return bytes(changed if end is None else changed[: end % (len(changed) + 1)])


ends = st.one_of(st.none(), st.integers(0, 2**16))


def bytes_of(what: str) -> st.SearchStrategy[bytes]:
    """Return exports of one kind, as bytes that are whole."""
    told = documents.map(lambda pairs: [kind.document(fact) for kind, fact in pairs])
    flat = st.tuples(st.sampled_from([kind for kind in KINDS if kind.flat]), st.lists(facts, min_size=1, max_size=4))
    rows = flat.map(lambda pair: [pair[0].make(fact) for fact in pair[1]])
    if what == "JSON":
        laid_out = st.sampled_from([bare, lines, lambda d: json.dumps(d, indent=1).encode("utf-16")])
        return st.one_of(st.builds(lambda d, layout: layout(d), told, laid_out), st.binary(max_size=40))
    if what == "CSV":
        return st.builds(table, rows, st.sampled_from([",", ";", "\t", "|"]))
    if what == "containers":
        packs = st.lists(st.sampled_from([*PACKED, *SEEDS["packs"]]), min_size=1, max_size=3)
        return st.builds(lambda d, how: packed(lines(d), how), told, packs)
    return st.sampled_from(SEEDS[what])


def packed(data: bytes, how: list[Callable[[bytes], bytes]]) -> bytes:
    for pack in how:
        data = pack(data)
    return data


@pytest.mark.parametrize("what", ["JSON", "CSV", "containers", "protobuf", "Arrow"])
def test_spoiled_bytes_of(what: str, folder: str, inputs: Callable[[int], None]) -> None:
    @bytewise
    @given(data=bytes_of(what), changes=cuts, end=ends)
    def run(data: bytes, changes: list[Any], end: int | None) -> None:
        inputs(1)
        broken = spoiled(data, changes, end)
        swallow(broken, folder, name="export.csv" if what == "CSV" else "export.json")
        if what == "protobuf":
            spans(broken, folder)

    run()
