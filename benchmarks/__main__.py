"""Print every table: ``python -m benchmarks SHARED`` (``make bench``), SHARED being the folder of real recordings."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import (
    alertmanager_replay,
    blast,
    bundle_loading,
    burn_alerts,
    correlation_speed,
    early_warning,
    edges,
    entities,
    entity_speed,
    grouping,
    identity,
    import_speed,
    look_alikes,
    map_figure,
    onboarding,
    origins,
    pager_load,
    patterns,
    patterns_speed,
    reactions,
    scoring,
    stream_grouping,
    telling,
    time_clustering,
    tune_down,
)

COUNTS = (
    "alerts",
    "true",
    "found",
    "true_edges",
    "cases",
    "mentions",
    "false",
    "services",
    "spellings",
    "alerts/s",
    "added MB",
)


def main() -> None:
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared")
    if not (shared / "data").is_dir():
        sys.exit(f"no recordings at {shared}; pass the folder that holds them: python -m benchmarks FOLDER")
    for title, table in (
        ("Entities in hand-labelled cases; held: cases not looked at while building", entities.table()),
        ("Names of one service found to be one, on simulated spellings (pairwise)", identity.table()),
        ("The same on recordings that list their services", identity.recordings(shared)),
        ("Entities in texts, beside polars extract_all in the same run", entity_speed.table()),
        (
            "Alerts into incidents (1 is perfect; 'all' counts each noise alert as a class of its own)",
            grouping.table(shared),
        ),
        ("The whole clusterer, in a process per size", correlation_speed.table()),
        ("One new alert at a time", correlation_speed.one_by_one()),
        ("The stream, beside grouping in one batch", stream_grouping.agreement()),
        ("Microseconds of the processor for one alert", stream_grouping.speed()),
        ("Memory along a long stream", stream_grouping.memory()),
        ("A bundle loaded and checked, beside its Parquet files read with pandas", bundle_loading.table()),
        ("Our rules in a real Alertmanager, on alerts they were not learned from", alertmanager_replay.table()),
        ("The scorer, one alert at a time with everything", scoring.table()),
        ("The verb score, lines through a pipe", scoring.lines()),
        ("Microseconds to tell of a growing incident, beside the table's function", telling.table()),
        ("HDBSCAN over time alone, beside hdbscan and scikit-learn in the same run", time_clustering.table()),
        ("Who depends on whom (compare auprc with chance)", edges.table(shared)),
        *blast.tables(blast.SEEDS, shared),
        ("What else is theirs, proposed from a few picks", onboarding.table()),
        ("The map figure, beside a spring layout drawn plainly", map_figure.table()),
        ("How it reads", map_figure.readability()),
        ("Planted sequences that recur, found among noise", patterns.accuracy(patterns.SEEDS)),
        ("What is found in histories shuffled in time", patterns.by_chance(patterns.SEEDS)),
        ("Incidents of the same fault among the most alike", look_alikes.accuracy(look_alikes.measured(shared))),
        ("Early warning, on later data", early_warning.pooled(early_warning.measured(early_warning.SEEDS)[0])),
        ("Triggers of reactions on later data: what was said, what came", reactions.table(reactions.SEEDS)),
        *origins.tables(origins.HELD_OUT, shared, 2),
        ("Burn-rate alerts beside thresholds", burn_alerts.table(burn_alerts.SEEDS).reset_index()),
        ("What to tune down: promised, came, missed", tune_down.table(tune_down.HELD_OUT, tune_down.SETTINGS)),
        ("Mining patterns, beside PrefixSpan of a library", patterns_speed.table(patterns_speed.SIZES, seconds=300)),
        ("Pager load", pager_load.table()),
        ("Import speed, beside DuckDB on the same file in the same run", import_speed.table()),
    ):
        print(f"\n## {title}\n")
        whole = {name: "{:,.0f}".format for name in COUNTS if name in table}
        print(table.to_string(index=False, formatters=whole, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main()
