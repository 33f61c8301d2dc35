"""OpenTelemetry: OTLP/JSON traces of the services that are instrumented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from stanza_lab.simulate.exports.joined import dump
from stanza_lab.simulate.naming import HEX, codes
from stanza_lab.simulate.rhythm import DAY_MS, sample_times

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

_TRACES_PER_SERVICE = 6
_FILES = 2
_MOST_SPANS = 40  # of one trace
_FOLLOWED = 0.7  # of the calls a request could make
_SYSTEM = {"rds": "postgresql", "dynamodb": "dynamodb", "elasticache": "redis", "sqs": "aws_sqs"}


def instrumented(production: Production) -> np.ndarray:
    """Return which services write traces: code only, databases and queues show as the peer of a client span."""
    rng = np.random.default_rng([production.parameters["random_state"], 16])
    kinds = production.services["kind"].to_numpy()
    written = rng.random(len(kinds)) < production.parameters["trace_coverage"]
    return np.array([kind not in _SYSTEM and own for kind, own in zip(kinds, written, strict=True)], dtype=bool)


def render(production: Production) -> Iterator[tuple[str, str]]:
    """Yield path and text: a few hours' samples, spans grouped by service."""
    rng = np.random.default_rng([production.parameters["random_state"], 17])
    own = instrumented(production)
    calls: list[list[int]] = [[] for _ in own]
    graph = production.topology.calls
    for caller, callee in zip(graph["caller"].tolist(), graph["callee"].tolist(), strict=True):
        calls[caller].append(callee)
    entered = {callee for caller in np.flatnonzero(own) for callee in calls[caller] if own[callee]}
    roots = [int(service) for service in np.flatnonzero(own) if service not in entered]
    if not roots:
        return
    began = int(np.datetime64(production.parameters["start"][:19], "ms").astype("int64"))
    for number in range(_FILES):
        # The days in the middle of the time: what a sampling of one day would leave.
        day = began + (production.parameters["days"] // 2 + number) * DAY_MS
        starts = sample_times(rng, len(own) * _TRACES_PER_SERVICE // _FILES, start_ms=day, days=1)
        spans: dict[int, list[dict[str, Any]]] = {}
        for start in starts:
            _trace(
                rng, production, spans, calls, own, root=roots[int(rng.integers(len(roots)))], at_ns=int(start) * 10**6
            )
        groups = [_resource(production, service, spans[service]) for service in sorted(spans)]
        date = np.datetime_as_string(np.datetime64(day, "ms"), unit="D")
        yield f"traces/otlp_{date}.json", dump({"resourceSpans": groups}) + "\n"


def _trace(
    rng: np.random.Generator,
    production: Production,
    spans: dict[int, list[dict[str, Any]]],
    calls: list[list[int]],
    own: np.ndarray,
    *,
    root: int,
    at_ns: int,
) -> None:
    """Follow one request from `root`, adding a server span per service entered and a client span per call."""
    trace_id = str(codes(rng, 1, 32, HEX)[0])
    names, kinds = production.services["service"].to_numpy(), production.services["kind"].to_numpy()
    waiting: list[tuple[int, str | None, int, int]] = [(root, None, at_ns, int(rng.lognormal(19.0, 0.4)))]
    budget = _MOST_SPANS
    while waiting and budget > 0:
        service, parent, start, length = waiting.pop()
        server = str(codes(rng, 1, 16, HEX)[0])
        operation = f"GET /{production.services['domain'].iat[service]}"
        spans.setdefault(service, []).append(_span(trace_id, server, parent, operation, 2, start, length, {}))
        chosen = [callee for callee in calls[service] if rng.random() < _FOLLOWED]
        budget -= 1 + len(chosen)
        for k, callee in enumerate(chosen):
            client = str(codes(rng, 1, 16, HEX)[0])
            part = length // (len(chosen) + 1)
            begin = start + k * part + part // 20
            system = _SYSTEM.get(kinds[callee])
            peer = {"peer.service": names[callee]} | ({"db.system": system} if system else {})
            spans[service].append(_span(trace_id, client, server, f"call {names[callee]}", 3, begin, part, peer))
            if own[callee]:
                waiting.append((callee, client, begin + part // 20, part * 9 // 10))


def _span(
    trace_id: str,
    span_id: str,
    parent: str | None,
    name: str,
    kind: int,
    start: int,
    length: int,
    attributes: dict[str, str],
) -> dict[str, Any]:
    return {
        "traceId": trace_id,
        "spanId": span_id,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + length),
        "attributes": _attributes(attributes),
        "status": {},
    }


def _resource(production: Production, service: int, spans: list[dict[str, Any]]) -> dict[str, Any]:
    attributes = {
        "service.name": str(production.services["service"].iat[service]),
        "deployment.environment.name": "production",
    }
    return {
        "resource": {"attributes": _attributes(attributes)},
        "scopeSpans": [{"scope": {"name": "opentelemetry.instrumentation.http"}, "spans": spans}],
    }


def _attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]
