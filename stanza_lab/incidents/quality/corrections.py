"""What a person says about a grouping: these belong together, those do not, this one is nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Self

import pandas as pd

from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.incidents.quality import _corrections_file
from stanza_lab.incidents.quality._correcting import KINDS, Statement, corrected, meaning
from stanza_lab.incidents.quality.labels import labels_table, needed
from stanza_lab.schema import NOISE


@dataclass(frozen=True, kw_only=True)
class Corrections:
    """Corrections of a grouping by a person, kept apart from it, so that they outlive the next clustering.

    Each verb returns new corrections; the old ones stay as they are. What is said is kept by `alert_id`, in the order
    in which it was said, and may be written to a file that people can read and edit.

    Parameters
    ----------
    said : tuple, optional
        Statements, as other corrections hold them. Begin with ``Corrections()``.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import Corrections
    >>> alerts = pd.DataFrame({"alert_id": ["a", "b", "c", "d", "e"], "incident_id": [0, 0, 0, 1, 1]})
    >>> corrections = Corrections().together("a", "d").apart("a", "b").alone("c")
    >>> corrections
    Corrections: 1 together, 1 apart, 1 alone, about 4 alerts
    >>> corrections.apply(alerts)["incident_id"].tolist()
    [0, -1, -1, 0, 0]
    >>> corrections.to_labels(alerts)
      alert_id incident_id
    0        a           a
    1        b           b
    2        c         NaN
    3        d           a
    """

    said: tuple[Statement, ...] = ()

    def together(self, *items: str | int, alerts: pd.DataFrame | None = None) -> Self:
        """Say that these belong to one incident.

        Parameters
        ----------
        *items : str or int
            At least two alerts, by `alert_id`, or one found incident or more, by number: then its present alerts.
        alerts : DataFrame, optional
            `alert_id` and `incident_id`; needed where an incident is meant, and checks that alert ids are there.

        Returns
        -------
        Corrections
            These and this.

        Raises
        ------
        ParameterError
            Fewer than two alerts, an incident without `alerts`, or a contradiction to what was said before.
        UnknownNameError
            An alert or incident is not in `alerts`.
        """
        ids = tuple(dict.fromkeys(name for side in _sides(items, alerts) for name in side))
        if len(ids) < 2:
            raise ParameterError(f"together: {ids} is one alert; pass two or more, or an incident of several")
        return self._with(Statement("together", (ids,)))

    def apart(self, *items: str | int, alerts: pd.DataFrame | None = None) -> Self:
        """Say that no two of these belong to one incident.

        Parameters
        ----------
        *items : str or int
            At least two alerts, by `alert_id`, or found incidents, by number. The alerts of an incident given here are
            taken to belong together.
        alerts : DataFrame, optional
            `alert_id` and `incident_id`; needed where an incident is meant, and checks that alert ids are there.

        Returns
        -------
        Corrections
            These and this.

        Raises
        ------
        ParameterError
            Fewer than two, an incident without `alerts`, or a contradiction to what was said before.
        UnknownNameError
            An alert or incident is not in `alerts`.
        """
        sides = _sides(items, alerts)
        if len(sides) < 2:
            raise ParameterError("apart: pass at least two alerts or incidents that do not belong together")
        return self._with(Statement("apart", sides))

    def alone(self, *items: str | int, alerts: pd.DataFrame | None = None) -> Self:
        """Say that each of these belongs to no incident.

        Parameters
        ----------
        *items : str or int
            Alerts, by `alert_id`, or found incidents, by number: then each of its alerts is on its own.
        alerts : DataFrame, optional
            `alert_id` and `incident_id`; needed where an incident is meant, and checks that alert ids are there.

        Returns
        -------
        Corrections
            These and this.

        Raises
        ------
        ParameterError
            None is given, an incident without `alerts`, or a contradiction to what was said before.
        UnknownNameError
            An alert or incident is not in `alerts`.
        """
        ids = tuple(dict.fromkeys(name for side in _sides(items, alerts) for name in side))
        if not ids:
            raise ParameterError("alone: pass at least one alert")
        return self._with(Statement("alone", (ids,)))

    def apply(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """Return `alerts` with the grouping corrected.

        A found incident stays whole but for what was said: alerts said to be together join their incidents (an alert
        on its own joins the other's); of alerts said to be apart in one incident, the first stays with all the rest
        and the others leave. What is left of one alert is on its own. Alerts that are not in the table are passed over.

        Parameters
        ----------
        alerts : DataFrame
            Needs `alert_id` and `incident_id`.

        Returns
        -------
        DataFrame
            The same rows and columns with `incident_id` (int64) corrected; incidents that had to be made are numbered
            on from the largest there was.

        Raises
        ------
        SchemaError
            A column is missing or does not fit.
        """
        table = needed(alerts, ["alert_id", "incident_id"])
        ids, found = pd.Index(table["alert_id"]), table["incident_id"].to_numpy()
        return alerts.assign(incident_id=corrected(found, ids, meaning(self.said)))

    def to_labels(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """Return what was said as labels.

        It takes for granted that alerts you put into different groups, or named apart, are of different incidents: if
        two groups may be one, say so with `together`. Alerts of which nothing was said are unknown, even those of an
        incident that was corrected: who scores a grouping with its own words scores too well.

        Parameters
        ----------
        alerts : DataFrame
            Needs `alert_id`.

        Returns
        -------
        DataFrame
            One row per alert that was spoken of, in the order of `alerts`: alert_id (str), incident_id (str: the
            smallest `alert_id` of those said to be together; null = said to be of none).

        Raises
        ------
        SchemaError
            A column is missing.
        """
        ids = needed(alerts, ["alert_id"])["alert_id"]
        of = meaning(self.said).group_of
        known = ids.isin(of)
        return labels_table(ids[known].to_numpy(), [of[name] for name in ids[known]])

    def missing(self, alerts: pd.DataFrame) -> list[str]:
        """Return the alerts spoken of that are not in a table: of another time, or slips of the pen.

        Parameters
        ----------
        alerts : DataFrame
            Needs `alert_id`.

        Returns
        -------
        list of str
            Their `alert_id`, sorted.
        """
        return sorted(set(meaning(self.said).group_of) - set(needed(alerts, ["alert_id"])["alert_id"]))

    def save(self, path: str | PathLike[str], *, alerts: pd.DataFrame | None = None) -> None:
        """Write a YAML file that people can read, edit and keep beside their notebooks.

        Parameters
        ----------
        path : path
            Where to; replaced if it is there.
        alerts : DataFrame, optional
            Adds to each id, as a comment, when that alert fired, its service and its name.
        """
        Path(path).write_text(_corrections_file.written(self.said, alerts), encoding="utf-8")

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read a file that `save` wrote, or a person.

        Parameters
        ----------
        path : path
            A YAML file with the keys together (lists of alert ids), apart (lists of ids, or of lists of ids) and alone
            (ids).

        Returns
        -------
        Corrections
            What the file says.

        Raises
        ------
        SchemaError
            The file cannot be read, has another key, or contradicts itself; the message tells the line.
        """
        read = cls()
        for statement in _corrections_file.read(Path(path)):
            try:
                read = read._with(statement)
            except ParameterError as error:
                raise SchemaError(f"{path}, line {statement.line}: {error}") from error
        return read

    def __repr__(self) -> str:
        counts = {kind: sum(statement.kind == kind for statement in self.said) for kind in KINDS}
        told = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        return f"Corrections: {told}, about {len(meaning(self.said).group_of)} alerts"

    def _with(self, statement: Statement) -> Self:
        added = replace(self, said=(*self.said, statement))
        meaning(added.said)  # raises on a contradiction
        return added


def _sides(items: tuple[str | int, ...], alerts: pd.DataFrame | None) -> tuple[tuple[str, ...], ...]:
    """Return the alerts each item stands for: itself, or those of the incident of that number."""
    if alerts is None:
        if wrong := [item for item in items if not isinstance(item, str)]:
            raise ParameterError(f"{wrong[0]!r} is no alert_id; pass alerts= to speak of an incident by its number")
        return tuple((item,) for item in items if isinstance(item, str))
    table = needed(
        alerts, ["alert_id", "incident_id"] if any(not isinstance(item, str) for item in items) else ["alert_id"]
    )
    known = set(table["alert_id"])
    sides = []
    for item in items:
        if isinstance(item, str):
            if item not in known:
                raise UnknownNameError.among("alert", item, known)
            sides.append((item,))
            continue
        held = table["alert_id"][table["incident_id"] == item] if item != NOISE else ()
        if not len(held):
            numbers = table["incident_id"][table["incident_id"] != NOISE]
            raise UnknownNameError.among("incident", str(item), numbers.astype("str"))
        sides.append(tuple(held))
    return tuple(sides)
