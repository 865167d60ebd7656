"""Does `stsfm select` choose well, from a class of quick models by their defaults?

python bench/selection.py --families [--seed N]     of 20 series of known law, how often is a model
                                                    chosen that realises it (laws.py says which)
python bench/selection.py --regret DATA [--seed N]  E(selected) / E(best in class) − 1 on test, over
                                                    real and synthetic series (series.py)

Everything lies in --runs (runs/_bench), and is found again there. The seed is drawn where none is
given, and printed. --only K/N does a part, for a short lease of the machine. Runs are made in this
process, and the budget is so long that no clock decides: what is chosen depends on the data alone.
Nets are left out, also those that a law adds to a selection.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from inline import Inline
from laws import Law, laws
from series import Series, series

from stsfm import compose, job
from stsfm.identity import nets
from stsfm.mistakes import Mistake
from stsfm.screen import Screen
from stsfm.selecting import command

CLASS = (
    "mean", "naive", "drift", "seasonal_naive", "historical_average", "linear", "ar", "arima",
    "ets", "fourier", "kalman", "simplex", "smap", "gpr", "svr",
)  # fmt: skip
FIRST = np.datetime64("2000-01-01", "ns")
WANTED = 16  # right of 20
BUDGET = "24h"  # which nothing here comes near to
ALWAYS = ("linear", "seasonal_naive", "ets")
KNOWN = compose.Known()  # choices that all series share


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--families", action="store_true")
    parser.add_argument("--regret", type=Path)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--runs", type=Path, default=Path("runs/_bench"))
    parser.add_argument("--only", default="1/1")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else secrets.randbelow(2**31)
    print(f"seed {seed}")
    home = asked.runs / f"seed{seed}"
    if asked.families:
        return families(seed, home, asked)
    return regret(seed, home, asked)


def families(seed: int, home: Path, asked: argparse.Namespace) -> int:
    """How often the right family is chosen, and how often one is by chance."""
    right, chances = 0, []
    for number, law in _part(laws(), asked.only):
        values = law.made(np.random.default_rng([seed, number]))
        found = _selected(_task(home, law.name, values, law.season, law.horizon, law))
        models, hit = found["models"], found["model"] in law.right
        right += hit
        chances.append(sum(model in law.right for model in models) / len(models))
        print(f"{'right' if hit else 'WRONG'}  {law.name:18} {found['model']:20}"
              f" least {found['best']:20} {round(chances[-1] * len(models)):2} of {len(models)}"
              f" right: {', '.join(sorted(law.right & {*models}))}", flush=True)  # fmt: skip
    count = np.ones(1)  # probabilities of 0, 1, … right by a uniform draw for each series
    for chance in chances:
        count = np.convolve(count, [1 - chance, chance])
    print(f"{right} of {len(chances)} right (wanted {WANTED} of {len(laws())}); by chance"
          f" {sum(chances):.1f}, as many or more with p = {count[right:].sum():.1g}")  # fmt: skip
    return int(right < WANTED * len(chances) / len(laws()))


def regret(seed: int, home: Path, asked: argparse.Namespace) -> int:
    """How much worse the selected one is on test than the best would have been."""
    every = list(series(asked.regret, np.random.default_rng(seed)))
    table: list[dict[str, Any]] = []
    with suppress(KeyboardInterrupt):  # of those that were judged there is a table
        for _, one in _part(every, asked.only):
            found = _judged(_task(home, one.name, one.values, one.season, one.horizon))
            table.append({"name": one.name, **found})
            best = min(found["errors"], key=found["errors"].get)
            print(f"{one.name:20} {found['model']:18} {found['errors'][found['model']]:8.4g}"
                  f"   best {best:18} {found['errors'][best]:8.4g}", flush=True)  # fmt: skip
    _told(table)
    return 0


def _told(table: Sequence[dict[str, Any]]) -> None:
    """Mean regrets over series, with bootstrap intervals, and the gap that the selector closes."""
    names = [m for m in CLASS if all(m in row["errors"] for row in table)]
    errors = np.array([[row["errors"][m] for m in names] for row in table])  # (series, model)
    best = np.array([min(row["errors"].values()) for row in table])
    relative = errors / best[:, None] - 1
    chosen = np.array([row["errors"][row["model"]] for row in table]) / best - 1
    single = int(relative.mean(0).argmin())
    ways = {
        "selected": chosen,
        f"single best ({names[single]}, in hindsight)": relative[:, single],
        "virtual best": np.zeros(len(table)),
        **{f"always {m}": relative[:, names.index(m)] for m in ALWAYS},
    }
    rng = np.random.default_rng(0)
    draws = rng.integers(len(table), size=(10_000, len(table)))
    print(f"\nregret over {len(table)} series: mean [95 % bootstrap], median, worst")
    for way, values in ways.items():
        low, high = np.quantile(values[draws].mean(1), (0.025, 0.975))
        print(f"  {way:42} {values.mean():6.3f} [{low:.3f}, {high:.3f}]"
              f"  {np.median(values):6.3f}  {values.max():6.2f}")  # fmt: skip
    if gap := relative[:, single].mean():
        print(f"  closed gap (single best − selected) / (single best − virtual best)"
              f" {(gap - chosen.mean()) / gap:.2f}")  # fmt: skip
    for m in ALWAYS:
        other = relative[:, names.index(m)]
        less, same = (chosen < other).sum(), (chosen == other).sum()
        print(f"  beside always {m:16} less error on {less}, as much on {same},"
              f" more on {len(table) - less - same}")  # fmt: skip


def _selected(words: Sequence[str]) -> dict[str, Any]:
    """Who is chosen, who had the least error, and who took part; the test stays shut."""
    one = command.ready([f"among=[{','.join(CLASS)}]", f"budget={BUDGET}", *words], KNOWN)
    solved = [entry for entry in one.entries if not nets(entry.config.get("model", {}))]
    one = replace(one, entries=solved)
    race = command.raced(one, 0.0, Screen(quiet=True), lambda race: None, Inline())
    if (winner := race.chosen()) is None:
        raise Mistake(f"no candidate was judged: {words}")
    took = [runner.candidate.model for runner in race.runners if runner.trail]
    best = race.finalists[0].candidate.model
    return {"model": winner.candidate.model, "best": best, "models": took}


def _judged(words: Sequence[str]) -> dict[str, Any]:
    """The choice, and the test errors of all in the class that can be fitted."""
    errors = {}
    for model in CLASS:
        try:
            config = compose.config([*words, f"model={model}", "protocol.calibration=0"], KNOWN)
            split = job.cut(config)
            run = job.found(config, split) or job.fit(config, words, split, Screen(quiet=True))
            if run is not None and run.state == "finished":
                errors[model] = run.scores["test"]["mase"]["pooled"]
        except Mistake as mistake:
            print(f"  {model}: {mistake}")
    return {**_selected(words), "errors": errors}


def _task(
    home: Path, name: str, values: np.ndarray, season: int, horizon: int, law: Law | None = None
) -> list[str]:
    """The words of a task, whose file is written: months, or as many seconds apart as the law."""
    (home / "data").mkdir(parents=True, exist_ok=True)
    path = home / "data" / f"{''.join(c for c in name if c.isascii() and c.isalnum())}.csv"
    rows = values.reshape(len(values), -1)
    heads = law.channels if law and law.channels else ("value",)
    step = np.timedelta64(round((law.seconds if law else 1.0) * 1e9), "ns")
    stamps = (FIRST + np.arange(len(rows)) * step).astype("M8[ms]")
    body = (
        ",".join([str(t), *map(repr, map(float, row))]) for t, row in zip(stamps, rows, strict=True)
    )
    path.write_text("\n".join([",".join(["time", *heads]), *body]) + "\n")
    words = [f"data={path}", f"data.season={season}", f"protocol.horizon={horizon}",
             f"runs_dir={home / 'runs'}"]  # fmt: skip
    words += (
        [f"data.targets=[{','.join(heads)}]", f"given={law.given}"] if law and law.given else []
    )
    return words


def _part(every: Sequence[Law] | Sequence[Series], only: str) -> list[tuple[int, Any]]:
    part, of = map(int, only.split("/"))
    return [(k, one) for k, one in enumerate(every) if k % of == part - 1]


if __name__ == "__main__":
    raise SystemExit(main())
