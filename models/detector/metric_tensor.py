"""Changes of dependence: the metric tensor of the series before a row against that behind it.

    G(a, b)   (s, s) covariance or correlation of rows a … b, shrunk by Ledoit & Wolf
    D_t = √(w/2) ‖log G(t−w, t) − log G(t, t+w)‖_F       the log-Euclidean distance of two metrics

A change is where D_t is the greatest within w rows and above what chance reaches anywhere in
`alpha` of all series: the greatest D of the same rows in another order, which keeps the dependence
within a row and no change of it. Series are whitened first, each by an autoregression whose order
BIC chooses, so that rows may be exchanged; where they are correlations, a change of level or of
variance alone is none. An interval: rows are drawn anew within w rows on both sides of the change.
Log of a metric makes distances Euclidean, and unlike differences of covariances does not swell
(Arsigny et al. 2006); for few series, a Gaussian cost with full covariance finds as much.
Arsigny, Fillard, Pennec & Ayache, Log-Euclidean metrics for fast and simple calculus on diffusion
tensors, Magnetic Resonance in Medicine 56 (2006). Moving windows: Eichinger & Kirch, A MOSUM
procedure for the estimation of multiple random change points, Bernoulli 24 (2018). Ledoit & Wolf, A
well-conditioned estimator for large-dimensional covariance matrices, J. Multivariate Analysis 88
(2004).
"""

from __future__ import annotations

from typing import Literal, final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stsfm.datasets.panel import Array, Panel
from stsfm.models.analyser import series_of
from stsfm.models.numerics.chance import p_value
from stsfm.models.numerics.changes.costs import Costs
from stsfm.models.segmenter import Change, Segmentation, Segmenter, Track

ORDERS = 8  # of an autoregression at most
FLOOR = 1e-6  # of an eigenvalue, as a share of the mean


