# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     notebook_metadata_filter: kernelspec,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1. Import your alert history
#
# **Question.** What did our alerting systems say over the last months, and can we trust the import?
#
# **Data.** `data/exports/`: a quarter of a year of Datadog, Sentry and CloudWatch exports of a simulated shop
# (made by `make data`). To look at your own, put exports of any mix of vendors into a folder `exports`, and who owns
# what into `ownership.csv` beside it; then change `data` below. Nothing leaves this machine.
#
# **Takes** about ten seconds.

# %% tags=["parameters"]
data = "../data"
out = "../build/demo"

# %%
from pathlib import Path

import stanza_lab as sl

data, out = Path(data), Path(out)

# %% [markdown]
# ## Read everything, lose nothing
#
# Each file is looked at, record by record; you do not say which vendor it comes from. Every record ends as exactly
# one of four things, and the counts add up:
#
# *records read = events + duplicates + ignored + rejected.*

# %%
history = sl.History(out / "history")
report = history.ingest(data / "exports")
report

# %% [markdown]
# **Duplicates** are the same fact told twice (a CloudWatch state change that stands both in the alarm history and in
# the EventBridge archive). **Ignored** are records of a known kind that are no alerts. **Rejected** records are
# listed with file, place and reason, so that you can mend the export. The bundled exports have none:

# %%
report.rejected[["file", "locator", "reason", "message"]].head(10)

# %% [markdown]
# Reading the same files again adds nothing, so you can drop new exports into the folder and run this every day:

# %%
again = history.ingest(data / "exports")
print(f"{again.events} new events, {again.duplicates:,} known already")

# %% [markdown]
# ## From events to alerts
#
# An **alert** is one firing interval: "fired, re-notified twice, recovered" is one row. A source that never says when
# an alert ended (Sentry issue alerts) gets a new row after 30 quiet minutes, and `ends_at` stays empty: no time is
# ever made up.

# %%
alerts = history.alerts()
alerts[["starts_at", "ends_at", "source", "severity", "service", "team", "summary"]].head(8)

# %% [markdown]
# ## Who and what is it about?
#
# Tools name services differently, and some not at all. `resolve_entities` reads names out of fields, tags,
# CloudWatch dimensions and text, and makes the spellings agree. The table shows for how many alerts of each source
# we know the service and the team, before and after.

# %%
catalog = sl.read_ownership(data / "ownership.csv")
named = sl.resolve_entities(alerts, catalog=catalog)


def known(frame):
    return frame.groupby("source", observed=True)[["service", "team"]].agg(lambda column: column.notna().mean())


known(alerts).add_suffix(" before").join(known(named).add_suffix(" after")).style.format("{:.0%}")

# %% [markdown]
# ## A first look
#
# One row per service, one mark per alert. Look for columns of marks (many services at once: an incident) and for
# rows that never stop (a chronic alert: noise).

# %%
sl.plot.timeline(named)

# %% [markdown]
# The same as counts per day: dark rows are the services that page the most.

# %%
sl.plot.firing_heatmap(named)

# %% [markdown]
# Next: `02_correlate_alerts` puts together what belongs together.
