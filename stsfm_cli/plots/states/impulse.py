"""What a pulse leaves behind, and how well a memory gives a window back."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.story import Story

MOST = 8  # lines that can be told apart


def impulse(story: Story) -> tuple[Figure, str] | None:
    """Responses of the states to a unit pulse; None where the model tells none."""
    if (response := story.states.get("impulse")) is None or len(response) < 2:
        return None
    lines = response.reshape(len(response), -1)  # (step, output · input)
    strongest = np.argsort(-(lines**2).sum(0), kind="stable")[:MOST]
    made, grid = layout.figure(style.COLUMN, 2.2)
    ax = grid[0, 0]
    ax.axhline(0, color=style.FAINT, lw=0.6)
    for k, which in enumerate(strongest):
        colour, dashes = (style.MODEL, "-") if not k else style.OTHERS[k - 1]
        ax.plot(np.arange(len(lines)), lines[:, which], color=colour, ls=dashes, lw=1)
    ax.set(xlabel=f"{story.in_steps} after the pulse", ylabel="response")
    layout.arrange(made, grid, top=0.1)
    of = f"the {MOST} strongest of {lines.shape[1]}" if lines.shape[1] > MOST else "all"
    return made, f"Responses of {story.model} to a unit pulse, {of}. {story.where}"


def reconstruction(story: Story) -> tuple[Figure, str] | None:
    """A window beside what the state remembers of it; None where the model tells neither."""
    window, again = (story.states.get(name) for name in ("window", "window_again"))
    if window is None or again is None:
        return None
    made, grid = layout.figure(style.COLUMN, 2.2)
    ax = grid[0, 0]
    back = np.arange(-len(window) + 1, 1)
    ax.plot(back, window, color=style.INK, lw=0.8, label="the window")
    ax.plot(back, again, color=style.MODEL, lw=1.2, ls="--", label="as it is remembered")
    ax.set(xlabel=f"{story.in_steps} before the first test origin", ylabel="transformed units")
    layout.arrange(made, grid, top=0.3)
    made.legend(*ax.get_legend_handles_labels(), ncols=2, loc="upper left",
                bbox_to_anchor=(0.02, 0.99))  # fmt: skip
    error = float(np.linalg.norm(again - window)) / (float(np.linalg.norm(window)) or 1.0)
    return made, (
        f"The last window before the first test origin, and what the states of {story.model} "
        f"remember of it: relative error {style.number(error)}. {story.where}"
    )
