from __future__ import annotations

import json
import math

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import LoadError, ParameterError, SchemaError, UnknownNameError

T0 = 1_772_359_200  # 2026-03-01 10:00 UTC


def answer(*series: tuple[dict[str, str], list[object]], step: int = 60) -> dict[str, object]:
    result = [
        {"metric": labels, "values": [[T0 + step * i, str(v)] for i, v in enumerate(values) if v is not None]}
        for labels, values in series
    ]
    return matrix(*result)


def matrix(*result: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(result)}}


def read(tmp_path, document: object, name: str = "a.json", **more: object) -> pd.DataFrame:
    (tmp_path / name).write_text(document if isinstance(document, str) else json.dumps(document))
    return sl.read_indicators(tmp_path / name, **more)


def counts(table: pd.DataFrame) -> list[list[float]]:
    return table[["covers_s", "good", "total"]].to_numpy().tolist()


TOTAL = {"__name__": "http_requests_total", "service": "shop"}


def test_counters_become_differences_and_status_codes_say_what_failed(tmp_path) -> None:
    ok, failed = TOTAL | {"code": "200"}, TOTAL | {"code": "503"}
    table = read(tmp_path, answer((ok, [10, 20, 40]), (failed, [0, 1, 1])))
    assert counts(table) == [[60, 10, 11], [60, 20, 20]]
    assert table["at"].iloc[0] == pd.Timestamp(T0 + 60, unit="s", tz="UTC")


def test_a_counter_that_falls_began_again_at_zero(tmp_path) -> None:
    table = read(tmp_path, answer((TOTAL, [10, 20, 5, 8])))
    assert table["total"].tolist() == [10, 5, 3]
    assert any("1 counter resets" in said for said in table.attrs["read"])


def test_a_missed_scrape_is_covered_by_the_next_difference(tmp_path) -> None:
    table = read(tmp_path, answer((TOTAL, [0, 10, None, 30, 40])))
    assert counts(table) == [[60, 10, 10], [120, 20, 20], [60, 10, 10]]


def test_a_missed_scrape_with_a_reset_was_not_seen(tmp_path) -> None:
    table = read(tmp_path, answer((TOTAL, [0, 50, None, None, 4, 9])))
    assert counts(table) == [[60, 50, 50], [60, 4, 4], [60, 5, 5]]
    assert "requests of shop: 2 min of 5 min were not seen" in table.attrs["read"]


def test_a_rate_stands_for_its_step_and_nan_was_not_seen(tmp_path) -> None:
    rate = {"__name__": "job:requests:rate5m", "service": "shop"}
    errors = {"__name__": "job:errors:rate5m", "service": "shop"}
    table = read(tmp_path, answer((rate, [2, "NaN", 2]), (errors, [0.5, "NaN", 0])))
    assert counts(table) == [[60, 90, 120], [60, 120, 120]]
    assert any("2 samples without a number" in said for said in table.attrs["read"])


def test_series_of_several_pods_add_up(tmp_path) -> None:
    table = read(tmp_path, answer((TOTAL | {"pod": "a"}, [0, 5]), (TOTAL | {"pod": "b"}, [100, 107])))
    assert table["total"].tolist() == [12]


def test_the_first_failure_of_a_new_series_counts(tmp_path) -> None:
    failed = TOTAL | {"code": "500"}
    table = read(tmp_path, answer((TOTAL | {"code": "200"}, [0, 9, 18, 27]), (failed, [None, None, 3, 3])))
    assert (table["total"] - table["good"]).tolist() == [0, 3, 0]


def test_buckets_become_a_histogram(tmp_path) -> None:
    bucket = {"__name__": "d_bucket", "service": "shop"}
    table = read(tmp_path, answer((bucket | {"le": "+Inf"}, [0, 10]), (bucket | {"le": "0.1"}, [0, 7])))
    assert (table["le"].iloc[0], table["below"].iloc[0]) == ([0.1, math.inf], [7.0, 10.0])
    assert table["total"].tolist() == [10]
    assert math.isnan(table["good"].iloc[0])


def test_a_metric_without_a_name_is_called_like_its_file_and_what_it_is_is_never_guessed(tmp_path) -> None:
    nameless = answer(({"service": "shop"}, [1, 2]))
    with pytest.raises(SchemaError, match=r"is 'requests' a counter, a rate or an increase\? Pass kind="):
        read(tmp_path, nameless, "requests.json")
    assert read(tmp_path, nameless, "requests.json", kind="increase")["total"].tolist() == [1, 2]


def test_labels_and_names_can_be_said(tmp_path) -> None:
    series = {"__name__": "x_total", "workload": "a"}
    with pytest.raises(SchemaError, match="pass service='label'"):
        read(tmp_path, answer((series, [1, 2])))
    table = read(tmp_path, answer((series, [1, 2])), service="workload", services={"a": "shop"})
    assert table["service"].tolist() == ["shop"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"status": "error", "error": "query timed out"}, "query timed out"),
        ({"data": {"resultType": "vector", "result": []}}, "resultType 'vector'"),
        ([1, 2], "no data.result"),
        ("{", "no JSON"),
        ("[" * 5000, "no JSON"),
        (matrix({"metric": TOTAL, "histograms": []}), "native histograms"),
        (matrix("x"), "has no labels"),
        (answer((TOTAL, ["x", "1"])), "a value is no"),
        (matrix({"metric": TOTAL, "values": [[2, "1"], [1, "1"]]}), "do not rise"),
        (matrix({"metric": TOTAL, "values": [[-5, "1"], [1, "1"]]}), "a time"),
        (answer((TOTAL | {"le": "x"}, [1, 2])), "label le"),
        (answer((TOTAL | {"le": "0.1"}, [1, 2])), r"no bucket le='\+Inf'"),
        (answer((TOTAL | {"service": "x" * 1000}, [1, 2])), "1,000 characters"),
        (answer(({"__name__": "errors_total", "service": "shop"}, [1, 2])), "only failures"),
        (answer(({"__name__": "a_rate", "service": "shop"}, [-1, 2])), "negative"),
        (answer((TOTAL, [1])), "no series has two samples"),
    ],
)
def test_hostile_or_useless_answers_are_refused_in_words(tmp_path, document: object, said: str) -> None:
    with pytest.raises((SchemaError, LoadError), match=said):
        read(tmp_path, document)


