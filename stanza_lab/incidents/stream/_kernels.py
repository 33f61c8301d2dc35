"""The loops over the window that cannot be written as columns. Loading this module loads numba.

They say for one alert what `correlation.evidence` and `correlation.grouping` say for all at once.
"""

from __future__ import annotations

import math

import numpy as np

from stanza_lab.incidents.correlation.evidence import BOUT_S, COMPANY_S, CROWD_S, MOST_LIFT, RECOVERY_S
from stanza_lab.incidents.correlation.pairs import NEXT, NEXT_ALIKE
from stanza_lab.incidents.correlation.recurrence import PRIOR
from stanza_lab.incidents.density._kernels import compiled
from stanza_lab.incidents.stream.window import LISTED, Learned, Weights, Window

PARTS = 12
ROW = 256  # neighbours of one alert that are held
_OTHERS = 16  # services near on the graph of which the nearest alert is met in a storm


@compiled
def insert(w: Window, n: int, slot: int) -> int:
    """Put the alert in `slot` among the `n` that are there, after those of the same time; return its position."""
    at = w.at[slot]
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if w.at[w.order[middle]] <= at:
            low = middle + 1
        else:
            high = middle
    for i in range(n, low, -1):
        w.order[i] = w.order[i - 1]
    w.order[low] = slot
    return low


@compiled
def forget(w: Window, n: int, count: int) -> None:
    """Drop the first `count` of `n`."""
    for i in range(n - count):
        w.order[i] = w.order[i + count]


@compiled
def count_in(w: Window, n: int, position: int) -> None:
    """Count a new alert into the company and the crowd of those around it, and them into its own."""
    s = w.order[position]
    family_begins, rule_begins = True, True
    near, around, crowd = 0.0, 0.0, 0.0
    for step in (-1, 1):
        i = position + step
        family_told, rule_told = False, False
        while 0 <= i < n:
            j = w.order[i]
            apart = abs(w.at[j] - w.at[s])
            if apart > CROWD_S:
                break
            if apart <= BOUT_S:
                if w.family[j] == w.family[s] and not family_told:
                    family_told = True
                    if step < 0:
                        family_begins = False
                    elif w.family_begins[j]:
                        w.family_begins[j] = False
                        _shift_family(w, n, i, -1.0)
                if w.rule[j] == w.rule[s] and not rule_told:
                    rule_told = True
                    if step < 0:
                        rule_begins = False
                    elif w.rule_begins[j]:
                        w.rule_begins[j] = False
                        _shift_rule(w, n, i, -1.0)
            i += step
    for step in (-1, 1):
        i = position + step
        while 0 <= i < n:
            j = w.order[i]
            apart = abs(w.at[j] - w.at[s])
            if apart > CROWD_S:
                break
            if w.family_begins[j] and w.family[j] != w.family[s]:
                around += 1.0
                if apart <= COMPANY_S:
                    near += 1.0
            if w.rule_begins[j]:
                crowd += 1.0
            i += step
    w.near[s], w.around[s], w.crowd[s] = near, around, crowd
    w.family_begins[s], w.rule_begins[s] = family_begins, rule_begins
    if family_begins:
        _shift_family(w, n, position, 1.0)
    if rule_begins:
        _shift_rule(w, n, position, 1.0)


@compiled
def _shift_family(w: Window, n: int, position: int, by: float) -> None:
    """Count a bout of a family that begins at `position` into, or out of, the company of what is around it."""
    s = w.order[position]
    for step in (-1, 1):
        i = position + step
        while 0 <= i < n:
            j = w.order[i]
            apart = abs(w.at[j] - w.at[s])
            if apart > CROWD_S:
                break
            if w.family[j] != w.family[s]:
                w.around[j] += by
                if apart <= COMPANY_S:
                    w.near[j] += by
            i += step


@compiled
def _shift_rule(w: Window, n: int, position: int, by: float) -> None:
    """Count a bout of a rule that begins at `position` into, or out of, the crowd around it, and its own."""
    s = w.order[position]
    w.crowd[s] += by
    for step in (-1, 1):
        i = position + step
        while 0 <= i < n and abs(w.at[w.order[i]] - w.at[s]) <= CROWD_S:
            w.crowd[w.order[i]] += by
            i += step


@compiled
def _company(w: Window, s: int) -> float:
    return float(max(w.log_near[int(w.near[s])] - w.log_around[int(w.around[s])], 0.0))


