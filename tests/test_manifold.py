"""Embeddings of manifolds, liftings from them, and Gaussian processes: known answers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.windows import Frame, RollingWindows
from stsfm.models.composed import Composed
from stsfm.models.embedding.diffusion_map import DiffusionMap
from stsfm.models.embedding.lle import LLE
from stsfm.models.gpr import GPR
from stsfm.models.lifting.geometric_harmonics import GeometricHarmonics
from stsfm.models.lifting.gpr import GPR as GPRLifting
from stsfm.models.lifting.rbf import RBF
from stsfm.models.numerics.clamp import drawn_back, outside, radius
from stsfm.models.numerics.distances import median_square
from stsfm.models.numerics.gaussian_process import GaussianProcess
from stsfm.subject import split_of, toy

FRAME = Frame(context=1, horizon=1, nodes=1, channels=1, targets=(0,), covariates=0)


def never(states: Any) -> Any:
    raise AssertionError("a lifting that learned from pairs goes no way back")


# ---- locally linear embedding --------------------------------------------------------------------


def swiss_roll() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    angle, height = 1.5 * np.pi * (1 + 2 * rng.random(1000)), 21 * rng.random(1000)
    return np.stack([angle * np.cos(angle), height, angle * np.sin(angle)], 1), angle


def lle(**keys: Any) -> LLE:
    usual = {"dim": 2, "neighbours": 12, "ridge": 1e-3, "method": "standard", "max_points": 3000}
    return LLE(**usual | keys)


def test_lle_unrolls_the_swiss_roll_and_is_standardised() -> None:
    frames, angle = swiss_roll()
    states = lle().fit(frames, FRAME).encode(frames)
    assert max(abs(spearmanr(z, angle)[0]) for z in states.T) > 0.999
    assert states.std(0) == pytest.approx(1, abs=0.01)


def test_lle_places_new_frames_as_scikit_learn_does() -> None:
    from sklearn.manifold import LocallyLinearEmbedding

    frames, new = swiss_roll()[0][:400], swiss_roll()[0][400:450] + 0.01
    ours = lle().fit(frames, FRAME)
    theirs = LocallyLinearEmbedding(n_neighbors=12, n_components=2, eigen_solver="dense").fit(
        frames
    )
    raw = theirs.embedding_
    made = (theirs.transform(new) - raw.mean(0)) / raw.std(0)
    assert abs(abs(made) - abs(ours.encode(new))).max() < 1e-8  # their signs are arbitrary
    again = ours.encode(frames)
    assert 0 < np.linalg.norm(again - ours.states_) / np.linalg.norm(ours.states_) < 0.01


def test_frames_in_two_pieces_have_no_lle() -> None:
    frames = np.random.default_rng(0).standard_normal((60, 3))
    frames[30:] += 100
    with pytest.raises(ValueError, match="in 2 pieces"):
        lle(neighbours=5).fit(frames, FRAME)


# ---- diffusion maps ------------------------------------------------------------------------------


def circle(angles: Any) -> Any:
    return np.stack([np.cos(angles), np.sin(angles)], 1)


def diffusion(frames: Any, epsilon: float, **keys: Any) -> DiffusionMap:
    usual = {"dim": 6, "alpha": 1.0, "width": epsilon / median_square(frames), "time": 0.0}
    usual |= {"parsimonious": False, "max_points": 2000}
    return DiffusionMap(**usual | keys).fit(frames, FRAME)


def test_the_diffusion_map_of_a_circle_is_its_waves() -> None:
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    frames = circle(angles)
    learned = diffusion(frames, 0.05)
    assert -4 * np.log(learned.values_) / 0.05 == pytest.approx([1, 1, 4, 4, 9, 9], rel=0.02)
    states = learned.encode(frames)
    phase = np.unwrap(np.arctan2(states[:, 1], states[:, 0]))
    assert abs(np.corrcoef(phase, angles)[0, 1]) > 0.9999
    assert abs(states - learned.vectors_).max() < 1e-12  # Nyström on train
    with np.errstate(divide="raise", invalid="raise"):  # a frame that no other is near
        assert np.isfinite(learned.encode(np.array([[1e3, 0.0]]))).all()


def test_alpha_takes_the_density_of_train_out() -> None:
    rng = np.random.default_rng(0)
    frames = circle(np.sort(rng.vonmises(0, 1, 500)))
    truth = np.array([1, 1, 4, 4])
    clean, biased = (
        abs(-4 * np.log(diffusion(frames, 0.05, dim=4, alpha=alpha).values_) / 0.05 - truth)
        for alpha in (1.0, 0.0)
    )
    assert clean.max() < 0.25
    assert biased[:2].max() > 0.5


def test_harmonics_of_what_is_there_are_left_out() -> None:
    """Of a strip 4 times as long as wide ψ_2 is a harmonic of ψ_1; across is but ψ_4 or ψ_5."""
    strip = np.random.default_rng(0).random((600, 2)) * [4, 1]
    across = lambda made: max(abs(spearmanr(z, strip[:, 1])[0]) for z in made.vectors_.T)  # noqa: E731
    assert across(diffusion(strip, 0.05, dim=2, parsimonious=False)) < 0.2
    assert across(diffusion(strip, 0.05, dim=2, parsimonious=True)) > 0.8


def test_the_width_of_steepest_slope_joins_all_frames() -> None:
    """A cycle that is slow here and fast there: without the floor its walk is in pieces."""
    turns = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    frames = circle(turns + 0.95 * np.sin(turns))
    learned = diffusion(frames, 1.0, width="slope", dim=2)
    assert learned.values_[0] < 0.9999
    with pytest.raises(ValueError, match="no walk joins all frames"):
        diffusion(frames, 1e-5, dim=2)


# ---- liftings ------------------------------------------------------------------------------------


def lifted(angles: Any) -> Any:
    return np.stack([np.sin(3 * angles), np.exp(np.cos(angles))], 1)


def harmonics(**keys: Any) -> GeometricHarmonics:
    usual = {"width": 0.1, "delta": 1e-4, "max_points": 2000, "reach": None}
    return GeometricHarmonics(**usual | keys)


def test_geometric_harmonics_extend_functions_on_the_circle() -> None:
    rng = np.random.default_rng(0)
    train, test = rng.uniform(0, 2 * np.pi, 500), rng.uniform(0, 2 * np.pi, 300)
    noise = 0.05 * np.random.default_rng(1).standard_normal((500, 2))
    for delta, clean, noisy in ((1e-3, 1e-4, 0.012), (1e-6, 1e-6, 0.015), (1e-15, 1e-11, 0.02)):
        made = harmonics(delta=delta).fit(circle(train), lifted(train))
        assert abs(made.lift(circle(test), never) - lifted(test)).max() < clean
        made = harmonics(delta=delta).fit(circle(train), lifted(train) + noise)
        off = made.lift(circle(test), never) - lifted(test)
        assert np.sqrt((off**2).mean()) < noisy


def rbf(**keys: Any) -> RBF:
    usual = {"kernel": "cubic", "neighbours": 50, "smoothing": 0.0, "reach": None}
    return RBF(**usual | keys)


def test_rbf_meets_train_and_is_exact_on_planes() -> None:
    rng = np.random.default_rng(0)
    states, new = rng.standard_normal((200, 2)), rng.standard_normal((4, 5, 2))
    plane = lambda z: z @ [[1.0, 2, 0], [0, -1, 3]] + [0, 1, 2]  # noqa: E731
    curved = np.sin(states @ rng.standard_normal((2, 3)))
    assert abs(rbf().fit(states, curved).lift(states, never) - curved).max() < 1e-9
    assert (
        abs(rbf(smoothing=0.1).fit(states, plane(states)).lift(new, never) - plane(new)).max()
        < 1e-9
    )


def test_gpr_lifts_what_it_has_seen(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    train, test = rng.uniform(0, 2 * np.pi, 120), rng.uniform(0, 2 * np.pi, 50)
    keys = {"restarts": 0, "max_points": 100, "reach": 1.0}
    made = GPRLifting(**keys).fit(circle(train), lifted(train))
    states = circle(test).reshape(5, 10, 2)
    assert abs(made.lift(states, never) - lifted(test).reshape(5, 10, 2)).max() < 1e-2
    made.save(tmp_path)
    again = GPRLifting(**keys).load(tmp_path)
    assert (again.lift(states, never) == made.lift(states, never)).all()


def test_states_are_drawn_back_to_those_of_train() -> None:
    """Of a circle its middle is as far as its outside: the hull of a cycle is no place to be."""
    train = circle(np.linspace(0, 2 * np.pi, 100, endpoint=False))
    gap = np.linalg.norm(train[1] - train[0])
    reach = radius(train, 2.0)
    assert reach == pytest.approx(2 * gap)
    states = np.array([[0.0, 0.0], [9.0, 0.0], [1.0 + gap, 0.0]])
    near = drawn_back(states, train, reach)
    assert outside(states, train, reach).tolist() == [True, True, False]
    assert near[1] == pytest.approx([1 + reach, 0])
    assert np.linalg.norm(near[0]) == pytest.approx(1 - reach)
    assert (near[2] == states[2]).all()
    assert (drawn_back(states, train, radius(train, None)) == states).all()


# ---- Gaussian processes --------------------------------------------------------------------------


@pytest.mark.parametrize("each", [True, False])
def test_gaussian_processes_are_those_of_scikit_learn(each: bool) -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF as Near
    from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel

    rng = np.random.default_rng(0)
    x, new = rng.standard_normal((60, 3)), rng.standard_normal((7, 3))
    y = np.stack([np.sin(x[:, 0]), x[:, 1] ** 2], 1) + 0.1 * rng.standard_normal((60, 2))
    ours = GaussianProcess.learn(x, y, each=each, restarts=1)
    scale, *lengths, noise = np.exp(ours.theta)
    kernel = ConstantKernel(scale) * Near(lengths, (1e-2, 1e3)) + WhiteKernel(noise)
    theirs = GaussianProcessRegressor(kernel, optimizer=None, alpha=0).fit(x, y)
    mean, deviation = theirs.predict(new, return_std=True)
    assert abs(ours.mean(new) - mean).max() < 1e-10
    assert abs(np.sqrt(ours.variance(new) + ours.noise) - deviation[:, 0]).max() < 1e-10
    assert ours.evidence == pytest.approx(theirs.log_marginal_likelihood(kernel.theta), abs=1e-10)
    with warnings.catch_warnings(action="ignore"):  # a length is at its bound
        searched = GaussianProcessRegressor(kernel, n_restarts_optimizer=0, alpha=0).fit(x, y)
    assert ours.evidence > searched.log_marginal_likelihood_value_ - 1e-3  # it is a maximum
    shift = 1e-6 * np.eye(3)
    slope = [(ours.mean(new + d) - ours.mean(new - d)) / 2e-6 for d in shift]
    assert abs(ours.slope(new) - np.stack(slope, -1)).max() < 1e-5


def panel(values: Any, mask: Any = None) -> Panel:
    """(t, n) as a panel of one channel."""
    names = tuple(f"n{k}" for k in range(values.shape[1]))
    mask = np.ones(values.shape, bool) if mask is None else mask
    return Panel(
        values=np.where(mask, values, 0)[..., None],
        mask=mask[..., None],
        time=np.arange(len(values)),
        about=About(name="known", nodes=names, channels=("y",)),
    )


def gpr(**keys: Any) -> GPR:
    usual = {"order": 1, "lengths": "each", "shared": "auto", "restarts": 1, "max_points": 300}
    return GPR(**usual | keys)


def windows(data: Panel, first: int, last: int, horizon: int) -> RollingWindows:
    return RollingWindows(
        panel=data.upto(last), origins=np.arange(first, last - horizon + 1), horizon=horizon
    )


def logistic(length: int) -> Any:
    rows = [0.4]
    for _ in range(length - 1):
        rows.append(3.7 * rows[-1] * (1 - rows[-1]))
    return np.array(rows)[:, None]


def test_gpr_learns_the_logistic_map() -> None:
    data = panel(logistic(160))
    model = gpr().fit(windows(data, 1, 120, 1), windows(data, 1, 1, 1))
    test = windows(data, 121, 160, 3)
    made = model.backtest(test)
    assert abs(made.point - test.futures().values)[:, 0].max() < 1e-3
    assert (np.diff(made.scale[..., 0, 0], axis=1).mean(0) > 0).all()  # it stretches


def test_gpr_reads_a_season_where_that_forecasts_better(tmp_path: Any) -> None:
    split = split_of(toy())  # a season of two nodes, a trend and noise
    model = gpr(order="auto", restarts=0).fit(split.train, split.val)
    one = gpr(order=1, restarts=0).fit(split.train, split.val)
    assert model.order_ == split.about.season + 1 and one.order_ == 1
    errors = [x._error(split.val) for x in (model, one)]
    assert errors[0] < errors[1]
    model.save(tmp_path)
    again = gpr(order="auto").load(tmp_path)
    assert again.reads == model.reads == 2 * model.order_
    assert np.array_equal(again.backtest(split.test).point, model.backtest(split.test).point)


@pytest.mark.parametrize("shared", [True, False])
def test_the_intervals_of_gpr_hold(shared: bool) -> None:
    """A VAR(1) whose forecast distribution is known: Σ_k Aᵏ Q Aᵏᵀ."""
    matrix, rng = np.array([[0.8, 0.3], [-0.3, 0.8]]), np.random.default_rng(0)
    rows = np.zeros((700, 2))
    for t in range(1, 700):
        rows[t] = matrix @ rows[t - 1] + 0.1 * rng.standard_normal(2)
    data = panel(rows)
    model = gpr(shared=shared, restarts=0).fit(windows(data, 1, 300, 1), windows(data, 1, 1, 1))
    test = windows(data, 301, 700, 4)
    made = model.backtest(test)
    powers = [np.linalg.matrix_power(matrix, k) for k in range(4)]
    truth = np.sqrt(np.cumsum([np.diag(0.01 * p @ p.T) for p in powers], 0))
    assert made.scale[..., 0].mean(0) == pytest.approx(truth, rel=0.12)
    covered = abs(made.point - test.futures().values) < 1.2816 * made.scale
    assert covered.mean() == pytest.approx(0.8, abs=0.06)


def test_gpr_of_a_gap_is_its_own_forecast() -> None:
    rows = logistic(160)
    mask = np.ones(rows.shape, bool)
    mask[[30, 70, 149]] = False
    data = panel(rows, mask)
    model = gpr().fit(windows(data, 1, 120, 1), windows(data, 1, 1, 1))
    past, future = windows(data, 150, 151, 1).look_back(model.reads).take(slice(None))
    made = model.predict(past, future.blank()).point.item()
    assert made == pytest.approx(rows[150].item(), abs=0.02)


# ---- together ------------------------------------------------------------------------------------


def spinning(length: int) -> Panel:
    """A circle that turns in 12 dimensions, slower here and faster there."""
    turns = 0.37 * np.arange(length)
    turns = turns + 0.5 * np.sin(turns)
    place = np.arange(12) / 12 * 2 * np.pi
    return panel(np.sin(turns[:, None] + place) + 0.3 * np.sin(2 * turns[:, None] + place))


@pytest.mark.parametrize("name", ["lle_gpr_rbf", "dm_gpr_gh"])
def test_the_way_through_a_manifold(name: str, tmp_path: Any) -> None:
    split = rolling(spinning(260), horizon=6, val=200, test=230, calibration=0)
    config = compose.config([f"model={name}", "model.dynamics.restarts=0"])["model"]
    make = lambda: build_model(config, lambda row: None, {"calibration": 0})  # noqa: E731
    model = make().fit(split.train, split.val)
    assert isinstance(model, Composed)
    made = model.backtest(split.test).point
    assert np.sqrt(((made - split.test.futures().values) ** 2).mean()) < 0.1
    seen = model.states(split.test)
    assert seen["z"].shape == (260, 2)
    assert seen["z_ahead"].shape == (*seen["clamped"].shape, 2) == (len(split.test), 6, 2)
    model.save(tmp_path)
    assert (make().load(tmp_path).backtest(split.test).point == made).all()


def test_what_explodes_is_drawn_back_and_said() -> None:
    split = rolling(spinning(150), horizon=30, val=90, test=120, calibration=0)
    words = ["model=lle_gpr_rbf", "model/dynamics=var", "model.dynamics.ridge=0"]
    config = compose.config(words)["model"]
    model = build_model(config, lambda row: None, {"calibration": 0}).fit(split.train, split.val)
    model.space.dynamics.lags_ *= 3
    assert abs(model.states(split.test)["z_ahead"]).max() > 1e6
    assert abs(model.backtest(split.test).point).max() < 10
    assert model.states(split.test)["clamped"][:, -1].all()


def test_steps_of_rolling_have_scores_of_their_own() -> None:
    split = rolling(spinning(150), horizon=6, steps=[1, 6])
    assert [(view.name, view.steps) for view in split.views] == [
        ("step 1", (0, 1)),
        ("step 6", (5, 6)),
    ]
    assert split.fingerprint != rolling(spinning(150), horizon=6).fingerprint
    with pytest.raises(ValueError, match="1 … 6 rows ahead, got"):
        rolling(spinning(150), horizon=6, steps=[7])
