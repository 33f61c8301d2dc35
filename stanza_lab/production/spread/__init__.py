"""How trouble spreads: ways between services, who is hit, whose it is."""
