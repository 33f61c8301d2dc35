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
# **Question.** A thousand alerts, but how many incidents were there, which alerts stood alone, and why?
#
# **Data.** The history that `01_import_alert_history` wrote, and the traces, for who calls whom.
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

# %% [markdown]
# Copies are left out (see `01_import_alert_history`): a page lies seconds from its alert, so that the two would look
# like an incident.

# %%
catalog = sl.read_ownership(data / "ownership.csv")
alerts = sl.resolve_entities(sl.History(out / "history").alerts(), catalog=catalog)
alerts = alerts[~alerts["origin"].isin(alerts["source"].unique())].sort_values("starts_at", ignore_index=True)
calls = sl.call_edges(sl.read_traces(data / "traces"))
print(f"{len(alerts):,} alerts of {alerts['service'].nunique()} services and {alerts['team'].nunique()} teams")

# %% [markdown]
# ## What everybody has
#
# A new incident begins after five quiet minutes. It takes one line, and it knows nothing but the clock: what fires by
# chance at the same time is one incident, and whoever pauses for six minutes is cut in two.

# %%
by_gap = alerts.assign(incident_id=sl.GapRule(gap="5min").fit_predict(alerts))
alone = (by_gap["incident_id"] == -1).sum()
print(f"{by_gap['incident_id'].max() + 1} incidents hold {len(alerts) - alone:,} alerts; {alone:,} stand alone")

# %% [markdown]
# ## What an alert knows besides
#
# Its service and who calls it, its team, its traces, and what its rule did before: did it fire with these rules on
# other days, or does it always fire alone? Each of these makes the distance between two alerts longer or shorter, in
# seconds that people can read. HDBSCAN groups what is dense. What is near nothing stays alone (`incident_id` is -1):
# most alerts of a noisy production should.

# %%
clusterer = sl.IncidentClusterer(edges=calls).fit(alerts)
alerts = alerts.assign(incident_id=clusterer.labels_)
incidents = sl.summarize_incidents(alerts)
alone = (alerts["incident_id"] == -1).sum()
print(f"{len(incidents)} incidents hold {len(alerts) - alone:,} alerts; {alone:,} stand alone")

# %% [markdown]
# The largest. *spread_s* are the seconds from the first to the last alert; *first_service* fired first, which is a
# hint, not proof, of where it started.

# %%
shown = ["incident_id", "starts_at", "spread_s", "alerts", "severity", "first_service", "title"]
incidents.nlargest(8, "alerts")[shown]

# %% [markdown]
# ## Look at one
#
# An incident, and an alert within the hour that was left out.

# %%
quiet = alerts["starts_at"].diff().gt("20min") & alerts["starts_at"].diff(-1).lt("-20min")
lone = alerts[quiet & (alerts["incident_id"] == -1)]
beside = pd.merge_asof(lone, incidents, on="starts_at", direction="nearest", tolerance=pd.Timedelta("1h"))
beside = beside.nlargest(1, "alerts").iloc[0]
number = int(beside["incident_id_y"])
sl.plot.incident_swimlane(alerts, incident=number, around="1h")

# %% [markdown]
# Read it from the top: who fired first, how it spread, how long each lasted. Hollow grey marks were left alone. Within
# a minute the order means little: it says which monitor looked first.
#
# ## Why is this alert in it?
#
# Take the one that came nearest to being left out.

# %%
one = alerts[alerts["incident_id"] == number]
inside = clusterer.explain(one["alert_id"].iloc[clusterer.distances_[one.index].argmax()])
inside

# %%
sl.plot.why_together(inside.evidence)

# %% [markdown]
# ## Why is that one not in it?

# %%
outside = clusterer.explain(beside["alert_id"])
outside

# %%
sl.plot.why_together(outside.evidence)

# %% [markdown]
# Each bar begins where the one above ends; the sum is the distance. *What would have moved it* tells which knob to
# turn if you disagree.
#
# ## What the rules are like
#
# *chronic* fires as if by chance, *flapping* comes back within half an hour, *periodic* comes at its hour of the
# day, *telling* fires only when something is wrong. The first three are worth mending or muting: nobody learns
# anything from them.

# %%
rules = clusterer.rules_
called = alerts.drop_duplicates("rule_key").set_index("rule_key")["alertname"]
rules = rules.assign(name=rules["rule"].map(called).fillna(rules["rule"]))
rules.groupby("habit", observed=False)[["alerts"]].agg(["size", "sum"]).droplevel(0, axis=1)

# %% [markdown]
# The loudest of those with a habit:

# %%
rules.loc[rules["habit"] != "unclear", ["name", "habit", "alerts", "per_day", "alone_share", "incidents"]].head(10)

# %% [markdown]
# ## Where the incidents come from
#
# All alerts on top; downwards they must be nearer to stay together, and fall apart. Coloured is what was taken as an
# incident. Tall means that it holds together at many distances: that incident does not depend on our settings. Flat
# means that other settings would have cut it.

# %%
sl.plot.condensed_tree(clusterer.condensed_tree_)