@compiled
def _found(start: np.ndarray, other: np.ndarray, value: np.ndarray, a: int, b: int) -> float:
    """Return the entry of a sparse row, 0 where there is none."""
    if a < 0 or b < 0 or a >= start.size - 1:
        return 0.0
    low, high = start[a], start[a + 1]
    while low < high:
        middle = (low + high) // 2
        if other[middle] < b:
            low = middle + 1
        else:
            high = middle
    return value[low] if low < start[a + 1] and other[low] == b else 0.0


@compiled
def _share(lists: np.ndarray, a: int, b: int) -> bool:
    for i in range(LISTED):
        if lists[a, i] < 0:
            return False
        for j in range(LISTED):
            if lists[b, j] < 0:
                break
            if lists[a, i] == lists[b, j]:
                return True
    return False


@compiled
def _lift(k: Learned, a: int, b: int) -> float:
    """Return how much more often two rules came together than by chance, as a logarithm."""
    together = _found(k.together_start, k.together_other, k.together_times, a, b)
    chance = k.seen[a] * k.seen[b] / max(k.occasions, 1.0)
    lift = math.log((together + PRIOR) / (chance + PRIOR))
    return min(max(lift, -MOST_LIFT), MOST_LIFT)


@compiled
def _look_up(near_of: np.ndarray, linked: np.ndarray, place: int, pair: int, k: Learned, a: int, b: int) -> None:
    """Keep how near two services are on the graph where it is looked for."""
    near_of[place], linked[place] = pair, _found(k.calls_start, k.calls_other, k.calls_near, a, b)


@compiled
def parts(
    w: Window, k: Learned, g: Weights, a: int, others: np.ndarray, count: int, into: np.ndarray, total: np.ndarray
) -> None:
    """Write the seconds of each part of the distance from slot `a` to each of some `others`, and their sum.

    The columns are taken out of the window once: handing it on for every pair would take longer than the pair does.
    """
    at, ends, habit, near, around, crowd = w.at, w.ends, w.habit, w.near, w.around, w.crowd
    service, team, place, rule, kind = w.service, w.team, w.place, w.rule, w.kind
    resources, traces, log_near, log_around, log_crowd = w.resources, w.traces, w.log_near, w.log_around, w.log_crowd
    lift_of, lift, rules = w.lift_of, w.lift, k.seen.size
    near_of, linked, services = w.near_of, w.linked, k.calls_start.size - 1
    calls = g.call > 0 and k.calls_other.size > 0 and 0 <= service[a] < services
    known = g.recurrence > 0 and k.occasions > 0 and rule[a] < rules
    company = max(log_near[int(near[a])] - log_around[int(around[a])], 0.0)
    crowded = log_crowd[int(crowd[a])]
    has_resources, has_traces = resources[a, 0] >= 0, g.trace > 0 and traces[a, 0] >= 0
    for i in range(count):
        b = others[i]
        told = into[i]
        told[:] = 0.0
        told[0] = abs(at[a] - at[b])
        if service[a] != service[b] and not (has_resources and resources[b, 0] >= 0 and _share(resources, a, b)):
            told[1] = g.service
            if calls and 0 <= service[b] < services:
                pair = service[a] * services + service[b]
                kept = pair % near_of.size
                if near_of[kept] != pair:
                    _look_up(near_of, linked, kept, pair, k, service[a], service[b])
                told[2] = -g.call * linked[kept]
            if kind[a] == kind[b] and kind[a] >= 0:
                told[6] = -g.kind
        if team[a] != team[b]:
            told[3] = g.team
        if place[a] != place[b] and place[a] >= 0 and place[b] >= 0:
            told[4] = g.environment
        if has_traces and traces[b, 0] >= 0 and _share(traces, a, b):
            told[5] = -g.trace
        if abs(ends[a] - ends[b]) <= RECOVERY_S:  # never where an end is not known
            told[7] = -g.recovery
        if known and rule[b] < rules and rule[a] != rule[b]:
            pair = rule[a] * rules + rule[b]
            kept = pair % lift_of.size
            if lift_of[kept] != pair:
                lift_of[kept], lift[kept] = pair, _lift(k, rule[a], rule[b])
            told[8] = -g.recurrence * lift[kept]
        told[9] = g.chronic * (habit[a] + habit[b] - 2 * PRIOR)
        theirs = max(log_near[int(near[b])] - log_around[int(around[b])], 0.0)
        told[10] = -g.company * min(company, theirs)
        told[11] = g.crowd * (crowded + log_crowd[int(crowd[b])]) / 2
        apart = 0.0
        for part in range(PARTS):
            apart += told[part]
        total[i] = max(apart, 0.0)


