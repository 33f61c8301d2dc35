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
# **Question.** It is 3 a.m. and many things fire at once. Where did it begin, who is hit, whom do I wake, what helps?
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
# ## Whose is it? Do I want to wake them?
#
# Five minutes in, seen from the service that fired first. Trouble travels from what is depended on to those who depend
# on it, so suspects are what it depends on, and what fires right now counts.

# %%
service = members["service"].iloc[0]
now = incident["starts_at"] + pd.Timedelta("5min")
wake = today.as_of(now).whom_to_wake(service, at=now)
wake[["team", "probability", "wake", "on_call", "words"]]

# %% [markdown]
# ## Who will be hit next?

# %%
sl.plot.blast_radius(before, service=service)

# %% [markdown]
# ## What helps?
#
# The front door: what teams wrote down for this part of the map, as text to read and copy.

# %%
before.front_door(service, contributed=data / "front_doors")

# %% [markdown]
# ## The parallel picture
#
# The whole incident over the map: drag the slider or press play. A ring marks who moved first; a line lights up when
# both its ends fire.

# %%
sl.plot.replay(today, incident=int(incident["incident_id"]))

# %% [markdown]
# The same as a table:

# %%
today.replay(int(incident["incident_id"])).head(12)

# %% [markdown]
# ## Was the map right?
#
# Of what was said about the blast radius before, what came true?

# %%
said = before.blast_radius(service).set_index("service")[["hit", "low", "high"]]
said["fired"] = said.index.isin(members["service"])
said.sort_values("hit", ascending=False).head(8)

# %% [markdown]
# ## For people without Jupyter
#
# `stanza-lab replay history/ NUMBER --html night.html` writes the picture, `stanza-lab report history/ --out
# report.html` all of it; both open without a network.
