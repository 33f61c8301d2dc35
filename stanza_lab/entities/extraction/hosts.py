"""Host names and addresses: which words are host names, which hosts are tools, what a name inside a cluster means."""

from __future__ import annotations

import re

# The last label of a host name. Those that are also usual ends of metric names (id, so, is) or of files (py, sh, rs)
# are left out; those that are words count from the third label on.
_SURE_ENDS = "com|net|org|internal|local|edu|gov|mil|biz|eu|de|uk|fr|nl|lan|corp|intranet|consul"
_LONG_ENDS = (
    "io|dev|cloud|ai|co|app|info|tech|systems|services|online|site|network|cc|tv|be|ch|at|it|es|pt|se|no|fi|dk|ie|cz|ru|ua|tr|in|cn|jp|kr"
    "|au|nz|ca|us|br|mx|ar|za|sg|hk|tw|vn|il|ae|intra|localdomain|private|home|test|example|invalid|me|pl"
)
ENDS = f"{_SURE_ENDS}|{_LONG_ENDS}"
_LABEL = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?|[A-Z0-9_](?:[A-Z0-9_-]{0,61}[A-Z0-9])?)"
_FQDN = re.compile(rf"(?:{_LABEL}\.)+(?:(?i:{ENDS}))\.?")
_LONG_END = re.compile(rf"(?:{_LONG_ENDS})", re.I)
FIND_FQDN = re.compile(
    rf"(?<![\w.@/%-])(?P<host>(?:{_LABEL}\.){{1,10}}(?i:{ENDS}))(?::\d{{1,5}})?(?![\w@-])(?!\.\w|:[A-Za-z]|\()"
)
# com.acme.orders is a package, java.net a library.
_PACKAGE = {
    "com",
    "org",
    "net",
    "io",
    "edu",
    "gov",
    "java",
    "javax",
    "jdk",
    "sun",
    "kotlin",
    "scala",
    "akka",
    "android",
}
_METRIC = {
    "system",
    "aws",
    "kubernetes",
    "container",
    "docker",
    "jvm",
    "process",
    "trace",
    "http",
    "kube",
    "disk",
    "runtime",
}
_NO_HOST = {"socket.io", "asp.net", "ado.net", "vb.net", "localhost.localdomain", "spring.io", "node.io"}
IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}\]?")
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[?::1?\]?", re.I)

_KUBERNETES = re.compile(
    r"(?:(?P<pod>[\w-]+)\.)?(?P<service>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.(?P<namespace>[a-z0-9-]{1,63})\.svc"
    r"(?:\.[a-z0-9-]{1,63}\.[a-z0-9-]{1,63})?\.?"
)
FIND_KUBERNETES = re.compile(
    r"(?<![\w.@/-])(?P<host>(?:[a-z0-9-]{1,63}\.){2,4}svc(?:\.[a-z0-9-]{1,63}\.local)?)\.?(?::\d{1,5})?"
    r"(?![\w@-])(?!\.\w)"
)
NODE = (
    r"ip-\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}|gke-[a-z0-9-]{3,80}-[0-9a-f]{8}-[a-z0-9]{4}"
    r"|aks-[a-z0-9]{1,20}-\d{8}-vmss[0-9a-z]{6}"
)
FIND_NODE = re.compile(rf"(?<![\w./@-])(?:{NODE})(?![\w-])(?!\.\w)")


def _listed(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Monitoring, chat, paging, documentation: where a link in an alert leads people, not what broke.
_TOOL_DOMAINS = _listed(
    """datadoghq.com datadoghq.eu ddog-gov.com pagerduty.com sentry.io console.aws.amazon.com phd.aws.amazon.com
    aws.amazon.com signin.aws amazonaws-us-gov.com console.amazonaws.cn grafana.net grafana.com slack.com opsgenie.com
    victorops.com newrelic.com honeycomb.io splunkcloud.com signalfx.com lightstep.com dynatrace.com elastic.co
    elastic-cloud.com statuspage.io atlassian.net atlassian.com notion.so notion.site notion.com incident.io rootly.com
    rootly.io firehydrant.com firehydrant.io service-now.com zendesk.com office.com teams.microsoft.com zoom.us
    discord.com discordapp.com portal.azure.com learn.microsoft.com docs.microsoft.com console.cloud.google.com
    cloud.google.com docs.google.com meet.google.com google.com www.google.com kubernetes.io prometheus.io
    prometheus-operator.dev readthedocs.io stackoverflow.com uptimerobot.com pingdom.com statuscake.com betteruptime.com
    nagios.com nagios.org zabbix.com w3.org schemas.xmlsoap.org github.com gitlab.com bitbucket.org
    githubusercontent.com"""
)
_TOOL_NAMES = _listed(
    """grafana prometheus alertmanager karma kibana thanos victoriametrics jaeger zipkin tempo loki nagios zabbix icinga
    netdata confluence jira runbook runbooks playbook playbooks backstage statuspage sentry splunk graylog opsgenie
    pagerduty gitlab github bitbucket"""
)
_TOOL_HOSTS = frozenset(
    ("wiki", "docs", "doc", "dashboard", "dashboards", "git", "stash", "status")
)  # as the first label only
_WORD = re.compile(r"[a-z0-9]+")


def is_host(name: str) -> bool:
    """Return whether `name` is a full host name: labels of one case and a known last one."""
    if len(name) > 253 or not _FQDN.fullmatch(name):
        return False
    folded = name.lower().rstrip(".")
    labels = folded.split(".")
    if folded in _NO_HOST or labels[0] in _PACKAGE:
        return False
    return not _LONG_END.fullmatch(labels[-1]) or (len(labels) > 2 and labels[0] not in _METRIC)


def is_tool(host: str) -> bool:
    """Return whether a host is that of a tool people watch, talk or document with."""
    folded = host.lower()
    labels = folded.split(".")
    if any(".".join(labels[first:]) in _TOOL_DOMAINS for first in range(max(0, len(labels) - 4), len(labels) - 1)):
        return True
    return labels[0] in _TOOL_HOSTS or not _TOOL_NAMES.isdisjoint(_WORD.findall(folded))


def is_loopback(host: str) -> bool:
    """Return whether a host is the machine itself, which names nothing."""
    return _LOOPBACK.fullmatch(host) is not None


def service_of(host: str) -> str | None:
    """Return the service behind a name of cluster DNS: orders.shop.svc.cluster.local -> orders.

    Examples
    --------
    >>> from stanza_lab.entities.extraction.hosts import service_of
    >>> service_of("orders.shop.svc.cluster.local")
    'orders'
    """
    found = _KUBERNETES.fullmatch(host) if len(host) <= 253 else None
    return found["service"] if found else None


def without_port(host: str) -> str:
    """Return a host without its port: web-1:9100 -> web-1, [::1]:80 -> ::1."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and ":" not in name else host
