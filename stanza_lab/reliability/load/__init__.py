"""Pager load: who was interrupted, when and how often, how fast they answered, what was noise."""
