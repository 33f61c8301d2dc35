"""Alert storms: stretches of time in which far more alerts fire than usual."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.production import words
from stanza_lab.reliability.load import arrays

STORMS: dict[str, Any] = {
    "starts_at": schema.TIME_DTYPE,
    "ends_at": schema.TIME_DTYPE,
    "alerts": "int64",
    "pages": "int64",  # of them: somebody was paged
    "z": "float64",  # modified z of its busiest bin
    "usual": "float64",  # alerts in as long a time at the median
    "services": object,  # list of str, the loudest first
    "incidents": "int64",  # different ones, alerts on their own not counted
    "words": "str",
}
Z, LEAST = 3.5, 10  # modified z above which, and alerts in a bin from which, a bin is stormy
_MAD, _MEAN_AD = 0.6745, 1.253314  # what makes a deviation one of a normal distribution (Iglewicz and Hoaglin, 1993)
_MOST_BINS = 5_000_000


def modified_z(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return how unusual each count is: 0.6745 (N - median) / MAD.

    Where more than half of the counts are alike MAD is 0; there the mean absolute deviation stands in for it:
    (N - median) / (1.253314 mean |N - median|). Where all are alike nothing is unusual.
    """
    given = np.asarray(counts, dtype=np.float64)
    if not given.size:
        return given
    apart = given - np.median(given)
    mad, mean = np.median(np.abs(apart)), np.abs(apart).mean()
    if mad > 0:
        return np.asarray(_MAD * apart / mad)
    return np.asarray(apart / (_MEAN_AD * mean)) if mean > 0 else np.zeros(given.shape)


def table(alerts: pd.DataFrame, *, width: pd.Timedelta) -> pd.DataFrame:
    """Return `STORMS`, the first first: neighbouring stormy bins of `width` (aligned to UTC) as one.

    Raises
    ------
    ParameterError
        So many bins lie between the first alert and the last that none could be called usual.
    """
    step = width // pd.Timedelta("1us")
    at = arrays.micros(alerts["starts_at"])
    number = at // step
    if len(at) and number.max() - number.min() >= _MOST_BINS:
        raise ParameterError(
            f"storm_bin={words.span(width.total_seconds())} makes more than {_MOST_BINS:,} bins from first to last "
            "alert; pass a longer one, or drop the alerts whose times are astray"
        )
    if not len(at):
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in STORMS.items()})
    counts = np.bincount(number - number.min())
    z = modified_z(counts)
    stormy = (z > Z) & (counts >= LEAST)
    edges = np.flatnonzero(np.diff(np.r_[False, stormy, False].astype(np.int8)))
    order = np.argsort(at, kind="stable")
    ordered = at[order]
    usual = float(np.median(counts))
    services, names = arrays.codes(alerts["service"])
    incident, paged = alerts["incident_id"].to_numpy(), alerts["page"].to_numpy() >= 0
    rows = []
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        began, ended = (int(number.min()) + first) * step, (int(number.min()) + after) * step
        inside = order[np.searchsorted(ordered, began) : np.searchsorted(ordered, ended)]
        loud = np.bincount(services[inside] + 1, minlength=len(names) + 1)[1:]
        alike = [(-int(loud[of]), str(names[of])) for of in np.flatnonzero(loud).tolist()]
        known = np.unique(incident[inside])
        rows.append(
            (
                began, ended, len(inside), int(paged[inside].sum()), float(z[first:after].max()),
                usual * (after - first), [name for _, name in sorted(alike)], int((known >= 0).sum()),
            )
        )  # fmt: skip
    found = pd.DataFrame(rows, columns=list(STORMS)[:-1])
    found["words"] = [_words(row) for row in found.to_dict("records")]
    for name in ("starts_at", "ends_at"):
        found[name] = arrays.times(found[name].to_numpy(dtype=np.int64))
    return found.astype({name: dtype for name, dtype in STORMS.items() if dtype is not object})


def _words(row: dict[Any, Any]) -> str:
    return words.sentence(
        f"{words.count(row['alerts'], 'alert')} of {words.count(len(row['services']), 'service')} in "
        f"{words.span((row['ends_at'] - row['starts_at']) / arrays.US)}, where {row['usual']:.0f} are usual; "
        f"{words.count(row['pages'], 'page')}; loudest: {words.listing(row['services'])}"
    )
