from __future__ import annotations

import datetime as dt
import gzip
import io
import json
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.loaders import _arrow, _lines, _text_lines
from stanza_lab.loaders._decoding import Document, documents

TIME = "2026-03-01T14:02:11Z"


def decode(export: bytes | str) -> list:
    """Return each row as (locator, values), each broken piece as (locator, reason)."""
    data = export.encode() if isinstance(export, str) else export
    pieces = documents(io.BufferedReader(io.BytesIO(data)), ("data",))
    return [(p.locator, list(p.value.values()) if isinstance(p, Document) else p.reason) for p in pieces]


def records(export: bytes | str) -> list:
    """Return the value of each document."""
    data = export.encode() if isinstance(export, str) else export
    return [piece.value for piece in documents(io.BufferedReader(io.BytesIO(data)), ("data",))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: ("\n\n" + text).encode(),
        lambda text: text.removesuffix("\n").encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-be", "cp1252", "crlf", "cr", "blank lines before", "no newline at the end"],
)
def test_rows_in_any_dialect(delimiter, encode) -> None:
    lines = [["time", "Title", "load"], [TIME, "über 5", "1"], ["2026-03-01T14:03:00Z", "down", ""]]
    text = "".join(delimiter.join(line) + "\n" for line in lines)
    assert records(encode(text)) == [
        {"time": TIME, "Title": "über 5", "load": "1"},
        {"time": "2026-03-01T14:03:00Z", "Title": "down", "load": ""},
    ]


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        # quotes, delimiters and line ends inside a cell; the line is where the row begins
        (
            f'time,title\n{TIME},"a, ""b""\n\nc"\n{TIME},d\n',
            [("line 2", [TIME, 'a, "b"\n\nc']), ("line 5", [TIME, "d"])],
        ),
        (f'time,title\n{TIME},"say \\"hi\\", he"\n', [("line 2", [TIME, 'say "hi", he'])]),
        (
            f"time;load;title\n{TIME};1,5;a, b\n{TIME};2,5;c, d\n",
            [("line 2", [TIME, "1,5", "a, b"]), ("line 3", [TIME, "2,5", "c, d"])],
        ),
        (f'time\ttitle\n{TIME}\t"5" disk\n{TIME}\tb\n', [("line 2", [TIME, '"5" disk']), ("line 3", [TIME, "b"])]),
        (f"sep=;\ntime;title\n{TIME};a\n", [("line 3", [TIME, "a"])]),
        (f"time,title,\n{TIME},a,\n", [("line 2", [TIME, "a", ""])]),
        (f"time,title\n{TIME},a,,\n\n,\n{TIME},b\n", [("line 2", [TIME, "a"]), ("line 5", [TIME, "b"])]),
        ("time,title\n1772373731,a\n", [("line 2", ["1772373731", "a"])]),
    ],
)
def test_cells_are_read_as_they_were_meant(export, expected) -> None:
    assert decode(export) == expected


def test_headers_are_kept_and_those_that_come_again_numbered() -> None:
    assert records(f"time,Title,Title,, Title \n{TIME},a,b,c,d\n") == [
        {"time": TIME, "Title": "a", "Title (2)": "b", "column 4": "c", "Title (3)": "d"}
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (f"{TIME},a\n{TIME},b,c\n{TIME}\n{TIME},d\n", [[TIME, "a"], "ragged_row", "ragged_row", [TIME, "d"]]),
        (f"{TIME},a\n{TIME}", [[TIME, "a"], "truncated_row"]),
        (f'{TIME},a\n{TIME},"b\nc', [[TIME, "a"], "truncated_row"]),
        # a quote that is not closed costs its row only
        (f'{TIME},a\n{TIME},"b\n{TIME},c\n{TIME},d\n', [[TIME, "a"], "truncated_row", [TIME, "c"], [TIME, "d"]]),
        (f'{TIME},a\n{TIME},"b"x\n{TIME},c\n', [[TIME, "a"], "bad_row", [TIME, "c"]]),
    ],
)
def test_a_row_that_breaks_is_one_piece_and_the_others_are_read(rows, expected) -> None:
    assert [piece for _, piece in decode(f"time,title\n{TIME},first\n{TIME},second\n{rows}")][2:] == expected


