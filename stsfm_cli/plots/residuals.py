"""Are the errors one step ahead what they should be: without memory, and of one normal kind?

Only one-step errors are looked at: with h steps ahead, neighbours share h − 1 of their shocks, and
are correlated under the best model. Ljung & Box, Biometrika 65 (1978); the band of the QQ plot is
that of order statistics, z ± 1.96 √(p(1−p)/n) / φ(z).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stsfm.datasets.acf import acf
from stsfm.plots import layout, style
from stsfm.plots.story import Story

FEWEST = 12  # residuals with which a distribution or a memory can be looked at
LAGS = 36  # most lags drawn
RANGE = (0.05, 0.95)  # over nodes
POINTS = 400  # most points of a QQ plot


def residuals(story: Story) -> tuple[Figure, str] | None:
    """Four views of the residuals; the first alone where there are few; None where there is one."""
    y = story.residuals[:, story.node]
    if len(y) == 1:
        return _one_window(story)
    if np.isfinite(y).sum() < FEWEST:
        made, grid = layout.figure(style.COLUMN, 2.2)
        _over_time(grid[0, 0], story, most=5)
        layout.arrange(made, grid, top=0.3, right=0.15)
        few = f" Only {np.isfinite(y).sum()}: too few to look for memory or a distribution."
        return made, _about(story) + few + f" {story.where}"
    made, grid = layout.figure(style.PAGE, 4.3, 2, 2)
    _over_time(grid[0, 0], story, most=6)
    _memory(grid[0, 1], story)
    _histogram(grid[1, 0], story)
    _normal(grid[1, 1], story)
    layout.arrange(made, grid, titles=0.28, gap=0.3, top=0.02)
    return made, _caption(story)


def _over_time(ax: Axes, story: Story, most: int) -> None:
    x, y = story.clock[story.origins], story.residuals[:, story.node]
    ax.axhline(0, color=style.FAINT, lw=0.8, zorder=0)
    if story.many:
        rows = style.sample(len(x))
        low, high = style.quantiles(story.residuals[rows], RANGE)
        ax.fill_between(
            x[rows], low, high, color=style.SHADE, lw=0, label=_range_name(story), zorder=0
        )
        _key(ax)
    dots = {"marker": "o", "ms": 2.4} if len(x) <= 80 else {}
    style.trace(ax, x, y, color=style.MODEL, lw=0.9, **dots)
    slack = 0.02 * (x[-1] - x[0])
    style.date_axis(ax, story, x[0] - slack, x[-1] + slack, most)
    ax.set_ylabel(story.in_unit("residual"))
    name = style.short(story.about.nodes[story.node], 16) if story.many else "Residuals"
    ax.set_title(f"(a) {name}, n = {np.isfinite(y).sum():,}")


def _memory(ax: Axes, story: Story) -> None:
    y, season = story.residuals, story.about.season
    n = int(np.isfinite(y[:, story.node]).sum())
    r = acf(y, min(LAGS, n // 2, max(2 * season, 20)))
    lag = np.arange(1, len(r) + 1)
    band = 1.96 * np.sqrt(len(y)) / n  # with gaps, n²/len(y) pairs are seen of each lag
    ax.axhspan(-band, band, color=style.BANDS[0], lw=0, label="±1.96/√n", zorder=0)
    if story.many:
        low, high = style.quantiles(r, RANGE)
        ax.vlines(lag, low, high, color=style.FAINT, lw=3.2, label=_range_name(story), zorder=1)
    ax.axhline(0, color=style.FAINT, lw=0.8, zorder=1)
    ax.vlines(lag, 0, r[:, story.node], color=style.MODEL, lw=1.1, zorder=2)
    ax.plot(lag, r[:, story.node], ls="", marker="o", ms=2.6, color=style.MODEL, zorder=3)
    ax.set_xticks([k for k in style.step_ticks(len(r), season, 9) if k > 1 or len(r) < 8])
    stride = int(story.origins[1] - story.origins[0])
    of = story.in_steps if stride == 1 else f"origins, {story.steps(stride)} apart"
    ax.set_xlabel(f"lag ({of})")
    ax.set_ylabel("autocorrelation")
    ax.set_xlim(0.4, len(r) + 0.6)
    ax.margins(y=0.08)
    ax.set_title("(b) ACF")
    _key(ax)


def _histogram(ax: Axes, story: Story) -> None:
    y = story.residuals[np.isfinite(story.residuals)]
    bins = min(len(np.histogram_bin_edges(y, "fd")), 40) if np.ptp(y) else 1
    count, edges = np.histogram(y, max(bins, 6))
    ax.bar(
        edges[:-1], count, np.diff(edges), align="edge", color=style.BANDS[1], ec="white", lw=0.5
    )
    grid = np.linspace(edges[0], edges[-1], 200)
    spread = y.std() or 1.0
    bell = np.exp(-(((grid - y.mean()) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
    bell *= len(y) * (edges[1] - edges[0])
    ax.plot(grid, bell, color=style.INK, lw=1, ls="--", label="normal")
    ax.axvline(0, color=style.FAINT, lw=0.8, zorder=3)
    ax.set_ylim(0, 1.05 * max(count.max(), bell.max()))
    ax.set_xlabel(story.in_unit("residual"))
    ax.set_ylabel("count")
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    ax.set_title(f"(c) Distribution, n = {len(y):,}")
    _key(ax)


def _normal(ax: Axes, story: Story) -> None:
    """Sorted residuals of each node, by its own mean and deviation, against normal quantiles."""
    y = story.residuals
    deviation = np.nanstd(y[:, seen := np.isfinite(y).any(0)], 0)
    z = (y[:, seen] - np.nanmean(y[:, seen], 0)) / np.where(deviation > 0, deviation, 1)
    z = np.sort(z[np.isfinite(z)])
    at = np.unique(np.linspace(0, len(z) - 1, min(len(z), POINTS)).round().astype(int))
    p = (at + 0.5) / len(z)
    normal = np.array([NormalDist().inv_cdf(x) for x in p])
    if not story.many:  # nodes are no independent draws, so over them no band holds
        width = 1.96 * np.sqrt(p * (1 - p) / len(z)) / np.exp(-(normal**2) / 2) * np.sqrt(2 * np.pi)
        ax.fill_between(normal, normal - width, normal + width, color=style.BANDS[0], lw=0,
                        label="95 % pointwise, if normal")  # fmt: skip
        _key(ax)
    ends = normal[[0, -1]]
    ax.plot(ends, ends, color=style.INK, lw=0.8, ls="--")
    ax.plot(normal, z[at], ls="", marker="o", ms=2.4, mew=0, color=style.MODEL)
    ax.set_xlabel("normal quantile")
    ax.set_ylabel("standardised residual")
    ax.set_title("(d) Normal QQ")


def _one_window(story: Story) -> tuple[Figure, str] | None:
    """All that one origin has: the errors of one forecast, each a step further ahead."""
    if story.horizon == 1:
        return None
    future = story.future(0)
    y = story.series[future, story.node] - story.point[0, :, story.node, 0]
    made, grid = layout.figure(style.COLUMN, 2.2)
    ax: Axes = grid[0, 0]
    step = np.arange(1, story.horizon + 1)
    ax.axhline(0, color=style.FAINT, lw=0.8, zorder=0)
    dots = {"marker": "o", "ms": 3} if story.horizon <= 80 else {}
    style.trace(ax, step, y, color=style.MODEL, lw=0.9, **dots)
    ax.set_xticks(style.step_ticks(story.horizon, story.about.season))
    ax.set_xlabel(story.ahead)
    ax.set_ylabel(story.in_unit("residual"))
    layout.arrange(made, grid, top=0.1)
    of = f" at node {story.about.nodes[story.node]}" if story.many else ""
    return made, (
        f"Errors (observed − forecast) of {story.model}{of}, by step of the only scored window: "
        f"{np.isfinite(y).sum()} steps of one forecast, which share what it missed: they say "
        f"nothing about memory or a distribution. {story.where}"
    )


def _caption(story: Story) -> str:
    n = int(np.isfinite(story.residuals[:, story.node]).sum())
    text = _about(story)
    if story.many:
        text += (
            f" (a, b) {story.about.nodes[story.node]}, the node of the median error, with the "
            f"{'middle ' * (len(story.about.nodes) > 10)}{_range_name(story)}; "
            "(c, d) all nodes pooled, in (d) each by its own mean and deviation; nodes are no "
            "independent draws."
        )
    text += " (b) Autocorrelation: without memory, about 5 % of the lags lie outside the band."
    if n < 50:
        text += f" With {n} residuals only gross departures can be seen."
    return f"{text} Dashed: the normal law. {story.where}"


def _about(story: Story) -> str:
    return f"Residuals (observed − forecast) of {story.model} one step ahead, in order of time."


def _range_name(story: Story) -> str:
    """Of few nodes the nearest ranks are the least and the greatest."""
    return "range of nodes" if len(story.about.nodes) <= 10 else "90 % of nodes"


def _key(ax: Axes) -> None:
    ax.legend(
        loc="lower right", bbox_to_anchor=(1, 1.03), ncols=2, handlelength=1.2, columnspacing=1
    )
