"""What is left about the segments: an autoregression, from which surrogates are drawn.

    u_t = Σᵢ φᵢ u_{t−i} + e_t

within segments: a pair of rows on two sides of a change is not compared, so that a change is not
taken for memory. p by BIC. Estimates of φ are too low where levels and lines were fitted to the
same rows: by as much, on average, as those from surrogates of φ̂ are below φ̂, and that is added
(Kilian). Surrogates draw the e that were seen, so that heavy tails stay heavy.

Memory has a bound. Noise that forgets slowly and a level that changes are told apart by their time
scale alone: what lasts longer than a share `memory` of all rows is no noise. A characteristic root
beyond exp(−1 / (memory · t)) is pulled in to it.
Kilian, Small-sample confidence intervals for impulse response functions, Review of Economics and
Statistics 80 (1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from stsfm.datasets.panel import Array

TWINS = 200  # surrogates by which φ̂ is corrected
BURN = 200  # rows before a surrogate begins


@dataclass(frozen=True)
class Noise:
    """phi (s, p) of each series; e (k, s) rows of innovations; whether the bound on memory held."""

    phi: Array
    e: Array
    bound: bool

    @property
    def order(self) -> int:
        return self.phi.shape[1]

    def draw(self, count: int, rows: int, rng: np.random.Generator) -> Array:
        """(count, rows, s); what is simultaneous stays so."""
        e = self.e[rng.integers(len(self.e), size=(count, rows + BURN))]  # (count, t, s)
        u = [lfilter([1.0], [1.0, *-phi], e[:, :, s], axis=1) for s, phi in enumerate(self.phi)]
        return np.stack(u, -1)[:, BURN:]


def noise(u: Array, seen: Array, edges: list[int], order: int, memory: float, seed: int) -> Noise:
    """Of what is left (t, s) about segments that begin at `edges`, 0 among them."""
    segment = np.searchsorted(edges, np.arange(len(u)), side="right")
    order = min(order, len(u) // 10)
    fits = [_series(u[:, s], seen[:, s], segment, order, memory, seed) for s in range(u.shape[1])]
    p = max(len(phi) for phi, _ in fits)
    phi = np.stack([np.pad(phi, (0, p - len(phi))) for phi, _ in fits])
    e, ok = np.zeros_like(u), _whole(seen.all(1), segment, p)
    for s in range(u.shape[1]):
        e[:, s] = _innovations(u[None, :, s], phi[s])[0]
    if ok.sum() < 5:  # too many gaps: rows in which some series are missing count as well
        ok = seen.any(1)
    e = (e[ok] - e[ok].mean(0)) * freedom(seen, edges)
    return Noise(phi, e, any(bound for _, bound in fits))


def freedom(seen: Array, edges: list[int]) -> Array:
    """By how much what is left (t, s) about a line in each segment is too small: (s)."""
    rows = seen.sum(0)
    return np.sqrt(rows / np.maximum(rows - 2 * len(edges), rows / 4))


def _series(
    u: Array, seen: Array, segment: Array, order: int, memory: float, seed: int
) -> tuple[Array, bool]:
    """φ (p) of one series, and whether its memory was bounded."""
    ok = _whole(seen, segment, order)
    if order == 0 or ok.sum() < 3 * order + 3 or not u[seen].any():
        return np.zeros(0), False
    fits = [_least_squares(u[None], ok, p)[0] for p in range(order + 1)]
    left = [np.square(_innovations(u[None], phi)[0][ok]).mean() for phi in fits]
    bic = ok.sum() * np.log(np.maximum(left, 1e-300)) + np.arange(order + 1) * np.log(ok.sum())
    phi = fits[int(bic.argmin())]
    if not len(phi):
        return phi, False
    phi, _ = bounded(phi, 1 - 1e-3)
    ok = _whole(seen, segment, len(phi))
    e = _innovations(u[None], phi)[0][ok]
    twins = Noise(phi[None], e[:, None] - e.mean(), False).draw(
        TWINS, len(u), np.random.default_rng(seed)
    )[..., 0]
    low = _least_squares(_about_lines(twins, seen, segment), ok, len(phi)).mean(0)
    return bounded(2 * phi - low, np.exp(-1 / (memory * len(u))))


def bounded(phi: Array, most: float) -> tuple[Array, bool]:
    """φ whose characteristic roots are not beyond `most`, and whether they had to be pulled in."""
    root = float(abs(np.roots([1.0, *-phi])).max())
    if root <= most:
        return phi, False
    return phi * (most / root) ** np.arange(1, len(phi) + 1), True


def _least_squares(u: Array, ok: Array, p: int) -> Array:
    """φ (batch, p) of series (batch, t), from the rows that are `ok`."""
    if p == 0:
        return np.zeros((len(u), 0))
    rows = np.flatnonzero(ok)
    past = np.stack([u[:, rows - k] for k in range(1, p + 1)], -1)  # (batch, row, p)
    square = np.swapaxes(past, 1, 2) @ past
    ridge = 1e-9 * np.trace(square, axis1=1, axis2=2)[:, None, None] * np.eye(p) + 1e-300 * np.eye(
        p
    )
    return np.linalg.solve(square + ridge, np.swapaxes(past, 1, 2) @ u[:, rows, None])[..., 0]


def _innovations(u: Array, phi: Array) -> Array:
    return lfilter([1.0, *-phi], [1.0], u, axis=1)


def _whole(seen: Array, segment: Array, p: int) -> Array:
    """Rows that were seen, with p rows before them, in one segment."""
    ok = seen.copy()
    for k in range(1, p + 1):
        ok[k:] &= seen[:-k] & (segment[k:] == segment[:-k])
        ok[:k] = False
    return ok


def _about_lines(u: Array, seen: Array, segment: Array) -> Array:
    """Series (batch, t) less the line of each segment, as what is left was made."""
    u = u.copy()
    for k in np.unique(segment):
        rows = np.flatnonzero((segment == k) & seen)
        if len(rows) > 2:
            basis = np.linalg.qr(np.stack([np.ones(len(rows)), rows - rows.mean()], 1))[0]
            u[:, rows] -= u[:, rows] @ basis @ basis.T
    return u


def whitened(x: Array, phi: Array) -> Array:
    """Series (batch, t, s) less what the rows before them let expect; the first rows scaled."""
    out = np.stack([_innovations(x[..., s], own) for s, own in enumerate(phi)], -1)
    p = phi.shape[1]
    out[:, :p] = x[:, :p] * (1 - phi.sum(1))
    return out
