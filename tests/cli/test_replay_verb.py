"""`stanza-lab replay-alertmanager`."""

from __future__ import annotations

from pathlib import Path

import pytest

RULES = """
route: {receiver: nobody, group_by: [service]}
receivers: [{name: nobody}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "alertmanager.yml"
    path.write_text(RULES)
    return path


@pytest.mark.parametrize("wrong", ["labels", "config"])
def test_wrong_usage_is_refused_before_the_history_is_read(
    run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("the history was read")

    monkeypatch.setattr("stanza_lab.cli.over_the_map.read_known", read)
    given = {"labels": (config, "--labels", "foo"), "config": (tmp_path / "none.yml",)}[wrong]
    done = run("replay-alertmanager", tmp_path, "--config", *given)
    assert done.code in (1, 2)
    assert {"labels": "field=label", "config": "none.yml"}[wrong] in done.err


def test_help_shows_its_words_whole(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "…" not in run("replay-alertmanager", "--help").out


def test_says_what_was_grouped(run, alertmanager: Path, config: Path, shop_on_call: Path) -> None:
    history = shop_on_call / "history"
    labels = "alertname=alertname,service=service"
    done = run(
        "replay-alertmanager", history, "--config", config, "--labels", labels, "--binary", alertmanager, "--limit", 3
    )
    assert done.code == 0, done.err
    assert "0 alerts hidden" in done.out
    assert "alerts sent" in done.out
