"""Every node at every step of the horizon: who is hard from the first step, and who becomes so."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.space import canvas
from stsfm.plots.story import Story

FEWEST = 3  # nodes, and steps, of fewer of which lines say more
NAMED = 20  # nodes whose names stand beside their rows


def node_steps(story: Story) -> tuple[Figure, str] | None:
    """MAE by node and step; None with a node or two, or a step or two."""
    if not story.sums or min(story.sums["count"].shape) < FEWEST:
        return None
    absolute, n = story.sums["absolute"], story.sums["count"]
    error = np.where(n > 0, absolute / np.maximum(n, 1), np.nan).T  # (node, step)
    mean = story.per_node("absolute")
    order = np.argsort(-np.where(np.isfinite(mean), mean, -1), kind="stable")
    scale = canvas.sizes(error)
    made, grid = layout.figure(style.COLUMN, 1.3 + min(1.9, 0.16 * len(order)))
    ax: Axes = grid[0, 0]
    corners = np.arange(error.shape[1] + 1) + 0.5, np.arange(len(order) + 1) + 0.5
    drawn = ax.pcolormesh(*corners, error[order], cmap=scale.colours, norm=scale.norm,
                          rasterized=True, lw=0)  # fmt: skip
    ax.invert_yaxis()
    ax.set_xticks(style.step_ticks(story.horizon, story.about.season))
    ax.set_xlabel(story.ahead)
    if len(order) <= NAMED:
        names = [style.short(story.about.nodes[k], 14) for k in order]
        ax.set_yticks(range(1, len(order) + 1), names)
    else:
        ax.set_ylabel("node, by its error")
        ax.set_yticks([1, *_rounds(len(order))])
    layout.arrange(made, grid, top=0.1, right=0.75)
    canvas.bar(ax, drawn, scale, story.in_unit("MAE"))
    ends = " Colours end at the 2 and 98 % quantiles." if error.size >= canvas.MANY else ""
    return made, (
        f"Mean absolute error of {story.model} at every node and step of the horizon, over all "
        f"scored windows; nodes in the order of their mean error.{ends} {story.where}"
    )


def _rounds(nodes: int) -> list[int]:
    """A few round numbers up to the number of nodes."""
    power = 10 ** int(np.log10(nodes))
    every = next(k * power // 10 for k in (20, 10, 5, 2) if nodes // max(1, k * power // 10) >= 3)
    return list(range(every, nodes + 1, every))