@compiled
def _row(
    w: Window,
    k: Learned,
    g: Weights,
    furthest: float,
    n: int,
    position: int,
    near: np.ndarray,
    distance: np.ndarray,
    scratch: np.ndarray,
) -> int:
    """Write the positions within `max_gap` of one, and how far they are; return how many.

    Compared are the `NEXT` on either side, and beyond them within reach a few that share something.
    """
    s = w.order[position]
    reach = furthest + g.company * _company(w, s)
    slots = np.empty(ROW, dtype=np.int64)
    order, at, service, team, rule = w.order, w.at, w.service, w.team, w.rule
    resources, traces = w.resources, w.traces
    near_of, near_by, services = w.near_of, w.linked, k.calls_start.size - 1
    graph = k.calls_other.size > 0 and 0 <= service[s] < services
    listed = resources[s, 0] >= 0 or traces[s, 0] >= 0
    found = 0
    others = np.empty(_OTHERS, dtype=np.int64)
    for step in (-1, 1):
        met, same_service, same_team, same_rule, same_list, linked = 0, 0, 0, 0, 0, 0
        i = position + step
        while 0 <= i < n and found < ROW:
            j = order[i]
            if abs(at[j] - at[s]) > reach:
                break
            met += 1
            compared = met <= NEXT
            if not compared:
                if service[j] == service[s] and service[s] >= 0 and same_service < NEXT_ALIKE:
                    same_service += 1
                    compared = True
                if team[j] == team[s] and team[s] >= 0 and same_team < NEXT_ALIKE:
                    same_team += 1
                    compared = True
                if rule[j] == rule[s] and same_rule < NEXT_ALIKE:
                    same_rule += 1
                    compared = True
                if listed and same_list < NEXT_ALIKE and (_share(resources, s, j) or _share(traces, s, j)):
                    same_list += 1
                    compared = True
                other = graph and not compared and linked < _OTHERS and service[j] != service[s]
                if other and 0 <= service[j] < services:
                    pair = service[s] * services + service[j]
                    place = pair % near_of.size
                    if near_of[place] != pair:
                        _look_up(near_of, near_by, place, pair, k, service[s], service[j])
                    known = near_by[place] <= 0
                    for o in range(linked):
                        known = known or others[o] == service[j]
                    if not known:
                        others[linked] = service[j]
                        linked += 1
                        compared = True
            if compared:
                near[found], slots[found] = i, j
                found += 1
            i += step
    parts(w, k, g, s, slots, found, scratch, distance)
    kept = 0
    for f in range(found):
        if distance[f] <= g.max_gap:
            near[kept], distance[kept] = near[f], distance[f]
            kept += 1
    return kept


@compiled
def explore(
    w: Window, k: Learned, g: Weights, furthest: float, n: int, position: int, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int, float, bool]:
    """Return all within `max_gap` of each other around the alert at `position`, as links of a spanning forest.

    More than hangs together with it: by being there, it may make an alert nearby dense enough to hold others.

    Returns
    -------
    places : ndarray of int64
        Their positions, in time.
    left, right : ndarray of int64
        Ends of the links, as indices into `places`, the nearest first.
    reach : ndarray of float64
        The distance of each link: HDBSCAN's mutual reachability; infinite between the trees.
    nearest : int
        Position of the alert that holds it most; -1: none.
    held : float
        The distance at which that one holds it.
    whole : bool
        False where more hangs together than `most`: then only the link to the nearest is told.
    """
    near, distance, scratch = np.empty(ROW, dtype=np.int64), np.empty(ROW), np.empty((ROW, PARTS))
    queue = np.empty(most, dtype=np.int64)
    core = np.full(most, np.inf)
    mate, mate_at = np.full(most, -1, dtype=np.int64), np.full(most, np.inf)  # of a chronic one: the nearest telling
    room = 1024
    ends_a, ends_b, apart = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64), np.empty(room)
    pairs, count, head, whole = 0, 1, 0, True
    queue[0] = position
    w.visited[w.order[position]] = 0
    kth = np.empty(g.neighbours)
    while head < count and whole:
        here = queue[head]
        s = w.order[here]
        found = _row(w, k, g, furthest, n, here, near, distance, scratch)
        kth[:] = np.inf
        for f in range(found):
            d = distance[f]
            if d < kth[g.neighbours - 1]:
                i = g.neighbours - 1
                while i > 0 and kth[i - 1] > d:
                    kth[i] = kth[i - 1]
                    i -= 1
                kth[i] = d
        core[head] = kth[g.neighbours - 1]
        chronic = w.habit[s] > g.max_chronic
        if chronic:
            for f in range(found):
                j = w.order[near[f]]
                if w.habit[j] <= g.max_chronic:
                    first = distance[f] == mate_at[head] and near[f] < mate[head]
                    if distance[f] < mate_at[head] or first:
                        mate[head], mate_at[head] = near[f], distance[f]
        for f in range(found):
            if chronic and near[f] != mate[head] and head > 0:  # the new one may move its neighbours by being there
                continue
            j = w.order[near[f]]
            if w.visited[j] < 0:
                if count == most:
                    whole = False
                    break
                queue[count] = near[f]
                w.visited[j] = count
                count += 1
            if w.visited[j] > head or near[f] == mate[head]:  # each pair once; one that is held, by what holds it
                if pairs == room:
                    room *= 2
                    ends_a, ends_b, apart = _grown(ends_a, room), _grown(ends_b, room), _grown_real(apart, room)
                ends_a[pairs], ends_b[pairs], apart[pairs] = head, w.visited[j], distance[f]
                pairs += 1
        head += 1
    for i in range(count):
        w.visited[w.order[queue[i]]] = -1
    if not whole:
        return _storm(w, k, g, furthest, n, position, near, distance, scratch)
    kept = 0
    for p in range(pairs):
        a, b = ends_a[p], ends_b[p]
        chronic_a = w.habit[w.order[queue[a]]] > g.max_chronic
        chronic_b = w.habit[w.order[queue[b]]] > g.max_chronic
        if chronic_a and chronic_b:
            continue
        if (chronic_a and mate[a] != queue[b]) or (chronic_b and mate[b] != queue[a]):
            continue
        reach = max(core[a], core[b], apart[p], g.resolution)
        if apart[p] <= g.resolution:
            reach = min(reach, g.max_gap)
        if reach <= g.max_gap:
            ends_a[kept], ends_b[kept], apart[kept] = a, b, reach
            kept += 1
    return _tree(queue[:count], ends_a[:kept], ends_b[:kept], apart[:kept])


