"""Which kind of alarm brings about which: a sparse point process over alarms with places, and what it is worth."""
