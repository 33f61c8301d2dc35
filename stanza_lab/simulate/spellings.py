"""One service, many names: alerts of tools that each spell services their own way, with the truth beside them.

Where `simulate_production` tests what follows from good names, this tests the naming itself. It draws what makes
names hard: siblings that differ in one word, prefixes in common, abbreviations, names changed half-way, a staging twin
of a production service, house conventions per tool; and what helps, in a share of the alerts: two names in one alert,
hosts and traces in common, a catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pandas as pd

from stanza_lab import schema

_SUBJECTS = """
    account address advert affiliate analytics appointment asset auction audit balance banner basket billing booking
    brand budget calendar campaign cargo cashback catalogue checkout claim clearing client cohort comment commission
    complaint consent contact content contract coupon courier coverage credit currency customer debit delivery deposit
    device discount dispatch document donation driver email employee enrollment escrow event exchange expense facility
    fare feature feedback fleet forecast fraud freight gift guest identity image insight insurance inventory invoice
    itinerary journey kitchen label leaderboard lead ledger lending licence listing loan location lounge loyalty luggage
    mailing mandate market media membership menu merchant message meter mobile mortgage notification offer onboarding
    order parcel partner passenger patient payment payout payroll permission policy portfolio preference premium
    prescription price pricing product profile promotion property prospect purchase quota quote rating receipt
    recommendation refund region registration reminder renewal rental report reservation restaurant return review reward
    risk roster route salary schedule seat segment seller session settlement shift shipment signup stock store
    subscription supplier survey tariff tax telemetry tenant ticket timeline token tracking trade training transfer
    traveller treasury trip upload usage user vehicle vendor venue video visit voucher wallet warehouse warranty
""".split()  # noqa: SIM905
_ASPECTS = """
    adapter aggregator allocation approval archive assignment bridge bulk calculation capture classification composer
    connector creation dashboard digest directory discovery editor engine enrichment export extraction feed fulfilment
    generator history import ingestion intake lookup maintenance manager matching mediator moderation optimizer
    orchestrator planning processor projection publisher reconciliation recorder registry relay renderer resolver
    rules screening simulation splitter store summary sync translation validation vault verification viewer watcher
