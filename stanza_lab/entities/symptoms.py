"""What an alert says is wrong, in the words of the golden signals: latency, errors, saturation, availability, traffic.

Read from the names and texts that monitors of all vendors share. The rules stand in one table, `_RULES`, in order: the
first that matches says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import SchemaError

SYMPTOMS = ("latency", "errors", "saturation", "availability", "traffic")
_DTYPE = pd.CategoricalDtype(list(SYMPTOMS))
_FIELDS = ("alertname", "labels", "summary", "description")  # the most deliberate words first
_METRIC = r'"(?:metric|metric_name|metricName|MetricName|metricname|__name__)":\s*"([^"]+)"'
_METRIC_OF = re.compile(_METRIC)
_REMEMBERED = 16_384  # texts whose symptom is kept at hand
_LONGEST = 400  # characters of a text that are read; what is wrong stands at its beginning

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")
_EXCEPTION = re.compile(r"(?<=[A-Za-z0-9])(?:Error|Exception|Fault|Panic)\b(?=\s*(?:[:(]|$))")
_WORD = re.compile(r"[^a-z0-9%]+")
_NUMBER = re.compile(r"\b(?!(?:[45]\d\d|50|75|90|95|99)\b)\d+\b")  # keeps status codes and percentiles
# A severity in front is no symptom: "[Error] disk filling up", "ERROR: host lost", "P1 - ...".
_PREFIX = re.compile(
    r"^[\W_]*(?:critical|error|warn(?:ing)?|info|fatal|alarm|alert|ok|triggered|firing|recovered|resolved|p[1-5]|sev\d)"
    r"\s*(?:[:\]]|\s-\s)[\W_]*",
    re.I,
)


class _Rule(NamedTuple):
    """Words that tell a symptom, and why they stand at this place in the table."""

    symptom: str
    why: str
    words: str  # a regular expression for lower-case words with one blank between them


_RULES = (
    _Rule(
        "availability",
        "a monitor without data says that its source is gone, whatever it was to measure",
        r"(?:no|missing|lost|insufficient) (?:monitoring )?(?:data|signal|heartbeats?|metrics)"
        r"|(?:signal|heartbeat) loss|absent"
        r"|(?:data|metrics?|targets?|signal|heartbeats?|monitoring) (?:is |are )?(?:missing|absent|lost)"
        r"|(?:not|stopped) (?:reporting|sending|seen)|stale (?:data|metrics)|dead ?man s? ?(?:switch|snitch)",
    ),
    _Rule(
        "saturation",
        "a limit that was reached explains the timeout or exception in the same sentence",
        r"exhaust\w*|out of (?:memory|disk|space|inodes?|file|capacity)|oom\w*|memory error|no space left|enospc"
        r"|thrott\w*|rate limit\w*|429|(?:limit|quota|budget of \w+) (?:was |is )?(?:exceeded|reached)|maxed out"
        r"|quotas?|queue pool|pool (?:is )?(?:full|timeout|limit|empty)|too many (?!errors|fail)\w+"
        r"|almost (?:full|out)|filling up|(?:queue|disk|volume|buffer|running) (?:is )?full|spill ?over"
        r"|provisioned throughput exceeded|rejected (?:connections?|executions?)|(?:search|write|pool) rejections"
        r"|dead ?locks?",
    ),
    _Rule(
        "availability",
        "a check of health that times out or fails still says that the thing is not there",
        r"(?:health|liveness|readiness|startup) ?(?:checks?|probes?)|status checks?|probe|un ?healthy|not healthy"
        r"|healthy (?:host|task|instance|target)s?|crash ?loop\w*|back ?off|image ?pull\w*|node ?down|host ?down"
        r"|(?:service|host|instance|server|site|target|cluster) (?:is )?down|uptime|fail ?over",
    ),
    _Rule(
        "latency",
        "a timeout is a wait that was cut off, also as an exception",
        r"time ?outs?|timed ?out|timing out|deadline (?:was )?exceeded|exceeded (?:its )?deadline",
    ),
    _Rule(
        "errors",
        "an exception, a failing status or a rate of errors is named by itself",
        r"xception|[a-z]*[45]xx|(?:http|status|code|answered|returned|responded(?: with)?|got) ?[45]\d\d"
        r"|50[0234]|(?:error|err|fault|failure|exception)s? (?:rate|ratio|percentage|percent|count|%)|error ?%"
        r"|dead letters?|dlq|failed (?:transactions?|requests?|grpc|invocations?)",
    ),
    _Rule(
        "latency",
        "time that something took",
        r"latenc(?:y|ies)|slow\w*|response ?times?|(?:request|query|transaction|execution|processing|commit|save|load"
        r"|page|render|integration|reconcile|fsync|trace|sync|evaluation) ?(?:time|duration)s?|durations?|apdex"
        r"|p(?:50|75|90|95|99|999)|(?:50|75|90|95|99)th|time to first byte|ttfb|page loads?|largest contentful paint"
        r"|lcp|takes? (?:too )?long\w*|delay(?:s|ed)?|stall\w*",
    ),
    _Rule(
        "errors",
        "a budget burns by errors unless it says latency, which stands above",
        r"error budget|budget burn|burn rate|slo (?:burn|violat\w+|breach\w*)",
    ),
    _Rule(
        "traffic",
        "demand that changed; before 'down' and 'low', which it borrows",
        r"(?:traffic|throughput|requests?|hits|rps|qps|visits|sign ?ups|invocations|messages sent|page views)"
        r"(?: (?:rate|count|volume|per second|per minute))? ?"
        r"(?:is |are |has |have |was )?(?:suddenly |unusually |too )?"
        r"(?:low|down|drop\w*|fell|falling|decreas\w*|increas\w*|spik\w*|surg\w*|high|anomal\w*|below|above|abnormal)"
        r"|(?:low|no|zero|sudden|unusual|abnormal|anomalous|drop in|spike (?:in|of)|surge (?:in|of)|change in|high)"
        r" (?:\w+ )?(?:traffic|throughput|requests?|hits|request rate|request volume|invocations)"
        r"|requests? (?:rate|count|volume|per second)|traffic|throughput"
        r"|(?:orders|events|calls) per (?:second|minute|hour)",
    ),
    _Rule(
        "availability",
        "it is gone, came back by itself or has fewer parts than it should",
        r"(?<!slow )(?<!scale )(?<!scaled )(?<!cool )(?<!scaling )down|downtime|unavailable|unavailability|availability"
        r"|unreach\w*|not (?:reachable|ready|responding|running|available|rolled|scheduled)|unresponsive|offline|outage"
        r"|restart\w*|reboot\w*|crash\w*|died|dead|lost|stopped|killed|terminated|evicted|degraded|impaired"
        r"|replicas? ?(?:mismatch|missing)|mismatch|mis ?scheduled|unschedul\w*|under ?replicated|missing"
        r"|(?:pods?|container|node|job) (?:not|waiting|pending|stuck)|rollout stuck|no leader|leader changes"
        r"|(?:insufficient|lost|too few|fewer) (?:members|nodes|instances|pods|replicas|tasks)"
        r"|cluster status (?:red|yellow)|active controller|heartbeats?|disconnect\w*|ping",
    ),
    _Rule(
        "saturation",
        "work or goods that pile up, and words of being used up",
        r"utili[sz]ation|utili[sz]ed|saturat\w*|overload\w*|over ?commit\w*|pressure|capacity|backlogs?|lag|lagging"
        r"|age of oldest|oldest message|message age|iterator age|queue (?:depth|length|size|time)|evictions"
        r"|lock waits?|contention|swap\w*|load average|credit balance|burst balance"
        r"|concurren\w*|(?:free|freeable|available) (?:storage|memory|space|disk)|hpa maxed"
        r"|(?:space|disk|memory|inodes?|files?) (?:usage|used|low|remaining|left|leak\w*)|predict\w* to fill"
        r"|pending (?:tasks|compactions|messages)|messages (?:visible|ready|unacked|delayed)|(?:low|out of) disk",
    ),
    _Rule(
        "errors",
        "something failed, with no better word",
        r"errors?|errs|exceptions?|fail\w*|faults?|panics?|refused|reset by peer|unexpected|rejected|aborted|invalid"
        r"|corrupt\w*|violations?|unhandled|traceback|segfault|denied|conflicts?|drops|dropped|unsuccessful",
    ),
    _Rule(
        "saturation",
        "a resource alone: its monitors watch how full it is",
        r"cpu|load|mem|memory|heap|disks?|storage|filesystems?|inodes?|iops|queues?|connections?|threads?|threadpool"
        r"|file descriptors?|fds|sockets|pools?|bandwidth|gc|garbage collection|old gen|buffers?|cache hit \w+"
        r"|shards?|volumes?|goroutines|conntrack|usage",
    ),
    _Rule(
        "traffic",
        "amounts that come and go",
        r"requests?|hits|invocations|network (?:in|out|receive\w*|transmit\w*)|bytes (?:in|out)(?: per sec)?|rps|qps"
        r"|messages (?:sent|received|published)|page ?views|packets (?:in|out)",
    ),
)
_PATTERNS = tuple((rule.symptom, re.compile(rf"\b(?:{rule.words})\b")) for rule in _RULES)


def classify_symptoms(alerts: pd.DataFrame) -> pd.Series:
    """Say for every alert what it says is wrong: latency, errors, saturation, availability or traffic.

    The alert's name is asked first, then the metric among its labels, its summary and its description; the first that
    tells decides. The name of the alert's own service is passed over, so that `error-tracker` is not always an error.

    Parameters
    ----------
    alerts : DataFrame
        With at least one of `alertname`, `labels`, `summary`, `description`; `service` is used where it is there.

    Returns
    -------
    Series
        Index of `alerts`, name "symptom", category: "latency" (slow, timeouts), "errors" (failing requests,
        exceptions), "saturation" (a resource nearly used up, throttling, backlogs), "availability" (down, restarting,
        failing over, unhealthy, no data from it), "traffic" (more or less demand than usual). Null where no word tells.

    Raises
    ------
    SchemaError
        None of the four columns is there, or one is malformed.

    Notes
    -----
    English only. The words are those of vendors' default monitors and metrics; a monitor named after nothing but its
    team or feature stays null. One alert gets one symptom, the first of a table of rules: a check of health before a
    timeout, an exhausted pool before the exception it raises, a latency before the resource that is slow.

    References
    ----------
    B. Beyer et al., Site Reliability Engineering, O'Reilly 2016, chapter 6: the four golden signals. Availability,
    no signal of a service that runs, is kept apart from errors here.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> names = ["orders-db CPUUtilization", "KubePodCrashLooping", "TimeoutError: 3 s", "High error rate", "Watchdog"]
    >>> sl.classify_symptoms(pd.DataFrame({"alertname": names})).tolist()
    ['saturation', 'availability', 'latency', 'errors', nan]
    """
    fields = [name for name in _FIELDS if name in alerts.columns]
    if not fields:
        raise SchemaError(
            f"alerts: none of the columns {list(_FIELDS)} is there; columns are {list(map(str, alerts.columns))[:30]}; "
            "rename the one that holds the alert's name to 'alertname'"
        )
    alerts = schema.check(alerts, schema.ALERTS, need=fields)
    service = alerts["service"].astype("str").to_numpy() if "service" in alerts.columns else None
    codes = np.full(len(alerts), -1, dtype=np.int8)
    for field in fields:
        open_rows = np.flatnonzero(codes < 0)
        texts = alerts[field].iloc[open_rows].astype("str")
        texts = texts.str.extract(_METRIC, expand=False) if field == "labels" else texts
        codes[open_rows] = _classify(texts, None if service is None else service[open_rows])
    return pd.Series(pd.Categorical.from_codes(codes, dtype=_DTYPE), index=alerts.index, name="symptom")


def symptom_of(alert: Mapping[str, Any]) -> str | None:
    """Say of one alert, a row as a mapping, what `classify_symptoms` says of it; texts read before are remembered."""
    service = alert.get("service")
    where = service[:_LONGEST] if isinstance(service, str) else ""
    for field in _FIELDS:
        text = alert.get(field)
        if field == "labels" and isinstance(text, str):
            metric = _METRIC_OF.search(text)
            text = metric[1] if metric else None
        if isinstance(text, str) and (code := _remembered(text[:_LONGEST], where)) >= 0:
            return SYMPTOMS[code]
    return None


@lru_cache(maxsize=_REMEMBERED)
def _remembered(text: str, service: str) -> int:
    return next(_codes([(text, service)]))


def _classify(texts: pd.Series, service: np.ndarray | None) -> np.ndarray:
    """Return the code of each text's symptom, -1 for none; every distinct text is read once per service."""
    kept = texts.notna().to_numpy()
    text_code, distinct = pd.factorize(texts[kept])
    if service is None:
        told = np.fromiter(_codes((text, "") for text in distinct), dtype=np.int8, count=len(distinct))
        found = told[text_code]
    else:
        service_code, names = pd.factorize(service[kept])
        width = len(names) + 1
        pairs, where = np.unique(text_code * width + service_code + 1, return_inverse=True)
        known = ["", *names]
        told = np.fromiter(
            _codes((distinct[pair // width], known[pair % width]) for pair in pairs.tolist()),
            dtype=np.int8,
            count=len(pairs),
        )
        found = told[where]
    codes = np.full(len(texts), -1, dtype=np.int8)
    codes[kept] = found
    return codes


def _codes(pairs: Iterable[tuple[str, str]]) -> Iterator[int]:
    seen: dict[str, int] = {}  # without numbers and the service's name, most texts of one rule are equal
    names: dict[str, str] = {}
    for text, service in pairs:
        said = _words(text)
        if service:
            if service not in names:
                names[service] = f" {_words(service)} "
            said = f" {said} ".replace(names[service], " ").strip()
        if said not in seen:
            seen[said] = next((SYMPTOMS.index(symptom) for symptom, words in _PATTERNS if words.search(said)), -1)
        yield seen[said]


def _words(text: str) -> str:
    """Return lower-case words with one blank between them; an exception's class ends in the word "xception"."""
    said = _EXCEPTION.sub(lambda found: f" {found[0]} xception ", _PREFIX.sub("", text[:_LONGEST], count=1))
    return _NUMBER.sub("0", _WORD.sub(" ", _CAMEL.sub(" ", said).lower())).strip()
