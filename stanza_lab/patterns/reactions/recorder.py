"""A control plane that records what people do, in a local file to which lines are only added."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import RefusedError, SchemaError
from stanza_lab.patterns.reactions.control_plane import Plan, Step, by, permit, verified
from stanza_lab.patterns.reactions.dry_run import DryRun
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.reactions.proposal import Proposal

_RECORD: dict[str, Any] = {
    "at": "datetime64[us, UTC]",
    "verb": "str",
    "state": "str",
    "reaction": "str",
    "team": "str",
    "action": "str",
    "target": "str",
    "incident_id": "int64",
    "approved_by": "str",
    "command": "str",
    "words": "str",
}
_NEED = ("at", "verb", "reaction", "team", "target")


class Recorder:
    """Record in a local file what people planned, did and took back; run nothing.

    Each line of the file is a JSON object; lines are only ever added. Cool-downs hold between all who share the file,
    but the file is not locked: of two who apply in the same instant neither sees the other.

    Parameters
    ----------
    path : path
        The file; it is made with the first record.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import stanza_lab as sl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recorder = sl.Recorder(pathlib.Path(folder, "done.jsonl"))
    ...     recorder
    Recorder(done.jsonl: 0 records)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._dry = DryRun()

    @property
    def records(self) -> pd.DataFrame:
        """All records, the oldest first: at, verb, state, reaction, team, action, target, incident_id, approved_by,
        command, words.
        """  # noqa: D205
        rows = [] if not self.path.exists() else [*map(self._read, enumerate(self._lines(), start=1))]
        return pd.DataFrame(rows, columns=list(_RECORD)).astype(_RECORD)

    @property
    def applied(self) -> pd.DataFrame:
        """What was applied, the oldest first; columns as in `records`."""
        records = self.records
        return records[records["verb"] == "apply"].reset_index(drop=True)

    def plan(self, proposal: Proposal) -> Plan:
        """Return what would be done, and record that it was planned.

        Parameters
        ----------
        proposal : Proposal
            One of `propose`.

        Returns
        -------
        Plan
            Its steps as text.
        """
        plan = self._dry.plan(proposal)
        self._write(plan, Step("plan", "planned", proposal.at, "", proposal.words))
        return plan

    def apply(self, plan: Plan, *, approve: str | None = None, at: _params.Instant | None = None) -> Step:
        """Record that somebody does it; the command itself is not run.

        Parameters
        ----------
        plan : Plan
            What is done.
        approve : str, optional
            Who approves; must be given unless the reaction needs nobody.
        at : str or Timestamp, optional
            When. Default: now.

        Returns
        -------
        Step
            State "applied".

        Raises
        ------
        RefusedError
            A guardrail blocks it, nobody approved, or it was applied to the same service within the cool-down.
        """
        who, now = permit(plan, approve), _when(at)
        reaction, target = plan.proposal.reaction, plan.proposal.target
        last, wait = self._last(plan), reaction.guardrails.cool_down
        if last is not None and now - last["at"] < wait:
            ago = words.span((now - last["at"]).total_seconds())
            again = words.span(wait.total_seconds())
            raise RefusedError(f"{reaction.name} was applied to {target} {ago} ago; again after {again} at the soonest")
        said = f"recorded: {reaction.does(target)}{by(who)}; whoever does it runs the command, nothing here does"
        return self._write(plan, Step("apply", "applied", now, who, said))

    def verify(self, plan: Plan, *, alerts: pd.DataFrame, at: _params.Instant | None = None) -> Step:
        """Tell whether the target has recovered, and record it.

        Parameters
        ----------
        plan : Plan
            What was to help.
        alerts : DataFrame
            `schema.ALERTS`: those known by now.
        at : str or Timestamp, optional
            Now. Default: the last time that an alert fired or ended.

        Returns
        -------
        Step
            State "recovered", "firing", or "too early": firing, and the effect time is not over.
        """
        last = self._last(plan)
        since = plan.proposal.at if last is None else last["at"]
        return self._write(plan, verified(plan, alerts, at, since=since))

    def undo(self, plan: Plan, *, approve: str | None = None, at: _params.Instant | None = None) -> Step:
        """Record that somebody takes it back; the command itself is not run.

        Parameters
        ----------
        plan : Plan
            What is taken back.
        approve : str, optional
            Who approves; must be given unless the reaction needs nobody.
        at : str or Timestamp, optional
            When. Default: now.

        Returns
        -------
        Step
            State "undone".

        Raises
        ------
        RefusedError
            Nobody approved, its team wrote down no way back, or it is not applied now.
        """
        who, reaction = permit(plan, approve, undo=True), plan.proposal.reaction
        last = self._last(plan)
        if last is None or last["undone"]:
            raise RefusedError(f"{reaction.name} is not applied to {plan.proposal.target}: there is nothing to undo")
        said = f"recorded: {reaction.name} at {plan.proposal.target} taken back{by(who)}"
        return self._write(plan, Step("undo", "undone", _when(at), who, said))

    def _last(self, plan: Plan) -> dict[str, Any] | None:
        """Return when it was last applied to the same service, and whether that was undone since."""
        records, reaction = self.records, plan.proposal.reaction
        same = (records["reaction"] == reaction.name) & (records["team"] == reaction.team)
        mine = records[same & (records["target"] == plan.proposal.target) & records["verb"].isin(["apply", "undo"])]
        applied = mine[mine["verb"] == "apply"]
        if applied.empty:
            return None
        return {"at": applied["at"].max(), "undone": bool(mine["verb"].iloc[-1] == "undo")}

    def _write(self, plan: Plan, step: Step) -> Step:
        proposal = plan.proposal
        record = {
            "at": step.at.isoformat(),
            "verb": step.verb,
            "state": step.state,
            "reaction": proposal.reaction.name,
            "team": proposal.reaction.team,
            "action": proposal.reaction.action,
            "target": proposal.target,
            "incident_id": proposal.incident_id,
            "approved_by": step.approved_by,
            "command": proposal.undo if step.verb == "undo" else proposal.command,
            "words": step.words,
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        return step

    def _lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines()

    def _read(self, numbered: tuple[int, str]) -> dict[str, Any]:
        number, line = numbered
        try:
            record = json.loads(line)
            if not isinstance(record, dict) or any(not isinstance(record.get(name), str) for name in _NEED):
                raise ValueError(f"needed are {', '.join(_NEED)}")
            about = {"at": _params.instant(record["at"], "at"), "incident_id": int(record.get("incident_id", -1))}
            return record | about
        except (TypeError, ValueError, RecursionError) as error:
            raise SchemaError(f"{self.path}, line {number}: no record of a Recorder: {error}; mend the line") from error

    def __repr__(self) -> str:
        """Count the records."""
        lines = len(self._lines()) if self.path.exists() else 0
        return f"Recorder({self.path.name}: {words.count(lines, 'record')})"


def _when(at: _params.Instant | None) -> pd.Timestamp:
    return pd.Timestamp.now("UTC") if at is None else _params.instant(at, "at")
