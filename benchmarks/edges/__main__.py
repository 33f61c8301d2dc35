"""The command line: ``python -m benchmarks.edges SHARED``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import edges
from benchmarks.edges import records


def main() -> None:
    given = _arguments()
    given.shared = given.shared.resolve()
    if given.noise or given.scale:
        from benchmarks.edges import noise, scale

        (noise if given.noise else scale).main()
        return
    if not (given.shared / "data").is_dir():
        sys.exit(f"no recordings at {given.shared}; pass the folder that holds them")
    if given.record:
        if given.peers is None:
            sys.exit("--record runs TTPM; pass --peers PYTHON, an interpreter that has gcastle")
        records.record_ttpm(given.shared, python=given.peers)
        return
    found = edges.table(
        given.shared, seeds=given.seeds, python=given.peers, quick=given.quick, patient=given.patient, only=given.only
    )
    print(found.to_string(index=False, float_format=lambda value: f"{value:.3f}", na_rep=""))
    if given.out is not None:
        found.to_csv(given.out, index=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edges", description=edges.__doc__.split("\n")[0])
    parser.add_argument("shared", nargs="?", type=Path, default=Path("../shared"), help="folder of recordings")
    parser.add_argument("--seeds", type=int, default=5, help="productions per simulated set (default 5)")
    parser.add_argument("--peers", type=Path, help="an interpreter that has tigramite and gcastle")
    parser.add_argument("--quick", action="store_true", help="few sets, none of them large")
    parser.add_argument("--patient", action="store_true", help="run the peers however long they take")
    parser.add_argument("--only", default="", help="sets whose name contains this")
    parser.add_argument("--out", type=Path, help="also write the table to this CSV file")
    parser.add_argument("--record", action="store_true", help="run TTPM where it is slow and keep the results")
    parser.add_argument("--noise", action="store_true", help="pure noise instead: how often is a pair believed")
    parser.add_argument("--scale", action="store_true", help="time and memory instead, against events and services")
    return parser.parse_args()


if __name__ == "__main__":
    main()
