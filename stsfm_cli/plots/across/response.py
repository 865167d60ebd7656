"""What a hyperparameter does to the error on validation: lines for one key, a heat map for two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across import scale
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.across.naming import shorten

PANELS = 3  # heat maps side by side
SHADES = LinearSegmentedColormap.from_list("shades", ["#2c7fb8", "#a9cfe3", "#f7f7f7"])


def response(contest: Contest) -> tuple[Figure, str] | None:
    """Of all configurations that were tried; None where no model was tried in several.

    Test is not shown: who chooses by it has no test data left.
    """
    tried = [entry for entry in contest.configurations if np.isfinite(entry.preference)]
    keys = _keys(tried)
    if not keys:
        return None
    pair = [e for e in tried if keys[1:] and all(key in e.settings for key in keys[:2])]
    if pair:
        return _maps(contest, pair, keys)
    return _lines(contest, [e for e in tried if keys[0] in e.settings], keys)


def _keys(tried: Sequence[Entry]) -> list[str]:
    """The keys that differ within a model, those with the most values first."""
    values: dict[str, set[str]] = {}
    for entry in tried:
        for key, value in entry.settings.items():
            values.setdefault(key, set()).add(str(value))
    return sorted((key for key in values if len(values[key]) > 1), key=lambda k: -len(values[k]))


def _values(entries: Sequence[Entry], key: str) -> list[Any]:
    """The values of a key in their order: numbers by size, then words."""
    found = {str(entry.settings[key]): entry.settings[key] for entry in entries}
    return sorted(found.values(), key=lambda x: (not _number(x), x if _number(x) else 0, str(x)))


def _number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _far_apart(numbers: Sequence[float]) -> bool:
    """Whether an axis of these is logarithmic: 0, a term that is left out, may stand beside."""
    above = [x for x in numbers if x]
    return bool(above) and min(above) > 0 and max(above) >= 8 * min(above)


def _off_zero(numbers: Sequence[float]) -> list[float]:
    """Places on a logarithmic axis: that of 0 is a step before the least."""
    above = sorted(x for x in numbers if x)
    step = (above[-1] / above[0]) ** (1 / (len(above) - 1))
    return [x or above[0] / step for x in numbers]


def _best(entries: Sequence[Entry], settings: dict[str, Any]) -> Entry | None:
    """The entry with these settings that validation prefers, whatever else it is set to."""
    like = [e for e in entries if all(e.settings[k] == v for k, v in settings.items())]
    return min(like, key=lambda entry: entry.preference, default=None)


def _models(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Model → its entries, the model with the best of them first."""
    ranked = sorted(entries, key=lambda entry: entry.preference)
    names = dict.fromkeys(entry.model for entry in ranked)
    return {name: [entry for entry in ranked if entry.model == name] for name in names}


def _lines(contest: Contest, tried: list[Entry], keys: list[str]) -> tuple[Figure, str]:
    """A line per model: the mean over seeds, and a bar of their standard deviation."""
    key, values = keys[0], _values(tried, keys[0])
    numbers = [float(x) for x in values if _number(x)]
    scaled = len(numbers) == len(values)
    log = scaled and _far_apart(numbers)
    at = _off_zero(numbers) if log else numbers if scaled else range(len(values))
    places = dict(zip(map(str, values), at, strict=True))
    made, grid = layout.figure(style.COLUMN, 2.4)
    ax: Axes = grid[0, 0]
    models, ends, bars, reached = _models(tried), [], False, []
    names = shorten(models)
    for k, (model, entries) in enumerate(models.items()):
        color, dashes = _look(contest, model, k)
        shown = [best for v in values if (best := _best(entries, {key: v}))]
        x = [places[str(entry.settings[key])] for entry in shown]
        y = [entry.preference for entry in shown]
        sd = [e.val.std(ddof=1) if len(e.val) > 1 else 0.0 for e in shown]
        bars = bars or any(sd)
        ax.errorbar(x, y, sd if any(sd) else None, color=color, ls=dashes, lw=1.2, marker="o",
                    ms=3.2, elinewidth=0.8, label=model)  # fmt: skip
        ends.append(layout.End(names[model], float(x[-1]), float(y[-1]), color))
        reached += [v + s * d for v, d in zip(y, sd, strict=True) for s in (-1, 1)]
    if log:
        ax.set_xscale("log")
        ax.minorticks_off()
    tall = scale.errors(ax, np.array(reached), "y")
    ax.set_xticks(list(places.values()), [_said(value) for value in values])
    ax.set_xlabel(key)
    ax.set_ylabel(f"validation {contest.error_label}")
    layout.arrange(made, grid, right=layout.ends_width(made, ends), top=0.1)
    layout.name_ends(ax, ends)
    text = f"Validation {contest.metric} of the configurations that were tried, by {key}."
    text += " Bars: ± 1 standard deviation between seeds." * bars
    return made, f"{text}{scale.said(tall)}{_others(keys[1:])}{_closing(contest)}"


