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
# # 10. Look back on one incident
#
# **Question.** Tomorrow we talk about what happened. What came when, where did it begin, who was paged and who should
# have been, have we seen it before, and what should we ask?
#
# **Data.** The history that `01_import_alert_history` wrote; the largest incident of its last four weeks.
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
pd.set_option("display.max_colwidth", None, "display.precision", 2)

# %%
history = sl.History(out / "history")
catalog = sl.read_ownership(data / "ownership.csv")
known = sl.resolve_entities(history.alerts(), catalog=catalog)
alerts = sl.cluster_incidents(known[~known["origin"].isin(known["source"].unique())])
model = sl.DependencyModel().fit(alerts)
edges = sl.overlay_traces(model.edges_, sl.read_traces(data / "traces"))
production = sl.ProductionMap(edges, alerts, ownership=catalog, model=model)
events = history.events()  # releases, notes, acknowledgements

# %%
incidents = sl.summarize_incidents(alerts)
recent = incidents[incidents["starts_at"] > incidents["starts_at"].max() - pd.Timedelta("28D")]
incident = int(recent.sort_values("alerts", ascending=False)["incident_id"].iloc[0])
review = sl.review(
    alerts,
    incident=incident,
    production=production,
    events=events,
    pages=known,
    patterns=sl.mine_patterns(alerts, pages=known),
    engagements=sl.read_engagements(events),
)
review

# %% [markdown]
# ## Where did it begin?
#
# Ranked with reasons for and against, also services that never alerted. The numbers are probabilities under this map:

# %%
sl.plot.likely_origins(review.origins)

# %% [markdown]
# ## The course of it

# %%
sl.plot.incident_swimlane(alerts, incident=incident, marks=review.timeline)

# %%
review.timeline[["at", "kind", "team", "words"]].head(20)

# %% [markdown]
# ## Who was paged, who should have been

# %%
review.paged[["team", "probability", "verdict", "words"]]

# %% [markdown]
# ## Questions for the meeting
#
# They come from what was found and from what could not be seen. No person is named.

# %%
review.questions

# %% [markdown]
# ## Was the origin right?
#
# This history is simulated, so the truth can be looked up:

# %%
truth = pd.read_csv(data / "truth" / "incidents.csv", parse_dates=["start", "end"])
began = incidents.set_index("incident_id").loc[incident, "starts_at"]
truth.iloc[[(truth["start"] - began).abs().argmin()]]

# %% [markdown]
# One incident proves nothing: `python -m benchmarks.origins FOLDER` prints how often it is right, beside simply taking
# the service that alerted first or most.
#
# ## To take along
#
# Markdown to paste into the document of the meeting, and one page of HTML that opens without a network. In the shell:
# `stanza-lab review history/ 2026-09-04T15:12 --traces traces/ --ownership ownership.csv --out review.md`.

# %%
print(review.to_markdown()[:1200])

# %%
sl.write_review(out / "review.html", review)
