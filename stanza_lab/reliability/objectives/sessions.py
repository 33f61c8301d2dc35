"""Sessions of users as an indicator: the share of sessions without a failed step."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.production import words
from stanza_lab.reliability.objectives import tables
from stanza_lab.schema import Column, Table, check

STEPS = Table(
    "steps",
    (
        Column("session", "str", "one visit of one user; a pseudonym"),
        Column("step", "str", "what was to be done: search, add to cart, pay"),
        Column("at", "time", "when the step ended"),
        Column("ok", "bool", "whether it worked"),
    ),
)
RETRIES = ("fail", "forgive")


def session_indicators(
    steps: pd.DataFrame,
    *,
    service: str,
    every: _params.Duration = "1h",
    idle: _params.Duration = "30min",
    retries: str = "fail",
    indicator: str = tables.SESSIONS,
) -> pd.DataFrame:
    """Count sessions of a front end and those without a failed step.

    Parameters
    ----------
    steps : DataFrame
        A row per step: session, step, at, ok. Or a row per session: session, at (its end), steps and failed (how many).
    service : str
        The front end.
    every : duration, default "1h"
        Length of the intervals; larger has more sessions in each.
    idle : duration, default "30min"
        A pause of so long ends a session: the same user then begins another. Sessions whose last step is nearer to the
        end of the table may still go on; they are left out and counted.
    retries : {"fail", "forgive"}, default "fail"
        Whether a session with a failed step that worked later is bad ("fail") or good.
    indicator : str, default "sessions"
        What to call it.

    Returns
    -------
    DataFrame
        Indicators as `read_indicators` returns them: good and total sessions per interval; a session counts where its
        last step lies. Intervals without a session have 0 of 0. ``attrs["definition"]``, ``attrs["unseen"]``.

    Raises
    ------
    SchemaError
        A column is missing or malformed, or a session has more failed steps than steps.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> steps = pd.DataFrame({
    ...     "session": ["a", "a", "b", "b", "c"], "step": ["cart", "pay", "cart", "cart", "cart"],
    ...     "at": pd.to_datetime(["2026-03-01T10:01Z", "2026-03-01T10:02Z", "2026-03-01T10:05Z", "2026-03-01T10:06Z",
    ...                           "2026-03-01T11:50Z"]),
    ...     "ok": [True, True, False, True, True]})
    >>> counted = sl.session_indicators(steps, service="shop-web")
    >>> counted[["good", "total"]].to_numpy().tolist()
    [[1.0, 2.0], [0.0, 0.0]]
    >>> counted.attrs["unseen"]
    ['1 session may still go on and is left out']
    """
    step, pause = _params.duration(every, "every"), _params.duration(idle, "idle")
    _params.choice(retries, "retries", RETRIES)
    whole = (
        _counted(steps)
        if "steps" in steps.columns and "step" not in steps.columns
        else _gathered(steps, pause, retries)
    )
    unseen = []
    if len(whole):
        going = whole["at"] > whole["at"].max() - pause if "step" in steps.columns else whole["at"].isna()
        if going.any():
            n = int(going.sum())
            unseen.append(f"{words.count(n, 'session')} may still go on and {'is' if n == 1 else 'are'} left out")
        last = whole["at"].max()
        whole = whole[~going]
    if whole.empty:
        made = tables.build({"at": []})
    else:
        slots = pd.date_range(whole["at"].min().floor(step), last.ceil(step), freq=step).as_unit("us")
        place = np.searchsorted(slots.asi8, tables.micros(whole["at"]), side="left") - 1
        place = np.maximum(place, 0)
        size = max(1, len(slots) - 1)
        ends = slots[1:] if len(slots) > 1 else slots + step
        good = np.bincount(place, weights=whole["good"].astype("float64"), minlength=size)
        made = tables.build(
            {
                "service": service,
                "indicator": indicator,
                "at": ends,
                "covers_s": step.total_seconds(),
                "good": good,
                "total": np.bincount(place, minlength=size).astype("float64"),
            }
        )
    forgiven = "a failed step that worked later counts as good" if retries == "forgive" else "retries do not repair it"
    made.attrs = {
        "definition": f"share of sessions without a failed step ({forgiven}); a pause of "
        f"{words.span(pause.total_seconds())} ends a session; n = {len(whole):,}; UTC",
        "unseen": unseen,
    }
    return made


def _gathered(steps: pd.DataFrame, pause: pd.Timedelta, retries: str) -> pd.DataFrame:
    """Return when each session ended and whether it was good, from its steps."""
    known = check(steps, STEPS)
    if known[["session", "step", "at"]].isna().any(axis=None):
        raise SchemaError("steps: session, step or at is null somewhere; drop these rows, or say what they are")
    known = known.sort_values(["session", "at"], kind="stable", ignore_index=True)
    first = (known["session"] != known["session"].shift()) | (known["at"].diff() > pause)
    visit = first.cumsum().rename("visit")
    ended = known.groupby(visit)["at"].max()
    if retries == "forgive":
        good = known.groupby([visit, known["step"]])["ok"].last().groupby("visit").all()
    else:
        good = known.groupby(visit)["ok"].all()
    return pd.DataFrame({"at": ended, "good": good}).sort_values("at", ignore_index=True)


def _counted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return when each session ended and whether it was good, from counts per session."""
    counts = Table(
        "sessions",
        (
            STEPS["session"],
            Column("at", "time", "when it ended"),
            Column("steps", "int64", "how many steps it had"),
            Column("failed", "int64", "how many of them failed"),
        ),
    )
    known = check(rows, counts)
    if known["at"].isna().any() or not known["failed"].between(0, known["steps"]).all():
        raise SchemaError("sessions: each needs a time, and from 0 to `steps` failed steps")
    return pd.DataFrame({"at": known["at"], "good": known["failed"] == 0}).sort_values("at", ignore_index=True)
