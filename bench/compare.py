"""Comparing a thousand kept runs: four tasks, fifty configurations of five seeds in each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from clock import outside, report, seconds

STSFM = (sys.executable, "-m", "stsfm")
RUN = (*STSFM, "run", "-q", "model=gru", "trainer.epochs=2", "baselines=[seasonal_naive]")
TASKS, CONFIGURATIONS, SEEDS = 4, 50, 5


def main() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        outside(*RUN, cwd=folder)()
        (one,) = Path(folder).glob("runs/airline/gru/*")
        for number in range(TASKS * CONFIGURATIONS * SEEDS - 1):
            copy(one, number)
        took = seconds(outside(*STSFM, "compare", "model=gru", cwd=folder), rounds=3)
    return report("comparing 1,000 run folders, seconds", took, 5)


def copy(one: Path, number: int) -> None:
    """The run again as if of another task, configuration and seed."""
    rest, seed = divmod(number, SEEDS)
    task, configuration = divmod(rest, CONFIGURATIONS)
    new = one.with_name(f"s{seed}-{number:010d}")
    shutil.copytree(one, new, copy_function=os.link)  # the same files: nothing in them is changed
    for name in ("status.json", "config.yaml"):
        (new / name).unlink()
    status = json.loads((one / "status.json").read_text())
    group = f"{task:02d}{configuration:08d}"
    status |= {"run": new.name, "group": group, "settings": group, "fingerprint": f"{task:06d}"}
    status |= {"horizon": 6 * (task + 1), "rules": status["rules"] | {"horizon": 6 * (task + 1)}}
    status["identity"] |= {"seed": seed}
    config = (one / "config.yaml").read_text().replace("hidden: 64", f"hidden: {configuration + 1}")
    (new / "config.yaml").write_text(config)
    facts = status["files"]["config.yaml"]
    facts |= {"bytes": len(config.encode()), "changed": (new / "config.yaml").stat().st_mtime_ns}
    facts |= {"sha256": hashlib.sha256(config.encode()).hexdigest()}
    del status["sha256"]
    seal = hashlib.sha256(json.dumps(status).encode()).hexdigest()
    (new / "status.json").write_text(json.dumps(status | {"sha256": seal}, indent=1))


if __name__ == "__main__":
    raise SystemExit(not main())
