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
# **Takes** about half a minute.
#
# We go from a preview that takes a second to a map whose confidence is checked: what the model says and why, whether
# its probabilities come true, what traces add, what travels along the edges, and what nobody can see here.

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
# ## A preview: who fires with whom
#
# Services that depend on each other get into trouble together. From the times alone, one line:

# %%
preview = sl.DependencyModel(sources=["times"]).fit(alerts)
shown = ["src", "dst", "direction", "link_confidence", "confidence", "support", "lift", "lag_s"]
sl.ProductionMap(preview.edges_).links[shown].head(5)

# %% [markdown]
# `src` depends on `dst`; *link_confidence* is the probability of a dependency in either direction, *confidence* that it
# has this direction, *lift* how many times more often both fired together than chance gives.
#
# ## The model: everything the alerts tell
#
# Times are one source among several. Error texts that name a callee, traces and resources that alerts share, the teams
# they page, names, and what kind of thing a service is (a database calls no one) are weighed with them, each as an
# addition to the log odds. A source that is missing adds nothing.

# %%
model = sl.DependencyModel().fit(alerts)
sl.ProductionMap(model.edges_).links[shown].head(8)

# %% [markdown]
# Where *direction* says unknown, take the pair as linked and no more: monitors look once a minute, each at its own
# second, so who fired first often means nothing.
#
# Every edge says why it is believed, and what argues against it. Mind that the strongest link of a history may still
# be the wrong way round, or a common cause: read what speaks for the link and what for the direction apart.

# %%
strongest = sl.ProductionMap(model.edges_).links.iloc[0]
why = model.explain(strongest["src"], strongest["dst"])
why

# %%
sl.plot.why_dependency(why)

# %% [markdown]
# On the left: how long after the dependency's alert the other one came; the line is what chance would give. On the
# right: from what was expected of any two services to the probability, source by source.
#
# ## Does the confidence come true?
#
# Traces know some of the calls. Among the pairs they can judge: of those the model gives about 80 %, are about 80 %
# real? Points on the diagonal are honest, points above it too modest. The bars say how little a few pairs prove.

# %%
spans = sl.read_traces(data / "traces")
sl.plot.reliability(sl.edge_reliability(model.edges_, spans))

# %% [markdown]
# The same pairs can correct the rest. With few of them hardly anything moves, and the report says so:

# %%
calibrator = sl.EdgeCalibrator().fit(model.edges_, spans)
edges = calibrator.transform(model.edges_)
print(calibrator.report_)

# %% [markdown]
# ## Lay the traces over it
#
# *Confirmed* was inferred and is traced (the way the traces say, whatever the alerts made of it); *alert-only* was
# inferred, and the traces of both services do not show it; *trace-only* is traced, and alerts alone would not have been
# sure of it. Without a verdict, traces cannot tell.

# %%
edges = sl.overlay_traces(edges, spans)
sl.plot.dependency_overlay(edges)

# %%
sl.trace_coverage(model.edges_, spans)

# %% [markdown]
# What only alerts know is worth a question to the people who own it:

# %%
for words in sl.unknown_dependencies(edges, spans=spans, alerts=alerts)["words"].head(5):
    print("-", words)

# %% [markdown]
# ## What travels along the edges
#
# Given the map: which kind of trouble on a service is followed by which on those that call it, and how much later?

# %%
lead = sl.infer_propagation(alerts, edges)
sl.plot.propagation(lead)

# %%
for words in lead[lead["q_value"] < 0.05].nlargest(3, "probability")["words"]:
    print("-", words)

# %% [markdown]
# ## The map
#
# Colour is the team, width the probability that there is a dependency, dashed means only inferred, no arrowhead means
# that the direction is not known. Hover over the middle of a line for its evidence; click a team in the legend to hide
# it.

# %%
production = sl.ProductionMap(edges, alerts, ownership=catalog)
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
    print("-", words)

# %% [markdown]
# ## The map as it was, and a day more
#
# The counts behind the map add up over days, so the map of the past is a matter of leaving days out.

# %%
before = model.as_of("2026-08-15").edges_
sure_then, sure_now = ((table["confidence"] >= 0.5).sum() for table in (before, model.edges_))
print(f"edges of confidence .5 or more: {sure_then} on 15 August, {sure_now} at the end")

# %% [markdown]
# ## How good is this?
#
# Against the true call graph of the simulation. *auprc* is the area under the precision-recall curve: compare it with
# *chance*, which is what guessing gets; *ece* is how far confidence is from frequency.

# %%
truth = pd.read_csv(data / "truth" / "call_graph.csv")
known = sorted(alerts["service"].dropna().unique())
sl.score_edges(model.edges_, call_graph=truth, services=known).T

# %% [markdown]
# ## What we cannot see
#
# Services that fired so rarely that times tell nothing of their edges:

# %%
rare = model.nodes_[~model.nodes_["judged"]]
print(f"{len(rare)} of {len(model.nodes_)} services: {', '.join(rare.index[:12]) or 'none'}")
print(f"alerts that could not be used: {model.skipped_}")

# %% [markdown]
# * A dependency that never failed in this history leaves no mark in alerts.
# * A service without monitors is not on the map at all; what lies behind it looks like a direct dependency.
# * Services that share a cause (a host, a deploy) look as if they depended on each other.
# * Direction is a probability of its own, and often close to even.
#
# Next: `05_tune_correlation` asks whether other parameters would group better.
