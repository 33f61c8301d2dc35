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
# **Data.** `data/exports/`: a quarter of a year of Datadog, Sentry, CloudWatch and PagerDuty exports of a simulated
# shop (made by `make data`). To look at your own, put exports of any mix of vendors into a folder `exports`, and who
# owns what into `ownership.csv` beside it; then change `data` below. Nothing leaves this machine.
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
# ## What is told twice?
#
# PagerDuty raises nothing itself: it pages people about alerts of other systems. Its pages are alerts here too (they
# know who answered, and when), but each is a **copy**, and `origin` says of which system; null is no copy.

# %%
alerts.groupby([alerts["source"], alerts["origin"].astype("str").fillna("")]).size().to_frame("alerts")

# %% [markdown]
# Whatever counts alerts should count each once. So what follows, in the other notebooks too, leaves out the copies of
# systems that were read themselves. A copy of a system that you did not export stays: it is all you have.

# %%
copies = alerts["origin"].isin(alerts["source"].unique())
print(f"{copies.sum():,} of {len(alerts):,} alerts are copies of systems that were read as well")

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
once = named[~copies]
sl.plot.timeline(once)

# %% [markdown]
# The same as counts per day: dark rows are the services that alert the most.

# %%
sl.plot.firing_heatmap(once)

# %% [markdown]
# Next: `02_names_and_owners` says which names are one service, and whose.
