"""A control plane that tells what it would do and does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanza_lab import _params
from stanza_lab.patterns.reactions.control_plane import Plan, Step, by, permit, steps, verified

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.patterns.reactions.proposal import Proposal


class DryRun:
    """Tell what would be done, and do nothing.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> plane = sl.DryRun()  # plan = plane.plan(sl.propose(...)[0]); print(plan); print(plane.apply(plan).words)
    >>> plane
    DryRun()
    """

    def plan(self, proposal: Proposal) -> Plan:
        """Return what would be done.

        Parameters
        ----------
        proposal : Proposal
            One of `propose`.

        Returns
        -------
        Plan
            Its steps as text; also of one that is blocked, which says so.
        """
        return Plan(proposal, tuple(steps(proposal)))

    def apply(self, plan: Plan, *, approve: str | None = None, at: _params.Instant | None = None) -> Step:
        """Say what applying it would do.

        Parameters
        ----------
        plan : Plan
            What to do.
        approve : str, optional
            Who approves; must be given unless the reaction needs nobody.
        at : str or Timestamp, optional
            Now. Default: when it was proposed.

        Returns
        -------
        Step
            State "dry run".

        Raises
        ------
        RefusedError
            A guardrail blocks it, or nobody approved.
        """
        who = permit(plan, approve)
        reaction, target = plan.proposal.reaction, plan.proposal.target
        said = (
            f"would {reaction.does(target)}{by(who)}; nothing was done. The command, to read: {plan.proposal.command}"
        )
        return Step("apply", "dry run", _when(at, plan), who, said)

    def verify(self, plan: Plan, *, alerts: pd.DataFrame, at: _params.Instant | None = None) -> Step:
        """Tell whether the target has recovered, whoever or whatever did that.

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
        return verified(plan, alerts, at, since=plan.proposal.at)

    def undo(self, plan: Plan, *, approve: str | None = None, at: _params.Instant | None = None) -> Step:
        """Say what undoing it would do.

        Parameters
        ----------
        plan : Plan
            What to take back.
        approve : str, optional
            Who approves; must be given unless the reaction needs nobody.
        at : str or Timestamp, optional
            Now. Default: when it was proposed.

        Returns
        -------
        Step
            State "dry run".

        Raises
        ------
        RefusedError
            Nobody approved, or its team wrote down no way back.
        """
        who = permit(plan, approve, undo=True)
        reaction = plan.proposal.reaction
        done = f"would undo {reaction.name} at {plan.proposal.target}{by(who)}"
        said = f"{done}; nothing was done. The command, to read: {plan.proposal.undo}"
        return Step("undo", "dry run", _when(at, plan), who, said)

    def __repr__(self) -> str:
        """Return its name."""
        return f"{type(self).__name__}()"


def _when(at: _params.Instant | None, plan: Plan) -> pd.Timestamp:
    return plan.proposal.at if at is None else _params.instant(at, "at")
