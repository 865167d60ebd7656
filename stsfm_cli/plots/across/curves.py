"""How nets learned, over one another: losses by epoch, a thin line for every seed."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stsfm.plots import layout, style
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.across.naming import shorten
from stsfm.plots.loss import LOG_FROM

PARTS = ("train", "val")


def curves(contest: Contest) -> tuple[Figure, str] | None:
    """Training and validation loss side by side; None unless two curves were kept."""
    shown = [entry for entry in contest.entries if entry.curves]
    if sum(len(entry.curves) for entry in shown) < 2:
        return None
    made, grid = layout.figure(style.PAGE, 2.5, 1, 2)
    for ax, part in zip(grid[0], PARTS, strict=True):
        for entry in shown:
            _lines(ax, entry, part)
        ax.set_title(style.SPLIT_NAMES[part])
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
        ax.set_xlabel("epoch")
    log = _limit(list(grid[0]), shown)
    grid[0, 0].set_ylabel("loss")
    stars = [entry for entry in shown if entry.star]
    names = shorten(entry.label for entry in stars)
    ends = [end for entry in stars if (end := _end(grid[0, 1], entry, names[entry.label]))]
    right = layout.ends_width(made, ends) if ends else layout.PAD
    layout.arrange(made, grid, titles=0.22, right=right)
    if ends:
        layout.name_ends(grid[0, 1], ends)
    return made, _caption(contest, shown, log)


def _lines(ax: Axes, entry: Entry, part: str) -> None:
    color, dashes, marker, star = entry.look
    thin = 0.9 if len(entry.curves) < 3 else 0.6
    for curve in entry.curves:
        epochs, losses = curve[:, 0], curve[:, 1 + PARTS.index(part)]
        seen = np.isfinite(losses)
        if not seen.any():
            continue
        alone = marker if seen.sum() == 1 else None
        ax.plot(epochs[seen], losses[seen], color=color, ls=dashes, lw=thin if star else 0.4,
                alpha=0.9, zorder=3 if star else 1, marker=alone, ms=3,
                label=entry.label)  # fmt: skip
        if part == "val" and star:
            best = np.nanargmin(losses)
            ax.plot(epochs[best], losses[best], ls="", marker=marker, ms=3.6, color=color,
                    mec="white", mew=0.5, zorder=5)  # fmt: skip


def _limit(axes: list[Axes], shown: list[Entry]) -> bool:
    """One scale for both panels, logarithmic where losses fall far; returns which."""
    losses = np.concatenate([curve[:, 1:].ravel() for entry in shown for curve in entry.curves])
    losses = losses[np.isfinite(losses)]
    log = losses.min() > 0 and losses.max() > LOG_FROM * losses.min()
    for ax in axes:
        if log:
            ax.set_ylim(losses.min() / 1.15, losses.max() * 1.15)
            style.log_axis(ax)
        else:
            reach = np.ptp(losses) or 1.0
            ax.set_ylim(losses.min() - 0.05 * reach, losses.max() + 0.05 * reach)
    axes[1].tick_params(labelleft=False)
    return bool(log)


def _end(ax: Axes, entry: Entry, name: str) -> layout.End | None:
    """The name of a model at the end of its longest validation curve."""
    ends = [curve[np.isfinite(curve[:, 2])][-1:, [0, 2]] for curve in entry.curves]
    ends = [end[0] for end in ends if len(end)]
    if not ends:
        return None
    x, y = max(ends, key=lambda end: end[0])
    return layout.End(name, float(x), float(y), entry.look.color)


def _caption(contest: Contest, shown: list[Entry], log: bool) -> str:
    names = ", ".join(entry.label for entry in shown if entry.star)
    several = any(len(entry.curves) > 1 for entry in shown)
    text = f"Loss by epoch on train and validation of {names or f'{len(shown)} models'}"
    text += f", {'a line for every seed' if several else 'one seed each'}."
    text += " Dots: the best epochs on validation, whose weights are kept."
    text += " Losses are in transformed units, and compare only between models of the same loss."
    text += " The axis is logarithmic." * log
    return f"{text} {contest.where}"
