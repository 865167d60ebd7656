"""`stsfm predict`: what a kept run forecasts beyond its data, written under it and shown.

stsfm predict RUN                       after the last row of its own data
stsfm predict RUN data=new.csv          after the last row of other data; data.key=value as in run
stsfm predict RUN refit=all             learn from all rows first
stsfm predict RUN plugins=[my_models]   of a model of your own
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stsfm import trust
from stsfm.datasets.about import DAY
from stsfm.files import write, write_json
from stsfm.mistakes import Mistake, did_you_mean
from stsfm.plots import dates
from stsfm.request import split_flags
from stsfm.saved import Prediction, forecast, open_run
from stsfm.screen import Screen
from stsfm.words import aligned, steps

if TYPE_CHECKING:
    from stsfm.plots import Story

USAGE = __doc__.partition("\n\n")[2]
MOST = 24  # rows of a table on the screen
KEYS = ("data", "refit", "plugins", "runs_dir")


def main(args: list[str]) -> int:
    """Forecast, write CSV and figure, and print the rows."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    quiet, args = split_flags(args, "-q", "--quiet")
    if flags := [arg for arg in args if arg.startswith("-")]:
        raise Mistake(f"unknown option {flags[0]!r}; `stsfm predict --help` lists all")
    names = [arg for arg in args if "=" not in arg]
    if len(names) != 1:
        raise Mistake("wanted one run: its folder, or how its id begins; `stsfm ls` lists them")
    keys, overrides = _keys([arg for arg in args if arg != names[0]])
    trust.use(filter(None, keys.get("plugins", "").strip("[]").split(",")))
    run = open_run(names[0], keys.get("runs_dir", "runs"))
    made = forecast(
        run, data=keys.get("data"), refit=keys.get("refit") == "all", overrides=overrides
    )
    _write(made)
    _show(made, Screen(quiet=quiet))
    return 0


def _keys(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The keys of KEYS, and the overrides of those of data."""
    pairs = {key: value for key, _, value in (word.partition("=") for word in words)}
    for key in pairs:
        if key not in KEYS and not key.startswith("data."):
            hint = did_you_mean(key, KEYS)
            raise Mistake(f"no key is called {key!r}.{hint} `stsfm predict --help` lists all")
    if pairs.get("refit", "all") != "all":
        raise Mistake(f"refit={pairs['refit']}: wanted refit=all, or no refit")
    overrides = [word for word in words if word.startswith("data.")]
    if overrides and "data" not in pairs:
        raise Mistake(f"{overrides[0]} is a key of other data: name them with data=…")
    return {key: pairs[key] for key in KEYS if key in pairs}, overrides


def _write(made: Prediction) -> None:
    from matplotlib import rc_context

    from stsfm.plots import ahead, style

    write(made.folder / "forecast.csv", made.to_frame().to_csv(index=False))
    with rc_context(style.STYLE):
        figure, caption = ahead.ahead(_story(made))
        style.save(figure, made.folder, "forecast")
    about = {"origin": made.origin, "notes": made.notes, "caption": caption}
    write_json(made.folder / "forecast.json", about)


def _story(made: Prediction) -> Story:
    """The forecast as the one window of a story whose future nobody has seen."""
    from stsfm.plots import Story

    past, made_of = made.past, made.forecast
    hidden = lambda x: np.concatenate([x, np.zeros(made_of.point.shape, x.dtype)])  # noqa: E731
    return Story(
        model=made.model,
        about=made.about,
        values=hidden(past.values),
        mask=hidden(past.mask),
        time=np.concatenate([past.time, made.time]),
        borders={},
        horizon=len(made.time),
        origins=np.array([len(past)]),
        point=made_of.point[None],
        quantiles=None if made_of.quantiles is None else made_of.quantiles[None],
        levels=made_of.levels,
        mae={},
    )


def _show(made: Prediction, screen: Screen) -> None:
    about, unit = made.about, made.about.units[0]
    what = f"{about.name}{f' ({unit})' * bool(unit)}"
    screen.say(f"{made.model} on {what} · {steps(len(made.time), about.step)} from {made.origin}")
    for note in made.notes:
        screen.say(f"  {note}")
    rows = _rows(made)
    lines = list(aligned(rows, right=range(len(rows[0]))))
    if (left := len(rows) - 1 - MOST) > 0:
        half = MOST // 2
        lines[1 + half : -half] = [f"… {left:,} more"]
    for line in lines:
        screen.say(f"  {line}")
    screen.say(f"→ {os.path.relpath(made.folder)}   forecast.csv · forecast.png · forecast.svg")


def _rows(made: Prediction) -> list[tuple[str, ...]]:
    """A head, then stamps, names where there are several, the point and the 80 % interval."""
    frame, several = made.to_frame(), [len(made.about.nodes) > 1, len(made.about.channels) > 1]
    names = [name for name, many in zip(("node", "channel"), several, strict=True) if many]
    numbers = ["point", *(name for name in ("q10", "q90") if name in frame)]
    largest = float(frame[numbers].abs().to_numpy().max()) or 1.0
    digits = max(0, 3 - math.floor(math.log10(largest)))
    days, row = made.time / DAY, len(made.past)
    dated = (dates.stamp(day, days) for day in days)
    stamps = list(dated) if made.about.step else [f"row {row + k}" for k in range(len(days))]
    columns = [
        ["", *np.repeat(stamps, len(frame) // len(stamps))],
        *([name, *frame[name]] for name in names),
        *([name, *(f"{x:,.{digits}f}" for x in frame[name])] for name in numbers),
    ]
    return list(zip(*columns, strict=True))
