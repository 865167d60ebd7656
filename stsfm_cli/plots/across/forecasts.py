"""Several models over one truth, at windows whose mean error is a low, a middling, a high one."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across.contest import Contest, Entry, Pick
from stsfm.plots.across.naming import shorten


def forecasts(contest: Contest) -> tuple[Figure, str] | None:
    """A panel per window; None unless forecasts of two models were kept."""
    shown = [entry for entry in contest.stars if entry.points.size]
    if len(shown) < 2 or not contest.picks:
        return None
    picks, alone = contest.picks, len(contest.picks) < 2
    made, grid = layout.figure(style.COLUMN if alone else style.PAGE, 2.3, 1, len(picks))
    for k, (ax, pick) in enumerate(zip(grid[0], picks, strict=True)):
        _window(ax, contest, shown, k)
        ax.set_title(_title(contest, pick, alone), linespacing=1.35)
    same = len({pick.node for pick in picks}) == 1
    if same:  # one scale for one series, so that the panels compare
        layout.one_scale(grid[0])
    grid[0, 0].set_ylabel(contest.quantity)
    low, high = grid[0, -1].get_ylim()
    last = contest.clock[_ahead(contest, picks[-1])][-1]
    names = shorten(entry.label for entry in shown)
    ends = [
        layout.End(names[entry.label], last, float(np.clip(entry.points[-1, -1], low, high)),
                   entry.look.color)
        for entry in shown
    ]  # fmt: skip
    seen = contest.truth[-1][_ahead(contest, picks[-1])]
    if np.isfinite(seen).any():
        ends.append(layout.End("observed", last, float(seen[np.isfinite(seen)][-1]), style.INK))
    room = layout.ends_width(made, ends)
    layout.arrange(made, grid, titles=0.34, gap=0.3 if same else 0.12, right=room)
    layout.name_ends(grid[0, -1], ends)
    return made, _caption(contest, shown)


def _ahead(contest: Contest, pick: Pick) -> slice:
    """The rows of test that a window's future is."""
    first = pick.origin - int(contest.origins[0])
    return slice(first, first + contest.horizon)


def _window(ax: Axes, contest: Contest, shown: list[Entry], k: int) -> None:
    """A window: the rows of test before its origin as far as they go, and what comes after."""
    ahead = _ahead(contest, contest.picks[k])
    past = max(contest.horizon, 12, min(2 * contest.season, 4 * contest.horizon))
    rows = slice(max(0, ahead.start - past), ahead.stop)
    clock, truth = contest.clock, contest.truth[k]
    thick = 1.1 if contest.horizon <= 100 else 0.7
    style.trace(ax, clock[rows], truth[rows], color=style.INK, lw=0.8, zorder=5, label="observed")
    for entry in shown:
        color, dashes, marker, _ = entry.look
        alone = marker if contest.horizon == 1 else None  # which no line would show
        ax.plot(clock[ahead], entry.points[k], color=color, ls=dashes, lw=thick, marker=alone,
                ms=3.5, label=entry.label)  # fmt: skip
    _limit(ax, truth[rows], np.concatenate([entry.points[k] for entry in shown]))
    if ahead.start > rows.start:
        border = clock[ahead.start - 1 : ahead.start + 1].mean()
        ax.axvline(border, color=style.FAINT, lw=0.8, zorder=0)
    ends = clock[rows.start], clock[rows.stop - 1]
    slack = 0.02 * (ends[1] - ends[0]) or 0.5
    often = contest.dated and np.median(np.diff(clock)) < 1  # hours have long labels
    style.date_axis(ax, contest, ends[0] - slack, ends[1] + slack, most=2 if often else 3)


def _limit(ax: Axes, truth: np.ndarray, lines: np.ndarray) -> None:
    """Room for the truth, and for the forecasts as far as they do not dwarf it."""
    truth = truth[np.isfinite(truth)]
    if not len(truth):
        return
    low, high = truth.min(), truth.max()
    reach = high - low or 0.1 * abs(high) or 1.0
    lines = np.clip(lines[np.isfinite(lines)], low - 1.5 * reach, high + 1.5 * reach)
    low, high = lines.min(initial=low), lines.max(initial=high)
    ax.set_ylim(low - 0.05 * (high - low or reach), high + 0.05 * (high - low or reach))


def _title(contest: Contest, pick: Pick, alone: bool) -> str:
    first = "only window" if alone else f"{100 * pick.quantile:g} % quantile"
    where = f"{style.short(contest.nodes[pick.node], 13)} · " * contest.many
    return f"{first}, MAE {style.number(pick.mae)}\n{where}{contest.at(pick.origin)}"


def _caption(contest: Contest, shown: list[Entry]) -> str:
    names = ", ".join(entry.label for entry in shown)
    windows = "pairs of window and node" if contest.many else "windows"
    text = f"Forecasts by {names} against what was observed"
    if len(contest.picks) > 1:
        at = ", ".join(f"{100 * pick.quantile:g}" for pick in contest.picks)
        text += (
            f", at the {at} % quantiles of the mean absolute error of all {windows}, averaged over "
            f"all {len(contest.entries)} models (nearest rank, not chosen by hand)"
        )
    text += "."
    if any(not entry.deterministic and len(entry.val) > 1 for entry in shown):
        text += " Of several seeds the one whose validation error is the median is drawn."
    if len(shown) < len(contest.entries):
        text += f" The others of {len(contest.entries)} models are left out."
    unit = f" MAE in {contest.unit}." if contest.unit else ""
    return f"{text}{unit} The vertical line is the origin. {contest.where}"
