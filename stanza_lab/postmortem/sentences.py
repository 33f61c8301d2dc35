"""A review in sentences: what happened, how sure that is, and what could not be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.postmortem.origins import possible
from stanza_lab.postmortem.recovery import course, severe
from stanza_lab.production import words
from stanza_lab.production.spread.origin_words import LIKELY

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from stanza_lab.postmortem.questions import Findings
    from stanza_lab.postmortem.scene import Scene


ALIKE = 0.5  # similarity from which more agrees than differs, share of a pattern from which it is named


def summary(scene: Scene, found: Findings) -> tuple[str, ...]:
    """Return the incident in sentences."""
    said = [_size(scene), _where(found), *_changed(scene, found), *_spread(found), *_people(scene, found)]
    said += _clock(scene, found)
    if len(found.patterns):
        said.append(seen(found.patterns.iloc[0]))
    elif len(found.earlier):
        said.append(f"most alike before: {earlier(scene, found.earlier.iloc[0])}")
    return tuple(words.sentence(text.rstrip(".")) for text in said)


def unseen(scene: Scene, found: Findings, *, events: bool, kinds: AbstractSet[str], patterns: bool) -> tuple[str, ...]:
    """Return what could not be seen."""
    mine = scene.mine
    said = ["when the trouble itself began: only when something alerted"]
    if not scene.mapped:
        said.append("what depends on what: no map was given, so neither a way it went nor silent services are known")
    elif scene.production.whole._model is None:
        said.append("the map as it was before the incident: it came without its model, so later alerts speak in it too")
    alerts = scene.production.whole.services.set_index("service")["alerts"]
    silent = [str(name) for name in scene.near if alerts.get(name, 0) == 0]
    if silent:
        never = "never alerts" if len(silent) == 1 else "never alert"
        said.append(f"what happened at {words.listing(sorted(silent))}, near it on the map: {never}")
    if not events:
        said.append("releases, and what people noted: no records of them were given")
    else:
        if found.changes.empty:
            said.append(
                f"any release near it in the {words.span(scene.before.total_seconds())} before: none is recorded"
            )
        if not kinds & {"action", "note"}:
            said.append("what people did: nobody noted anything in what was exported")
    if "chat" not in kinds:
        said.append("what was said in chat: the history holds the alerts of chat rooms, not what people wrote")
    if not scene.by_pager:
        said.append(f"who was paged: {scene.page}")
    elif len(scene.pages) and not scene.pages["sure"].all():
        loose = int((~scene.pages["sure"].astype(bool)).sum())
        said.append(f"what raised {words.count(loose, 'page')}: they fit by service and time alone")
    open_ended = int((~mine["source"].astype("str").fillna("").isin(scene.reporting)).sum())
    if open_ended:
        said.append(f"when {words.count(open_ended, 'alert')} ended: their source never reports it")
    nameless = int(mine["service"].isna().sum())
    if nameless:
        said.append(f"where {words.count(nameless, 'alert')} belong: they name no service")
    if not patterns:
        said.append("whether it is a known pattern: no patterns were looked for")
    said.append(
        "what it cost: nothing here counts failed requests; where services have objectives, "
        "'stanza-lab reliability' does (in Python measure_objectives)"
    )
    said.append("which of the alerts belong together is inferred: others may belong to it, and some of these may not")
    return tuple(words.sentence(text) for text in said)


def seen(pattern: Any) -> str:
    """Return of a pattern how often it was seen before, and when last."""
    times = "once" if pattern["times"] == 1 else words.count(int(pattern["times"]), "time")
    whole = "" if pattern["match"] >= 1 else f"; {pattern['match']:.0%} of it is here"
    return f"seen before: {times}, last on {pattern['last']:%Y-%m-%d} ({pattern['name']}{whole})"


def earlier(scene: Scene, row: Any) -> str:
    """Return which incident that was, how long ago and how alike."""
    ago = words.span((scene.begin - row["starts_at"]).total_seconds())
    return f"incident {row['incident_id']}, {ago} earlier (similarity {row['similarity']:.2f})"


def agreement(row: Any) -> str:
    """Return which kinds of alerts a look-alike shares with the incident, and which it does not."""
    shared, here, there = len(row["shared"]), list(row["new"]), list(row["missing"])
    said = [f"{shared} of {words.count(shared + len(here), 'kind')}"]
    said += [f"only here: {words.listing(here)}"] if here else []
    said += [f"only there: {words.listing(there)}"] if there else []
    return "; ".join(said)


def nearest(changes: pd.DataFrame) -> pd.DataFrame:
    """Return changes, those of the incident's own services first, of equals the last first."""
    return changes.sort_values(["hops", "at"], ascending=[True, False], na_position="last", kind="stable")


