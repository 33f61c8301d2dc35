"""The same trouble told by several tools: copies of an alert, and the same symptom of a service in another tool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.entities.symptoms import classify_symptoms
from stanza_lab.production import words
from stanza_lab.reliability.load import arrays

_SAYS = ("alertname", "rule_key", "labels", "summary", "description")
DUPLICATES: dict[str, Any] = {
    "how": "str",  # "copy": a tool says that it passes on another's alert; "same symptom": of a service, near in time
    "source": "str",  # the tool that told it again
    "other": "str",  # the tool that told it first
    "alerts": "int64",  # told again
    "of_alerts": "int64",  # alerts of `source`
    "share": "float64",
    "example": "str",  # service and symptom, the most frequent; null for copies
    "words": "str",
}


def table(alerts: pd.DataFrame, told: list[pd.DataFrame], *, delay: pd.Timedelta) -> pd.DataFrame:
    """Return `DUPLICATES`, the most frequent first.

    `told` are all alerts with their source and origin; `alerts` those that are no page. Two alerts tell the same when
    they are of one service and symptom, of different tools, and the later began within `delay` of the other.
    """
    found = pd.concat([_passed_on(told), _same(alerts, delay)], ignore_index=True)
    found = found.assign(share=found["alerts"] / found["of_alerts"])
    found["words"] = [_words(row) for row in found.to_dict("records")]
    found = found.sort_values(["alerts", "how", "source", "other"], ascending=[False, True, True, True])
    return found.reset_index(drop=True)[list(DUPLICATES)].astype(DUPLICATES)


def _passed_on(told: list[pd.DataFrame]) -> pd.DataFrame:
    counts = [part.groupby(["source", "origin"], observed=True, dropna=False).size() for part in told]
    named = pd.concat(counts).rename("alerts").reset_index().astype({"source": "str", "origin": "str"})
    of = named.groupby("source")["alerts"].sum()
    named = named[named["origin"].isin(of.index) & (named["origin"] != named["source"])]
    pairs = named.groupby(["source", "origin"], sort=True)["alerts"].sum().reset_index()
    return pairs.rename(columns={"origin": "other"}).assign(how="copy", of_alerts=pairs["source"].map(of), example=None)


def _same(alerts: pd.DataFrame, delay: pd.Timedelta) -> pd.DataFrame:
    window = delay // pd.Timedelta("1us")
    own = alerts["origin"].isna() & alerts["service"].notna() & alerts["source"].notna()
    sizes = alerts.loc[own, "source"].value_counts()
    near = np.flatnonzero(own.to_numpy())
    near = near[_beside_another(alerts.take(near)[["service", "source", "starts_at"]], window)]
    texts = [name for name in _SAYS if name == _SAYS[0] or alerts[name].notna().any()]
    chosen = alerts[["service", "source", "starts_at", *texts]].take(near).reset_index(drop=True)
    chosen["symptom"] = classify_symptoms(chosen).to_numpy()
    chosen = chosen[chosen["symptom"].notna()].reset_index(drop=True)
    services, service_names = arrays.codes(chosen["service"])
    symptoms, symptom_names = arrays.codes(chosen["symptom"])
    sources, source_names = arrays.codes(chosen["source"])
    kind = services * (len(symptom_names) + 1) + symptoms
    key = arrays.within(kind, arrays.micros(chosen["starts_at"]), window)
    order = np.argsort(key, kind="stable")
    key, kind, sources = key[order], kind[order], sources[order]
    rows = []
    for again in np.unique(sources):
        mine = sources == again
        for first in np.unique(sources[~mine]):
            others = key[sources == first]
            place = np.searchsorted(others, key[mine], side="right") - 1
            told = (place >= 0) & (key[mine] - others[np.maximum(place, 0)] <= window)
            if told.any():
                service, what = divmod(int(np.bincount(kind[mine][told]).argmax()), len(symptom_names) + 1)
                example = f"{service_names[service]}: {symptom_names[what]}"
                name = source_names[again]
                rows.append((name, source_names[first], int(told.sum()), int(sizes[name]), example))
    found = pd.DataFrame(rows, columns=["source", "other", "alerts", "of_alerts", "example"])
    return found.assign(how="same symptom")


def _beside_another(alerts: pd.DataFrame, window: int) -> arrays.Bools:
    """Return which alerts have one of another tool about the same service within `window`: the others are passed over.

    There is one when more alerts are near than alerts of the same tool.
    """
    service, _ = arrays.codes(alerts["service"])
    source, names = arrays.codes(alerts["source"])
    at = arrays.micros(alerts["starts_at"])
    beside = np.zeros(len(alerts), dtype=np.int64)
    for group, sign in ((service, 1), (service * len(names) + source, -1)):
        key = arrays.within(group, at, 2 * window + 1)
        ordered = np.sort(key)
        near = np.searchsorted(ordered, key + window, side="right") - np.searchsorted(ordered, key - window)
        beside += sign * near
    return beside > 0


def _words(row: dict[Any, Any]) -> str:
    share = f"{row['alerts']:,} of {words.count(row['of_alerts'], 'alert')} of {row['source']}"
    if row["how"] == "copy":
        return words.sentence(f"{share} pass on what {row['other']} raised")
    return words.sentence(
        f"{share} tell the same symptom of the same service as {row['other']} did just before, most often "
        f"{row['example']}"
    )
