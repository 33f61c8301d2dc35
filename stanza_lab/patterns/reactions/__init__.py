"""What could be done when a pattern shows: a catalogue, guardrails, backtests, a control plane that only plans."""
