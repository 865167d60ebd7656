"""Equations and the panels simulated with them: orders, conserved numbers, known eigenvalues."""

import numpy as np
import pytest
import torch

from stsfm.datasets.chaos import logistic_maps, lorenz63, lorenz96
from stsfm.datasets.equations.base import Conservative
from stsfm.datasets.equations.flow import solved, step
from stsfm.datasets.equations.graphs import GraphHeat, Transport
from stsfm.datasets.equations.grids import Advection, Brusselator, Grid, Heat
from stsfm.datasets.equations.lorenz import Lorenz63, Lorenz96
from stsfm.datasets.equations.oscillator import Oscillator
from stsfm.datasets.equations.pendulum import Pendulum
from stsfm.datasets.fields import advection_graph, brusselator, heat_graph, heat_grid
from stsfm.datasets.mechanics import mass_spring, pendulum
from stsfm.datasets.panel import Space
from stsfm.datasets.protocols.rolling import rolling

PLATE = Grid(shape=(3, 4), spacing=0.5, boundary="no_flux")
LOOP = Grid(shape=(3, 4), spacing=0.5, boundary="periodic")
GRAPH = Space(adjacency=np.random.default_rng(3).random((12, 12)))
EVERY = (
    Oscillator(stiffness=2.0, mass=0.5),
    Pendulum(pull=3.0),
    Lorenz63(sigma=10.0, rho=28.0, beta=8 / 3),
    Lorenz96(forcing=8.0),
    Heat(grid=PLATE, diffusivity=0.3, cooling=0.1),
    Advection(grid=LOOP, velocity=(0.2, 0.5)),
    Brusselator(grid=PLATE, a=1.0, b=3.0, diffusivity=0.02),
    GraphHeat(diffusivity=0.3, cooling=0.1),
    Transport(speed=0.3, decay=0.1),
)
named = pytest.mark.parametrize("equation", EVERY, ids=lambda e: type(e).__name__)


def state(equation, *batch):
    return np.random.default_rng(1).random((*batch, 12, len(equation.channels)))