def _look(contest: Contest, model: str, k: int) -> tuple[str, Any]:
    """That of the model's entry where it has one of its own, else the k-th of those left."""
    entries = [entry for entry in contest.stars if entry.model == model]
    if len(entries) == 1:
        return entries[0].look[:2]
    return style.OTHERS[k % len(style.OTHERS)]


def _maps(contest: Contest, tried: list[Entry], keys: list[str]) -> tuple[Figure, str]:
    """A map per model over two keys, its best cell framed; the numbers stand in the cells."""
    models = _models(tried)
    shown = list(models.items())[:PANELS]
    down, across = keys[:2] if len(_values(tried, keys[0])) > 6 else (keys[1], keys[0])
    rows, columns = _values(tried, down), _values(tried, across)
    alone = len(shown) == 1 and len(columns) < 6
    width, height = style.COLUMN if alone else style.PAGE, 0.95 + 0.26 * len(rows)
    made, grid = layout.figure(width, height, 1, len(shown))
    tables = [_table(entries, (down, rows), (across, columns)) for _, entries in shown]
    low, high = (f([f(t) for t in tables]) for f in (np.nanmin, np.nanmax))
    for ax, (model, _), table in zip(grid[0], shown, tables, strict=True):
        ax.imshow(table, cmap=SHADES, vmin=low, vmax=high or 1, aspect="auto")
        for (row, column), value in np.ndenumerate(table):
            if np.isfinite(value):
                dark = value - low < 0.25 * (high - low)
                ax.text(column, row, style.number(value), ha="center", va="center", size=7,
                        color="white" if dark else style.INK)  # fmt: skip
        row, column = np.unravel_index(np.nanargmin(table), table.shape)
        ax.add_patch(_frame(int(row), int(column)))
        ax.set_title(style.short(model, 24))
        ax.set_xticks(range(len(columns)), [_said(value) for value in columns])
        ax.set_yticks(range(len(rows)), [_said(value) for value in rows])
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.set_xlabel(across)
    grid[0, 0].set_ylabel(down)
    for ax in grid[0, 1:]:
        ax.tick_params(labelleft=False)
    layout.arrange(made, grid, titles=0.22)
    text = (
        f"Validation {contest.metric}, means over seeds, by {down} and {across}; framed: the best."
    )
    if len(models) > PANELS:
        text += f" The {PANELS} models that validation likes best, of {len(models)}."
    return made, f"{text}{_others(keys[2:])}{_closing(contest)}"


def _table(
    entries: list[Entry], rows: tuple[str, list[Any]], columns: tuple[str, list[Any]]
) -> np.ndarray:
    """(row, column) the least validation error; NaN where nothing was tried."""
    found = [[_best(entries, {rows[0]: r, columns[0]: c}) for c in columns[1]] for r in rows[1]]
    return np.array([[best.preference if best else np.nan for best in line] for line in found])


def _frame(row: int, column: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, ec=style.INK, lw=1.2)


def _said(value: Any) -> str:
    return style.number(value) if _number(value) else style.short(str(value), 12)


def _others(keys: Sequence[str]) -> str:
    if not keys:
        return ""
    return f" Swept too, and each point the best over them: {', '.join(keys)}."


def _closing(contest: Contest) -> str:
    return f" Test is not shown, so that nobody chooses by it. {contest.where}"
