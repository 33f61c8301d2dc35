from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError

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
        "html", "head", "meta", "title", "style", "script", "body", "main", "h1", "h2", "section", "p", "ul", "li",
        "figure", "figcaption", "div", "table", "caption", "thead", "tbody", "tr", "th", "td",
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
    edges = pd.DataFrame({"src": ["a"], "dst": ["b"], "confidence": [0.9], "verdict": ["confirmed"]})
    table = alerts(["a", "b", "b"])
    page = Page(sl.write_report(tmp_path / "r.html", alerts=table, production=sl.ProductionMap(edges, table)))
    for sentence in (
        "3 alerts of 2 services, from 2026-03-01 00:00 to 2026-03-01 00:02 UTC.",
        "By source: datadog 3.",
        "The noisiest of 2 rules is b: 67% of all alerts.",
        "1 incident; 1 alert stand on their own. The largest has 2 alerts.",
        "1 possible link, 1 of probability 0.5 or more, 1 of 0.8 or more.",
        "Which of the two depends on the other is known for 1 of those 1.",
        "Beside traces: confirmed 1; 0 that traces do not judge.",
    ):
        assert sentence in page.words
    order = [page.words.index(title) for title in ("Findings", "The map", "Alerts over time", "Dependencies")]
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
    assert "Beside traces: alert-only 1; 0 that traces do not judge." in page.words
    assert "Which of the two depends on the other is known for 0 of those 1." in page.words
    assert "1 dependencies, the surest first" in page.words


def test_figures_have_a_text_alternative(hostile: Page) -> None:
    labels = [attrs.get("aria-label") for tag, attrs in hostile.tags if tag == "figure"]
    assert len(labels) == 3
    assert all(labels)


def test_long_tables_say_how_much_they_leave_out(tmp_path: Path) -> None:
    incidents = pd.DataFrame({"incident_id": range(120)})
    page = Page(sl.write_report(tmp_path / "r.html", alerts=alerts(["a", "b"]), incidents=incidents))
    assert "incidents: the first 50 of 120" in page.words


def test_nothing_to_report_is_a_report_too(tmp_path: Path) -> None:
    path = sl.write_report(tmp_path / "new" / "r.html", alerts=sl.schema.empty(sl.schema.ALERTS))
    assert "0 alerts of 0 services." in Page(path).words


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
    assert {"<b>", "db", "0.9", "confidence"} <= set(page.words)
    assert re.search(r"Production map: 2 services", "".join(page.scripts[1:]))
