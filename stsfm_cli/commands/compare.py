"""`stsfm compare`: tables from run folders, rebuilt whenever asked for.

stsfm compare [model=a,b] [data=…] [seed=…] [protocol=…] [any.key=value]
  --metric mae         the score that models are ordered by (mase); of rmse,mae the first, and both
                       are the columns of errors
  --rows, --columns    model, data, horizon, protocol, seed or any key: what a grid has where
  --by KEY             a grid for each of its values
  --factors loss       keys whose every value is a row; of others validation chooses one
  --control arima      the model that others are tested against (best classical on validation)
  --question TEXT      what is asked: a sentence for the report
  --all-configs        every configuration; stamps the tables EXPLORATORY
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from stsfm.mistakes import Mistake, no_such
from stsfm.request import split_flags
from stsfm.screen import Screen

if TYPE_CHECKING:
    from stsfm.record import Record
    from stsfm.tables.grid import Layout

USAGE = __doc__.partition("\n\n")[2]
AXES = ("rows", "columns", "by", "factors")
OPTIONS = ("metric", *AXES, "control", "question")


def main(args: list[str]) -> int:
    """Write the tables of the runs that match, and print them."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    quiet, args = split_flags(args, "-q", "--quiet")
    compare(args, Screen(quiet=quiet))
    return 0


def compare(args: list[str], screen: Screen) -> Path:
    """The runs that match every key=value, beside the baselines of their protocols.

    Returns the folder that the tables are written to.
    """
    from stsfm.comparison import write_comparison  # numpy comes with it: not for --help
    from stsfm.gathered import beside
    from stsfm.record.choosing import apart, filters, select
    from stsfm.record.shelf import Shelf

    options, words = _options(args)
    wanted = filters(words, "compare")
    home = Path(wanted.pop("runs_dir", ["runs"])[0])
    shelf = Shelf(home)
    found, _ = apart(select(shelf.runs, wanted), wanted)
    chosen = [run for run in found if run.tested]
    for run in [run for run in chosen if run.state == "damaged"]:
        screen.warn(f"stsfm compare: without {os.path.relpath(run.folder)}: {run.damage()}")
        chosen.remove(run)
    if not chosen:
        raise Mistake(f"no run in {home} matches {' '.join(words)}; `stsfm ls` shows what there is")
    _check_control(options.get("control"), beside(shelf, chosen))
    lacking = set(wanted.get("model", [])) - {run.status["model"] for run in chosen}
    data = {str(run.status["data"]) for run in chosen}
    digest = hashlib.sha256("\n".join(sorted(args)).encode()).hexdigest()[:8]
    name = f"{data.pop() if len(data) == 1 else 'several'}-{digest}"
    folder = write_comparison(
        chosen,
        name=name,
        screen=screen,
        every_config="all-configs" in options,
        question=options.get("question", ""),
        control=options.get("control"),
        layout=_layout(options),
        shelf=shelf,
        command=shlex.join(["stsfm", "compare", *args]),
    )
    if lacking:
        screen.warn(f"stsfm compare: no run of {', '.join(sorted(lacking))} matches")
    return folder


def _options(args: list[str]) -> tuple[dict[str, str], list[str]]:
    """--metric mae or --metric=mae → {"metric": "mae"}, and the words that are no options."""
    options: dict[str, str] = {}
    words: list[str] = []
    left = iter(args)
    for arg in left:
        name, equals, value = arg.removeprefix("--").partition("=")
        if not arg.startswith("-"):
            words.append(arg)
        elif arg == "--all-configs":
            options[name] = ""
        elif arg.startswith("--") and name in OPTIONS:
            options[name] = value if equals else next(left, "")
            if not options[name]:
                raise Mistake(
                    f"--{name}: wanted a value; `stsfm compare --help` shows of what kind"
                )
        else:
            raise Mistake(f"unknown option {arg!r}; `stsfm compare --help` lists all")
    return options, words


def _check_control(control: str | None, runs: Iterable[Record]) -> None:
    """Mistake where no run is of the model that others shall be tested against."""
    models = {str(run.status["model"]) for run in runs}
    if control is not None and control.partition(" ")[0] not in models:
        raise no_such("model", control, models, " among these runs")


def _layout(options: dict[str, str]) -> Layout:
    """What the grid shall show. Mistake where models can't be ordered by the metric."""
    from stsfm.tables.grid import Layout
    from stsfm.tables.table import check_metric

    metrics = tuple(options["metric"].split(",")) if "metric" in options else ("",)
    for metric in filter(None, metrics):
        check_metric(metric)
    axes = {name: tuple(options[name].split(",")) for name in AXES if name in options}
    return Layout(metric=metrics[0], printed=metrics if metrics[1:] else (), **axes)
