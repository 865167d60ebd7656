"""A forecast priced by the equation of its data."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stsfm.datasets.equations.pendulum import Pendulum
from stsfm.datasets.fields import heat_graph, heat_grid
from stsfm.datasets.mechanics import pendulum
from stsfm.datasets.panel import Forecast
from stsfm.datasets.protocols.rolling import rolling
from stsfm.losses.base import Loss, Step
from stsfm.losses.physics import Energy, Residual
from stsfm.losses.point import MSE

SWING = pendulum(length=120, dt=0.1, nodes=2, pull=3.0, amplitude=[0.5, 2.5], noise=0.0, seed=0)


def step_of(windows, point=None):
    """The windows as a training sees them; by default their own future is the forecast."""
    windows = windows.look_back(3).whole()
    past, future = (panel.map(torch.as_tensor) for panel in windows.take(slice(None)))
    point = future.values if point is None else torch.as_tensor(point)
    transform = windows.transform.map(torch.as_tensor)
    return Step(past=past, future=future, forecast=Forecast(point=point), transform=transform)


def windows_of(panel, horizon=4):
    return rolling(panel, horizon=horizon).train.look_back(3).whole()


def price(term, panel, horizon=4):
    windows = windows_of(panel, horizon)
    return float(term.ready(windows)(step_of(windows)).mean())


@pytest.mark.parametrize(("scheme", "order"), [("euler", 1), ("midpoint", 2), ("runge_kutta", 4)])
def test_the_truth_costs_nothing_but_the_error_of_differences(scheme, order):
    coarse, fine = (
        pendulum(length=60, dt=dt, nodes=2, pull=3.0, amplitude=[0.5, 2.5], noise=0.0, seed=0)
        for dt in (0.1, 0.05)
    )
    costs = [price(Residual(scheme=scheme), panel) for panel in (coarse, fine)]
    assert costs[0] < 0.05 and np.log2(costs[0] / costs[1]) / 2 == pytest.approx(order, abs=0.3)


def test_a_forecast_that_stays_costs_one():
    windows = windows_of(SWING)
    step = step_of(windows)
    stays = step.past.values[:, -1:].expand_as(step.future.values)
    for scheme in ("euler", "midpoint"):
        cost = Residual(scheme=scheme).ready(windows)(step_of(windows, stays)).mean()
        assert float(cost) == pytest.approx(1, rel=1e-6)
    assert float(Energy().ready(windows)(step_of(windows, stays)).mean()) < 1e-20


@pytest.mark.parametrize(
    "panel",
    [
        heat_graph(
            length=60, dt=0.2, nodes=8, neighbours=2, diffusivity=0.3, cooling=0.1, kicks=0.0,
            noise=0.0, seed=0,
        ),
        heat_grid(
            length=60, dt=0.2, shape=[3, 4], spacing=1.0, boundary="no_flux", diffusivity=0.3,
            cooling=0.1, kicks=0.0, noise=0.0, seed=0,
        ),
    ],
    ids=["graph", "grid"],
)  # fmt: skip
def test_fields_on_graphs_and_grids_are_priced_by_their_equations(panel):
    assert price(Residual(scheme="runge_kutta"), panel) < 1e-6
    wrong = replace(panel.about.physics, diffusivity=0.6)
    other = replace(panel, about=replace(panel.about, physics=wrong))
    assert price(Residual(scheme="runge_kutta"), other) > 0.01


def test_a_teacher_that_makes_one_euler_step_is_the_residual():
    """|s − f|² = dt² |residual|², with s = x + dt N(x)."""
    windows = windows_of(SWING, horizon=1)
    step = step_of(windows, windows_of(SWING, horizon=1).futures().values + 0.1)
    back = step.transform.inverse
    x, made = back(step.past.values[:, -1:]), back(step.forecast.point)
    taught = x + 0.1 * SWING.about.physics.rate(x, None)
    cost = Residual(scheme="euler")(step).value
    np.testing.assert_allclose(((taught - made) ** 2).numpy(), 0.1**2 * cost.numpy(), rtol=1e-9)


def test_constants_are_recovered_from_what_was_seen():
    """c of x″ = −c sin x, by descent on the residual; true is 3."""
    step = step_of(windows_of(SWING))
    pull = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    about = replace(step.future.about, physics=Pendulum(pull=pull))
    step = replace(step, future=replace(step.future, about=about))
    optimizer = torch.optim.LBFGS([pull])

    def closure():
        optimizer.zero_grad()
        cost = Residual(scheme="midpoint")(step).mean()
        cost.backward()
        return cost

    for _ in range(3):
        optimizer.step(closure)
    assert pull.item() == pytest.approx(3.0, rel=0.02)


def test_a_last_row_with_a_gap_prices_no_first_step():
    windows = windows_of(SWING)
    panel = windows.panel
    row = int(windows.origins[5]) - 1
    mask = panel.mask.copy()
    mask[row, 0, 1] = False
    gap = replace(windows, panel=replace(panel, mask=mask, values=panel.values * mask))
    step = step_of(gap)
    weight = Residual(scheme="midpoint")(step).weight
    assert not weight[5, 0].any() and weight[5, 1:].all() and weight[[4, 6]].all()
    assert not Energy()(step).weight[5].any()
    assert Residual(scheme="midpoint").ready(gap).scale_ == pytest.approx(
        Residual(scheme="midpoint").ready(windows).scale_, rel=0.05
    )


def test_an_equation_of_several_channels_prices_all_or_none():
    about = replace(SWING.about, targets=("angle",))
    windows = rolling(replace(SWING, about=about), horizon=4).train
    with pytest.raises(ValueError, match="moves angle, velocity together, and only angle is"):
        Residual(scheme="midpoint").ready(windows)


def test_a_batch_without_a_whole_last_row_costs_no_energy():
    """Neither a number that is none: what is not priced moves nothing."""
    windows = windows_of(SWING)
    loss = Loss(terms={"task": MSE(), "energy": Energy()}, weights={"energy": 1.0})
    panel = windows.panel
    mask = panel.mask.copy()
    mask[windows.origins[:4] - 1, 0] = False
    gaps = replace(windows, panel=replace(panel, mask=mask, values=panel.values * mask))
    ready = loss.ready(gaps)
    step = step_of(gaps.subset(slice(4)))
    point = step.future.values.clone().requires_grad_()
    means = ready.means(replace(step, forecast=Forecast(point=point)))
    assert means["energy"].item() == 0
    sum(means.values()).backward()
    assert bool(point.grad.isfinite().all())
