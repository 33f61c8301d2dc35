"""Who watches: monitors of three vendors with gaps, each with its own delay, minute and clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from stanza_lab.simulate.topology import Topology


class Rule(NamedTuple):
    """A kind of monitor that services of one kind may have."""

    vendor: str
    kind: str  # of the service it watches
    name: str
    symptom: str
    metric: str
    threshold: float
    priority: int = 0  # Datadog: P1..P5, 0 = none set
    level: str = ""  # Sentry
    minutes: int = 1  # period of evaluation
    share: float = 1.0  # of the services of this kind, before imperfect coverage


RULES = (
    Rule("datadog", "service", "High p99 latency", "latency", "trace.http.request.duration.p99", 1.5),
    Rule("datadog", "service", "Error rate above 2%", "errors", "trace.http.request.error_rate", 0.02, priority=2),
    Rule("datadog", "service", "CPU above 85% of limit", "saturation", "kubernetes.cpu.usage.pct", 85, share=0.7),
    Rule("datadog", "service", "Pods restarting", "restarts", "kubernetes.containers.restarts", 3, 3, share=0.6),
    Rule("datadog", "web", "Synthetic check failing", "errors", "synthetics.http.success", 0.9, priority=1, share=0.8),
    Rule("datadog", "web", "Slow page loads", "latency", "rum.page.load.p75", 4, priority=4, share=0.6),
    Rule("sentry", "web", "TypeError: Cannot read properties of undefined", "errors", "", 0, level="error"),
    Rule("sentry", "web", "ApiError: 502 Bad Gateway", "errors", "", 0, level="error"),
    Rule("sentry", "web", "TimeoutError: request aborted after 10000 ms", "latency", "", 0, level="warning"),
    Rule("sentry", "service", "UpstreamError: dependency answered 503", "errors", "", 0, level="error", share=0.35),
    Rule("sentry", "service", "ConnectionError: pool exhausted", "saturation", "", 0, level="fatal", share=0.2),
    Rule("cloudwatch", "rds", "cpu-high", "saturation", "AWS/RDS CPUUtilization", 85, minutes=5),
    Rule("cloudwatch", "rds", "connections-high", "saturation", "AWS/RDS DatabaseConnections", 400),
    Rule("cloudwatch", "rds", "read-latency-high", "latency", "AWS/RDS ReadLatency", 0.05),
    Rule("cloudwatch", "rds", "failover", "restarts", "AWS/RDS DatabaseUnavailable", 0, share=0.5),
    Rule("cloudwatch", "sqs", "message-age", "saturation", "AWS/SQS ApproximateAgeOfOldestMessage", 600, minutes=5),
    Rule("cloudwatch", "dynamodb", "throttled-requests", "saturation", "AWS/DynamoDB ThrottledRequests", 10),
    Rule("cloudwatch", "dynamodb", "system-errors", "errors", "AWS/DynamoDB SystemErrors", 5),
    Rule("cloudwatch", "elasticache", "cpu-high", "saturation", "AWS/ElastiCache CPUUtilization", 80, minutes=5),
    Rule("cloudwatch", "elasticache", "evictions", "saturation", "AWS/ElastiCache Evictions", 1000),
    Rule("cloudwatch", "elasticache", "replication-lag", "restarts", "AWS/ElastiCache ReplicationLag", 30, share=0.5),
    Rule("cloudwatch", "lambda", "errors", "errors", "AWS/Lambda Errors", 5),
    Rule("cloudwatch", "lambda", "duration-high", "latency", "AWS/Lambda Duration", 8000),
)  # fmt: skip


def make_monitors(
    rng: np.random.Generator,
    topology: Topology,
    *,
    coverage: float,
    detection_latency_s: float,
    evaluation_ms: int,
    clock_skew_s: float,
) -> pd.DataFrame:
    """Draw which monitors exist and how each behaves.

    Returns
    -------
    DataFrame
        One row per monitor: service and rule (row numbers), vendor, sensitivity, latency_s (seconds until it sees a
        symptom), period_ms and phase_ms (its evaluation grid), skew_ms (its clock), noise (relative rate of false
        alarms, mean 1), flappy (relative, mean 1), nightly_ms (time of day of a chronic alarm, -1 = none), renotify_ms
        (0 = never says it twice). Sorted by service, then rule.
    """
    kinds = topology.services["kind"].to_numpy()
    pairs = [(s, r) for s, kind in enumerate(kinds) for r, rule in enumerate(RULES) if rule.kind == kind]
    service, rule = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    share = np.array([r.share for r in RULES])[rule]
    # Nobody ever set up monitors for some services; the others have most of them.
    blind = rng.random(len(kinds)) < (1.0 - coverage) / 3.0
    kept = (rng.random(len(pairs)) < share * coverage) & ~blind[service]
    service, rule = service[kept], rule[kept]
    count = len(service)
    vendor = np.array([r.vendor for r in RULES])[rule]
    minutes = np.array([r.minutes for r in RULES])[rule]
    sentry = vendor == "sentry"
    period_ms = np.where(sentry, 1, minutes * evaluation_ms)
    latency = detection_latency_s * rng.lognormal(0.0, 0.5, size=count)
    nightly = rng.random(count) < 0.03
    return pd.DataFrame(
        {
            "service": service,
            "rule": rule,
            "vendor": vendor,
            "sensitivity": rng.uniform(0.9, 1.8, size=count),
            "latency_s": np.where(sentry, latency / 6.0, latency),
            "period_ms": np.maximum(period_ms, 1),
            "phase_ms": rng.integers(0, np.maximum(period_ms, 1)),
            "skew_ms": np.round(rng.normal(0.0, 1.0, size=count) * clock_skew_s * 1e3).astype(np.int64),
            "noise": rng.gamma(0.5, 2.0, size=count),
            "flappy": rng.gamma(0.7, 1.0 / 0.7, size=count),
            "nightly_ms": np.where(nightly, rng.integers(0, 6 * 3_600_000, size=count), -1),
            "renotify_ms": np.where((vendor == "datadog") & (rng.random(count) < 0.3), 1_800_000, 0),
        }
    )
