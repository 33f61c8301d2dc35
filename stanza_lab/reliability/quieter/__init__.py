"""What to tune down: rules to delete, raise, group or route elsewhere, and what would have been missed."""
