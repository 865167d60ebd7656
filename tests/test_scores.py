"""Losses and metrics against plain loops; sums that no batch size can change."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stsfm.backtest import backtest, score
from stsfm.datasets.panel import Forecast
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.synthetic import sines
from stsfm.datasets.transform import IDENTITY, LEVELS
from stsfm.losses.base import Cost, Loss, Step
from stsfm.losses.metrics import METRICS, Reference, sums
from stsfm.losses.point import MAE, MSE, Huber
from stsfm.losses.probabilistic import GaussianNLL, Quantile
from stsfm.losses.weighting.fixed import Fixed
from stsfm.models.naive import SeasonalNaive

RNG = np.random.default_rng(0)
PANEL = sines(length=60, nodes=2, periods=[6], amplitudes=[1.0], noise=0.3, seed=1)


def step(quantiles=False, scale=False):
    """Five windows of four steps, a fifth of the cells missing."""
    split = rolling(PANEL, horizon=4, val=0.6, test=0.8)
    future = split.truth(split.test).futures()
    mask = RNG.random(future.mask.shape) > 0.2
    future = replace(future, mask=mask, values=future.values * mask)
    shape = future.values.shape
    forecast = Forecast(
        point=RNG.standard_normal(shape),
        scale=RNG.uniform(0.5, 2, shape) if scale else None,
        quantiles=np.sort(RNG.standard_normal((*shape, 3)), -1) if quantiles else None,
        levels=(0.1, 0.5, 0.9) if quantiles else (),
    )
    return Step(past=None, future=future, forecast=forecast, transform=IDENTITY)


REFERENCE = Reference(scale=np.ones((2, 1)), level=np.zeros((2, 1)))


def cells(s):
    return [i for i in np.ndindex(*s.future.mask.shape) if s.future.mask[i]]


def test_point_losses_equal_plain_loops():
    s = step()
    errors = [s.forecast.point[i] - s.future.values[i] for i in cells(s)]
    assert MAE()(s).mean() == pytest.approx(np.mean(np.abs(errors)), abs=1e-12)
    assert MSE()(s).mean() == pytest.approx(np.mean(np.square(errors)), abs=1e-12)
    huber = [e * e / 2 if abs(e) <= 0.7 else 0.7 * (abs(e) - 0.35) for e in errors]
    tensors = replace(
        s, future=s.future.map(torch.as_tensor), forecast=s.forecast.map(torch.as_tensor)
    )
    assert Huber(delta=0.7)(tensors).mean() == pytest.approx(np.mean(huber), abs=1e-12)


def test_quantile_and_likelihood_equal_plain_loops():
    s, levels = step(quantiles=True), (0.1, 0.5, 0.9)
    losses = []
    for i in cells(s):
        gaps = [s.future.values[i] - s.forecast.quantiles[i][k] for k in range(3)]
        losses += [max(t * g, (t - 1) * g) for t, g in zip(levels, gaps, strict=True)]
    assert Quantile(levels=levels)(s).mean() == pytest.approx(np.mean(losses), abs=1e-12)
    s = step(scale=True)
    tensors = replace(
        s, future=s.future.map(torch.as_tensor), forecast=s.forecast.map(torch.as_tensor)
    )
    normal = torch.distributions.Normal(tensors.forecast.point, tensors.forecast.scale)
    wanted = -normal.log_prob(tensors.future.values)[tensors.future.mask].mean()
    assert float(GaussianNLL()(tensors).mean()) == pytest.approx(float(wanted), abs=1e-12)


def test_an_empty_weight_gives_nan_and_never_zero():
    assert Cost(torch.ones(3), torch.zeros(3)).mean().isnan()


def test_a_term_of_weight_zero_is_not_computed():
    class Explodes(MAE):
        def __call__(self, step):
            raise AssertionError("computed")

    loss = Loss(terms={"task": MAE(), "extra": Explodes()}, weights={"task": 2.0, "extra": 0.0})
    means = loss.means(step())
    value = Fixed().start(loss.active, 1, torch.nn.Identity()).total(means)
    assert set(means) == {"task"} and value == 2 * means["task"]
    with pytest.raises(ValueError, match="named 'task'"):
        Loss(terms={"other": MAE()})


def test_metrics_equal_plain_loops():
    s = step(quantiles=True)
    reference = Reference(scale=np.array([[2.0], [3.0]]), level=np.array([[0.1], [-0.1]]))
    made = {m.name: m(sums(s, reference)) for m in METRICS}
    y, p, q = s.future.values, s.forecast.point, s.forecast.quantiles
    seen = cells(s)
    error = np.array([p[i] - y[i] for i in seen])
    truth = np.array([y[i] for i in seen])
    node = np.array([i[2] for i in seen])
    assert made["mae"] == pytest.approx(abs(error).mean(), abs=1e-12)
    assert made["rmse"] == pytest.approx(np.sqrt((error**2).mean()), abs=1e-12)
    assert made["mase"] == pytest.approx(
        (abs(error) / np.array([2.0, 3.0])[node]).mean(), abs=1e-12
    )
    assert made["wape"] == pytest.approx(abs(error).sum() / abs(truth).sum(), abs=1e-12)
    size = np.array([abs(p[i]) + abs(y[i]) for i in seen])
    assert made["smape"] == pytest.approx((200 * abs(error) / size).mean(), abs=1e-12)
    spread = ((truth - np.array([0.1, -0.1])[node]) ** 2).sum()
    assert made["r2"] == pytest.approx(1 - (error**2).sum() / spread, abs=1e-12)
    inside = [q[i][0] <= y[i] <= q[i][2] for i in seen]
    assert made["cover80"] == pytest.approx(np.mean(inside), abs=1e-12)
    assert made["width80"] == pytest.approx(np.mean([q[i][2] - q[i][0] for i in seen]), abs=1e-12)


def test_crps_on_the_grid_of_levels_is_near_the_gaussian_one():
    """2 × mean pinball over 19 levels against the closed form of Gneiting & Raftery (2007)."""
    from scipy.stats import norm

    y = RNG.standard_normal((4000, 1, 1, 1))
    q = np.broadcast_to(norm.ppf(LEVELS), (4000, 1, 1, 1, 19))
    about = replace(PANEL.about, nodes=("one",))
    future = replace(
        PANEL[:1], values=y, mask=y == y, time=np.zeros((4000, 1), int),
        known=np.zeros((4000, 1, 1, 0)), about=about,
    )  # fmt: skip
    s = Step(
        past=None,
        future=future,
        forecast=Forecast(point=0 * y, quantiles=q, levels=LEVELS),
        transform=IDENTITY,
    )
    made = sums(s, Reference(scale=np.ones((1, 1)), level=np.zeros((1, 1))))["crps"].mean()
    closed = (y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)).mean()
    assert made == pytest.approx(closed, rel=0.07)


def test_fewer_levels_have_no_crps():
    """A mean over three levels is smaller than one over nineteen: they are not comparable."""
    assert "crps" not in sums(step(quantiles=True), REFERENCE)


def test_a_series_without_a_scale_is_left_out_of_mase_and_said():
    panel = replace(PANEL, values=PANEL.values * np.array([[1.0], [0.0]]))
    reference = Reference.of(panel.upto(30))
    assert np.isnan(reference.scale[1, 0]) and np.isfinite(reference.scale[0, 0])
    split = rolling(panel, horizon=4, val=0.6, test=0.8)
    result = backtest(SeasonalNaive(), split.test, split, reference)
    assert np.isnan(result.scores["mase"]["node"][1])
    assert result.scores["mase"]["pooled"] == pytest.approx(result.scores["mase"]["node"][0])


@pytest.mark.parametrize("batch", [1, 2, 7, 0])
def test_no_batch_size_changes_a_score(batch):
    split = rolling(PANEL, horizon=4, val=0.6, test=0.8)
    reference = Reference.of(PANEL.upto(36))
    whole = backtest(SeasonalNaive(), split.test, split, reference)
    parts = backtest(SeasonalNaive(), split.test, split, reference, batch=batch)
    assert parts.windows["absolute"].shape == (len(split.test), 2, 1)
    for metric in METRICS:
        a, b = whole.scores[metric.name], parts.scores[metric.name]
        assert (a is None) == (b is None)
        if a:
            assert a["pooled"] == pytest.approx(b["pooled"], rel=1e-12, nan_ok=True)


def test_scores_by_step_and_node_pool_to_the_whole():
    split = rolling(PANEL, horizon=4, val=0.6, test=0.8)
    made = backtest(SeasonalNaive(), split.test, split, Reference.of(PANEL.upto(36)))
    mae = made.scores["mae"]
    assert len(mae["step"]) == 4 and len(mae["node"]) == 2
    assert np.mean(mae["step"]) == pytest.approx(mae["pooled"])
    assert np.mean(mae["node"]) == pytest.approx(mae["pooled"])


def test_what_was_never_observed_has_no_score():
    assert np.isnan(METRICS[0]({"count": np.zeros(3), "absolute": np.zeros(3)}))
    assert score(METRICS[-1], {"count": np.ones((2, 1, 1))}) is None
