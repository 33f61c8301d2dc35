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
# # 4. What depends on what?
#
# **Question.** Which service depends on which, judging by alerts alone, how sure are we, and do the traces agree?
#
# **Data.** The history that `01_import_alert_history` wrote; `data/traces/` covers a part of the services.
#
# **Takes** about twenty seconds.

# %% tags=["parameters"]
data = "../data"
out = "../build/demo"

# %%
from pathlib import Path

import pandas as pd

import stanza_lab as sl

data, out = Path(data), Path(out)

# %%
catalog = sl.read_ownership(data / "ownership.csv")
alerts = sl.resolve_entities(sl.History(out / "history").alerts(), catalog=catalog)
alerts = alerts[~alerts["origin"].isin(alerts["source"].unique())]  # no copies of alerts that are here as well
alerts = sl.cluster_incidents(alerts)

# %% [markdown]
# ## From alerts to edges
#
# Services that depend on each other get into trouble together. The model counts how often two services fire within
# one window, compares with what chance would give, and turns the surplus into a probability. `src` depends on `dst`;
# *link_confidence* says that there is a dependency in either direction, *confidence* that it has this direction.
# Direction is much harder to see than the link itself: where it says *unknown* below, take the pair as linked and no
# more.

# %%
model = sl.DependencyModel().fit(alerts)
edges = model.edges_
shown = ["src", "dst", "direction", "link_confidence", "confidence", "support", "lift", "lag_s", "q_value"]
sl.ProductionMap(edges).links[shown].head(8)

# %% [markdown]
# Every edge explains itself:

# %%
strongest = sl.ProductionMap(edges).links.iloc[0]
model.explain(strongest["src"], strongest["dst"])

# %% [markdown]
# ## Lay the traces over it
#
# Where traces exist they judge: *confirmed* was inferred and is traced; *alert-only* was inferred, and the traces of
# both services do not show it; *trace-only* is traced, and alerts alone would not have been sure of it. Without a
# verdict, traces cannot tell: one of the services has none.

# %%
spans = sl.read_traces(data / "traces")
edges = sl.overlay_traces(edges, spans)
production = sl.ProductionMap(edges, alerts, ownership=catalog)
sure = production.links[production.links["strength"] >= production.usual_confidence]
sure["verdict"].astype("str").fillna("not judged").value_counts().to_frame("dependencies")

# %% [markdown]
# ## The map
#
# Colour is the team, width the probability that there is a dependency, dashed means only inferred, no arrowhead means
# that the direction is not known. Hover over the middle of a line for its evidence; click a team in the legend to hide
# it.

# %%
sl.plot.production_map(production)

# %% [markdown]
# That is the world. Most days you want what is around you:

# %%
service = production.services.sort_values("alerts", ascending=False)["service"].iloc[0]
print(f"within two hops of {service}")
sl.plot.production_map(production.near(service, hops=2))

# %% [markdown]
# Or what is your team's, with the next clusters at its edges:

# %%
team = production.teams[0]
sl.plot.production_map(production.team(team))

# %%
for words in production.next_clusters(team)["words"]:
    print(words)

# %% [markdown]
# ## How good is this?
#
# Against the true call graph of the simulation. *auprc* is the area under the precision-recall curve: compare it with
# *chance*, which is what guessing gets.

# %%
truth = pd.read_csv(data / "truth" / "call_graph.csv")
sl.score_edges(model.edges_, call_graph=truth)

# %% [markdown]
# ## What we cannot see
#
# * A dependency that never failed in this history leaves no mark in alerts.
# * Services that share a cause (a host, a deploy) look as if they depended on each other.
# * Monitors evaluate once a minute, each at its own second: who fired first often means nothing.
#
# Next: `05_tune_correlation` asks whether other parameters would group better.
