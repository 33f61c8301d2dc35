"""The model card: what a bundle is, made of what, how good, and what it must not be used for. For people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stanza_lab.artefacts.exports.quoting import markdown
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

OWN = ("alerts per incident", "alerts on their own", "relative validity")  # what a grouping says of itself
_MOST = 12  # rows of a table in the card


def model_card(about: dict[str, Any], *, tables: dict[str, pd.DataFrame]) -> bytes:
    """Return the card in Markdown, from what the manifest says and the tables hold."""
    counts, data = about["counts"], about["data"]
    span = f"{data['since'] or 'unknown'} to {data['until'] or 'unknown'} (UTC)"
    services = tables["services"]
    lines = [
        "# Model card",
        "",
        (
            "A model of which alerts belong together, what depends on what and whose it is, learned from past alerts "
            f"by stanza_lab {about['versions']['stanza_lab']}. Every figure is an estimate and says how sure it is."
        ),
        "",
        "## Made of",
        "",
        f"* {words.count(counts['alerts'], 'alert')}, {span}",
        *(f"* {words.count(count, 'alert')} of {markdown(name)}" for name, count in data["sources"].items()),
        (
            f"* {words.count(counts['services'], 'service')} of {words.count(counts['teams'], 'team')}, "
            f"{words.count(counts['incidents'], 'incident')}, {words.count(counts['links'], 'link')}"
        ),
        f"* {words.count(counts['patterns'], 'pattern')}, {words.count(counts['reactions'], 'reaction')}",
        "",
        (
            "No alert is in it, no text of one, and nothing that runs when it is loaded: sums, names of rules, "
            f"services and teams. People who reviewed reactions or are on call: {about['redaction']['people']}."
        ),
        "",
        "## How good it is",
        "",
        *_metrics(tables.get("metrics")),
        *_calibration(tables.get("calibration")),
        "",
        "## What it could not see",
        "",
        *_unseen(services, tables),
        "",
        "## What it is for, and what not",
        "",
        (
            "* For: grouping new alerts, saying where to look first and whom to ask, rules for other tools that people "
            "read before they switch them on."
        ),
        "* Not for: acting without a person, blaming a team, or proof that two services do not depend on each other.",
        (
            "* It ages: services, rules and thresholds change. Save a new one every few weeks and compare the two with "
            "`stanza-lab bundle-diff OLD NEW`."
        ),
        "",
    ]
    return "\n".join(lines).encode()


def _metrics(table: pd.DataFrame | None) -> list[str]:
    if table is None or table.empty:
        return ["Nobody measured it on labelled alerts: pass `metrics=` to `save_bundle` to have it said here."]
    told = [] if set(table["metric"]) - set(OWN) else ["Nobody measured it on labelled alerts; it says of itself:", ""]
    rows = [
        f"| {markdown(row['metric'])} | {row['value']:.3f} | {row['n']:,} | {markdown(row['definition'])} |"
        for row in table.head(_MOST).to_dict("records")
    ]
    return [*told, "| measure | value | n | definition |", "| --- | --- | --- | --- |", *rows]


def _calibration(table: pd.DataFrame | None) -> list[str]:
    if table is None or table.empty:
        return ["", "Whether its confidence holds here was not checked: no traces or declared calls were given."]
    rows = [
        f"| {row['confidence']:.2f} | {row['real']:.2f} ({row['low']:.2f} to {row['high']:.2f}) | {row['pairs']:,} |"
        for row in table.head(_MOST).to_dict("records")
    ]
    return [
        "",
        "Confidence beside how often it was right, where traces could judge:",
        "",
        "| said | was real (95 %) | pairs |",
        "| --- | --- | --- |",
        *rows,
    ]


def _unseen(services: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> list[str]:
    silent, unowned = int((services["alerts"] == 0).sum()), int(services["team"].isna().sum())
    said = ["* Services without alerts, traces or a declaration are not on the map; what never failed left no mark."]
    if silent:
        said.append(f"* {words.count(silent, 'service')} of the map never alerted.")
    if unowned:
        said.append(f"* Of {words.count(unowned, 'service')} nobody knows the team.")
    if "rules" not in tables:
        said.append("* The rules of its alerts and their labels were not saved.")
    if not set(tables["metrics"]["metric"]) - set(OWN):
        said.append("* How good the grouping is on alerts like these.")
    return said
