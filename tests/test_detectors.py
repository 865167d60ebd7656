"""Detectors of what a level does not show: dependence, errors of forecasters, bends of a trend."""

from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from stsfm.datasets.panel import About, Panel
from stsfm.models.ar import AR
from stsfm.models.detector.metric_tensor import MetricTensor, log_metrics, whitened
from stsfm.models.detector.prophet_deltas import ProphetDeltas, _bends
from stsfm.models.detector.residuals import Residuals
from stsfm.models.numerics.changes.survey import Survey

METRIC = {
    "window": "auto", "scale": "correlation", "dim": 8, "alpha": 0.05, "draws": 39, "level": 0.9,
    "seed": 1,
}  # fmt: skip
SURVEY = Survey(
    joint="auto", season="none", log="auto", order=1, memory=0.1, whiten=False,
    alpha=0.05, surrogates=99, draws=39, level=0.9, seed=1,
)  # fmt: skip
WATCH = {"first": 0.3, "watch": "both", "least": 5, "penalty": 1.0, "survey": SURVEY}
BENDS = {
    "candidates": 25, "candidate_range": 0.8, "scale": 0.05, "threshold": 0.01,
    "seasonality": "additive", "seasonality_scale": 10.0,
}  # fmt: skip


def panel_of(values, **about):
    x = np.asarray(values, float)
    x = x.reshape(len(x), 1, -1)
    names = tuple(f"c{k}" for k in range(x.shape[-1]))
    about = About(name="toy", nodes=("one",), channels=names, **about)
    time = np.arange(len(x)) * 86_400 * 10**9
    return Panel(values=x, mask=np.ones(x.shape, bool), time=time, about=about)


def rows(found, track=0):
    return [change.row for change in found.tracks[track].changes]


# ---- metric tensor -------------------------------------------------------------------------------


def flipped(seed, rows=300):
    """Two series of unit variance whose correlation goes from 0.8 to −0.8 in the middle."""
    e = np.random.default_rng(seed).standard_normal((rows, 2))
    rho = np.where(np.arange(rows) < rows // 2, 0.8, -0.8)
    return np.stack([e[:, 0], rho * e[:, 0] + 0.6 * e[:, 1]], 1)


def test_a_flip_of_a_correlation_is_found_where_no_level_changes():
    found = [MetricTensor(**METRIC).segment(panel_of(flipped(seed))) for seed in range(10)]
    assert all(any(abs(row - 150) <= 5 for row in rows(one)) for one in found)
    changes = [min(one.tracks[0].changes, key=lambda c: abs(c.row - 150)) for one in found]
    assert sum(change.low <= 150 <= change.high for change in changes) >= 8
    assert all(change.p == 1 / 40 for change in changes)
    assert found[0].said == ("The correlations between 2 series change once.",)


def test_levels_variances_and_memory_are_no_change_of_a_correlation():
    rng = np.random.default_rng(0)
    e = rng.standard_normal((300, 3)) @ np.linalg.cholesky(0.5 * np.eye(3) + 0.5).T
    louder = e * np.where(np.arange(300) < 150, 1, 3)[:, None]
    slow = np.zeros_like(e)
    for t in range(1, 300):
        slow[t] = 0.9 * slow[t - 1] + e[t]
    for x in (e, louder, slow):
        found = MetricTensor(**METRIC | {"seed": 2}).segment(panel_of(x))
        assert rows(found) == [] and found.said[0].startswith("No change of the correlations")
    loud = MetricTensor(**METRIC | {"scale": "covariance"}).segment(panel_of(louder))
    assert any(abs(row - 150) <= 5 for row in rows(loud))


def test_metrics_are_shrunk_as_scikit_learn_does_and_their_logs_are_logs():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 4)) @ rng.standard_normal((4, 4))
    logs = log_metrics(x.T[None], "covariance")[0]
    values, axes = np.linalg.eigh(logs)
    np.testing.assert_allclose((axes * np.exp(values)) @ axes.T, ledoit_wolf(x)[0], atol=1e-10)
    assert np.isfinite(log_metrics(np.zeros((1, 3, 9)), "correlation")).all()


