"""Pages for people without a notebook: one HTML file each, complete in itself, opened from anywhere."""

from __future__ import annotations

import errno
import html
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab._optional import require
from stanza_lab.errors import SchemaError
from stanza_lab.production import display, words

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from stanza_lab.production import ProductionMap

_ROWS = 50  # per table
_CELL, _SHORT, _TOOLTIP = 200, 28, 2_000  # characters: of a cell, of one that never wraps, of a list in full
_LISTED = 2  # names per cell; the rest is counted, and all stand in its tooltip
_RECENT = 7  # days before the last alert whose incidents come first
_MOST_INCIDENTS, _MOST_RULES, _MOST_SERVICES = 5, 3, 3  # to look at first
_CHRONIC = 0.25  # of all days: a service that alerts on so many is chronic
_INCIDENT = {
    "incident_id": "incident", "starts_at": "first alert (UTC)", "spread_s": "all began within", "alerts": "alerts",
    "open_alerts": "open", "severity": "severity", "services": "services", "teams": "teams", "title": "what",
}  # fmt: skip
_TOLD_OTHERWISE = ["ends_at", "duration_s", "rules", "sources", "first_service"]  # of an incident; not for this page

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
h3 {{ font-size: 1rem; margin: 1rem 0 0; }} .caution {{ font-weight: 600; }} ul {{ margin: .3rem 0 .8rem; }}
.wide {{ overflow-x: auto; background: linear-gradient(to left, var(--paper) 40%, transparent) right / 3rem 100% \
no-repeat local, linear-gradient(to left, #0004, transparent) right / 1rem 100% no-repeat scroll; }}
.wide::-webkit-scrollbar {{ height: .7rem; }}
.wide::-webkit-scrollbar-thumb {{ background: var(--faint); border-radius: .35rem; }}
table {{ border-collapse: collapse; font-size: .84rem; margin: .5rem 0 .6rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line); }}
th {{ vertical-align: bottom; }} td.short {{ white-space: nowrap; }} td.text {{ min-width: 14rem; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
td[title] {{ cursor: help; }}
.legend {{ font-size: .84rem; columns: 26rem 2; column-gap: 3rem; padding-left: 1.1rem; }}
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

_PICTURES = {".png", ".svg", ".pdf"}


def write_report(
    path: str | os.PathLike[str],
    *,
    alerts: pd.DataFrame,
    incidents: pd.DataFrame | None = None,
    production: ProductionMap | None = None,
    title: str | None = None,
    notes: Iterable[str] = (),
) -> Path:
    """Write what was found as one HTML file: where to look first and findings in words, then figures, then tables.

    The file asks for nothing from outside and all text in it is escaped.

    Parameters
    ----------
    path : path
        File to write, in a folder that is there. It is replaced in one step; a broken write leaves the old one.
    alerts : DataFrame
        `schema.ALERTS`; `service` and `starts_at` must be there, more columns say more.
    incidents : DataFrame, optional
        From `summarize_incidents`; shown as a table, the newest first. Default: only what `incident_id` of the alerts
        says.
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
        There are no alerts, a column of them is missing or malformed, or `production` is no map.
    OSError
        The folder is not there, or the file cannot be written.

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
    if alerts.empty:
        raise SchemaError("no alerts to report on; read some with sl.read_alerts, or ask for less with since and where")
    drawn = None if production is None else production_map(production)
    findings = [*_about_alerts(alerts), *_about_incidents(alerts), *_about_map(production), *notes]
    parts = [_section("Look here first", _first(alerts)), _section("Findings", _listing(findings))]
    if production is not None and drawn is not None:
        gaps = [
            words.sentence(f"{gap['words']} ({words.listing(gap['services'], top=8)})")
            for gap in production.unseen.to_dict("records")
        ]
        parts.append(_section("What could not be seen", _listing(gaps)))
        text = "Services and what they depend on; the surest dependencies stand in a table below."
        parts.append(_section("The map", _caution(production) + _figure(drawn, "map", text)))
        parts.append(_section("Who is next to whom", _listing(_neighbours(production))))
    parts.append(_section("Alerts over time", _figure(timeline(alerts), "timeline", "Each alert, a row per service.")))
    parts.append(_figure(firing_heatmap(alerts), "heatmap", "How many alerts each service had when."))
    if incidents is not None:
        parts.append(_section("Incidents", _incidents(incidents)))
    if production is not None:
        links, bar = production.links, production.usual_confidence
        order = f" of probability {bar:g} or more, the surest first"
        table = _links(links[links["strength"] >= bar], "dependency", order)
        parts.append(_section("Dependencies", _caution(production) + table if table else ""))
        services = production.services.sort_values("alerts", ascending=False, kind="stable")
        parts.append(_section("Services", _table(services, "service")))
    parts.append(_section("Alerts by source", _table(_by_source(alerts), "source")))
    parts.append(_section("Noisiest rules", _table(_noisiest(alerts).head(15), "rule")))
    return _write(path, title or "What the alerts say", parts)


def write_figure(
    path: str | os.PathLike[str], figure: go.Figure, *, title: str, table: pd.DataFrame | None = None
) -> Path:
    """Write a figure as one HTML file that asks for nothing from outside, or as a picture.

    Parameters
    ----------
    path : path
        File to write, in a folder that is there. A page is replaced in one step. A name that ends in .png, .svg or .pdf
        gives a picture of the figure alone; that needs the extra ``images`` and a Chromium on the machine.
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

    Raises
    ------
    OSError
        The folder is not there, or the file cannot be written.
    MissingExtraError
        A picture is asked for, and the extra is not installed.

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
    if (suffix := Path(path).suffix.lower()) in _PICTURES:
        require("kaleido", extra="images", purpose=f"a figure as {suffix}")
        figure.write_image(path)
        return Path(path)
    parts = [_figure(figure, "figure", "Hover for details; double-click brings back the whole.")]
    if table is not None:
        of_links = {"confidence", "provenance"} <= set(table.columns)
        parts.append(_section("In numbers", _links(table, "row", "") if of_links else _table(table, "row")))
    return _write(path, title, parts)


def _first(alerts: pd.DataFrame) -> str:
    """Return what a tired reader should see if nothing else: recent incidents, noisy rules, chronic services."""
    times = alerts["starts_at"].dropna()
    if times.empty:
        return ""
    days = (times.max().normalize() - times.min().normalize()).days + 1
    blocks = {
        f"Largest incidents, {_RECENT} days to {times.max():%Y-%m-%d}": _recent(alerts, times.max()),
        "Noisiest rules": [_rule(row, len(alerts)) for row in _noisiest(alerts).head(_MOST_RULES).to_dict("records")],
        f"Chronic services: alerts on {_CHRONIC:.0%} of days or more": _chronic(alerts, days),
    }
    return "".join(f"<h3>{html.escape(title)}</h3>{_listing(said)}" for title, said in blocks.items() if said)


def _recent(alerts: pd.DataFrame, until: pd.Timestamp) -> list[str]:
    """Return the most severe, then largest incidents of the last days, a line each."""
    if "incident_id" not in alerts.columns:
        return []
    from stanza_lab.incidents import summarize_incidents

    incidents = summarize_incidents(alerts)
    incidents = incidents[incidents["starts_at"] > until - pd.Timedelta(days=_RECENT)]
    ranked = incidents.sort_values(["severity", "alerts"], ascending=False, na_position="last", kind="stable")
    said = []
    for row in ranked.head(_MOST_INCIDENTS).to_dict("records"):
        severity = f", {row['severity']}" if pd.notna(row["severity"]) else ""
        size = f"{words.count(row['alerts'], 'alert')} within {words.span(row['spread_s'])}"
        said.append(f"{row['starts_at']:%Y-%m-%d %H:%M} UTC{severity}: {row['title']} ({size})")
    return said


def _rule(row: Mapping[Any, Any], total: int) -> str:
    name, *where = [str(row[key]) for key in ("alertname", "service", "source") if pd.notna(row.get(key))] or [
        "no name"
    ]
    at = f" ({', '.join(where)})" if where else ""
    return f"{name}{at}: {words.count(row['alerts'], 'alert')}, {_share(row['alerts'] / total)} of all"


def _chronic(alerts: pd.DataFrame, days: int) -> list[str]:
    """Return the services that alert on most days, of those that do so on many."""
    if days < _RECENT:
        return []
    on = alerts.assign(day=alerts["starts_at"].dt.normalize(), service=alerts["service"].astype("str"))
    on = on.dropna(subset=["day", "service"]).groupby("service")["day"].agg(["nunique", "size"]).reset_index()
    on = on[on["nunique"] >= _CHRONIC * days].sort_values(["nunique", "size"], ascending=False, kind="stable")
    return [
        f"{service}: on {on_days:,} of {days:,} days, {words.count(size, 'alert')}"
        for service, on_days, size in on.head(_MOST_SERVICES).itertuples(index=False)
    ]


def _share(part: float) -> str:
    return "under 1%" if part < 0.01 else f"{part:.0%}"


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
        said.append(f"The noisiest of {number} is {rules.index[0]}: {_share(share)} of all alerts.")
    nameless = int(alerts["service"].isna().sum())
    verb = "names" if nameless == 1 else "name"
    return [*said, f"{words.count(nameless, 'alert')} {verb} no service."] if nameless else said


def _about_incidents(alerts: pd.DataFrame) -> list[str]:
    if "incident_id" not in alerts.columns:
        return []
    sizes = alerts.loc[alerts["incident_id"] != schema.NOISE, "incident_id"].value_counts()
    alone = len(alerts) - int(sizes.sum())
    largest = f" The largest has {words.count(int(sizes.max()), 'alert')}." if len(sizes) else ""
    stand = "stands on its own" if alone == 1 else "stand on their own"
    return [f"{words.count(len(sizes), 'incident')}; {words.count(alone, 'alert')} {stand}.{largest}"]


def _about_map(production: ProductionMap | None) -> list[str]:
    if production is None:
        return []
    links, services = production.links, words.count(len(production.services), "service")
    lost = int(production.services["team"].isna().sum())
    whose = f"; the team of {lost:,} of them is not known" if lost else ""
    said = [f"On the map: {services}, {words.count(len(production.teams), 'team')}{whose}."]
    verdicts = links["verdict"].astype("str")
    unjudged = verdicts.isna() & ~links["seen"] & (links["link_confidence"] >= 0.5)
    confirmed, added, denied = (int((verdicts == name).sum()) for name in ("confirmed", "trace-only", "alert-only"))
    inferred = int(unjudged.sum()) + confirmed + denied
    told = f"Alerts alone: {words.count(inferred, 'dependency')} of probability 0.5 or more"
    if not verdicts.notna().any():
        known = int((unjudged & (links["direction"] != "unknown")).sum())
        said.append(f"{told}" + (f"; for {known:,} of those {inferred:,} it is known which way." if inferred else "."))
    else:
        said.append(f"{told}; traces added {added:,} and confirmed {confirmed:,} of those inferred.")
        if inferred > confirmed:
            rest = f"show no call for {denied:,}, and do not judge {int(unjudged.sum()):,}"
            said.append(f"Of the {inferred:,} inferred from alerts, traces confirm {confirmed:,}, {rest}.")
    other = int((links["seen"] & (verdicts.isna() | (verdicts == "declared-only"))).sum())
    fainter = len(links) - inferred - added - other
    said += [f"{words.count(other, 'more dependency')} traced or declared."] if other else []
    return [*said, f"Not counted: {words.count(fainter, 'pair')} of probability below 0.5."] if fainter else said


def _caution(production: ProductionMap) -> str:
    return f'<p class="caution">{html.escape(words.sentence(production.caution))}</p>' if production.caution else ""


def _neighbours(production: ProductionMap) -> list[str]:
    """Return for each of the largest teams its surest neighbour, in words."""
    sizes = production.services["team"].value_counts().head(8)
    said = []
    for team in sizes.index:
        across = production.next_clusters(str(team))
        if len(across):
            said.append(f"{team}: {across['words'].iloc[0]}.")
    return said


def _incidents(incidents: pd.DataFrame) -> str:
    """Return incidents as a table for people: the newest first, lengths of time in words."""
    shown = incidents.drop(columns=_TOLD_OTHERWISE, errors="ignore")
    if "starts_at" in shown.columns:
        shown = shown.sort_values("starts_at", ascending=False, kind="stable")
    told: dict[str, list[str]] = {}
    if "spread_s" in shown.columns:
        told["spread_s"] = ["" if pd.isna(seconds) else words.span(seconds) for seconds in shown["spread_s"]]
    if "open_alerts" in shown.columns:
        told["open_alerts"] = [f"{number:,} still open" if number else "" for number in shown["open_alerts"].fillna(0)]
    if {"services", "title"} <= set(shown.columns):  # a title that repeats the services says them twice
        told["title"] = [
            title.split(": ", 1)[-1] if isinstance(who, list) and title.startswith(tuple(who[:1])) else title
            for who, title in zip(shown["services"], shown["title"].fillna("").astype("str"), strict=True)
        ]
    known = [name for name in _INCIDENT if name in shown.columns]
    shown = shown.assign(**told)[[*known, *shown.columns.drop(known)]].rename(columns=_INCIDENT)
    notes = {
        "all began within": "from the first alert's start to the last one's",
        "open": "alerts without an end; sources such as Sentry never report one",
    }
    return _table(shown, "incident", ", the newest first") + _legend(shown, notes)


def _links(links: pd.DataFrame, thing: str, order: str) -> str:
    """Return links (or edges) as a table with what its columns mean."""
    shown = display.evidence(links)
    return _table(shown, thing, order) + _legend(shown, display.LEGEND)


def _legend(table: pd.DataFrame, meanings: Mapping[str, str]) -> str:
    """Return what the columns of `table` mean."""
    items = [
        f"<li><b>{html.escape(name)}</b>: {html.escape(said)}</li>"
        for name, said in meanings.items()
        if name in table.columns and len(table)
    ]
    return f'<ul class="legend faint">{"".join(items)}</ul>' if items else ""


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
    return rules.sort_values(["alerts", *keys], ascending=[False, *[True] * len(keys)])


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


def _table(frame: pd.DataFrame, thing: str, order: str = "") -> str:
    """Return the first rows of a frame as an HTML table; its caption counts the `thing` a row is."""
    if not len(frame):
        return ""
    shown = frame.head(_ROWS)
    marks = [f' class="{_kind(str(name), frame[name])}"' for name in frame.columns]
    head = "".join(f'<th scope="col"{m}>{html.escape(str(c))}</th>' for c, m in zip(frame.columns, marks, strict=True))
    rows = "".join(
        "<tr>" + "".join(f"<td{m}{_all(v)}>{_cell(v)}</td>" for v, m in zip(row, marks, strict=True)) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    first = "" if len(shown) == len(frame) else f"; the first {len(shown)} are shown"
    caption = html.escape(f"{words.count(len(frame), thing)}{order}{first}")
    table = f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="wide">{table}</div>'


def _kind(name: str, column: pd.Series) -> str:
    """Return what a column is: a number, short (never wrapped) or text."""
    if pd.api.types.is_numeric_dtype(column) or name in display.PROBABILITIES:
        return "number"
    longest = max((len(_cell(value)) for value in column.head(_ROWS)), default=0)
    return "short" if longest <= _SHORT else "text"


def _all(value: object) -> str:
    """Return all of a long list as a tooltip."""
    if not isinstance(value, (list, tuple)) or len(value) <= _LISTED:
        return ""
    return f' title="{html.escape(", ".join(map(str, value))[:_TOOLTIP])}"'


def _cell(value: object) -> str:
    """Return one value as escaped text."""
    if isinstance(value, (list, tuple)):
        more = f" +{len(value) - _LISTED} more" if len(value) > _LISTED else ""
        said = ", ".join(map(str, value[:_LISTED])) + more
    elif isinstance(value, pd.Timestamp):
        said = f"{value:%Y-%m-%d %H:%M}"
    elif value is None or value is pd.NaT or value is pd.NA or value != value:
        said = ""
    elif isinstance(value, float):
        said = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    else:
        said = str(value)
    return html.escape(said if len(said) <= _CELL else said[: _CELL - 1] + "…")


def _write(path: str | os.PathLike[str], title: str, parts: Iterable[str]) -> Path:
    """Write a page beside its target, then put it in its place; where that fails nothing is left behind."""
    from plotly.offline import get_plotlyjs

    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a directory; name a file in it", str(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", str(target.parent))
    library = f"<script>{get_plotlyjs()}</script>"
    page = _PAGE.format(title=html.escape(title), library=library, body="\n".join(part for part in parts if part))
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, suffix=".part", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(page)
            file.close()
            temporary.chmod(0o644)
            return temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
