"""What is known of spectra: waves, trends and linear systems are found and continued exactly."""

from __future__ import annotations

import numpy as np
import pytest

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.windows import Frame, RollingWindows
from stsfm.models.dmd import DMD
from stsfm.models.embedding.ssa import SSA as Windowed
from stsfm.models.numerics.hankel import components, directions, without_gaps
from stsfm.models.numerics.recurrence import bounded
from stsfm.models.ssa import SSA

AHEAD = 50


def panel(values: np.ndarray, season: int = 1) -> Panel:
    """Rows (t, node), all observed."""
    names = tuple(f"n{i}" for i in range(values.shape[1]))
    about = About(name="exact", nodes=names, channels=("y",), season=season)
    mask = np.ones((*values.shape, 1), bool)
    return Panel(values=values[..., None], mask=mask, time=np.arange(len(values)), about=about)


def split(values: np.ndarray, horizon: int = AHEAD) -> tuple[RollingWindows, RollingWindows]:
    """All windows but the last, and the last."""
    data, origin = panel(values), len(values) - horizon
    train = RollingWindows(
        panel=data.upto(origin), origins=np.arange(1, origin - horizon + 1), horizon=horizon
    )
    return train, RollingWindows(panel=data, origins=np.array([origin]), horizon=horizon)


def mixed(rows: int) -> np.ndarray:
    """A damped sine, a cosine and a line, two dimensions each, (t, 1)."""
    t = np.arange(rows)
    y = 0.99**t * np.sin(2 * np.pi * t / 17) + np.cos(2 * np.pi * t / 7) + 0.02 * t - 1
    return y[:, None]


def off(model, train: RollingWindows, test: RollingWindows) -> float:
    """The largest error of the last window."""
    made = model.fit(train, train.subset(slice(0, 0))).backtest(test).point
    return abs(made - test.futures().values).max()


# ---- singular spectrum analysis ------------------------------------------------------------------


@pytest.mark.parametrize("series", [1, 3])
def test_all_components_together_are_the_series(series: int) -> None:
    rows = np.random.default_rng(0).standard_normal((100, series))
    parts = components(rows, directions(rows, 20)[0])
    assert parts.shape == (20 * series, 100, series)
    np.testing.assert_allclose(parts.sum(0), rows, atol=1e-13)


def test_waves_and_a_line_have_as_many_directions_as_they_have_dimensions_and_go_on() -> None:
    values = mixed(250)
    singular = directions(values[:200], 40)[1]
    assert (singular > 1e-11 * singular[0]).sum() == 6
    train, test = split(values)
    assert off(SSA(window=40, rank=6, joint=False, stable=True), train, test) < 1e-10
    assert off(SSA(window=40, rank="auto", joint=False, stable=True), train, test) < 1e-8


def test_series_of_one_source_are_continued_together() -> None:
    one = mixed(250)
    values = np.concatenate([one, 2 * np.roll(one, -3)], 1)[:-3]
    train, test = split(values)
    assert off(SSA(window=20, rank=6, joint=True, stable=True), train, test) < 1e-9


def test_what_grows_lasts_where_it_is_asked_to_be_stable() -> None:
    t = np.arange(160)[:, None]
    train, test = split(1.05**t * np.cos(2 * np.pi * t / 9))
    keys = {"window": 20, "rank": 2, "joint": False}
    assert off(SSA(**keys, stable=False), train, test) < 1e-6 * 1.05**160
    model = SSA(**keys, stable=True)
    made = model.fit(train, train.subset(slice(0, 0))).backtest(test).point
    assert abs(made).max() < 1.5 * abs(train.panel.values[-9:]).max()
    eigenvalues = model.states(test)["eigenvalues"]
    assert abs(eigenvalues).max() == pytest.approx(1)


def test_growing_eigenvalues_alone_are_moved() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((6, 6))
    before, after = np.linalg.eigvals(matrix), np.linalg.eigvals(bounded(matrix))
    wanted = np.where(abs(before) > 1, before / abs(before), before)
    assert (abs(before) > 1).any() and (abs(before) < 1).any()
    np.testing.assert_allclose(np.sort_complex(after), np.sort_complex(wanted), atol=1e-10)


