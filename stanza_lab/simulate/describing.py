"""An export in words and numbers: its README and its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

_README = """\
# A simulated production

Written by `stanza_lab.simulate_production` (`make data` writes it again; edits are lost). Everything is invented: no
real company, account or person. The same parameters (`meta.json`) give the same bytes.

{services} services of a shop, {teams} teams, {repositories} repositories, {monitors} monitors, {days} days from
{start}: {alerts:,} alerts, {alerts_in_incident:,} of them caused by {incidents_with_alerts} of the {incidents}
incidents. The rest is noise. Pages, which copy some of these alerts, are not counted.

- `exports/`: what an SRE would drop into a folder, `sl.read_alerts("exports")`:
  - `datadog_events_*.ndjson`: pages of `GET /api/v2/events`, newest first, a page per line; with deploy markers;
  - `cloudwatch_alarm_history_*.json`: `describe-alarm-history`, newest first; `cloudwatch_alarms.json` defines them;
  - `cloudwatch_eventbridge_*.ndjson`: the same state changes again, from an archive that began later (duplicates);
  - `sentry_issue_alerts_*.ndjson`: a log of webhooks;
  - `pagerduty_webhooks_v3.ndjson`: a log of webhooks too, of pages. Each copies an alert of Datadog or CloudWatch and
    says so: read, its `origin` is that source. Beside its alert it is the same thing a second time: count one of them.
    Invented people of a weekly rotation per team take them, and of some incidents a note tells what was done.
- `traces/`: OTLP/JSON. {trace_coverage:.0%} of the services that are code write traces; databases, caches and queues
  never do.
- `indicators/`: what two front ends count, `sl.read_indicators("indicators")`: good and all requests (every 5 minutes
  in the last 28 days, every hour before), sessions of one of them, and its latencies as Prometheus answers; some
  scrapes are lost, and its counters began again once.
- `ownership.csv`: the catalogue.
- `truth/alert_labels.csv`: one row per exported record; an empty `incident_id` means that it belongs to none.
- `truth/incidents.csv`: an empty `root_service` means a shared cause that hit unrelated services; an equal `pattern_id`
  means that the same fault recurred.
- `truth/call_graph.csv`: who calls whom. `truth/services.csv`: every spelling of a service.

`kind` in the labels is firing, renotification, recovery, acknowledgement (of a page), note or change (a deploy).
`native_id` is Datadog's `id`, Sentry's `event_id`, PagerDuty's `event.id`, and `AlarmName|Timestamp` for CloudWatch in
both shapes.

Know before you measure: monitors look once a minute (some every five), each at its own second and by its own clock; an
alert that was firing already when a fault came belongs to no incident; a firing whose recovery was lost swallows the
next one of the same monitor, and that alert belongs to what raised it first.
"""


def counts(production: Production) -> dict[str, Any]:
    """Count what an export holds."""
    labelled = production.labels["incident_id"]
    sources = production.alerts["source"].astype("str").value_counts().sort_index()
    return {
        "services": len(production.services),
        "teams": int(production.services["team"].nunique()),
        "repositories": int(production.services["repository"].nunique()),
        "call_graph_edges": len(production.call_graph),
        "monitors": len(production.monitors),
        "alerts": len(production.alerts),
        "alerts_by_source": {str(source): int(count) for source, count in sources.items()},
        "alerts_in_incident": int(labelled.notna().sum()),
        "incidents": len(production.incidents),
        "incidents_with_alerts": int(labelled.nunique()),
        "patterns": int(production.incidents["pattern_id"].nunique()),
        "deploys": len(production.deploys),
    }


def readme(production: Production) -> str:
    """Say what stands where."""
    days, start, share = (production.parameters[name] for name in ("days", "start", "trace_coverage"))
    return _README.format(**counts(production), days=days, start=start[:10], trace_coverage=share)
