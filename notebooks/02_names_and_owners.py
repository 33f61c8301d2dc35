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
# # 2. One name for one thing, and whose it is
#
# **Question.** Which names in our alerts mean the same service, who owns it, and what do the alerts not cover?
#
# **Data.** The history that `01_import_alert_history` wrote, the catalogue `ownership.csv`, the traces.
#
# **Takes** about fifteen seconds.

# %% tags=["parameters"]
data = "../data"
out = "../build/demo"

# %%
from pathlib import Path

import stanza_lab as sl

data, out = Path(data), Path(out)

# %%
history = sl.History(out / "history")
alerts = history.alerts()
catalog = sl.read_ownership(data / "ownership.csv")
spans = sl.read_traces(data / "traces")

# %% [markdown]
# ## What does one line of text mention?
#
# Try it on a line of your own. `method` says how a mention was read, `confidence` how far to trust that. A *callee* is
# what an error says was called: a hint at a dependency, and never the service the alert is about.

# %%
line = "checkout-api-7d9f8b6c5d-x2x4z: dial tcp: lookup orders-db on 10.0.0.10:53: no such host (env:prod)"
sl.extract_entities(line)[["kind", "type", "name", "start", "end", "method", "confidence"]]

# %% [markdown]
# ## Which names are one service?
#
# Tools spell services their own way. Names that differ in case, separators or a word for production are one by rule
# (*stated*). Names that differ more are one where the evidence makes it likely (*learned*). The catalogue is left out
# here, to see how far the alerts alone get. These services have several names:

# %%
resolver = sl.EntityResolver().fit(alerts, spans=spans)
names = resolver.names_
several = (names["spellings"].str.len() > 1) | (names["name"] != names["service"])
names[several][["service", "name", "confidence", "basis", "spellings"]]

# %% [markdown]
# Ask why. If it is wrong, say so in a YAML file (`overrides="names.yaml"`): what people say always wins.

# %%
learned = names.loc[names["basis"] == "learned", "name"]
resolver.explain(learned.iloc[0] if len(learned) else names["name"].iloc[0])

# %% [markdown]
# What was *not* joined although something speaks for it. An empty table means that nothing was doubtful.

# %%
resolver.conflicts_.head(10)

# %% [markdown]
# ## Who owns what, and who is paged for it?
#
# The catalogue declares owners; the pages tell who is really woken. Where the two disagree, somebody is paged for what
# is not theirs.

# %%
owners = sl.infer_ownership(alerts, catalog=catalog)
owners.groupby(["basis", owners["conflict"].astype("str").fillna("none")], observed=True).size().to_frame("services")

# %% [markdown]
# In words, some of them:

# %%
print("\n".join(owners["service"].str.cat(owners["words"], sep=": ").head(6)))

# %% [markdown]
# Teams that are paged together more often than by chance. This does not say who depends on whom.

# %%
sl.relate_teams(alerts, catalog=catalog).head(8)[["team", "other", "together", "expected", "lift", "days"]]

# %% [markdown]
# ## How do you know that you have captured everything?
#
# You don't, but you can know what is missing. One figure, where it comes from, and what to fix first.

# %%
covered = sl.coverage(alerts, spans=spans, catalog=catalog)
covered

# %%
sl.plot.coverage(covered)

# %% [markdown]
# Next: `03_correlate_alerts` puts together what belongs together.
