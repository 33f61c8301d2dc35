"""Objectives as rules for Prometheus: error ratios recorded per window, multi-window alerts, and a test of both."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stanza_lab.errors import ParameterError
from stanza_lab.reliability.objectives.budget import BurnRule, length
from stanza_lab.reliability.objectives.objective import Objective, objectives_of

if TYPE_CHECKING:
    from stanza_lab.production.door.contributed import Contributed

METRICS = {
    "total": "http_requests_total",
    "failed": 'code=~"5.."',
    "latency": "http_request_duration_seconds_bucket",
    "sessions": "sessions_total",
    "failed_session": 'outcome="failed"',
    "service": "service",
}
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)"((?:[^"\\\n]|\\.)*)"\Z')
_RECORD = "slo:error_ratio:rate"
_TEST = "_test"
_MINUTES, _EVERY = 120, 30  # of a test; between its evaluations


def write_prometheus_rules(
    path: str | os.PathLike[str],
    objectives: Contributed | Objective | Iterable[Objective],
    *,
    metrics: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write the objectives as recording and alert rules of Prometheus, with a unit test beside.

    Parameters
    ----------
    path : path
        File to write, ``slos.yaml``; the test stands beside it as ``slos_test.yaml``. Both are replaced.
    objectives : Objective, list of Objective or Contributed
        What is promised. A glob of services becomes one rule for all of them, each judged on its own.
    metrics : mapping of str to str, optional
        What your metrics are called: total (counter of requests), failed (matcher of those that failed), latency (the
        buckets of a histogram), sessions (counter) and failed_session (matcher), service (label that names the
        service). Default: http_requests_total, ``code=~"5.."``, http_request_duration_seconds_bucket, sessions_total,
        ``outcome="failed"``, service.

    Returns
    -------
    list of Path
        The rules and their test, for ``promtool check rules`` and ``promtool test rules``.

    Raises
    ------
    ParameterError
        A metric, label or matcher is not valid in Prometheus, or no rule of any objective can ever fire.

    Notes
    -----
    Alerts are `Objective.rules`: page 14.4 over 1 h and 5 m, 6 over 6 h and 30 m; ticket 3 over 24 h and 2 h, 1 over
    3 d and 6 h, for a window of 30 days; see `burn_rates` for others. A latency threshold needs a bucket that ends
    there. Names are quoted wherever they stand: no name can end a matcher, a YAML text or a template.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import stanza_lab as sl
    >>> promised = sl.Objective(name="Answers", service="shop", objective=99.9)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = sl.write_prometheus_rules(pathlib.Path(folder, "slos.yaml"), promised)
    ...     [file.name for file in files], "slo:error_ratio:rate1h" in files[0].read_text()
    (['slos.yaml', 'slos_test.yaml'], True)
    """
    import yaml

    wanted = objectives_of(objectives)
    names = _metrics(metrics or {})
    silent = [one.name for one in wanted if not one.rules]
    if len(silent) == len(wanted):
        raise ParameterError(
            f"objectives: none can be alerted on ({', '.join(silent)[:200]}): no burn rate is reachable"
        )
    file = Path(path)
    test = file.with_name(f"{file.stem}{_TEST}{file.suffix or '.yaml'}")
    groups = [_group(number, one, names) for number, one in enumerate(wanted) if one.rules]
    tests = [case for number, one in enumerate(wanted) if one.rules for case in _tests(number, one, names)]
    unit = {"rule_files": [file.name], "evaluation_interval": f"{_EVERY}m", "tests": tests}
    file.parent.mkdir(parents=True, exist_ok=True)
    for target, content in ((file, {"groups": groups}), (test, unit)):
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=False, width=10_000)
        target.write_text(f"# Written by stanza_lab; edits are lost.\n{text}", encoding="utf-8", newline="")
    return [file, test]


def _metrics(given: Mapping[str, str]) -> dict[str, str]:
    """Return what the metrics are called, checked."""
    for key, value in given.items():
        if key not in METRICS:
            raise ParameterError(f"metrics: {key!r} is not known; the keys are {', '.join(METRICS)}")
        fits = {"failed": _MATCHER, "failed_session": _MATCHER, "service": _LABEL}.get(key, _METRIC)
        if not isinstance(value, str) or not fits.match(value):
            like = METRICS[key]
            raise ParameterError(
                f"metrics: {key}={str(value)[:60]!r} is not valid in Prometheus; write it like {like!r}"
            )
    return METRICS | dict(given)


def quoted(text: str) -> str:
    """Return a text as PromQL quotes it; control characters, which no name needs, become a question mark."""
    return '"' + _printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped_template(text: str) -> str:
    """Return a text that stays text in Prometheus's templates (labels and annotations of alerts)."""
    return _printable(text).replace("{{", '{{"{{"}}')


def _of_service(one: Objective, names: Mapping[str, str]) -> str:
    if not re.search(r"[*?\[]", one.service):
        return f"{names['service']}={quoted(one.service)}"
    parts = {"*": ".*", "?": "."}
    pattern = "".join(parts.get(char, re.escape(char) if char.isascii() else char) for char in one.service)
    return f"{names['service']}=~{quoted('(?i)' + pattern)}"