@named
def test_numpy_and_torch_agree_and_batches_are_their_singles(equation):
    x, space = state(equation, 2, 3), GRAPH.map(torch.as_tensor)
    rate = equation.rate(x, GRAPH)
    assert rate.shape == x.shape
    made = equation.rate(torch.as_tensor(x), space)
    np.testing.assert_allclose(made.numpy(), rate, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(equation.rate(x[1, 2], GRAPH), rate[1, 2], rtol=1e-13, atol=1e-13)
    tensor = torch.tensor(x[0, :1], requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: equation.rate(x, space), tensor)


@named
def test_a_step_of_runge_kutta_is_of_fourth_order(equation):
    start, far = state(equation), 0.04
    truth = solved(equation, start, np.array([far]), GRAPH)[0]
    errors = []
    for steps in (1, 2):
        x = start
        for _ in range(steps):
            x = step(equation, x, far / steps, GRAPH)
        errors.append(abs(x - truth).max())
    assert 3.5 < np.log2(errors[0] / errors[1]) < 4.6


@pytest.mark.parametrize("equation", [e for e in EVERY if isinstance(e, Conservative)], ids=str)
def test_energy_stays(equation):
    start = state(equation)
    states = solved(equation, start, np.array([1.0, 5.0, 10.0]), GRAPH)
    energy, first = equation.energy(states, GRAPH), equation.energy(start, GRAPH)
    np.testing.assert_allclose(energy, np.broadcast_to(first, energy.shape), rtol=1e-7)
    assert abs(states - start).max() > 0.1


def test_modes_of_heat_decay_as_their_eigenvalues_say():
    n, h, diffusivity = 20, 0.05, 0.3
    line = Grid(shape=(n,), spacing=h, boundary="no_flux")
    equation = Heat(grid=line, diffusivity=diffusivity, cooling=0.1)
    for k in (0, 1, 5):
        mode = np.cos(np.pi * k * (np.arange(n) + 0.5) / n)[:, None]
        rate = 4 * diffusivity / h**2 * np.sin(np.pi * k / (2 * n)) ** 2 + 0.1
        made = solved(equation, mode, np.array([0.1, 0.2]), Space())
        np.testing.assert_allclose(made[1], np.exp(-0.2 * rate) * mode, atol=1e-12)


def test_differences_on_a_grid_are_of_second_order():
    errors = []
    for n in (32, 64):
        grid = Grid(shape=(n, n), spacing=2 * np.pi / n, boundary="periodic")
        x, y = grid.space().coords.T
        field = np.sin(x + 2 * y)[:, None]
        exact = (np.cos(x + 2 * y)[:, None], 2 * np.cos(x + 2 * y)[:, None], -5 * field)
        made = (grid.along(field, 1), grid.along(field, 0), grid.laplacian(field))
        errors.append([abs(a - b).max() for a, b in zip(made, exact, strict=True)])
    orders = np.log2(np.divide(*errors))
    np.testing.assert_allclose(orders, 2, atol=0.05)


def test_without_loss_heat_and_transport_keep_their_sum():
    x = state(GraphHeat(diffusivity=1.0, cooling=0.0))
    closed = (
        Heat(grid=PLATE, diffusivity=1.0, cooling=0.0),
        GraphHeat(diffusivity=1.0, cooling=0.0),
        Transport(speed=1.0, decay=0.0),
    )
    for equation in closed:
        after = solved(equation, x, np.array([3.0]), GRAPH)[0]
        assert after.sum() == pytest.approx(x.sum(), rel=1e-12) and after.std() < x.std()


def test_what_drifts_on_a_graph_goes_with_its_edges():
    one_way = Space(adjacency=np.eye(3, k=1))
    start = np.array([[0.0], [1.0], [0.0]])
    after = solved(Transport(speed=1.0, decay=0.0), start, np.array([1.0]), one_way)[0, :, 0]
    np.testing.assert_allclose(after, [0, np.exp(-1), 1 - np.exp(-1)], atol=1e-12)


def test_an_equation_on_a_graph_says_that_there_is_none():
    with pytest.raises(ValueError, match="along a graph, and the data have none"):
        GraphHeat(diffusivity=1.0, cooling=0.0).rate(np.zeros((3, 1)), Space())


SMALL = {
    "lorenz63": lambda **k: lorenz63(
        length=40, dt=0.05, drop=5, sigma=10.0, rho=28.0, beta=8 / 3, **k
    ),
    "lorenz96": lambda **k: lorenz96(length=30, dt=0.05, drop=5, nodes=8, forcing=8.0, **k),
    "pendulum": lambda **k: pendulum(
        length=40, dt=0.1, nodes=2, pull=3.0, amplitude=[0.5, 2.5], **k
    ),
    "mass_spring": lambda **k: mass_spring(
        length=40, dt=0.1, nodes=2, stiffness=1.0, mass=1.0, amplitude=[0.5, 1.5], **k
    ),
    "heat_grid": lambda **k: heat_grid(
        length=40, dt=1.0, shape=[3, 4], spacing=1.0, boundary="no_flux", diffusivity=0.1,
        cooling=0.02, kicks=0.0, **k
    ),
    "heat_graph": lambda **k: heat_graph(
        length=40, dt=1.0, nodes=8, neighbours=2, diffusivity=0.05, cooling=0.02, kicks=0.0, **k
    ),
    "advection_graph": lambda **k: advection_graph(
        length=40, dt=1.0, nodes=8, neighbours=2, speed=0.2, decay=0.05, kicks=0.0, **k
    ),
    "brusselator": lambda **k: brusselator(
        length=40, dt=0.25, drop=4, cells=10, extent=1.0, a=1.0, b=3.0, diffusivity=0.02, **k
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_simulated_panels_obey_the_equation_that_they_state(name):
    clean, noisy = SMALL[name](noise=0.0, seed=1), SMALL[name](noise=0.1, seed=1)
    np.testing.assert_array_equal(noisy.privileged, clean.values)
    assert 0.07 < (noisy.values - clean.values).std() < 0.13
    np.testing.assert_array_equal(SMALL[name](noise=0.1, seed=1).values, noisy.values)
    after = (clean.time[1:] - clean.time[0]) / 1e9
    made = solved(clean.about.physics, clean.values[0], after, clean.space)
    early = slice(0, 10)  # of chaos
    np.testing.assert_allclose(made[early], clean.values[1:][early], rtol=1e-6, atol=1e-7)


def test_the_maps_are_those_of_the_published_cross_mapping():
    maps = logistic_maps(
        length=1000, growth=[3.8, 3.5], coupling=[0.02, 0.1], start=[0.4, 0.2], noise=0.0, seed=0
    )
    x, y = maps.values[:, :, 0].T
    np.testing.assert_array_equal((x[0], y[0]), (0.4, 0.2))
    np.testing.assert_allclose(x[1:], x[:-1] * (3.8 - 3.8 * x[:-1] - 0.02 * y[:-1]), rtol=1e-12)
    np.testing.assert_allclose(y[1:], y[:-1] * (3.5 - 3.5 * y[:-1] - 0.1 * x[:-1]), rtol=1e-12)


def test_the_random_walk_on_the_brusselator_errs_as_it_should():
    panel = brusselator(
        length=440, dt=0.25, drop=40, cells=40, extent=1.0, a=1.0, b=3.0, diffusivity=0.02,
        noise=0.0, seed=0,
    )  # fmt: skip
    x = panel.values.reshape(440, -1)
    x = (x - x[:300].mean(0)) / x[:300].std(0)
    for ahead, wanted in ((1, 0.388), (12, 1.723)):
        assert np.sqrt(((x[300 + ahead :] - x[300:-ahead]) ** 2).mean()) == pytest.approx(
            wanted, rel=0.03
        )


def test_what_is_privileged_reaches_training_alone():
    panel = SMALL["pendulum"](noise=0.1, seed=0)
    split = rolling(panel, horizon=2)
    assert split.train.panel.privileged is not None
    assert split.val.panel.privileged is None and split.test.panel.privileged is None


def test_a_solution_is_kept_and_another_problem_is_solved_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("STSFM_CACHE", str(tmp_path))
    start, seconds = state(Pendulum(pull=3.0)), np.arange(3) * 0.1
    made = solved(Pendulum(pull=3.0), start, seconds, Space())
    (kept,) = (tmp_path / "solutions").iterdir()
    others = [solved(Pendulum(pull=3.5), start, seconds, Space())]
    others.append(solved(Pendulum(pull=3.0), start + 1, seconds, Space()))
    others.append(solved(Pendulum(pull=3.0), start, seconds * 2, Space()))
    assert len(list((tmp_path / "solutions").iterdir())) == 4
    assert all(abs(other - made).max() > 1e-3 for other in others)
    monkeypatch.setattr(Pendulum, "rate", None)  # what is there needs no solver
    np.testing.assert_array_equal(solved(Pendulum(pull=3.0), start, seconds, Space()), made)
    monkeypatch.undo()
    monkeypatch.setenv("STSFM_CACHE", str(tmp_path))
    kept.write_bytes(kept.read_bytes()[:100])  # cut off: solved again
    np.testing.assert_array_equal(solved(Pendulum(pull=3.0), start, seconds, Space()), made)
