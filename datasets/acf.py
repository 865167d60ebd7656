"""How a series resembles itself some steps later; missing cells are allowed.

    r_k = Σ d_t d_{t+k} / Σ d_t²,   d the deviations from the mean

Where values are missing, both sums are scaled up to what complete data would have.
Parzen, On spectral analysis with missing observations, Sankhyā A 25 (1963).
"""

import numpy as np


def acf(x: np.ndarray, lags: int) -> np.ndarray:
    """(time, node) → (lag, node): r_1 … r_lags; NaN in x is missing, NaN in r undefined.

    All lags at once by the fast Fourier transform, padded so that ends do not meet.
    """
    rows = len(x)
    seen = np.isfinite(x)
    count = seen.sum(0).clip(1)
    d = np.where(seen, x - np.where(seen, x, 0).sum(0) / count, 0)
    variance = (d**2).sum(0) / count
    pairs = np.rint(_lagged(seen.astype(float), lags))
    whole = (rows - np.arange(1, lags + 1)).reshape(-1, *[1] * (x.ndim - 1)) / rows
    scale = np.where(pairs > 0, pairs, np.nan) * np.where(variance > 0, variance, np.nan)
    return _lagged(d, lags) * whole / scale


def _lagged(x: np.ndarray, lags: int) -> np.ndarray:
    """Σ_t x_t x_{t+k} for k = 1 … lags."""
    size = 1 << (len(x) + lags - 1).bit_length()
    power = np.abs(np.fft.rfft(x, size, axis=0)) ** 2
    return np.fft.irfft(power, size, axis=0)[1 : lags + 1]
