"""The figures of a detection: series with their segments, what a penalty would find, many series.

A change is a line, the interval of it a band; what people marked stands below, a row each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import Array, Panel
from stsfm.files import write
from stsfm.models.segmenter import Change, Segmentation, Track
from stsfm.plots import dates, layout, style

PANELS = 6  # series that one figure shows
DRAWN = 8  # paths that are told apart
CHANGE, BAND = style.VERMILLION, "#f6d5c2"
TALL = 1.15  # inches of a panel
RUG = 0.07  # inches of an annotator's row


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A detection and the data that it is of; s counts series, as in `Segmentation.names`."""

    found: Segmentation
    panel: Panel

    @property
    def marks(self) -> Mapping[str, Sequence[int]]:
        return self.panel.about.changes

    @property
    def dated(self) -> bool:
        return bool(self.panel.about.step)

    @cached_property
    def clock(self) -> Array:
        """(t,) days since 1970 where rows have dates, else rows."""
        return self.panel.time / DAY if self.dated else np.arange(len(self.panel), dtype=float)

    @cached_property
    def values(self) -> Array:
        """(t, s), NaN where nothing was observed."""
        part = self.panel.only_targets()
        rows = len(part)
        return np.where(part.mask, part.values, np.nan).reshape(rows, -1)

    @cached_property
    def units(self) -> list[str]:
        about = self.panel.about.only_targets()
        return [unit for _ in about.nodes for unit in about.units]

    def track_of(self, series: int) -> tuple[Track, Array]:
        """The track that a series is in, and what is said of its segments (t,)."""
        track = next(track for track in self.found.tracks if series in track.series)
        lines = np.asarray(track.fitted).reshape(len(self.panel), -1)
        return track, lines[:, track.series.index(series)]

    def before(self, row: int) -> float:
        """The instant between a row and the one before it, where a segment ends."""
        return float(self.clock[row] + self.clock[max(row - 1, 0)]) / 2

    def date(self, row: int) -> str:
        return dates.stamp(self.clock[row], self.clock) if self.dated else f"row {row}"

    @cached_property
    def shown(self) -> list[int]:
        """The series of most changes, in their order."""
        many = [len(self.track_of(s)[0].changes) for s in range(len(self.found.names))]
        chosen = np.argsort([-count for count in many], kind="stable")[:PANELS]
        return sorted(int(s) for s in chosen)


def draw(found: Segmentation, panel: Panel, headline: str, folder: Path) -> None:
    """Write each figure that there is something for as PNG and SVG, and captions.json."""
    scene, captions = Scene(found=found, panel=panel), {}
    with rc_context(style.STYLE):
        for figure in (segments, penalty, raster):
            if (made := figure(scene)) is not None:
                path = style.save(made[0], folder, figure.__name__)
                captions[path.name] = f"{made[1]} {headline}."
    write(folder / "captions.json", json.dumps(captions, indent=2, ensure_ascii=False) + "\n")


# ---- series --------------------------------------------------------------------------------------


def segments(scene: Scene) -> tuple[Figure, str]:
    """A panel per series: its values, the fit of each segment, changes with intervals and dates."""
    shown, rug = scene.shown, RUG * len(scene.marks)
    heights = [TALL] * len(shown) if len(shown) > 1 else [1.9]
    tall = sum(heights) + rug + 0.75 + 0.3 * len(shown)
    made, grid = layout.figure(style.PAGE, tall, rows=len(shown))
    stop = float(scene.clock[-1])
    for k, s in enumerate(shown):
        ax: Axes = grid[k, 0]
        track, fitted = scene.track_of(s)
        _panel(ax, scene, s, track, fitted)
        style.date_axis(ax, scene, float(scene.clock[0]), stop, 9)
        if k < len(shown) - 1:
            ax.tick_params(labelbottom=False)
            ax.set_xlabel("")
    if scene.marks:
        _rug(grid[-1, 0], scene, rug, heights[-1])
    layout.arrange(made, grid, titles=0.3, top=0.02, right=0.2, heights=heights)
    tracks = [scene.track_of(s)[0] for s in shown]
    for k, track in enumerate(tracks):
        if not any(
            track is other for other in tracks[:k]
        ):  # all that change together are dated once
            _date_names(made, grid[k, 0], scene, track.changes)
    return made, _caption(scene)


def _panel(ax: Axes, scene: Scene, s: int, track: Track, fitted: Array) -> None:
    for change in track.changes:
        if change.low < change.high:
            first, last = scene.before(change.low), scene.before(change.high)
            ax.axvspan(first, last, color=BAND, lw=0, zorder=0)
        ax.axvline(scene.before(change.row), color=CHANGE, lw=0.9, zorder=1)
    style.trace(ax, scene.clock, scene.values[:, s], color=style.SOFT, lw=0.8, zorder=2)
    edges = [0, *(change.row for change in track.changes), len(scene.clock)]
    for first, stop in pairwise(edges):
        ax.plot(*style.thin(scene.clock[first:stop], fitted[first:stop]),
                color=style.MODEL, lw=1.4, zorder=3)  # fmt: skip
    unit, long = scene.units[s], len(scene.units[s]) > 14
    name = f"{scene.found.names[s]} ({unit})" if long else scene.found.names[s]
    ax.set_title(style.short(name, 70), pad=12 if track.changes else 5)
    ax.set_ylabel("" if long else unit)


