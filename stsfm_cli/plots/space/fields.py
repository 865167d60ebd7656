"""A field as it was, as it was forecast, and what lies between, in windows chosen by error."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.forecasts import QUANTILES, errors
from stsfm.plots.space import canvas
from stsfm.plots.story import Story

STEPS = 3  # shown of each window: the first, the middle and the last
TALL, LEAST = 1.1, 0.55  # times its width that a row may be high; inches that it is at least
APART = 0.12  # inches between two windows, beside the gap between pictures


class Pick(NamedTuple):
    quantile: float
    window: int
    mae: float


def fields(story: Story) -> tuple[Figure, str] | None:
    """Rows: truth, forecast, residual; columns: steps of windows. None unless on a lattice."""
    if story.place is None or story.place.lattice is None or not (picks := chosen(story)):
        return None
    steps = np.unique(np.linspace(0, story.horizon - 1, STEPS).round().astype(int))
    truth = np.stack([story.series[story.drawn[pick.window] + steps] for pick in picks])
    point = np.stack([story.point[pick.window][steps, :, 0] for pick in picks])
    rows = [truth, point, truth - point]  # (pick, step, node) each
    levels = canvas.sizes(np.concatenate([truth, point], None))
    scales = [levels, levels, canvas.signs(rows[2])]
    sheet, columns = canvas.Sheet(story.place), len(picks) * len(steps)
    between = APART * (len(picks) - 1)
    wide = (style.PAGE - 1.2 - between) / max(columns, 4)
    tall = max(LEAST, wide * min(sheet.shape, TALL))
    made, grid = layout.figure(style.PAGE, 0.62 + 3 * (tall + 0.06), 3, columns)
    drawn = [_row(grid[k], sheet, values, scales[k]) for k, values in enumerate(rows)]
    for ax, name in zip(grid[:, 0], ("observed", "forecast", "residual"), strict=True):
        ax.set_ylabel(name)
    for ax, (_, step) in zip(grid[0], product(picks, steps), strict=True):
        ax.set_title(f"+{step + 1}", loc="center", pad=3)
    right = 0.75 + between + (style.PAGE - 1.2 - wide * columns if columns < 4 else 0)
    layout.arrange(made, grid, titles=[0.5, 0.06, 0.06], gap=0.05, right=right)
    for ax, column in zip(grid.flat, np.indices(grid.shape)[1].flat, strict=True):
        box = ax.get_position()
        box.x0, box.x1 = box.intervalx + column // len(steps) * APART / style.PAGE
        ax.set_position(box)
    for k, pick in enumerate(picks):
        box = grid[0, k * len(steps)].get_position()
        made.text(box.x0, 1 - 0.1 / made.get_figheight(), _title(story, pick, len(picks) < 2),
                  va="top")  # fmt: skip
    canvas.bar(grid[0, -1], drawn[0], scales[0], story.unit, down=grid[1, -1])
    canvas.bar(grid[2, -1], drawn[2], scales[2], story.unit)
    return made, _caption(story, picks, steps)


def chosen(story: Story) -> list[Pick]:
    """The windows at quantiles of the mean error over the field, by nearest rank; none twice."""
    each = errors(story)
    seen = np.isfinite(each)
    mean = np.where(seen, each, 0).sum(1) / seen.sum(1).clip(1)
    order = np.argsort(np.where(seen.any(1), mean, np.inf), kind="stable")[: seen.any(1).sum()]
    ranks = {round(q * (len(order) - 1)): q for q in reversed(QUANTILES)} if len(order) else {}
    return [Pick(q, int(order[r]), float(mean[order[r]])) for r, q in sorted(ranks.items())]


def _row(
    axes: np.ndarray, sheet: canvas.Sheet, values: np.ndarray, scale: canvas.Scale
) -> ScalarMappable:
    for ax, field in zip(axes, values.reshape(-1, values.shape[-1]), strict=True):
        drawn = sheet.draw(ax, field, scale)
        ax.set(xlabel="", ylabel="", xticks=[], yticks=[], facecolor=style.SHADE)
    return drawn


def _title(story: Story, pick: Pick, alone: bool) -> str:
    first = "only window" if alone else f"{100 * pick.quantile:g} % quantile"
    return f"{first}, MAE {style.number(pick.mae)}\n{story.at(int(story.drawn[pick.window]))}"


def _caption(story: Story, picks: list[Pick], steps: np.ndarray) -> str:
    at = ", ".join(f"{100 * pick.quantile:g}" for pick in picks)
    which = f"at the {at} % quantiles of the mean absolute error of the whole field (nearest rank, "
    which = "the only scored window" if len(picks) < 2 else f"{which}not chosen by hand)"
    unit = f" MAE in {story.unit}." if story.unit else ""
    return (
        f"The field as observed, as forecast by {story.model}, and the residual (observed − "
        f"forecast), {which}: {story.in_steps} {', '.join(str(k + 1) for k in steps)} ahead, from "
        f"the origin whose date is above.{unit} {story.where}"
    )
