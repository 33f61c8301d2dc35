"""A view of each team: its part of the map, who is next to it, what it is paged for."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from stanza_lab import plot
from stanza_lab.production import words
from stanza_lab.production.place import pager
from stanza_lab.report import embedding
from stanza_lab.report.findings import caution, noisiest, rule
from stanza_lab.report.shell import listing

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.production import ProductionMap, Profile

_MOST_VIEWS, _MOST_SIZE = 40, 3_000_000  # teams, and characters of all their views: the page must open at once
_MOST_NEIGHBOURS, _MOST_RULES = 8, 5
_LATELY = 4  # weeks


def views(production: ProductionMap, alerts: pd.DataFrame) -> str:
    """Return the views of the largest teams, each folded away, and how many teams are left out."""
    sizes = production.services["team"].value_counts(sort=False).sort_index()
    sizes = sizes.sort_values(ascending=False, kind="stable")
    drawn: list[str] = []
    for i, name in enumerate(map(str, sizes.index[:_MOST_VIEWS])):
        view = _folded(production, name, alerts, anchor=f"team-{i + 1}")
        if drawn and sum(map(len, drawn)) + len(view) > _MOST_SIZE:
            break
        drawn.append(view)
    left = len(sizes) - len(drawn)
    more = f"The largest teams; {words.count(left, 'smaller team')} left out to keep the page quick." if left else ""
    return "".join([f"<p>{more}</p>" if more else "", *drawn])


def own(production: ProductionMap, profile: Profile, alerts: pd.DataFrame) -> str:
    """Return the view of what somebody said is theirs."""
    missing = sorted({*profile.services} - {*production.services["service"]})
    gone = [f"Not on this map: {words.listing(missing, top=8)}."] if missing else []
    view = production.team(profile)
    if not len(view.services):
        return listing([f"None of the services of {profile.name} is on this map.", *gone])
    return _view(view, _of(view, alerts), anchor="yours-view") + listing(gone)


def neighbours(production: ProductionMap) -> list[str]:
    """Return for each of the largest teams its surest neighbour, in words."""
    said = []
    for team in production.services["team"].value_counts().head(8).index:
        across = production.next_clusters(str(team))
        if len(across):
            said.append(f"{team}: {across['words'].iloc[0]}.")
    return said


def _folded(production: ProductionMap, team: str, alerts: pd.DataFrame, *, anchor: str) -> str:
    view = production.team(team)
    mine = _of(view, alerts)
    size = f"{words.count(len(view.services), 'service')}, {words.count(len(mine), 'alert')}"
    summary = f'<summary><h3>{html.escape(team)}</h3> <span class="faint">{size}</span></summary>'
    about = html.escape(f"cluster {team}")
    return f'<details id="{anchor}" data-about="{about}">{summary}{_view(view, mine, anchor=anchor)}</details>'


def _view(view: ProductionMap, mine: pd.DataFrame, *, anchor: str) -> str:
    across = view.neighbours()
    beside = [words.sentence(said) for said in across["words"].head(_MOST_NEIGHBOURS)]
    if len(across) > len(beside):
        beside.append(f"And {words.count(len(across) - len(beside), 'more neighbour')}.")
    rules = [rule(row, len(mine), of="theirs") for row in noisiest(mine).head(_MOST_RULES).to_dict("records")]
    text = "Its services, and one square for each cluster next to them."
    blocks = {
        "Who is next": listing(beside) or "<p>Nobody that is known.</p>",
        "Pager load": listing(filter(None, [_load(view)])),
        "Noisiest rules": listing(rules),
    }
    said = "".join(f"<h4>{title}</h4>{inner}" for title, inner in blocks.items() if inner)
    return caution(view) + embedding.figure(plot.production_map(view), f"{anchor}-map", text) + said


def _of(view: ProductionMap, alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts[alerts["service"].isin(set(view.services["service"]))]


def _load(view: ProductionMap) -> str:
    """Say how much the services of a view alert, lately and all the time, and how much of it by night or by habit."""
    weeks = pager.load(view, list(view.services["service"]), tz="UTC")
    full = weeks[weeks["days"] == 7]
    late, pages = full.tail(_LATELY), full["pages"].sum()
    if not pages:
        return ""
    said = f"{late['pages'].mean():.1f} alerts a week in the last {words.count(len(late), 'full week')}"
    if len(full) > len(late):
        said += f", {full['pages'].mean():.1f} in all {len(full):,}"
    chronic = (full["chronic_share"].fillna(0) * full["pages"]).sum() / pages
    by_night = f"{full['sleep_hours'].sum() / pages:.0%} between 22:00 and 08:00 UTC"
    return f"{said}; {by_night}; {chronic:.0%} from rules that fire on {pager.CHRONIC:.0%} of days or more."
