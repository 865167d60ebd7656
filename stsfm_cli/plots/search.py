"""What a search found: its history, which keys mattered, and what a smaller budget had brought.

Drawn from search.json of a comparison alone; models of one task share their figures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stsfm.files import write
from stsfm.losses.metrics import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Model = Mapping[str, Any]  # one of the models of search.json
LABELS = {metric.name: metric.label for metric in METRICS}
LOG_FROM = 10.0  # times that the largest value is the smallest
FEWEST = 5  # values without which nothing is expected of other budgets
MOST = 8  # models side by side


def draw(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write search_history, search_importance and search_budget as PNG and SVG; and captions.

    Returns the PNG files; search_captions.json maps the name of each to its caption.
    """
    from matplotlib import rc_context

    from stsfm.plots import style

    drawn, captions = [], {}
    tasks: dict[str, list[Model]] = {}
    for model in found["models"]:
        tasks.setdefault(model["fingerprint"], []).append(model)
    with rc_context(style.STYLE):
        for fingerprint, models in tasks.items():
            suffix = f"-{fingerprint}" if len(tasks) > 1 else ""
            for figure in (history, importance, budget):
                if (made := figure(models[:MOST])) is None:
                    continue
                path = style.save(made[0], folder, f"search_{figure.__name__}{suffix}")
                captions[path.name] = f"{made[1]} {_where(models[0])}"
                drawn.append(path)
    if drawn:
        text = json.dumps(captions, indent=2, ensure_ascii=False) + "\n"
        write(folder / "search_captions.json", text)
    return drawn


def history(models: Sequence[Model]) -> tuple[Figure, str] | None:
    """A panel per model: each trial, and the best so far; None where no trial has a value."""
    shown = [model for model in models if _values(model).size]
    if not shown:
        return None
    made, grid = _panels(len(shown), 1.45)
    for ax, model in zip(grid.ravel(), shown, strict=False):
        _trials(ax, model)
    _arrange(made, grid)
    text = (
        "Validation error of every trial (dots) and the least so far (line). "
        "Ring: the default configuration; × at the top: a trial that failed, | one that was pruned."
    )
    return made, text


def importance(models: Sequence[Model]) -> tuple[Figure, str] | None:
    """A panel per model: the share of each key; None where too few trials tell."""
    from stsfm.plots import style

    shown = [model for model in models if model["importance"]]
    if not shown:
        return None
    most = max(len(model["importance"]) for model in shown)
    made, grid = _panels(len(shown), 0.5 + 0.17 * most)
    for ax, model in zip(grid.ravel(), shown, strict=False):
        shares = sorted(model["importance"].items(), key=lambda pair: pair[1])
        keys, widths = zip(*shares, strict=True)
        ax.barh(range(len(keys)), widths, height=0.6, color=style.MODEL)
        ax.set_yticks(range(len(keys)), [key.removeprefix("model.") for key in keys])
        ax.set_ylim(len(keys) - most - 0.6, len(keys) - 0.4)  # the first on one line
        ax.set_xlim(0, 1)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_title(model["model"])
        ax.set_xlabel("share of variance")
    _arrange(made, grid)
    without = [f"{model['model']}: {model['importance_why']}" for model in models
               if not model["importance"]]  # fmt: skip
    text = (
        "Share of the variance of the validation error over the space that each key explains "
        "alone (fANOVA, Hutter et al. 2014); the shares add up to 1."
    )
    return made, " ".join([text, *([f"Not shown: {'; '.join(without)}."] if without else [])])


def budget(models: Sequence[Model]) -> tuple[Figure, str] | None:
    """The expected least validation error by the number of trials; None where too few tell."""
    from stsfm.plots import layout, style

    drawn = [(model, *_drawn(model)) for model in models]
    drawn = [entry for entry in drawn if len(entry[1]) >= FEWEST]
    if not drawn:
        return None
    made, grid = layout.figure(style.COLUMN, 2.3)
    ax: Axes = grid[0, 0]
    looks = [(style.MODEL, "-"), *style.OTHERS]
    ends, seen = [], []
    for (model, values, lost), (color, dashes) in zip(drawn, looks, strict=False):
        n = np.arange(1, len(values) + lost + 1)
        mean, sd = expected_least(values, lost)
        if len(drawn) < 4:
            ax.fill_between(n, np.maximum(mean - sd, values.min()), mean + sd, color=color,
                            alpha=0.15, lw=0)  # fmt: skip
        ax.plot(n, mean, color=color, ls=dashes)
        ends.append(layout.End(model["model"], float(n[-1]), float(mean[-1]), color))
        seen.append(mean)
    every = np.concatenate(seen)
    ax.set_xlim(1, max(end.x for end in ends))
    if every.min() > 0 and every.max() > LOG_FROM * every.min():
        style.log_axis(ax)
    ax.set_xlabel("trials")
    ax.set_ylabel(f"expected validation {LABELS[models[0]['metric']]}")
    layout.arrange(made, grid, right=layout.ends_width(made, ends), top=0.12)
    layout.name_ends(ax, ends)
    guided = any(model["sampler"] == "tpe" for model, *_ in drawn)
    text = (
        "Expected least validation error after so many trials, in any order, the default left out "
        f"(Dodge et al. 2019){'; bands: ± one standard deviation' * (len(drawn) < 4)}."
        + " Trials by tpe are not independent draws: for them the curve is a description."
        * guided
    )
    return made, text


