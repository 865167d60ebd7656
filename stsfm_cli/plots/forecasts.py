"""Forecasts against truth, at the windows whose error is a low, a middling and a high one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.story import Story

QUANTILES = (0.05, 0.5, 0.95)


class Pick(NamedTuple):
    quantile: float
    window: int
    node: int
    mae: float


def errors(story: Story) -> np.ndarray:
    """(window, node) mean absolute error; NaN where less than half of the steps were observed."""
    total, count = np.zeros((2, *story.point.shape[::2]))  # (window, node) each
    for step in range(story.horizon):  # step by step: all truths at once may not fit in memory
        error = abs(story.series[story.drawn + step] - story.point[:, step, :, 0])
        seen = np.isfinite(error)
        total += np.where(seen, error, 0)
        count += seen
    return np.where(2 * count >= story.horizon, total / count.clip(1), np.nan)


def chosen(story: Story) -> list[Pick]:
    """The pair of window and node at each quantile of the error, by nearest rank; none twice."""
    error = errors(story)
    order = np.argsort(error, axis=None, kind="stable")[: np.isfinite(error).sum()]
    ranks = {round(q * (len(order) - 1)): q for q in reversed(QUANTILES)} if len(order) else {}
    picks = []
    for rank, quantile in sorted(ranks.items()):
        window, node = np.unravel_index(order[rank], error.shape)
        picks.append(Pick(quantile, int(window), int(node), float(error[window, node])))
    return picks


def intervals(story: Story) -> list[tuple[str, int, int]]:
    """Name, lower and upper level of at most two central intervals, the wider one first."""
    levels = [round(float(level), 6) for level in story.levels]
    pairs = [
        (low, round(1 - low, 6)) for low in levels if low < 0.5 and round(1 - low, 6) in levels
    ]
    widths = {round(high - low, 6): (levels.index(low), levels.index(high)) for low, high in pairs}
    if not widths:
        return []
    near = [min(widths, key=lambda width: abs(width - goal)) for goal in (0.9, 0.5)]
    return [(f"{100 * width:g} %", *widths[width]) for width in sorted(set(near), reverse=True)]


def forecasts(story: Story) -> tuple[Figure, str] | None:
    """A panel per chosen window: its past, its future and the forecast; None without any error."""
    picks, bands = chosen(story), intervals(story)
    if not picks:
        return None
    alone = len(picks) < 2
    made, grid = layout.figure(style.COLUMN if alone else style.PAGE, 2.55, 1, len(picks))
    same = len({pick.node for pick in picks}) == 1
    for ax, pick in zip(grid[0], picks, strict=True):
        window(ax, story, pick.window, pick.node, bands, ticks=6 if alone else 4)
        ax.set_title(_title(story, pick, alone), linespacing=1.35)
    if same:  # one scale for one series, so that the panels compare
        layout.one_scale(grid[0])
    settle(made, grid, story, titles=0.34, gap=0.3 if same else 0.12)
    return made, _caption(story, picks, bands)


def settle(made: Figure, grid: Any, story: Story, *, titles: float, gap: float) -> None:
    """Places a row of windows under one legend."""
    grid[0, 0].set_ylabel(story.quantity)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    columns = 2 if grid.size < 2 else len(labels)
    rows = -(-len(labels) // columns)
    layout.arrange(made, grid, titles=titles, gap=gap, top=0.1 + 0.16 * rows, right=0.2)
    place = (grid[0, 0].get_position().x0, 1 - 0.04 / made.get_figheight())
    made.legend(handles, labels, ncols=columns, loc="upper left", bbox_to_anchor=place)


def window(
    ax: Axes,
    story: Story,
    index: int,
    node: int,
    bands: list[tuple[str, int, int]],
    *,
    ticks: int,
) -> None:
    """A window of a node: the last of its past, what came as far as it did, and the forecast."""
    future = story.future(index)
    shown = slice(max(0, future.start - _history(story)), future.stop)
    clock, ahead = story.clock, story.clock[future]
    dots: dict[str, Any] = {"marker": "o", "ms": 3.2} if story.horizon == 1 else {}
    thick = 0.8 if story.horizon <= 100 else 0.5  # what was observed lies over what was forecast
    truth, point = story.series[shown, node], story.point[index, :, node, 0]
    style.trace(ax, clock[shown], truth, color=style.INK, lw=thick, label="observed", zorder=5)
    lines = [truth, point]
    if story.reference is not None:
        lines.append(story.reference[index, :, node, 0])
        faint: dict[str, Any] = {"color": style.SOFT, "lw": 1, "ls": (0, (2, 1.2))}
        ax.plot(ahead, lines[-1], label="seasonal naive", **faint, **dots)
    ax.plot(ahead, point, color=style.MODEL, lw=2 * thick, label=story.model, zorder=4, **dots)
    edges = [_band(ax, story, index, node, band, wide=band is bands[0]) for band in bands]
    _limit(ax, np.concatenate(lines), np.concatenate([np.zeros(0), *edges]))
    border = clock[future.start - 1 : future.start + 1].mean()
    ax.axvline(border, color=style.FAINT, lw=0.8, zorder=0)
    ends = clock[shown.start], clock[shown.stop - 1]
    slack = 0.02 * (ends[1] - ends[0])
    style.date_axis(ax, story, ends[0] - slack, ends[1] + slack, ticks)


def _band(
    ax: Axes, story: Story, index: int, node: int, band: tuple[str, int, int], *, wide: bool
) -> np.ndarray:
    """Draws an interval, as a bar where there is one step; returns its edges."""
    name, *levels = band
    ahead = story.clock[story.future(index)]
    edges = story.quantiles[index, :, node, 0][:, levels]  # type: ignore[index]
    look: dict[str, Any] = {"color": style.BANDS[0 if wide else 1], "label": f"{name} interval"}
    if story.horizon == 1:
        ax.plot(np.repeat(ahead, 2), edges[0], lw=7 if wide else 4, zorder=1, **look)
    else:
        ax.fill_between(ahead, *edges.T, lw=0, zorder=1, **look)
    return edges.ravel()


def _limit(ax: Axes, lines: np.ndarray, edges: np.ndarray) -> None:
    """Room for the lines, and for the bands as far as they do not dwarf the lines."""
    lines = lines[np.isfinite(lines)]
    low, high = lines.min(), lines.max()
    reach = max(high - low, 1e-9)
    edges = np.clip(edges[np.isfinite(edges)], low - reach, high + reach)
    low, high = edges.min(initial=low), edges.max(initial=high)
    ax.set_ylim(low - 0.05 * reach, high + 0.05 * reach)


def _history(story: Story) -> int:
    """Rows drawn before an origin: two seasons where that leaves the future room, else as many."""
    seasons = min(2 * story.about.season, max(4 * story.horizon, 24))
    return max(story.horizon, 12, seasons)


def _title(story: Story, pick: Pick, alone: bool) -> str:
    first = "Only window" if alone else f"{100 * pick.quantile:g} % error quantile"
    node = style.short(story.about.nodes[pick.node], 13)
    where = f"{node} · " * story.many + story.at(int(story.drawn[pick.window]))
    return f"{first}, MAE {style.number(pick.mae)}\n{where}"


def _caption(story: Story, picks: list[Pick], bands: list[tuple[str, int, int]]) -> str:
    windows = "pairs of window and node" if story.many else "windows"
    if len(picks) < 2:
        text = f"Forecast by {story.model} against what was observed, in the only scored window."
    else:
        at = ", ".join(f"{100 * pick.quantile:g}" for pick in picks)
        text = (
            f"Forecasts by {story.model} against what was observed, at the {at} % quantiles of the "
            f"mean absolute error of all {windows}{story.of_all} (nearest rank, not chosen by "
            "hand)."
        )
    if not story.mask[..., 0].all():
        text += (
            f" Gaps were not observed; {windows} with fewer than half of the steps are left out."
        )
    if bands:
        text += f" Shaded: central {' and '.join(name for name, *_ in bands)} intervals."
    if story.unit:
        text += f" MAE in {story.unit}."
    return f"{text} The vertical line is the origin, whose date is above. {story.where}"
