"""Committed comparisons again, beside the figures that they once gave: do they still hold?

    python reproduce.py airline_classic       runs conf/experiment/airline_classic.yaml

The figures are in expected/<experiment>.csv, one per line: a model, a metric as table.csv calls it,
what was kept and how far it may be from that; its data and horizon where a comparison has several;
and what a paper published, where one did, which is printed beside it, and holds where nothing was
kept. What draws no random numbers may move by rounding; a net by its seeds, for other processors
round differently and an LSTM takes another path. Exit code 1 where a figure has drifted, or is
missing.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
REFUSED = 2  # a command that is not begun
CELL = ("data", "horizon", "model")  # what a figure is of


def main(*names: str) -> int:
    """Run what is missing of each comparison, and hold its table against the kept figures.

    What cannot even begin, such as for want of its data, has said so, and nothing follows it.
    """
    worst = 0
    for name in names:
        worst = max(worst, code := _reproduced(name))
        if code == REFUSED:
            break
    return worst


def _reproduced(name: str) -> int:
    command = [sys.executable, "-m", "stsfm", "run", "-m", f"experiment={name}"]
    if code := subprocess.run(command).returncode:
        return code
    kept = rows(HERE / "expected" / f"{name}.csv")
    ours = table(Path("runs/_comparisons") / name)
    fine = [holds(row, find(row, ours)) for row in kept]
    return int(not all(fine))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def table(folder: Path) -> list[dict[str, str]]:
    """The rows of a comparison; those of several tasks say which."""
    several = folder / "grid.csv"
    return rows(several if several.exists() else folder / "table.csv")


def find(kept: dict[str, str], ours: list[dict[str, str]]) -> dict[str, str]:
    """Our row of the same model on the same task; empty where there is none."""
    for row in ours:
        if all(row[key] == kept[key] for key in CELL if key in row and key in kept):
            return row
    return {}


def holds(kept: dict[str, str], ours: dict[str, str]) -> bool:
    """Print a model's figure beside the kept one; is it as near as it has to be?"""
    metric, tolerance, paper = kept["metric"], float(kept["tolerance"]), kept.get("published")
    got = float(ours.get(metric) or "nan")  # a model that failed has no figure
    fine = abs(got - float(kept["kept"] or paper or "nan")) <= tolerance
    cell = " ".join(kept[key] for key in CELL if key in kept)
    said = f"kept {float(kept['kept']):8.4f}" if kept["kept"] else "to be as published"
    beside = f"   published {paper}" if paper else ""
    print(
        f"{'ok     ' if fine else 'DRIFTED'}  {cell:34} {metric:17} {got:8.4f}   "
        f"{said} ± {tolerance:g}{beside}"
    )
    return fine


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
