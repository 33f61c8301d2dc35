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
# # 11. Keep the model, share the findings
#
# **Question.** How do I take this home, to another machine or to people without Jupyter?
#
# **Data.** The history that `01_import_alert_history` wrote.
#
# **Takes** about twenty seconds.

# %% tags=["parameters"]
data = "../data"
out = "../build/demo"

# %%
from pathlib import Path

import stanza_lab as sl

data, out = Path(data), Path(out)

# %%
catalog = sl.read_ownership(data / "ownership.csv")
alerts = sl.resolve_entities(sl.History(out / "history").alerts(), catalog=catalog)
alerts = alerts[~alerts["origin"].isin(alerts["source"].unique())]  # no copies of alerts that are here as well
clusterer = sl.IncidentClusterer().fit(alerts)
alerts = alerts.assign(incident_id=clusterer.labels_)
model = sl.DependencyModel().fit(alerts)
edges = sl.overlay_traces(model.edges_, sl.read_traces(data / "traces"))
production = sl.ProductionMap(edges, alerts, ownership=catalog)

# %% [markdown]
# ## The bundle
#
# One directory of JSON and Parquet: parameters, statistics, edges, services, and a manifest with the versions, the
# span of the data and a hash of every file. No alert text, no names of people, and nothing that executes when it is
# loaded.

# %%
path = sl.save_bundle(out / "bundle", clusterer=clusterer, dependencies=model, production=production, overwrite=True)
bundle = sl.load_bundle(path)
bundle

# %% [markdown]
# Loading checks every hash: a bundle that was altered or cut short is refused. What comes back is what went in.

# %%
bundle.edges.equals(production.edges)

# %% [markdown]
# ## The report
#
# One HTML file with the findings in words, the figures and the tables. It opens without a network, so it can be sent
# to anyone.

# %%
incidents = sl.summarize_incidents(alerts)
sl.write_report(out / "report.html", alerts=alerts, incidents=incidents, production=production)
