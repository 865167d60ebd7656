"""Error by step of the horizon, this model beside every baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.story import Story

LOG_FROM = 20.0  # times that the worst model errs more than the best


def horizon(story: Story) -> tuple[Figure, str] | None:
    """A line per model, a dot per model where there is one step; None where nothing was scored."""
    errors = {name: _floats(steps) for name, steps in story.mae.items()}
    errors = {name: steps for name, steps in errors.items() if np.isfinite(steps).any()}
    if not errors:
        return None
    others = [name for name in errors if name != story.model]
    looks = {name: style.OTHERS[i % len(style.OTHERS)] for i, name in enumerate(others)}
    looks[story.model] = (style.MODEL, "-")
    units = sorted(set(filter(None, story.about.units)))  # the record pools channels
    unit = f"MAE ({' and '.join(units)})" if units else "MAE"
    errors = {name: errors[name] for name in [*others, story.model] if name in errors}
    made = _dots(story, errors, unit) if story.horizon == 1 else _lines(story, errors, looks, unit)
    what = "one step ahead" if story.horizon == 1 else "by step of the horizon"
    return made, (
        f"Mean absolute error {what}, over all scored windows"
        f"{' and nodes' * story.many}: {story.model} and the baselines. {story.where}"
    )


def _lines(story: Story, errors: dict[str, np.ndarray], looks: dict, unit: str) -> Figure:
    made, grid = layout.figure(style.COLUMN, 2.4)
    ax: Axes = grid[0, 0]
    thick = 1.0 if story.horizon <= 100 else 0.7
    for name, steps in errors.items():
        color, dashes = looks[name]
        own = name == story.model
        x = np.arange(1, len(steps) + 1)
        style.trace(ax, x, steps, color=color, ls=dashes, lw=thick * (1 + own), zorder=2 + own)
    tops = [np.nanmax(steps) for steps in errors.values()]
    if min(map(np.nanmin, errors.values())) > 0 and max(tops) > LOG_FROM * min(tops):
        style.log_axis(ax)
    else:
        ax.set_ylim(0, 1.08 * max(tops) or 1)
    ax.set_xticks(style.step_ticks(story.horizon, story.about.season))
    ax.set_xlabel(story.ahead)
    ax.set_ylabel(unit)
    ends = [_end(name, errors[name], name == story.model, looks[name][0]) for name in errors]
    layout.arrange(made, grid, right=layout.ends_width(made, ends), top=0.1)
    layout.name_ends(ax, ends)
    return made


def _end(name: str, steps: np.ndarray, own: bool, color: str) -> layout.End:
    at = np.flatnonzero(np.isfinite(steps))[-1]
    return layout.End(name, float(at + 1), float(steps[at]), color, own)


def _dots(story: Story, errors: dict[str, np.ndarray], unit: str) -> Figure:
    order = sorted(errors, key=lambda name: -errors[name][0])
    made, grid = layout.figure(style.COLUMN, 0.7 + 0.2 * len(order))
    ax: Axes = grid[0, 0]
    for place, name in enumerate(order):
        value, own = errors[name][0], name == story.model
        color = style.MODEL if own else style.SOFT
        ax.plot([0, value], [place, place], color=style.FAINT, lw=0.6)
        ax.plot([value], [place], marker="o", ms=5 if own else 4, color=color, mew=0)
        ax.annotate(style.number(value), (value, place), (5, 0), textcoords="offset points",
                    va="center_baseline", color=color)  # fmt: skip
    ax.set_yticks(range(len(order)), order)
    for label, name in zip(ax.get_yticklabels(), order, strict=True):
        label.set(weight="bold" if name == story.model else "normal")
        label.set(color=style.MODEL if name == story.model else style.INK)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.set_xlim(left=0)
    ax.set_xlabel(f"{unit}, {story.steps(1)} ahead")
    layout.arrange(made, grid, right=0.5)
    return made


def _floats(steps: Sequence[float | None]) -> np.ndarray:
    found = np.array([np.nan if x is None else x for x in steps], float)
    return np.where(np.isfinite(found), found, np.nan)
