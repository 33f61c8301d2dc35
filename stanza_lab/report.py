"""Pages for people without a notebook: one HTML file each, complete in itself, opened from anywhere."""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import schema
from stanza_lab.production import words

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from stanza_lab.production import ProductionMap

_ROWS = 50  # per table
_CELL = 200  # characters
_EVIDENCE = (
    *("src", "dst", "link_confidence", "confidence", "back", "direction"),
    *("support", "lift", "lag_s", "q_value", "provenance", "verdict"),
)

# The policy lets nothing be fetched: a browser would refuse even what a hostile alert text asked for. plotly.js needs
# eval for figures of more than 10,000 marks (WebGL).
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline' 'unsafe-eval'; img-src data: blob:; font-src data:">
<title>{title}</title>
<style>
html {{ scrollbar-gutter: stable; }}
:root {{ color-scheme: light dark; --ink: #22272e; --faint: #6b7280; --paper: #fff; --line: #d9dde2; }}
@media (prefers-color-scheme: dark) {{ \
:root {{ --ink: #e6e8eb; --faint: #9aa4b1; --paper: #16191d; --line: #3a4048; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; \
padding: 1.5rem; max-width: 1240px; }}
h1 {{ font-size: 1.6rem; margin: 0; }} h2 {{ font-size: 1.2rem; margin: 2rem 0 .5rem; }}
.faint, caption, figcaption {{ color: var(--faint); }}
caption {{ text-align: left; padding: .3rem 0; }}
figure {{ margin: 1rem 0; }} figure > div {{ background: #fff; border: 1px solid var(--line); border-radius: 4px; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .87rem; margin: .5rem 0 1.2rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
@media print {{ body {{ max-width: none; padding: 0; color: #000; background: #fff; }} h2 {{ break-after: avoid; }} \
figure, tr {{ break-inside: avoid; }} thead {{ display: table-header-group; }} .modebar {{ display: none; }} }}
</style>
{library}
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def write_report(
    path: str | os.PathLike[str],
    *,
    alerts: pd.DataFrame,
    incidents: pd.DataFrame | None = None,
    production: ProductionMap | None = None,
    title: str | None = None,
    notes: Iterable[str] = (),
) -> Path:
    """Write what was found as one HTML file: findings in words, then figures, then tables.

    The file asks for nothing from outside and all text in it is escaped.

    Parameters
    ----------
    path : path
        File to write. It is replaced in one step; a broken write leaves the old one.
    alerts : DataFrame
        `schema.ALERTS`; `service` and `starts_at` must be there, more columns say more.
    incidents : DataFrame, optional
        From `summarize_incidents`; shown as a table as it is. Default: only what `incident_id` of the alerts says.
    production : ProductionMap, optional
        The map. Default: none is shown.
    title : str, optional
        Heading. Default: "What the alerts say".
    notes : iterable of str
        More sentences for the findings, for example what was rejected on the way in.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SchemaError
        A column of `alerts` is missing or malformed.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> times = ["2026-03-01T14:02Z", "2026-03-01T14:01Z"]
    >>> alerts = pd.DataFrame({"service": ["shop", "orders-db"], "starts_at": times})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sl.write_report(f"{folder}/report.html", alerts=alerts).name
    'report.html'
    """
    from stanza_lab.plot import firing_heatmap, production_map, timeline

    alerts = schema.check(alerts, schema.ALERTS, need=["service", "starts_at"])
    findings = [*_about_alerts(alerts), *_about_incidents(alerts), *_about_map(production), *notes]
    parts = [_section("Findings", _listing(findings))]
    if production is not None:
        gaps = [
            f"{gap['words']} ({words.listing(gap['services'], top=8)})" for gap in production.unseen.to_dict("records")
        ]
        parts.append(_section("What could not be seen", _listing(gaps)))
        text = "Services and what they depend on; the surest dependencies stand in a table below."
        parts.append(_section("The map", _figure(production_map(production), "map", text)))
        parts.append(_section("Who is next to whom", _listing(_neighbours(production))))
    parts.append(_section("Alerts over time", _figure(timeline(alerts), "timeline", "Each alert, a row per service.")))
    parts.append(_figure(firing_heatmap(alerts), "heatmap", "How many alerts each service had when."))
    if incidents is not None:
        parts.append(_section("Incidents", _table(incidents, "incidents")))
    if production is not None:
        parts.append(_section("Dependencies", _table(_brief(production.links), "dependencies, the surest first")))
        parts.append(
            _section("Services", _table(production.services.sort_values("alerts", ascending=False), "services"))
        )
    parts.append(_section("Alerts by source", _table(_by_source(alerts), "sources")))
    parts.append(_section("Noisiest rules", _table(_noisiest(alerts), "rules")))
    return _write(path, title or "What the alerts say", parts)


def write_figure(
    path: str | os.PathLike[str], figure: go.Figure, *, title: str, table: pd.DataFrame | None = None
) -> Path:
    """Write a figure as one HTML file that asks for nothing from outside.

    Parameters
    ----------
    path : path
        File to write. It is replaced in one step.
    figure : plotly.graph_objects.Figure
        Any figure.
    title : str
        Heading of the page.
    table : DataFrame, optional
        Shown below, for readers who cannot use the figure; of links and edges only what a reader takes in at once.
        Default: none.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> figure = sl.plot.production_map(sl.ProductionMap(edges))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sl.write_figure(f"{folder}/map.html", figure, title="Map", table=edges).name
    'map.html'
    """
    parts = [_figure(figure, "figure", "Hover for details; double-click brings back the whole.")]
    if table is not None:
        shown = _brief(table) if {"confidence", "provenance"} <= set(table.columns) else table
        parts.append(_section("In numbers", _table(shown, "rows")))
    return _write(path, title, parts)


def _about_alerts(alerts: pd.DataFrame) -> list[str]:
    known = alerts["starts_at"].dropna()
    span = f", from {known.min():%Y-%m-%d %H:%M} to {known.max():%Y-%m-%d %H:%M} UTC" if len(known) else ""
    services = alerts["service"].nunique()
    said = [f"{words.count(len(alerts), 'alert')} of {words.count(services, 'service')}{span}."]
    if "source" in alerts.columns:
        counts = alerts["source"].value_counts()
        listed = ", ".join(f"{name} {number:,}" for name, number in counts[counts > 0].items())
        said.append(f"By source: {listed}.")
    if "alertname" in alerts.columns and alerts["alertname"].notna().any():
        rules = alerts["alertname"].value_counts()
        number, share = words.count(int((rules > 0).sum()), "rule"), rules.iloc[0] / len(alerts)
        said.append(f"The noisiest of {number} is {rules.index[0]}: {share:.0%} of all alerts.")
    nameless = int(alerts["service"].isna().sum())
    return [*said, f"{words.count(nameless, 'alert')} name no service."] if nameless else said


def _about_incidents(alerts: pd.DataFrame) -> list[str]:
    if "incident_id" not in alerts.columns:
        return []
    sizes = alerts.loc[alerts["incident_id"] != schema.NOISE, "incident_id"].value_counts()
    alone = len(alerts) - int(sizes.sum())
    largest = f" The largest has {words.count(int(sizes.max()), 'alert')}." if len(sizes) else ""
    return [f"{words.count(len(sizes), 'incident')}; {words.count(alone, 'alert')} stand on their own.{largest}"]


def _about_map(production: ProductionMap | None) -> list[str]:
    if production is None:
        return []
    links, teams = production.links, production.teams
    likely, sure = (int((links["strength"] >= least).sum()) for least in (0.5, 0.8))
    pointed = int(((links["strength"] >= 0.5) & (links["direction"] != "unknown")).sum())
    said = [
        f"{words.count(len(production.services), 'service')} of {words.count(len(teams), 'known team')} on the map.",
        f"{words.count(len(links), 'possible link')}, {likely:,} of probability 0.5 or more, {sure:,} of 0.8 or more.",
        f"Which of the two depends on the other is known for {pointed:,} of those {likely:,}.",
    ]
    verdicts = links["verdict"].value_counts()
    if verdicts.sum():
        listed = ", ".join(f"{name} {number:,}" for name, number in verdicts[verdicts > 0].items())
        said.append(f"Beside traces: {listed}; {int(links['verdict'].isna().sum()):,} that traces do not judge.")
    return said


def _neighbours(production: ProductionMap) -> list[str]:
    """Return for each of the largest teams its surest neighbour, in words."""
    sizes = production.services["team"].value_counts().head(8)
    said = []
    for team in sizes.index:
        across = production.next_clusters(str(team))
        if len(across):
            said.append(f"{team}: {across['words'].iloc[0]}.")
    return said


def _brief(links: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of links (or edges) that a reader takes in at once."""
    return links[[name for name in _EVIDENCE if name in links.columns]]


def _by_source(alerts: pd.DataFrame) -> pd.DataFrame:
    if "source" not in alerts.columns:
        return pd.DataFrame()
    sources = alerts.groupby("source", observed=True)
    return sources.agg(
        alerts=("starts_at", "size"), first=("starts_at", "min"), last=("starts_at", "max")
    ).reset_index()


def _noisiest(alerts: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in ("source", "alertname", "service") if name in alerts.columns]
    rules = alerts.groupby(keys, observed=True, dropna=False)["starts_at"].agg(["size", "min", "max"]).reset_index()
    rules = rules.rename(columns={"size": "alerts", "min": "first", "max": "last"})
    return rules.sort_values(["alerts", *keys], ascending=[False, *[True] * len(keys)]).head(15)


def _section(title: str, content: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{content}</section>" if content else ""


def _listing(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def _figure(figure: go.Figure, name: str, text: str) -> str:
    """Return a figure with its title as text alternative; plotly.js itself stands in the head of the page."""
    config = {"displaylogo": False, "responsive": True}
    drawn = figure.to_html(full_html=False, include_plotlyjs=False, div_id=f"figure-{name}", config=config)
    said = [figure.layout.title.text, text, *(note.text for note in figure.layout.annotations[:1])]
    label = html.escape(html.unescape(". ".join(part for part in said if part)).replace("<br>", ". "))
    return f'<figure aria-label="{label}">{drawn}<figcaption>{html.escape(text)}</figcaption></figure>'


def _table(frame: pd.DataFrame, what: str) -> str:
    """Return the first rows of a frame as an HTML table."""
    if not len(frame):
        return ""
    shown = frame.head(_ROWS)
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    marks = [' class="number"' if number else "" for number in numeric]
    head = "".join(f'<th scope="col"{m}>{html.escape(str(c))}</th>' for c, m in zip(frame.columns, marks, strict=True))
    rows = "".join(
        "<tr>" + "".join(f"<td{m}>{_cell(v)}</td>" for v, m in zip(row, marks, strict=True)) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    size = f"{len(frame):,} {what}" if len(shown) == len(frame) else f"{what}: the first {len(shown)} of {len(frame):,}"
    table = f"<table><caption>{html.escape(size)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="wide">{table}</div>'


def _cell(value: object) -> str:
    """Return one value as escaped text."""
    if isinstance(value, (list, tuple)):
        said = words.listing([str(v) for v in value], top=5)
    elif isinstance(value, pd.Timestamp):
        said = f"{value:%Y-%m-%d %H:%M:%S}"
    elif value is None or value is pd.NaT or value is pd.NA or value != value:
        said = ""
    elif isinstance(value, float):
        said = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    else:
        said = str(value)
    return html.escape(said if len(said) <= _CELL else said[: _CELL - 1] + "…")


def _write(path: str | os.PathLike[str], title: str, parts: Iterable[str]) -> Path:
    from plotly.offline import get_plotlyjs

    library = f"<script>{get_plotlyjs()}</script>"
    page = _PAGE.format(title=html.escape(title), library=library, body="\n".join(part for part in parts if part))
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, suffix=".part", delete=False) as file:
        file.write(page)
    temporary = Path(file.name)
    temporary.chmod(0o644)
    return temporary.replace(target)
