"""Numbers of nodes on a map: as an image on a lattice, as dots at coordinates, or on a graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.ticker import FixedLocator, MaxNLocator

from stsfm.plots import style
from stsfm.plots.space.spread import spread
from stsfm.spatial import Place

SIZES = "viridis_r"  # of what is 0 or more: the darker, the greater
SIGNS = "RdBu_r"  # of what has a sign: white is 0
EXTREMES = (0.02, 0.98)  # quantiles that colours end at, where there are many nodes
MANY = 25  # nodes, of fewer of which none is an extreme
EDGES = 2_000  # most edges drawn
HEAVY = 400  # dots or lines, of more of which an SVG has a picture
FLATTEST, TALLEST = 0.3, 1.6  # height over width of a map
BAR = 0.09  # inches that a colour bar is wide


class Scale(NamedTuple):
    """Colours and what they mean; `ends` says on which sides numbers go on beyond them."""

    colours: str
    norm: Normalize
    ends: Any


class Sheet:
    """Where the nodes of a place are drawn: the same in every map of a figure."""

    def __init__(self, place: Place) -> None:
        self.place, self.lattice = place, place.lattice
        self.placed = place.flat
        held = place.coords if place.flat else None
        self.at = spread(place.edges, place.nodes) if held is None else held
        globe = place.flat and place.geometry == "sphere"
        # a degree of longitude is shorter than one of latitude
        self.aspect = 1 / max(0.1, np.cos(np.radians(self.at[:, 1].mean()))) if globe else 1.0

    @property
    def size(self) -> np.ndarray:
        """Width and height in coordinates, with room for dots; nodes in a line have some, too."""
        wide, tall = np.ptp(self.at, 0) * (1 if self.lattice is not None else 1.1)
        return np.array([max(wide, self.aspect * tall / TALLEST, 1e-9),
                         max(tall, FLATTEST * wide / self.aspect, 1e-9)])  # fmt: skip

    @property
    def shape(self) -> float:
        """Height over width, as it is drawn."""
        return float(self.aspect * self.size[1] / self.size[0])

    @property
    def said(self) -> str:
        """How the nodes came to be where they are; "" where the data say it."""
        if self.placed:
            return ""
        return (
            "Without coordinates, nodes lie so that their distances are near to the numbers of "
            "edges between them."
        )

    def draw(self, ax: Axes, values: np.ndarray, scale: Scale) -> ScalarMappable:
        """Numbers (node,): cells of an image, or dots; what was not observed is hollow."""
        colours: dict[str, Any] = {"cmap": scale.colours, "norm": scale.norm}
        if self.lattice is not None:
            x, y = _borders(self.lattice.x), _borders(self.lattice.y)
            image = self.lattice.image(values)
            drawn: Any = ax.pcolormesh(x, y, image, rasterized=True, lw=0, **colours)
        else:
            self._edges(ax)
            drawn = self._dots(ax, values, colours)
            low, high = self.at.min(0), self.at.max(0)
            left, right = (low + high - self.size) / 2, (low + high + self.size) / 2
            ax.set(xlim=(left[0], right[0]), ylim=(left[1], right[1]))
        ax.set_aspect(self.aspect)
        self._axes(ax)
        return drawn

    def _dots(self, ax: Axes, values: np.ndarray, colours: dict[str, Any]) -> ScalarMappable:
        """The greatest lie over the others."""
        seen, size = np.isfinite(values), _size(len(values))
        x, y = self.at.T
        ax.scatter(x[~seen], y[~seen], size, color="white", edgecolor=style.SOFT, lw=0.5)
        order = np.flatnonzero(seen)[np.argsort(abs(values[seen]), kind="stable")]
        heavy = len(order) > HEAVY
        look: dict[str, Any] = {"edgecolor": style.SOFT, "lw": 0.1 if heavy else 0.25}
        look |= {"rasterized": heavy, **colours}
        return ax.scatter(x[order], y[order], size, values[order], zorder=3, **look)

    def _edges(self, ax: Axes) -> None:
        """The edges, each pair once; of very many the heaviest."""
        pairs, first = np.unique(np.sort(self.place.edges, 1), axis=0, return_index=True)
        heavy = np.argsort(-self.place.weights[first], kind="stable")[:EDGES]
        lines = self.at[pairs[heavy]]
        ax.add_collection(
            LineCollection(list(lines), colors=style.FAINT, lw=0.35, alpha=0.6, zorder=1,
                           rasterized=len(lines) > HEAVY)
        )  # fmt: skip

    def _axes(self, ax: Axes) -> None:
        if not self.placed:
            ax.set(xticks=[], yticks=[])
            ax.axis("off")
            return
        globe, units = self.place.geometry == "sphere", self.place.units
        names = ("longitude", "latitude") if globe else ("x", "y")
        unit = "°" if globe else units
        ax.set_xlabel(f"{names[0]} ({unit})" if unit else names[0])
        ax.set_ylabel(f"{names[1]} ({unit})" if unit else names[1])
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))


def thinned(place: Place) -> str:
    """The sentence on edges that are not drawn; "" where all are, or none."""
    if place.lattice is not None or not len(place.edges):
        return ""
    pairs = len(np.unique(np.sort(place.edges, 1), axis=0))
    return f"Of {pairs:,} edges the {EDGES:,} heaviest are drawn." if pairs > EDGES else ""


def sizes(values: np.ndarray) -> Scale:
    """Colours of numbers of 0 or more."""
    low, high = _ends(values[np.isfinite(values)])
    return Scale(SIZES, Normalize(low, high if high > low else low + 1), _beyond(values, low, high))


def signs(values: np.ndarray) -> Scale:
    """Colours of numbers with a sign: as far below 0 as above."""
    _, high = _ends(abs(values[np.isfinite(values)]))
    return Scale(SIGNS, Normalize(-(high or 1), high or 1), _beyond(values, -high, high))


def bar(
    ax: Axes, drawn: ScalarMappable, scale: Scale, label: str, down: Axes | None = None
) -> None:
    """The colour bar of a map, beside it and as high; or from the foot of the map `down` on."""
    box = ax.get_window_extent()
    wide, foot = BAR * style.DPI / box.width, (down or ax).get_window_extent().y0
    tall = (box.y1 - foot) / box.height
    inset = ax.inset_axes((1 + 0.6 * wide, 1 - tall, wide, tall))
    made = ax.figure.colorbar(drawn, cax=inset, extend=scale.ends, extendfrac=0.04)
    made.outline.set_linewidth(0.4)
    made.ax.tick_params(length=2, width=0.4, pad=2)
    most = int(np.clip((box.y1 - foot) / style.DPI * 4, 2, 5))
    low, high = scale.norm.vmin or 0.0, scale.norm.vmax or 0.0
    ticks = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    made.locator = FixedLocator([x for x in ticks if low - slack <= x <= high + slack])
    made.formatter = style.Numbers()
    made.update_ticks()
    made.set_label(label, labelpad=3)


def _ends(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 0.0
    if len(values) < MANY:
        return float(values.min()), float(values.max())
    low, high = np.quantile(values, EXTREMES)
    return float(low), float(high)


def _beyond(values: np.ndarray, low: float, high: float) -> str:
    seen = values[np.isfinite(values)]
    below, above = bool((seen < low).any()), bool((seen > high).any())
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]


def _size(nodes: int) -> float:
    """Square points of a dot: many are small."""
    return float(np.clip(4_000 / nodes, 3, 60))


def _borders(middles: np.ndarray) -> np.ndarray:
    """(n + 1,) the borders of cells with these middles (n,)."""
    between = (middles[1:] + middles[:-1]) / 2
    first, last = 2 * middles[0] - between[0], 2 * middles[-1] - between[-1]
    return np.concatenate([[first], between, [last]])
