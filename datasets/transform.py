"""One transform per task: a power that steadies the variance, then an affine scale.

    z = (g(y; λ) − shift) / scale,    g(y; λ) = (y^λ − 1) / λ,  log y at λ = 0,  y without power

Both are per node and channel, fitted on observed training cells only and inverted on the Forecast;
`pooled` is an affine scale that all nodes share, so that errors weigh as they do in the data.
Covariates known ahead are scaled by their own training rows, but for calendar features.
Box & Cox, An analysis of transformations, JRSS B 26 (1964).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np

from stsfm.datasets.panel import Array, Arrays, Forecast, Panel, xp
from stsfm.datasets.storage.rows import chunks, room_for

Power = Literal["none", "log", "boxcox"]
Scaling = Literal["none", "standard", "pooled"]

LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))  # quantiles read off a predictive scale
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(
    32
)  # E f(Z) = Σ w f(x) / √(2π), Z standard normal


@dataclass(frozen=True, kw_only=True, eq=False)
class Transform(Arrays):
    """A fitted transform. Arrays are (node, channel), of what is known (node | 1, covariate)."""

    shift: Array
    scale: Array
    power: Array | None = None  # λ; None = no power transform
    known_shift: Array | float = 0.0
    known_scale: Array | float = 1.0

    @classmethod
    def fit(cls, train: Panel, *, power: Power = "none", scaling: Scaling = "standard") -> Self:
        """Learn from the observed cells of `train`; `train` must end at the border."""
        lam = _power(train, power)
        raw = cls(shift=np.zeros(train.values.shape[1:]), scale=np.ones(1), power=lam)
        if scaling == "none":
            return raw
        shift, scale = _moments(train, raw, over=(0, 1) if scaling == "pooled" else 0)
        mean, spread = train.known.mean(0), train.known.std(0)
        clock = np.array([kind == "calendar" for kind in train.about.kinds], bool)
        return replace(
            raw,
            shift=shift,
            scale=_wide(shift, scale),
            known_shift=np.where(clock, 0.0, mean),
            known_scale=np.where(clock, 1.0, _wide(mean, spread)),
        )

    def forward(self, values: Array, mask: Array | None = None) -> Array:
        """Data units → transformed units, over the axes (…, node, channel). Masked cells give 0."""
        new = xp(values)
        if mask is not None and self.power is not None:
            values = new.where(mask, values, 1 + 0 * values)
        if self.power is not None:
            lam = self.power + 0 * values
            safe = new.where(lam == 0, 1 + 0 * lam, lam)
            values = new.where(lam == 0, new.log(values), (values**safe - 1) / safe)
        z = (values - self.shift) / self.scale
        return z if mask is None else new.where(mask, z, 0 * z)

    def inverse(self, z: Array) -> Array:
        """Transformed units → data units; what lies below the range of a power gives 0."""
        new = xp(z)
        y = z * self.scale + self.shift
        if self.power is None:
            return y
        lam = self.power + 0 * y
        safe = new.where(lam == 0, 1 + 0 * lam, lam)
        return new.where(lam == 0, new.exp(y), (1 + safe * y).clip(0) ** (1 / safe))

    def panel(self, panel: Panel) -> Panel:
        """A panel in transformed units. ValueError where a power transform meets values ≤ 0."""
        if self.power is not None and _least(panel) <= 0:
            raise ValueError(
                f"a log or Box–Cox transform needs positive values, and {panel.about.name} has "
                "others; use protocol.transform=none"
            )
        values, known = panel.values, (panel.known - self.known_shift) / self.known_scale
        if self.power is not None or np.any(self.shift) or np.any(self.scale != 1):
            values = room_for(panel.values)
            for rows in chunks(values):
                values[rows] = self.forward(panel.values[rows], panel.mask[rows])
        return replace(panel, values=values, known=known)

    def forecast(self, forecast: Forecast) -> Forecast:
        """A forecast of the target channels in data units.

        A predictive scale becomes quantiles at LEVELS and a mean, both exact for the inverse
        transform of a Gaussian (the mean by 32-point Gauss–Hermite quadrature).
        """
        quantiles, levels, mean = forecast.quantiles, forecast.levels, forecast.mean
        if forecast.scale is not None:
            centre = forecast.point if mean is None else mean
            at = lambda x: self.inverse(centre + float(x) * forecast.scale)  # noqa: E731
            mean = sum(w * at(x) for x, w in zip(NODES, WEIGHTS, strict=True)) / WEIGHTS.sum()
            levels_first = xp(centre).stack([at(x) for x in self._normal_quantiles])
            quantiles = xp(centre).moveaxis(levels_first, 0, -1)  # a view: each level lies together
            levels = LEVELS
        else:
            mean = self.inverse(mean) if mean is not None and self.power is None else None
            if quantiles is not None:
                move = xp(quantiles).moveaxis
                quantiles = move(self.inverse(move(quantiles, -1, 0)), 0, -1)
        point = self.inverse(forecast.point)
        return replace(
            forecast, point=point, mean=mean, quantiles=quantiles, levels=levels, scale=None
        )

    def only(self, channels: list[int]) -> Self:
        """The transform of some channels, such as the targets."""
        cut = lambda x: x[..., channels] if np.ndim(x) == 2 else x  # noqa: E731
        return replace(self, shift=cut(self.shift), scale=cut(self.scale), power=cut(self.power))

    def at(self, nodes: slice, channels: slice) -> Self:
        """The transform of the targets of some nodes."""
        cut = lambda x: x[nodes, channels] if np.ndim(x) == 2 else x  # noqa: E731
        return replace(self, shift=cut(self.shift), scale=cut(self.scale), power=cut(self.power))

    @cached_property
    def _normal_quantiles(self) -> np.ndarray:
        from scipy.special import ndtri  # 0.1 s to import, and only where a scale was forecast

        return ndtri(np.array(LEVELS))


IDENTITY = Transform(shift=np.zeros(1), scale=np.ones(1))


def _wide(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Deviations to divide by: 1 for a constant series, which has no spread but rounding."""
    return np.where(deviation > 1e-12 * np.maximum(1.0, abs(mean)), deviation, 1.0)


