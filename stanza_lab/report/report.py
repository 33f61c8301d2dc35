"""The report: what was found, as one page for people without a notebook."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import stanza_lab
from stanza_lab import plot, schema
from stanza_lab.errors import SchemaError
from stanza_lab.production import ProductionMap, words
from stanza_lab.report import doors, embedding, findings, moments, shell, tables, teams

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.production import Contributed, Profile

_MOST_RULES = 15
_NAMED = '<p class="faint">Each line speaks to the team it begins with.</p>'


def write_report(
    path: str | os.PathLike[str],
    *,
    alerts: pd.DataFrame,
    incidents: pd.DataFrame | None = None,
    production: ProductionMap | None = None,
    profile: Profile | None = None,
    contributed: Contributed | str | os.PathLike[str] | None = None,
    title: str | None = None,
    notes: Iterable[str] = (),
) -> Path:
    """Write what was found as one HTML file: where to look first and findings in words, then views, then tables.

    The file asks for nothing from outside, all text in it is escaped, and no script in it runs but its own. Figures are
    drawn as they come into sight, light or dark as the reader's screen is.

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
        The map: shown whole, team by team (the largest, as far as the page stays quick), with the front doors of the
        noisiest and most linked services, what changed on it in four weeks (where it was made with `model=`), and the
        replay of a large incident (where it was made with these alerts). Default: none is shown.
    profile : Profile, optional
        What is the reader's, from `ProductionMap.onboard`; its view comes first. Needs `production`. Default: none.
    contributed : Contributed or path, optional
        What teams wrote about their services, for the front doors: see `read_contributed`. Default: none.
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
    alerts = schema.check(alerts, schema.ALERTS, need=["service", "starts_at"])
    if alerts.empty:
        raise SchemaError("no alerts to report on; read some with sl.read_alerts, or ask for less with since and where")
    if production is not None and not isinstance(production, ProductionMap):
        raise SchemaError(
            f"production must be a ProductionMap, not {type(production).__name__}; pass sl.ProductionMap(edges)"
        )
    said = [*findings.about_alerts(alerts), *findings.about_incidents(alerts), *findings.about_map(production), *notes]
    sections: dict[str, str] = {}
    if production is not None and profile is not None:
        sections["Yours"] = teams.own(production, profile, alerts)
    sections["Look here first"] = findings.first(alerts)
    sections["Findings"] = shell.listing(said)
    if production is not None:
        sections |= _of_map(production, alerts, profile=profile, contributed=contributed)
    sections |= _of_alerts(alerts, incidents)
    if production is not None:
        sections |= _in_tables(production)
    sections["Alerts by source"] = tables.table(findings.by_source(alerts), "source")
    sections["Noisiest rules"] = tables.table(findings.noisiest(alerts), "rule", most=_MOST_RULES)
    sections = {name: content for name, content in sections.items() if content}
    parts = [shell.section(name, content, folded=_folded(name)) for name, content in sections.items()]
    contents = _byline(alerts) + shell.contents(sections)
    return shell.write(path, title or "What the alerts say", parts, contents=contents)


def _byline(alerts: pd.DataFrame) -> str:
    """Return of when and of how much this is, and what made it."""
    times = alerts["starts_at"].dropna()
    period = f", {times.min():%Y-%m-%d} to {times.max():%Y-%m-%d} (UTC)" if len(times) else ""
    said = f"{words.count(len(alerts), 'alert')}{period}; made by stanza_lab {stanza_lab.__version__}"
    return f'<p class="faint">{html.escape(said)}</p>'


def _folded(title: str) -> bool | None:
    """Return how a section starts: what is read first cannot be folded away."""
    return None if title in {"Yours", "Look here first", "Findings"} else False


def _of_map(
    production: ProductionMap,
    alerts: pd.DataFrame,
    *,
    profile: Profile | None,
    contributed: Contributed | str | os.PathLike[str] | None,
) -> dict[str, str]:
    gaps = [
        words.sentence(f"{gap['words']} ({words.listing(gap['services'], top=8)})")
        for gap in production.unseen.to_dict("records")
    ]
    beside = shell.listing(teams.neighbours(production))
    text = "Services and what they depend on; the surest dependencies stand in a table below."
    drawn = embedding.figure(plot.production_map(production), "map", text)
    return {
        "What could not be seen": shell.listing(gaps),
        "The map": findings.caution(production) + drawn,
        "Who is next to whom": _NAMED + beside if beside else "",
        "Team by team": teams.views(production, alerts),
        "Front doors": doors.doors(production, profile=profile, contributed=contributed),
        "What changed": moments.changes(production, alerts),
        "An incident replayed": moments.replay(production, alerts),
    }


def _of_alerts(alerts: pd.DataFrame, incidents: pd.DataFrame | None) -> dict[str, str]:
    over_time = embedding.figure(plot.timeline(alerts), "timeline", "Each alert, a row per service.")
    counted = embedding.figure(plot.firing_heatmap(alerts), "heatmap", "How many alerts each service had when.")
    grouped = {} if incidents is None else {"Incidents": tables.incidents(incidents)}
    return {"Alerts over time": over_time + counted, **grouped}


def _in_tables(production: ProductionMap) -> dict[str, str]:
    links, bar = production.links, production.usual_confidence
    table = tables.links(
        links[links["strength"] >= bar], "dependency", f" of probability {bar:g} or more, the surest first"
    )
    services = production.services.sort_values("alerts", ascending=False, kind="stable")
    return {
        "Dependencies": findings.caution(production) + table if table else "",
        "Services": tables.table(services, "service", ", the noisiest first", most=len(services)),
    }
