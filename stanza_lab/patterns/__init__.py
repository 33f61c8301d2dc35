"""Recurring sequences of alert kinds, what they warn of, and reactions bound to them."""
