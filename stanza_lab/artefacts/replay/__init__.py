"""A history sent through a real Alertmanager: what it groups and hides, beside what was predicted."""

from stanza_lab.artefacts.replay.replaying import Replay, replay_alertmanager

__all__ = ["Replay", "replay_alertmanager"]
