"""A state space that knows the law: where an equation brings its states, and back."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from stsfm import compose
from stsfm.build import build_model, part
from stsfm.datasets.equations.grids import Grid, Heat
from stsfm.datasets.equations.pendulum import Pendulum
from stsfm.datasets.mechanics import pendulum
from stsfm.datasets.panel import Space
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import Frame
from stsfm.mistakes import Mistake
from stsfm.models.transform.flow import Flow

PULL, DT = 3.0, 0.1
SWINGS = pendulum(
    length=120, dt=DT, nodes=2, pull=PULL, amplitude=[0.5, 2.5], noise=0.0, seed=0
)  # fmt: skip
SPLIT = rolling(SWINGS, horizon=1, val=80, test=100)
FRAME = SPLIT.train.frame
STATES = SPLIT.train.panel.values.reshape(-1, 4)
EMBED = ("model=composed", "model/embedding=identity")
HOLD = (*EMBED, "model/dynamics=hold")


def flow(**keys) -> Flow:
    plain = {"equation": Pendulum(pull=PULL), "seconds": "auto", "steps": 16, "back": True}
    return Flow(**{**plain, **keys})


def ahead(start: np.ndarray) -> np.ndarray:
    """The pendulum a row later, by a solver of another kind."""
    swing = lambda _, x: [x[1], -PULL * np.sin(x[0])]  # noqa: E731
    return solve_ivp(swing, (0, DT), start, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]


def test_a_flow_is_the_solution_and_comes_back(tmp_path):
    made = flow().fit(STATES, FRAME)
    there = made.forward(STATES)
    inside = FRAME.transform
    assert not np.allclose(inside.scale, 1)  # what is stepped along is in data units
    rows = inside.inverse(STATES[::20].reshape(-1, 2, 2)).reshape(-1, 2)
    came = inside.inverse(there[::20].reshape(-1, 2, 2)).reshape(-1, 2)
    assert np.allclose(came, [ahead(row) for row in rows], rtol=0, atol=1e-6)
    assert np.allclose(made.inverse(there), STATES, rtol=0, atol=1e-6)
    assert np.array_equal(made.forward(np.stack([STATES, STATES]))[1], there)
    made.save(tmp_path)
    assert np.array_equal(flow().load(tmp_path).forward(STATES), there)
    still = flow(back=False).fit(STATES, FRAME)
    assert np.array_equal(still.inverse(there), there)


@pytest.mark.parametrize("stage", ["transform_x", "transform_y"])
def test_of_states_that_stay_it_is_the_forecast_of_the_equation(stage):
    words = (*HOLD, f"model/{stage}=flow", f"model.{stage}.equation.pull={PULL}")
    tree = compose.config([*words, f"model.{stage}.back=false"])["model"]
    model = build_model(tree, lambda row: None, {"calibration": 0}).fit(SPLIT.train, SPLIT.val)
    windows = SPLIT.test
    units = windows.transform.inverse
    last = units(windows.panel.values[windows.origins - 1])  # (w, n, c)
    told = np.stack([[ahead(node) for node in row] for row in last])
    made = units(model.backtest(windows).point[:, 0])
    assert np.allclose(made, told, rtol=0, atol=1e-6)
    undone = compose.config([*words])["model"]  # coordinates alone: the forecast is naive
    model = build_model(undone, lambda row: None, {"calibration": 0}).fit(SPLIT.train, SPLIT.val)
    assert np.allclose(units(model.backtest(windows).point[:, 0]), last, rtol=0, atol=1e-6)


def test_it_is_trained_on_in_nets_of_states(tmp_path):
    """Whose frames keep no transform: they are saved as they were."""
    words = (*EMBED, "model/transform_x=flow", "model/dynamics=gru", "trainer.epochs=1")
    small = ("model.dynamics.context=4", "model.dynamics.hidden=2", "loss=mse")
    tree = compose.config([*words, *small])["model"]
    make = lambda: build_model(tree, lambda row: None, {"calibration": 0})  # noqa: E731
    model = make().fit(SPLIT.train, SPLIT.val)
    model.save(tmp_path)
    points = model.backtest(SPLIT.test).point
    assert np.array_equal(make().load(tmp_path).backtest(SPLIT.test).point, points)


def test_what_is_known_of_a_graph_is_kept(tmp_path):
    from stsfm.datasets.equations.graphs import GraphHeat

    graph = np.array([[0.0, 1.0], [1.0, 0.0]])
    frame = Frame(
        context=1, horizon=1, nodes=2, channels=1, targets=(0,), covariates=0, step=10**9,
        space=Space(adjacency=graph),
    )  # fmt: skip
    heat = GraphHeat(diffusivity=0.5, cooling=0.0)
    made = flow(equation=heat).fit(np.eye(2), frame)
    made.save(tmp_path)
    spread = flow(equation=heat).load(tmp_path).forward(np.array([1.0, 0.0]))
    warm = (1 + np.exp(-1.0)) / 2  # two nodes: the difference decays by e^(−2Dt)
    assert np.allclose(spread, [warm, 1 - warm], rtol=0, atol=1e-7)
    assert made.needs == {"graph", "frames"}


STIFF = Heat(
    grid=Grid(shape=[4], spacing=0.05, boundary="no_flux"), diffusivity=0.02, cooling=0.0
)  # fmt: skip
CELLS = Frame(
    context=1, horizon=1, nodes=4, channels=1, targets=(0,), covariates=0, step=4 * 10**9
)  # fmt: skip


@pytest.mark.parametrize(
    ("made", "frame", "why"),
    [
        (flow(), replace(FRAME, targets=(0,)), "of 2 channels of the data 1 are forecast"),
        (flow(), replace(FRAME, step=0), "rows are not evenly apart"),
        (flow(seconds=20.0, steps=2), FRAME, "2 steps of Pendulum are too coarse"),
        (flow(equation=STIFF, steps=400), CELLS, "Heat can't be followed backwards"),
        (
            flow(),
            replace(FRAME, transform=Transform(shift=0, scale=1, power=np.zeros((2, 2)))),
            "use protocol.transform=none",
        ),
    ],
    ids=["channels", "steps", "coarse", "stiff", "power"],
)
def test_what_it_cannot_follow_is_refused(made, frame, why):
    with pytest.raises(ValueError, match=why):
        made.fit(STATES, frame)


def test_what_is_too_stiff_to_go_back_goes_forward():
    there = flow(equation=STIFF, steps=400, back=False).fit(STATES, CELLS).forward(STATES)
    assert np.allclose(there.sum(1), STATES.sum(1)) and there.std(1).max() < 0.01


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("model/transform_x=flow",), "transform_x=flow acts on frames, and embedding=pca makes"),
        (("model/transform_y=flow", "model/transform_x=fourier", EMBED[1]), "transform_x=fourier"),
        (("model/transform_x=graph_diffusion",), "graph_diffusion acts on frames"),
    ],
)
def test_states_that_are_no_frames_are_refused(words, why):
    with pytest.raises(Mistake, match=why):
        part_of = compose.config(["model=composed", *words])["model"]
        build_model(part_of, lambda row: None, {"calibration": 0})


def test_the_yaml_of_both_stages_is_one():
    trees = compose.parts("model", [])
    assert trees["transform_x"]["flow"] == trees["transform_y"]["flow"]
    assert isinstance(part(trees["transform_x"]["flow"], "model.transform_x"), Flow)
