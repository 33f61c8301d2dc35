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
# # 7. Walk an incident
#
# **Question.** Many things fire at once. Where did it begin, who is hit, whom do I wake, what helps?
#
# **Data.** The history that `01_import_alert_history` wrote; we walk through the largest incident of its last four
# weeks as if it were now.
#
# **Takes** about fifteen seconds.

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
incidents = sl.summarize_incidents(alerts)
recent = incidents[incidents["starts_at"] > incidents["starts_at"].max() - pd.Timedelta("28D")]
incident = recent.sort_values("alerts", ascending=False).iloc[0]
incident[["starts_at", "alerts", "services", "teams", "severity", "title"]]

# %% [markdown]
# ## What was known that night
#
# To walk it honestly the map may only know what came before: `as_of` leaves out every alert from then on. (Traces carry
# no date on the map; it says so.)

# %%
model = sl.DependencyModel().fit(alerts)
edges = sl.overlay_traces(model.edges_, sl.read_traces(data / "traces"))
today = sl.ProductionMap(edges, alerts, ownership=catalog, model=model)
before = today.as_of(incident["starts_at"])
before

# %% [markdown]
# ## The first minutes
#
# Who fired, in order:

# %%
members = alerts[alerts["incident_id"] == incident["incident_id"]].sort_values("starts_at")
members[["starts_at", "service", "team", "severity", "alertname"]].head(6)

# %% [markdown]
# ## Where did it begin? Whose is it, do I want to wake them?
#
# Five minutes in, seen from the service that fired first. Trouble travels from what is depended on to those who depend
# on it, so suspects are what it depends on; who fires, who stays silent and who came first in the past decide.

# %%
service = members["service"].iloc[0]
now = incident["starts_at"] + pd.Timedelta("5min")
wake = today.as_of(now).whom_to_wake(service, at=now)
wake[["team", "probability", "wake", "on_call", "suspects"]]

# %%
for words in wake["words"].head(3):
    print("-", words)

# %% [markdown]
# ## Who is hit if it is that?
#
# The first suspect, seen from the map of before:

# %%
suspect = wake["suspects"].iloc[0][0]
sl.plot.blast_radius(before, service=suspect)

# %% [markdown]
# ## What helps?
#
# Its front door: what the team wrote down for this part of the map, as text to read and copy.

# %%
before.front_door(suspect, contributed=data / "front_doors")

# %% [markdown]
# ## The parallel picture
#
# The whole incident over today's map: drag the slider or press play. A ring marks services before which nothing they
# depend on had alerted: where many alert within minutes that is many, for callers are often noticed first. A line
# lights up when both its ends fire.

# %%
sl.plot.replay(today, incident=int(incident["incident_id"]))

# %% [markdown]
# ## Was that right?
#
# This history is simulated, so the truth can be looked up. Which fault was it?

# %%
truth = pd.read_csv(data / "truth" / "incidents.csv", parse_dates=["start"])
truth.iloc[[(truth["start"] - incident["starts_at"]).abs().argmin()]]

# %% [markdown]
# And of what was said of the blast radius before, what came true? Everything with a probability, and everything that
# fired though it was not named:

# %%
hit = before.blast_radius(suspect).set_index("service")["hit"]
fired = pd.Index(members["service"].unique()).drop(suspect, errors="ignore")
said = pd.DataFrame({"hit": hit.reindex(hit.index.union(fired)).fillna(0.0)})
said["fired"] = said.index.isin(fired)
said.sort_values("hit", ascending=False)

# %%
print(f"expected to fire: {said['hit'].sum():.1f} services; fired: {said['fired'].sum()}")

# %% [markdown]
# One incident proves nothing, and this is the largest of its weeks. How often such numbers come true over many,
# `python -m benchmarks.blast` prints.

# %% [markdown]
# ## For people without Jupyter
#
# `stanza-lab replay history/ 2026-09-04T15:12 --html night.html` writes the picture of what went on then, `stanza-lab
# report history/ --out report.html` all of it; both open without a network.
