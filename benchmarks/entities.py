"""Precision and recall of the entities found in alerts, over the labelled table in ``entity_cases/``.

``python -m benchmarks.entities`` prints one row per group of entities and half of the table. ``--failures`` lists what
went wrong in the half rules may be tuned on; the other half is held out (see ``entity_cases/README.md``).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

import stanza_lab as sl

FOLDER = Path(__file__).parent / "entity_cases"
SHAPES = (
    *("arns", "ids", "dimensions", "kubernetes", "hosts", "urls", "images", "repositories", "traces", "callees"),
    *("service_text", "service_fields", "teams", "negatives"),
)
NEGATIVES = "negatives"
TEXTS = ("alertname", "summary", "description")
COLUMNS = (*TEXTS, "service", "environment", "team", "resources", "trace_ids", "labels")
CALLEE, ARN_NAME = "callee", "arn-name"

# What a row of the table counts. A mention belongs to the first that fits: its kind, its method, its shape.
_BY_KIND = {
    "url": "urls",
    "image": "images",
    "repository": "repositories",
    "trace": "traces",
    "team": "teams, on call",
    "on_call": "teams, on call",
    "environment": "environments",
}
_BY_METHOD = {
    CALLEE: "callees",
    "arn": "arns",
    "id": "ids",
    "dimension": "dimensions",
    "pod": "kubernetes workloads",
    "dns": "kubernetes workloads",
    "host": "hosts",
    "text-host": "hosts",
}
_BY_SHAPE = {
    "arns": "arns",
    "ids": "ids",
    "dimensions": "dimensions",
    "kubernetes": "kubernetes workloads",
    "hosts": "hosts",
}
IN_FIELDS, IN_TEXT = "services in fields", "services in text"
GROUPS = (
    *("arns", "ids", "dimensions", "kubernetes workloads", IN_FIELDS, IN_TEXT, "callees", "hosts", "urls", "images"),
    *("repositories", "traces", "teams, on call", "environments"),
)


@dataclass(frozen=True)
class Case:
    """One alert, and what it mentions. `known` are services that other alerts name."""

    id: str
    shape: str
    origin: str
    alert: dict[str, Any]
    expect: list[dict[str, Any]]
    allow: list[dict[str, Any]] = field(default_factory=list)
    known: list[str] = field(default_factory=list)

    @property
    def held_out(self) -> bool:
        """Whether rules must not be tuned on it: the last digit of the hash of its id is 0 to 7."""
        return hashlib.sha256(self.id.encode()).hexdigest()[-1] in "01234567"

    @property
    def text(self) -> str:
        """What people read."""
        return "\n".join(self.alert.get(name, "") for name in TEXTS)


@dataclass(frozen=True)
class Found:
    """One entity in one alert, in one role: called in an error text, or not."""

    kind: str
    names: frozenset[str]
    methods: frozenset[str]
    entity_id: str
    in_text: bool
    said: frozenset[str]  # what stands at its spans

    @property
    def called(self) -> bool:
        """Whether the text says that it was called."""
        return CALLEE in self.methods


@dataclass(frozen=True)
class Score:
    """What was right, missed and false in one case."""

    case: Case
    right: list[tuple[dict[str, Any], Found]]
    missed: list[dict[str, Any]]
    false: list[Found]


def read_cases(folder: Path = FOLDER) -> list[Case]:
    """Return every case, shape by shape."""
    cases = []
    for shape in SHAPES:
        for line in (folder / f"{shape}.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            cases.append(Case(shape=shape, origin=record.pop("from"), **record))
    return cases


def find(case: Case) -> list[Found]:
    """Return what `find_entities` finds in the alert of a case, alone with the alerts that name what is known."""
    labels = case.alert.get("labels")
    row: dict[str, Any] = {name: case.alert.get(name) for name in COLUMNS}
    row |= {"alert_id": "case", "labels": None if labels is None else json.dumps(labels, sort_keys=True)}
    row |= {name: case.alert.get(name, []) for name in ("resources", "trace_ids")}
    nothing: dict[str, Any] = {"resources": [], "trace_ids": []}
    others = [{"alert_id": f"known-{i}", "service": name, **nothing} for i, name in enumerate(case.known)]
    entities, mentions = sl.find_entities(pd.DataFrame([row, *others], columns=["alert_id", *COLUMNS]))
    told = entities.set_index("entity_id").to_dict("index")
    mine = mentions[mentions["alert_id"] == "case"]
    found = []
    for (entity_id, _), here in mine.groupby([mine["entity_id"], mine["method"] == CALLEE], sort=False, observed=True):
        entity = told[entity_id]
        found.append(
            Found(
                kind=str(entity["kind"]),
                names=frozenset(fold(name) for name in (entity["name"], *entity["aliases"])),
                methods=frozenset(here["method"].astype(str)),
                entity_id=str(entity_id),
                in_text=bool(here["field"].isin(TEXTS).any()),
                said=frozenset(_said(case, mention) for mention in here.to_dict("records")),
            )
        )
    return found


def fold(name: str) -> str:
    """Return a name as it is compared: lower case, `_` and blanks as `-`, without a port."""
    host, _, port = name.rpartition(":")
    ported = port.isdigit() and "/" not in name and (":" not in host or host.endswith("]"))
    return (host if ported else name).strip("[]").lower().replace("_", "-").replace(" ", "-")


def score(case: Case, found: list[Found]) -> Score:
    """Compare what was found in a case with what people say it mentions."""
    right, missed, matched = [], [], set()
    for wanted in case.expect:
        hits = [item for item in found if _is(item, wanted) and _role_fits(item, wanted)]
        matched.update(hits)
        if hits:
            right.append((wanted, hits[0]))
        else:
            missed.append(wanted)
    false = [item for item in found if item not in matched and not _tolerated(item, case)]
    return Score(case, right, missed, false)


def table(cases: Iterable[Case] | None = None) -> pd.DataFrame:
    """Return one row per group and half: mentions, precision, recall, F1; for the negatives false mentions per case.

    `type` and `span` are shares of what is right: resources of the type that is meant, names in texts whose span
    covers them. They count in no other column.
    """
    return _tabulate([score(case, find(case)) for case in (read_cases() if cases is None else cases)])


def _is(item: Found, wanted: dict[str, Any]) -> bool:
    if item.kind != wanted["kind"]:
        return False
    names = (wanted["name"], *wanted.get("also", []), *filter(None, [wanted.get("arn")]))
    return any(fold(name) in item.names for name in names)


def _role_fits(item: Found, wanted: dict[str, Any]) -> bool:
    """Whether a service that is called is found as one, and one that is only named is not."""
    if wanted["kind"] != "service" or wanted.get("method") not in (None, CALLEE):
        return True
    return item.called == (wanted.get("method") == CALLEE)


def _tolerated(item: Found, case: Case) -> bool:
    """Whether a reading beyond the expected ones is neither rewarded nor punished."""
    if item.kind == "service" and ARN_NAME in item.methods:
        return True
    if any(_is(item, wanted) for wanted in case.allow):
        return True
    if not item.called and any(_is(item, wanted) for wanted in case.expect if wanted.get("method") == CALLEE):
        return True  # it does stand there; that it was not seen to be called is missed already
    # A URL in an error text is what was called, or tells it: where the one is expected, the other may be found too.
    inner = [fold(wanted["name"]) for wanted in case.expect if wanted["kind"] in ("resource", "service")]
    if item.kind == "url":
        return any(name in url for name in inner for url in item.names)
    urls = [fold(wanted["name"]) for wanted in case.expect if wanted["kind"] == "url"]
    return item.called and any(f"//{name}" in url for name in item.names for url in urls)


def _said(case: Case, mention: dict[Any, Any]) -> str:
    span = list(mention["span"])
    return str(case.alert.get(str(mention["field"]), ""))[span[0] : span[1]] if span else ""


def _group_of(wanted: dict[str, Any], shape: str) -> str:
    return _group(wanted["kind"], filter(None, [wanted.get("method")]), shape, in_text="surface" in wanted)


def _group(kind: str, methods: Iterable[str], shape: str, *, in_text: bool) -> str:
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    for method in sorted(methods, key=lambda word: word != CALLEE):
        if method in _BY_METHOD:
            return _BY_METHOD[method]
    if kind == "service":
        return _BY_SHAPE[shape] if shape == "kubernetes" else IN_TEXT if in_text else IN_FIELDS
    return _BY_SHAPE.get(shape, "hosts")


def _counts(result: Score) -> Iterator[tuple[str, str]]:
    """Yield what happened, and in which group."""
    shape = result.case.shape
    for item in result.false:
        yield "false", _group(item.kind, item.methods, shape, in_text=item.in_text)
    for wanted in result.missed:
        yield "missed", _group_of(wanted, shape)
    for wanted, item in result.right:
        group = _group_of(wanted, shape)
        yield "right", group
        typed = item.entity_id.removeprefix("resource:").lower()
        if "type" in wanted and not typed.startswith("arn:"):
            yield f"type {typed.startswith(wanted['type'].lower() + '/')}", group
        if "surface" in wanted and item.in_text:
            yield f"span {any(wanted['surface'] in said for said in item.said)}", group


def _tabulate(scores: list[Score]) -> pd.DataFrame:
    rows = []
    for half in ("tune", "held"):
        here = [one for one in scores if one.case.held_out == (half == "held")]
        counted = Counter(event for one in here for event in _counts(one))
        for group in GROUPS:
            right, missed, false = (counted[happened, group] for happened in ("right", "missed", "false"))
            rows.append(
                {
                    "group": group,
                    "set": half,
                    "mentions": right + missed,
                    "false": false,
                    "precision": _share(right, false),
                    "recall": _share(right, missed),
                    "f1": _share(2 * right, missed + false),
                    "type": _share(counted["type True", group], counted["type False", group]),
                    "span": _share(counted["span True", group], counted["span False", group]),
                }
            )
        none = [one for one in here if one.case.shape == NEGATIVES]
        false = sum(len(one.false) for one in none)
        rows.append({"group": "negatives (cases)", "set": half, "mentions": len(none), "false": false})
    order = {name: place for place, name in enumerate((*GROUPS, "negatives (cases)"))}
    result = pd.DataFrame(rows)
    result["per_case"] = (result["false"] / result["mentions"]).where(result["group"] == "negatives (cases)")
    return result.sort_values("group", key=lambda column: column.map(order), kind="stable").reset_index(drop=True)


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else float("nan")


def _explain(result: Score) -> str:
    lines = [f"{result.case.id} ({result.case.origin})", f"    {json.dumps(result.case.alert, ensure_ascii=False)}"]
    lines += [f"    missed {wanted['kind']} {wanted['name']!r} {wanted.get('method', '')}" for wanted in result.missed]
    lines += [f"    false  {item.entity_id!r} by {', '.join(sorted(item.methods))}" for item in result.false]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failures", action="store_true", help="list the failing cases rules may be tuned on")
    parser.add_argument("--held-failures", action="store_true", help="list the others: only when no rule will change")
    parser.add_argument("--shape", choices=SHAPES, help="only the cases of one shape")
    arguments = parser.parse_args()
    cases = [case for case in read_cases() if arguments.shape in (None, case.shape)]
    scores = [score(case, find(case)) for case in cases]
    listed = [half for half, asked in ((False, arguments.failures), (True, arguments.held_failures)) if asked]
    for one in scores:
        if one.case.held_out in listed and (one.missed or one.false):
            print(_explain(one))
    print(f"{len(cases)} cases, {sum(case.held_out for case in cases)} of them held out")
    print(_tabulate(scores).to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
