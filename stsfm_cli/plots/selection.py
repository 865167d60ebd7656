"""The race of a selection: the error of every candidate by round, and who is as good as the best.

Drawn from selection.json alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.files import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Found = Mapping[str, Any]  # the content of selection.json
FAR = 4.0  # times the best error, beyond which a candidate stands at the edge
ROW = 0.15  # inches of a candidate


def draw(found: Found, folder: Path) -> Path | None:
    """Write selection.png and .svg, and captions.json; None where nobody was judged."""
    from matplotlib import rc_context

    from stsfm.plots import style

    judged = [one for one in found["candidates"] if one["trail"]]
    if not judged:
        return None
    with rc_context(style.STYLE):
        path = style.save(_race(found, judged), folder, "selection")
    captions = json.dumps({path.name: _caption(found)}, indent=2, ensure_ascii=False)
    write(folder / "captions.json", captions + "\n")
    return path


def _race(found: Found, judged: Sequence[Found]) -> Figure:
    """A row per candidate, the best on top; a dot per round, the last one filled with its bar."""
    from stsfm.plots import layout, style

    best = judged[0]["error"]
    made, grid = layout.figure(style.PAGE, 0.75 + ROW * len(judged))
    ax: Axes = grid[0, 0]
    last = sum(bool(one["place"]) for one in judged)
    ax.plot([best, best], [-0.6, last - 0.5], color=style.SOFT, lw=0.8, zorder=1)
    edge = min(max(one["error"] for one in judged), FAR * best) if best > 0 else None
    for row, one in enumerate(judged):
        _row(ax, row, one, found, edge)
    names = [f"{one['name']}" for one in judged]
    ax.set_yticks(range(len(judged)), names)
    chosen = found["choice"]["name"]
    for label, one in zip(ax.get_yticklabels(), judged, strict=True):
        label.set_color(style.MODEL if one["name"] == chosen else style.INK)
        label.set_fontweight("bold" if one["name"] == chosen else "normal")
    if last < len(judged):
        ax.axhline(last - 0.5, color=style.FAINT, lw=0.6, ls=(0, (1, 2)))
    ax.set_ylim(len(judged) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    unit = f" ({found['unit']})" if found["unit"] else ""
    ax.set_xlabel(f"{found['label']}{unit} before the test border")
    layout.arrange(made, grid, top=0.1, right=0.25)
    return made


def _row(ax: Axes, row: int, one: Found, found: Found, edge: float | None) -> None:
    """Errors of one candidate, the last with ± the standard error of its distance to the best."""
    from stsfm.plots import style

    chosen = one["name"] == found["choice"]["name"]
    color = style.MODEL if chosen else style.INK if one["place"] else style.SOFT
    at = [standing["error"] for standing in one["trail"]]
    if edge is not None and at[-1] > edge:
        ax.plot(edge * 1.04, row, ls="", marker=">", ms=3.5, mew=0, color=color, clip_on=False)
        return
    shown = [x for x in at[:-1] if edge is None or x <= edge]
    ax.plot(shown, [row] * len(shown), ls="", marker="o", ms=2.6, mfc="white", mec=style.FAINT,
            mew=0.7, zorder=2)  # fmt: skip
    if one["place"] and one["behind_se"]:
        ax.plot([at[-1] - one["behind_se"], at[-1] + one["behind_se"]], [row, row], color=color,
                lw=1.8 if chosen else 0.9, zorder=3)  # fmt: skip
    ax.plot(at[-1], row, ls="", marker="o", ms=5 if chosen else 3.4, mew=0, color=color, zorder=4)


def _caption(found: Found) -> str:
    on, best = found["origins"], found["choice"]["best"]
    return (
        f"{found['label']} of each candidate before the test border, of the last round that it "
        "reached filled, of earlier ones hollow; above the dotted line those that went furthest, "
        f"on {on['count']} origins ({on['independent']} independent). Bars: ± one standard error "
        f"of the paired difference to the best, {best}, whose error is the vertical line: whose "
        "bar reaches it is within one standard error, and the simplest of these is chosen (blue). "
        f"A triangle is an error beyond {FAR:g} times the best. Data: {found['data']}."
    )
