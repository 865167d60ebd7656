"""Forecasts from nearest states, against the printed values of pyEDM's own tests."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stsfm.datasets.panel import About, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.lifting.knn import KNN
from stsfm.models.neighbours import Neighbours
from stsfm.models.numerics.delays import delayed
from stsfm.models.numerics.neighbours import Rows, nearest
from stsfm.models.smap import SMap

DATA = Path(__file__).parents[2] / "shared" / "data" / "ccm"
shared = pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data")


def panel_of(states, start=0, mask=None):
    """States (t, d) as a panel of one node, whose first row is row `start` of a series."""
    about = About(name="s", nodes=("s",), channels=tuple(f"z{k}" for k in range(states.shape[1])))
    mask = np.ones(states.shape, bool) if mask is None else mask
    time = (start + np.arange(len(states))) * 10**9
    values = np.where(mask, states, 0)[:, None]
    return Panel(values=values, mask=mask[:, None], time=time, about=about)


def rho(model, x, dim, library, first, last, horizon):
    """Correlation of forecasts with what came, whose rows are first … last, counted from 0."""
    panel = panel_of(delayed(x[:, None], dim), dim - 1)
    rows = lambda *origins: np.array(origins) - (dim - 1)  # noqa: E731
    some = RollingWindows(panel=panel.upto(library - dim + 1), origins=rows(), horizon=horizon)
    origins = rows(*range(first - horizon + 1, last - horizon + 2))
    windows = RollingWindows(panel=panel, origins=origins, horizon=horizon)
    made = model.fit(some, some).backtest(windows).point[:, -1, 0, 0]
    return np.corrcoef(made, windows.futures().values[:, -1, 0, 0])[0, 1]


@shared
def test_simplex_projection_of_three_species():
    x = pd.read_csv(DATA / "block_3sp.csv")["x_t"].to_numpy()
    model = Neighbours(neighbours="auto", weights="distance", theiler=0)
    found = [rho(model, x, 3, 150, 150 + h, 197, h) for h in range(1, 6)]
    assert found == pytest.approx([0.8969, 0.7735, 0.4247, 0.1595, 0.1285], abs=6e-5)


@shared
def test_s_map_of_the_noisy_tent_map():
    x = pd.read_csv(DATA / "TentMapNoise.csv")["TentMap"].to_numpy()
    thetas = (0.01, 0.5, 1, 2, 4, 5, 10, 20)
    found = [rho(SMap(theta=θ, ridge=0, theiler=0), x, 4, 500, 501, 800, 1) for θ in thetas]
    wanted = [0.7700, 0.7875, 0.8036, 0.8296, 0.8511, 0.8514, 0.8282, 0.7652]
    assert found == pytest.approx(wanted, abs=3e-4)


def test_at_theta_0_the_map_is_least_squares():
    rng = np.random.default_rng(0)
    states = rng.standard_normal((60, 2)).cumsum(0)
    train = RollingWindows(panel=panel_of(states[:40]), origins=np.array([], int), horizon=2)
    late = RollingWindows(panel=panel_of(states), origins=np.arange(45, 59), horizon=2)
    made = SMap(theta=0, ridge=0, theiler=0).fit(train, train).backtest(late).point[:, 1, 0]
    design = np.c_[np.ones(38), states[:38]]
    weight = np.linalg.lstsq(design, states[2:40], rcond=None)[0]
    wanted = np.c_[np.ones(14), states[44:58]] @ weight
    assert made == pytest.approx(wanted, rel=1e-9)


def test_a_chaotic_series_asks_for_maps_more_local_than_a_linear_one():
    rng, logistic, line = np.random.default_rng(0), [0.4], np.zeros(400)
    for t in range(399):
        logistic.append(3.9 * logistic[-1] * (1 - logistic[-1]))
        line[t + 1] = 0.9 * line[t] + rng.standard_normal()
    theta = {}
    for name, series in (("logistic", np.array(logistic)), ("line", line)):
        panel = panel_of(delayed(series[:, None], 2))
        origins = np.arange(300, 399)
        val = RollingWindows(panel=panel, origins=origins, horizon=1)
        train = RollingWindows(panel=panel.upto(300), origins=np.arange(1, 300), horizon=1)
        theta[name] = SMap(theta="auto", ridge=0, theiler=0).fit(train, val).theta_
    assert theta["logistic"] >= 6 and theta["line"] < 2


def test_what_is_close_in_time_is_no_neighbour():
    line = np.arange(30.0)[:, None]
    near, apart = nearest(line[[10]], line, 2, at=np.array([10]), theiler=3)
    assert sorted(near[0]) == [6, 14] and apart[0].tolist() == [4, 4]
    near, apart = nearest(line[[1]], line[:4], 2, at=np.array([1]), theiler=1)
    assert near.tolist() == [[3, 0]] and apart.tolist() == [[2, np.inf]]


def test_rows_before_gaps_are_not_learned_from_while_there_are_others():
    mask = np.ones((10, 1), bool)
    mask[5] = False
    rows = Rows.of(panel_of(np.arange(10.0)[:, None], mask=mask), np.zeros(1))
    assert rows.states[5] == 4  # the last value
    assert rows.library(2, 3).tolist() == [0, 1, 2, 6, 7]
    assert rows.library(2, 6).tolist() == list(range(8))
    with pytest.raises(ValueError, match="9 neighbours and 2 rows ahead need 11 rows"):
        rows.library(2, 9)


def test_a_state_of_train_is_lifted_to_its_own_frame_and_none_leaves_the_hull():
    rng = np.random.default_rng(3)
    states, frames = rng.standard_normal((40, 2)), rng.standard_normal((40, 5))
    lifting = KNN(neighbours="auto", weights="distance").fit(states, frames)
    assert lifting.lift(states[None], None)[0] == pytest.approx(frames)
    far = lifting.lift(100 * states, None)
    assert (far <= frames.max(0)).all() and (far >= frames.min(0)).all()
