"""How two alerts are compared, what history teaches about their rules, and the hierarchy that follows."""
