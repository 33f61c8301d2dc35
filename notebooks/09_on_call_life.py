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
# # 9. Life on call
#
# **Question.** We are paged every five minutes. Who is woken, by what, is it worth it, and what can be made quieter
# without missing anything? Did we keep our promises, and may we ship?
#
# **Data.** The history that `01_import_alert_history` wrote; counts of requests and sessions of two front ends
# (`data/indicators`), and what was promised (`data/front_doors`).
#
# **Takes** about half a minute.

# %% tags=["parameters"]
data = "../data"
out = "../build/demo"
tz = "Europe/Berlin"  # where people live: nights and weekends are theirs

# %%
from pathlib import Path

import pandas as pd

import stanza_lab as sl

data, out = Path(data), Path(out)
pd.set_option("display.max_colwidth", None, "display.precision", 2)

# %%
history = sl.History(out / "history")
catalog = sl.read_ownership(data / "ownership.csv")
known = sl.resolve_entities(history.alerts(), catalog=catalog)
alerts = sl.cluster_incidents(known[~known["origin"].isin(known["source"].unique())])
engagements = sl.read_engagements(history.events())  # who did what; people are pseudonyms
engagements["kind"].value_counts()

# %% [markdown]
# ## Pager load
#
# Pages are what the pager sent; several of one incident count once for a shift. The SRE book allows two incidents per
# twelve hours.

# %%
load = sl.pager_load(alerts, engagements=engagements, pages=known, tz=tz)
load

# %%
sl.plot.pager_load(load.shifts)

# %% [markdown]
# When people are interrupted, in their own time:

# %%
sl.plot.interruptions(load.interruptions)

# %% [markdown]
# The team with most interruptions against the limits of the SRE book; what alerts cannot tell is said, not guessed:

# %%
most = load.teams["team"].iloc[0]
load.limits.loc[load.limits["team"] == most, ["limit", "verdict", "words"]]

# %% [markdown]
# ## Noise
#
# Few rules make most of the noise:

# %%
sl.plot.noisiest(load.rules)

# %% [markdown]
# Times to acknowledge and to resolve depend on whose definition is meant. All of them, over all teams:

# %%
response = sl.pager_load(alerts, engagements=engagements, pages=known, tz=tz, definition="all").response
columns = ["definition", "measure", "mean_s", "median_s", "p90_s", "n", "n_open", "words"]
response.loc[response["team"].isna(), columns]

# %% [markdown]
# ## What to tune down
#
# Changes are chosen on the first half of the history and measured on the second: pages saved, and which real incidents
# would have been missed. No rule that is the only witness of something real is touched.

# %%
production = sl.ProductionMap(sl.DependencyModel().fit(alerts).edges_, alerts, ownership=catalog)
tuned = sl.tune_down(alerts, pages=known, production=production)
tuned

# %% [markdown]
# What is real decides all of it. Nobody labelled this history, so "several rules together, or acknowledged, and it
# lasted" has to stand in, and where everything is acknowledged no rule looks spare. With the truth (here that of the
# simulator; yours comes from `sl.Corrections` or from the tags of your reviews) it is judged anew:

# %%
truth = pd.read_csv(data / "truth" / "alert_labels.csv")
real = set(truth.loc[truth["incident_id"].notna(), "native_id"])
worth = alerts.set_index("alert_id")["event_ids"].map(lambda events: not real.isdisjoint(events))
labelled = sl.tune_down(alerts, pages=known, production=production, worth=worth)
sl.plot.tune_down(labelled)

# %%
print(labelled.to_markdown()[:1500])

# %% [markdown]
# ## Did we keep our promises?

# %%
indicators = sl.read_indicators(data / "indicators")
promises = sl.read_objectives(data / "front_doors")
kept = sl.measure_objectives(indicators, objectives=promises, alerts=alerts, tz=tz)
kept

# %%
sl.plot.error_budget(kept)

# %% [markdown]
# ## Would better alerts have helped?
#
# Alerts on the burn rate of the error budget, as the SRE workbook has them, beside those there are, judged by what
# really happened:

# %%
sl.backtest_alert_rules(indicators, objectives=promises, alerts=alerts)

# %%
rates = sl.burn_rates(indicators, objectives=promises)
sl.plot.burn_rate(rates)

# %% [markdown]
# They can be had as rules for Prometheus, with a test beside: `stanza-lab reliability history/ --indicators
# data/indicators --objectives data/front_doors --prometheus slos.yaml`.
#
# ## Services that nobody counts
#
# For the others the time under alerts must do. It is a proxy, and says so:

# %%
proxy = sl.objectives_from_alerts(alerts, objective=99.5, tz=tz)
proxy.statements[["verdict", "sure", "words"]].head(6)