@compiled
def _grown(values: np.ndarray, room: int) -> np.ndarray:
    more = np.empty(room, dtype=np.int64)
    more[: values.size] = values
    return more


@compiled
def _grown_real(values: np.ndarray, room: int) -> np.ndarray:
    more = np.empty(room)
    more[: values.size] = values
    return more


@compiled
def _tree(
    queue: np.ndarray, a: np.ndarray, b: np.ndarray, reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int, float, bool]:
    """Return a minimum spanning forest of the queue (Kruskal), and what holds the first of it."""
    count = queue.size
    root = np.arange(count)
    used = np.zeros(reach.size, dtype=np.bool_)
    order = np.argsort(reach, kind="mergesort")
    for p in order:
        x, y = a[p], b[p]
        while root[x] != x:
            root[x] = root[root[x]]
            x = root[x]
        while root[y] != y:
            root[y] = root[root[y]]
            y = root[y]
        if x != y:
            root[x] = y
            used[p] = True
    by_time = np.argsort(queue)
    rank = np.empty(count, dtype=np.int64)
    rank[by_time] = np.arange(count)
    left, right = np.empty(count - 1, dtype=np.int64), np.empty(count - 1, dtype=np.int64)
    far = np.full(count - 1, np.inf)
    m, nearest, held = 0, -1, np.inf
    for p in order:
        if used[p]:
            left[m], right[m], far[m] = rank[a[p]], rank[b[p]], reach[p]
            m += 1
            if nearest < 0 and (a[p] == 0 or b[p] == 0):
                nearest = queue[b[p]] if a[p] == 0 else queue[a[p]]
                held = reach[p]
    before = -1
    for i in by_time:  # what nothing joins hangs infinitely far away
        if root[i] == i:
            if before >= 0:
                left[m], right[m] = rank[before], rank[i]
                m += 1
            before = i
    places = queue[by_time]
    return places, left, right, far, nearest, held, True


@compiled
def _storm(
    w: Window,
    k: Learned,
    g: Weights,
    furthest: float,
    n: int,
    position: int,
    near: np.ndarray,
    distance: np.ndarray,
    scratch: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int, float, bool]:
    """Return the nearest alert that holds things together, where too much does to look at all."""
    found = _row(w, k, g, furthest, n, position, near, distance, scratch)
    nearest, least = -1, np.inf
    for f in range(found):
        if w.habit[w.order[near[f]]] <= g.max_chronic and distance[f] < least:
            nearest, least = near[f], distance[f]
    nothing = np.empty(0, dtype=np.int64)
    return nothing, nothing, nothing, np.empty(0), nearest, least, False
