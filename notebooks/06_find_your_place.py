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
# # 6. Find your place
#
# **Question.** I am new here. What is mine, who is next to me, and what happens to others when mine breaks?
#
# **Data.** The history that `01_import_alert_history` wrote, the ownership catalogue, what teams wrote down.
#
# **Takes** about fifteen seconds, then as long as you like.
#
# A map of everything from everybody helps nobody. So: name a few things you know are yours, look at what else probably
# is, keep that as a small file, and look at production from there.

# %% tags=["parameters"]
data = "../data"
out = "../build/demo"

# %%
from pathlib import Path

import pandas as pd

import stanza_lab as sl

data, out = Path(data), Path(out)
pd.set_option("display.max_colwidth", None, "display.precision", 2)  # reasons are there to be read

# %%
catalog = sl.read_ownership(data / "ownership.csv")
alerts = sl.resolve_entities(sl.History(out / "history").alerts(), catalog=catalog)
alerts = alerts[~alerts["origin"].isin(alerts["source"].unique())]  # no copies of alerts that are here as well
alerts = sl.cluster_incidents(alerts)
model = sl.DependencyModel().fit(alerts)
edges = sl.overlay_traces(model.edges_, sl.read_traces(data / "traces"))
production = sl.ProductionMap(edges, alerts, ownership=catalog, model=model)
production.heading

# %% [markdown]
# ## Pick what you know
#
# Type a few letters: repositories, servers, services and teams that the data names. Click what is yours; what else
# probably is appears beside it, each with the reason. *Save* writes a profile.

# %%
finder = sl.PlaceFinder(production, path=out / "profile.yaml")
finder

# %% [markdown]
# The same in one call, for those who would rather type. Say you were told: "you will work on the repository of the
# orders service". (What you picked above wins.)

# %%
place = finder.place if finder.picked else production.onboard(repos=["acme/orders-api"])
place

# %% [markdown]
# *Probability* is how often, in simulated companies, a service with such reasons did belong to the same people. Here we
# take what is more likely ours than not, and leave the rest:

# %%
for words in place.proposed["words"].head(8):
    print("-", words)

# %%
likely = place.proposed["probability"] >= 0.5
place = place.accept(*place.proposed.loc[likely, "service"])
place.save(out / "profile.yaml")
print((out / "profile.yaml").read_text())

# %% [markdown]
# ## Your part of the map
#
# Yours in the middle; at the edges one square per neighbour. Nothing else.

# %%
profile = sl.read_profile(out / "profile.yaml")
mine = production.team(profile)
sl.plot.production_map(mine)

# %%
for words in production.next_clusters(profile)["words"]:
    print("-", words)

# %% [markdown]
# A neighbour can be opened without opening the rest:

# %%
nearest = mine.neighbours()["cluster"].iloc[0]
sl.plot.production_map(mine, expand=[nearest])

# %% [markdown]
# ## What will wake you
#
# Pages per week, and how many of them came when people sleep or are off (UTC here; `tz="Europe/Berlin"` for Berlin).

# %%
place.pager_load.tail(6)

# %% [markdown]
# ## The front door
#
# Of a service: whose it is, what it does to others and others to it, what usually fires, what helps. What teams wrote
# down is read from their reviewed YAML files; nothing in these is ever run. Here the door of the one of yours that most
# others need:

# %%
service = max(mine.services["service"], key=lambda name: production.graph.in_degree(name, weight="confidence"))
door = production.front_door(service, contributed=data / "front_doors")
door

# %% [markdown]
# ## If it breaks, who is hit?
#
# *hit* is the probability that a service alerts within fifteen minutes when this one fails: from what followed in the
# past where that is known, from the edges where it is not. *depends* is who should be told of a change.

# %%
sl.plot.blast_radius(production, service=service)

# %%
hit = production.blast_radius(service)
hit[["service", "team", "hit", "low", "high", "depends", "basis"]].head(6)

# %%
for words in hit["words"].head(3):
    print("-", words)

# %% [markdown]
# ## How do two things hang together?
#
# A chain is as sure as its weakest link, and two services may hang together without either needing the other. The
# storefront and the database of the orders:

# %%
for words in production.paths("storefront-web", "orders-db")["words"].head(3):
    print("-", words)

# %% [markdown]
# ## What is new?
#
# What appeared on the map since the first of September, and what fell silent although it should not have. Both are
# claims, made only where chance would hardly do it; what could not be judged is counted.

# %%
for words in production.changes("2026-09-01")["words"]:
    print("-", words)

# %% [markdown]
# ## Look around
#
# Click a service for its front door, a line for its evidence, a square to open it. Below the picture stands the call
# that gives the same.

# %%
explorer = sl.Explorer(production, profile=profile, contributed=data / "front_doors")
explorer

# %% [markdown]
# ## What nobody can see from here

# %%
for words in mine.unseen["words"]:
    print("-", words)

# %% [markdown]
# Next: `07_walk_an_incident` goes through one bad hour on this map.
