"""What looks odd in a panel: gaps, constants, outliers, jumps of the unit. Nothing is changed."""

from __future__ import annotations

import numpy as np

from stsfm.datasets.about import Finding
from stsfm.datasets.panel import Panel
from stsfm.datasets.reading.delimited import shown

FAR = 5.0  # interquartile ranges beyond the quartiles
JUMP = 5.0  # times as large as before, or as small
BLOCKS = 20  # that a series is cut into to look for jumps
ENOUGH = 8  # values that quartiles are taken of
LEFT = "left as it is"


def oddities(panel: Panel) -> list[Finding]:
    """Findings about the content of a panel, each with the worst places."""
    rows = panel.history()
    return [f for look in (_gaps, _constant, _outliers, _jumps) for f in look(rows) if f.count]


def merged(findings: list[Finding]) -> list[Finding]:
    """Findings of one kind, such as in several columns, as one."""
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.what, finding.done), []).append(finding)
    return [
        Finding(what, shown([f.where for f in some]), sum(f.count for f in some), done)
        for (what, done), some in kinds.items()
    ]


def stamp(ns: int) -> str:
    """An instant no finer than it is: 2020-01-31, 2020-01-31 06:00."""
    moment = np.datetime64(int(ns), "ns")
    unit = next((u for u in "Dm" if moment.astype(f"M8[{u}]") == moment), "s")
    return str(moment.astype(f"M8[{unit}]")).replace("T", " ")


def _at(panel: Panel, row: int) -> str:
    return stamp(panel.time[row]) if panel.about.step else f"row {row}"


def _name(panel: Panel, node: int, channel: int) -> str:
    about = panel.about
    parts = [about.nodes[node]] if panel.nodes > 1 or panel.channels == 1 else []
    return " · ".join([*parts, *([about.channels[channel]] if panel.channels > 1 else [])])


def _gaps(panel: Panel) -> list[Finding]:
    """Runs of rows without any value, and of missing cells within one series."""
    lacking = ~panel.mask
    cells = int(lacking.sum())
    if not cells:
        return []
    longest = sorted(_runs(panel, lacking), reverse=True)[:3]
    spans = [f"({n} row{'s' * (n != 1)})" for n, _, _ in longest]
    ends = zip(longest, spans, strict=True)
    where = shown([f"{name} {_at(panel, row)} {span}" for (_, row, name), span in ends])
    return [Finding("missing cells", f"longest: {where}", cells, "masked, never filled")]


def _runs(panel: Panel, lacking: np.ndarray) -> list[tuple[int, int, str]]:
    """The longest run of each series: (rows, first row, name); one that all share is said once."""
    everywhere = np.asarray(lacking.all((1, 2)))
    found = [(*_longest(everywhere), "all")] if everywhere.any() else []
    own = lacking & ~everywhere[:, None, None]
    for node, channel in np.argwhere(own.any(0)):
        found.append((*_longest(own[:, node, channel]), _name(panel, node, channel)))
    return found


def _longest(flags: np.ndarray) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(int)))
    starts, ends = edges[::2], edges[1::2]
    best = int((ends - starts).argmax())
    return int(ends[best] - starts[best]), int(starts[best])


def _constant(panel: Panel) -> list[Finding]:
    high = np.where(panel.mask, panel.values, -np.inf).max(0)
    low = np.where(panel.mask, panel.values, np.inf).min(0)
    names = [_name(panel, n, c) for n, c in np.argwhere(high == low)]
    return [Finding("constant", shown(names), len(names), "kept; its MASE is undefined")]


def _outliers(panel: Panel) -> list[Finding]:
    x = np.where(panel.mask, panel.values, np.nan)
    low, high = _quantiles(x, (0.25, 0.75))
    wide = high > low
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(wide, np.maximum(low - x, x - high) / (high - low), 0.0)
    far = np.where(panel.mask & (panel.mask.sum(0) >= ENOUGH), far, 0.0)
    row, node, channel = np.unravel_index(far.argmax(), far.shape)
    value, name = panel.values[row, node, channel], _name(panel, int(node), int(channel))
    where = f"farthest: {name} {_at(panel, int(row))} ({value:g})"
    return [Finding("outliers", where, int((far > FAR).sum()), LEFT)]


def _jumps(panel: Panel) -> list[Finding]:
    """Places from where on a series is many times what it was, and stays."""
    x = abs(np.where(panel.mask, panel.values, np.nan))
    size = max(len(x) // BLOCKS, ENOUGH)
    found: dict[str, str] = {}
    for row in range(size, len(x) - size + 1, size // 4):
        b_low, b, b_high = _quantiles(x[row - size : row], (0.25, 0.5, 0.75))
        a_low, a, a_high = _quantiles(x[row : row + size], (0.25, 0.5, 0.75))
        jumped = (a_low >= JUMP * b_high) | (b_low >= JUMP * a_high)
        for node, channel in np.argwhere(jumped & (np.minimum(a, b) > 0)):
            if not _lasts(x[:, node, channel], row):
                continue
            ratio = a[node, channel] / b[node, channel]
            factor = f"× {ratio:.3g}" if ratio > 1 else f"÷ {1 / ratio:.3g}"
            name = _name(panel, node, channel)
            found.setdefault(name, f"{name} about {_at(panel, row)} ({factor})")
    where = shown(list(found.values()))
    return [Finding("unit jumps", where, len(found), "left as it is; one unit throughout?")]


def _lasts(x: np.ndarray, row: int) -> bool:
    """Does what comes after a row stay apart from all before? An epidemic does not."""
    (b_low, b_high), (a_low, a_high) = (_quantiles(y, (0.1, 0.9)) for y in (x[:row], x[row:]))
    return bool(a_low > b_high or b_low > a_high)


def _quantiles(x: np.ndarray, levels: tuple[float, ...]) -> list[np.ndarray]:
    """Quantiles (node, channel) along time of what is no NaN; nearest ranks, NaN of nothing."""
    ranked = np.sort(x, axis=0)  # NaN come last
    count = (~np.isnan(x)).sum(0)
    rank = [np.rint(level * (count - 1)).astype(int).clip(0) for level in levels]
    return [np.take_along_axis(ranked, k[None], axis=0)[0] for k in rank]
