from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError
from tests.report.page import Page, alerts


def test_findings_come_first_in_words(tmp_path: Path) -> None:
    edges = pd.DataFrame(
        {
            "src": ["a"],
            "dst": ["b"],
            "confidence": [0.9],
            "verdict": ["confirmed"],
            "provenance": [["traced", "inferred"]],
        }
    )
    table = alerts(["a", "b", "b"])
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table, production=sl.ProductionMap(edges, table)))
    for sentence in (
        "3 alerts of 2 services, from 2026-03-01 00:00 to 2026-03-01 00:02 UTC.",
        "By source: datadog 3.",
        "The noisiest of 2 rules is b: 67% of all alerts.",
        "1 incident; 1 alert stands on its own. The largest has 2 alerts.",
        "On the map: 2 services, 2 teams.",
        "Alerts alone: 1 dependency of probability 0.5 or more; traces added 0 and confirmed 1 of those inferred.",
    ):
        assert sentence in page.words
    order = [
        page.words.index(title)
        for title in ("Look here first", "Findings", "The map", "Alerts over time", "Dependencies")
    ]
    assert order == sorted(order)


def test_a_pair_counts_once_in_words_and_in_the_table(tmp_path: Path) -> None:
    edges = pd.DataFrame(
        {
            "src": ["a", "b"],
            "dst": ["b", "a"],
            "confidence": [0.45, 0.32],
            "link_confidence": 0.76,
            "verdict": "alert-only",
        }
    )
    table = alerts(["a", "b"])
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table, production=sl.ProductionMap(edges, table)))
    assert "Of the 1 inferred from alerts, traces confirm 0, show no call for 1, and do not judge 0." in page.words
    assert "1 dependency of probability 0.5 or more, the surest first" in page.words


def findings(edges: pd.DataFrame, folder: Path) -> Page:
    table = alerts(["a", "b"]).drop(columns="team")
    return Page(sl.write_report(folder / "r.html", alerts=table, production=sl.ProductionMap(edges, table)))


def test_what_traces_added_is_told_apart_from_what_alerts_found(tmp_path: Path) -> None:
    traced = pd.DataFrame(
        {
            "src": ["a", "b"],
            "dst": ["b", "c"],
            "confidence": 0.9998,
            "verdict": "trace-only",
            "provenance": [["traced"]] * 2,
        }
    )
    page = findings(traced, tmp_path)
    assert (
        "Alerts alone: 0 dependencies of probability 0.5 or more; traces added 2 and confirmed 0 of those inferred."
        in page.words
    )
    assert "On the map: 3 services, 0 teams; the team of 3 of them is not known." in page.words
    assert page.words.count("traces only") == 2
    table = page.words[page.words.index("Dependencies") : page.words.index("Services")]
    assert table.count("traced") == 4  # link_confidence and confidence of both, instead of numbers
    assert not {"1.00", "0.9998", ">0.99"} & set(page.words)


def test_what_is_only_declared_is_counted_apart(tmp_path: Path) -> None:
    edges = pd.DataFrame(
        {
            "src": ["a", "b", "c"],
            "dst": ["b", "c", "d"],
            "confidence": [0.3, 0.9, 0.9],
            "verdict": ["declared-only", "confirmed", None],
            "provenance": [["declared"], ["inferred", "traced"], ["declared"]],
        }
    )
    page = findings(edges, tmp_path)
    assert (
        "Alerts alone: 1 dependency of probability 0.5 or more; traces added 0 and confirmed 1 of those inferred."
        in page.words
    )
    assert "2 more dependencies traced or declared." in page.words
    assert not [words for words in page.words if words.startswith("Not counted")]


def test_where_nothing_is_sure_the_page_says_so_before_the_figure(tmp_path: Path) -> None:
    page = findings(pd.DataFrame({"src": ["a"], "dst": ["b"], "confidence": [0.169]}), tmp_path)
    caution = "Nothing reached 0.5; these are the surest guesses, down to 0.16."
    for title in ("The map", "Dependencies"):  # above the figure and above the table
        assert page.words[page.words.index(title) + 1] == caution
    assert "Not counted: 1 pair of probability below 0.5." in page.words


def test_the_top_says_where_to_look_first(tmp_path: Path) -> None:
    days = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta([0, 1, 2, 8, 9, 9], unit="D")
    table = pd.DataFrame(
        {
            "service": ["db", "db", "db", "db", "shop", "db"],
            "alertname": ["disk", "disk", "disk", "disk", "5xx", "disk"],
            "starts_at": days + pd.to_timedelta([0, 0, 0, 0, 0, 17], unit="min"),
            "severity": ["critical", "critical", "error", "error", "error", "critical"],
            "incident_id": [0, 0, -1, -1, 1, 1],
        }
    )
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table))
    made = f"6 alerts, 2026-03-01 to 2026-03-10 (UTC); made by stanza_lab {sl.__version__}"
    assert made in page.words
    top = [said for said in page.words[: page.words.index("Findings")] if said != made]
    assert "2026-03-10 00:00 UTC, critical: shop, db: 5xx (2 alerts within 17 min)" in top
    assert not any("2026-03-01" in said for said in top)  # nine days ago
    assert "disk (db): 5 alerts, 83% of all" in top
    assert "db: on 5 of 10 days, 5 alerts" in top