def test_csv_of_good_or_bad_and_gaps(tmp_path) -> None:
    text = "time,service,bad,requests\n2026-03-01T10:05Z,shop,1,10\n2026-03-01T10:10Z,shop,0,10\n"
    text += "2026-03-01T10:20Z,shop,,\n"
    table = read(tmp_path, text + "2026-03-01T10:25Z,shop,2,10\n", "a.csv")
    assert counts(table) == [[300, 9, 10], [300, 10, 10], [300, 8, 10]]
    assert "a.csv: 1 rows without a count: not seen, so neither good nor bad" in table.attrs["read"]
    assert "requests of shop: 10 min of 25 min were not seen" in table.attrs["read"]


def test_stamps_may_be_starts(tmp_path) -> None:
    text = "at,service,good,total\n2026-03-01T10:00Z,shop,1,1\n2026-03-01T10:05Z,shop,1,1\n"
    table = read(tmp_path, text, "a.csv", stamp="start")
    assert table["at"].iloc[0] == pd.Timestamp("2026-03-01T10:05Z")


def test_a_time_without_a_zone_is_refused_until_it_is_said(tmp_path) -> None:
    text = "at,service,good,total\n2026-03-01 10:00,shop,1,1\n2026-03-01 10:05,shop,1,1\n"
    with pytest.raises(SchemaError, match="no zone; pass tz='UTC'"):
        read(tmp_path, text, "a.csv")
    assert read(tmp_path, text, "a.csv", tz="Asia/Tokyo")["at"].iloc[0] == pd.Timestamp("2026-03-01T01:00Z")
    with pytest.raises(ParameterError, match="tz='Mars/Base'"):
        read(tmp_path, text, "a.csv", tz="Mars/Base")


def test_buckets_of_a_csv_in_columns_and_in_rows(tmp_path) -> None:
    wide = "at,service,le_0.1,le_inf\n1772359200,shop,7,10\n1772359500,shop,8,8\n"
    rows = ("1772359200,shop,0.1,7", "1772359200,shop,+Inf,10", "1772359500,shop,0.1,8", "1772359500,shop,+Inf,8")
    long = "\n".join(["at,service,le,below", *rows])
    pd.testing.assert_frame_equal(read(tmp_path, wide, "a.csv"), read(tmp_path, long, "b.csv"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1772359200,shop,11,10\n1772359500,shop,1,1", "more good than total"),
        ("1772359200,shop,-1,10\n1772359500,shop,1,1", "good is no count"),
        ("1772359200,shop,x,10\n1772359500,shop,1,1", "no number"),
        ("1772359200,shop,1,1\n1772359200,shop,1,1\n1772359500,shop,1,1", "add them up first"),
        ("yesterday,shop,1,1\n1772359500,shop,1,1", "no time"),
        ("1772359200,shop,inf,inf\n1772359500,shop,1,1", "no number"),
        ("1772359200,shop,1,1", "pass step='5min'"),
    ],
)
def test_counts_that_cannot_be_are_refused(tmp_path, rows: str, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        read(tmp_path, f"at,service,good,total\n{rows}\n", "a.csv")


def test_columns_can_be_said_and_unknown_ones_are_named(tmp_path) -> None:
    text = "when,svc,fine,all\n1772359200,shop,1,1\n1772359500,shop,1,1\n"
    with pytest.raises(SchemaError, match="no column 'at'"):
        read(tmp_path, text, "a.csv")
    columns = {"when": "at", "svc": "service", "fine": "good"}
    assert read(tmp_path, text, "a.csv", columns=columns)["good"].tolist() == [1, 1]
    with pytest.raises(UnknownNameError, match="did you mean 'when'"):
        read(tmp_path, text, "a.csv", columns={"wen": "at"})


def test_parquet_round_trip_is_exact(tmp_path) -> None:
    text = "at,service,le_0.1,le_inf,good\n1772359200,shop,7,10,9\n1772359500,shop,8,8,8\n"
    table = read(tmp_path, text, "a.csv")
    table.to_parquet(tmp_path / "b.parquet")
    again = sl.read_indicators(tmp_path / "b.parquet")
    assert again.drop(columns=["le", "below"]).equals(table.drop(columns=["le", "below"]))
    assert [list(row) for row in again["below"]] == [list(row) for row in table["below"]]


def test_nothing_there_is_said(tmp_path) -> None:
    for path in (tmp_path, tmp_path / "no.csv", tmp_path / "a.txt"):
        with pytest.raises(LoadError):
            sl.read_indicators(path)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1nonsense")
    with pytest.raises(LoadError, match="no Parquet"):
        sl.read_indicators(tmp_path / "bad.parquet")
