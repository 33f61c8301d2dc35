"""What to ask in the meeting: each question comes from something that was found, and says from what.

The questions ask about alerts, pages, links and releases, never about what somebody did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.postmortem import sentences
from stanza_lab.postmortem.origins import possible
from stanza_lab.postmortem.people import LATE
from stanza_lab.production import words
from stanza_lab.production.spread.origin_words import LIKELY

if TYPE_CHECKING:
    from stanza_lab.postmortem.scene import Scene

Asked = tuple[str, str, str]
_MANY = 8  # firings of a rule from which its history says something
_ALONE = 0.5  # share of them in no incident, from which a rule is asked about
_SHORT = 60.0  # seconds: alerts that last no longer say little
_NAMED = 3
_THE_SAME = "Is it the same as then, and what helped?"


@dataclass(frozen=True)
class Findings:
    """The tables that questions come from."""

    origins: pd.DataFrame
    spread: pd.DataFrame
    paged: pd.DataFrame
    times: pd.DataFrame
    changes: pd.DataFrame
    look_alikes: pd.DataFrame
    patterns: pd.DataFrame
    earlier: pd.DataFrame  # of the look-alikes, those before it of which more agrees than differs


def questions(scene: Scene, found: Findings, *, columns: dict[str, Any]) -> pd.DataFrame:
    """Return what to ask, by topic; see `Review.questions`."""
    asked = [
        *_deploys(scene, found),
        *_blind(scene, found),
        *_pages(scene, found),
        *_clock(found),
        *_owners(scene, found),
        *_rules(scene),
        *_links(found),
        *_before(scene, found),
    ]
    return pd.DataFrame(asked, columns=list(columns)).astype(columns)


def _origin(found: Findings) -> Any:
    likely = possible(found.origins)
    return likely.iloc[0] if len(likely) else None


def _deploys(scene: Scene, found: Findings) -> Iterator[Asked]:
    before = found.changes[found.changes["at"] <= scene.begin]
    for row in sentences.nearest(before).head(_NAMED).to_dict("records"):
        apart = words.span((scene.begin - row["at"]).total_seconds())
        where = row["service"] if pd.notna(row["service"]) else "a service that is not named"
        because = f"{row['what']}, {apart} before the first alert; that it came before is all that is known"
        asked = f"Did the change of {where} have to do with it, and what would have shown it sooner?"
        yield "change before", asked, because
    if len(before) > _NAMED:
        rest = words.count(len(before) - _NAMED, "change")
        yield "change before", f"And the other {rest} in that time?", "all stand in the timeline"


def _blind(scene: Scene, found: Findings) -> Iterator[Asked]:
    origin = _origin(found)
    if origin is not None and origin["silent"]:
        sure = words.probability(origin["probability"])
        because = f"{origin['service']} is the likeliest origin ({sure}) and raised no alert in this incident"
        yield "blind spot", f"Which alert of {origin['service']} itself would have shown this?", because
    expected = found.spread[found.spread["state"] == "expected"]
    for row in expected.sort_values("expected", ascending=False).head(_NAMED).to_dict("records"):
        yield "blind spot", f"Was {row['service']} spared, or does nothing watch it?", row["words"]
    nameless = int(scene.mine["service"].isna().sum())
    if nameless:
        yield (
            "blind spot",
            "Which service are the alerts without one about?",
            f"{words.count(nameless, 'alert')} of this incident name no service",
        )


def _pages(scene: Scene, found: Findings) -> Iterator[Asked]:
    """Ask about pages; where no pager was exported nothing is known of them."""
    if not scene.by_pager:
        return
    first = scene.pages["at"].min() if len(scene.pages) else None
    if first is None:
        because = f"{words.count(len(scene.mine), 'alert')}, and no page for any of them in this history"
        for row in found.paged.loc[found.paged["verdict"] == "missing"].to_dict("records"):
            because += f"; the origin is probably of {row['team']} ({words.probability(row['probability'])})"
        yield "page", "Should somebody have been paged?", because
        return
    if (late := (first - scene.begin).total_seconds()) > LATE:
        head = scene.mine.iloc[0]
        name = head["service"] if pd.notna(head["service"]) else "a service not known"
        because = f"the first page came {words.span(late)} after the first alert ({name}: {head['name']})"
        yield "page", "Could an earlier alert have paged?", because
    for row in found.paged.to_dict("records"):
        if row["verdict"] == "missing":
            yield "page", f"How would {row['team']} have been called?", row["words"]
        if row["pages"] and pd.isna(row["acked_at"]) and scene.pages["acked_at"].notna().any():
            because = f"no acknowledgement of {words.count(row['pages'], 'page')} is in this history"
            yield "page", f"Did the page for {row['team'] or 'a team not known'} reach anybody?", because
    spare = found.paged[found.paged["verdict"] == "not the origin"]
    if len(spare):
        teams = words.listing(spare["team"], top=6)
        because = f"{words.count(int(spare['pages'].sum()), 'page')}; that the origin is theirs: "
        because += ", ".join(map(words.probability, spare["probability"].head(6)))
        yield "page", f"Was there something for {teams} to do, or would a note have been enough?", because
    teams_paged = int((found.paged["pages"] > 0).sum())
    if len(scene.pages) > 2 * teams_paged:
        because = f"{words.count(len(scene.pages), 'page')} for one incident; one per team would be {teams_paged}"
        yield "page", "Could these pages be one?", because


def _clock(found: Findings) -> Iterator[Asked]:
    rows: dict[Any, Any] = found.times.set_index("what").to_dict("index")
    took, over = rows["acknowledged"]["seconds"], str(rows["recovered"]["words"])
    if took > LATE:
        yield (
            "response",
            "What would make it easier to take the page?",
            f"the first acknowledgement came {words.span(took)} after the first page",
        )
    if over.startswith("not known: of"):
        yield "recovery", "Is it over? Which alerts are still right?", over


def _owners(scene: Scene, found: Findings) -> Iterator[Asked]:
    listed = [*possible(found.origins)["service"], *scene.services]
    lost = [name for name in dict.fromkeys(map(str, listed)) if name not in scene.teams]
    if lost:
        because = f"no catalogue and no alert says so, of {words.count(len(lost), 'service')}"
        yield "owner", f"Whose is {words.listing(lost)}?", because
    origin = _origin(found)
    if origin is not None and origin["probability"] < LIKELY:
        sure = words.probability(origin["probability"])
        yield "origin", "Where did it begin?", f"the likeliest is {origin['service']}, and only {sure}; see the reasons"
    elif origin is None:
        yield "origin", "Where did it begin?", "no service stands out: what fired and the map do not tell"


def _rules(scene: Scene) -> Iterator[Asked]:
    """Ask about rules of the incident that mostly fire outside of incidents, or for moments only."""
    if scene.alerts["rule_key"].notna().sum() == 0:
        return
    keys = ["rule_key", "service"]
    mine = scene.mine.dropna(subset=["rule_key"]).drop_duplicates(keys)
    history = scene.alerts.merge(mine[[*keys, "name"]].astype({"rule_key": "str", "service": "str"}), on=keys)
    history = history.assign(
        alone=history["incident_id"] == schema.NOISE,
        short=(history["ends_at"] - history["starts_at"]).dt.total_seconds() <= _SHORT,
    )
    counts = history.groupby(keys, dropna=False).agg(
        name=("name", "first"), count=("alone", "size"), alone=("alone", "sum"), short=("short", "sum")
    )
    noisy = counts[(counts["count"] >= _MANY) & (counts["alone"] >= _ALONE * counts["count"])].reset_index()
    noisy = noisy.sort_values(["alone", "name"], ascending=[False, True])
    for row in noisy.head(_NAMED).to_dict("records"):
        where = f" of {row['service']}" if pd.notna(row["service"]) else ""
        because = f"it fired {words.count(row['count'], 'time')}, {row['alone']:,} of them in no incident"
        because += f", {row['short']:,} for a minute at most" if row["short"] else ""
        yield "rule", f"What does “{row['name']}”{where} tell that another alert does not?", because


def _links(found: Findings) -> Iterator[Asked]:
    stray = found.spread[(found.spread["state"] == "alerted") & found.spread["hops"].isna()]
    origin = _origin(found)
    if origin is not None and found.spread["hops"].notna().sum() > 1 and len(stray):
        names = words.listing(stray["service"])
        asked = f"Does {names} depend on {origin['service']} in a way that the map lacks, or was it trouble of its own?"
        yield "map", asked, "no known way leads there from the likely origin"


def _before(scene: Scene, found: Findings) -> Iterator[Asked]:
    if len(found.patterns):
        first = found.patterns.iloc[0]
        whole = first["match"] >= 1 or not len(first.get("next", ()))
        same = "What was agreed the last time, and what became of it?"
        yield "seen before", same if whole else _THE_SAME, sentences.seen(first)
    elif len(found.earlier):
        yield "seen before", _THE_SAME, sentences.earlier(scene, found.earlier.iloc[0])
