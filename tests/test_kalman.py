"""The Kalman filter is statsmodels', gaps, factors, gradients and all; so are its forecasts."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.statespace.dynamic_factor import DynamicFactor
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from stsfm import compose
from stsfm.backtest import evaluate
from stsfm.build import build_model
from stsfm.datasets.airline import airline
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.windows import RollingWindows
from stsfm.models.kalman import Kalman
from stsfm.models.numerics import kalman
from stsfm.models.numerics.kalman import State, System

ROWS, SEASON = 90, 4


def walk(size: int, missing: float) -> np.ndarray:
    """Random walks with a season (t, size), NaN where missing."""
    rng = np.random.default_rng(3)
    season = np.sin(2 * np.pi * np.arange(ROWS) / SEASON)[:, None]
    y = rng.standard_normal((ROWS, size)).cumsum(0) / 4 + season
    return np.where(rng.random(y.shape) < missing, np.nan, y)


def of(model, params) -> tuple[System, State, np.ndarray, np.ndarray, object]:
    """A model of statsmodels at some parameters: its system, start, rows, mask and its own pass."""
    theirs = model.smooth(params)
    space, size = model.ssm, model.k_endog
    select = space["selection"]
    system = System(
        space["design"].reshape(size, -1),
        space["transition"],
        select @ space["state_cov"] @ select.T,
        space["obs_cov"].reshape(size, size),
    )
    start = State(theirs.predicted_state[:, 0], theirs.predicted_state_cov[..., 0])
    y = np.asarray(model.endog).reshape(-1, size)
    return system, start, np.nan_to_num(y), np.isfinite(y), theirs


def bsm(missing: float = 0.2):
    model = UnobservedComponents(walk(1, missing)[:, 0], level="lltrend", seasonal=SEASON)
    return of(model, [0.05, 0.04, 0.001, 0.02])


def factors():
    model = DynamicFactor(walk(4, 0.2), k_factors=2, factor_order=2)
    return of(model, 0.9 * np.asarray(model.start_params) + 0.05)


def test_the_likelihood_of_an_autoregression_is_that_of_sarimax() -> None:
    y = walk(1, 0.0)[:, 0]
    system, start, values, mask, theirs = of(SARIMAX(y, order=(2, 0, 0)), [0.6, 0.2, 0.3])
    ours = kalman.likelihood(system, start, values, mask)
    assert ours == pytest.approx(theirs.llf, abs=1e-8)


def test_a_diffuse_level_costs_few_digits() -> None:
    model = UnobservedComponents(walk(1, 0.0)[:, 0], level="llevel", loglikelihood_burn=0)
    system, start, values, mask, theirs = of(model, [0.5, 0.1])
    assert start.covariance == 1e6
    ours = kalman.likelihood(system, start, values, mask)
    assert ours == pytest.approx(theirs.llf_obs.sum(), rel=1e-8)


def test_a_level_is_known_as_well_as_the_riccati_equation_says() -> None:
    """P = (q + √(q² + 4q)) / 2 for H = 1."""
    one, q = np.ones((1, 1)), 0.4699
    system = System(one, one, q * one, one)
    state = State(np.zeros(1), one)
    for _ in range(60):
        state, _ = kalman.observe(system, state, np.zeros(1), np.ones(1, bool))
        state = kalman.move(system, state)
    assert state.covariance.item() == pytest.approx((q + np.sqrt(q * q + 4 * q)) / 2, rel=1e-14)


@pytest.mark.parametrize("case", [bsm, factors])
def test_over_gaps_states_are_those_of_statsmodels(case) -> None:
    system, start, values, mask, theirs = case()
    assert 0.1 < 1 - mask.mean() < 0.3
    found = kalman.filtered(system, start, values[None], mask[None], range(ROWS + 1))
    begun = int(mask.any(1).argmax())
    for t in range(begun + 10, ROWS + 1, 7):
        np.testing.assert_allclose(found[t].mean[0], theirs.predicted_state[:, t], 1e-7, 1e-7)
        covariance = theirs.predicted_state_cov[..., t]
        np.testing.assert_allclose(found[t].covariance[0], covariance, rtol=1e-6, atol=1e-7)
    every = kalman.smoothed(system, start, values, mask)
    np.testing.assert_allclose(every.T, theirs.smoothed_state, rtol=1e-6, atol=1e-6)


def test_tensors_have_the_same_likelihood_and_its_gradient() -> None:
    torch = pytest.importorskip("torch")
    system, start, values, mask, _ = factors()
    wanted = kalman.likelihood(system, start, values, mask)
    system = System(*map(torch.tensor, system))
    start = State(*map(torch.tensor, start))
    tensors = torch.tensor(np.stack([values] * 2)), torch.tensor(np.stack([mask] * 2))
    noise = system.noise.clone().requires_grad_()
    ours = kalman.likelihood(system._replace(noise=noise), start, *tensors)
    np.testing.assert_allclose(ours.detach(), [wanted] * 2, rtol=1e-12)
    ours[0].backward()
    step = torch.zeros_like(noise)
    step[0, 0] = 1e-5
    sides = [
        kalman.likelihood(system._replace(noise=system.noise + s * step), start, *tensors)[0]
        for s in (1, -1)
    ]
    assert noise.grad[0, 0].item() == pytest.approx((sides[0] - sides[1]).item() / 2e-5, rel=1e-6)


# ---- the model -----------------------------------------------------------------------------------


def panel(size: int, missing: float) -> Panel:
    y = walk(size, missing)[..., None]
    mask, names = np.isfinite(y), tuple(f"n{i}" for i in range(size))
    about = About(name="walk", nodes=names, channels=("y",), season=SEASON)
    return Panel(values=np.nan_to_num(y), mask=mask, time=np.arange(ROWS), about=about)


def fitted(structure: str, data: Panel) -> tuple[Kalman, RollingWindows]:
    windows = RollingWindows(panel=data, origins=np.arange(1, ROWS - 5), horizon=6)
    model = Kalman(structure=structure, factors=1, lags=1, steps=15)
    return model.fit(windows, windows.subset(slice(0, 0))), windows


@pytest.mark.parametrize("structure", ["llevel", "lltrend", "bsm", "dynamic_factor"])
def test_forecasts_and_intervals_are_those_of_statsmodels(structure: str) -> None:
    data = panel(3, 0.1)
    model, windows = fitted(structure, data)
    made = model.backtest(windows.subset(np.array([60])))
    y = np.where(data.mask, (data.values - model.mean_) / model.scale_, np.nan)[:61, :, 0]
    joint = structure == "dynamic_factor"
    for g, params in enumerate(model.params_):
        part = slice(None) if joint else slice(g, g + 1)
        theirs = model._structure.model(y[:, part]).smooth(params).get_forecast(6)
        scale, mean = model.scale_[part, 0], model.mean_[part, 0]
        point = np.reshape(theirs.predicted_mean, (6, -1)) * scale + mean
        spread = np.reshape(theirs.se_mean, (6, -1)) * scale
        np.testing.assert_allclose(made.point[0, :, part, 0], point, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(made.scale[0, :, part, 0], spread, rtol=1e-6)


def test_what_a_series_is_the_sum_of_adds_up() -> None:
    data = panel(2, 0.1)
    for structure, many in (("llevel", 2), ("bsm", 3), ("dynamic_factor", 3)):
        model, windows = fitted(structure, data)
        seen = model.states(windows)
        components, mask = seen["components"], data.mask[:, 0, 0]
        assert components.shape == (many, ROWS)
        np.testing.assert_allclose(components.sum(0)[mask], data.values[mask, 0, 0], atol=1e-10)
        assert seen["z"].shape[0] == ROWS and seen["z_ahead"].shape[:2] == (len(windows), 6)
        assert abs(seen["eigenvalues"]).max() < 1 + 1e-6


def test_factors_need_series_to_have_in_common() -> None:
    with pytest.raises(ValueError, match="needs two series or more, got 1"):
        fitted("dynamic_factor", panel(1, 0.0))


def test_the_airline_series_is_forecast_as_by_its_classical_rivals() -> None:
    data = airline()
    split = rolling(data, horizon=12, val=84, test=108, transform="log")
    model = Kalman(structure="bsm", factors=1, lags=1, steps=50)
    made = evaluate(model, split, refit=True).test.forecast.point
    came = data.runs(split.test.origins, 12).values
    assert abs(made - came).mean() == pytest.approx(18.99, abs=0.1)  # arima 15.0, ets 21.3


def test_principal_components_go_on_as_statsmodels_says() -> None:
    data = panel(3, 0.0)
    windows = RollingWindows(panel=data, origins=np.arange(1, ROWS - 5), horizon=6)
    words = ["model=composed", "model/dynamics=kalman", "model.dynamics.structure=llevel"]
    config = compose.config([*words, "model.embedding.dim=2"])["model"]
    model = build_model(config, lambda row: None, {"calibration": 0})
    made = model.fit(windows, windows.subset(slice(0, 0))).backtest(windows.subset(np.array([-1])))
    frames, level = data.values[..., 0], data.values[..., 0].mean(0)
    basis = np.linalg.svd(frames - level)[2][:2]
    z, last = (frames - level) @ basis.T, windows.origins[-1]
    params = model.stages["dynamics"].params_
    ahead = [
        UnobservedComponents(y[:last] / y.std(), level="llevel").smooth(p).forecast(6) * y.std()
        for y, p in zip(z.T, params, strict=True)
    ]
    wanted = np.stack(ahead, 1) @ basis + level
    np.testing.assert_allclose(made.point[0, ..., 0], wanted, atol=1e-6)
