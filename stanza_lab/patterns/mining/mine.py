"""`mine_patterns`: what recurs in a history of incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stanza_lab import _params, schema
from stanza_lab.patterns.found import Patterns
from stanza_lab.patterns.kinds import BY
from stanza_lab.patterns.mining import alike
from stanza_lab.patterns.mining.describing import describe
from stanza_lab.patterns.mining.endings import endings
from stanza_lab.patterns.mining.families import with_families
from stanza_lab.patterns.mining.members import CORE, MATCH
from stanza_lab.patterns.mining.search import compared, search
from stanza_lab.patterns.mining.sequences import Sequences
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.patterns.mining.chance import Odds


def mine_patterns(
    alerts: pd.DataFrame,
    *,
    pages: pd.DataFrame | None = None,
    by: str = "symptom",
    min_support: int = 3,
    max_fdr: float = 0.05,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> Patterns:
    """Find sequences of alert kinds that recur from incident to incident, and that chance does not explain.

    Incidents that share kinds of alert which few incidents have are put together; what most of such a group have is
    the core of a pattern, what some have is optional; every incident with enough of it is an occurrence. A pattern
    stays when so many occurrences are unlikely in a history whose kinds are shifted in time against each other, and
    when the same search finds hardly anything as striking where kinds change places between incidents.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with `incident_id` (see `cluster_incidents`) and `starts_at`; alerts on their own (-1) are of
        no incident but count for how often each kind fires anyway.
    pages : DataFrame, optional
        A history that still has the alerts of its pager, from which it is known when somebody was paged and took it.
        Default: those among `alerts`.
    by : {"symptom", "rule", "service"}, default "symptom"
        What makes two alerts the same kind, see `Patterns.by`: service and symptom, the rule, or the service.
    min_support : int, default 3
        Fewest incidents a pattern must have happened in, at least 2. Larger finds fewer patterns, and surer ones.
    max_fdr : float, default 0.05
        False discovery rate: which share of the patterns may be there by chance, 0 to 1. Larger finds more.
    random_state : int, default 0
        Seed of the shuffled histories.
    n_jobs : int, optional
        Processes that search shuffled histories, as of joblib; -1 for all processors. Default: one, here.
    progress : bool, default False
        Show a bar over the shuffled histories.

    Returns
    -------
    Patterns
        Tables `table` (a row per pattern, the most frequent first), `steps`, `occurrences`, `families`, and in words
        what could not be seen (`unseen`).

    Raises
    ------
    SchemaError
        A column is missing or malformed.
    ParameterError
        A parameter is outside its range.

    See Also
    --------
    cluster_incidents : Puts alerts into incidents.

    Notes
    -----
    `expected` and `p_value` are those of shifting kinds in time. `q_value` is the larger of two false discovery rates:
    Benjamini and Hochberg's over those p values, each held against all sets of so many kinds there are; and the share
    that the same search finds where kinds are permuted over incidents (39 times, fewer in large histories). A pattern
    beside which there are fewer than `min_support` other incidents is judged by the former alone, and `unseen` says so:
    permuting incidents that are all alike gives the same again.

    References
    ----------
    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B 57 (1995).
    A. Gionis, H. Mannila, T. Mielikainen, P. Tsaparas, "Assessing data mining results via swap randomization", ACM
    Trans. Knowl. Discov. Data 1 (2007). doi:10.1145/1297332.1297338

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> days = pd.date_range("2026-03-01T10:00Z", periods=40, freq="17h")
    >>> seldom = pd.DataFrame({"service": "orders-db", "alertname": "latency", "starts_at": days[::5]})
    >>> after = seldom.assign(service="orders-api", alertname="errors", starts_at=days[::5] + pd.Timedelta("90s"))
    >>> other = pd.DataFrame({"service": [f"s{i % 7}" for i in range(40)], "alertname": "cpu", "starts_at": days})
    >>> alerts = pd.concat([seldom, after, other])
    >>> alerts["incident_id"] = alerts["starts_at"].dt.floor("h").rank(method="dense").astype(int)
    >>> found = sl.mine_patterns(alerts)
    >>> found.table[["name", "support"]]
                                               name  support
    0  orders-db latency, then orders-api errors        8
    """
    _params.choice(by, "by", BY)
    least = _params.at_least(min_support, "min_support", 2)
    fdr = _params.fraction(max_fdr, "max_fdr")
    table = schema.check(alerts, schema.ALERTS, need=["starts_at", "incident_id"])
    sequences = Sequences.of(table, by=by)
    found, odds = search(
        sequences,
        least=least,
        random_state=_params.at_least(random_state, "random_state", 0),
        n_jobs=n_jobs,
        progress=progress,
    )
    ends = endings(table, pages=pages)
    sure = np.flatnonzero(odds.q_value <= fdr)
    kept = [found[i] for i in sure]
    described = describe(kept, odds.of(sure), sequences, ends)
    patterns, families = with_families(described)
    return Patterns(
        table=patterns,
        steps=described.steps,
        occurrences=described.occurrences,
        families=families,
        by=by,
        known=_known(table, sequences, str(ends.attrs["definition"])),
        unseen=_unseen(table, sequences, odds, patterns, fdr=fdr, least=least),
        prefixes=_prefixes(table, described.steps, described.occurrences, by),
    )


def _prefixes(alerts: pd.DataFrame, steps: pd.DataFrame, occurrences: pd.DataFrame, by: str) -> pd.DataFrame:
    from stanza_lab.patterns.recognising import learn_prefixes

    return learn_prefixes(alerts, steps=steps, occurrences=occurrences, by=by)


def _known(alerts: pd.DataFrame, sequences: Sequences, page: str) -> dict[str, Any]:
    times = alerts["starts_at"].dropna()
    return {
        "incidents": sequences.n_incidents,
        "alerts": len(alerts),
        "kinds": sequences.n_kinds,
        "first": times.min() if len(times) else None,
        "last": times.max() if len(times) else None,
        "page": page,
    }


def _unseen(
    alerts: pd.DataFrame, sequences: Sequences, odds: Odds, patterns: pd.DataFrame, *, fdr: float, least: int
) -> tuple[str, ...]:
    """Say what was left out, and why."""
    said = []
    untimed, alone = int(alerts["starts_at"].isna().sum()), int(sequences.alone.sum())
    single = int((sequences.sizes() == 1).sum())
    rare = int((sequences.counts() < least).sum())
    everywhere = int((sequences.counts() > alike.COMMON).sum())
    doubtful = int((odds.q_value > fdr).sum())
    if untimed:
        said.append(f"{words.count(untimed, 'alert')} without a time: left out")
    if alone:
        said.append(f"{words.count(alone, 'alert')} on their own, of no incident: no part of a pattern")
    if single:
        said.append(f"{words.count(single, 'incident')} of one kind of alert: too little for a sequence")
    if rare:
        said.append(f"{words.count(rare, 'kind')} of alert in fewer than {least} incidents: too rare to recur")
    if everywhere:
        said.append(
            f"{words.count(everywhere, 'kind')} of alert in more than {alike.COMMON:,} incidents: these are not "
            "compared by what is so common, and a pattern of such kinds alone is not found"
        )
    if doubtful:
        said.append(f"{words.count(doubtful, 'group')} of incidents alike not shown: chance could explain them")
    beside = compared(patterns["support"].to_numpy(), sequences.n_incidents, least=least)
    for name, support in patterns.loc[~beside, ["name", "support"]].itertuples(index=False):
        said.append(
            f"{name} is in {support} of {words.count(sequences.n_incidents, 'incident')}: too few others to compare it "
            "with, so only that its alerts meet in time speaks for it"
        )
    said.append(
        f"a pattern is what {CORE:.0%} of its incidents share; an incident counts with {MATCH:.0%} of it; that one "
        "thing comes before another is no proof that it causes it"
    )
    if sequences.n_incidents < 2 * least:
        said.append(f"only {words.count(sequences.n_incidents, 'incident')}: {2 * least} are the least to look at")
    return tuple(said)