def expected_least(values: np.ndarray, lost: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What the least of n trials is expected to be, and its standard deviation, n = 1, 2, ….

    With F the empirical distribution of N trials, the chance that all of n draws from them, with
    replacement, are at least the i-th smallest value v(i) is ((N − i + 1) / N)ⁿ, so

        E[min] = Σᵢ v(i) (((N − i + 1) / N)ⁿ − ((N − i) / N)ⁿ)

    Dodge, Gururangan, Card, Schwartz & Smith, Show your work: improved reporting of experimental
    results, EMNLP (2019), there for the largest. Biased where n nears N (Tang et al., ACL 2020).

    values  of the trials that have one
    lost    trials without any, which count as worse than all: given that one of the n has a value

    Returns two arrays, (N,) each.
    """
    ordered, total = np.sort(values), len(values) + lost
    n = np.arange(1, total + 1)[:, None]
    rank = np.arange(len(ordered))
    chance = ((total - rank) / total) ** n - ((total - rank - 1) / total) ** n
    chance /= chance.sum(1, keepdims=True)
    mean = chance @ ordered
    return mean, np.sqrt(np.maximum(chance @ ordered**2 - mean**2, 0))


def _drawn(model: Model) -> tuple[np.ndarray, int]:
    """The values of the trials that a sampler drew, and how many of them have none."""
    trials = [t for t in model["trials"] if not (t["number"] == 0 and model["first_is_default"])]
    values = [trial["value"] for trial in trials if trial["value"] is not None]
    return np.array(values, float), sum(t["state"] in ("failed", "pruned") for t in trials)


def _values(model: Model) -> np.ndarray:
    """(trials,) NaN where a trial has no value; empty where none has."""
    values = np.array([_or_nan(trial["value"]) for trial in model["trials"]], float)
    return values if np.isfinite(values).any() else values[:0]


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _trials(ax: Axes, model: Model) -> None:
    from stsfm.plots import style

    values = _values(model)
    number = np.arange(1, len(values) + 1)
    least = np.fmin.accumulate(values)
    ax.step(number, least, where="post", color=style.MODEL)
    ax.plot(number, values, ls="", marker="o", ms=2.6, mew=0, color=style.SOFT, alpha=0.8)
    if model["first_is_default"]:
        ax.plot(1, values[0], marker="o", ms=5.5, mfc="none", mec=style.INK, mew=0.9)
    if np.nanmin(values) > 0 and np.nanmax(values) > LOG_FROM * np.nanmin(values):
        style.log_axis(ax)
    states = np.array([trial["state"] for trial in model["trials"]])
    for state, marker, color in (("failed", "x", style.VERMILLION), ("pruned", "|", style.ORANGE)):
        at = number[states == state]
        ax.plot(at, np.ones(len(at)), ls="", marker=marker, ms=4, mew=1, color=color,
                clip_on=False, transform=ax.get_xaxis_transform())  # fmt: skip
    ax.set_xlim(0.5, len(values) + 0.5)
    ax.set_title(model["model"])
    ax.set_xlabel("trial")
    ax.set_ylabel(f"validation {LABELS[model['metric']]}")


def _panels(count: int, height: float) -> tuple[Figure, Any]:
    """Two in a row, on a column where there is but one."""
    from stsfm.plots import layout, style

    columns = min(count, 2)
    rows = -(-count // columns)
    width = style.COLUMN if count == 1 else style.PAGE
    made, grid = layout.figure(width, 0.25 + rows * (height + 0.45), rows, columns)
    for ax in grid.ravel()[count:]:
        ax.set_axis_off()
    return made, grid


def _arrange(made: Figure, grid: Any) -> None:
    from stsfm.plots import layout

    layout.arrange(made, grid, titles=0.22, top=0.02, below=0.1, right=0.12)


def _where(model: Model) -> str:
    return f"Data: {model['data']}; protocol {model['fingerprint']}; budget {model['budget']}."
