"""What the alerts do not see -> shares, silent services, gaps, what to fix first."""
