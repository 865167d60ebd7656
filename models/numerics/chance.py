"""What chance alone would give: surrogates of series, p-values of many tests.

phase     the Fourier amplitudes of the series, its phases drawn anew: the same autocorrelation,
          and nothing else
seasonal  the mean season of the series, and its deviations from that in another order
shift     the series from another row on, and its head at its end
p         (1 + surrogates that reach what was found) / (1 + surrogates)
q         of m p-values in rising order, minⱼ≥ᵢ (m p₍ⱼ₎ / j): below α, of those claimed a share of
          α at most is false in expectation (Benjamini & Hochberg)
Theiler et al., Testing for nonlinearity in time series: the method of surrogate data, Physica D 58
(1992). Benjamini & Hochberg, Controlling the false discovery rate, Journal of the Royal Statistical
Society B 57 (1995).
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array


def phase_surrogates(x: Array, count: int, rng: np.random.Generator) -> Array:
    """Of a series (t), (t, count): random phases, the amplitudes kept."""
    spectrum = np.fft.rfft(x - x.mean())
    turns = np.exp(2j * np.pi * rng.random((len(spectrum), count)))
    if len(x) % 2 == 0:
        turns[-1] = np.where(rng.random(count) < 0.5, -1, 1)  # Nyquist's is real
    return x.mean() + np.fft.irfft(spectrum[:, None] * turns, len(x), axis=0)


def seasonal_surrogates(x: Array, season: int, count: int, rng: np.random.Generator) -> Array:
    """Of a series (t), (t, count): its mean season, deviations permuted."""
    phase = np.arange(len(x)) % season
    mean = np.bincount(phase, x) / np.bincount(phase)
    left = x - mean[phase]
    return mean[phase][:, None] + np.stack([rng.permutation(left) for _ in range(count)], 1)


def shifts(rows: int, count: int, least: int, rng: np.random.Generator) -> Array:
    """Rows to shift by, (count), at least `least` from no shift, either way round."""
    return rng.integers(least, rows - least + 1, count)


def p_value(found: float, surrogates: Array) -> float:
    """The share of surrogates (s) that reach what was found, itself among them."""
    return float((1 + (surrogates >= found).sum()) / (1 + len(surrogates)))


def discoveries(p: Array) -> Array:
    """q-values of p-values (m), in their order."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1)
    return q
