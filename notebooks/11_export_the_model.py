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
# # 11. Take the model elsewhere
#
# **Question.** What was learned here is in a notebook. How do I use it on tomorrow's alerts, and in the tools we
# have?
#
# **Data.** The history that `01_import_alert_history` wrote, cut in two: the model learns from July and August,
# September plays tomorrow.
#
# **Takes** about forty seconds.

# %% tags=["parameters"]
data = "../data"
out = "../build/demo"

# %%
from pathlib import Path

import pandas as pd
from IPython.display import Markdown

import stanza_lab as sl

data, out = Path(data), Path(out)
tomorrow = pd.Timestamp("2026-09-01", tz="UTC")


# %% [markdown]
# ## Learn, and save
#
# The same steps as in the notebooks before: names, incidents, dependencies, traces, patterns. `save_bundle` writes
# what came of them as one directory of JSON and Parquet: sums, names of rules, services and teams. No alert is in it,
# no text of one, no names of people, and nothing that runs when it is loaded.

# %%
catalog = sl.read_ownership(data / "ownership.csv")
spans = sl.read_traces(data / "traces")
reactions = sl.read_reactions(data / "reactions")
history = sl.History(out / "history").alerts()
names = sl.EntityResolver(catalog=catalog).fit(history)
alerts = names.transform(history)
alerts = alerts[~alerts["origin"].isin(alerts["source"].unique())]  # no copies of alerts that are here as well


def learn(alerts: pd.DataFrame, path: Path) -> sl.Bundle:
    """Fit all models on alerts, save what was learned, and load it again."""
    clusterer = sl.IncidentClusterer().fit(alerts)
    alerts = alerts.assign(incident_id=clusterer.labels_)
    model = sl.DependencyModel().fit(alerts)
    production = sl.ProductionMap(sl.overlay_traces(model.edges_, spans), alerts, ownership=catalog)
    sl.save_bundle(
        path,
        clusterer=clusterer,
        dependencies=model,
        production=production,
        alerts=alerts,
        patterns=sl.mine_patterns(alerts),
        reactions=reactions,
        names=names,
        calibration=sl.edge_reliability(model.edges_, spans),
        overwrite=True,
    )
    return sl.load_bundle(path)


summer = learn(alerts[alerts["starts_at"] < tomorrow], out / "bundle_summer")
summer

# %% [markdown]
# Its model card says, for people, what it was made of, how good it is and what it could not see:

# %%
Markdown(summer.card)

# %% [markdown]
# ## Trust it
#
# Every file is hashed, and the manifest sealed. A bundle of which one byte was changed is refused:

# %%
file = summer.path / "edges.parquet"
honest = file.read_bytes()
_ = file.write_bytes(honest[:100] + bytes([honest[100] ^ 1]) + honest[101:])
try:
    sl.load_bundle(summer.path)
except sl.errors.BundleError as error:
    print(error)
_ = file.write_bytes(honest)

# %% [markdown]
# Hashes do not tell that a whole bundle was exchanged for another. Note its `id`, and pass it: `load_bundle(path,
# expect="...")`.

# %%
sl.load_bundle(summer.path, expect=summer.id)

# %% [markdown]
# ## Score tomorrow's alerts
#
# September comes in, one alert after the other. Each gets an answer at once: which incident, why, where it likely
# began, whose that is, which pattern it begins like, and what could be done. A reaction is only words; nothing is
# done.

# %%
answers = summer.score(alerts[alerts["starts_at"] >= tomorrow])
answers["status"].value_counts()

# %%
shown = answers[answers["incident_id"] >= 0].drop_duplicates("incident_id", keep="last")
shown[["starts_at", "incident_id", "origin", "origin_probability", "team", "pattern", "reaction"]].head(12)

# %% [markdown]
# Why an alert is where it is:

# %%
pd.set_option("display.max_colwidth", 160)
answers.loc[answers["status"].isin(["new", "joined"]), ["service", "incident_id", "confidence", "why"]].head(6)

# %% [markdown]
# In a shell the same is a filter: `tail -f alerts.ndjson | stanza-lab score bundle/ --checkpoint state.json`. It
# reads what any system sends, answers each line, takes late ones, and goes on where it was when it is started again.

# %%
scorer = sl.LineScorer(summer)
september = sorted((data / "exports").glob("*eventbridge*2026-09*.ndjson"))[0].read_bytes().splitlines()
pd.DataFrame(scorer.answer(september[:40], whole=True)).groupby("status").size()

# %% [markdown]
# ## What changed since
#
# A model ages. Learn again with September, and compare:

# %%
bundle = learn(alerts, out / "bundle")
changed = sl.diff_bundles(summer, bundle)
changed

# %% [markdown]
# ## Into other tools
#
# Each target has a guide, says what could not be carried over, and is checked by the tool it is for.

# %%
sl.export_targets()[["target", "what", "proven_by"]]

# %% [markdown]
# These alerts never were in an Alertmanager, so which labels they will carry there has to be said; without that, no
# rule is written. A rule hides an effect only while its cause fires.

# %%
made = sl.export(
    bundle,
    "alertmanager",
    out / "exports" / "alertmanager",
    labels="alertname=alertname,service=service",
    overwrite=True,
)
Markdown("\n".join(f"* {sentence}" for sentence in made.lost))

# %%
print((made.path / "inhibit_rules.yml").read_text())

# %% [markdown]
# `stanza-lab replay-alertmanager history/ --config alertmanager.yml --labels alertname=alertname,service=service`
# sends this history through a real Alertmanager on your machine and says what it grouped and hid.
#
# Every other target, likewise:

# %%
needs = {"prometheus": {"labels": "alertname=alertname,service=service"}}
for target in sl.export_targets()["target"]:
    try:
        print(sl.export(bundle, target, out / "exports" / target, overwrite=True, **needs.get(target, {})))
    except sl.errors.MissingExtraError as error:
        print(f"{target}: {error}")

# %% [markdown]
# ## The report
#
# One HTML file with the findings in words, the figures and the tables. It opens without a network, so it can be sent
# to anyone.

# %%
grouped = sl.cluster_incidents(alerts)
production = sl.ProductionMap(bundle.edges, grouped, ownership=catalog)
sl.write_report(out / "report.html", alerts=grouped, incidents=sl.summarize_incidents(grouped), production=production)
