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
# # 5. Would other parameters group better?
#
# **Question.** Are the defaults good enough for our alerts, and how would we know?
#
# **Data.** The history that `01_import_alert_history` wrote, the traces, and labels: which alerts were one incident.
#
# **Takes** about a minute.

# %% tags=["parameters"]
data = "../data"
out = "../build/demo"

# %%
from pathlib import Path

import pandas as pd
from sklearn.model_selection import GridSearchCV

import stanza_lab as sl

data, out = Path(data), Path(out)

# %%
catalog = sl.read_ownership(data / "ownership.csv")
every = sl.resolve_entities(sl.History(out / "history").alerts(), catalog=catalog)
alerts = every[~every["origin"].isin(every["source"].unique())].sort_values("starts_at", ignore_index=True)
calls = sl.call_edges(sl.read_traces(data / "traces"))
defaults = sl.IncidentClusterer(edges=calls)

# %% [markdown]
# ## What do you know?
#
# Labels say which alerts were one incident, or none; what they do not list is unknown, and judged by nothing. Here the
# truth of the simulation. You have no such file, but perhaps
#
# * post-mortems: from when to when, and which services (`labels_from_spans`)
# * a pager in which people merge incidents (`labels_from_pages`)
# * an hour and a notebook (`Corrections`, see `03_correlate_alerts`)
#
# How much would they have said here?

# %%
truth = sl.read_labels(data / "truth" / "alert_labels.csv", alerts=alerts)
written = sl.labels_from_spans(alerts, incidents=pd.read_csv(data / "truth" / "incidents.csv"))
merged = sl.labels_from_pages(every)
known = {"truth": truth, "post-mortems": written, "merged pages": merged}
pd.DataFrame({name: labels["incident_id"].agg(["count", "nunique"]) for name, labels in known.items()}).T.set_axis(
    ["alerts", "incidents"], axis=1
)

# %%
both = truth.merge(written, on="alert_id", how="left", suffixes=("", "_written"))
right, found, _ = sl.metrics.pairwise(both["incident_id"], both["incident_id_written"])
print(f"post-mortems: {right:.0%} of the pairs they put together are right, {found:.0%} of the true pairs are found")

# %% [markdown]
# Nobody merged pages in this history, so pages say nothing. Post-mortems would do, if somebody wrote them.
#
# ## Search
#
# The last quarter of the history is put aside; no trial sees it. On the rest, each trial groups stretches of time with
# what was learned before them, and never the other way round. No incident is cut in two. Which knobs, and how far:

# %%
space = {
    "max_gap": ("5min", "1h"),
    "resolution": ("30s", "10min"),
    "min_rules": (1, 3),
    "recurrence_gap": ("15s", "4min"),
    "chronic_gap": ("30s", "8min"),
    "company_gap": ("15s", "4min"),
}
result = sl.tune(alerts, estimator=defaults, space=space, truth=truth, n_trials=18, random_state=0)
value = result.trials["value"]
print(f"{len(value)} trials; the first scores {value[0]:.2f}, the best {value.max():.2f}")

# %% [markdown]
# The first trial is what we have. So few are a beginning: pass more, and `storage="study.sqlite"` to go on another day.
#
# ## Which knob matters?

# %%
sl.plot.parameter_importance(result.importance)

# %% [markdown]
# How much of the difference between trials each explains, in the range that was searched. With so few trials take it as
# a hint at what to search next.
#
# ## What can be had?
#
# More compression means fewer pages, more recall means fewer incidents in pieces. Trials on the line are beaten by no
# other in both. (Trials that were stopped early saw less of the history, and are left out.)

# %%
complete = result.trials[result.trials["state"] == "complete"]
sl.plot.trade_off(complete)

# %% [markdown]
# The two go together: whoever throws more into one incident gets more of both. What it costs is precision, so look at
# that before you ask for fewer pages. Where on this line you want to be is your choice, not the machine's.

