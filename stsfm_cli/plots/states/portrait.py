"""The path of the states, and the ways that forecasts take through them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.forecasts import chosen
from stsfm.plots.story import Story

SHARE = 0.05  # of the range of the states: room at the sides, beyond which a forecast is cut off


def portrait(story: Story) -> tuple[Figure, str] | None:
    """State against state, of train and of test, with forecasts; None without states.

    One state is drawn against itself a row later, of more the first against the next two.
    """
    if (z := story.states.get("z")) is None or len(z) < 3:
        return None
    first, split = story.first_state, story.borders["test"][0] - story.first_state
    ahead = story.states.get("z_ahead")
    pairs = pairs_of(z)
    width = style.PAGE if len(pairs) > 1 else style.COLUMN
    made, grid = layout.figure(width, 2.7, columns=len(pairs))
    picks = chosen(story) if ahead is not None else []
    windows = dict.fromkeys(pick.window for pick in picks)
    for ax, pair in zip(grid[0], pairs, strict=True):
        path(ax, z[: split + 1], pair, color=style.FAINT, lw=0.5, label="train and validation")
        path(ax, z[split:], pair, color=style.INK, lw=0.6, label="test")
        _room_for(ax, z, pair)
        for k, window in enumerate(windows):
            row = int(story.drawn[window]) - first
            way = np.concatenate([z[row - 1 : row], _at(story, window)])
            path(ax, way, pair, color=style.MODEL, lw=1.3, label="" if k else "forecasts")
            ax.plot(*_xy(way, pair)[:, :1], "o", ms=3, color=style.MODEL)
        label(ax, pair, "state ")
    layout.arrange(made, grid, top=0.3)
    made.legend(*grid[0, 0].get_legend_handles_labels(), ncols=3, loc="upper left",
                bbox_to_anchor=(0.01, 0.995))  # fmt: skip
    words = " The forecasts drawn are those at the 5, 50 and 95 % quantiles of the error; dots: "
    words = f"{words}the states at their origins." if windows else ""
    return (
        made,
        f"The states of {story.model} over the rows of the data.{words} {story.where}",
    )


def pairs_of(z: np.ndarray) -> list[tuple[int, int]]:
    """Which of states (row, state) are drawn against each other."""
    return [(0, k) for k in range(1, min(z.shape[1], 3))] or [(0, 0)]


def label(ax: Axes, pair: tuple[int, int], name: str) -> None:
    later = " a row later" if pair[0] == pair[1] else ""
    ax.set(xlabel=f"{name}{pair[0] + 1}", ylabel=f"{name}{pair[1] + 1}{later}")


def path(ax: Axes, z: np.ndarray, pair: tuple[int, int], **line: object) -> None:
    """A line through states (row, state)."""
    ax.plot(*_xy(z, pair), **line)  # type: ignore[arg-type]


def _xy(z: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """(2, row) of a pair of states; of one state itself and its next value."""
    if pair[0] == pair[1]:
        return np.stack([z[:-1, 0], z[1:, 0]])
    return np.stack([z[:, pair[0]], z[:, pair[1]]])


def _at(story: Story, window: int) -> np.ndarray:
    """The forecast states (step, state) of a window that was kept."""
    return story.states["z_ahead"][window if story.kept is None else story.kept[window]]


def _room_for(ax: Axes, z: np.ndarray, pair: tuple[int, int]) -> None:
    """The range of the data, and a little more: a forecast that leaves it does so visibly."""
    for which, k in zip("xy", pair, strict=True):
        low, high = float(z[:, k].min()), float(z[:, k].max())
        room = SHARE * (high - low) or 1.0
        ax.set(**{f"{which}lim": (low - 3 * room, high + 3 * room)})
