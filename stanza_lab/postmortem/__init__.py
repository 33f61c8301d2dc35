"""Looking back on one incident: timeline, likely origin, look-alikes, who was paged, questions for the meeting."""
