"""A committed comparison again, beside the figures that were published and those it once gave.

    python reproduce.py airline_classic       runs conf/experiment/airline_classic.yaml

The figures are in expected/<experiment>.csv, one of a model on a task a row: what was published,
what came out here, and how far a figure may drift from that; from what was published, where nothing
of ours is kept. What draws no random numbers may move by rounding; a net by its seeds, for other
processors round differently and an LSTM takes another path. Exit code 1 where a figure has drifted,
or is missing.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TASK = ("data", "horizon", "model")  # what a figure is of


def main(*names: str) -> int:
    """Run what is missing of the comparisons, and hold their tables against the kept figures."""
    fine = [reproduced(name) for name in names]
    return int(not all(fine))


def reproduced(name: str) -> bool:
    """Does every figure of a comparison hold?"""
    command = [sys.executable, "-m", "stsfm", "run", f"experiment={name}"]
    if subprocess.run(command).returncode:
        return False
    ours = table(Path("runs/_comparisons") / name)
    kept = rows(HERE / "expected" / f"{name}.csv")
    fine = [holds(row, find(row, ours)) for row in kept]
    return all(fine)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def table(folder: Path) -> list[dict[str, str]]:
    """The rows of a comparison; of several tasks they say which."""
    several = folder / "grid.csv"
    return rows(several if several.exists() else folder / "table.csv")


def find(kept: dict[str, str], ours: list[dict[str, str]]) -> dict[str, str]:
    """Our row of the same model on the same task; empty where there is none."""
    same = (row for row in ours if all(row.get(key, kept[key]) == kept[key] for key in TASK))
    return next(same, {})


def holds(kept: dict[str, str], ours: dict[str, str]) -> bool:
    """Print a figure beside the published and the kept one; is it as near as it has to be?"""
    metric, paper, tolerance = kept["metric"], kept["published"], float(kept["tolerance"])
    got = float(ours.get(metric) or "nan")  # a model that failed has no figure
    fine = abs(got - float(kept["ours"] or paper)) <= tolerance
    said = f"kept {float(kept['ours']):7.4f}" if kept["ours"] else "held to published"
    beside = f"   published {paper} ({got - float(paper):+.4f})" if paper else ""
    print(
        f"{'ok     ' if fine else 'DRIFTED'}  {kept['data']:8} {kept['horizon']:>3}  "
        f"{kept['model']:22} {metric} {got:7.4f}   {said} ± {tolerance:g}{beside}"
    )
    return fine


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
