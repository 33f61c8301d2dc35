from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError
from tests.report.page import Page, alerts


def test_a_target_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path))):
        sl.write_report(tmp_path, alerts=alerts(["a", "b"]))
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "new"))):
        sl.write_report(tmp_path / "new" / "r.html", alerts=alerts(["a", "b"]))

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]))
    assert list(tmp_path.iterdir()) == []


def test_same_input_same_bytes(tmp_path: Path) -> None:
    first, second = (sl.write_report(tmp_path / name, alerts=alerts(["a", "b"])) for name in ("1.html", "2.html"))
    assert first.read_bytes() == second.read_bytes()


def test_a_refused_report_leaves_the_old_one(tmp_path: Path) -> None:
    path = sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]))
    before = path.read_bytes()
    with pytest.raises(SchemaError, match="'service' is missing"):
        sl.write_report(path, alerts=pd.DataFrame({"starts_at": []}))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]


def test_half_a_character_does_not_break_a_page(tmp_path: Path) -> None:
    page = Page(sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]), notes=["odd \ud800 note"]))
    assert "odd ? note" in page.words


def test_text_of_the_page_can_be_read_on_its_paper() -> None:
    """WCAG AA: 4.5 to 1, light and dark."""
    style = (Path(sl.__path__[0]) / "report" / "page.css").read_text(encoding="utf-8")
    looks = [dict(re.findall(r"--(\w+): (#\w+)", rules)) for rules in re.findall(r":root \{([^}]+)\}", style)]
    assert len(looks) == 2
    for look in looks:
        light = {name: luminance(colour) for name, colour in look.items()}
        for paper in ("paper", "soft"):
            for text in ("ink", "faint", "link"):
                high, low = sorted((light[paper], light[text]), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (text, paper)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