def _size(scene: Scene) -> str:
    spread = words.span((scene.last - scene.begin).total_seconds())
    teams = {scene.teams[name] for name in scene.services if name in scene.teams}
    of = f" of {words.count(len(scene.services), 'service')}" if scene.services else ""
    whose = f" ({words.count(len(teams), 'team')})" if teams else ""
    return f"{words.count(len(scene.mine), 'alert')}{of}{whose}, all began within {spread}"


def _where(found: Findings) -> str:
    likely = possible(found.origins)
    if likely.empty:
        told = found.origins.attrs.get("words") or ["no service reaches a probability of 0.2"]
        return f"where it began is not known: {str(told[0]).rstrip('.')}"
    first = likely.iloc[0]
    team = f" of {first['team']}" if pd.notna(first["team"]) else ""
    silent = ", which itself raised no alert" if first["silent"] else ""
    head = "it probably began at" if first["probability"] >= LIKELY else "where it began is not sure; the likeliest is"
    others = [
        f"{row['service']} ({words.probability(row['probability'])})" for row in likely.iloc[1:3].to_dict("records")
    ]
    rest = f"; next: {', '.join(others)}" if others else ""
    sure = words.probability(first["probability"])
    return f"{head} {first['service']}{team} ({sure}){silent}{rest}; where to look first, not a finding"


def _changed(scene: Scene, found: Findings) -> list[str]:
    before = nearest(found.changes[found.changes["at"] <= scene.begin])
    if before.empty:
        return []
    told = [
        f"{row['service'] if pd.notna(row['service']) else 'a service that is not named'} "
        f"({words.span((scene.begin - row['at']).total_seconds())} before)"
        for row in before.to_dict("records")
    ]
    changes = words.count(len(before), "change")
    return [f"{changes} shortly before the first alert: {words.listing(told)}; whether that is why is not known"]


def _spread(found: Findings) -> list[str]:
    reached = found.spread[(found.spread["state"] == "alerted") & found.spread["hops"].notna()]
    alerted = int((found.spread["state"] == "alerted").sum())
    silent = found.spread.loc[found.spread["state"] == "expected", "service"]
    said = []
    if len(reached):
        deepest = int(reached["hops"].max())
        reach = f"known ways lead from there to {len(reached):,} of {words.count(alerted, 'other service')}"
        said.append(f"{reach}, at most {words.count(deepest, 'link')} away")
    if len(silent):
        said.append(f"likely hit, but silent: {words.listing(silent)}")
    return said


def _people(scene: Scene, found: Findings) -> list[str]:
    if not scene.by_pager:
        return []
    teams = found.paged[found.paged["pages"] > 0]
    if scene.pages.empty:
        return ["nobody was paged, as far as this history tells"]
    named = [str(team) for team in teams["team"].dropna()]
    said = [f"{words.count(len(scene.pages), 'page')}" + (f" for {words.listing(named, top=5)}" if named else "")]
    missing = found.paged.loc[found.paged["verdict"] == "missing", "team"]
    if len(missing):
        said.append(f"not paged, though the origin is probably theirs: {words.listing(missing)}")
    return said


def _clock(scene: Scene, found: Findings) -> list[str]:
    """Return the times in sentences; what is not known is said so, and why stands in the table."""
    rows: dict[Any, Any] = found.times.set_index("what").to_dict("index")
    pager = scene.by_pager
    parts = []
    for what, said in (
        ("first page", "first page {} after the first alert" if pager else "first alert that would page after {}"),
        ("acknowledged", "acknowledged {} after that"),
    ):
        seconds = rows[what]["seconds"]
        if pager and pd.isna(rows["first page"]["seconds"]):
            continue  # nobody was paged: that is said
        if what == "first page" and not pager and seconds == 0:
            continue  # the first alert is the one that would page
        parts.append(f"{what}: not known" if pd.isna(seconds) else said.format(words.span(seconds)))
    return [*([", ".join(parts)] if parts else []), _recovered(scene)]


def _recovered(scene: Scene) -> str:
    """Return how alerts recovered, those first of which it is known, and when nothing severe was on."""
    took, worst = course(scene, scene.mine), course(scene, severe(scene))
    if took is None or worst is None:
        known = [] if took is None else [took.words()]
        known += [] if worst is None else [f"nothing severe on after {words.span(worst.rest)}"]
        lost = [name for name, one in (("mitigated", worst), ("recovered", took)) if one is None]
        return "; ".join([*known, f"{' and '.join(lost)}: not known"])
    but = " apart from what lingered" if worst.lingered else ""
    return f"{took.words()}; nothing severe on after {words.span(worst.rest)}{but}"
