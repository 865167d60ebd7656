"""The surface to which a flow decays is found with its curvature, the flow on it with its rate."""

from __future__ import annotations

import numpy as np
import pytest

from stsfm.datasets.panel import About, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.numerics.polynomials import Polynomial, monomials, powers
from stsfm.models.spectral_submanifold import SpectralSubmanifold

SLOW, FAST, STEP = -0.05, -1.0, 0.1  # x₁′ = μ x₁,  x₂′ = λ (x₂ − x₁²)
KEYS = {"dim": 1, "delays": 1, "order": 5, "flow": 3, "ridge": 1e-12}


def decaying(start: float, rows: int = 400) -> np.ndarray:
    """The flow from (start, 0) once its transient has gone, (t, 2)."""
    t, curve = 10 + STEP * np.arange(rows), FAST / (FAST - 2 * SLOW)
    x = start * np.exp(SLOW * t)
    return np.stack([x, curve * x**2 - curve * start**2 * np.exp(FAST * t)], 1)


def windows(values: np.ndarray, horizon: int) -> RollingWindows:
    names = tuple(f"x{k}" for k in range(values.shape[1]))
    about = About(name="decay", nodes=("flow",), channels=names)
    mask = np.ones((len(values), 1, len(names)), bool)
    data = Panel(values=values[:, None], mask=mask, time=np.arange(len(values)), about=about)
    return RollingWindows(
        panel=data, origins=np.arange(1, len(values) - horizon + 1), horizon=horizon
    )


def test_monomials_are_all_products_up_to_a_degree() -> None:
    z = np.array([[2.0, 3.0]])
    assert powers(2, 2).tolist() == [[1, 0], [0, 1], [2, 0], [1, 1], [0, 2]]
    assert monomials(z, powers(2, 2)).tolist() == [[2, 3, 4, 6, 9]]
    truth = lambda z: 1 + z[:, :1] - 2 * z[:, :1] * z[:, 1:]  # noqa: E731
    pairs = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    found = Polynomial.of(pairs, truth(pairs), 2, 0.0)
    np.testing.assert_allclose(found(z), truth(z), atol=1e-10)
    at = np.array([0.5, -0.3])
    np.testing.assert_allclose(found.slope(at), [[1 - 2 * at[1], -2 * at[0]]], atol=1e-10)


def test_the_curvature_of_the_manifold_is_that_of_theory() -> None:
    train = windows(np.concatenate([decaying(1.5), decaying(-1.5)]), 5)
    model = SpectralSubmanifold(**KEYS).fit(train, train)
    scale = model.basis_[0, 0]  # z = x₁ times it: by symmetry x₂ is normal to the tangent
    assert abs(model.basis_[1, 0] / scale) < 1e-10
    terms = model.surface_[1:, 1] * scale ** np.arange(1, 6)  # of x₁, x₁² …
    assert terms[1] == pytest.approx(FAST / (FAST - 2 * SLOW), abs=1e-3)  # 1.1111
    assert abs(terms[[0, 2]]).max() < 3e-4


def spiral(rows: int) -> np.ndarray:
    """Turning and decaying in a plane, the third coordinate on its parabola, (t, 3)."""
    t, curve = STEP * np.arange(rows), FAST / (FAST - 2 * SLOW)
    wave = 0.4 * np.exp((SLOW + 1.3j) * t)
    return np.stack([wave.real, wave.imag, curve * abs(wave) ** 2], 1)


def test_the_flow_on_it_has_the_slow_modes_and_is_continued() -> None:
    values = spiral(500)
    train, test = windows(values[:400], 100), windows(values, 100)
    model = SpectralSubmanifold(dim=2, delays=1, order=3, flow=3, ridge=1e-10).fit(train, train)
    found = np.sort_complex(model.states(test)["eigenvalues"])
    rate = np.exp((SLOW + 1.3j) * STEP)
    np.testing.assert_allclose(found, [rate.conj(), rate], atol=1e-6)
    test = test.subset(np.array([len(test) - 1]))
    np.testing.assert_allclose(model.backtest(test).point, test.futures().values, atol=1e-4)


def test_forecasts_keep_within_what_train_has_seen() -> None:
    t = np.arange(120)
    train = windows(np.stack([1.01**t, 1.02**t], 1), 40)
    model = SpectralSubmanifold(**KEYS).fit(train, train)
    made = model.backtest(train.subset(np.array([79]))).point[0, :, 0]
    assert (made <= train.panel.values[-1] + 0.05).all()
