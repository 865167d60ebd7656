"""Detectors side by side: their scores on each series, or, where nobody has marked any, where each
finds a change. Drawn from contest.json alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stsfm.files import write
from stsfm.words import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Told = Mapping[str, Any]  # the content of contest.json
SCORES = {"covering": "covering", "f1": "F1"}
LOOKS = 8  # detectors that are told apart
ROWS = 60  # rows that one figure shows
ROW = 0.17  # inches
ACROSS = 6  # names in a line of the legend
MARKERS = "osD^vP*X"


def draw(told: Told, folder: Path) -> None:
    """Write the figure as PNG and SVG, and captions.json."""
    from matplotlib import rc_context

    from stsfm.plots import style

    with rc_context(style.STYLE):
        made, caption = scores(told) if told["detectors"] else where(told)
        path = style.save(made, folder, "scores" if told["detectors"] else "where")
    captions = json.dumps({path.name: caption}, indent=2, ensure_ascii=False)
    write(folder / "captions.json", captions + "\n")


def scores(told: Told) -> tuple[Figure, str]:
    """A row per series, the mean on top; a mark per detector in each of two panels."""
    from stsfm.plots import layout, style

    names = [one["name"] for one in told["detectors"] if one["name"] != told["zero"]]
    data = _ordered(told)
    shown, drawn = names[:LOOKS], data[:ROWS]
    row, lines = max(ROW, 0.045 * len(shown)), -(-(len(shown) + 1) // ACROSS)
    tall = 0.65 + layout.LINE * lines + row * (len(drawn) + 1)
    made, grid = layout.figure(style.PAGE, tall, columns=len(SCORES))
    for ax, (score, label) in zip(grid[0], SCORES.items(), strict=True):
        _marks(ax, told, shown, drawn, score)
        ax.set_xlabel(label)
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(drawn) + 0.6, -0.6)
    rows = ["mean", *(style.short(name.removeprefix("tcpd_"), 24) for name in drawn)]
    grid[0, 0].set_yticks(range(len(rows)), rows)
    grid[0, 0].get_yticklabels()[0].set_fontweight("bold")
    grid[0, 1].set_yticks([])
    layout.arrange(made, grid, top=0.15 + layout.LINE * lines, right=0.15, gap=0.3)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    made.legend(handles, labels, loc="upper left", ncols=ACROSS, bbox_to_anchor=(0.01, 0.985),
                handletextpad=0.3)  # fmt: skip
    return made, _caption(told, names, shown, data, drawn)


def _ordered(told: Told) -> list[str]:
    """Series that were marked, those that all detectors cover best first."""
    held: dict[str, list[float]] = {}
    for case in _marked(told):
        held.setdefault(case["data"], []).append(case["covering"])
    return sorted(held, key=lambda name: -float(np.mean(held[name])))


def _marked(told: Told) -> list[Told]:
    return [case for case in told["cases"] if case.get("no_change")]


def _marks(ax: Axes, told: Told, names: Sequence[str], data: Sequence[str], score: str) -> None:
    """The scores of each detector, a mean with its interval on top; no change at all is a bar."""
    from stsfm.plots import style

    looks = [(style.MODEL, "-"), *style.OTHERS]
    zero = {case["data"]: case["no_change"][score] for case in _marked(told)}
    means = {one["name"]: one[score] for one in told["detectors"]}
    at = [means[told["zero"]]["estimate"], *(zero[name] for name in data)]
    ax.plot(at, range(len(at)), ls="", marker="|", ms=9, mew=1.2, color=style.FAINT,
            label=told["zero"], zorder=1)  # fmt: skip
    for k, name in enumerate(names):
        own: dict[str, list[float]] = {}
        for case in _marked(told):
            if case["detector"] == name:
                own.setdefault(case["data"], []).append(case[score])
        mean, shift = means[name], 0.75 * (k - (len(names) - 1) / 2) / max(len(names), 2)
        x = [mean["estimate"], *(float(np.mean(own.get(d, [np.nan]))) for d in data)]
        y = np.arange(len(x)) + shift
        color = looks[k][0]
        ax.plot(x, y, ls="", marker=MARKERS[k], ms=3.6, mew=0, color=color, label=name, zorder=3,
                clip_on=False)  # fmt: skip
        if mean["low"] is not None:
            ax.plot([mean["low"], mean["high"]], [shift, shift], color=color, lw=1.1, zorder=2)
    for row in range(len(data) + 1):
        ax.axhline(row, color="#efefef", lw=0.5, zorder=0)
    ax.axhline(0.5, color=style.FAINT, lw=0.6)
    ax.set_xlim(0, 1)
    ax.spines["left"].set_visible(False)


def _caption(
    told: Told, names: Sequence[str], shown: Sequence[str], data: Sequence[str],
    drawn: Sequence[str],
) -> str:  # fmt: skip
    less = f" Not drawn: {listed(names[len(shown) :])}." if len(names) > len(shown) else ""
    less += f" The first {len(drawn)} of {len(data)} series." * (len(data) > len(drawn))
    level = f"{told['level']:.0%}".replace("%", " %")
    ends = any(one["covering"]["low"] is not None for one in told["detectors"])
    bars = f" with its {level} bootstrap interval over independent datasets" * ends
    return (
        "Covering and F1 of each detector against the people who marked a series, those series on "
        f"top that detectors cover best; first their mean{bars}. Grey bars: no change at all, "
        f"which a detector should pass. One who failed has no mark.{less}"
    )


def where(told: Told) -> tuple[Figure, str]:
    """A row per series and detector, and on it the changes that were found."""
    from stsfm.plots import layout, style

    cases = sorted((c for c in told["cases"] if not c["failed"]), key=lambda case: case["data"])
    shown = cases[:ROWS]
    made, grid = layout.figure(style.PAGE, 0.6 + ROW * max(len(shown), 1))
    ax: Axes = grid[0, 0]
    several = len({case["data"] for case in shown}) > 1
    for k, case in enumerate(shown):
        ax.axhline(k, color=style.FAINT, lw=0.5, zorder=0)
        at = [row / case["rows_in_all"] for row in case["rows"]]
        ax.plot(at, [k] * len(at), ls="", marker="|", ms=8, mew=1.4, color=style.VERMILLION)
    names = [f"{c['data']} · {c['detector']}" if several else c["detector"] for c in shown]
    ax.set_yticks(range(len(shown)), [style.short(name, 40) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 1), ylim=(max(len(shown), 1) - 0.4, -0.6), xlabel="share of the rows")
    ax.spines["left"].set_visible(False)
    layout.arrange(made, grid, top=0.1, right=0.15)
    more = f" The first {ROWS} of {len(cases)}." * (len(cases) > ROWS)
    return made, f"Where each detector finds a change, as a share of the rows of its series.{more}"
