"""Confidence intervals by the block bootstrap: for a mean loss, a difference, a skill.

Blocks of consecutive origins are drawn with replacement until there are n (Künsch 1989), wrapped
at the end so that each origin is drawn as often as the others (Politis & Romano 1992). Quantiles of
the resampled means themselves are too narrow: what correlates across the ends of a block is lost,
a third of the variance for blocks of one horizon. So it is the t statistic that is resampled, its
equal-weighted cosine error computed anew every time,

    t* = (θ* − θ̂) / se*        interval: θ̂ ± c · se      c: the 95 % quantile of |t*|

whose distribution the lost part hardly touches (Gonçalves & Vogelsang 2011 on the naive bootstrap
of statistics with fixed smoothing). Where Student's t supposes a normal mean, this does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from stsfm.significance.longrun import cosines, standard_error
from stsfm.significance.origins import disjoint, reach, too_few
from stsfm.significance.pair import EXACT

DRAWS = 999
CHUNK = 2**21  # resampled values held at once

Statistic = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate between its bounds; or the reason why there are no bounds, or neither."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Blocks:
    """How series over origins are resampled together."""

    n: int
    length: int  # origins in a block: as far as futures overlap, n^⅓ at least (Künsch 1989)
    nu: int  # cosines of a standard error

    @classmethod
    def of(cls, origins: np.ndarray, horizon: int) -> Blocks:
        n = len(origins)
        length = max(reach(origins, horizon), round(n ** (1 / 3)))
        return cls(n, length, cosines(n, len(disjoint(origins, horizon))))

    def resample(self, series: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
        """Resamples (…, some draws, n) of series (…, n), a part at a time to spare memory."""
        rng = np.random.default_rng(seed)
        each = max(1, CHUNK // series.size)
        for first in range(0, draws, each):
            shape = min(each, draws - first), -(-self.n // self.length), 1
            index = rng.integers(0, self.n, size=shape) + np.arange(self.length)
            yield series[..., index.reshape(shape[0], -1)[:, : self.n] % self.n]


def mean_interval(
    values: np.ndarray, origins: np.ndarray, horizon: int, *, level: float = 0.95, seed: int = 0
) -> Interval:
    """An interval for the mean of values (n,) over origins (n,): a loss, or a difference of two."""
    return _interval(_mean, np.asarray(values, float)[None], origins, horizon, level, seed)


def skill_interval(
    a: np.ndarray,
    b: np.ndarray,
    origins: np.ndarray,
    horizon: int,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """An interval for the skill 1 − mean(a) / mean(b), the origins of both resampled together.

    a (n,) are losses ≥ 0 of the model, b (n,) those of what it is measured against. The interval
    is that of the log ratio, so that it ends below 1, as skill does.
    """
    losses = np.array([a, b], dtype=float)
    found = _interval(_log_ratio, losses, origins, horizon, level, seed)
    skill, low, high = (
        None if x is None else 1 - float(np.exp(x)) for x in (found.estimate, found.high, found.low)
    )
    return Interval(estimate=skill, low=low, high=high, reason=found.reason)


def _mean(losses: np.ndarray, nu: int) -> tuple[np.ndarray, np.ndarray]:
    """Means (…) of losses (1, …, n), and their standard errors."""
    return losses[0].mean(-1), standard_error(losses[0], nu)


def _log_ratio(losses: np.ndarray, nu: int) -> tuple[np.ndarray, np.ndarray]:
    """Log ratios (…) of the means of losses (2, …, n), and their errors by the delta method.

    To first order log(ā/b̄) errs as the mean of a/ā − b/b̄ does.
    """
    means = losses.mean(-1)
    a, b = losses / means[..., None]
    return np.log(means[0] / means[1]), standard_error(a - b, nu)


def _interval(
    statistic: Statistic,
    losses: np.ndarray,
    origins: np.ndarray,
    horizon: int,
    level: float,
    seed: int,
) -> Interval:
    seen = ~np.isnan(losses).all(0)
    losses, origins = losses[:, seen], np.asarray(origins)[seen]
    if few := too_few(origins, horizon):
        return Interval(reason=few.replace("test", "interval"))
    blocks = Blocks.of(origins, horizon)
    with np.errstate(divide="ignore", invalid="ignore"):
        found, error = statistic(losses, blocks.nu)
        again = [statistic(part, blocks.nu) for part in blocks.resample(losses, DRAWS, seed)]
        t = np.concatenate([abs(theta - found) / se for theta, se in again])
    estimate = float(found)
    if not (np.isfinite(estimate) and np.isfinite(error)):
        return Interval(reason="no interval: losses that are not finite, or all zero")
    if error <= EXACT * max(1.0, abs(estimate)):
        return Interval(estimate=estimate, reason="no interval: it is the same at every origin")
    width = float(np.nanquantile(t, level, method="higher") * error)
    return Interval(estimate=estimate, low=estimate - width, high=estimate + width)
