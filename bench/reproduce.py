"""Committed comparisons again, beside the figures that they once gave: do they still hold?

    python reproduce.py airline_classic       runs conf/experiment/airline_classic.yaml

The figures are in expected/<experiment>.csv, one per line: a model, a metric as table.csv calls it,
what was kept and how far it may be from that; and what a paper published, where one did, which is
printed beside it. What draws no random numbers may move by rounding; a net by its seeds, for other
processors round differently and an LSTM takes another path. Exit code 1 where a figure has drifted,
or is missing.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(*names: str) -> int:
    """Run what is missing of each comparison, and hold its table against the kept figures."""
    return max(_reproduced(name) for name in names)


def _reproduced(name: str) -> int:
    command = [sys.executable, "-m", "stsfm", "run", "-m", f"experiment={name}"]
    if code := subprocess.run(command).returncode:
        return code
    kept = rows(HERE / "expected" / f"{name}.csv")
    ours = {row["model"]: row for row in rows(Path("runs/_comparisons") / name / "table.csv")}
    fine = [holds(row, ours.get(row["model"], {})) for row in kept]
    return int(not all(fine))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def holds(kept: dict[str, str], ours: dict[str, str]) -> bool:
    """Print a model's figure beside the kept one; is it as near as it has to be?"""
    metric, wanted, tolerance = kept["metric"], float(kept["kept"]), float(kept["tolerance"])
    got = float(ours.get(metric) or "nan")  # a model that failed has no figure
    fine = abs(got - wanted) <= tolerance
    paper = f"   published {kept['published']}" if kept.get("published") else ""
    print(
        f"{'ok     ' if fine else 'DRIFTED'}  {kept['model']:18} {metric:17} {got:8.4f}   "
        f"kept {wanted:8.4f} ± {tolerance:g}{paper}"
    )
    return fine


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
