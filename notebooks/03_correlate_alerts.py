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
# # 3. Which alerts belong together?
#
# **Question.** A hundred alerts, but how many incidents were there, and which alerts stood alone?
#
# **Data.** The history that `01_import_alert_history` wrote.
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
print(f"{len(alerts):,} alerts of {alerts['service'].nunique()} services and {alerts['team'].nunique()} teams")

# %% [markdown]
# ## Group them
#
# The distance between two alerts is one people can read: minutes apart, plus something if they are about different
# services, plus something if they page different teams. HDBSCAN groups what is dense under this distance. An alert that
# is near nothing stays on its own (`incident_id` is -1): most alerts of a noisy production should. Copies were left
# out above (see `01_import_alert_history`): a page lies seconds from its alert, so the two would look like an incident.

# %%
clusterer = sl.IncidentClusterer()
alerts = alerts.assign(incident_id=clusterer.fit_predict(alerts))
incidents = sl.summarize_incidents(alerts)
alone = (alerts["incident_id"] == sl.schema.NOISE).sum()
print(f"{len(incidents)} incidents hold {len(alerts) - alone:,} alerts; {alone:,} alerts stand alone")

# %% [markdown]
# The largest incidents. *spread_s* are the seconds from the first to the last alert's start; *first_service* fired
# first, which is a hint, not proof, of where it started.

# %%
shown = ["incident_id", "starts_at", "spread_s", "alerts", "severity", "first_service", "title"]
incidents.nlargest(8, "alerts")[shown]

# %% [markdown]
# ## Look at one
#
# The largest incident, alert by alert. Which service was first, how did it spread, who was paged?

# %%
largest = incidents.nlargest(1, "alerts").iloc[0]
one = alerts[alerts["incident_id"] == largest["incident_id"]]
sl.plot.timeline(one, title=f"Incident {largest['incident_id']}: {largest['title']}")

# %% [markdown]
# ## How good is this?
#
# The bundled history is simulated, so the truth is known. The table compares what was found with it: once over the
# alerts that belong to a true incident, once over all alerts, where each noise alert counts as an incident of its own
# (the stricter measure: noise put into an incident costs). Values near 1 are good; *ari* is the adjusted Rand index.

# %%
labels = pd.read_csv(data / "truth" / "alert_labels.csv", dtype=str)
sl.score_incidents(alerts, truth=labels)

# %% [markdown]
# The rule everybody has, for comparison: a new incident after five quiet minutes.

# %%
ordered = alerts.sort_values("starts_at")
gap = (ordered["starts_at"].diff() > pd.Timedelta("5min")).cumsum()
sl.score_incidents(ordered.assign(incident_id=gap), truth=labels)

# %% [markdown]
# ## What we cannot see
#
# * Two unrelated incidents at the same minute can be taken for one; a slow incident can be cut in two.
# * Alerts without a start time are left alone.
# * A service without a monitor is silent, however broken it is.
#
# Next: `04_infer_the_map` asks what depends on what.
