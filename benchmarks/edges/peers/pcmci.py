"""PCMCI of tigramite on one event log: ``python pcmci.py IN.npz OUT.npz``, run by an interpreter that has tigramite.

Stands alone: nothing of this project is imported. IN holds `counts` (bins x nodes), `tau_max` (bins) and `pc_alpha`.
OUT holds `score` (n x n, how much of a cause the row is to the column: 1 - the least p-value over lags of a positive
partial correlation, ties split by its size), `seconds` and `peak_mb` (resident, the whole process).
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np


def main(source: str, target: str) -> None:
    from tigramite import data_processing  # type: ignore[import-not-found]
    from tigramite.independence_tests.parcorr import ParCorr  # type: ignore[import-not-found]
    from tigramite.pcmci import PCMCI  # type: ignore[import-not-found]

    given = np.load(source)
    began = time.perf_counter()
    frame = data_processing.DataFrame(given["counts"].astype(float))
    search = PCMCI(dataframe=frame, cond_ind_test=ParCorr(significance="analytic"), verbosity=0)
    found = search.run_pcmci(
        tau_min=0, tau_max=int(given["tau_max"]), pc_alpha=float(given["pc_alpha"]), max_conds_dim=3, max_conds_px=1
    )
    strength, p_value = found["val_matrix"], found["p_matrix"]  # [cause, effect, lag]
    score = np.where(strength > 0, 1 - p_value, 0.0)
    score = (score * (1 + 1e-6 * np.abs(strength)) / (1 + 1e-6)).max(axis=2)
    np.fill_diagonal(score, 0)
    np.savez(target, score=score, seconds=time.perf_counter() - began, peak_mb=_peak_mb())


def _peak_mb() -> float:
    """Return the most this process held; getrusage would count the process that started it too."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    main(*sys.argv[1:3])
