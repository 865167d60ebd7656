"""What the residuals of a run leave behind: memory, bias, and where the errors are."""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np

from stsfm.datasets.acf import acf
from stsfm.record import Record
from stsfm.significance import ALPHA
from stsfm.significance.memory import ljung_box

FEWEST = 20  # residuals of a series, of fewer of which no memory can be seen
LAGS = 10  # at most; and no more than a fifth of the residuals


def diagnose(run: Record) -> dict[str, Any]:
    """Of the test residuals one step ahead, and of the errors by step and node; {} of none."""
    sums, scores = run.arrays("windows.npz"), run.scores
    if "test_first_residual" not in sums or not run.pooled("test"):
        return {}
    residual, seen = sums["test_first_residual"][..., 0], sums["test_first_count"][..., 0] > 0
    residual = np.where(seen, residual, np.nan)  # (origin, node)
    names = run.read("data.json").get("node_names", [])
    return {
        "memory": _memory(residual, sums["test_origins"]),
        "bias": _bias(residual),
        "steps": _steps(scores["test"]["mae"]["step"]),
        "nodes": _nodes(scores["test"]["mae"]["node"], names),
    }


def _memory(residual: np.ndarray, origins: np.ndarray) -> dict[str, Any]:
    """Autocorrelation at lag 1 and the test of Ljung and Box, over the nodes."""
    enough = np.isfinite(residual).sum(0) >= FEWEST
    n = int(np.isfinite(residual).sum(0).max(initial=0))
    apart = int(origins[1] - origins[0]) if len(origins) > 1 else 1
    if not enough.any():
        return {"reason": f"{n} residuals are too few to see a memory in", "residuals": n}
    lags = min(LAGS, n // 5)
    r = acf(residual[:, enough], lags)
    p = [ljung_box(line, int(k)) for line, k in
         zip(r.T, np.isfinite(residual[:, enough]).sum(0), strict=True)]  # fmt: skip
    known = [one for one in p if one is not None]
    return {
        "residuals": n, "apart": apart, "lags": lags, "nodes": len(known),
        "lag1": float(np.nanmedian(r[0])) if known else None,
        "p": float(np.median(known)) if known else None,
        "rejected": sum(one < ALPHA for one in known),
    }  # fmt: skip


def _bias(residual: np.ndarray) -> dict[str, float | None]:
    """The mean of observed − forecast, and its share of the mean size of a residual."""
    size = float(np.nanmean(abs(residual))) if np.isfinite(residual).any() else 0.0
    mean = float(np.nanmean(residual)) if size else None
    return {"mean": mean, "share": abs(mean) / size if mean is not None else None}


def _steps(errors: list[float | None]) -> dict[str, Any]:
    """The first and the last step, and the worst."""
    known = [(error, step) for step, error in enumerate(errors, 1) if error is not None]
    if len(known) < 2:
        return {"count": len(known)}
    worst, best = max(known), min(known)
    first, last = known[0], known[-1]
    return {
        "count": len(known), "first": first[0], "last": last[0],
        "growth": last[0] / first[0] if first[0] else None,
        "worst": {"step": worst[1], "mae": worst[0]}, "best": {"step": best[1], "mae": best[0]},
    }  # fmt: skip


def _nodes(errors: list[float | None], names: list[str]) -> dict[str, Any]:
    """The nodes whose errors are the least and the greatest, and the median error."""
    known = sorted((error, k) for k, error in enumerate(errors) if error is not None)
    if len(known) < 2:
        return {"count": len(known)}
    named = lambda k: names[k] if k < len(names) else f"node {k}"  # noqa: E731
    (least, k), (most, j) = known[0], known[-1]
    return {"count": len(known), "median": median(error for error, _ in known),
            "best": {"name": named(k), "mae": least},
            "worst": {"name": named(j), "mae": most}}  # fmt: skip
