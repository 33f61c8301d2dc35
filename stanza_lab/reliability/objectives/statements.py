"""Ship, slow down or freeze: what the error budget of a service says about the next release."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from stanza_lab.production import words
from stanza_lab.reliability.objectives.budget import NOISE

FREEZE, SLOW = 1.0, 0.75  # share of the error budget spent from which on
POLICY = (
    f"freeze: all of the error budget is spent, or a page rule fires now; slow down: {SLOW:.0%} of it is spent, a "
    "ticket rule fires now, or at the last day's rate the rest is gone within a tenth of the window; else ship"
)
SOON = 0.1  # of the window
_WHOLE = 0.999  # of the window: less was not counted from its beginning
ASSUMED = "nobody promised"  # the verdict where the objective is not a promise
_ORDER = ("freeze", "slow down", "ship", ASSUMED, "cannot judge")


def statement(
    service: str, rows: list[dict[str, Any]], firing: list[tuple[str, str, float]], *, assumed: bool = False
) -> dict[str, Any]:
    """Return the statement on one service.

    `rows` are its rows of `Reliability.objectives`, with `easy`: how likely less than `SLOW` of the budget is spent at
    the rate of failures behind it; `firing` are the rules that fire now: objective, rule, burn rate. Where the
    objective is `assumed`, nobody promised it, and nothing follows from it.
    """
    judged = [row for row in rows if row["judged"]]
    if not judged:
        why = [str(row["words"]).removeprefix(f"{service}, ") for row in rows]
        return _made(service, "cannot judge", math.nan, why, "; ".join(why[:2]) or "nothing was counted")
    if assumed:
        return _told(service, judged[0])
    proxy = judged[0]["unit"] == "second"  # alert time: that a rule fires is not that users failed
    freeze, slow, fine = [], [], []
    for row in judged:
        used, name = row["spent"], row["name"]
        if used > FREEZE * (1 + NOISE):
            freeze.append((f"{name}: the error budget is overspent, {used:.0%} of it", 1.0 - row["kept"]))
        elif used >= FREEZE * (1 - NOISE):
            freeze.append((f"{name}: all of the error budget is spent", 1.0 - row["kept"]))
        elif used >= SLOW:
            slow.append((f"{name}: {used:.0%} of the error budget is spent", 1.0 - row["easy"]))
        else:
            fine.append((f"{name}: {row['left']:.0%} of the error budget is left", row["easy"]))
        if used < FREEZE and pd.notna(row["exhausted_at"]):
            lasts = (row["exhausted_at"] - row["at"]).total_seconds()
            if lasts <= SOON * row["window_s"]:
                slow.append((f"{name}: at the rate of the last day the rest is gone in {words.span(lasts)}", math.nan))
    for name, rule, rate in firing:
        sign = (f"{name}: {rule} fires now, burn rate {rate:.1f}", math.nan if proxy else 1.0)
        (freeze if rule.startswith("page") else slow).append(sign)
    known_s = max((row["at"] - row["since"]).total_seconds() for row in judged)
    short = known_s < _WHOLE * max(row["window_s"] for row in judged)
    if proxy and short:  # time under alerts, and little of it, is no ground to stop releases
        freeze, slow = [], [*freeze, *slow]
    verdict, grounds = next((v, g) for v, g in (("freeze", freeze), ("slow down", slow), ("ship", fine)) if g)
    known = [one for _, one in grounds if not math.isnan(one)]
    sure = math.nan if not known else min(known) if verdict == "ship" else max(known)
    reasons = [said for said, _ in grounds]
    missing = [row["name"] for row in rows if not row["judged"]]
    if missing:
        reasons.append(f"not judged: {words.listing(missing)}")
    most = max(judged, key=lambda row: row["total"])
    how = "" if math.isnan(sure) else f"how sure: {words.probability(sure)}, "
    how += f"from {words.span(most['total'])}" if proxy else f"from {most['total']:,.0f} {most['unit']}s"
    if short:
        how += f"; known for {words.span(known_s)} of {words.span(max(row['window_s'] for row in judged))} only"
        how += ", too short for a freeze by alert time" if proxy and verdict == "slow down" else ""
    return _made(service, verdict, sure, reasons, f"{'; '.join(reasons[:3])} ({how})")


def _told(service: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return how long a service was under alerts; nothing follows from an objective that nobody promised."""
    known_s = (row["at"] - row["since"]).total_seconds()
    under = f"under alerts {words.span(row['bad'])} of {words.span(known_s)}"
    allowed = words.span((1 - row["objective"] / 100) * row["window_s"])
    window = words.span(row["window_s"])
    said = f"nobody promised anything: {row['objective']:g} % over {window} is assumed and would allow {allowed}"
    if known_s < _WHOLE * row["window_s"]:
        said += f"; no more than {words.span(known_s)} is known"
    text = f"{service}: {under}. {words.sentence(said)}"
    made = {"service": service, "verdict": ASSUMED, "sure": math.nan, "reasons": [under, said], "words": text}
    return made | {"under_s": row["bad"]}


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return statements, the most urgent first; of equal ones those longest under alerts, then by name."""
    return sorted(rows, key=lambda row: (_ORDER.index(row["verdict"]), -row.get("under_s", 0.0), row["service"]))


def _made(service: str, verdict: str, sure: float, reasons: list[str], said: str) -> dict[str, Any]:
    text = {
        "ship": "go on shipping",
        "slow down": "slow down",
        "freeze": "freeze releases",
        "cannot judge": "cannot be judged",
    }
    return {
        "service": service,
        "verdict": verdict,
        "sure": sure,
        "reasons": reasons,
        "words": f"{service}: {text[verdict]}. {words.sentence(said)}",
    }
