from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

import stanza_lab as sl
from stanza_lab.errors import MissingExtraError, SchemaError

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "\"><iframe src='javascript:alert(1)'></iframe>",
    '<a href="javascript:alert(1)">x</a>',
    "' onmouseover='alert(1)",
    "<!--<script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "%{customdata}<br>${x}{{y}}{0}",
    "<math><mtext></table><mglyph><style><img src=x onerror=alert(1)>",
]


class Page(HTMLParser):
    """What a browser would make of a page: tags with attributes, text outside scripts, the scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        (self.scripts if self.cdata_elem == "script" else self.words).append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def alerts(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source": "datadog",
            "alertname": names,
            "service": names,
            "team": names,
            "summary": names,
            "starts_at": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(range(len(names)), unit="min"),
            "severity": "error",
            "incident_id": [0, 0, *[-1] * (len(names) - 2)],
        }
    )


@pytest.fixture
def hostile(tmp_path: Path) -> Page:
    edges = pd.DataFrame({"src": PAYLOADS[:-1], "dst": PAYLOADS[1:], "confidence": 0.9})
    table = alerts(PAYLOADS)
    incidents = pd.DataFrame({"incident_id": range(len(PAYLOADS)), "title": PAYLOADS})
    path = sl.write_report(
        tmp_path / "report.html",
        alerts=table,
        incidents=incidents,
        production=sl.ProductionMap(edges, table),
        title=PAYLOADS[8],
        notes=PAYLOADS,
    )
    return Page(path)


def test_hostile_text_comes_out_as_text(hostile: Page) -> None:
    for payload in PAYLOADS:
        assert payload in hostile.text
    assert {tag for tag, _ in hostile.tags} <= {
        "html", "head", "meta", "title", "style", "script", "body", "main", "h1", "h2", "h3", "b", "section",
        "p", "ul", "li", "figure", "figcaption", "div", "table", "caption", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    assert not [name for _, attrs in hostile.tags for name in attrs if name.startswith("on")]


def test_hostile_text_does_not_reach_the_scripts_unescaped(hostile: Page) -> None:
    library, *rest = hostile.scripts
    assert len(library) > 1_000_000
    assert len(rest) == 3
    assert not any("<" in script for script in rest)


def test_nothing_is_asked_for_from_outside(hostile: Page) -> None:
    asking = {"src", "href", "data", "srcset", "action", "poster"}
    assert not [(tag, attrs) for tag, attrs in hostile.tags if asking & set(attrs)]
    policy = next(attrs["content"] for tag, attrs in hostile.tags if attrs.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


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
    assert page.words.count("traced") == 4  # link_confidence and confidence of both, instead of numbers
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
    assert page.words.count(caution) == 2  # above the figure and above the table
    assert page.words[page.words.index("The map") + 1] == caution
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
    top = page.words[: page.words.index("Findings")]
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


def test_figures_have_a_text_alternative(hostile: Page) -> None:
    labels = [attrs.get("aria-label") for tag, attrs in hostile.tags if tag == "figure"]
    assert len(labels) == 3
    assert all(labels)


def test_long_tables_say_how_much_they_leave_out(tmp_path: Path) -> None:
    incidents = pd.DataFrame({"incident_id": range(120)})
    page = Page(sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]), incidents=incidents))
    assert "120 incidents, the newest first; the first 50 are shown" in page.words


def test_nothing_to_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no alerts to report on; "):
        sl.write_report(tmp_path / "r.html", alerts=sl.schema.empty(sl.schema.ALERTS))
    assert list(tmp_path.iterdir()) == []


def test_a_map_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="production must be a ProductionMap"):
        sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]), production=pd.DataFrame())  # type: ignore[arg-type]


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


def test_a_figure_page_has_its_edges_as_a_table(tmp_path: Path) -> None:
    production = sl.ProductionMap(pd.DataFrame({"src": ["<b>"], "dst": ["db"], "confidence": [0.9]}))
    figure = sl.plot.production_map(production)
    page = Page(sl.write_figure(tmp_path / "map.html", figure, title="<Map>", table=production.links))
    assert "<Map>" in page.words
    assert {"<b>", "db", "0.90", "confidence", ": how often both fired together"} <= set(page.words)
    assert re.search(r"Production map: 2 services", "".join(page.scripts[1:]))


def test_a_picture_names_the_extra_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(MissingExtraError, match=r"a figure as \.png needs kaleido: pip install 'stanza_lab\[images\]'"):
        sl.write_figure(tmp_path / "map.png", go.Figure(), title="Map")
    assert list(tmp_path.iterdir()) == []