# %% [markdown]
# ## How good is this?
#
# The bundled history is simulated, so that the truth is known. *ari* is the adjusted Rand index, 1 is the same
# grouping, 0 is chance. *compression* is the share of pages saved: it means nothing without the *recall* beside it, for
# one incident a year compresses best. Over *all alerts*, noise that was put into an incident counts as well.

# %%
truth = sl.read_labels(data / "truth" / "alert_labels.csv", alerts=alerts)
both = {"gap 5 min": by_gap, "IncidentClusterer": alerts}
scores = pd.concat({name: sl.score_incidents(grouped, truth=truth) for name, grouped in both.items()})
scores[["ari", "pairwise_precision", "pairwise_recall", "compression"]].round(2)

# %% [markdown]
# What one number hides: incidents that are *over-grouped* hold several true ones, or noise; true ones that are
# *under-grouped* lie in several pieces, or were partly left alone.

# %%
scores.xs("all alerts", level="over").filter(like="grouped").astype("int64")

# %% [markdown]
# One by one, the worst first. *pairs* are pairs of alerts that were wrongly put together or parted.

# %%
sl.metrics.grouping_errors(alerts, truth=truth).head(6)

# %% [markdown]
# Look at the largest piece of the incident that was torn most. The grey marks are what it left out: hollow what is
# alone, filled what is in another incident.

# %%
true = alerts["alert_id"].map(truth.set_index("alert_id")["incident_id"])
torn = alerts[true == alerts.groupby(true)["incident_id"].nunique().idxmax()]
piece = torn.loc[torn["incident_id"] >= 0, "incident_id"].mode().iloc[0]
sl.plot.incident_swimlane(alerts, incident=piece, around="2h")

# %% [markdown]
# ## What would other rules have done?
#
# The same history through what other tools offer. A rule *hides* an incident when its alerts joined something else, so
# that nobody was woken for it.

# %%
tried = sl.backtest_grouping(
    alerts,
    {
        "a gap of 5 minutes": sl.GapRule(gap="5min"),
        "Alertmanager": sl.GroupByRule(),
        "the same service": sl.AttributeRule(by=["service"]),
        "similar titles": sl.SimilarityRule(similarity=0.8),
        "this model": sl.IncidentClusterer(edges=calls),
    },
    truth=truth,
)
for words in tried.summary:
    print("*", words)

# %% [markdown]
# Which incidents were hidden, and behind what? An empty table means none. *No incident* is noise: the page was about
# noise that fired first, and the incident joined it silently.

# %%
tried.hidden[["rule", "incident_id", "alerts", "behind"]]

# %% [markdown]
# ## You know better: say so
#
# `together`, `apart` and `alone` take alerts or incidents. Corrections are kept in a file that you can read and edit,
# apart from the grouping, and applied to every later one. Here somebody mends the torn incident:

# %%
corrections = sl.Corrections().together(*torn["alert_id"], alerts=alerts)
corrections.save(out / "corrections.yaml", alerts=alerts)
mended = sl.Corrections.read(out / "corrections.yaml").apply(alerts)
print(f"{corrections}; {(mended['incident_id'] != alerts['incident_id']).sum()} alerts moved")
print(*(out / "corrections.yaml").read_text().splitlines()[:6], sep="\n")

# %% [markdown]
# What you said is also what `05_tune_correlation` can learn from (`corrections.to_labels`).
#
# ## It is three in the morning
#
# The largest of the last ten incidents is under way, half of its alerts have fired. Where do the others belong?
# `predict` answers one alert at a time, as they come, or all of them:

# %%
last = alerts[alerts["incident_id"] == incidents.tail(10).nlargest(1, "alerts")["incident_id"].iloc[0]]
now = last["starts_at"].iloc[len(last) // 2]
past, new = alerts[alerts["starts_at"] < now], alerts[alerts["starts_at"] >= now]
model = sl.IncidentClusterer(edges=calls).fit(past)
joins = model.predict(new)
print(f"{now:%d %B, %H:%M} UTC; {model.labels_.max() + 1} incidents are known; numbers from there on would be new ones")
new.assign(joins=joins)[["starts_at", "service", "alertname", "joins"]].head(12)

# %% [markdown]
# Later they are added. What was grouped before stays as it was; the habits of the rules are learned anew. How far does
# that agree with grouping everything at once? (Adjusted Rand index; 1 is the same.)

# %%
model.partial_fit(new)
print(f"{sl.metrics.ari(alerts['incident_id'], model.labels_):.2f}")

# %% [markdown]
# ## What we cannot see
#
# * Two unrelated incidents at the same minute, in services that call each other, are taken for one.
# * A symptom that lingers after everything else is quiet can be left out: it looks like a flapping rule.
# * Noise that fires beside an incident by chance gets in; if it was first, the page is about the noise.
# * A rule that is new has no habits. The first weeks are the worst.
# * Alerts without a start time are left alone. A service without a monitor is silent, however broken it is.
# * This history is simulated, and tidier than yours. Label a week of your own before you believe the figures.
#
# Next: `04_infer_the_map` asks what depends on what.