def _ratio(one: Objective, names: Mapping[str, str], window: str) -> str:
    """Return the PromQL of the error ratio over a window, per service."""
    by, whose = f"sum by ({names['service']})", _of_service(one, names)

    def rate(metric: str, *matchers: str) -> str:
        return f"{by} (rate({metric}{{{','.join((whose, *matchers))}}}[{window}]))"

    if one.kind == "latency":
        total = rate(names["latency"], 'le="+Inf"')
        return f"1 - {rate(names['latency'], f'le={quoted(bound(one.within_s))}')} / {total}"
    metric, failed = ("sessions", "failed_session") if one.kind == "session" else ("total", "failed")
    total = rate(names[metric])
    # no series of failures yet means that none was counted, not that nothing is known
    return f"({rate(names[metric], names[failed])} or {total} * 0) / {total}"


def bound(seconds: float) -> str:
    """Return a bound of a bucket as client libraries write it."""
    return f"{seconds:g}"


def _named(one: Objective) -> dict[str, str]:
    """Return the labels that say which objective it is; the id tells two of one name apart and stays what it is."""
    code = hashlib.blake2b(f"{one.service}\n{one.name}".encode(), digest_size=4).hexdigest()
    return {"slo": _printable(one.name), "slo_id": code}


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _group(number: int, one: Objective, names: Mapping[str, str]) -> dict[str, Any]:
    windows = {length(window): None for rule in one.rules for window in (rule.long, rule.short)}
    records = [
        {"record": f"{_RECORD}{window}", "expr": _ratio(one, names, window), "labels": _named(one)}
        for window in windows
    ]
    return {"name": f"slo-{number + 1}", "rules": [*records, *(_alert(one, rule, names) for rule in one.rules)]}


def _alert(one: Objective, rule: BurnRule, names: Mapping[str, str]) -> dict[str, Any]:
    long, short = length(rule.long), length(rule.short)
    which = f"slo_id={quoted(_named(one)['slo_id'])}"
    limit = f"({rule.rate:.12g} * {one.budget:.12g})"
    title = f"{{{{ $labels.{names['service']} }}}}, {_escaped_template(one.name)}"
    return {
        "alert": f"ErrorBudgetBurn{rule.severity.capitalize()}{long}",
        "expr": f"{_RECORD}{long}{{{which}}} > {limit} and {_RECORD}{short}{{{which}}} > {limit}",
        "labels": {"severity": rule.severity, "long": long, "short": short, "slo_id": _named(one)["slo_id"]},
        "annotations": {
            "summary": f"{title}: the error budget burns more than {rule.rate:g} times as fast as allowed",
            "description": f"So over {long} and over {short}. Promised: {_escaped_template(one.words)}. "
            f"Spent in {long} at this rate: {rule.fraction:.0%} of the budget.",
        },
    }


def _tests(number: int, one: Objective, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return three tests of the fastest rule.

    It is silent while half of the budget burns, fires when everything fails, and stops soon after that is over.
    """
    fastest = max(one.rules, key=lambda rule: rule.rate)
    service = _example(one.service)
    alert = _alert(one, fastest, names)
    code = _named(one)["slo_id"]
    which = {"alertname": alert["alert"], "alertstate": "firing", **alert["labels"], names["service"]: service}
    fires = ",".join(f"{key}={quoted(value)}" for key, value in (which | _named(one)).items())
    expression = f"ALERTS{{alertname={quoted(alert['alert'])},slo_id={quoted(code)}}}"
    cases = (("calm", one.budget / 2, _MINUTES), ("all fails", 1.0, _MINUTES), ("is over", 1.0, _MINUTES - _EVERY))
    return [
        {
            "name": f"slo-{number + 1} {name}",
            **_case(one, names, service, share=share, minutes=minutes),
            "promql_expr_test": [
                {
                    "expr": expression,
                    "eval_time": f"{_MINUTES}m",
                    "exp_samples": [{"labels": f"ALERTS{{{fires}}}", "value": 1}] if name == "all fails" else [],
                }
            ],
        }
        for name, share, minutes in cases
    ]


def _case(
    one: Objective, names: Mapping[str, str], service: str, *, share: float, minutes: int = _MINUTES
) -> dict[str, Any]:
    """Return input series in which so large a share fails for so many minutes, then nothing."""
    whole = 1_000_000  # requests a minute: a half of any budget is a whole number
    bad = (round(whole * share), 0)
    good = (whole - bad[0], whole)
    where = f"{names['service']}={quoted(service)}"
    if one.kind == "latency":
        series = [(f'{names["latency"]}{{{where},le="{bound(one.within_s)}"}}', good)]
        series.append((f'{names["latency"]}{{{where},le="+Inf"}}', (whole, whole)))
    else:
        metric, matcher = ("sessions", "failed_session") if one.kind == "session" else ("total", "failed")
        fine, fails = _values(names[matcher])
        series = [(f"{names[metric]}{{{where},{fails}}}", bad), (f"{names[metric]}{{{where},{fine}}}", good)]
    rows = []
    for text, (before, after) in series:
        values = f"0+{before}x{minutes}"
        if minutes < _MINUTES:
            values += f" {before * minutes + after}+{after}x{_MINUTES - minutes}"
        rows.append({"series": text, "values": values})
    return {"interval": "1m", "input_series": rows}


def _values(matcher: str) -> tuple[str, str]:
    """Return two labels: one that a matcher does not fit, one that it does, as far as that can be told."""
    found = _MATCHER.match(matcher)
    assert found is not None
    label, operator, value = found.groups()
    example = (
        value.split("|")[0].strip("()^$").replace("..", "00").replace(".*", "").replace(".+", "x").replace(".", "0")
    )
    fits, other = f'{label}="{example}"', f'{label}="other"'
    return (fits, other) if operator.startswith("!") else (other, fits)


def _example(glob: str) -> str:
    """Return a name that a glob fits."""
    return _printable(glob).replace("*", "x")