@final
class MetricTensor(Segmenter):
    """Changes of covariances or correlations: log-Euclidean distances of moving windows."""

    cite = "arsigny2006"

    def __init__(
        self,
        *,
        window: int | Literal["auto"],
        scale: Literal["correlation", "covariance"],
        dim: int,
        alpha: float,
        draws: int,
        level: float,
        seed: int,
    ) -> None:
        for name, share in (("alpha", alpha), ("level", level)):
            if not 0 < share < 1:
                raise ValueError(f"{name} must lie between 0 and 1, got {share}")
        if dim < 2 or draws < 1:
            raise ValueError(f"wanted dim of 2 and draws of 1 or more, got {dim} and {draws}")
        self.window, self.scale, self.dim = window, scale, dim
        self.alpha, self.draws, self.level, self.seed = alpha, draws, level, seed

    def segment(self, panel: Panel) -> Segmentation:
        x, names, _, gaps = series_of(panel, len(panel))
        if len(names) < 2:
            raise ValueError(f"{panel.about.name} has one series: there is no dependence to change")
        signal, cut = self._signal(x)
        window = self._window(*signal.shape)
        rng = np.random.default_rng(self.seed)
        found = self._distances(signal, window)
        orders = (rng.permutation(len(signal)) for _ in range(self.draws))
        chance = np.array([self._distances(signal[order], window).max() for order in orders])
        threshold = float(np.quantile(chance, 1 - self.alpha, method="higher"))
        changes = tuple(
            Change(
                row, *self._bounds(signal, row, window, rng), p_value(found[row - window], chance)
            )
            for row in _peaks(found, threshold, window)
        )
        seen = np.ones(x.shape, bool)  # gaps were filled
        facts = {"threshold": threshold, "window": window, "greatest distance": float(found.max()),
                 "p of the greatest": p_value(float(found.max()), chance)}  # fmt: skip
        track = Track(
            name="all series",
            series=tuple(range(len(names))),
            changes=changes,
            signal=signal,
            fitted=Costs(x[None], seen, 0.0, "mean").fitted(x, seen, [c.row for c in changes]),
            facts=facts,
        )
        return Segmentation(
            names=names, tracks=(track,), level=self.level,
            said=(_said(changes, self.scale, len(names)),),
            noted=(
                f"The {self.scale}s of {window} rows before and behind each row are compared; "
                f"nothing is said of the first and last {window} rows, nor of levels.",
                *([cut] if cut else []), *([gaps] if gaps else []),
            ),
        )  # fmt: skip

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "eichinger2018", "ledoit2004")

    def _signal(self, x: Array) -> tuple[Array, str]:
        """(t, s) whitened series of deviation 1; of many their first principal components."""
        white = np.stack([whitened(one) for one in x.T], 1)
        white = (white - white.mean(0)) / np.where(white.std(0) > 0, white.std(0), 1)
        if white.shape[1] <= self.dim:
            return white, ""
        _, _, axes = np.linalg.svd(white, full_matrices=False)
        share = np.linalg.norm(white @ axes[: self.dim].T) ** 2 / np.linalg.norm(white) ** 2
        kept = f"Of {white.shape[1]} series {self.dim} principal components are looked at, "
        return white @ axes[: self.dim].T, f"{kept}{share:.0%} of their variance.".replace(
            "%", " %"
        )

    def _window(self, rows: int, series: int) -> int:
        """Rows on either side. ValueError where they leave none, or fewer than twice the series."""
        auto = max(2 * series, min(rows // 8, 60), 10)
        window = auto if self.window == "auto" else self.window
        if window < 2 * series or 2 * window >= rows:
            raise ValueError(
                f"windows of {window} rows are too short for {series} series, or too long for "
                f"{rows} rows: wanted {2 * series} … {(rows - 1) // 2}; set detector.window"
            )
        return window

    def _distances(self, x: Array, window: int) -> Array:
        """(t − 2w + 1) D of rows w … t − w of x (t, s)."""
        logs = log_metrics(sliding_window_view(x, window, 0), self.scale)  # (t − w + 1, s, s)
        apart = logs[window:] - logs[:-window]
        return np.sqrt(window / 2) * np.linalg.norm(apart, axis=(1, 2))

    def _bounds(self, x: Array, row: int, window: int, rng: np.random.Generator) -> tuple[int, int]:
        """The rows between which a change lies: found again in rows drawn from both its sides."""
        draws, reach = min(self.draws, 99), window // 2
        lengths = window + reach
        sides = [x[max(0, row - lengths) : row], x[row : row + lengths]]
        rows = []
        for _ in range(draws):
            part = np.concatenate([side[rng.integers(0, len(side), lengths)] for side in sides])
            rows.append(row - reach + int(self._distances(part, window).argmax()))
        low, high = np.quantile(rows, [(1 - self.level) / 2, (1 + self.level) / 2])
        return min(int(low), row), max(int(np.ceil(high)), row)


def log_metrics(windows: Array, scale: Literal["correlation", "covariance"]) -> Array:
    """log G (k, s, s) of windows (k, s, w): shrunk to a multiple of the identity, then the log."""
    centred = windows - windows.mean(-1, keepdims=True)
    if scale == "correlation":
        size = np.sqrt((centred**2).mean(-1, keepdims=True))
        centred = centred / np.where(size > 0, size, 1)
    s, w = centred.shape[-2:]
    g = centred @ centred.swapaxes(-1, -2) / w
    mean = np.trace(g, axis1=-2, axis2=-1)[:, None, None] / s
    far = ((g - mean * np.eye(s)) ** 2).sum((-2, -1))
    near = ((centred**2).sum(-2) ** 2).sum(-1) / w - (g**2).sum((-2, -1))  # Σ_t ‖x xᵀ − G‖² / w
    share = np.divide(near / w, far, out=np.ones_like(far), where=far > 0).clip(0, 1)[:, None, None]
    values, axes = np.linalg.eigh((1 - share) * g + share * mean * np.eye(s))
    floor = FLOOR * np.maximum(values.mean(-1, keepdims=True), np.finfo(float).tiny)
    return (axes * np.log(np.maximum(values, floor))[..., None, :]) @ axes.swapaxes(-1, -2)


def whitened(x: Array) -> Array:
    """What is left of a series (t) by an autoregression, its order by BIC; as long, 0 at first."""
    x = x - x.mean()
    n, best, left = len(x), np.inf, x
    for order in range(min(ORDERS, n // 8) + 1):
        past = [x[ORDERS - k : n - k] for k in range(1, order + 1)]
        now = x[ORDERS:]
        lags = np.stack(past, 1) if past else np.zeros((len(now), 0))
        weights, *_ = np.linalg.lstsq(lags, now, rcond=None)
        errors = now - lags @ weights
        bic = len(now) * np.log((errors**2).mean() + np.finfo(float).tiny) + order * np.log(n)
        if bic < best:
            best, left = bic, np.concatenate([np.zeros(ORDERS), errors])
    return left


def _peaks(distances: Array, threshold: float, window: int) -> list[int]:
    """Rows where the distance is above the threshold and the greatest within a window."""
    found: list[int] = []
    for k in np.argsort(-distances, kind="stable"):
        if distances[k] <= threshold:
            break
        if all(abs(k + window - row) >= window for row in found):
            found.append(int(k) + window)
    return sorted(found)


def _said(changes: tuple[Change, ...], scale: str, many: int) -> str:
    if not changes:
        return f"No change of the {scale}s between {many} series was found."
    times = "once" if len(changes) == 1 else f"{len(changes)} times"
    return f"The {scale}s between {many} series change {times}."
