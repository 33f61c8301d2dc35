"""Who is there and who calls whom: a shop's services in tiers, its teams, repositories and AWS resources."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

REGION = "eu-west-1"
ACCOUNT = "111122223333"
TIERS = ("edge", "api", "core", "data")

# In an order in which neighbours work together: teams own consecutive domains.
_DOMAINS = tuple(
    """
    catalog search recommendations reviews pricing promotions cart checkout payments fraud tax invoicing orders returns
    shipping tracking inventory warehouse fulfilment suppliers accounts profiles addresses loyalty gift-cards
    subscriptions wishlist media stories ads campaigns newsletter notifications messaging support chat surveys stores
    sellers commissions payouts ledger reporting analytics insights audit auth config
    """.split()  # noqa: SIM905 (four lines instead of fifty)
)
_ALWAYS = frozenset(("catalog", "checkout", "payments", "orders", "inventory", "accounts", "auth", "config"))
_HUBS = frozenset(("auth", "config"))  # what nearly everything calls
_LINES = ("wholesale", "marketplace", "grocery", "outlet", "travel", "tickets", "rental", "pharmacy", "garden", "books")
_EDGES = (
    *("storefront-web", "mobile-app", "checkout-web", "admin-console", "seller-portal", "partner-gateway"),
    *("help-center", "stores-kiosk", "affiliate-web", "status-page"),
)
_STORES = {"db": "rds", "table": "dynamodb"}
_MORE = {
    "worker": "service",
    "cache": "elasticache",
    "queue": "sqs",
    "export": "lambda",
    "scheduler": "service",
    "indexer": "service",
}
_ARN = {
    "rds": "rds:{region}:{account}:db:{name}",
    "dynamodb": "dynamodb:{region}:{account}:table/{name}",
    "elasticache": "elasticache:{region}:{account}:cluster:{name}",
    "sqs": "sqs:{region}:{account}:{name}",
    "lambda": "lambda:{region}:{account}:function:{name}",
}
_TRANSMIT = {"rds": 0.85, "dynamodb": 0.8, "elasticache": 0.5, "sqs": 0.4, "lambda": 0.6, "service": 0.7, "web": 0.5}


@dataclass(frozen=True)
class Topology:
    """Services and the calls between them.

    Attributes
    ----------
    services : DataFrame
        service, tier, kind, domain, team, repository, resource (ARN of an AWS resource, else null), alias (how another
        tool spells it); callers stand before callees.
    calls : DataFrame
        caller and callee (row numbers in `services`), transmit (probability that the callee's trouble reaches the
        caller), lag_s (median seconds it takes).
    """

    services: pd.DataFrame
    calls: pd.DataFrame

    @property
    def call_graph(self) -> pd.DataFrame:
        """Return caller and callee by name, sorted."""
        names = self.services["service"].to_numpy()
        graph = pd.DataFrame({side: names[self.calls[side]] for side in ("caller", "callee")}, dtype="str")
        return graph.sort_values(["caller", "callee"], ignore_index=True)


def make_topology(rng: np.random.Generator, *, services: int, teams: int) -> Topology:
    """Draw `services` services of a shop, owned by `teams` teams, and their calls (without cycles)."""
    table = _services(rng, services, teams)
    return Topology(services=table, calls=_calls(rng, table))


def _services(rng: np.random.Generator, services: int, teams: int) -> pd.DataFrame:
    edges = max(1, round(0.08 * services))
    rest = services - edges
    domains = _domain_names(rng, min(rest, max(teams, round(rest / 3))))
    roles = [(d, "api", "service") for d in range(len(domains))]
    stores = [(d, *list(_STORES.items())[int(rng.random() < 0.3)]) for d in range(len(domains))]
    roles += stores[: rest - len(roles)]
    more = [(d, role, kind) for d in range(len(domains)) for role, kind in _MORE.items()]
    roles += [more[k] for k in rng.permutation(len(more))[: rest - len(roles)]]

    parts = [[str(domain) for domain in part] for part in np.array_split(domains, teams)]
    chunk = [k for k, part in enumerate(parts) for _ in part]
    team_names = [next((domain for domain in part if domain in _ALWAYS), part[0]) for part in parts]
    front = rng.random(len(domains)) < 0.55
    rows = [
        {"service": name, "tier": "edge", "kind": "web", "domain": "edge", "team": team_names[int(rng.integers(teams))]}
        for name in _edge_names(edges)
    ]
    for d, role, kind in roles:
        in_front = role == "api" and front[d] and domains[d] not in _HUBS
        tier = "api" if in_front else "core" if kind in {"service", "lambda"} else "data"
        rows.append(
            {
                "service": f"{domains[d]}-{role}",
                "tier": tier,
                "kind": kind,
                "domain": domains[d],
                "team": team_names[chunk[d]],
            }
        )
    frame = pd.DataFrame(rows).astype("str")
    frame["repository"] = _repositories(frame)
    cloud = frame["kind"].isin(list(_ARN))
    swapped = frame["service"].str.replace(r"^(\w+)-web$", r"web-\1", regex=True)
    frame["alias"] = ("prod-" + frame["service"]).where(cloud, swapped)
    arns = [
        f"arn:aws:{_ARN[kind].format(region=REGION, account=ACCOUNT, name=alias)}" if kind in _ARN else None
        for kind, alias in zip(frame["kind"], frame["alias"], strict=True)
    ]
    frame["resource"] = pd.Series(arns, dtype="str")
    rank = np.array([TIERS.index(name) for name in frame["tier"]])
    hub = frame["domain"].isin(_HUBS).to_numpy()
    return frame.iloc[np.lexsort((rng.random(len(frame)), hub, rank))].reset_index(drop=True)


def _domain_names(rng: np.random.Generator, count: int) -> list[str]:
    """Return `count` domains in their order; beyond the list, the same again for further lines of business."""
    names: list[str] = []
    for line in range(-(-count // len(_DOMAINS))):
        prefix = "" if line == 0 else f"{_LINES[line - 1] if line <= len(_LINES) else f'market{line}'}-"
        kept = [d for d in _DOMAINS if d in _ALWAYS]
        others = [d for d in _DOMAINS if d not in _ALWAYS]
        take = min(count - len(names), len(_DOMAINS))
        chosen = set(kept[:take]) | {others[k] for k in rng.permutation(len(others))[: max(0, take - len(kept))]}
        names += [f"{prefix}{d}" for d in _DOMAINS if d in chosen]
    return names


def _edge_names(count: int) -> list[str]:
    lines = ("", *(f"{line}-" for line in _LINES), *(f"market{k}-" for k in range(count)))
    return [f"{line}{edge}" for line in lines for edge in _EDGES][:count]


def _repositories(frame: pd.DataFrame) -> pd.Series:
    """Name one repository for every one to three services of a domain after the first of them."""
    group = frame["domain"].where(frame["kind"] != "web", frame["service"])
    third = frame.groupby(group, sort=False).cumcount() // 3
    return "acme/" + frame.groupby([group, third], sort=False)["service"].transform("first")


def _calls(rng: np.random.Generator, services: pd.DataFrame) -> pd.DataFrame:
    """Draw calls from earlier to later rows: own stores first, then other domains, popular and near ones more often."""
    count = len(services)
    kind, tier, team, domain = (services[name].to_numpy() for name in ("kind", "tier", "team", "domain"))
    is_api = services["service"].str.endswith("-api").to_numpy()
    known = np.where(services["domain"].isin(_HUBS), 12.0, np.where(services["domain"].isin(_ALWAYS), 2.0, 1.0))
    popularity = rng.gamma(0.6, size=count) * is_api * known
    pairs: set[tuple[int, int]] = set()
    for caller in range(count):
        later = np.arange(count) > caller
        if tier[caller] == "data":
            continue
        if tier[caller] == "edge":
            weights = popularity * (tier == "api") * np.where(team == team[caller], 4.0, 1.0)
            wanted = 2 + rng.poisson(2)
        else:
            own = later & (domain == domain[caller]) & (np.isin(tier, ["data"]) | (kind == "lambda")) & ~is_api
            pairs |= {(caller, int(callee)) for callee in np.flatnonzero(own)}
            weights = popularity * later * (domain != domain[caller]) * np.where(team == team[caller], 4.0, 1.0)
            wanted = rng.poisson(1.8 if is_api[caller] else 0.7)
        possible = int((weights > 0).sum())
        if possible and wanted:
            chosen = rng.choice(count, size=min(wanted, possible), replace=False, p=weights / weights.sum())
            pairs |= {(caller, int(callee)) for callee in chosen}
    called = {callee for _, callee in pairs}
    for orphan in np.flatnonzero(is_api):  # an API that nobody calls would not be there
        if orphan not in called and orphan > 0:
            above = np.flatnonzero((np.arange(count) < orphan) & (is_api | (tier == "edge")))
            pairs.add((int(rng.choice(above)), int(orphan)))
    caller_of, callee_of = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    mean = np.array([_TRANSMIT[k] for k in kind])[callee_of]
    return pd.DataFrame(
        {
            "caller": caller_of,
            "callee": callee_of,
            "transmit": rng.beta(6 * mean, 6 * (1 - mean)),
            "lag_s": rng.lognormal(np.log(40.0), 0.7, size=len(pairs)),
        }
    )
