"""Delay coordinates: what they delayed, and how their number and distance are found."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.ar import AR
from stsfm.models.embedding.delay import Delay
from stsfm.models.numerics.delays import false_neighbours


@pytest.fixture(scope="module")
def lorenz():
    """x of the Lorenz system, 3000 rows 0.01 apart."""

    def flow(t, u):
        return [10 * (u[1] - u[0]), u[0] * (28 - u[2]) - u[1], u[0] * u[1] - 8 / 3 * u[2]]

    times = 50 + 0.01 * np.arange(3000)
    return solve_ivp(flow, (0, 80), [1, 1, 1], t_eval=times, rtol=1e-8, atol=1e-8).y[0][:, None]


def windows(values, horizon=1):
    n, d = values.shape
    about = About(name="toy", nodes=tuple(f"n{k}" for k in range(d)), channels=("y",))
    values = values[..., None]
    panel = Panel(
        values=values, mask=np.ones(values.shape, bool), time=np.arange(n) * 10**9, about=about
    )
    return RollingWindows(panel=panel, origins=np.arange(1, n - horizon + 1), horizon=horizon)


def test_the_newest_frame_comes_first_and_back():
    frames = np.arange(24.0).reshape(2, 6, 2)
    embedding = Delay(dim=3, tau=2, theiler=0).fit(frames[0], None)
    states = embedding.encode(frames)
    assert states.shape == (2, 2, 6) and (embedding.size_, embedding.lost_) == (6, 4)
    assert states[0, 0].tolist() == [8, 9, 4, 5, 0, 1]
    assert (embedding.decode(states) == frames[:, 4:]).all()
    seen = np.ones((6, 2), bool)
    seen[2, 1] = False
    assert embedding.seen(seen).tolist() == [[1, 1, 1, 0, 1, 1], [1] * 6]


def test_lorenz_unfolds_in_three_dimensions(lorenz):
    embedding = Delay(dim="auto", tau="auto", theiler="auto").fit(lorenz, None)
    assert embedding.dim_ == 3
    assert embedding.tau_ == pytest.approx(17, abs=2)  # Fraser & Swinney's minimum, about .17
    shares = false_neighbours(lorenz, 3, int(embedding.tau_), int(embedding.tau_))
    assert shares[0] > 0.9 and shares[2] < 0.01


def test_noise_never_unfolds():
    noise = np.random.default_rng(0).standard_normal((1500, 1))
    assert false_neighbours(noise, 10, 1, 1).min() > 0.1


def test_least_squares_on_delays_is_the_autoregression():
    rng, y = np.random.default_rng(1), np.zeros((200, 1))
    for t in range(3, 200):
        y[t] = 1 + 0.5 * y[t - 1] - 0.6 * y[t - 2] + 0.3 * y[t - 3] + rng.standard_normal()
    some, none = windows(y, 6), windows(y, 6).subset(slice(0))
    keys = ("embedding.dim=3", "embedding.tau=1", "dynamics.order=1", "dynamics.ridge=0")
    words = ["model=composed", "model/embedding=delay", *(f"model.{key}" for key in keys)]
    config = compose.config(words)["model"]
    model = build_model(config, lambda row: None, {"calibration": 0, "gap": 0})
    late = some.subset(slice(10, None))
    made = model.fit(some, none).backtest(late).point
    wanted = AR(order=3).fit(some, none).backtest(late).point
    assert made == pytest.approx(wanted, rel=1e-9)


def test_more_rows_of_delay_than_there_are_is_a_mistake():
    with pytest.raises(ValueError, match="lower dim or tau"):
        Delay(dim=4, tau=3, theiler=0).fit(np.zeros((9, 1)), None)
