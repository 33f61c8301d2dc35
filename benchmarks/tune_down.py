"""Is what `tune_down` promises what comes? ``python -m benchmarks.tune_down`` on held-out productions, ``... dev``.

Productions are simulated, exported and read back with the pages of their pager. Changes are chosen on the first half
and measured on the second, where the true incidents are known: how many pages fewer, and of how many true incidents
nobody is paged any more (or later than 5 min). Beside it: deleting the k rules that paged most on the first half, k the
number of changes taken. Which words of `worth` and `by` are the defaults was chosen on `DEV`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import stanza_lab as sl
from stanza_lab.reliability.quieter import record, trying, tune_down
from stanza_lab.reliability.quieter.routing import upper

DEV, HELD_OUT = range(3000, 3004), range(3100, 3108)
SETTINGS: list[dict[str, Any]] = [{"worth": worth, "by": "rule"} for worth in ("auto", "labels")]
LATER_S = 300


def made(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the clustered alerts of a production, with its pages, and the true labels."""
    rng = np.random.default_rng(seed)
    production = sl.simulate_production(
        services=int(rng.integers(24, 60)),
        teams=6,
        days=91,
        incidents=int(rng.integers(40, 120)),
        noise=float(rng.uniform(0.3, 2.0)),
        flapping=float(rng.uniform(0.05, 0.3)),
        random_state=seed,
    )
    with tempfile.TemporaryDirectory() as directory:
        production.export(Path(directory) / "made")
        pages = sl.read_alerts(Path(directory) / "made" / "exports")
    return sl.cluster_incidents(production.alerts), pages, production.labels


def measured(seed: int, settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row per setting and one per baseline of it."""
    alerts, pages, labels = made(seed)
    rows = []
    for setting in settings:
        worth = labels if setting["worth"] == "labels" else setting["worth"]
        start = time.perf_counter()
        tuned = sl.tune_down(alerts, pages=pages, worth=worth, by=setting["by"])
        took = time.perf_counter() - start
        history = _truth(alerts, pages, labels, setting["by"])
        codes = pd.Index(history.rules["rule_key"])
        steps = tuned.combined[tuned.combined["proposed"]]
        known = {(row["rule_key"], row["change"], row["value"]): row for row in tuned.changes.to_dict("records")}
        plan = []
        for row in steps.to_dict("records"):
            found = known[row["rule_key"], row["change"], row["value"]]
            change = trying.Change(found["change"], found["seconds"], found["by"])
            plan.append((int(codes.get_loc(row["rule_key"])), change))
        promised = float(steps["promised_share"].iloc[-1]) if len(steps) else 0.0
        about = {"seed": seed, **setting, "changes": len(plan), "promised": promised, "seconds": took}
        rows.append(about | {"method": "tune_down"} | _came(history, plan))
        early = history.earlier[history.unit] & (history.page < record.NEVER)
        loudest = np.argsort(-np.bincount(history.rule[early], minlength=len(codes)), kind="stable")[: len(plan)]
        noisy = [(int(rule), trying.Change("delete")) for rule in loudest]
        rows.append(about | {"method": "delete the loudest", "promised": np.nan} | _came(history, noisy))
    return rows


def _truth(alerts: pd.DataFrame, pages: pd.DataFrame, labels: pd.DataFrame, by: str) -> record.Record:
    import importlib

    module = importlib.import_module(tune_down.__module__)
    rows, known = record.read(alerts, pages)
    found: record.Record = module._history(rows, labels, 0.5, known | {"by": by})[0]
    return found


def _came(history: record.Record, plan: list[tuple[int, trying.Change]]) -> dict[str, Any]:
    state = trying.State(history, max_later=LATER_S)
    for rule, change in plan:
        state.take(rule, change, state.effect(rule, change))
    later = ~history.earlier[history.unit]
    paged = later & (history.page < record.NEVER)
    real = history.real & ~history.earlier & (history.first < record.NEVER)
    return {
        "pages": int(paged.sum()),
        "saved": int((paged & (state.page == record.NEVER)).sum()),
        "real": int(real.sum()),
        "missed": int((state.missed & real).sum()),
        "late": int(((state.late > 0) & real).sum()),
    }


def table(seeds: range, settings: list[dict[str, Any]]) -> pd.DataFrame:
    """Return pooled figures per setting and method."""
    rows = pd.DataFrame([row for seed in seeds for row in measured(seed, settings)])
    found = []
    for (worth, by, method), some in rows.groupby(["worth", "by", "method"], sort=False):
        pages, saved, real, missed = (int(some[name].sum()) for name in ("pages", "saved", "real", "missed"))
        found.append(
            {
                "worth": worth,
                "by": by,
                "method": method,
                "changes": int(some["changes"].sum()),
                "promised": round(some["promised"].mean(), 3),
                "came": round((some["saved"] / some["pages"]).mean(), 3),
                "pages": pages,
                "saved": saved,
                "real": real,
                "missed": missed,
                "missed_high": round(upper(missed, real), 3),
                "late": int(some["late"].sum()),
                "seconds": round(some["seconds"].max(), 2),
            }
        )
    return pd.DataFrame(found)


def speed(number: int = 1_000_000) -> float:
    """Return the seconds that a million alerts take."""
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.sort(rng.integers(0, 180 * 86_400, number)), "s")
    rule = rng.zipf(1.3, number) % 3000
    alerts = pd.DataFrame(
        {
            "alert_id": np.arange(number).astype(str),
            "source": "prometheus",
            "rule_key": _words("rule", rule),
            "alertname": _words("name", rule % 40),
            "service": _words("service", rule % 300),
            "severity": np.where(rng.random(number) < 0.3, "error", "warning"),
            "starts_at": start,
            "ends_at": start + pd.to_timedelta(rng.exponential(600, number), "s"),
            "incident_id": np.where(rng.random(number) < 0.3, -1, np.arange(number) // 6),
        }
    )
    begin = time.perf_counter()
    sl.tune_down(alerts)
    return time.perf_counter() - begin


def _words(word: str, codes: np.ndarray) -> pd.Series:
    names = pd.Series([f"{word} {k}" for k in range(int(codes.max()) + 1)], dtype="str")
    return names.iloc[codes].astype("category").reset_index(drop=True)


def main() -> None:
    if sys.argv[1:] == ["speed"]:
        print(f"1,000,000 alerts: {speed():.1f} s")
        return
    if sys.argv[1:] == ["dev"]:
        settings = [{"worth": w, "by": by} for w in ("acknowledged", "auto", "labels") for by in ("rule", "monitor")]
        print(table(DEV, settings).to_string(index=False))
        return
    print(table(HELD_OUT, SETTINGS).to_string(index=False))


if __name__ == "__main__":
    main()