def test_many_series_are_looked_at_through_few_components():
    rng = np.random.default_rng(0)
    found = MetricTensor(**METRIC | {"dim": 2}).segment(panel_of(rng.standard_normal((200, 5))))
    assert "Of 5 series 2 principal components" in found.noted[1]
    assert found.tracks[0].signal.shape == (200, 2) and found.tracks[0].series == tuple(range(5))
    with pytest.raises(ValueError, match="one series"):
        MetricTensor(**METRIC).segment(panel_of(rng.standard_normal(200)))
    with pytest.raises(ValueError, match="windows of 90 rows"):
        MetricTensor(**METRIC | {"window": 90}).segment(panel_of(flipped(0, 160)))


def test_whitening_takes_memory_off():
    e, x = np.random.default_rng(0).standard_normal(500), np.zeros(500)
    for t in range(1, 500):
        x[t] = 0.9 * x[t - 1] + e[t]
    left = whitened(x)
    assert abs(np.corrcoef(left[9:], left[8:-1])[0, 1]) < 0.1 < np.corrcoef(x[1:], x[:-1])[0, 1]
    assert len(left) == 500


# ---- residuals -----------------------------------------------------------------------------------


def test_errors_show_a_level_that_was_never_learned():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(200) + np.where(np.arange(200) < 140, 0, 3)
    found = Residuals(forecaster=AR(order=0), **WATCH).segment(panel_of(x))
    (change,) = found.tracks[0].changes
    assert abs(change.row - 140) <= 2 and change.low <= 140 <= change.high and change.p < 0.05
    assert "first 60 of 200 rows" in found.noted[0]
    quiet = Residuals(forecaster=AR(order=0), **WATCH).segment(panel_of(rng.standard_normal(200)))
    assert rows(quiet) == []


def test_a_change_of_spread_shows_in_the_size_of_errors():
    e = np.random.default_rng(1).standard_normal(300) * np.where(np.arange(300) < 200, 1, 4)
    spread = Residuals(forecaster=AR(order=0), **WATCH | {"watch": "spread"}).segment(panel_of(e))
    assert any(abs(row - 200) <= 5 for row in rows(spread))


def test_no_row_behind_a_change_moves_the_errors_before_it():
    """The future is blind: rows after t leave the errors up to t as they are."""
    x = np.random.default_rng(0).standard_normal(120)
    other = np.concatenate([x[:90], x[90:] + 50])
    model = lambda: AR(order=2)  # noqa: E731
    signals = [
        Residuals(forecaster=model(), **WATCH).segment(panel_of(one)).tracks[0].signal
        for one in (x, other)
    ]
    np.testing.assert_array_equal(signals[0][:90], signals[1][:90])
    assert (signals[0][90:] != signals[1][90:]).any()


def test_too_few_rows_behind_the_first_are_said():
    with pytest.raises(ValueError, match="too few for two segments of 20"):
        keys = WATCH | {"least": 20}
        Residuals(forecaster=AR(order=0), **keys).segment(panel_of(np.arange(40.0) % 3))


# ---- prophet -------------------------------------------------------------------------------------


def test_neighbours_of_one_sign_are_one_bend():
    at = np.arange(10, 70, 10)
    delta = np.array([0.02, 0.05, 0.001, -0.03, 0.04, 0.03])
    assert _bends(at, delta, 0.01) == [20, 40, 50]
    assert _bends(at, delta * 0, 0.0) == []


@pytest.mark.skipif(find_spec("prophet") is None, reason="pip install 'stsfm[prophet]' to test it")
def test_prophet_finds_a_bend_and_none_in_a_line():
    t = np.arange(200.0)
    noise = 0.5 * np.random.default_rng(0).standard_normal(200)
    bent = np.where(t < 100, t, 100 - 0.5 * (t - 100)) + noise
    found = ProphetDeltas(**BENDS).segment(panel_of(bent, step="day"))
    assert rows(found) and min(abs(row - 100) for row in rows(found)) <= 8
    assert np.corrcoef(found.tracks[0].fitted[:, 0], bent)[0, 1] > 0.98
    assert rows(ProphetDeltas(**BENDS).segment(panel_of(t + 16 * noise, step="day"))) == []
