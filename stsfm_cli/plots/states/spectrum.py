"""How the states move in a step, and how much each direction of them weighs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.story import Story

MOST = 60  # singular values that a figure can tell apart


def spectrum(story: Story) -> tuple[Figure, str] | None:
    """Eigenvalues in the complex plane, and singular values; None where the model has neither."""
    eigen, singular = (story.states.get(name) for name in ("eigenvalues", "singular_values"))
    shown = [values for values in (eigen, singular) if values is not None and len(values)]
    if not shown:
        return None
    width = style.PAGE if len(shown) > 1 else style.COLUMN
    made, grid = layout.figure(width, 2.7, columns=len(shown))
    axes, words = list(grid[0]), []
    if eigen is not None and len(eigen):
        words.append(_circle(axes.pop(0), eigen))
    if singular is not None and len(singular):
        words.append(_scree(axes.pop(0), singular))
    layout.arrange(made, grid, top=0.1, gap=0.3)
    return made, f"{' '.join(words)} Model: {story.model}. {story.where}"


def _circle(ax: Axes, eigen: np.ndarray) -> str:
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(turn), np.sin(turn), color=style.FAINT, lw=0.8)
    ax.axhline(0, color=style.FAINT, lw=0.4)
    ax.axvline(0, color=style.FAINT, lw=0.4)
    outside = abs(eigen) > 1 + 1e-9
    for which, colour in ((~outside, style.MODEL), (outside, style.VERMILLION)):
        ax.plot(
            eigen.real[which], eigen.imag[which], "o", ms=3.5, mew=0.8, mfc="none", color=colour
        )
    ax.set_aspect("equal", "datalim")
    ax.set(xlabel="real part", ylabel="imaginary part")
    beyond = f", {outside.sum()} of {len(eigen)} outside of it" if outside.any() else ""
    return (
        "Eigenvalues of one step: the distance from 0 is what is left of a mode after a step, the "
        f"angle how far it turns; on the circle it stays{beyond}."
    )


def _scree(ax: Axes, singular: np.ndarray) -> str:
    squares = singular**2
    share = squares / squares.sum()
    shown = share[:MOST]
    ax.plot(np.arange(1, len(shown) + 1), shown, "o-", ms=3, lw=0.8, color=style.MODEL)
    if (shown > 0).all() and shown.max() / shown.min() > 30:
        style.log_axis(ax)
    ax.set(xlabel="component", ylabel="share of the variance")
    return "Squared singular values, as shares of their sum."
