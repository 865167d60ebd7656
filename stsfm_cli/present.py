"""A run's own page: its table beside the baselines, and its figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from stsfm.datasets.panel import Array
from stsfm.datasets.split import Split
from stsfm.files import damage, manifest, write, write_json
from stsfm.losses.metrics import METRIC
from stsfm.record import Record
from stsfm.record.shelf import Shelf
from stsfm.results import BY_STEP
from stsfm.screen import Screen
from stsfm.spatial.words import sentences
from stsfm.sums import FIRST
from stsfm.tables.claims import claimed
from stsfm.tables.render import as_csv, as_markdown
from stsfm.tables.table import LEVEL, tabulate

if TYPE_CHECKING:
    from stsfm.plots import Story


def present(run: Record, baselines: list[Record], left_out: list[str], split: Split) -> None:
    """Write table and figures; the table is a snapshot, `stsfm compare` counts anew."""
    from stsfm.plots import draw

    together = [run, *baselines]
    table = claimed(tabulate(together, tried=tried(run)))
    if story := _story(run, baselines, split):
        draw(story, run.folder / "plots")
    write(run.folder / "table.csv", as_csv(table))
    words = "".join(f"{line}\n" for line in remarks(run))
    snapshot = f"Written {date.today()}; `stsfm compare` counts anew.\n"
    write(run.folder / "table.md", "\n".join(filter(None, (as_markdown(table), words, snapshot))))
    beside = [os.path.relpath(member.folder, run.folder) for member in baselines]
    plots = [f"plots/{path.name}" for path in (run.folder / "plots").glob("[!.]*")]
    whole = manifest(run.folder, ["table.csv", "table.md", *plots])
    page = {"beside": beside, "left_out": left_out, "files": whole}
    write_json(run.folder / "members.json", page)  # last: the page is whole


def shows(
    run: Record,
    baselines: Sequence[Path],
    finished: Callable[[Record], bool] = lambda run: run.state == "finished",
) -> bool:
    """Is the run's page whole, and beside these very baselines, all of them `finished`?"""
    beside, page = members(run)[1:], run.read("members.json")
    left_out, files = page.get("left_out", []), page.get("files", {})
    wanted = {folder.parts[-3:] for folder in baselines if folder.parent.name not in left_out}
    return (
        files
        and damage(run.folder, files) is None
        and {member.folder.parts[-3:] for member in beside} == wanted
        and all(map(finished, beside))
    )


def members(run: Record) -> list[Record]:
    """The run and the baselines that its table shows."""
    beside = run.read("members.json").get("beside", [])
    return [run, *(Record((run.folder / path).resolve()) for path in beside)]


def show(run: Record, screen: Screen) -> None:
    """Print the table of a run again, and where everything lies."""
    screen.table(claimed(tabulate(members(run), tried=tried(run))))
    for line in remarks(run):
        screen.say(line)
    plots = len(list((run.folder / "plots").glob("*.png")))
    where = os.path.relpath(run.folder)
    screen.say(
        f"→ {where}   table.md · {plots} plots · model · record   (the same command again is free)"
    )


def remarks(run: Record) -> list[str]:
    """What is to be said beside the numbers: what residuals show of space, what was drawn back."""
    said = [*sentences(run.scores.get("space"))]
    if clamped := run.scores.get("clamped"):
        first, last = (f"{clamped['step'][at]:.1%}" for at in (0, -1))
        said.append(
            f"{clamped['pooled']:.1%} of the forecast states of test lay beyond those of train and "
            f"were drawn back: {first} one step ahead, {last} at the last.".replace("%", " %")
        )
    return said


def line(run: Record, state: str = "") -> str:
    """State, place, protocol, and validation and test error of a run."""
    status = run.status
    place = os.path.relpath(run.folder)
    if run.state != "finished":
        why = run.damage() or status.get("error", "")
        return f"{run.state:12} {place:44} {why}".rstrip()
    val, test = run.pooled("val"), run.pooled("test")
    metric = run.metric
    on_test = f"{test[metric]:.3f}" if test else "not scored"
    errors = f"{METRIC[metric].label} val {val[metric]:.3f}  test {on_test}"
    numbers = f"protocol {status['fingerprint']}  {errors}"
    return f"{state or run.state:12} {place:44} {numbers}"


def tried(run: Record) -> int:
    """Configurations that were tried under the run's protocol, shown or not."""
    home, mine = run.folder.parents[2], run.status["fingerprint"]
    return Shelf(home).effort(mine).tried


def _story(run: Record, baselines: list[Record], split: Split) -> Story | None:
    """What the figures need, read back from the record; None where no forecasts were kept."""
    import numpy as np

    from stsfm.plots import Story
    from stsfm.spatial import Place

    forecast, origins = run.forecasts(), split.test.origins
    if not forecast:
        return None
    finished = [run, *(b for b in baselines if b.state == "finished")]
    level = next((m for m in baselines if m.status["model"] == LEVEL), None)
    reference = level.forecasts() if level else {}
    both = [kept["origins"].tolist() for kept in (forecast, reference) if kept]
    drawn = set.intersection(*map(set, both))  # of two models one may have kept fewer windows
    point, quantiles = (_of(forecast, name, drawn) for name in ("point", "quantiles"))
    truth = split.truth(split.test).panel.only_targets()
    sums = run.arrays("windows.npz")
    first = {name: sums[f"test_first_{name}"][..., 0] for name in FIRST}
    by_step = {name: sums[f"test_step_{name}"][..., 0] for name in BY_STEP
               if f"test_step_{name}" in sums}  # fmt: skip
    return Story(
        model=run.status["model"],
        about=truth.about,
        values=truth.values,
        mask=truth.mask,
        time=truth.time,
        borders={part: split.rules[part] for part in ("train", "val", "test")},
        horizon=split.rules["horizon"],
        origins=origins,
        kept=origins.searchsorted(sorted(drawn)),
        point=point,
        missed=np.where(first["count"] > 0, first["residual"], np.nan),
        quantiles=quantiles,
        levels=tuple(forecast["levels"]),
        intervals=(run.scores.get("intervals") or {}).get("kind", ""),
        reference=_of(reference, "point", drawn),
        context=run.scores["reads"],
        mae={m.status["model"]: m.scores["test"]["mae"]["step"] for m in finished},
        history=run.history(),
        protocol=f"{split.name} {split.fingerprint}",
        place=Place.of(split.panel.space, split.panel.nodes),
        sums=by_step,
        space=run.scores.get("space"),
        states=run.arrays("states.npz"),
        drawing=run.read("drawing.json"),
    )


def _of(kept: Mapping[str, Array], name: str, origins: set[int]) -> Array | None:
    """What was kept of some origins under a name; None where nothing was."""
    if name not in kept:
        return None
    return kept[name][[origin in origins for origin in kept["origins"].tolist()]]
