"""A committed comparison again, beside the figures that it once gave: do they still hold?

    python reproduce.py airline_classic       runs conf/experiment/airline_classic.yaml

The figures are in expected/<experiment>.csv: a metric per model, and how far it may be from that.
What draws no random numbers may move by rounding; a net by its seeds, for other processors round
differently and an LSTM takes another path. Exit code 1 where a figure has drifted, or is missing.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(name: str) -> int:
    """Run what is missing of the comparison, and hold its table against the kept figures."""
    code = subprocess.run([sys.executable, "-m", "stsfm", "run", f"experiment={name}"]).returncode
    if code:
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
    metric = next(name for name in kept if name not in ("model", "tolerance"))
    wanted, tolerance = float(kept[metric]), float(kept["tolerance"])
    got = float(ours.get(metric) or "nan")  # a model that failed has no figure
    fine = abs(got - wanted) <= tolerance
    print(
        f"{'ok     ' if fine else 'DRIFTED'}  {kept['model']:16} {metric} {got:8.4f}   "
        f"kept {wanted:8.4f} ± {tolerance:g}"
    )
    return fine


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
