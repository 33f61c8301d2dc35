"""Releases: markers that change alerts' context, a few of them the cause of an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.simulate.rhythm import sample_times

if TYPE_CHECKING:
    from stanza_lab.simulate.topology import Topology

_PER_WEEK = 0.6  # of a service that is code


def make_deploys(
    rng: np.random.Generator, topology: Topology, incidents: pd.DataFrame, *, start_ms: int, days: int
) -> pd.DataFrame:
    """Return the deploys: service, at, version; sorted by time.

    Before every incident of type deploy regression stands a deploy of its root, one to eight minutes earlier.
    """
    code = np.flatnonzero(topology.services["kind"].isin(["service", "web", "lambda"]))
    count = int(rng.poisson(_PER_WEEK * len(code) * days / 7))
    usual = pd.DataFrame(
        {
            "at_ms": sample_times(rng, count, start_ms=start_ms, days=days, office_hours=0.9),
            "service": rng.choice(code, size=count),
        }
    )
    bad = incidents[incidents["fault_type"] == "deploy regression"]
    names = topology.services["service"]
    guilty = pd.DataFrame(
        {
            "at_ms": bad["start"].astype("int64").to_numpy() // 1_000 - rng.integers(60_000, 480_000, size=len(bad)),
            "service": pd.Index(names).get_indexer(bad["root_service"]),
        }
    )
    deploys = pd.concat([usual, guilty], ignore_index=True).sort_values(["at_ms", "service"], ignore_index=True)
    build = 100 + 7 * deploys["service"] + deploys.groupby("service").cumcount()
    made = pd.DataFrame(
        {
            "service": names.to_numpy()[deploys["service"]],
            "at": pd.to_datetime(deploys["at_ms"], unit="ms", utc=True).astype(schema.TIME_DTYPE),
            "version": "1." + build.astype("str") + ".0",
        }
    )
    return made.take(np.flatnonzero(deploys["at_ms"] >= start_ms)).reset_index(drop=True)
