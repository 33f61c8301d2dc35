from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from stanza_lab.cli.output import Format, emit, format_of, plain
from stanza_lab.errors import ParameterError

FRAME = pd.DataFrame(
    {
        "at": pd.to_datetime(["2026-03-01T14:02:00Z", None]).astype("datetime64[us, UTC]"),
        "summary": ["=HYPERLINK(1)", "[bold]red[/bold] \x1b]0;owned\x07 alert"],
        "services": [["a", "b"], []],
        "confidence": [0.81234, None],
    }
)


def test_table_shows_untrusted_text_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    emit(FRAME, format=Format.table, out=None, title="[red]alerts[/red]")
    shown = capsys.readouterr().out
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "[bold]red[/bold]" in shown.replace("\n", "")
    assert "[red]alerts[/red]" in shown


def test_table_says_how_many_rows_it_does_not_show(capsys: pytest.CaptureFixture[str]) -> None:
    emit(pd.concat([FRAME] * 3), format=Format.table, out=None, title="t", limit=4)
    assert "2 more rows; --limit 0 shows all" in capsys.readouterr().out


def test_json_is_rows_with_nulls_lists_and_zoned_times(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    emit(FRAME, format=Format.json, out=None, title="")
    rows = json.loads(capsysbinary.readouterr().out)
    assert rows[0] == {
        "at": "2026-03-01T14:02:00Z",
        "summary": "=HYPERLINK(1)",
        "services": ["a", "b"],
        "confidence": 0.81234,
    }
    assert rows[1]["at"] is None
    assert rows[1]["confidence"] is None


def test_csv_takes_formulas_apart(tmp_path: Path) -> None:
    emit(FRAME, format=Format.csv, out=tmp_path / "a.csv", title="")
    back = pd.read_csv(tmp_path / "a.csv")
    assert back["summary"][0] == "'=HYPERLINK(1)"
    assert back["services"][0] == "a;b"


def test_parquet_goes_to_a_file_only(tmp_path: Path) -> None:
    emit(FRAME, format=Format.parquet, out=tmp_path / "a.parquet", title="")
    assert len(pd.read_parquet(tmp_path / "a.parquet")) == 2
    with pytest.raises(ParameterError, match=r"add --out FILE\.parquet"):
        emit(FRAME, format=Format.parquet, out=None, title="")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.81234, "0.812"),
        (1.0, "1"),
        (-0.0, "0"),
        (12345.6, "12,346"),
        (float("nan"), ""),
        (None, ""),
        (pd.NaT, ""),
        (["a", "b"], "a, b"),
        ("two\nlines\u202e", "two lines\N{REPLACEMENT CHARACTER}"),
        (pd.Timestamp("2026-03-01T14:02:00Z"), "2026-03-01 14:02Z"),
        (7, "7"),
    ],
)
def test_plain_text_of_a_value(value: object, text: str) -> None:
    assert plain(value) == text


def test_format_follows_the_choice_then_the_name_of_the_file() -> None:
    assert format_of(None, None) is Format.table
    assert format_of(None, Path("a.CSV")) is Format.csv
    assert format_of(Format.json, Path("a.csv")) is Format.json
    assert format_of(None, Path("notes.txt")) is Format.table
    with pytest.raises(ParameterError, match=r"--out a\.xlsx: files are \.csv"):
        format_of(None, Path("a.xlsx"))


def test_spare_columns_go_first_and_nothing_wraps(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    wide = pd.DataFrame({"id": [1], "spare": ["x" * 30], "words": ["y" * 90]})
    emit(wide, format=Format.table, out=None, title="t", spare=["spare"])
    shown = capsys.readouterr().out
    assert "x" not in shown.replace("not shown for want of width: spare", "")
    assert max(map(len, shown.splitlines())) <= 50
    assert "not shown for want of width: spare" in shown
