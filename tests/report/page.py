"""What a browser would make of a page, and alerts as hostile as they come."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd

import stanza_lab as sl
from tests.payloads import PAYLOADS


class Page(HTMLParser):
    """A page read as a browser reads it: tags with attributes, text outside scripts and contents, the scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.inside_contents = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside_contents = self.inside_contents or tag == "nav"

    def handle_endtag(self, tag: str) -> None:
        self.inside_contents = self.inside_contents and tag != "nav"

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts.append(data)
        elif not self.inside_contents:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def policy(self) -> str:
        """The content security policy."""
        return next(attrs["content"] or "" for _, attrs in self.tags if attrs.get("http-equiv"))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of one kind."""
        return [attrs for name, attrs in self.tags if name == tag]


def alerts(names: list[str]) -> pd.DataFrame:
    """Return an alert of each name, a minute apart; the first two make an incident."""
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


def hostile_report(folder: Path) -> Path:
    """Write a report in which all that comes from outside is a payload, with every section that there is."""
    edges = pd.DataFrame({"src": PAYLOADS[:-1], "dst": PAYLOADS[1:], "confidence": 0.9})
    once = alerts(PAYLOADS).assign(source=PAYLOADS, rule_key=PAYLOADS, labels=PAYLOADS, description=PAYLOADS)
    days = [once.assign(starts_at=once["starts_at"] + pd.Timedelta(days=day), incident_id=day) for day in (0, 9, 50)]
    table = pd.concat(days, ignore_index=True)
    model = sl.DependencyModel().fit(table)
    return sl.write_report(
        folder / "hostile.html",
        alerts=table,
        incidents=pd.DataFrame({"incident_id": range(len(PAYLOADS)), "title": PAYLOADS}),
        production=sl.ProductionMap(edges, table, model=model),
        profile=sl.Profile(name=PAYLOADS[0], services=tuple(PAYLOADS)),
        title=PAYLOADS[39],
        notes=PAYLOADS,
    )
