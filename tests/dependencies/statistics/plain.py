"""The counting in plain loops over tuples: slow, short, and what the arrays are held against."""

from __future__ import annotations

from collections import Counter
from itertools import product

MINUTE, DAY = 60_000_000, 86_400_000_000
MIDNIGHT = 20_000 * DAY  # 2024-10-04

Alert = tuple[int, str, str, bool]  # minutes since midnight, node, place, inner
WINDOW, REFRACTORY, BLOCK = 10, 15, 60
LAG_BORDERS = (0, 0.5, 1, 2, 4)  # minutes; above the last: the fifth bin


def episodes(alerts: list[Alert]) -> list[tuple[int, str, str]]:
    """Return time, node and place of each alert with no other of its node and place in the 15 minutes before."""
    seen = {alert[:3] for alert in alerts}
    return [a for a in sorted(seen) if not any(b[1:] == a[1:] and 0 < a[0] - b[0] <= REFRACTORY for b in seen)]


def fired(alerts: list[Alert]) -> Counter:
    """Count by block, node, place and kind of firing."""
    kinds = {"firings": episodes(alerts), "inner": episodes([a for a in alerts if a[3]])}
    return Counter((t // BLOCK, n, p, kind) for kind, starts in kinds.items() for t, n, p in starts)


def cofired(alerts: list[Alert], near: set[tuple[str, str]], *, slice_: int = 24 * 60) -> Counter:
    """Count by slice, pair of nodes and column. `near` has both orders, and every place with itself is near."""
    found: Counter = Counter()
    occasions = set()
    inner = episodes([a for a in alerts if a[3]])
    everything = episodes(alerts)

    def together(one: list, other: list) -> list:
        return [
            (x, y)
            for x, y in product(one, other)
            if x[1] != y[1] and abs(x[0] - y[0]) <= WINDOW and (x[2] == y[2] or (x[2], y[2]) in near)
        ]

    for x, y in together(everything, everything):
        if x[1] > y[1]:
            continue
        later = max(x[0], y[0])
        key = (later // slice_, x[1], y[1])
        lag = y[0] - x[0]
        step = sum(abs(lag) > border for border in LAG_BORDERS)
        found[*key, f"lag{step if lag >= 0 else -step:+d}"] += 1
        found[*key, "cofirings"] += 1
        found[*key, "same_block"] += x[0] // BLOCK == y[0] // BLOCK
        occasions.add((*key, later // BLOCK))
    for x, y in together(inner, everything):
        column = "inner_a" if x[1] < y[1] else "inner_b"
        found[max(x[0], y[0]) // slice_, *sorted((x[1], y[1])), column] += 1
    found.update((*key, "occasions") for *key, _ in occasions)
    return +found


def chances(alerts: list[Alert], near: set[tuple[str, str]], *, period: int) -> Counter:
    """Count the pairs of firings of different nodes at near places in one period, by pair of nodes."""
    starts = episodes(alerts)
    return Counter(
        (x[1], y[1])
        for x, y in product(starts, starts)
        if x[1] < y[1] and x[0] // period == y[0] // period and (x[2] == y[2] or (x[2], y[2]) in near)
    )