def _moments(
    train: Panel, raw: Transform, over: int | tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (node, channel) of what was observed; 0 and 1 where nothing was.

    Over time, or over time and nodes.
    """
    parts = [*chunks(train.values)]
    cells = lambda rows: raw.forward(train.values[rows], train.mask[rows])  # noqa: E731
    count = sum(train.mask[rows].sum(over) for rows in parts)
    some = np.maximum(count, 1)
    mean = sum(cells(rows).sum(over) for rows in parts) / some
    squares: Array = 0.0
    for rows in parts:
        squares = squares + (((cells(rows) - mean) * train.mask[rows]) ** 2).sum(over)
    spread = np.where(count, np.sqrt(squares / some), 1.0)
    shape = train.values.shape[1:]
    return np.broadcast_to(mean, shape).copy(), np.broadcast_to(spread, shape).copy()


def _least(panel: Panel) -> float:
    """The smallest observed value."""
    parts = ((panel.values[rows], panel.mask[rows]) for rows in chunks(panel.values))
    return min((float(values[mask].min()) for values, mask in parts if mask.any()), default=np.inf)


def _power(train: Panel, power: Power) -> np.ndarray | None:
    if power == "none":
        return None
    if (least := _least(train)) <= 0:
        raise ValueError(
            f"transform={power} needs positive values, and {train.about.name} has "
            f"{least:g}; use protocol.transform=none"
        )
    lam = np.zeros(train.values.shape[1:])
    if power == "boxcox":
        from scipy.optimize import minimize_scalar
        from scipy.stats import boxcox_normmax

        # below 0 the transform has an upper bound, beyond which a forecast has no inverse
        inside = lambda f: minimize_scalar(f, bounds=(0, 2), method="bounded")  # noqa: E731
        for n, c in np.ndindex(*lam.shape):
            y = train.values[train.mask[:, n, c], n, c]
            varies = len(y) and np.ptp(y)
            lam[n, c] = boxcox_normmax(y, method="mle", optimizer=inside) if varies else 1.0
    return lam
