"""Who saw what: the series with its splits, the test origins, and a window at true length."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.story import Story
from stsfm.words import count

FEW = 5  # series that are drawn one by one
APART = 0.03  # inches between origins that are drawn one by one
ORIGINS, WINDOW = 1, 0  # the lanes, from below
ABOVE: dict[str, Any] = {
    "textcoords": "offset points",
    "xycoords": "axes fraction",
    "va": "baseline",
}


def protocol(story: Story) -> tuple[Figure, str]:
    """Above, the series over its splits; below, what the test does with them."""
    made, grid = layout.figure(style.PAGE, 2.9, 2, 1)
    top, lanes = grid[:, 0]
    for ax in (top, lanes):
        for part, (first, end) in story.borders.items():
            ax.axvspan(
                story.clock[first], story.clock[end], color=style.SPLITS[part], lw=0, zorder=0
            )
    _series(top, story)
    for ax in (top, lanes):
        style.date_axis(ax, story, story.clock[0], story.clock[-1], 12)
    top.tick_params(labelbottom=False, bottom=False)
    top.set_xlabel("")
    lanes.set_yticks([ORIGINS, WINDOW], ["origins", "a window"])
    lanes.set_ylim(-0.6, 1.6)
    lanes.tick_params(axis="y", length=0)
    lanes.spines["left"].set_visible(False)
    layout.arrange(made, grid, titles=(0.36, 0.0), heights=(3.4, 1), right=0.2, below=0.1)
    _name_splits(made, top, story)
    _date_borders(made, top, story)
    _origins(made, lanes, story)
    _window(made, lanes, story)
    return made, _caption(story)


def _series(ax: Axes, story: Story) -> None:
    ax.set_ylabel(story.quantity)
    clock = story.clock[:-1]
    nodes = story.series.shape[1]
    if nodes <= FEW:
        for node in range(nodes):
            ink = style.INK if nodes == 1 else style.GREYS[node % len(style.GREYS)]
            style.trace(ax, clock, story.series[:, node], color=ink, lw=0.9 if nodes == 1 else 0.7)
        return
    rows = style.sample(len(clock))
    low, middle, high = style.quantiles(story.series[rows], (0.05, 0.5, 0.95))
    ax.fill_between(clock[rows], low, high, color=style.SOFT, alpha=0.35, lw=0, zorder=1)
    style.trace(ax, clock[rows], middle, color=style.INK, lw=0.8)


def _key(story: Story) -> str:
    nodes = len(story.about.nodes)
    return f"median and {'range' if nodes <= 10 else 'middle 90 %'} of {nodes} nodes"


def _name_splits(made: Figure, ax: Axes, story: Story) -> None:
    """Over the axes each split by name, with its length where there is room."""
    inch = _inch(ax)
    names, middles = [], []
    for part, (first, end) in story.borders.items():
        start, stop = (story.clock[[first, end]] - story.clock[0]) / inch
        name, length = style.SPLIT_NAMES[part], story.steps(end - first)
        long = f"{name}, {length}"
        names.append(long if layout.text_width(made, long, weight="bold") < stop - start else name)
        middles.append((start + stop) / 2)
    widths = [layout.text_width(made, name, weight="bold") + 0.1 for name in names]
    wide = (story.clock[-1] - story.clock[0]) / inch
    for name, middle in zip(names, layout.spread(middles, widths, 0, wide), strict=True):
        ax.annotate(name, (middle / wide, 1), (0, 15), ha="center", weight="bold", **ABOVE)


def _date_borders(made: Figure, ax: Axes, story: Story) -> None:
    """Beside each border the day after it: validation's to the left, test's to the right of it."""
    if len(story.about.nodes) > FEW:
        ax.annotate(_key(story), (0, 1), (0, 4), color=style.SOFT, **ABOVE)
    for part, side in (("val", "right"), ("test", "left")):
        if part not in story.borders:
            continue
        border, day = story.clock[story.borders[part][0]], story.at(story.borders[part][0])
        ax.axvline(border, color=style.SOFT, lw=0.6, zorder=1)
        room = (story.clock[-1] - border) / _inch(ax)
        if side == "left" and layout.text_width(made, day) > room:
            border, side = story.clock[-1], "right"
        share = (border - story.clock[0]) / (story.clock[-1] - story.clock[0])
        ax.annotate(day, (share, 1), (0, 4), ha=side, color=style.SOFT, **ABOVE)


def _inch(ax: Axes) -> float:
    """How much of the x axis an inch is."""
    return float(np.diff(ax.get_xlim())[0] / (ax.get_window_extent().width / style.DPI))


def _origins(made: Figure, ax: Axes, story: Story) -> None:
    at, many = story.clock[story.origins], len(story.origins)
    low, high = ORIGINS - 0.3, ORIGINS + 0.3
    if many > 1 and at[-1] - at[0] < APART * (many - 1) * _inch(ax):
        ax.fill_between(at[[0, -1]], low, high, color=style.MODEL, lw=0.6)
    else:
        ax.vlines(at, low, high, color=style.MODEL, lw=1)
    apart = f", {story.steps(int(np.diff(story.origins)[0]))} apart" if many > 1 else ""
    _beside(made, ax, f"{count(many, 'origin')}{apart}", (at[0], at[-1]), ORIGINS)


def _window(made: Figure, ax: Axes, story: Story) -> None:
    """The first window of the test: its past reaches back over the border, its future does not."""
    first = int(story.origins[0])
    start = 0 if story.context is None else max(0, first - story.context)
    past, origin, end = story.clock[[start, first, first + story.horizon]]
    low, high = WINDOW - 0.3, WINDOW + 0.3
    ax.fill_between([past, origin], low, high, fc="white", ec=style.SOFT, lw=0.6)
    ax.fill_between([origin, end], low, high, color=style.MODEL, lw=0.6)
    reads = "all before it" if story.context is None else story.steps(first - start)
    text = f"reads {reads}, forecasts {story.steps(story.horizon)}"
    _beside(made, ax, text, (past, end), WINDOW, inside=(past, origin))


def _beside(
    made: Figure,
    ax: Axes,
    text: str,
    span: tuple[float, float],
    lane: int,
    inside: tuple[float, float] | None = None,
) -> None:
    """A text in, else left of, else right of a span, wherever there is room."""
    start, inch = ax.get_xlim()[0], _inch(ax)
    need = (layout.text_width(made, text) + 0.12) * inch
    if inside and inside[1] - inside[0] > need:
        x, side = inside[1] - 0.06 * inch, "right"
    elif span[0] - start > need:
        x, side = span[0] - 0.06 * inch, "right"
    else:
        x, side = span[1] + 0.06 * inch, "left"
    ax.text(x, lane, text, ha=side, va="center_baseline")


def _caption(story: Story) -> str:
    nodes = len(story.about.nodes)
    drawn = "" if nodes == 1 else " (a line per node)" if nodes <= FEW else f" ({_key(story)})"
    sizes = ", ".join(
        f"{style.SPLIT_NAMES[part]} ({story.steps(end - first)})"
        for part, (first, end) in story.borders.items()
    )
    text = (
        f"The series{drawn} over the rows for {sizes}. Below: every "
        "origin of the test, and its first window at true length, what the model reads in white, "
        "what it forecasts in colour."
    )
    end = story.borders["test"][1]  # of the data: rows behind it are the protocol's
    if missing := float(1 - story.mask[:end, :, 0].mean()):
        text += f" {100 * missing:.2g} % of the cells were not observed."
    return f"{text} {story.where}"
