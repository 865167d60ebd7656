"""Start-up, a cached run, and the whole main job against its bare necessities."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from clock import outside, paired, report, seconds

HERE = Path(__file__).parent
STSFM = (sys.executable, "-m", "stsfm")
MAIN = (*STSFM, "run", "model=lstm", "data=airline")


def main() -> bool:
    kept = [report("stsfm --help, seconds", seconds(outside(*STSFM, "--help")), 0.15)]
    with tempfile.TemporaryDirectory() as folder:
        outside(*MAIN, cwd=folder)()
        cached = seconds(outside(*MAIN, cwd=folder))
        kept.append(report("the main job when it is cached, seconds", cached, 2))
        history = next(Path(folder).glob("runs/airline/lstm/*/history.csv"))
        epochs = len(history.read_text().splitlines()) - 1

        def anew() -> float:
            """The main job in an empty folder: baselines, table and figures included."""
            with tempfile.TemporaryDirectory() as empty:
                return outside(*MAIN, cwd=empty)()

        bare = outside(sys.executable, str(HERE / "plain.py"), "16", str(epochs))
        ratio, ours, theirs = paired(anew, bare, rounds=3)
    what = f"main job against bare imports + plain loop, {epochs} epochs"
    kept.append(report(what, ratio, 2, more=f"({ours:.1f} against {theirs:.1f} s)"))
    return all(kept)


if __name__ == "__main__":
    raise SystemExit(not main())
