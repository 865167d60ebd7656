"""What comes next: the last of the past and the forecast beyond it, of one node or of three."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.forecasts import QUANTILES, intervals, settle, window
from stsfm.plots.story import Story


def ahead(story: Story) -> tuple[Figure, str]:
    """A panel per node, all of them or those of a low, a middling and a high change.

    The story has one window, whose future was not observed.
    """
    nodes, bands = _nodes(story), intervals(story)
    alone = len(nodes) < 2
    height = 2.3 if alone else 2.4
    made, grid = layout.figure(style.COLUMN if alone else style.PAGE, height, 1, len(nodes))
    for ax, node in zip(grid[0], nodes, strict=True):
        window(ax, story, 0, node, bands, ticks=6 if alone else 4)
        if story.many:
            ax.set_title(style.short(story.about.nodes[node], 30))
    settle(made, grid, story, titles=0.22 if story.many else 0.1, gap=0.12)
    return made, _caption(story, len(nodes), [name for name, *_ in bands])


def _nodes(story: Story) -> list[int]:
    """Up to three nodes; of more those at the QUANTILES of the mean change, by nearest rank."""
    count = len(story.about.nodes)
    if count <= len(QUANTILES):
        return list(range(count))
    origin, horizon = int(story.origins[0]), story.horizon
    seen = story.mask[max(0, origin - horizon) : origin, :, 0]
    last = story.values[max(0, origin - horizon) : origin, :, 0].sum(0) / seen.sum(0).clip(1)
    change = story.point[0, :, :, 0].mean(0) - last
    order = np.argsort(change, kind="stable")
    return [int(order[round(q * (count - 1))]) for q in QUANTILES]


def _caption(story: Story, shown: int, bands: list[str]) -> str:
    count, about = len(story.about.nodes), story.about
    text = (
        f"Forecast by {story.model} beyond the last observed row of {about.name}, "
        f"{story.steps(story.horizon)} from {story.at(int(story.origins[0]))} (vertical line)."
    )
    if shown < count:
        at = ", ".join(f"{100 * q:g}" for q in QUANTILES)
        text += (
            f" Shown are the nodes at the {at} % quantiles of the mean change against the last "
            f"{story.steps(story.horizon)} (nearest rank, not chosen by hand), of {count}."
        )
    if len(about.channels) > 1:
        text += f" Channel {about.channels[0]} of {len(about.channels)}."
    return text + f" Shaded: central {' and '.join(bands)} intervals." * bool(bands)
