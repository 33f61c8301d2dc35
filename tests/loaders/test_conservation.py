"""No record is lost, and neither order, files nor containers change what the alerts are."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import History, fold_events
from stanza_lab.loaders import read_files, registry
from tests.loaders.exports import EPOCH, LAYOUTS, PACKED, array, bare, documents_of, dumped, lines, pretty, wrapped
from tests.loaders.exports_all import counted, events_of, mixes

layouts = st.sampled_from(LAYOUTS)
packed = st.sampled_from(PACKED)
# Folder for the files of one example: the fixture `tmp_path` is one for all of them.
scratch = tempfile.TemporaryDirectory


def read(paths: Any, **options: Any) -> pd.DataFrame:
    """Return the events in files; on the way every batch is counted."""
    return events_of(*map(counted, read_files(paths, **options)))


def written(folder: str | Path, files: Iterable[bytes]) -> list[Path]:
    paths = []
    for number, data in enumerate(files):
        paths.append(Path(folder, f"{number:03}.json"))
        paths[-1].write_bytes(data)
    return paths


def same(alerts: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(alerts, expected, check_categorical=False)


# -- generated mixes of all systems ------------------------------------------------------------------------------------


@given(told=mixes, layout=layouts, pack=packed)
@settings(max_examples=40)
def test_every_record_ends_as_event_or_ignored(told, layout, pack) -> None:
    documents = documents_of(told)
    with scratch() as folder:
        [path] = written(folder, [pack(layout(documents))])
        [batch] = map(counted, read_files(path))
        assert batch.rejected["message"].tolist() == []
        assert batch.records >= len(documents)


@given(told=mixes, data=st.data())
@settings(max_examples=40)
def test_order_files_containers_and_repetition_do_not_change_the_alerts(told, data) -> None:
    documents = documents_of(told)
    expected = data.draw(st.permutations(documents))
    again = data.draw(st.lists(st.sampled_from(documents), max_size=8))
    shuffled = data.draw(st.permutations([*documents, *again]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    parts = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    files = [data.draw(packed)(data.draw(layouts)(part)) for part in parts if part]
    files += data.draw(st.lists(st.sampled_from(files), max_size=2))
    with scratch() as one, scratch() as other:
        whole = fold_events(read(written(one, [lines(expected)])))
        same(fold_events(read(written(other, files))), whole)


@given(told=mixes)
@settings(max_examples=30)
def test_pages_of_the_vendors_do_not_change_the_alerts(told) -> None:
    kinds = {(kind.source, kind.shape): kind for kind, _ in told}
    pages = [kind.page([k.document(fact) for k, fact in told if k == kind]) for kind in kinds.values()]
    with scratch() as folder:
        one, *others = written(folder, [lines(documents_of(told)), *map(dumped, pages)])
        same(fold_events(read(others)), fold_events(read(one)))


@given(told=mixes, more=mixes, layout=layouts)
@settings(max_examples=12)
def test_history_accounts_for_every_record_and_a_second_ingest_adds_nothing(told, more, layout) -> None:
    with scratch() as folder, scratch() as kept, scratch() as turned:
        first, second = written(folder, [layout(documents_of(told)), lines(documents_of([*told, *more]))])
        history = History(kept)
        for path in (first, second):
            adds_up(history.ingest(path))
        alerts, facts = history.alerts(), history.events()
        same(alerts, fold_events(read([first, second])))

        again = history.ingest([second, first, second])
        adds_up(again)
        assert (again.events, again.new_alerts) == (0, 0)
        same(history.alerts(), alerts)
        assert len(history.events()) == len(facts)

        other = History(turned)
        adds_up(other.ingest([second, first]))
        same(other.alerts(), alerts)


def adds_up(report: Any) -> None:
    assert report.records == report.events + report.duplicates + sum(report.ignored.values()) + len(report.rejected)
    table = report.by_file
    ends = table["events"] + table["duplicates"] + table["ignored"] + table["rejected"]
    assert table["records"].tolist() == ends.tolist()
    assert table["records"].sum() == report.records


@given(told=mixes, layout=st.sampled_from([bare, lines, pretty, array]), data=st.data())
@settings(max_examples=60)
def test_a_cut_anywhere_loses_no_record_before_it(told, layout, data) -> None:
    documents = documents_of(told)
    whole = layout(documents)
    cut = data.draw(st.integers(0, len(whole)))
    complete = [n for n in range(1, len(documents) + 1) if len(ended(layout, documents[:n])) <= cut]
    before = documents[: complete[-1]] if complete else []
    with scratch() as folder:
        short, full = written(folder, [whole[:cut], lines(before)])
        expected = seen(read(full)) if before else []
        assert seen(read(short))[: len(expected)] == expected


def ended(layout: Any, documents: list[Any]) -> bytes:
    """Return the bytes up to the end of the last document, without what only follows it."""
    return layout(documents).rstrip(b"\n").removesuffix(b"]" if layout is array else b"")


def seen(events: pd.DataFrame) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in events.itertuples(index=False)]


@given(told=mixes, layout=layouts, pack=packed, data=st.data())
@settings(max_examples=60)
def test_corrupt_bytes_never_raise_and_all_is_counted(told, layout, pack, data) -> None:
    export = bytearray(pack(layout(documents_of(told))))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(export) - 1))
        export[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    with scratch() as folder:
        fold_events(read(written(folder, [bytes(export)])))


# -- the real samples --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(shared) -> list[Path]:
    found = sorted(p for p in (shared / "formats" / "samples").rglob("*") if p.is_file() and p.suffix != ".md")
    assert len(found) > 80
    return found


@pytest.mark.parametrize("seed", range(2))
def test_samples_split_shuffled_and_repeated_give_the_same_alerts(samples, shared, tmp_path, seed) -> None:
    root, rng = shared / "formats" / "samples", random.Random(seed)
    whole, parts = [], []
    for sample in samples:
        place = sample.relative_to(root)  # its folder may name a channel
        for part, data in enumerate(turned(sample, rng)):
            path = tmp_path / str(part) / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        whole.append(read(sample, tz="UTC"))
        parts.append(read(sorted(tmp_path.glob(f"*/{place}")), tz="UTC"))
        assert set(parts[-1]["event_id"]) == set(whole[-1]["event_id"]), place
    same(fold_events(pd.concat(parts)), fold_events(pd.concat(whole)))


def test_samples_in_wrappers_give_the_same_alerts(samples, tmp_path) -> None:
    whole, parts = [], []
    for number, sample in enumerate(samples):
        events = read(sample, tz="UTC")
        # What has no time of its own has that of the wrapper, and the folder of a Slack export names the channel.
        if sample.suffix == ".csv" or "slack" in sample.parts or (events["time_source"] != "event").any():
            continue
        path = tmp_path / f"{number}.json"
        path.write_bytes(lines([wrapped(document, EPOCH) for document in pieces(sample)]))
        whole.append(events)
        parts.append(read(path, tz="UTC"))
        assert set(parts[-1]["event_id"]) == set(events["event_id"]), sample
    same(fold_events(pd.concat(parts)), fold_events(pd.concat(whole)))


def test_history_of_all_samples_counts_each_record_once(samples, tmp_path) -> None:
    first, other = History(tmp_path / "first"), History(tmp_path / "other")
    report = first.ingest(samples, tz="UTC")
    adds_up(report)
    again = first.ingest(samples, tz="UTC")
    adds_up(again)
    assert (again.records, again.events, again.new_alerts) == (report.records, 0, 0)
    turned_round = random.Random(0).sample(samples, len(samples))
    for some in (turned_round[::2], turned_round[1::2]):
        adds_up(other.ingest(some, tz="UTC"))
    same(other.alerts(), first.alerts())


def turned(sample: Path, rng: random.Random) -> Iterator[bytes]:
    """Yield a sample as files of a few of its records each, in another order, some twice."""
    if sample.suffix == ".csv":
        header, *rows = sample.read_text("utf-8-sig").splitlines(keepends=True)
        yield "".join([header, *rng.sample(rows, len(rows)), *rng.choices(rows, k=2)]).encode()
        return
    documents = list(pieces(sample)) or [[]]
    documents += rng.choices(documents, k=2)
    rng.shuffle(documents)
    size = rng.randint(1, 4)
    for start in range(0, len(documents), size):
        yield lines(documents[start : start + size])


def pieces(sample: Path) -> Iterator[Any]:
    """Yield the documents of a sample: lines, elements of an array, pages of one record each."""
    text = sample.read_text("utf-8-sig")
    try:
        documents = [json.loads(text)]
    except json.JSONDecodeError:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    for document in documents:
        members = document.items() if isinstance(document, dict) else ()
        lists = [key for key, value in members if key in registry.PAGES and isinstance(value, list)]
        if isinstance(document, list):
            yield from document
        elif len(lists) == 1 and document[lists[0]]:
            yield from ({**document, lists[0]: [record]} for record in document[lists[0]])
        else:
            yield document
