"""How recurring sequences are found: groups of incidents alike, their steps, their significance."""
