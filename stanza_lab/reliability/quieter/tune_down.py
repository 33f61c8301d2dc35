"""Which rules to delete, hold, group, debounce or page less for, tried on the history before anybody does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.rules._rule import microseconds
from stanza_lab.production import words
from stanza_lab.reliability.quieter import choosing, patching, record, routing, tables
from stanza_lab.reliability.quieter.result import TuneDown
from stanza_lab.reliability.quieter.trying import State
from stanza_lab.reliability.quieter.worth import judge

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap

_WEEK_S = 7 * 86_400.0


def tune_down(
    alerts: pd.DataFrame,
    *,
    pages: pd.DataFrame | None = None,
    production: ProductionMap | None = None,
    by: str = "rule",
    worth: Any = "auto",
    split: float | _params.Instant = 0.5,
    min_support: int = 5,
    max_later: _params.Duration = "5min",
    top: int = 200,
) -> TuneDown:
    """Find which rules can be quieter, and what would have been missed.

    For each loud rule every change is tried on the history: delete it; let it notify and not page; hold it back until
    it lasts longer; debounce it (what comes again soon is the same alert); group it with pages of the same service,
    name or team; page another team. What misses nothing on the earlier part is measured on the later part, alone,
    and together with others: of two rules that cover each other only one goes.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with incident_id (see `cluster_incidents`), found without knowing of any change. starts_at must
        be there; ends_at, rule_key, service, severity, acked_at, team, labels say more. Copies of alerts that are there
        too (pages of a pager) are left out.
    pages : DataFrame, optional
        Alerts of paging systems, or a history that holds them. Default: those among `alerts`. Without any, alerts of
        severity error or worse count as pages.
    production : ProductionMap, optional
        Tells who owns what and what depends on what, for pages that should go to another team. Without it no such
        change is proposed.
    by : {"rule", "monitor"}, default "rule"
        What is changed: each rule_key on its own, or all that one monitor or alerting rule says of whatever it watches
        (Datadog's monitor id, the alerting rule of Prometheus; for other tools the rule_key). "monitor" has more to
        learn from, and changes more at once.
    worth : str, DataFrame, Series or Corrections, default "auto"
        Which incidents were real. A table of alert_id and incident_id (`Corrections`, `read_labels`,
        `labels_from_pages`; null: none), or a Series by alert_id of True and False or of opsweekly tags. Or a word:
        "handled" (acknowledged, and it lasted 5 min more), "acknowledged", "severity" (critical), "incident" (alerts
        of two or more rules), "every" (somebody was paged), "auto": two or more rules, or handled (critical, where
        nobody's acknowledgement was recorded).
    split : float or time, default 0.5
        Where the later part begins: a share of the time, between 0 and 1, or a time (UTC where no zone is stated).
        Later: more to choose on, less to measure on. An incident belongs to the part in which it began.
    min_support : int, default 5
        Pages that a change must save on the earlier part to be proposed, and occasions on the later part for it to
        count as checked. Larger: fewer, surer changes.
    max_later : duration, default "5min"
        How much later than before somebody may be paged for a real incident; beyond that it counts as missed. Larger:
        more pages saved.
    top : int, default 200
        Rules looked at, the loudest on the earlier part first. Larger takes longer.

    Returns
    -------
    TuneDown
        `changes` (ranked), `missed` (which incidents), `combined` (running totals), `kept` (the only witnesses),
        `patches` (edits in the terms of each tool; never applied), `summary`, `known`, `unseen`.

    Raises
    ------
    SchemaError
        A column is missing or does not fit, or `worth` cannot be matched.
    ParameterError
        A parameter is outside its range, or one of the parts is empty.

    See Also
    --------
    backtest_grouping : What a grouping of all rules would have done.
    plot.tune_down : The same as a figure.

    Notes
    -----
    A real incident is missed when somebody was paged for it before and nobody is then, or later than `max_later`, or
    when none of its alerts is left. Of `missed` in so many occasions, `missed_high` is the exact binomial limit that is
    not exceeded with 95 % certainty: 0 of 12 means at most 22 %.

    A page is counted per alert that somebody was paged for. A rule that waits longer fires later, also in real
    incidents: that is what `later_s` counts. Alerts whose end is not known are taken to last. Grouped pages join a page
    of a rule that is not grouped itself. Where several changes of a rule save about as much, the gentlest is the
    best: debounce, group, hold, notify, delete; a rule that took part in no real incident is rather deleted than
    made to notify. The last rule that pages for a service is neither deleted nor made to notify, and no rule waits
    longer than `max_later`: it may be the only witness of what has not happened yet.

    Several changes and values are tried on the earlier part, which flatters what it promises; the later part does not
    take part in the choice.

    References
    ----------
    Murphy, Beyer, Jones, Petoff (eds.), The Site Reliability Workbook, O'Reilly 2018, chapter 5 (precision and recall
    of alerts).

    Examples
    --------
    A rule fires every night for two minutes, and nobody needs it; another sees a real incident each week:

    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> nights = pd.date_range("2026-03-01T02:00Z", periods=28, freq="D")
    >>> weeks = pd.date_range("2026-03-01T14:00Z", periods=4, freq="7D")
    >>> rows = [(at, at + pd.Timedelta("2min"), "backup-slow", -1) for at in nights]
    >>> rows += [(at, at + pd.Timedelta("1h"), name, k) for k, at in enumerate(weeks) for name in ("errors", "slow")]
    >>> alerts = pd.DataFrame(rows, columns=["starts_at", "ends_at", "rule_key", "incident_id"]).assign(service="shop")
    >>> tuned = sl.tune_down(alerts)
    >>> tuned.changes[["rule", "change", "value", "promised", "pages_saved", "missed"]].head(1)
              rule change value  promised  pages_saved  missed
    0  backup-slow   hold  5min        14           14       0
    >>> print(tuned.combined["words"].iloc[-1])
    The first change: 14 of 18 pages fewer (78%); 0 of 2 real incidents missed (at most 78 %, with 95 % certainty).
    """
    least, most = _params.at_least(min_support, "min_support", 1), _params.at_least(top, "top", 1)
    limit_s = int(_params.duration(max_later, "max_later", zero=True).total_seconds())
    _params.choice(by, "by", record.BY)
    rows, known = record.read(alerts, pages)
    history, cautions, known = _history(rows, worth, split, known | {"by": by})
    state = State(history, max_later=limit_s)
    choice = choosing.choose(history, state, min_support=least, top=most)
    steps = choosing.combine(history, choice, max_later=limit_s, min_support=least)
    found = routing.routes(history, production, min_support=least)
    weeks = (known["last"] - known["split"]).total_seconds() / _WEEK_S
    changes = tables.changes(history, state, choice, found, weeks=weeks, min_support=least)
    combined = tables.combined(history, steps, changes)
    fine = combined["proposed"] & (combined["verdict"] != "leave") & ~tables.idle(combined, changes)
    good = combined[fine]
    edits = patching.patches(changes, zip(good["rule_key"], good["change"], good["value"], strict=True), history)
    taken = [step.option for step, one in zip(steps, fine, strict=True) if one]
    saved, missed = choosing.only(history, taken, max_later=limit_s)
    known |= {"edits": len(good), "edits_saved": saved, "edits_missed": missed}
    known |= {"edits_idle": tables.hoped(combined, changes)}
    known |= {"weeks": weeks, "max_later_s": float(limit_s), "min_support": least}
    return TuneDown(
        changes,
        tables.missed(history, choice),
        combined,
        tables.kept(history, choice),
        edits,
        known,
        (*cautions, *_unseen(history, choice, known, mapped=production is not None)),
    )


def _history(
    rows: pd.DataFrame, worth: object, split: float | _params.Instant, known: dict[str, Any]
) -> tuple[record.Record, tuple[str, ...], dict[str, Any]]:
    """Return the history as arrays, what to say of `worth`, and what is known."""
    codes, series, rules = record.rules_of(rows, by=known["by"])
    judged = judge(rows, codes, worth, answers=known["answers"])
    start, page = record.times(rows["starts_at"]), record.times(rows["page_at"])
    first, last = rows["starts_at"].iloc[0], rows["starts_at"].iloc[-1]
    at = _split(split, first, last)
    began = np.full(len(judged.real), record.NEVER, dtype=np.int64)
    np.minimum.at(began, judged.unit, start)
    earlier = began < microseconds(pd.Series([at]))[0]
    if earlier.all() or not earlier.any():
        raise ParameterError(f"split={split!r}: one part is empty; pass a share such as 0.5 or a time amid them")
    history = record.Record(
        alerts=rows,
        rules=rules,
        rule=codes,
        series=series,
        unit=judged.unit,
        start=start,
        end=record.times(rows["ends_at"]),
        page=page,
        keys=record.key_codes(rows),
        real=judged.real,
        why=judged.why,
        earlier=earlier,
    )
    paged = page < record.NEVER
    early = earlier[judged.unit]
    known = known | {
        "worth": judged.definition,
        "tz": "UTC",
        "first": first,
        "split": at,
        "last": last,
        "alerts": len(rows),
        "pages_before": int((paged & early).sum()),
        "pages": int((paged & ~early).sum()),
        "real": int((judged.real & ~earlier).sum()),
    }
    return history, judged.cautions, known


def _split(split: float | _params.Instant, first: pd.Timestamp, last: pd.Timestamp) -> pd.Timestamp:
    if isinstance(split, (int, float)):
        share = _params.fraction(split, "split")
        return (first + (last - first) * share).floor("us")
    return _params.instant(split, "split").as_unit(schema.TIME_DTYPE.unit)


def _unseen(history: record.Record, choice: choosing.Choice, known: dict[str, Any], *, mapped: bool) -> list[str]:
    """Say what could not be seen or tried."""
    said = []
    if known["copies"]:
        said.append(f"{words.count(known['copies'], 'alert')} left out: pages that copy alerts that are there too.")
    if known["timeless"]:
        said.append(f"{words.count(known['timeless'], 'alert')} left out: no start is known.")
    if choice.quiet:
        said.append(f"Not looked at: {words.count(choice.quiet, 'rule')} that paged nobody on the earlier part.")
    if choice.refused:
        few = words.count(choice.refused, "rule")
        said.append(f"{few} paged fewer than {known['min_support']:,} times on the earlier part: too few to choose on.")
    if choice.unheard:
        said.append(f"{words.count(choice.unheard, 'rule')} not looked at, quieter than the first; raise top=.")
    endless = int((history.end == record.NEVER).sum())
    if endless:
        said.append(f"{words.count(endless, 'alert')} without a known end: taken to last, so holding back spares none.")
    said.append(
        "Values that were measured are not in the history: a raised threshold could not be tried, only a longer wait."
    )
    said.append("Pages repeated while an alert stays open are not counted.")
    if not mapped:
        said.append("Without production= nobody can tell which pages belong to another team.")
    return said
