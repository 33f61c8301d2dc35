"""The pattern of segments: words of a text, or groups of them, that may name something.

It is written in the part of the syntax that Python's and Rust's regular expressions share (Rust runs it, in linear
time) and is generous: what a segment really says, `texts` decides. Each way begins at the start of a word and ends at
the end of one, so that what stands around a segment does not change what it says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from stanza_lab.entities.extraction import dimensions, hosts
from stanza_lab.entities.extraction._callee_forms import CALL_FORMS, FILL, GAP, HOST_FORMS, JOINED_FORMS, SHAPED_FORMS
from stanza_lab.entities.extraction._traces import GAP as TRACE_GAP
from stanza_lab.entities.extraction._traces import IN_LINE
from stanza_lab.entities.extraction._traces import KEY as TRACE_KEY
from stanza_lab.entities.extraction.kubernetes import HASH

if TYPE_CHECKING:
    from stanza_lab.entities.extraction.readings import Kind

_CHARACTER = r"[A-Za-z0-9_./:@%+~#$&=?*-]"  # of a word

_SERVICE_KEYS = (
    r"services?(?:[_. -]name)?|svc|kube_(?:service|deployment|stateful_set|daemon_set|cronjob)|exported_service"
    r"|(?:affected|impacted)_service|service[\"'] ?: ?\{ ?[\"']name"
    r"|k8s\.(?:deployment|statefulset|daemonset)\.name|app\.kubernetes\.io/name|deployment|statefulset|daemonset|cronjob"
)
KIND_OF_KEY: Mapping[str, Kind] = {
    **dict.fromkeys(("env", "environment", "deployment.environment", "deployment.environment.name"), "environment"),
    **dict.fromkeys(("team", "squad", "owning_team"), "team"),
    **dict.fromkeys(("repo", "repository"), "repository"),
    **dict.fromkeys(("host", "hostname", "kube_node", "nodename"), "resource"),
}
_DIMENSIONS = "|".join(sorted(name for name in dimensions.NAMES if len(name) > 6 and dimensions.is_dimension(name)))
KEYS = rf"{_SERVICE_KEYS}|{'|'.join(re.escape(key) for key in KIND_OF_KEY)}|{_DIMENSIONS}"
# Between a key and its value: *Service:* checkout in Slack, **Service**: `checkout` in Markdown.
_BOLD = r"(?:\*{1,2}|</?(?:b|strong)>)"
LOOSE = rf"[\"']?{_BOLD}? ?[:=]{{1,2}}>?(?:{_BOLD}[ \n]{{1,2}})? ?[\"'`\[]?\*{{0,2}}| [\"'`]"
# Of keys in log lines and attributes: dd.service, resource.attributes.service.name.
PREFIX = r"(?:(?:dd|otel|resource|attributes|attr|labels|tags|fields|meta)[._]){0,2}"
# As kubectl and the usual rules write them: deployment/checkout, Deployment shop/checkout.
WORKLOADS = (
    r"(?:service|svc|deploy|deployment|sts|statefulset|ds|daemonset|cronjob|hpa|horizontalpodautoscaler)s?(?:\.apps)?"
)
WORKLOAD_GAP = r"(?:/| [\"'`]?[a-z0-9-]{1,63}/)"

# Whom a log line names as asking, where a link in an alert leads people, what a probe asked: nothing to be told.
_ASKING = (
    r"(?:remote_?addr(?:ess)?|x-forwarded-for|x-real-ip|client(?:[_ ]?(?:ip|addr))?|referr?er|user[_-]?agent"
    r"|(?:source|src)[_ ]?(?:ip|addr))[\"']?[:=] ?[\"']?"
)
_LEADING = (
    r"(?:runbook|playbook|dashboard|wiki|docs?|documentation|graph|panel|silence|monitor|logs?|(?P<seen>link|see))"
    r"(?:[ _](?:url|link|to [a-z]+))?[ :=]{1,3}[<(]?https?://"
)
_PROBE = r"(?:readiness|liveness|startup) probe (?:failed|errored)[:=]? ?(?:(?:get|head|dial tcp) )?[\"']?"
ASIDE = re.compile(rf"(?<![\w-])(?:{_ASKING}|{_LEADING}|{_PROBE})", re.I)

_SIGNS = (
    r"arn:aws|://|@sha256:|/aws/|/ecs/|/subscriptions/|projects/|API-Gateway-Execution-Logs_|\.svc\b|\bgit@"
    rf"|\.(?i:{hosts.ENDS})\b|\.on\.aws\b|-{HASH}{{6,10}}-{HASH}{{5}}(?:\b|_)|\b(?:{hosts.NODE})\b"
    r"|\b(?:i|vol|snap|ami|eni|sg|subnet|vpc|vpce|rtb|igw|nat|tgw|lt|eipalloc|fs)-(?:[0-9a-f]{17}|[0-9a-f]{8})\b"
)
_CLOSE = r"[\"'`\])(]?"
# Behind a name: what it is, or how the sentence goes on; else a blank tells that a noun follows, and this is none.
_FOLLOWS = (
    rf"{_CLOSE}(?i: (?:service|api|server|app|cluster|backend|database|db|after|with|within|in|for|on|at|from|via|due"
    r"|because|and|but|is|was|has)\b)?[ ]?"
)


_WORD = rf"{_CHARACTER}*"
_NAME = rf"{_CHARACTER}+(?:<[a-z]{{1,12}}>{_WORD})?"
# What else may have been called stands right behind: orders: connection refused to orders-db.
_MORE = (
    rf"[A-Za-z0-9]*(?:(?i:(?: connecting)?(?: to| from| by| for| at| with):?|:) [\"'`(\[]?{_CHARACTER}+"
    rf"| \({_CHARACTER}+|{_WORD})"
)


def _called() -> tuple[str, ...]:
    """Return the ways in which error texts name what was called: what the forms share stands there once."""
    forms = [
        (re.sub(r"\(\?=[^()]*\)", "", before), after) for before, after in (*HOST_FORMS, *CALL_FORMS, *SHAPED_FORMS)
    ]
    around = "|".join(
        rf"(?i:{before}){GAP}(?i:{FILL}){_NAME}(?i:{after})" for before, after in forms if before and after
    )
    before = "|".join(before for before, after in forms if not after)
    behind = "|".join(after for before, after in (*HOST_FORMS, *CALL_FORMS) if not before)
    shaped = "|".join(after for before, after in SHAPED_FORMS if not before)
    joined = "|".join(before for before, _ in JOINED_FORMS)
    return (
        rf"{_WORD}\b(?i:{joined}){_NAME}{_CLOSE}",
        rf"{_WORD}\b(?:{around}){_MORE}",
        rf"{_WORD}\b(?i:{before}){GAP}(?i:{FILL}){_NAME}{_FOLLOWS}",
        rf"{_NAME}(?i:{behind}){_MORE}",
        rf"{_WORD}[_:-]{_WORD}(?i:{shaped}){_MORE}",
    )


SEGMENT = "|".join(
    (
        rf"{_WORD}\b(?i:{_ASKING}|{_LEADING.replace('?P<seen>', '?:')}){_WORD}",
        rf"\b(?i:{_PROBE}){_WORD}(?:{_CLOSE}: (?:(?:dial|read) tcp )?{_WORD})?",
        *_called(),
        rf"(?:!|NOT )?{_WORD}\b(?i:{KEYS})(?:{LOOSE}){_CHARACTER}+(?:(?: [A-Za-z0-9_.-]+){{1,4}}[\"`]|[ '])?",
        rf"{_WORD}(?i:{TRACE_KEY}){TRACE_GAP}[0-9a-fA-F-]{{15}}{_WORD}",
        IN_LINE,
        rf"{_WORD}\b(?i:pods?(?:[_ .]?name)?)[\"']?[ :=/]{{1,3}}[\"'`]?{_WORD}-{_CHARACTER}+",
        rf"{_WORD}\b(?i:{WORKLOADS}){WORKLOAD_GAP}{_CHARACTER}+",
        rf"{_WORD}\b(?i:image(?:[_ ]?name)?)[\"']?[ :=]{{1,3}}[\"'`]?{_CHARACTER}+{_CLOSE}",
        rf"{_WORD}(?:{_SIGNS}){_WORD}",
    )
)

# Words that tell of an error: then the host of a URL is what was called.
ERROR_WORDS = (
    *("error", "exception", "refused", "timed out", "timeout", "failed", "failure", "unable to", "could not", "cannot"),
    *("unreachable", "reset by peer", "unavailable", "econn", "enotfound", "no route to host", "not known", "errno"),
    *("prematurely", "broken pipe", "hang up", "giving up", "returned 5", "status 5", "code 5", "http 5"),
    *("502", "503", "504", "deadline exceeded", "no live upstream", "no healthy upstream"),
)
