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
# # 8. What keeps recurring, and what would have helped?
#
# **Question.** I saw that this series of events occurred. Have we seen it before, how did it go on, how early could we
# have known, and would a restart or a shift of traffic have come in time?
#
# **Data.** The history that `01_import_alert_history` wrote, and what two teams of the invented company would do
# (`data/reactions`).
#
# **Takes** about half a minute.

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
catalog = sl.read_ownership(data / "ownership.csv")
known = sl.resolve_entities(sl.History(out / "history").alerts(), catalog=catalog)
alerts = known[~known["origin"].isin(known["source"].unique())]  # no copies of alerts that are here as well
alerts = sl.cluster_incidents(alerts)
print(f"{alerts['incident_id'].max() + 1} incidents; {(alerts['incident_id'] == -1).sum()} alerts on their own")

# %% [markdown]
# ## Sequences that recur
#
# A pattern is a sequence of kinds of alert (what is wrong at which service) that came again and again, more often than
# in the same history with its services shifted in time against each other. `pages=known` tells when somebody was paged.

# %%
patterns = sl.mine_patterns(alerts, pages=known)
patterns

# %% [markdown]
# In a quarter of a year little recurs often enough to be sure. What was left out, and why:

# %%
for sentence in patterns.unseen:
    print("-", sentence)

# %% [markdown]
# One of them, step by step: the dot is the usual delay after the first alert, the bar holds the middle 80 % of all
# times; hollow steps are optional.

# %%
first = patterns.table["pattern"].iloc[0]
sl.plot.pattern_steps(patterns, pattern=first)

# %%
print(patterns.explain(first))

# %% [markdown]
# When each happened:

# %%
sl.plot.pattern_calendar(patterns)

# %% [markdown]
# ## A new incident: seen before?
#
# The largest incident of the last four weeks, as its alerts look now:

# %%
incidents = sl.summarize_incidents(alerts)
recent = incidents[incidents["starts_at"] > incidents["starts_at"].max() - pd.Timedelta("28D")]
incident = int(recent.sort_values("alerts", ascending=False)["incident_id"].iloc[0])
patterns.seen_before(alerts[alerts["incident_id"] == incident])["words"].tolist()

# %% [markdown]
# Where no pattern fits, single past incidents may still be alike. Unusual kinds of alert in common say much, chronic
# ones little:

# %%
alike = sl.look_alikes(alerts, incident=incident, before=True, top=3)
sl.plot.look_alikes(alike)

# %% [markdown]
# ## How early could we have known?
#
# Learned from the first part of the history, measured on the rest. With so few occurrences most cannot be judged, and
# that is what it says:

# %%
early = sl.early_warnings(alerts, pages=known)
early

# %% [markdown]
# ## What would have helped?
#
# Teams write down what they would do, bound to a pattern or to a place on the map, with guardrails. A command is text:
# nothing here ever runs one.

# %%
reactions = sl.read_reactions(data / "reactions")
reactions

# %% [markdown]
# The backtest walks through the second half of the history with patterns from the first: when would each have fired,
# how long before the first page and before recovery, was it right, whom would it have touched? What acting would have
# changed is in no history, so what it saves is an interval from nothing to the most possible.

# %%
spans = sl.read_traces(data / "traces")
model = sl.DependencyModel().fit(alerts)
production = sl.ProductionMap(sl.overlay_traces(model.edges_, spans), alerts, ownership=catalog, model=model)
middle = (alerts["starts_at"].min() + (alerts["starts_at"].max() - alerts["starts_at"].min()) / 2).floor("D")
earlier = sl.mine_patterns(alerts[alerts["starts_at"] < middle], pages=known)
tried = sl.backtest(reactions, alerts, production=production, patterns=earlier, pages=known, since=middle)
tried

# %%
sl.plot.reaction_backtest(tried)

# %% [markdown]
# ## And now?
#
# Five minutes into that incident, what applies, in order, each with what its guardrails say. Then a plan, and a dry
# run of it: the only things that ship are one that prints and one that records.

# %%
began = incidents.set_index("incident_id").loc[incident, "starts_at"]
now = began + pd.Timedelta("5min")
firing = alerts[(alerts["incident_id"] == incident) & (alerts["starts_at"] <= now)]
proposals = sl.propose(reactions, production.as_of(now), alerts=firing, patterns=earlier, history=tried, at=now)
proposals

# %%
plane = sl.DryRun()
for proposal in list(proposals)[:1]:
    plan = plane.plan(proposal)
    print(plan)
    print(plane.apply(plan, approve="whoever is on call", at=now).words)

# %% [markdown]
# In the shell: `stanza-lab patterns history/`, `stanza-lab patterns history/ --incident 39`, `stanza-lab reactions
# history/ data/reactions`, and `--now 2026-09-04T15:15` for what applies at a moment.
