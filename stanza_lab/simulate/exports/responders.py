"""Who answers the pages: invented people, a weekly rotation per team, and what they write about what they did.

They have random numbers of their own, so that the pages are the same whoever answers them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.simulate.naming import UPPER, codes

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

NOTED = "incident.annotated"
_HELPS = 0.15  # of the pages somebody else of the team takes
_CLOSES = 0.25  # of the pages somebody took: closes it by hand when its alert has recovered
_TOLD = 0.5  # of the incidents somebody took a page of: a note says what was done
_NOTHING = 0.05  # of the pages that were taken and belong to no incident: a note says that there was nothing to do
_WEEK_MS = 7 * 86_400_000
_MONDAY_MS = 4 * 86_400_000 + 9 * 3_600_000  # 1970-01-05 09:00: the rotation changes on Monday morning
_GIVEN = (
    "Abra", "Belo", "Cevi", "Dara", "Elko", "Fanu", "Gesa", "Hilo", "Ilva", "Jaro", "Keda", "Lumi", "Miro", "Nesa",
    "Okan", "Pira", "Quil", "Rena", "Silo", "Tova", "Ulmo", "Vesi", "Wilda", "Xeno", "Yara", "Zeno",
)  # fmt: skip
_BEGINS = (
    "Alt", "Bran", "Corm", "Dun", "Elm", "Fenn", "Gral", "Harn", "Isk", "Jorn", "Kest", "Lorn", "Morv", "Nath", "Orl",
    "Pell", "Quor", "Rask", "Stev", "Tarn",
)  # fmt: skip
_ENDS = ("aby", "eck", "idon", "overn", "ulle", "ansen", "ipper", "oway", "unden", "avik", "erling", "omir")

_DONE = {
    "saturation": ("Scaled up {service}, load is coming down.", "Shed load in front of {service}: rate limit on."),
    "errors": ("Restarted {service}, errors are gone.", "Shifted traffic away from {service} until errors stopped."),
    "latency": ("Shifted traffic away from {service}.", "Restarted {service}, latency is back to normal."),
    "deploy regression": ("Rolled back {service} {version}.", "Bad release: rolled back {service} {version}."),
    "node loss": ("Replaced the lost node of {service}.", "Failed {service} over to its standby."),
    "host loss": ("Drained the lost host, {service} runs elsewhere.", "Restarted {service} on another host."),
    "zone network loss": ("Shifted traffic of {service} out of the broken zone.",),
    "bad base image": ("Rolled back the base image of {service} and restarted it.",),
}
_NOT_DONE = ("Recovered by itself, nothing done.", "False alarm, nothing done.")


def staff(production: Production) -> pd.DataFrame:
    """Return everybody who is on call: team, name and id; four to six people for each team."""
    rng = _stream(production, 21)
    teams = sorted(set(production.services["team"]))
    size = rng.integers(4, 7, size=len(teams))
    count = int(size.sum())
    of = len(_GIVEN) * len(_BEGINS) * len(_ENDS)
    drawn = rng.permutation(of)[:count] if count <= of else rng.integers(0, of, size=count)
    names = [
        f"{_GIVEN[k % len(_GIVEN)]} {_BEGINS[k // len(_GIVEN) % len(_BEGINS)]}{_ENDS[k // len(_GIVEN) // len(_BEGINS)]}"
        for k in drawn.tolist()
    ]
    people = {"team": np.repeat(teams, size), "name": names, "id": np.char.add("PU", codes(rng, count, 8, UPPER))}
    return pd.DataFrame(people)


def reference(person: Any) -> dict[str, str]:
    """Return a person as a webhook refers to one."""
    return {
        "id": person.id,
        "type": "user_reference",
        "summary": person.name,
        "self": f"https://api.pagerduty.example/users/{person.id}",
    }


def answered(production: Production, pages: pd.DataFrame) -> pd.DataFrame:
    """Return the pages with on_call and acked_by (rows of `staff`): who was paged, and who took it or would have.

    `by_hand` (of pages whose alert never recovers) becomes true of some others too.
    """
    rng = _stream(production, 22)
    rows = staff(production).reset_index(names="row").groupby("team")["row"].agg(first="min", size="size")
    first, size = (pages["team"].map(rows[name]).to_numpy(dtype=np.int64) for name in ("first", "size"))
    week = (pages["triggered_ms"].to_numpy() - _MONDAY_MS) // _WEEK_MS
    turn = (week + first) % size
    other = (turn + rng.integers(1, 6, size=len(pages)) % np.maximum(size - 1, 1)) % size
    helped = pages["acked_ms"].notna().to_numpy() & (rng.random(len(pages)) < _HELPS)
    closes = pages["acked_ms"].notna().to_numpy() & (rng.random(len(pages)) < _CLOSES)
    by_hand = pages["by_hand"].to_numpy() | closes
    return pages.assign(on_call=first + turn, acked_by=first + np.where(helped, other, turn), by_hand=by_hand)


def notes(production: Production, pages: pd.DataFrame) -> pd.DataFrame:
    """Return what was written: the columns of the pages' webhooks, for one page of some incidents."""
    rng = _stream(production, 23)
    taken = pages[pages["acked_ms"].notna() & (pages["ended_ms"] - pages["acked_ms"] > 60_000)]
    taken = taken.sort_values(["acked_ms", "page_id"], kind="stable")
    first = taken.dropna(subset="incident_id").drop_duplicates("incident_id")
    alone = taken[taken["incident_id"].isna()]
    told = pd.concat([first[rng.random(len(first)) < _TOLD], alone[rng.random(len(alone)) < _NOTHING]])
    within = told["acked_ms"] + (told["ended_ms"] - told["acked_ms"]) * rng.uniform(0.3, 0.9, len(told))
    return told.drop(columns=["triggered_ms", "acked_ms", "ended_ms"]).assign(
        event_type=NOTED,
        at_ms=within.astype("int64"),
        assignee=told["on_call"],
        agent=told["acked_by"],
        note=[_words(rng, production, row) for row in told.itertuples()],
        note_id=np.char.add("PN", codes(rng, len(told), 8, UPPER)),
        native_id=np.char.add("01", codes(rng, len(told), 24, UPPER)),
    )


def _words(rng: np.random.Generator, production: Production, page: Any) -> str:
    """Return a sentence that tells what was done, as it fits what was broken."""
    if not isinstance(page.incident_id, str):
        return str(rng.choice(_NOT_DONE))
    incidents = production.incidents
    incident = incidents[incidents["incident_id"] == page.incident_id].iloc[0]
    root = incident["root_service"]
    service = root if isinstance(root, str) else page.service
    deploys = production.deploys
    before = deploys[(deploys["service"] == service) & (deploys["at"] <= incident["start"])]
    version = before["version"].iloc[-1] if len(before) else "to the last release"
    return str(rng.choice(_DONE[incident["fault_type"]])).format(service=service, version=version)


def _stream(production: Production, concern: int) -> np.random.Generator:
    return np.random.default_rng([production.parameters["random_state"], concern])
