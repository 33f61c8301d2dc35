"""Reactions against page and recovery: each firing is a line, false and blocked ones are seen, no name is markup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from stanza_lab.patterns.reactions import ReactionBacktest

DAYS = pd.date_range("2026-03-01T14:00Z", periods=8, freq="D")


def tried(folder: Path, *, name: str = "Restart", more: str = "", alerts: int = 8) -> ReactionBacktest:
    severity = ["critical"] * 6 + ["warning"] * 2
    history = pd.DataFrame({
        "starts_at": DAYS, "ends_at": DAYS + pd.Timedelta("30min"), "service": "db", "severity": severity,
        "incident_id": range(8), "source": "datadog",
    }).head(alerts)  # fmt: skip
    path = folder / "x.yaml"
    path.write_text(
        f"team: shop\nreactions:\n  - {{name: '{name}', action: restart, when: {{service: db}}, command: c, "
        f"risk: low, effect: 5min{more}}}\n",
        encoding="utf-8",
    )
    return sl.backtest(path, history)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(one for one in figure.data if one.name == name)


def test_a_line_per_firing_and_false_ones_are_crosses(tmp_path: Path) -> None:
    figure = sl.plot.reaction_backtest(tried(tmp_path))
    assert figure.layout.title.text == "1 reaction would have fired 8 times: 2 false triggers, 0 blocked"
    assert len(trace(figure, "right").x) == 6
    assert len(trace(figure, "false trigger").x) == 2
    assert trace(figure, "false trigger").marker.symbol == "x"
    assert len(trace(figure, "first page").x) == 6
    assert set(trace(figure, "right").x) == {0.0}
    rows = [y for name in ("right", "false trigger") for y in trace(figure, name).y]
    assert len(set(rows)) == 8


def test_saved_runs_from_the_effect_time_to_recovery(tmp_path: Path) -> None:
    saved = trace(sl.plot.reaction_backtest(tried(tmp_path)), "saved at most")
    assert saved.x[:2] == pytest.approx([np.log1p(5), np.log1p(30)])
    assert saved.x.size == 6 * 3  # two ends and a gap


def test_blocked_ones_are_hollow_and_many_are_counted(tmp_path: Path) -> None:
    result = tried(tmp_path, more=", guardrails: {cool_down: 25h}")
    figure = sl.plot.reaction_backtest(result, top=3)
    assert trace(figure, "blocked").marker.symbol == "square-open"
    drawn = sum(len(trace(figure, name).x) for name in ("right", "false trigger", "blocked"))
    assert drawn == 3
    assert min(len(trace(figure, name).x) for name in ("false trigger", "blocked")) > 0
    assert "not drawn: 5 more triggers" in figure.layout.annotations[0].text


def test_a_reader_who_cannot_see_it_hears_it(tmp_path: Path) -> None:
    said = sl.plot.reaction_backtest(tried(tmp_path)).layout.meta["description"]
    assert "Restart (shop): not sure: half may be without a page" in said
    assert "0 (no effect) to" in said


def test_none_and_one_are_figures_too(tmp_path: Path) -> None:
    assert "0 times" in sl.plot.reaction_backtest(tried(tmp_path, alerts=0)).layout.title.text
    assert "needs 5 firings, has 1" in sl.plot.reaction_backtest(tried(tmp_path, alerts=1)).layout.annotations[1].text
    path = tmp_path / "none.yaml"
    path.write_text("team: shop\nreactions: []\n", encoding="utf-8")
    nothing = sl.backtest(path, pd.DataFrame({"starts_at": DAYS, "service": "db", "incident_id": -1}))
    assert sl.plot.reaction_backtest(nothing).layout.title.text.startswith("0 reactions")


def test_names_are_text_and_not_markup(tmp_path: Path) -> None:
    figure = sl.plot.reaction_backtest(tried(tmp_path, name="<img src=x onerror=alert(1)>"))
    said = [note.text for note in figure.layout.annotations]
    said += [text for one in figure.data for text in (one.hovertext if one.hovertext is not None else ())]
    assert "<img" not in " ".join([*said, figure.layout.meta["description"]])


def test_bad_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="must be a ReactionBacktest"):
        sl.plot.reaction_backtest(pd.DataFrame())  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="top"):
        sl.plot.reaction_backtest(tried(tmp_path), top=0)