def test_incidents_are_told_in_words(tmp_path: Path) -> None:
    incidents = pd.DataFrame(
        {
            "incident_id": [0, 1],
            "starts_at": pd.to_datetime(["2026-03-01T10:00Z", "2026-03-02T10:00Z"]),
            "spread_s": [1020.0, 432_000.0],
            "duration_s": [9e6, 9e6],
            "open_alerts": [0, 3],
            "services": [["a", "b", "c", "d", "e"], ["a"]],
            "title": ["a, b +3: CPU: high", "Disk full: a"],
            "mine": ["x", "y"],
        }
    )
    page = Page(sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]), incidents=incidents))
    assert {"17 min", "5 d", "3 still open", "a, b +3 more", "CPU: high", "mine"} <= set(page.words)
    assert page.words.index("5 d") < page.words.index("17 min")  # the newest first
    assert "duration_s" not in page.words
    assert any("never report one" in said for said in page.words)
    assert "a, b, c, d, e" in [attrs.get("title") for tag, attrs in page.tags if tag == "td"]


def test_long_tables_say_how_much_they_leave_out(tmp_path: Path) -> None:
    incidents = pd.DataFrame({"incident_id": range(1_200)})
    page = Page(sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]), incidents=incidents))
    assert "1,200 incidents, the newest first; the first 1,000 are here" in page.words


def test_nothing_to_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no alerts to report on; "):
        sl.write_report(tmp_path / "r.html", alerts=sl.schema.empty(sl.schema.ALERTS))
    assert list(tmp_path.iterdir()) == []


def test_a_map_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="production must be a ProductionMap"):
        sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]), production=pd.DataFrame())  # type: ignore[arg-type]


def shop(*, model: bool = False) -> tuple[pd.DataFrame, sl.ProductionMap]:
    """Return eight weeks of alerts of two teams, and their map."""
    times = pd.date_range("2026-03-02T03:00Z", periods=56, freq="D")
    table = pd.DataFrame(
        {
            "service": ["web", "api", "db", "db"] * 14,
            "alertname": ["slow", "slow", "full", "full"] * 14,
            "starts_at": times,
            "incident_id": [*[-1] * 52, 7, 7, 7, 7],
        }
    )
    edges = pd.DataFrame({"src": ["web", "api"], "dst": ["api", "db"], "confidence": 0.9})
    owners = pd.DataFrame({"service": ["web", "api", "db"], "team": ["front", "back", "back"]})
    fitted = sl.DependencyModel().fit(table) if model else None
    return table, sl.ProductionMap(edges, table, ownership=owners, model=fitted)


def test_each_team_has_its_view_the_largest_first(tmp_path: Path) -> None:
    table, production = shop()
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table, production=production))
    views = page.words[page.words.index("Team by team") : page.words.index("Front doors")]
    assert views.index("back") < views.index("front")
    assert "2 services, 42 alerts" in views
    assert any(said.startswith("The next cluster over is front, 1 service, through web, ") for said in views)
    assert "full (db): 28 alerts, 67% of theirs" in views
    assert (
        "5.2 alerts a week in the last 4 full weeks, 5.2 in all 8; 100% between 22:00 and 08:00 UTC; "
        "100% from rules that fire on 25% of days or more." in views
    )
    assert {"team-1-map", "team-2-map"} <= {attrs.get("id") for attrs in page.of("div")}


def test_teams_that_are_left_out_are_counted(tmp_path: Path) -> None:
    names = [f"s{i}" for i in range(45)]
    production = sl.ProductionMap(pd.DataFrame({"src": ["s0"], "dst": ["s1"], "confidence": [0.9]}), alerts(names))
    page = Page(sl.write_report(tmp_path / "r.html", alerts=alerts(names), production=production))
    assert "The largest teams; 5 smaller teams left out to keep the page quick." in page.words


def test_what_is_yours_comes_first(tmp_path: Path) -> None:
    table, production = shop()
    mine = sl.Profile(name="mine", services=("api", "gone"))
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table, production=production, profile=mine))
    assert page.words.index("Yours") < page.words.index("Look here first")
    assert "Not on this map: gone." in page.words
    none = sl.Profile(name="mine", services=("gone",))
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table, production=production, profile=none))
    assert "None of the services of mine is on this map." in page.words


def test_doors_changes_and_a_replay_are_there_where_the_map_knows_enough(tmp_path: Path) -> None:
    table, production = shop(model=True)
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table, production=production))
    for title in ("Front doors", "What changed", "An incident replayed"):
        assert title in page.words
    assert "Since 2026-03-29:" in page.words or "Nothing since 2026-03-29." in page.words
    assert "Incident 7, the largest lately: move the slider, or play it. " in page.words
    _, bare = shop()
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table, production=bare))
    assert "What changed" not in page.words


def test_a_map_of_other_days_says_that_its_changes_cannot_be_told(tmp_path: Path) -> None:
    table, production = shop(model=True)
    later = table.assign(starts_at=table["starts_at"] + pd.Timedelta(days=1_000))
    page = Page(sl.write_report(tmp_path / "r.html", alerts=later, production=production))
    assert [said for said in page.words if said.startswith("What changed since 2028-12-23 cannot be said: ")]
