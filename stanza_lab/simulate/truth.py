"""The truth files and the catalogue, in the columns of the shared recordings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.simulate.exports import cloudwatch, datadog, pagerduty, sentry
from stanza_lab.simulate.exports.joined import joined

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

_LABELS = ["source_file", "native_id", "timestamp", "kind", "service", "incident_id"]
_PAGE_KINDS = {
    "incident.triggered": "firing",
    "incident.acknowledged": "acknowledgement",
    "incident.resolved": "recovery",
    "incident.annotated": "note",
}


def render_truth(production: Production) -> Iterator[tuple[str, str]]:
    """Yield path and text of the truth files and of ownership.csv."""
    yield "truth/alert_labels.csv", _csv(alert_labels(production))
    times = {
        side: production.incidents[side].dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3] + "Z" for side in ("start", "end")
    }
    yield "truth/incidents.csv", _csv(production.incidents.assign(**times))
    yield "truth/call_graph.csv", _csv(production.call_graph)
    yield "truth/services.csv", _csv(service_aliases(production))
    yield "ownership.csv", _csv(ownership(production))


def alert_labels(production: Production) -> pd.DataFrame:
    """Return one row per exported record, sorted by time and file.

    Kind is firing or recovery as in the shared recordings, and renotification, acknowledgement, note, change (deploy).
    """
    files = {"cloudwatch": cloudwatch.file_name, "datadog": datadog.file_name, "sentry": sentry.file_name}
    parts = []
    names = np.array([*production.incidents["incident_id"], None], dtype=object)
    for vendor, file_name in files.items():
        rows = joined(production, vendor)
        rows = rows.assign(incident_id=names[rows["incident"]], source_file=rows["month"].map(file_name))
        parts.append(rows)
        if vendor == "cloudwatch":
            again = cloudwatch.archived(production, rows)
            parts.append(again.assign(source_file=again["month"].map(cloudwatch.archive_name)))
    deploys = datadog.deploy_markers(production)
    parts.append(deploys.assign(source_file=deploys["month"].map(datadog.file_name), kind="change"))
    pages = pagerduty.webhooks(production)
    page_file = pagerduty.FILE.rpartition("/")[2]
    parts.append(pages.assign(source_file=page_file, kind=pages["event_type"].map(_PAGE_KINDS)))
    labels = pd.concat(
        [part.rename(columns={"iso": "timestamp"}).reindex(columns=_LABELS).astype("str") for part in parts]
    )
    return labels.sort_values(["timestamp", "source_file", "native_id"], ignore_index=True)


def service_aliases(production: Production) -> pd.DataFrame:
    """Return every spelling of a service in the exports, its own first."""
    names = production.services["service"]
    pods = pd.DataFrame(datadog.pods(production)).assign(service=names.to_numpy())
    code = production.services["resource"].isna().to_numpy()
    aliases = pd.concat(
        [
            pd.DataFrame({"service": names, "alias": names}),
            pd.DataFrame({"service": names, "alias": production.services["alias"]}),
            pods[code].melt(id_vars="service", value_name="alias")[["service", "alias"]],
        ]
    )
    return aliases.drop_duplicates().sort_values("service", kind="stable", ignore_index=True)


def ownership(production: Production) -> pd.DataFrame:
    """Return the catalogue: `schema.OWNERSHIP`, sorted by service."""
    services = production.services.sort_values("service", ignore_index=True)
    return services.assign(on_call=services["team"] + "-primary")[schema.OWNERSHIP.names]


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")
