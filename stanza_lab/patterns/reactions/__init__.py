"""What could be done when a pattern shows: a catalogue, guardrails, backtests, a control plane that only plans."""

from stanza_lab.patterns.reactions.backtested import ReactionBacktest
from stanza_lab.patterns.reactions.backtesting import backtest
from stanza_lab.patterns.reactions.catalogue import Reaction, Reactions, read_reactions
from stanza_lab.patterns.reactions.control_plane import ControlPlane, Plan, RefusedError, Step
from stanza_lab.patterns.reactions.dry_run import DryRun
from stanza_lab.patterns.reactions.proposing import Proposal, Proposals, propose
from stanza_lab.patterns.reactions.recorder import Recorder

__all__ = [
    "ControlPlane",
    "DryRun",
    "Plan",
    "Proposal",
    "Proposals",
    "Reaction",
    "ReactionBacktest",
    "Reactions",
    "Recorder",
    "RefusedError",
    "Step",
    "backtest",
    "propose",
    "read_reactions",
]