def test_gaps_are_filled_by_what_the_series_is_made_of() -> None:
    t = np.arange(120)
    rows = (np.cos(2 * np.pi * t / 12) + 0.3)[:, None]
    seen = np.random.default_rng(2).random(rows.shape) > 0.2
    filled = without_gaps(np.where(seen, rows, 0), seen, 24)
    assert np.array_equal(filled[seen], rows[seen])
    assert abs(filled - rows).max() < 0.02


def test_a_window_that_no_row_follows_is_refused() -> None:
    train, _ = split(np.random.default_rng(3).standard_normal((120, 1)), 5)
    with pytest.raises(ValueError, match="nothing to continue by"):
        SSA(window=10, rank=10, joint=False, stable=True).fit(train, train)
    with pytest.raises(ValueError, match="needs 160 rows to learn from, got 115"):
        SSA(window=80, rank=2, joint=False, stable=True).fit(train, train)


def test_states_of_windows_are_continued_and_read_off_their_newest_row() -> None:
    values = np.concatenate([mixed(200), mixed(203)[3:]], 1)
    part = Windowed(window=30, dim=6)
    part.fit(values, Frame(context=30, horizon=1, nodes=2, channels=1, targets=(0,), covariates=0))
    states = part.encode(values[None])
    assert states.shape == (1, 171, 6) and part.lost_ == 29
    np.testing.assert_allclose(part.decode(states)[0], values[29:], atol=1e-10)
    words = ["model=composed", "model/embedding=ssa", "model/dynamics=dmd", "model.embedding.dim=6",
             "model.embedding.window=30", "model.dynamics.rank=all"]  # fmt: skip
    config = compose.config(words)["model"]
    model = build_model(config, lambda row: None, {"calibration": 0})
    assert off(model, *split(mixed(250))) < 1e-7


# ---- dynamic mode decomposition ------------------------------------------------------------------

MODES = np.array([0.98 * np.exp(0.3j), 0.98 * np.exp(-0.3j), 0.9])


def linear(rows: int) -> np.ndarray:
    """A system of three modes, seen in five series, (t, 5)."""
    rng = np.random.default_rng(4)
    seen = rng.standard_normal((3, 5))
    states = np.stack([np.real(MODES[0] ** k * np.array([1, -1j, 0])) for k in range(rows)])
    states[:, 2] = 0.9 ** np.arange(rows)
    return states @ seen


def test_eigenvalues_of_a_linear_system_are_found() -> None:
    train, test = split(linear(90), 10)
    model = DMD(delays=1, rank=3, stable=True).fit(train, train)
    found = model.states(test)
    np.testing.assert_allclose(
        np.sort_complex(found["eigenvalues"]), np.sort_complex(MODES), atol=1e-12
    )
    assert off(DMD(delays=1, rank="all", stable=True), train, test) < 1e-10
    made = model.backtest(test).point[0, ..., 0]
    np.testing.assert_allclose(found["z_ahead"][0] @ model.basis_[:5].T, made, atol=1e-12)


def test_one_series_shows_its_modes_through_delays() -> None:
    train, test = split(mixed(200), 40)
    assert off(DMD(delays=20, rank=6, stable=True), train, test) < 1e-8
    assert off(DMD(delays=1, rank="all", stable=True), train, test) > 0.1


def test_of_full_rank_it_is_least_squares_without_a_constant() -> None:
    values = np.random.default_rng(5).standard_normal((80, 3)).cumsum(0)
    train, test = split(values, 4)
    rows = train.panel.values[..., 0]
    wanted, by = [rows[-1]], np.linalg.lstsq(rows[:-1], rows[1:], rcond=None)[0]
    for _ in range(4):
        wanted.append(wanted[-1] @ by)
    made = DMD(delays=1, rank="all", stable=False).fit(train, train).backtest(test).point
    np.testing.assert_allclose(made[0, ..., 0], wanted[1:], atol=1e-12)
