"""Which system raised an alert that another one only carries, told by what a client or an integration is called."""

from __future__ import annotations

import re
from functools import lru_cache

# Systems that can be read go by their source; of the others those that commonly raise alerts.
_SYSTEMS = {
    "datadog": r"datadog",
    "cloudwatch": r"cloud ?watch",
    "sentry": r"sentry",
    "alertmanager": r"alert ?manager|prometheus",
    "grafana": r"grafana",
    "honeycomb": r"honeycomb",
    "newrelic": r"new ?relic",
    "elastic": r"elastic(search)?|kibana|watcher",
    "azure": r"azure",
    "gcp": r"google cloud|gcp|stackdriver",
    "splunk": r"splunk",
    "opsgenie": r"opsgenie",
    "pagerduty": r"pager ?duty",
    "servicenow": r"service ?now",
    **{
        word: word
        for word in (
            *("appdynamics", "catchpoint", "checkmk", "dynatrace", "icinga", "instana", "logicmonitor", "nagios"),
            *("pingdom", "scom", "sensu", "site24x7", "solarwinds", "statuscake", "sumologic", "thousandeyes"),
            *("uptimerobot", "zabbix"),
        )
    },
}
_WORDS = re.compile("|".join(rf"(?P<{system}>\b(?:{words}))" for system, words in _SYSTEMS.items()))


@lru_cache(2**10)
def origin(*called: str | None) -> str | None:
    """Return the system that the first of these names which names one, for example "AWS CloudWatch", stands for."""
    for word in called:
        if word and (found := _WORDS.search(re.sub(r"[\W_]+", " ", word.lower()))):
            return found.lastgroup
    return None
