"""Service level objectives: indicators, error budgets, burn rates, alerts on them and what these would have done."""
