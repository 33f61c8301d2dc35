"""From counts to edges: what speaks for a pair, source by source, and how often such pairs were real."""
