"""Where a model errs, by how much, and whether nodes with many neighbours err more."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.space import canvas
from stsfm.plots.story import Story
from stsfm.spatial.words import sentences
from stsfm.words import number

FEWEST = 3  # nodes on a map, below which a table says more


def error_map(story: Story) -> tuple[Figure, str] | None:
    """MAE and bias of every node on a map; None where nobody knows where nodes are."""
    place = story.place
    if place is None or place.empty or place.nodes < FEWEST or not story.sums:
        return None
    mae, bias = story.per_node("absolute"), story.per_node("residual")
    if not np.isfinite(mae).any():
        return None
    sheet = canvas.Sheet(place)
    made, grid = layout.figure(style.PAGE, 0.75 + 2.35 * sheet.shape, 1, 2)
    scales = canvas.sizes(mae), canvas.signs(bias)
    drawn = [sheet.draw(ax, values, scale)
             for ax, values, scale in zip(grid[0], (mae, bias), scales, strict=True)]  # fmt: skip
    grid[0, 1].set_ylabel("")
    grid[0, 1].tick_params(labelleft=False)
    layout.arrange(made, grid, titles=0.26, gap=0.8, right=0.75)
    for ax, image, scale, title, label in zip(
        grid[0], drawn, scales, ("(a) Error", "(b) Bias"), ("MAE", "mean residual"), strict=True
    ):
        ax.set_title(title)
        canvas.bar(ax, image, scale, story.in_unit(label))
    return made, _caption(story, sheet)


def _caption(story: Story, sheet: canvas.Sheet) -> str:
    assert story.place is not None
    parts = [
        f"(a) Mean absolute error of {story.model} at every node, and (b) its mean residual "
        "(observed − forecast: red where forecasts are too low), over all scored windows and "
        "steps.",
        sheet.said,
        canvas.thinned(story.place),
        "Colours end at the 2 and 98 % quantiles." if story.place.nodes >= canvas.MANY else "",
        *sentences(story.space),
        story.where,
    ]
    return " ".join(filter(None, parts))


def degree(story: Story) -> tuple[Figure, str] | None:
    """Error against the weights of a node's edges; None where there is no graph, or all are alike.

    Of a graph that was shuffled, too: what a model reads may matter more than what is true.
    """
    told = (story.space or {}).get("degree")
    if story.place is None or not told or not story.sums:
        return None
    made, grid = layout.figure(style.COLUMN, 2.4)
    ax: Axes = grid[0, 0]
    x, y = story.place.degree, story.per_node("absolute")
    size = float(np.clip(1_500 / len(x), 3, 20))
    ax.scatter(x, y, s=size, color=style.MODEL, lw=0, alpha=0.6, rasterized=len(x) > canvas.HEAVY)
    seen = y[np.isfinite(y)]
    if seen.min() > 0 and seen.max() > 20 * np.median(seen):
        style.log_axis(ax)
    else:
        ax.set_ylim(0, 1.05 * seen.max())
    ax.set_xlabel("weight of all edges of a node")
    ax.set_ylabel(story.in_unit("MAE"))
    ax.set_title(f"Rank correlation {number(told['rho'], 2)}")
    layout.arrange(made, grid, titles=0.26, right=0.15)
    return made, (
        f"Mean absolute error of {story.model} at every node, over all scored windows and steps, "
        f"against the sum of the weights of its edges. Spearman's rank correlation over "
        f"{told['nodes']:,} nodes: {number(told['rho'], 2)}; nodes are no independent draws, so "
        f"that no p-value is given. {story.where}"
    )
