"""How far two groupings of the same alerts agree, each measure a plain function over two arrays of labels.

As in scikit-learn the truth comes first. A label of -1, null or "" says: on its own; such an alert is a group of one.
Without alerts every measure is null. All are read off one table of counts of what occurs, so that a million alerts take
part of a second each; the tests hold them against scikit-learn's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from stanza_lab.incidents.quality._contingency import Contingency, Ints, contingency, numbered
from stanza_lab.schema import NOISE

Floats = npt.NDArray[np.float64]


class Agreement(NamedTuple):
    """Precision, recall, and their harmonic mean; null where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float


class Informed(NamedTuple):
    """Homogeneity, completeness, and their harmonic mean."""

    homogeneity: float
    completeness: float
    v_measure: float


def ari(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> float:
    """Return the adjusted Rand index: 1 = the same grouping, 0 = what chance gives.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    float
        At most 1; below 0 is worse than chance. Null without alerts.

    Raises
    ------
    ParameterError
        The two are not of one length.

    References
    ----------
    Hubert, Arabie (1985), Comparing partitions, doi:10.1007/BF01908075.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> round(metrics.ari(["A", "A", "A", "B", "B"], [0, 0, 1, 1, -1]), 2)
    0.09
    """
    return rand(contingency(labels_true, labels_pred))


def rand(table: Contingency) -> float:
    """Return `ari` of what is counted already."""
    if not table.n:
        return np.nan
    right, true, found = table.pairs
    every = table.n * (table.n - 1) // 2
    if right == true == found:
        return 1.0
    chance = true * found / every
    return (right - chance) / ((true + found) / 2 - chance)


def ami(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> float:
    """Return the adjusted mutual information: 1 = the same grouping, 0 = what chance gives.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    float
        At most 1. Null without alerts.

    Raises
    ------
    ParameterError
        The two are not of one length.

    Notes
    -----
    The same number as `sklearn.metrics.adjusted_mutual_info_score`, which looks at every pair of a true and a found
    group: with the groups of one of a million alerts that never ends. What chance gives depends on the sizes of the
    groups only, so here each pair of sizes is looked at once.

    References
    ----------
    Vinh, Epps, Bailey (2010), Information theoretic measures for clusterings comparison, JMLR 11.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> round(metrics.ami(["A", "A", "A", "B", "B"], [0, 0, 0, 1, -1]), 2)
    0.71
    """
    return mutual_information(contingency(labels_true, labels_pred))


def mutual_information(table: Contingency) -> float:
    """Return `ami` of what is counted already."""
    if table.n == 0:
        return np.nan
    if len(table.shared) == len(table.true_sizes) == len(table.found_sizes):
        return 1.0  # the same grouping; where all are alone, chance gives that too
    if 1 in (len(table.true_sizes), len(table.found_sizes)):
        return 0.0
    shared, of_true, of_found = _information(table)
    usual = (of_true + of_found) / 2
    chance = _expected_information(table.true_sizes, table.found_sizes, table.n)
    least = np.finfo(np.float64).eps  # as in scikit-learn: rounding must not turn the sign
    above, possible = shared - chance, usual - chance
    above = min(above, -least) if above < 0 else max(above, least)
    possible = min(possible, -least) if possible < 0 else max(possible, least)
    return above / possible


def _information(table: Contingency) -> tuple[float, float, float]:
    """Return what the two groupings tell of each other, and what each tells (entropy), in nats."""
    n = table.n
    apart = table.true_sizes[table.true] * table.found_sizes[table.found]
    shared = float((table.shared / n * np.log(n * table.shared / apart)).sum())
    of_true, of_found = (float(-(s / n * np.log(s / n)).sum()) for s in (table.true_sizes, table.found_sizes))
    return shared, of_true, of_found


def _expected_information(true_sizes: Ints, found_sizes: Ints, n: int) -> float:
    """Return the mutual information that groups of such sizes share by chance (hypergeometric)."""
    true_size, true_many = np.unique(true_sizes, return_counts=True)
    found_size, found_many = np.unique(found_sizes, return_counts=True)
    log_factorial = gammaln(np.arange(n + 1) + 1.0)
    total = 0.0
    for size, many in zip(true_size, true_many, strict=True):
        mean = size * found_size / n
        # Further from its mean than this the chance of a count is below e^-50.
        reach = 10 * np.sqrt(mean) + 60
        low = np.maximum(np.maximum(1, size + found_size - n), np.floor(mean - reach).astype(np.int64))
        high = np.minimum(np.minimum(size, found_size), np.ceil(mean + reach).astype(np.int64))
        counts = np.maximum(high - low + 1, 0)
        other = np.repeat(found_size, counts)
        shared = np.repeat(low, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        log_chance = (
            log_factorial[size] + log_factorial[other] + log_factorial[n - size] + log_factorial[n - other]
        ) - (
            log_factorial[n]
            + log_factorial[shared]
            + log_factorial[size - shared]
            + log_factorial[other - shared]
            + log_factorial[n - size - other + shared]
        )
        told = shared / n * np.log(n * shared / (size * other)) * np.exp(log_chance)
        total += float(many * (told * np.repeat(found_many, counts)).sum())
    return total


def homogeneity(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> float:
    """Return how far each found group holds alerts of one true group only, 0 to 1 (see `v_measure`).

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    float
        1 when no found group mixes true ones; every alert on its own gives that too. Null without alerts.

    Raises
    ------
    ParameterError
        The two are not of one length.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> round(metrics.homogeneity(["A", "A", "B", "B"], [0, 1, 2, 2]), 2)
    1.0
    """
    return of_information(contingency(labels_true, labels_pred)).homogeneity


def completeness(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> float:
    """Return how far the alerts of each true group lie in one found group, 0 to 1 (see `v_measure`).

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    float
        1 when no true group is spread; all alerts in one group give that too. Null without alerts.

    Raises
    ------
    ParameterError
        The two are not of one length.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> round(metrics.completeness(["A", "A", "B", "B"], [0, 0, 0, 0]), 2)
    1.0
    """
    return of_information(contingency(labels_true, labels_pred)).completeness


def v_measure(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> float:
    """Return the harmonic mean of homogeneity and completeness, 0 to 1.

    It is not adjusted for chance: with many small groups it is high for any grouping. Read it beside `ami`.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    float
        1 = the same grouping. Null without alerts.

    Raises
    ------
    ParameterError
        The two are not of one length.

    References
    ----------
    Rosenberg, Hirschberg (2007), V-Measure, EMNLP-CoNLL, pp. 410-420.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> round(metrics.v_measure(["A", "A", "B", "B"], [0, 1, 2, 2]), 2)
    0.8
    """
    return of_information(contingency(labels_true, labels_pred)).v_measure


def of_information(table: Contingency) -> Informed:
    """Return homogeneity, completeness and V-measure of what is counted already."""
    if not table.n:
        return Informed(np.nan, np.nan, np.nan)
    shared, of_true, of_found = _information(table)
    one, two = (min(max(shared / whole, 0.0), 1.0) if whole else 1.0 for whole in (of_true, of_found))
    return Informed(one, two, 2 * one * two / (one + two) if one + two else 0.0)


def pairwise(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> Agreement:
    """Count pairs of alerts: of those put together, which belong together, and the other way round.

    A large incident has many pairs and decides; `b_cubed` gives every alert the same weight.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    Agreement
        precision, recall, f1; null where there is no such pair.

    Raises
    ------
    ParameterError
        The two are not of one length.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> metrics.pairwise(["A", "A", "B", "B", "B"], [0, 0, 0, 1, 1])
    Agreement(precision=0.5, recall=0.5, f1=0.5)
    """
    return of_pairs(contingency(labels_true, labels_pred))


def of_pairs(table: Contingency) -> Agreement:
    """Return `pairwise` of what is counted already."""
    right, true, found = table.pairs
    return Agreement(share(right, found), share(right, true), share(2 * right, true + found))


def pairwise_f1(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> float:
    """Return the F1 of `pairwise`, a single number as a scorer needs it.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    float
        0 to 1; null when no pair is or belongs together.

    Raises
    ------
    ParameterError
        The two are not of one length.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> metrics.pairwise_f1(["A", "A", "B", "B", "B"], [0, 0, 0, 1, 1])
    0.5
    """
    return pairwise(labels_true, labels_pred).f1


def b_cubed(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> Agreement:
    """Ask each alert: how much of its found group belongs to it, how much of its true group is with it; then average.

    Every alert counts the same, however large its incident. An alert on its own is with itself, so that leaving noise
    alone is right and a table of alerts that are all alone has precision 1.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    Agreement
        precision, recall, f1; null without alerts.

    Raises
    ------
    ParameterError
        The two are not of one length.

    References
    ----------
    Amigó, Gonzalo, Artiles, Verdejo (2009), A comparison of extrinsic clustering evaluation metrics,
    doi:10.1007/s10791-008-9066-8.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> [round(value, 2) for value in metrics.b_cubed(["A", "A", "B", "B", "B"], [0, 0, 0, 1, 1])]
    [0.73, 0.73, 0.73]
    """
    return of_alerts(contingency(labels_true, labels_pred))


def of_alerts(table: Contingency) -> Agreement:
    """Return `b_cubed` of what is counted already."""
    if not table.n:
        return Agreement(np.nan, np.nan, np.nan)
    shared = table.shared.astype(np.float64) ** 2
    precision = float((shared / table.found_sizes[table.found]).sum()) / table.n
    recall = float((shared / table.true_sizes[table.true]).sum()) / table.n
    return Agreement(precision, recall, 2 * precision * recall / (precision + recall))


def b_cubed_f1(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> float:
    """Return the F1 of `b_cubed`, a single number as a scorer needs it.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n,)
        True and found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    float
        0 to 1; null without alerts.

    Raises
    ------
    ParameterError
        The two are not of one length.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> metrics.b_cubed_f1(["A", "A", "B"], [0, 0, -1])
    1.0
    """
    return b_cubed(labels_true, labels_pred).f1


def coverage(labels_pred: npt.ArrayLike) -> float:
    """Return the share of the alerts that were put into an incident.

    Parameters
    ----------
    labels_pred : array-like of shape (n,)
        Found group of each alert; -1, null or "" = on its own.

    Returns
    -------
    float
        0 to 1; null without alerts. High is not good by itself: noise should stay out.

    Examples
    --------
    >>> from stanza_lab.incidents.quality import metrics
    >>> metrics.coverage([0, 0, 1, -1])
    0.75
    """
    found = numbered(labels_pred)
    return share(int((found != NOISE).sum()), len(found))


def share(part: int, whole: int) -> float:
    """Return part / whole, null when there is no whole."""
    return part / whole if whole else np.nan