def test_pieces_that_break_say_where_and_what() -> None:
    pieces = list(documents(io.BufferedReader(io.BytesIO(f"time,title\n{TIME},a\n{TIME},b,c\n".encode())), ()))
    assert (pieces[1].locator, pieces[1].raw) == ("line 3", f"{TIME},b,c\n")
    assert pieces[1].message == "the row in line 3 has 3 fields, the header has 2; correct the row"


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        ("id,title\n1,high\n2,low\n", "not_json"),  # nothing has a time: not an alert export
        ("service,team\na,b\n", "not_json"),
        ("Dear all, hello\nwe met at noon, all of us\nand left, late\n", "not_json"),
        ("2026-03-01 14:02:11,123 ERROR out of memory\n2026-03-01 14:02:12,456 INFO ok\n", "not_json"),
        (f"{TIME},high CPU,firing\n{TIME},high CPU,resolved\n", "not_json"),  # no header
        ("just one line, of prose", "not_json"),
        ("time,title\n", "empty_table"),
        ("incident_id,start,end", "empty_table"),
        ("time\n2026-03-01T14:02:11Z\n", "not_json"),
        ("t,\x00title\n1,2\n", "not_text"),
    ],
)
def test_what_is_no_table_of_alerts_is_one_piece(export, reason) -> None:
    [(_, piece)] = decode(export)
    assert piece == reason


def test_prose_keeps_its_message() -> None:
    [piece] = documents(io.BufferedReader(io.BytesIO(b"# Alerts\n\nSee the wiki.\n")), ())
    assert piece.message == "not JSON, so nothing was read from it; fine unless it is an alert export"


def test_lines_of_json_behind_a_line_of_text_stay_documents() -> None:
    _, *rest = documents(io.BufferedReader(io.BytesIO(b'# exported, by hand\n{"a": 1}\n{"a": 2}\n')), ())
    assert [piece.value for piece in rest] == [{"a": 1}, {"a": 2}]


def test_row_in_another_encoding_is_refused_not_misread() -> None:
    export = f"time,title\n{TIME},über\n".encode() + f"{TIME},\xfcber\n{TIME},c\n".encode("latin-1")
    assert decode(export) == [("line 2", [TIME, "über"]), ("line 3", "not_text"), ("line 4", [TIME, "c"])]


def test_long_cells_are_read_and_endless_ones_refused(monkeypatch) -> None:
    assert [len(row["title"]) for row in records(f"time,title\n{TIME},{'x' * 300_000}\n")] == [300_000]
    monkeypatch.setattr(_text_lines, "MAX_RECORD", 1_000)
    good = f"{TIME},a\n" * 20
    pieces = decode(f'time,title\n{good}{TIME},"' + "x\n" * 1_000 + f"{TIME},b\n")
    assert [pieces[19], pieces[20], pieces[-1]] == [
        ("line 21", [TIME, "a"]),
        ("line 22", "bad_row"),
        ("line 1022", [TIME, "b"]),
    ]


def test_gzip_that_breaks_off_keeps_the_rows_before() -> None:
    text = "time,title\n" + "".join(f"{TIME},{i * 7919**7:064d}\n" for i in range(40_000))
    packed = gzip.compress(text.encode())
    pieces = list(documents(gzip.GzipFile(fileobj=io.BytesIO(packed[:-5_000])), ()))
    assert sum(isinstance(piece, Document) for piece in pieces) > 30_000
    assert pieces[-1].reason == "broken_archive"


def test_dates_of_a_column_tell_their_order() -> None:
    export = "at,due,title\n05/06/2026 14:02,05/06/2026,a\n14/05/2026 14:02,05/31/2026,b\n"
    assert [piece.hints for piece in documents(io.BufferedReader(io.BytesIO(export.encode())), ())] == [
        {"at": "day", "due": "month"}
    ] * 2


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), min_size=2, max_size=2), min_size=1))
def test_any_cells_that_csv_writes_come_back(cells) -> None:
    rows = pd.DataFrame([{"time": TIME, "title": title, "note": note} for title, note in cells])
    assert records(rows.to_csv(index=False)) == rows.to_dict("records")


@given(st.binary(max_size=200))
def test_any_bytes_behind_a_table_lose_no_row(rubbish) -> None:
    export = "time,title\n" + f"{TIME},a\n" * 200
    pieces = decode(export.encode() + rubbish.replace(b"\0", b""))
    assert pieces[:200] == [(f"line {line}", [TIME, "a"]) for line in range(2, 202)]


