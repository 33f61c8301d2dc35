"""The map of another day: the model as it was, the alerts known by then, and what carries no date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.production import neighbours, words
from stanza_lab.production.map import ProductionMap

if TYPE_CHECKING:
    from stanza_lab.dependencies import DependencyModel

_SEEN_COLUMNS = ["confidence", "link_confidence", "provenance", "verdict"]  # what a trace or declaration says


class PastMap(ProductionMap):
    """The map as it was at a time: a `ProductionMap` that says so; made by `ProductionMap.as_of`.

    Attributes
    ----------
    at : Timestamp
        As of when, UTC.
    """

    at: pd.Timestamp
    _undated: list[tuple[str, list[str], str]]  # what of this map is not as of then: what, services, words

    @property
    def heading(self) -> str:
        """What is on the map, in words, and of when."""
        return f"{super().heading}, as of {_said(self.whole.at)}"

    @property
    def unseen(self) -> pd.DataFrame:
        """What could not be seen, and what of this map carries no date; columns as in `ProductionMap.unseen`."""
        here, rows = set(self._services["service"]), []
        for what, services, said in self.whole._undated:
            some = [name for name in services if name in here]
            if some or not services:
                rows.append({"what": what, "services": some, "words": said})
        undated = pd.DataFrame(rows, columns=["what", "services", "words"])
        return pd.concat([undated, super().unseen], ignore_index=True)

    def __repr__(self) -> str:
        """Say in one line how much was on the map, when, and what it was cut to."""
        return f"{super().__repr__()[:-1]}; as of {_said(self.whole.at)})"


def as_of(production: ProductionMap, at: pd.Timestamp) -> PastMap:
    """Return the map, or the same view of it, as it was at `at`; see `ProductionMap.as_of`."""
    if production._parent is not None:
        return _same_view(production, as_of(production._parent, at))
    if isinstance(production, PastMap) and at > production.at:
        raise ParameterError(f"at={at} is after this map, which is as of {production.at}; ask the map of today")
    now = model_of(production, "as_of")
    then = now.as_of(at)
    edges, undated = _with_seen(then.edges_, production._edges)
    past = PastMap(edges, _known_by(production._alerts, at), ownership=production._ownership, model=then)
    past.at = at
    past._undated = [*_whole_slices(now, at), *undated, *_uncalibrated(production._edges, now.edges_)]
    return past


def model_of(production: ProductionMap, verb: str) -> DependencyModel:
    """Return the fitted model behind a map."""
    model = production.whole._model
    if model is None:
        raise ParameterError(
            f"{verb} counts again what fired until then, and this map has no model; make it with "
            "sl.ProductionMap(model.edges_, alerts, model=model), model = sl.DependencyModel().fit(alerts)"
        )
    return model


def start_of_slice(model: DependencyModel, at: pd.Timestamp) -> pd.Timestamp:
    """Return the start of the time slice (a day, usually) that holds `at`: edges count the slices before it."""
    length = model.statistics_.counting.slice
    return pd.Timestamp(at.value // 1000 // length * length, unit="us", tz="UTC")


def _same_view(view: ProductionMap, older: PastMap) -> PastMap:
    """Return the cut that made `view`, made in its older parent; empty where what it is about was not there yet."""
    focus = view.focus
    if focus is not None and focus.kind == "service" and (older._services["service"] == focus.name).any():
        walked = {"hops": focus.hops or 0, "direction": focus.direction, "min_confidence": focus.min_confidence}
        return older.near(focus.name, **walked)  # type: ignore[arg-type]
    # The services of a team, a profile or a community are those of today: who owned what then is not known.
    inside = set() if focus is not None and focus.kind == "service" else set(view._services["service"])
    cut = older._cut(inside, older._edges)
    if focus is not None:
        if focus.kind == "service":
            cut._services = cut._services.assign(hops=pd.Series([], dtype="int64"))
        cut.focus = older._focus(cut, focus.kind, focus.name, focus.hops, focus.direction, focus.min_confidence)
    return cut


def _known_by(alerts: pd.DataFrame | None, at: pd.Timestamp) -> pd.DataFrame | None:
    """Return the alerts that had fired by `at`, as they were: what ended later was open."""
    if alerts is None:
        return None
    known = alerts[alerts["starts_at"] < at]
    later = [name for name in ("acked_at", "ends_at") if name in known.columns]
    return known.assign(**{name: known[name].where(known[name] < at) for name in later})


def _with_seen(then: pd.DataFrame, now: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, list[str], str]]]:
    """Return the edges of then with those that were traced or declared at any time, and words about these."""
    seen = now[[not {"traced", "declared"}.isdisjoint(kinds) for kinds in now["provenance"]]]
    if seen.empty:
        return then, []
    keys = ["src", "dst"]
    counted = then.merge(seen[[*keys, *_SEEN_COLUMNS]], on=keys, how="outer", suffixes=("", "_seen"), indicator=True)
    known = (counted["_merge"] != "left_only").to_numpy()
    was_inferred = (counted["link_confidence"].fillna(0.0) >= neighbours.USUAL).to_numpy()
    for name in ("confidence", "link_confidence"):
        counted[name] = counted[name].mask(known, counted[f"{name}_seen"])
    counted["provenance"] = [
        (sorted({*late} - {"inferred"} | ({"inferred"} if inferred else set())) if is_known else early)
        for early, late, is_known, inferred in zip(
            counted["provenance"], counted["provenance_seen"], known, was_inferred, strict=True
        )
    ]
    verdict = counted["verdict_seen"].astype(object)
    verdict = verdict.mask(verdict.eq("confirmed") & ~was_inferred, "trace-only")
    counted["verdict"] = counted["verdict"].astype(object).mask(known, verdict)
    counted = counted.fillna({"support": 0})
    missing = {"p_value": 1.0, "q_value": 1.0}
    counted = counted.assign(**{name: counted[name].fillna(value) for name, value in missing.items()})
    edges = schema.check(counted[schema.EDGES.names].astype({"support": "int64"}), schema.EDGES)
    edges = edges.sort_values(["confidence", "src", "dst"], ascending=[False, True, True], ignore_index=True)
    said = (
        f"since when {words.count(len(seen), 'edge')} that traces or a declaration show "
        f"{'is' if len(seen) == 1 else 'are'} there: they carry no date, and stay on every map"
    )
    return edges, [("date", sorted({*seen["src"], *seen["dst"]}), said)]


def _whole_slices(model: DependencyModel, at: pd.Timestamp) -> list[tuple[str, list[str], str]]:
    start = start_of_slice(model, at)
    if start == at:
        return []
    return [
        ("hour", [], f"what the alerts since {_said(start)} say of dependencies: they count once their day is over")
    ]


def _uncalibrated(shown: pd.DataFrame, inferred: pd.DataFrame) -> list[tuple[str, list[str], str]]:
    """Say so where the map of today shows other confidences than its model: calibrated, or from elsewhere."""
    ends = [shown[["src", "dst"]].min(axis=1), shown[["src", "dst"]].max(axis=1)]
    judged = shown["verdict"].notna().groupby(ends).transform("any")
    both = shown[~judged].merge(inferred[["src", "dst", "link_confidence"]], on=["src", "dst"], suffixes=("", "_model"))
    other = ~np.isclose(both["link_confidence"], both["link_confidence_model"])
    if not other.any():
        return []
    said = "how a calibration made later would correct these confidences: they are the model's own"
    return [("calibration", [], said)]


def _said(at: pd.Timestamp) -> str:
    return f"{at:%Y-%m-%d}" if at == at.normalize() else f"{at:%Y-%m-%d %H:%M} UTC"
