"""The pager load in sentences: every figure with its definition, time zone, how many it is of and what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.production import hours, words
from stanza_lab.reliability.load import flapping, response, rules, shifts, storms

if TYPE_CHECKING:
    from stanza_lab.reliability.load.measuring import Settings

_LOUD = 5  # rules whose share is said


@dataclass(frozen=True)
class Seen:
    """What the tables do not say of themselves."""

    untimed: int
    by_pager: bool
    called_by: str
    automatic: pd.Series
    automatic_by: str
    unmatched: int
    elsewhere: int
    quiet: tuple[int, int, float]  # days without an alert, of so many; the longest time between two, in seconds
    settings: Settings


def said(tables: Mapping[str, pd.DataFrame], known: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    """Return words, unseen and definitions."""
    parts = (_load, _interruptions, _response, _automatic, _rules, _storms, _duplicates, _stages, _actions)
    sentences = [words.sentence(text) for part in parts for text in part(tables, known, seen)]
    return {
        "words": tuple(sentences),
        "unseen": tuple(words.sentence(text) for text in _unseen(tables, seen)),
        "definitions": _definitions(known, seen),
    }


def _load(tables: Mapping[str, pd.DataFrame], known: Mapping[str, Any], seen: Seen) -> Iterator[str]:
    if not known["pages"]:
        yield f"no page is known among {words.count(known['alerts'], 'alert')}"
        return
    days = (known["last"] - known["first"]).total_seconds()
    table, teams = tables["shifts"], tables["teams"]
    incidents = words.count(int(teams["incidents"].sum()), "incident")
    yield (
        f"{words.count(known['pages'], 'page')} of {incidents} (counted once for each team) for "
        f"{words.count(len(teams), 'team')} in {words.span(days)}; {known['page']}"
    )
    whole = table[table["whole"]]
    if len(whole):
        limit, over = whole["limit"].iloc[0], int(whole["over"].sum())
        length = words.span(seen.settings.shift.total_seconds())
        yield (
            f"{whole['incidents'].mean():.2f} incidents that paged per shift of {length} on average, "
            f"median {whole['incidents'].median():g}, p90 {whole['incidents'].quantile(0.9):g}, over "
            f"{words.count(len(whole), 'whole shift')} ({len(table) - len(whole):,} cut by the ends of the history are "
            f"excluded); {over:,} had more than {limit:g}"
        )
    worst = teams.iloc[0]
    if len(teams) > 1 and pd.notna(worst["per_shift"]):
        yield (
            f"most interrupted is {worst['team']}: {words.count(int(worst['interruptions']), 'interruption')}, "
            f"{worst['per_shift']:.2f} incidents per shift"
        )


def _interruptions(tables: Mapping[str, pd.DataFrame], known: Mapping[str, Any], seen: Seen) -> Iterator[str]:
    table = tables["interruptions"]
    if table.empty:
        return
    n = table["kind"].value_counts()
    of = len(table)
    shares = [f"{_share(n[kind] / of)} {name}" for kind, name in zip(hours.KINDS, _HOURS, strict=True)]
    who = words.count(len(tables["people"]), "person").replace("persons", "people") if seen.called_by else "rotations"
    nights = table.dropna(subset=["night"]).drop_duplicates(["who", "night"])
    yield (
        f"{words.count(of, 'interruption')} of {who} ({_window(seen)}): {', '.join(shares)}, by the clock of "
        f"{_zone(known)}; {words.count(len(nights), 'night')} broken"
    )


def _response(tables: Mapping[str, pd.DataFrame], _known: Mapping[str, Any], _seen: Seen) -> Iterator[str]:
    table = tables["response"]
    for row in table[table["team"].isna()].to_dict("records"):
        if not row["n"]:
            continue
        yield (
            f"{row['measure']} ({row['definition']}): mean {words.span(row['mean_s'])}, median "
            f"{words.span(row['median_s'])}, p90 {words.span(row['p90_s'])}, n {row['n']:,}, "
            f"{row['n_open']:,} open; {row['words']}"
        )


def _automatic(_tables: Mapping[str, pd.DataFrame], _known: Mapping[str, Any], seen: Seen) -> Iterator[str]:
    judged = seen.automatic.dropna()
    if len(judged):
        yield (
            f"{_share(float(judged.mean()))} of {words.count(len(judged), 'resolved page')} resolved by themselves "
            f"({seen.automatic_by}): a sign of noise, no proof"
        )


def _rules(tables: Mapping[str, pd.DataFrame], _known: Mapping[str, Any], _seen: Seen) -> Iterator[str]:
    table = tables["rules"]
    total = int(table["count"].sum())
    if not total:
        return
    top = table.head(_LOUD)
    yield (
        f"the {words.count(len(top), 'noisiest rule')} of {len(table):,} raised "
        f"{_share(top['count'].sum() / total)} of {words.count(total, 'alert')} (copies by a pager not counted)"
    )
    chronic, flaps = int(table["chronic"].sum()), int(table["flapping"].sum())
    recovered = table["recovered"].sum()
    again = (table["refired"] * table["recovered"]).sum() / recovered if recovered else float("nan")
    said = [f"{words.count(chronic, 'rule')} chronic", f"{flaps:,} flapping"]
    if recovered:
        said.append(f"after {_share(again)} of {recovered:,} recoveries the same rule fired again within 24 h")
    ignored = table[(table["pages"] > 0) & (table["never_acknowledged"] == 1)]
    if table["never_acknowledged"].notna().any():
        said.append(f"nobody ever took a page of {words.count(len(ignored), 'rule')}")
    yield "; ".join(said)


def _storms(tables: Mapping[str, pd.DataFrame], _known: Mapping[str, Any], seen: Seen) -> Iterator[str]:
    table, total = tables["storms"], int(tables["rules"]["count"].sum())
    if not total:
        return
    width = words.span(seen.settings.storm_bin.total_seconds())
    said = f"{words.count(len(table), 'alert storm')} (bins of {width}, UTC)"
    if len(table):
        worst = table.iloc[int(table["alerts"].argmax())]
        share = table["alerts"].sum() / total
        said += f" with {_share(share)} of all alerts; the largest on {worst['starts_at']:%Y-%m-%d %H:%M} UTC"
        said += f": {worst['alerts']:,} alerts"
    yield said


def _duplicates(tables: Mapping[str, pd.DataFrame], _known: Mapping[str, Any], _seen: Seen) -> Iterator[str]:
    for text in tables["duplicates"]["words"].head(3):
        yield str(text).removesuffix(".")


def _stages(tables: Mapping[str, pd.DataFrame], _known: Mapping[str, Any], _seen: Seen) -> Iterator[str]:
    known = tables["stages"].dropna(subset=["compression"])
    parts = [
        f"{row['stage']} {row['n_in']:,} to {row['n_out']:,} ({_share(row['compression'])})" for row in _records(known)
    ]
    if parts:
        yield f"compression (1 - out / in; it says nothing about what was missed): {', '.join(parts)}"


def _actions(tables: Mapping[str, pd.DataFrame], _known: Mapping[str, Any], _seen: Seen) -> Iterator[str]:
    for row in _records(tables["actions"].head(1)):
        judged = row["action"] + row["no_action"]
        share = f"{_share(row['actionable'])} actionable" if judged else "none can be judged"
        yield (
            f"{share}: of {words.count(row['alerts'], 'alert')} {judged:,} are tagged (coverage "
            f"{_share(row['coverage'])}), {row['excluded']:,} tagged na and {row['untagged']:,} untagged are excluded"
        )
        if row["n_slept"]:
            yield f"mean time to sleep: {words.span(row['mtts_s'])}, n {row['n_slept']:,}"


def _unseen(tables: Mapping[str, pd.DataFrame], seen: Seen) -> Iterator[str]:
    if seen.untimed:
        yield f"{words.count(seen.untimed, 'alert')} without a time: in no figure"
    if not seen.by_pager:
        yield "no pager was exported: what counts as a page is a rule, not what rang"
    if not seen.called_by:
        yield (
            "nobody is told: load is that of rotations, not of people; it needs what they did "
            "(in Python: pager_load(engagements=))"
        )
    elif "notifications" not in seen.called_by:
        yield f"notifications are not in the records: interruptions are {seen.called_by}, one each"
    quiet, days, longest = seen.quiet
    if quiet:
        yield (
            f"no alert at all on {quiet:,} of {words.count(days, 'day')} (UTC), for up to {words.span(longest)}: taken "
            "as quiet, with quiet shifts; a gap in the export would look the same"
        )
    if seen.elsewhere:
        yield f"{words.count(seen.elsewhere, 'thing')} that people did left out: about pages that are not among these"
    if seen.unmatched:
        yield (
            f"{seen.unmatched:,} things that people did are about pages that are not here: they count as "
            "interruptions, not in response"
        )
    if tables["actions"].empty:
        yield (
            "nobody tagged alerts: how many there was something to do about is not known; it needs their tags "
            "(in Python: pager_load(tags=))"
        )
    team = tables["teams"]
    if (team["team"] == shifts.NOT_KNOWN).any():
        n = int(team.loc[team["team"] == shifts.NOT_KNOWN, "pages"].sum())
        yield f"{words.count(n, 'page')} of no team that is known"
    who = {*tables["interruptions"]["who"], *tables["shifts"]["rotation"], *team["team"]}
    lost = sorted(str(name) for name in seen.settings.zones if name is not None and name not in who)
    if lost:
        yield f"no page of {words.listing(lost)}: the time zones given for them are not used"
    yield (
        "schedules, tickets and the time that work took are not in alerts: the table of limits says what cannot be "
        "judged"
    )


def _definitions(known: Mapping[str, Any], seen: Seen) -> dict[str, str]:
    chosen = response.CHOICES if known["definition"] == "all" else (known["definition"],)
    length = words.span(seen.settings.shift.total_seconds())
    return {
        "page": known["page"],
        "incident that paged": "incidents of which a page rang in the shift; a page of no incident known is its own",
        "shift": f"{length} from {_clock(seen.settings.handover)} by the clock of {_zone(known)}, quiet ones too",
        "limit": f"{shifts.LIMIT} incidents that page per 12 h shift (SRE book), in proportion for other lengths",
        "interruption": f"{seen.called_by or 'pages of a rotation'}, {_window(seen)}",
        "hours": f"{hours.DEFINITION}, by the clock of {_zone(known)}",
        **{f"response, {name}": response.DEFINITIONS[name] for name in chosen},
        "auto_resolved": seen.automatic_by,
        "chronic": f"fires on {rules.CHRONIC:.0%} of the days (UTC) and on {rules.CHRONIC_LEAST} at least",
        "flapping": (
            f"{flapping.CHANGES} changes of state in {words.span(flapping.SPAN.total_seconds())}; where checks are "
            f"known Nagios' weighted share of changes among the last {flapping.STATES}: starts at {flapping.HIGH:g} %, "
            f"stops below {flapping.LOW:g} %"
        ),
        "refired": "recoveries that the same rule followed within 24 h / recoveries",
        "storm": (
            f"bins of {words.span(seen.settings.storm_bin.total_seconds())} (UTC) with a modified z above {storms.Z:g} "
            f"and {storms.LEAST} alerts or more, neighbours as one"
        ),
        "duplicate": (
            "a tool passes on another's alert, or tells the same symptom of the same service within "
            f"{words.span(seen.settings.delay.total_seconds())}"
        ),
        "compression": "1 - out / in",
        "actionable": "A / (A + N) over tagged alerts; na and untagged excluded (Etsy opsweekly)",
    }


_HOURS = ("business hours", "off hours", "sleep hours")


def _share(value: float) -> str:
    """Return a share, never rounded to all or nothing."""
    return ">99%" if 0.995 <= value < 1 else "<1%" if 0 < value < 0.005 else f"{value:.0%}"


def _window(seen: Seen) -> str:
    window = seen.settings.dedupe.total_seconds()
    return f"what rings within {words.span(window)} counts once" if window else "each counts"


def _zone(known: Mapping[str, Any]) -> str:
    return known["tz"] if isinstance(known["tz"], str) else "each team's or person's own zone (others UTC)"


def _clock(handover: pd.Timedelta) -> str:
    minutes = int(handover.total_seconds()) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")