def parquet(table: pa.Table, **options) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def arrow(table: pa.Table, new=pa.ipc.new_file) -> bytes:
    sink = io.BytesIO()
    with new(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue()


AT = dt.datetime(2026, 3, 1, 14, 2, 11, 123_000, tzinfo=dt.UTC)
TABLE = pa.table(
    {
        "zoned": pa.array([AT], pa.timestamp("ns", "Europe/Berlin")),
        "naive": pa.array([AT.replace(tzinfo=None)], pa.timestamp("ms")),
        "day": pa.array([AT.date()]),
        "state": pa.array(["open"]).dictionary_encode(),
        "tags": pa.array([["a", "b"]]),
        "labels": pa.array([{"x": 1, "at": AT}]),
        "map": pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
        "blob": pa.array([b"\x00\x01"]),
        "price": pa.array([Decimal("1.50")]),
        "load": pa.array([float("nan")]),
        "count": pa.array([2**63], pa.uint64()),
        "took": pa.array([dt.timedelta(seconds=90)]),
        "none": pa.array([None]),
    }
)
VALUES = {
    "zoned": "2026-03-01T15:02:11.123000+01:00",
    "naive": "2026-03-01T14:02:11.123000",
    "day": "2026-03-01",
    "state": "open",
    "tags": ["a", "b"],
    "labels": {"x": 1, "at": "2026-03-01T14:02:11.123000+00:00"},
    "map": {"k": "v"},
    "blob": None,
    "price": 1.5,
    "load": None,
    "count": 2**63,
    "took": 90.0,
    "none": None,
}


@pytest.mark.parametrize(
    "export",
    [parquet(TABLE), arrow(TABLE), arrow(TABLE, pa.ipc.new_stream), gzip.compress(parquet(TABLE))],
    ids=["parquet", "arrow file", "arrow stream", "parquet in gzip"],
)
def test_rows_of_parquet_and_arrow_are_json(export, tmp_path) -> None:
    path = tmp_path / "t"
    path.write_bytes(export)
    packed = export[:2] == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as stream:
        [document] = documents(stream, ())
    assert (document.locator, document.value) == ("row 1", VALUES)
    assert json.loads(json.dumps(document.value)) == VALUES


def test_rows_are_numbered_across_batches_and_row_groups() -> None:
    table = pa.table({"time": [TIME] * 7, "n": list(range(7))})
    for export in (parquet(table, row_group_size=3), arrow(table), arrow(table, pa.ipc.new_stream)):
        assert decode(export) == [(f"row {n + 1}", [TIME, n]) for n in range(7)]


def test_row_group_that_is_broken_costs_itself_only() -> None:
    table = pa.table({"time": [f"{n:064d}" for n in range(3_000)]})
    export = bytearray(parquet(table, row_group_size=1_000, compression="gzip", use_dictionary=False))
    offset = pq.ParquetFile(io.BytesIO(export)).metadata.row_group(1).column(0).data_page_offset
    export[offset + 40 : offset + 400] = bytes(360)
    pieces = decode(bytes(export))
    assert [locator for locator, piece in pieces if piece == "broken_table"] == ["row 1001"]
    assert len(pieces) == 2_001
    assert pieces[-1] == ("row 3000", [f"{2999:064d}"])


@pytest.mark.parametrize(
    "export", [parquet(TABLE)[:-20], arrow(TABLE)[:-20], b"PAR1", b"ARROW1", b"\xff\xff\xff\xff\xff"]
)
def test_file_that_is_cut_short_is_one_clear_piece(export) -> None:
    [(_, piece)] = decode(export)
    assert piece == "broken_table"


def test_arrow_stream_that_is_cut_short_keeps_its_batches() -> None:
    export = arrow(pa.table({"time": [TIME] * 6}), pa.ipc.new_stream)
    pieces = decode(export[: len(export) - 60])
    assert pieces[:2] == [("row 1", [TIME]), ("row 2", [TIME])]
    assert pieces[-1][1] == "broken_table"


def test_parquet_in_an_archive_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(_lines, "MAX_DOCUMENT", 100)
    assert decode(parquet(TABLE)) == [("", "too_large")]


@given(st.binary(max_size=300), st.integers(0, 2_000))
def test_parquet_with_other_bytes_in_it_raises_nothing(rubbish, at) -> None:
    export = bytearray(parquet(pa.table({"time": [TIME] * 50})))
    export[at + 4 : at + 4 + len(rubbish)] = rubbish
    decode(bytes(export))


def test_frames_of_any_kind_give_the_same_rows() -> None:
    import duckdb

    frame = pd.DataFrame({"time": pd.to_datetime([TIME], utc=True), "title": ["a"], "n": [1]})
    table = pa.Table.from_pandas(frame)
    for each in (
        frame,
        table,
        table.to_reader(),
        duckdb.from_arrow(table).project("time at time zone 'UTC' t, title, n"),
    ):
        [document] = _arrow.from_frame(each)
        assert document.locator == "row 1"
        assert next(iter(document.value.values())).startswith("2026-03-01T14:02:11")
        assert list(document.value.values())[1:] == ["a", 1]


def test_frame_of_mixed_types_is_read() -> None:
    frame = pd.DataFrame({"time": [pd.Timestamp(TIME), pd.NaT], "id": [1, "a"], "n": [float("nan"), 2.0]})
    assert [document.value for document in _arrow.from_frame(frame)] == [
        {"time": "2026-03-01T14:02:11+00:00", "id": 1, "n": None},
        {"time": None, "id": "a", "n": 2.0},
    ]


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="frame=int is no data frame"):
        list(_arrow.from_frame(3))