def _date_names(made: Figure, ax: Axes, scene: Scene, changes: Sequence[Change]) -> None:
    """The date of each change above its line; those that find no room are left to the table."""
    wide = ax.get_position().width * made.get_figwidth()  # inches
    low, high = ax.get_xlim()
    taken = -1.0
    for change in changes:
        at = (scene.before(change.row) - low) / (high - low)
        name = scene.date(change.row)
        room = layout.text_width(made, name, size=7)
        left = min(max(at * wide - room / 2, 0), wide - room)
        if left > taken:
            ax.text((left + room / 2) / wide, 1.02, name, transform=ax.transAxes, size=7,
                    ha="center", va="bottom", color=CHANGE)  # fmt: skip
            taken = left + room + 0.06


def _rug(ax: Axes, scene: Scene, tall: float, panel: float) -> None:
    """Below the last series a row of ticks per annotator."""
    low, high = ax.get_ylim()
    span = (high - low) * tall / panel
    each = span / len(scene.marks)
    for k, rows in enumerate(scene.marks.values()):
        y = low - (k + 0.5) * each
        ax.plot([scene.clock[0], scene.clock[-1]], [y, y], color=style.FAINT, lw=0.4, zorder=0)
        at = [scene.before(row) for row in rows]
        ax.plot(at, [y] * len(at), ls="", marker="|", ms=4.5, mew=1.1, color=style.INK, zorder=4)
    ax.set_ylim(low - span, high)
    ax.annotate("people", (0, span / 2 / (high - low + span)), (-4, 0), "axes fraction",
                textcoords="offset points", size=7, ha="right", va="center")  # fmt: skip


def _caption(scene: Scene) -> str:
    names = scene.found.names
    few = (
        f" The {len(scene.shown)} of {len(names)} series with most changes, the first of equals."
        if len(scene.shown) < len(names) else ""
    )  # fmt: skip
    marked = (
        f" Ticks below: what {len(scene.marks)} people marked, a row each." if scene.marks else ""
    )
    none = "" if any(t.changes for t in scene.found.tracks) else " No change was found."
    level = f"{scene.found.level:.0%}".replace("%", " %")
    return (
        "The series (grey), what is said of each segment (blue), and where a new one begins "
        f"(red, with its date where there is room; shaded: its {level} interval)."
        f"{none}{few}{marked}"
    )


# ---- penalties -----------------------------------------------------------------------------------


def penalty(scene: Scene) -> tuple[Figure, str] | None:
    """How many changes each penalty would find; None of detectors that have none."""
    paths = [(track, track.path) for track in scene.found.tracks if track.path is not None][:DRAWN]
    if not paths:
        return None
    made, grid = layout.figure(style.COLUMN, 2.3)
    ax: Axes = grid[0, 0]
    ends = []
    for k, (track, path) in enumerate(paths):
        colour, dashes = ((style.MODEL, "-"), *style.OTHERS)[k]
        x, y = np.asarray(path.x), np.asarray(path.y)
        ax.step(x, y, where="mid", color=colour, ls=dashes)
        taken = track.facts.get("penalty")
        if isinstance(taken, int | float) and np.isfinite(taken):
            ax.plot([taken], [len(track.changes)], "o", color=colour, ms=4, zorder=4)
        ends.append(layout.End(style.short(track.name, 24), float(x[-1]), float(y[-1]), colour))
    style.log_axis(ax, "x")
    ax.set(xlabel="penalty of a change", ylabel="changes found", ylim=(-0.3, None))
    several = len(ends) > 1
    layout.arrange(made, grid, top=0.12, right=layout.ends_width(made, ends) if several else 0.12)
    if several:
        layout.name_ends(ax, ends)
    left = len(scene.found.tracks) - len(paths)
    more = f" The first {DRAWN} of {len(scene.found.tracks)}." if left > 0 else ""
    return made, (
        "How many changes are found at each penalty; a dot is at the penalty that was taken. Where "
        f"it lies on a long level stretch, the number hangs little on it.{more}"
    )


# ---- many series ---------------------------------------------------------------------------------


def raster(scene: Scene) -> tuple[Figure, str] | None:
    """A row per series, a dot per change, and how many change at a time; None of few series."""
    names, tracks = scene.found.names, scene.found.tracks
    if len(tracks) <= PANELS:
        return None
    at = np.array([(scene.before(c.row), s) for t in tracks for s in t.series for c in t.changes])
    at = at.reshape(-1, 2)
    made, grid = layout.figure(style.PAGE, min(1.7 + 0.09 * len(names), 7.0), rows=2)
    top, below = grid[:, 0]
    bins = np.linspace(scene.clock[0], scene.clock[-1], 61)
    top.hist(at[:, 0], bins, color=CHANGE, lw=0)
    top.set_ylabel("changes")
    below.plot(at[:, 0], at[:, 1], ls="", marker="|", ms=3.5, mew=1.0, color=CHANGE)
    below.set_ylim(len(names) - 0.5, -0.5)
    if len(names) <= 40:
        below.set_yticks(range(len(names)), [style.short(name, 16) for name in names], size=6)
    else:
        below.set_ylabel("series, in the order of the data")
    for ax in (top, below):
        style.date_axis(ax, scene, float(scene.clock[0]), float(scene.clock[-1]), 9)
    top.tick_params(labelbottom=False)
    top.set_xlabel("")
    layout.arrange(
        made, grid, top=0.1, right=0.2, below=0.06, heights=[1, max(2.0, 0.09 * len(names))]
    )
    return made, (
        f"Where each of {len(names)} series changes, each looked at by itself, and how many do so "
        "within a sixtieth of the time. What shows in many at once is news of all."
    )