# %%
sl.plot.trade_off(complete, y="precision", front="found by precision")

# %% [markdown]
# ## Did it help?
#
# Only what was put aside can say. *score* is the mean of *ari_incident* and *ari_all*. *tuned_is* says "better" or
# "worse" only where the difference is more than the luck of the draw (`ahead_low` to `ahead_high`).

# %%
result.comparison[
    ["method", "score", "ari_incident", "ari_all", "recall", "precision", "compression", "tuned_is"]
].round(2)

# %%
print(result.words)

# %% [markdown]
# A tuned model that is best on the past is not always best on what comes after; a default that already fits cannot be
# beaten. Both are findings. The gap that was best on the past is in the table too: that is what you would have chosen
# by hand.
#
# ## The same with scikit-learn
#
# The clusterer is an estimator like any other, and `TimeSplits` is what keeps a search from looking into the future.

# %%
grid = {"max_gap": ["10min", "20min", "40min"], "chronic_gap": ["1min", "2min", "4min"]}
true = alerts["alert_id"].map(truth.set_index("alert_id")["incident_id"])
search = GridSearchCV(defaults, grid, cv=sl.TimeSplits(n_splits=3)).fit(alerts, true)
tried = pd.DataFrame(search.cv_results_["params"]).assign(score=search.cv_results_["mean_test_score"])
tried.pivot_table(index="max_gap", columns="chronic_gap", values="score").round(3)

# %% [markdown]
# ## And without labels?
#
# Then the search can only ask whether incidents stand apart in time, whether they survive when some alerts are missing,
# and whether alerts that traces connect are together. None of that is what you want; it is what can be measured.

# %%
blind = sl.tune(alerts, estimator=defaults, space=space, traces=calls, n_trials=10, random_state=0)
print(blind.words)

# %% [markdown]
# That was its own opinion of itself. Here we know better, and can look at what it is worth, on the period put aside:

# %%
since = blind.held_out["since"].iloc[0]
rules = {
    "defaults": defaults,
    "tuned with labels": sl.IncidentClusterer(edges=calls, **result.best_params),
    "tuned without labels": sl.IncidentClusterer(edges=calls, **blind.best_params),
}
judged = sl.backtest_grouping(alerts, rules, truth=truth, since=since).table.set_index("rule")
judged[["ari", "ari_all", "recall", "precision", "compression", "hidden_alerts"]].round(2)

# %%
ahead = judged.loc["tuned without labels", "ari_all"] - judged.loc["defaults", "ari_all"]
verdict = "no different from" if abs(ahead) < 0.005 else "better than" if ahead > 0 else "worse than"
print(f"Over all alerts, what was tuned without labels is {verdict} the defaults ({ahead:+.2f}).")

# %% [markdown]
# Compare that with what the search thought of itself. It cannot tell noise from an incident: parameters that join more
# look stable and far apart, and score. Use it to learn what your settings do, not to choose them; an hour of labelling
# is worth more.
#
# ## Keep it
#
# The file carries the parameters and what was found about them. `recommended_params` are the tuned ones only if they
# helped.

# %%
path = result.to_yaml(out / "parameters.yaml")
print(path.read_text())

# %%
chosen = sl.IncidentClusterer(edges=calls).set_params(**result.recommended_params)
print(f"read again, the same: {sl.read_params(path) == result.best_params}")
print(f"tuning helped: {result.helped}; we go on with a max_gap of {chosen.max_gap}")

# %% [markdown]
# ## What we cannot see
#
# * The period put aside is one quarter of one history: few incidents, and the next months may differ.
# * Labels are somebody's opinion. Post-mortems know nothing of incidents that nobody wrote up.
# * Who looks at the comparison, changes something and looks again has used it up: it is no longer unseen.
# * The bundled history is simulated, and so are the histories on which the defaults were chosen. On yours they may be
#   further off, and tuning worth more.
#
# `11_export_the_model` keeps the result.
