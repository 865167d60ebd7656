"""What residuals show of space: computed once when a run is recorded, kept in its scores."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from stsfm.significance.moran import FEWEST, moran
from stsfm.significance.ranks import rank_correlation
from stsfm.significance.whiteness import whiteness
from stsfm.spatial.place import Neighbours, Place
from stsfm.words import count

MOST = 4_000  # nodes of Moran's I, whose pairs are held; the part of the graph about the first


def diagnosis(
    place: Place,
    residual: np.ndarray,
    seen: np.ndarray,
    origins: np.ndarray,
    table: dict[str, np.ndarray],
) -> dict[str, Any] | None:
    """Moran's I, whiteness and degree, as scores.json has them; None without any space.

    residual  (origin, node, channel) observed − forecast one step ahead, where `seen`
    origins   (origin,) rows where the forecasts begin
    table     "absolute", "residual", "count" (step, node, channel), summed over origins
    """
    if place.empty and place.graph == "given":
        return None
    near = place.neighbours
    if near is None:
        what = f"data.space={place.graph}" if place.graph != "given" else "no node has a neighbour"
        return {"reason": f"not tested: {what}, and there are no coordinates"}
    white = whiteness(residual, seen, origins, near.edges, near.weights)
    return {
        "neighbours": near.said,
        "moran": _moran(near, residual[..., 0], seen[..., 0], table),
        "az": asdict(white) | {"missing": _no_time(origins) if white.time is None else ""},
        "degree": _degree(place, table),
    }


def _moran(
    near: Neighbours, residual: np.ndarray, seen: np.ndarray, table: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Of the residuals at each origin; and of their means over origins and steps, the bias."""
    edges, weights, nodes = near.edges, near.weights, residual.shape[1]
    some = np.arange(nodes)
    if nodes > MOST:
        some = _about_the_first(edges, nodes)
        at = np.full(nodes, -1)
        at[some] = np.arange(MOST)
        inside = (at[edges] >= 0).all(1)
        edges, weights = at[edges[inside]], weights[inside]
    bias = by_node(table, "residual")[None, some]
    there = np.isfinite(bias)
    parts = {
        "each": (residual[:, some], seen[:, some]),
        "bias": (np.where(there, bias, 0), there),
    }
    return {name: asdict(moran(x, there, edges, weights)) for name, (x, there) in parts.items()}


def _about_the_first(edges: np.ndarray, nodes: int) -> np.ndarray:
    """MOST nodes that lie together on the graph: a random sample would have no neighbours."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    graph = csr_array((np.ones(len(edges)), tuple(edges.T)), shape=(nodes, nodes))
    return reverse_cuthill_mckee(csr_array(graph + graph.T), symmetric_mode=True)[-MOST:]


def _no_time(origins: np.ndarray) -> str:
    """Why no pair in time was looked at."""
    apart = np.diff(origins)
    if len(apart) and (apart > 1).all():
        return f"origins are {count(int(apart.min()), 'row')} apart"
    return "too few origins follow each other"


def _degree(place: Place, table: dict[str, np.ndarray]) -> dict[str, Any] | None:
    """Spearman's rank correlation of degree and MAE over nodes; None where degrees are alike."""
    degree, error = place.degree, by_node(table, "absolute")
    seen = np.isfinite(error)
    if (
        seen.sum() < FEWEST
        or np.ptp(degree[seen]) <= 1e-9 * degree.max()
        or not np.ptp(error[seen])
    ):
        return None
    return {"rho": rank_correlation(degree[seen], error[seen]), "nodes": int(seen.sum())}


def by_node(table: dict[str, np.ndarray], name: str) -> np.ndarray:
    """(node,) the mean of a sum over origins and steps, of the first channel; NaN without any."""
    total, n = table[name][..., 0].sum(0), table["count"][..., 0].sum(0)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)
