"""A law that is given: its constants are found, it is followed, and it says whether it helped."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from stsfm import compose, given, job
from stsfm.datasets.equations.arrange import arranged
from stsfm.datasets.equations.estimate import estimated
from stsfm.datasets.equations.flow import solved
from stsfm.datasets.equations.graphs import GraphHeat
from stsfm.datasets.equations.grids import Brusselator, Grid, grid_of
from stsfm.datasets.equations.lorenz import Lorenz63
from stsfm.datasets.equations.oscillator import Oscillator
from stsfm.datasets.equations.pendulum import Pendulum
from stsfm.datasets.equations.simulation import observed, seconds
from stsfm.datasets.equations.start import fine, fitted
from stsfm.datasets.panel import About, Space
from stsfm.datasets.protocols.rolling import rolling
from stsfm.identity import identify
from stsfm.mistakes import Mistake
from stsfm.models.equation import FollowedLaw
from stsfm.selecting import law as selecting
from stsfm.selecting.candidates import Candidate
from stsfm.selecting.judge import Standing
from stsfm.selecting.race import Runner

ROWS, DT = 120, 0.1
SWING = Pendulum(pull=3.0)


def seen(law, start, noise=0.0, rows=ROWS, dt=DT, space=None, **about):
    states = solved(law, np.asarray(start, float), seconds(rows, dt), space or Space())
    noise *= states.std((0, 1))
    rng = np.random.default_rng(3)
    return observed(
        states + noise * rng.standard_normal(states.shape), dt, name="seen", noise=0.0, rng=rng,
        channels=law.channels, space=space, **about,
    )  # fmt: skip


def found(law, count, panel):
    steps = np.diff(panel.time) / 1e9
    return estimated(law, count, panel.values, panel.mask, steps, panel.space)


def cut(panel, law, **keys):
    split = rolling(panel, horizon=8, **keys)
    return given.stated(split, law, "law")


PENDULUM = {"_target_": "stsfm.datasets.equations.pendulum.Pendulum", "pull": "auto"}

# ---- constants -----------------------------------------------------------------------------------


def lorenz(theta):
    return Lorenz63(sigma=theta[0], rho=theta[1], beta=theta[2])


@pytest.mark.parametrize(
    ("law", "truth", "start", "dt"),
    [
        (lambda c: Pendulum(pull=c[0]), [3.0], [[2.0, 0.0], [0.5, 0.1]], DT),
        (lambda c: Oscillator(stiffness=c[0], mass=1.0), [1.3], [[1.0, 0.0]], DT),
        (lorenz, [10.0, 28.0, 8 / 3], [[-5.0, -6.0, 22.0]], 0.05),
    ],
    ids=["pendulum", "oscillator", "lorenz63"],
)
@pytest.mark.parametrize(("noise", "near"), [(0.0, 1e-4), (0.05, 0.02)], ids=["exact", "noisy"])
def test_constants_are_recovered(law, truth, start, dt, noise, near):
    panel = seen(law(truth), start, noise, dt=dt)
    np.testing.assert_allclose(found(law, len(truth), panel).values, truth, rtol=near)


def test_of_positions_alone_the_constants_are_recovered_too():
    panel = seen(SWING, [[2.0, 0.0]], 0.02)
    panel = replace(panel, values=panel.values * [1, 0], mask=panel.mask & [True, False])
    assert found(lambda c: Pendulum(pull=c[0]), 1, panel).values[0] == pytest.approx(3, rel=0.02)


def test_of_a_field_the_constants_are_recovered_and_a_wrong_cell_does_no_harm():
    graph = Space(adjacency=np.eye(14, k=1) + np.eye(14, k=-1))
    start = np.random.default_rng(0).random((14, 1))
    panel = seen(GraphHeat(diffusivity=0.3, cooling=0.1), start, rows=60, dt=0.2, space=graph)
    values = panel.values.copy()
    values[30, 3] += 0.5
    make = lambda c: GraphHeat(diffusivity=c[0], cooling=c[1])  # noqa: E731
    for rows in (panel.values, values):
        made = found(make, 2, replace(panel, values=rows)).values
        np.testing.assert_allclose(made, [0.3, 0.1], rtol=1e-4)


def test_standard_errors_are_of_the_size_of_the_errors():
    make = lambda c: Pendulum(pull=c[0])  # noqa: E731
    panel = seen(SWING, [[2.0, 0.0]])
    off = []
    for seed in range(4):
        noise = 0.05 * np.random.default_rng(seed).standard_normal(panel.values.shape)
        made = found(make, 1, replace(panel, values=panel.values + noise))
        off.append((made.values[0] - 3.0) / made.errors[0])
    assert 0.3 < np.sqrt(np.mean(np.square(off))) < 2.5


def test_a_grid_is_read_off_the_coordinates():
    for grid in (Grid(shape=(5,), spacing=0.2, boundary="no_flux"),
                 Grid(shape=(4, 3), spacing=0.5, boundary="periodic")):  # fmt: skip
        assert grid_of(grid.space(), grid.boundary) == grid
    with pytest.raises(ValueError, match="not the cells of a grid"):
        grid_of(Space(coords=np.random.default_rng(0).random((6, 2))), "no_flux")


# ---- the state in the cells of data --------------------------------------------------------------


def about(nodes, channels):
    return About(name="cells", nodes=nodes, channels=channels)


@pytest.mark.parametrize(
    ("law", "nodes", "channels", "words"),
    [
        (SWING, ("a", "b"), ("angle", "velocity"), "as it is"),
        (SWING, ("velocity", "angle"), ("value",), "by nodes"),
        (SWING, ("a", "b"), ("value",), "positions"),
        (GraphHeat(diffusivity=1.0, cooling=0.0), ("a", "b"), ("x", "y"), "apart"),
    ],
)
def test_a_state_is_found_in_the_cells_and_comes_back(law, nodes, channels, words):
    way = arranged(law, about(nodes, channels))
    cells = np.random.default_rng(0).random((5, len(nodes), len(channels)))
    states, mask = way.rows(cells, np.ones_like(cells, bool))
    assert way.words == words
    assert states.shape[-1] == len(law.channels)
    np.testing.assert_array_equal(way.outward(states), cells)
    assert mask.sum() == cells.size


def test_columns_that_are_no_state_are_refused_in_a_line():
    with pytest.raises(ValueError, match=r"data.targets=\[x,y,z\]"):
        arranged(lorenz([1, 1, 1]), about(("a", "b"), ("value",)))


# ---- the law as a forecaster ---------------------------------------------------------------------


def test_the_start_of_a_noisy_way_is_nearer_than_what_was_seen():
    panel = seen(SWING, [[2.0, 0.0]])
    rows = panel.values[None, :16] + 0.1 * np.random.default_rng(1).standard_normal((20, 16, 1, 2))
    apart = np.full((20, 15), DT)
    law_steps = fine(SWING, rows[:, 0], DT, Space())
    made = fitted(SWING, rows, np.ones_like(rows, bool), apart, Space(), law_steps, np.ones(2))
    off = made - panel.values[0]
    assert np.sqrt((off**2).mean()) < 0.6 * 0.1


@pytest.mark.parametrize("channels", [["angle", "velocity"], ["angle"]], ids=["whole", "angle"])
def test_without_noise_the_law_is_exact(channels):
    panel = seen(SWING, [[2.0, 0.0], [0.5, 0.2]])
    kept = [panel.about.channels.index(name) for name in channels]
    named = replace(panel.about, channels=tuple(channels), targets=(), units=(), physics=SWING)
    panel = replace(panel, values=panel.values[..., kept], mask=panel.mask[..., kept],
                    privileged=None, about=named)  # fmt: skip
    split = rolling(panel, horizon=8)
    model = FollowedLaw(rows=6).fit(split.train, split.val)
    off = model.backtest(split.test).point - split.test.futures().values
    assert abs(off).max() < 1e-5


def test_data_without_a_law_are_refused_in_a_line(desk):
    assert desk("run", "model=equation", "data=airline") == 2
    assert "given=pendulum states one" in desk.err


# ---- what is given is no part of the data --------------------------------------------------------


def test_constants_are_estimated_on_train_alone():
    panel = seen(SWING, [[2.0, 0.0]], 0.02)
    poisoned = panel.values.copy()
    poisoned[80:] = 5.0
    laws = [cut(replace(panel, values=values), PENDULUM, val=80, test=100).about.given
            for values in (panel.values, poisoned)]  # fmt: skip
    assert laws[0] == laws[1]


def test_a_law_changes_the_run_and_not_the_task():
    words = ["data=pendulum", "data.length=120", "model=linear", "protocol.horizon=5"]
    plain, told = (compose.config([*words, *more]) for more in ([], ["given=pendulum"]))
    one, other = job.cut(plain), job.cut(told)
    assert one.fingerprint == other.fingerprint
    assert other.about.law.pull == pytest.approx(3, rel=0.02)
    assert other.warned[-1].startswith("given pendulum: pull = ")
    assert identify(plain, one).run_id != identify(told, other).run_id


def test_constants_that_are_given_are_kept_and_a_law_that_does_not_fit_is_refused():
    panel = seen(SWING, [[2.0, 0.0]])
    assert cut(panel, PENDULUM | {"pull": 2.5}).about.given == Pendulum(pull=2.5)
    heat = {"_target_": "stsfm.datasets.equations.graphs.GraphHeat", "diffusivity": "auto",
            "cooling": 0.0}  # fmt: skip
    with pytest.raises(Mistake, match="given=law: GraphHeat acts along a graph"):
        cut(panel, heat)


def test_every_law_can_be_given_of_the_data_that_obey_it():
    for name in ("heat_graph", "brusselator"):
        short = {"heat_graph": "heat", "brusselator": "brusselator"}[name]
        words = [
            f"data={name}",
            "data.length=70",
            "protocol.horizon=2",
            f"given={short}",
            "model=naive",
        ]
        split = job.cut(compose.config(words))
        stated, own = split.about.given, split.about.physics
        if isinstance(own, Brusselator):
            assert stated.grid == own.grid
        assert vars(stated).keys() == vars(own).keys()
        assert stated.diffusivity == pytest.approx(own.diffusivity, rel=0.2)


# ---- in a selection ------------------------------------------------------------------------------


def runner(name, loss, *words, twin=""):
    candidate = Candidate(name=name, words=(f"model={name.partition(' ')[0]}", *words), twin=twin)
    trail = [Standing(loss=loss, se=None, behind=0.0, behind_se=None, within=False)]
    return Runner(candidate, draws=False, trail=trail)


def test_the_chosen_one_stands_beside_itself_without_the_law_or_beside_the_best_without():
    said = "given=pendulum"
    law, taught = (
        runner("equation given p", 1.0, said),
        runner("gru given p", 2.0, said, twin="gru"),
    )
    plain, best = runner("gru", 4.0), runner("linear", 3.0)
    race = SimpleNamespace(runners=[plain, best, law, taught])
    for chosen, pair in ((taught, (taught, plain)), (law, (law, best)), (best, (law, best))):
        assert selecting._pair(race, chosen) == pair


def test_a_sentence_says_whether_the_law_helped():
    kept = {"given": "pendulum", "with": {"name": "gru given pendulum", "error": 0.5},
            "without": {"name": "gru", "error": 0.7}, "same_model": True, "difference": -0.2,
            "low": -0.3, "high": -0.1, "p": 0.002, "verdict": "helped", "reason": ""}  # fmt: skip
    assert selecting.sentence(kept, "MASE") == (
        "The law helped: given pendulum, the test error is less, MASE 0.5 (gru given pendulum) and "
        "0.7 without it: −0.2 [−0.3, −0.1], p = 0.002."
    )
    silent = kept | {"p": None, "verdict": "not told", "reason": "no test: 3 independent origins"}
    assert "can't be told" in selecting.sentence(silent, "MASE")
    assert "3 independent origins" in selecting.sentence(silent, "MASE")
