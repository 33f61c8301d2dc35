"""What could be done when a pattern shows: a catalogue, guardrails, backtests, a control plane that only plans."""

from stanza_lab.errors import RefusedError
from stanza_lab.patterns.reactions.backtested import ReactionBacktest
from stanza_lab.patterns.reactions.backtesting import backtest
from stanza_lab.patterns.reactions.catalogue import Reactions
from stanza_lab.patterns.reactions.control_plane import ControlPlane, Plan, Step
from stanza_lab.patterns.reactions.dry_run import DryRun
from stanza_lab.patterns.reactions.proposal import Proposal, Proposals
from stanza_lab.patterns.reactions.proposing import propose
from stanza_lab.patterns.reactions.reaction import Reaction
from stanza_lab.patterns.reactions.recorder import Recorder
from stanza_lab.patterns.reactions.written import read_reactions

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
