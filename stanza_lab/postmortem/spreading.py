"""How it went over the map: from the likely origin along known links, and who was expected to be hit and was not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import networkx as nx
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import StanzaError
from stanza_lab.postmortem.origins import possible
from stanza_lab.production import words
from stanza_lab.production.past import replay
from stanza_lab.production.spread.origin_words import POSSIBLE

if TYPE_CHECKING:
    from stanza_lab.postmortem.scene import Scene
    from stanza_lab.production import ProductionMap

EXPECTED = 0.5  # probability of a hit from which a silent service is named
FAINT = 0.05  # probability below which a way is none
_FURTHEST = 4  # links
_SAME = replay.SAME.total_seconds()


def first_movers(scene: Scene, *, columns: dict[str, Any]) -> pd.DataFrame:
    """Return the services that nothing they depend on preceded; see `Review.first_movers`."""
    names = replay.first_movers(replay.choose(scene.production, scene.incident)) if scene.services else []
    rows = []
    for name in names:
        mine = scene.mine[scene.mine["service"] == name]
        after = (mine["starts_at"].iloc[0] - scene.begin).total_seconds()
        said = f"{name} alerted {_after(after)}; nothing it depends on, as far as the map knows, did before"
        rows.append(
            (name, scene.teams.get(name), mine["starts_at"].iloc[0], after, len(mine), mine["name"].iloc[0], said)
        )
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def spread(scene: Scene, origins: pd.DataFrame, *, columns: dict[str, Any]) -> pd.DataFrame:
    """Return how it went over the map; see `Review.spread`. Without a likely origin, whom each may have it from."""
    likely = possible(origins)
    origin = str(likely["service"].iloc[0]) if len(likely) else None
    travel = _travel(scene.production.whole)
    ways = _ways(travel, origin) if origin else _before(scene, travel)
    hit = _expected(scene, origin)
    silent = sorted(name for name, share in hit.items() if share >= EXPECTED and name not in scene.first.index)
    names = [*([origin] if origin and origin not in scene.first.index else []), *scene.services]
    likeliest = (origin, float(likely["probability"].iloc[0]) if len(likely) else float("nan"))
    rows = [_row(scene, name, likeliest, ways, hit) for name in [*dict.fromkeys(names), *silent]]
    table = pd.DataFrame(rows, columns=list(columns))
    table["first_at"] = pd.to_datetime(table["first_at"], utc=True).astype(schema.TIME_DTYPE)
    return table.astype(columns)


def _travel(production: ProductionMap) -> nx.DiGraph[str]:
    """Return the edges the way trouble takes them, to those who depend, each with how likely it is there."""
    edges = production.edges
    seen = [bool(words.seen(provenance)) for provenance in edges["provenance"]]
    sure = edges["confidence"].mask(pd.Series(seen, index=edges.index, dtype=bool), 1.0).fillna(0.0)
    travel: nx.DiGraph[str] = nx.DiGraph()
    for src, dst, share in zip(edges["src"], edges["dst"], sure, strict=True):
        if share >= FAINT and src != dst:
            travel.add_edge(dst, src, cost=-math.log(min(float(share), 1.0)) + 1e-9)
    return travel


def _before(scene: Scene, travel: nx.DiGraph[str]) -> dict[str, tuple[list[str], float]]:
    """Return of each service the surest of those it may have it from, of those that did not alert later."""
    found: dict[str, tuple[list[str], float]] = {}
    for name, at in zip(map(str, scene.first.index), scene.first, strict=True):
        sooner = [
            (travel[other][name]["cost"], str(other))
            for other in (travel.predecessors(name) if name in travel else ())
            if other in scene.first.index and scene.first[other] <= at and other != name
        ]
        if sooner and min(sooner)[0] <= -math.log(POSSIBLE):
            cost, other = min(sooner)
            found[name] = ([other, name], math.exp(-cost))
    return found


def _ways(travel: nx.DiGraph[str], origin: str) -> dict[str, tuple[list[str], float]]:
    """Return of each service the likeliest way that trouble of the origin takes to it, and how likely that is there."""
    if origin not in travel:
        return {}
    costs: Any
    paths: Any
    costs, paths = nx.single_source_dijkstra(travel, origin, weight="cost")
    near = [name for name, path in paths.items() if len(path) <= _FURTHEST + 1 and math.exp(-costs[name]) >= FAINT]
    return {name: (paths[name], math.exp(-costs[name])) for name in near}


def _expected(scene: Scene, origin: str | None) -> dict[str, float]:
    """Return who would be hit if the origin fails, by the map as it was before the incident where that can be asked."""
    if origin is None:
        return {}
    whole = scene.production.whole
    if whole._model is not None:
        try:
            whole = whole.as_of(scene.begin)
        except StanzaError:
            whole = scene.production.whole
        if origin not in set(whole.services["service"]):
            whole = scene.production.whole
    if origin not in set(whole.services["service"]):
        return {}
    found = whole.blast_radius(origin)
    return dict(zip(found["service"].astype("str"), found["hit"], strict=True))


def _row(
    scene: Scene,
    name: str,
    likeliest: tuple[str | None, float],
    ways: dict[str, tuple[list[str], float]],
    hit: dict[str, float],
) -> dict[str, Any]:
    origin = likeliest[0]
    path, confidence = ways.get(name, ([], float("nan")))
    alerted = name in scene.first.index
    first: Any = scene.first[name] if alerted else pd.NaT
    row: dict[str, Any] = {
        "service": name,
        "team": scene.teams.get(name),
        "state": "origin" if name == origin else "alerted" if alerted else "expected",
        "first_at": first,
        "after_s": (first - scene.begin).total_seconds() if alerted else float("nan"),
        "hops": 0 if name == origin else len(path) - 1 if path and origin else pd.NA,
        "through": path[-2] if len(path) > 1 else None,
        "confidence": confidence if name != origin else float("nan"),
        "expected": hit.get(name, float("nan")),
    }
    return row | {"words": _words(scene, row, likeliest, path)}


def how(row: Any) -> str:
    """Return the words of a row without what its other columns say: which service, and when it alerted."""
    name, said = str(row["service"]), str(row["words"])
    if row["state"] == "origin":
        return "the likeliest origin" + ("" if pd.notna(row["first_at"]) else "; never alerted")
    return said.removeprefix(f"{name} {_when(row)}; ").removeprefix(f"{name} ")


def _when(row: Any) -> str:
    return f"alerted {_after(row['after_s'])}" if pd.notna(row["first_at"]) else "never alerted"


def _words(scene: Scene, row: dict[str, Any], likeliest: tuple[str | None, float], path: list[str]) -> str:
    name, (origin, probability) = row["service"], likeliest
    if row["state"] == "expected":
        sure = words.probability(row["expected"])
        return f"{name} did not alert, though a failure of {origin} would likely show there ({sure}): spared, or unseen"
    when = _when(row)
    if row["state"] == "origin":
        return f"{name}, the likeliest origin ({words.probability(probability)}), {when}"
    if origin is None and path:
        apart = (row["first_at"] - scene.first[path[0]]).total_seconds()
        before = "in the same minute" if apart < _SAME else f"{words.span(apart)} before"
        return f"{name} {when}; linked with {path[0]} ({words.probability(row['confidence'])}), which alerted {before}"
    if origin is None:
        return f"{name} {when}; no known way leads there from what alerted before"
    if not path:
        return f"{name} {when}; no known way leads there from {origin}"
    way = " - ".join(path)
    sure = words.probability(row["confidence"])
    said = f"{name} {when}; {words.count(row['hops'], 'link')} from {origin} ({way}: {sure})"
    through = row["through"]
    noticed: Any = scene.first.get(through)
    if noticed is not None and (noticed - row["first_at"]).total_seconds() > _SAME:
        sooner = words.span((noticed - row["first_at"]).total_seconds())
        said += f"; {sooner} before {through}, which may have noticed later"
    elif noticed is None and through != origin:
        said += f"; {through} between them was silent"
    return said


def _after(seconds: float) -> str:
    return "with the first alert" if seconds < _SAME else f"{words.span(seconds)} after the first alert"