""".split()  # noqa: SIM905
_ROLES = ("db", "worker", "cache", "queue", "admin", "scheduler", "consumer", "indexer", "archiver", "proxy")
_START = pd.Timestamp("2026-05-01", tz="UTC")
_DAYS = 30
_TRACED_TOGETHER = 4  # services that traces in common run through
_ON_ONE_NODE = 2  # services, each of which also has a host of its own
_MISTOLD = 0.1  # of the second names in an alert: another service's
_DATA = {"db": "DBInstanceIdentifier", "cache": "CacheClusterId", "queue": "QueueName"}
_SHORT = {
    "account": "acct",
    "appointment": "appt",
    "customer": "cust",
    "delivery": "dlv",
    "document": "doc",
    "image": "img",
    "inventory": "inv",
    "manager": "mgr",
    "message": "msg",
    "notification": "notif",
    "payment": "pmt",
    "processor": "proc",
    "product": "prod-cat",
    "registration": "reg",
    "reservation": "resv",
    "subscription": "subs",
    "transfer": "xfer",
}


@dataclass(frozen=True)
class Spellings:
    """Alerts under many names, and which service each name means.

    Attributes
    ----------
    alerts : DataFrame
        `schema.ALERTS`; service null where the tool has no field for it.
    names : DataFrame
        source, spelled, service: what each tool calls each service; one row per spelling.
    catalog : DataFrame
        `schema.OWNERSHIP` of the catalogued share of the services, under their true names.
    """

    alerts: pd.DataFrame
    names: pd.DataFrame
    catalog: pd.DataFrame


@dataclass(frozen=True)
class _Tool:
    """How one tool spells: a function of the words, and where the name stands in its alerts."""

    source: str
    spell: Callable[[list[str], bool], str]
    field: str
    coverage: float


def simulate_spellings(
    *,
    services: int = 2000,
    tools: int = 5,
    alerts_per_name: float = 8,
    siblings: float = 0.6,
    lookalikes: float = 0.05,
    abbreviated: float = 0.1,
    renamed: float = 0.03,
    staging: float = 0.08,
    evidence: float = 0.4,
    catalogued: float = 0.3,
    random_state: int = 0,
) -> Spellings:
    """Draw services and what each of several tools calls them.

    Parameters
    ----------
    services : int
        Number of services, staging twins not counted.
    tools : int, 2 to 6
        Number of tools; each covers a part of the services and has its own convention.
    alerts_per_name : float
        Mean number of alerts per name.
    siblings : float
        Share of services that belong to a family whose names differ in one word.
    lookalikes : float
        Share of services with another beside them that is named nearly alike: a word in the plural or cut short, or web
        behind it.
    abbreviated : float
        Probability that a word is abbreviated in one tool.
    renamed : float
        Share of services that get another name half-way, in all tools.
    staging : float
        Share of services with a twin in staging, which is another service.
    evidence : float
        Share of a name's alerts that also carry something to tell by: a second name, a host, a trace.
    catalogued : float
        Share of services that the catalogue lists.
    random_state : int
        Seed.

    Returns
    -------
    Spellings

    Examples
    --------
    >>> from stanza_lab.simulate.spellings import simulate_spellings
    >>> drawn = simulate_spellings(services=20, random_state=3)
    >>> drawn.names["service"].nunique() >= 20
    True
    """
    rng = np.random.default_rng(random_state)
    words = _services(rng, services, siblings, lookalikes)
    twins = [each for each in words if rng.random() < staging]
    house = [_tool(rng, kind) for kind in range(tools)]
    later = {tuple(each): _renamed(rng, each) for each in words if rng.random() < renamed}
    everything = [(each, False) for each in words] + [(each, True) for each in twins]
    rows: list[dict[str, Any]] = []
    names: list[tuple[str, str, str]] = []
    for number, (each, twin) in enumerate(everything):
        service = "-".join(["staging", *each] if twin else each)
        covered = [tool for tool in house if rng.random() < tool.coverage] or [house[0]]
        spelled: list[list[str]] = []  # of each tool: the name, and the one it gets later
        for tool in covered:
            versions = [each, *([later[tuple(each)]] if tuple(each) in later and not twin else [])]
            spelled.append([tool.spell(_abbreviated(rng, version, abbreviated), twin) for version in versions])
            names += [(tool.source, name, service) for name in spelled[-1]]
        stranger = names[int(rng.integers(len(names)))][1]
        group = f"{number // _TRACED_TOGETHER:028x}"
        node = f"node-{number // _ON_ONE_NODE:08x}"
        rows += _alerts(
            rng,
            covered,
            spelled,
            service,
            group=group,
            node=node,
            stranger=stranger,
            per_name=alerts_per_name,
            evidence=evidence,
        )
    order = rng.permutation(len(rows))
    drawn = [{**rows[k], "alert_id": f"a{n:07d}", "incident_id": schema.NOISE} for n, k in enumerate(order)]
    alerts = schema.build(drawn, schema.ALERTS).drop(columns="incident_id")
    listed = ["-".join(each) for each in words if rng.random() < catalogued]
    catalog = schema.build([{"service": name, "team": name.split("-")[0]} for name in listed], schema.OWNERSHIP)
    truth = pd.DataFrame(names, columns=["source", "spelled", "service"]).drop_duplicates(ignore_index=True)
    return Spellings(alerts, truth, catalog)


def _services(rng: np.random.Generator, count: int, siblings: float, lookalikes: float) -> list[list[str]]:
    """Draw distinct services as lists of words: single subjects, subject and aspect, families with a role more."""
    drawn: dict[tuple[str, ...], None] = {}
    while len(drawn) < count:
        base = [str(rng.choice(_SUBJECTS))]
        if rng.random() < 0.75:
            base.append(str(rng.choice(_ASPECTS)))
        if rng.random() < 0.15:  # a longer name with this one as its prefix
            drawn.setdefault(tuple(base))
            base.append(str(rng.choice(_ASPECTS)))
        drawn.setdefault(tuple(base))
        if rng.random() < lookalikes:
            word = base[-1]
            drawn.setdefault(tuple([(*base, "web"), (*base[:-1], f"{word}s"), (*base[:-1], word[:4])][rng.integers(3)]))
        if rng.random() < siblings:
            for role in rng.permutation(_ROLES)[: int(rng.integers(1, 4))]:
                drawn.setdefault((*base, str(role)))
    return [list(each) for each in list(drawn)[:count]]


def _renamed(rng: np.random.Generator, words: list[str]) -> list[str]:
    """Give a service another name: one word replaced, or all of them."""
    fresh = [str(rng.choice(_SUBJECTS)), str(rng.choice(_ASPECTS))]
    return [*words[:1], fresh[1], "hub"] if rng.random() < 0.5 else [*fresh, "hub"]


def _abbreviated(rng: np.random.Generator, words: list[str], share: float) -> list[str]:
    return [_shorten(rng, word) if len(word) > 5 and rng.random() < share else word for word in words]


def _shorten(rng: np.random.Generator, word: str) -> str:
    """Abbreviate as people do: the usual short form, the beginning, or the consonants."""
    way = rng.random()
    if word in _SHORT and way < 0.6:
        return _SHORT[word].split("-", maxsplit=1)[0]
    if way < 0.6:
        return word[: int(rng.integers(4, 6))]
    return word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")[:4]


def _tool(rng: np.random.Generator, kind: int) -> _Tool:
    """Draw the conventions of one tool."""
    coverage = float(rng.uniform(0.35, 0.95))
    company = str(rng.choice(["acme", "globex", "initech", "shop"]))
    ending = str(rng.choice(["", "", "-svc", "-service", "-api", "-app"]))
    beginning = str(rng.choice(["", "prod-", f"{company}-", f"prod-{company}-"]))

    def datadog(words: list[str], twin: bool) -> str:  # noqa: FBT001
        return ("staging-" if twin else "") + "-".join(words)

    def cloudwatch(words: list[str], twin: bool) -> str:  # noqa: FBT001
        stage = beginning.replace("prod", "stg") if "prod" in beginning else "stg-" + beginning
        return (stage if twin else beginning) + "-".join(words) + (ending if words[-1] not in _ROLES else "")

    def sentry(words: list[str], twin: bool) -> str:  # noqa: FBT001
        first = str(np.where(beginning.startswith("prod"), "web-", ""))
        return (first if words[-1] not in _ROLES else "") + "_".join(words) + ("_staging" if twin else "")

    def pagerduty(words: list[str], twin: bool) -> str:  # noqa: FBT001
        title = " ".join("DB" if word == "db" else word.title() for word in words)
        return f"{title} (Staging)" if twin else f"{title} (P{int(rng.integers(1, 4))})"

    def honeycomb(words: list[str], twin: bool) -> str:  # noqa: FBT001
        return "".join(word.title() for word in words) + ("Staging" if twin else "")

    def grafana(words: list[str], twin: bool) -> str:  # noqa: FBT001
        return "-".join(words) + ending + ("-staging" if twin else "-prod" if beginning.startswith("prod") else "")

    made: list[tuple[str, Callable[[list[str], bool], str], str]] = [
        ("datadog", datadog, "service"),
        ("cloudwatch", cloudwatch, "dimension"),
        ("sentry", sentry, "service"),
        ("pagerduty", pagerduty, "service"),
        ("honeycomb", honeycomb, "service"),
        ("grafana", grafana, "service"),
    ]
    source, spell, field = made[kind]
    return _Tool(source, spell, field, coverage)


def _alerts(
    rng: np.random.Generator,
    tools: list[_Tool],
    spelled: list[list[str]],
    service: str,
    *,
    group: str,
    node: str,
    stranger: str,
    per_name: float,
    evidence: float,
) -> list[dict[str, Any]]:
    """Return the alerts of one service: each under the name its tool has at the time, some with more to tell by."""
    rows = []
    half = _DAYS * 43_200_000_000  # microseconds until names change
    hosts = [f"host-{rng.integers(16**8):08x}", node]
    for tool, versions in zip(tools, spelled, strict=True):
        for era, name in enumerate(versions):
            for _ in range(1 + rng.poisson(per_name)):
                at = era * half + int(rng.integers(half * (3 - len(versions))))
                row: dict[str, Any] = {"source": tool.source, "starts_at": _START.value // 1000 + at}
                labels: dict[str, Any] = {}
                if tool.field == "service":
                    row["service"] = name
                else:
                    labels["dimensions"] = {_DATA.get(service.rpartition("-")[2], "FunctionName"): name}
                tell = rng.random()
                if tell < evidence / 3:
                    row["resources"] = [hosts[int(rng.integers(2))]]
                elif tell < evidence * 2 / 3:
                    other = spelled[int(rng.integers(len(tools)))]
                    second = stranger if rng.random() < _MISTOLD else other[min(era, len(other) - 1)]
                    labels["tags"] = [f"service:{second}"]
                elif tell < evidence:
                    row["trace_ids"] = [f"{group}{int(rng.integers(16**2)):04x}"]
                rows.append({**row, "labels": orjson.dumps(labels).decode() if labels else None})
    return rows
