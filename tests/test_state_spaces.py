"""HiPPO, S4, S4D, S5 and neural ODEs: each does what its page says, against known answers."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from torch import nn
from torchdiffeq import odeint

from stsfm.datasets.panel import About, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.embedding.hippo import HiPPO
from stsfm.models.layers.scan import doubling, loop, scan
from stsfm.models.neural_ode import Flow, NeuralODE, Velocity
from stsfm.models.numerics.hippo import legs, legt, middles, normal, polynomials, weights
from stsfm.models.s4 import S4, LowRank
from stsfm.models.s4d import S4D, Diagonal
from stsfm.models.s5 import S5, Joint, gaps

TIME, NODES, AHEAD, HOUR = 12, 2, 4, 3_600 * 10**9
FRAME = Frame(
    context=TIME, horizon=AHEAD, nodes=NODES, channels=1, targets=(0,), covariates=0, step=HOUR
)


def relative(got, wanted):
    return float(abs(got - wanted).max() / abs(wanted).max())


def seeded(make, *sizes, double=True):
    torch.manual_seed(0)
    return make(*sizes).double() if double else make(*sizes)


# ---- HiPPO ---------------------------------------------------------------------------------------


def harmonics(rows, seed=1):
    """Eight of them over the rows, at random."""
    rng = np.random.default_rng(seed)
    size, phase, wave = rng.standard_normal(8), rng.uniform(0, 2 * np.pi, 8), np.arange(1, 9)
    return (
        size / wave * np.cos(2 * np.pi * np.outer((np.arange(rows) + 0.5) / rows, wave) + phase)
    ).sum(1)


def error(rows, size, method="exact"):
    """Of the signal that comes back from its coefficients, and of the best that could."""
    signal, basis = harmonics(rows), polynomials(size, middles(rows))
    back = basis @ (weights("legs", size, rows, method) @ signal)
    best = basis @ np.linalg.lstsq(basis, signal, rcond=None)[0]
    length = np.linalg.norm(signal)
    return np.linalg.norm(back - signal) / length, np.linalg.norm(best - signal) / length


def test_legs_comes_as_near_as_polynomials_can_until_rows_are_too_few():
    errors = [error(1000, size) for size in (8, 16, 32, 64)]
    for got, best in errors[:3]:
        assert best <= got < 1.01 * best
    got = [error[0] for error in errors]
    assert got[0] > 2 * got[1] > 200 * got[2] > 2000 * got[3]
    assert got[3] < 1.2e-4  # a row is held: what remains falls as its length squared
    assert error(2000, 64)[0] < 0.3 * got[3]


def test_the_bilinear_rule_is_off_by_the_length_of_a_row():
    floors = [error(rows, 32, "bilinear")[0] for rows in (500, 1000, 2000)]
    assert 1e-3 < floors[1] < 1e-2
    assert all(1.8 < a / b < 2.2 for a, b in pairwise(floors))


def test_what_legs_adds_up_to_is_its_recurrence_in_log_time():
    rows, size = 60, 16
    (matrix, column), signal = legs(size), np.random.default_rng(0).standard_normal(rows)
    state = signal[0] * np.eye(size)[0]
    for k in range(2, rows + 1):
        step = expm(matrix * math.log(k / (k - 1)))
        state = (
            step @ state + np.linalg.solve(matrix, (step - np.eye(size)) @ column) * signal[k - 1]
        )
    assert relative(weights("legs", size, rows, "exact") @ signal, state) < 1e-12


def test_legt_holds_a_window_and_keeps_a_constant():
    size, rows = 32, 1000
    matrix, column = legt(size)
    step = expm(matrix / rows)
    added = np.linalg.solve(matrix, (step - np.eye(size)) @ column)
    signal = np.sin(2 * np.pi * 3 * np.arange(3 * rows) / rows + 1)
    state = np.zeros(size)
    for value in signal:
        state = step @ state + added * value
    window = polynomials(size, middles(rows)) @ state
    assert np.linalg.norm(window - signal[-rows:]) < 1.7e-4 * np.linalg.norm(signal[-rows:])
    for method in "exact", "bilinear":
        assert abs(weights("legt", 8, 20, method).sum(1) - np.eye(8)[0]).max() < 1e-12


@pytest.mark.parametrize("size", [16, 64, 256])
def test_legs_is_normal_but_for_a_rank(size):
    poles, vectors, low_rank = normal(size)
    skew = legs(size)[0] + np.outer(low_rank, low_rank) + np.eye(size) / 2
    assert abs(skew + skew.T).max() < 2e-13
    back = vectors * poles @ vectors.conj().T - np.outer(low_rank, low_rank)
    assert relative(back, legs(size)[0]) < 1e-13


def hippo(size, context, measure="legs"):
    embedding = HiPPO(coefficients=size, context=context, measure=measure, method="exact")
    return embedding.fit(np.zeros((context, 2)), FRAME)


@pytest.mark.parametrize("measure", ["legs", "legt"])
def test_hippo_gives_smooth_windows_back(measure):
    rows = np.arange(60)[:, None] / 24
    frames = 3 + np.concatenate([rows**2, np.sin(2 * rows)], 1)
    embedding = hippo(8, 24, measure)
    states = embedding.encode(frames)
    assert states.shape == (60 - 23, 2 * 8)
    tolerance = 0.03 if measure == "legs" else 0.15  # of 9; a row is held, and a filter began
    assert abs(embedding.decode(states) - frames[23:]).max() < tolerance
    windows = np.stack([frames[t : t + 24] for t in range(37)])
    assert abs(embedding.windows(states) - windows).max() < tolerance
    batch = embedding.encode(np.stack([frames[:40], frames[20:]]))
    assert abs(batch[1] - states[20:]).max() < 1e-12  # a state knows its window alone


def test_hippo_takes_no_more_coefficients_than_rows():
    with pytest.raises(ValueError, match="between 1 and context=4, got 5"):
        hippo(5, 4)


# ---- recurrences ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2, 37])
def test_a_scan_is_its_recurrence_and_so_are_its_gradients(rows):
    torch.manual_seed(0)
    a, b = torch.randn(2, 2, 3, rows, 4, dtype=torch.complex128)
    a, b = (a / 2)[:1].requires_grad_(), b.requires_grad_()  # one factor for the whole batch
    states = [b[..., 0, :]]
    for t in range(1, rows):
        states.append(a[..., t, :] * states[-1] + b[..., t, :])
    plain = torch.stack(states, -2)
    weight = torch.randn(b.shape, dtype=b.dtype)
    wanted = torch.autograd.grad((plain * weight).real.sum(), (a, b), materialize_grads=True)
    made = scan(a, b)
    for got, other in zip(
        torch.autograd.grad((made * weight).real.sum(), (a, b)), wanted, strict=True
    ):
        torch.testing.assert_close(got, other, rtol=1e-12, atol=1e-12)
    for way in loop, doubling:
        found = way(a.detach().expand_as(b), b.detach())
        assert relative(found, plain.detach()) < 1e-13


@pytest.mark.parametrize(("double", "tolerance"), [(True, 1e-10), (False, 2e-5)])
@pytest.mark.parametrize("start", ["lin", "inv", "legs"])
def test_s4d_as_a_convolution_is_its_recurrence(start, double, tolerance):
    system = seeded(Diagonal, 5, 16, start, 1e-3, 0.1, double=double)
    u = torch.randn(2, 256, 5, dtype=system.skip.dtype)
    moved, out = (x.detach() for x in system.discrete())
    state, made = torch.zeros(2, 5, 8, dtype=out.dtype), []
    for row in u.unbind(1):
        state = moved.exp() * state + row[..., None]
        made.append(2 * (out * state).sum(-1).real + system.skip * row)
    assert relative(system(u).detach(), torch.stack(made, 1).detach()) < tolerance


@pytest.mark.parametrize(("states", "rows"), [(16, 64), (64, 1024), (8, 13)])
def test_the_kernel_of_s4_is_that_of_its_powers(states, rows):
    system = seeded(LowRank, 3, states, rows, 1e-3, 0.1)
    moved, state, out = (x.detach() for x in system.discrete())
    kernel = []
    for _ in range(rows):
        kernel.append((out * state).sum(-1))
        state = (moved @ state[..., None])[..., 0]
    assert relative(system.kernel().detach(), torch.stack(kernel)) < 1e-12
    assert (system.eigenvalues().abs() < 1).all()


def test_s4_starts_as_hippo():
    """Its A, written out in real coordinates again, is that of LegS."""
    poles, low_rank, enter, _ = (
        x.detach().numpy() for x in LowRank(2, 16, 8, 0.1, 0.1).continuous()
    )
    own = np.diag(poles) - np.outer(low_rank, low_rank.conj())
    matrix, column = legs(16)
    for power in range(3):  # moments of the transfer function know no basis
        wanted = column @ np.linalg.matrix_power(matrix / 16, power) @ column
        got = enter.conj() @ np.linalg.matrix_power(own / 16, power) @ enter
        assert abs(got - wanted) < 1e-5 * abs(wanted)


@pytest.mark.parametrize(("double", "tolerance"), [(True, 1e-10), (False, 2e-5)])
def test_s5_by_a_scan_is_its_recurrence(double, tolerance):
    system = seeded(Joint, 4, 16, 2, 1e-3, 0.1, double=double)
    u = torch.randn(2, 200, 4, dtype=system.skip.dtype)
    factor, held = (x.detach() for x in system.discrete())
    enter, out = (torch.view_as_complex(x).detach() for x in (system.enter, system.out))
    state, made = torch.zeros(2, 8, dtype=enter.dtype), []
    for row in u.unbind(1):
        state = factor * state + held * (row.to(enter.dtype) @ enter.T)
        made.append(2 * (state @ out.T).real + system.skip * row)
    wanted = torch.stack(made, 1).detach()
    assert relative(system(u).detach(), wanted) < tolerance
    driven = held * (u.to(enter.dtype) @ enter.T)
    parallel = 2 * (doubling(factor.expand_as(driven), driven) @ out.T).real + system.skip * u
    assert relative(parallel.detach(), wanted) < tolerance


def test_s5_in_two_half_steps_is_one_step():
    system = seeded(Joint, 4, 16, 1, 0.1, 0.5)
    u, gap = torch.randn(2, 20, 4).double(), torch.rand(2, 20, 1).double() + 0.5
    whole = system(u, gap)
    halves = system(u.repeat_interleave(2, 1), (gap / 2).repeat_interleave(2, 1))[:, 1::2]
    assert relative(halves.detach(), whole.detach()) < 1e-10
    assert relative(system(u, torch.ones_like(gap)).detach(), system(u).detach()) < 1e-12


def test_s5_fades_whatever_it_learned():
    system = seeded(Joint, 4, 8, 1, 0.1, 0.5)
    with torch.no_grad():
        system.decay += 10
    assert (system.eigenvalues().abs() < 1).all()


def panel(values, time=None):
    about = About(name="toy", nodes=("a", "b"), channels=("y",))
    time = torch.arange(values.shape[1]) * HOUR if time is None else time
    mask = torch.ones(values.shape, dtype=torch.bool)
    return Panel(values=values, mask=mask, time=time.expand(len(values), -1), about=about)


def window():
    torch.manual_seed(1)
    past = panel(torch.randn(3, TIME, NODES, 1).double())
    future = panel(torch.zeros(3, AHEAD, NODES, 1).double(), (torch.arange(AHEAD) + TIME) * HOUR)
    return past, future.blank()


SIZES = {"width": 8, "layers": 2, "min_step": 0.1, "max_step": 0.5, "dropout": 0.1}
NETS = {
    "s4": partial(S4, states=8, **SIZES, normalise="mean"),
    "s4d": partial(S4D, states=8, start="lin", **SIZES, normalise="mean"),
    "s5": partial(S5, states=8, groups=1, stamps=False, **SIZES, normalise="mean"),
}


@pytest.mark.parametrize("name", NETS)
def test_what_a_net_shows_is_what_it_does(name):
    """Eigenvalues that fade, and an impulse that the first system answers so."""
    net = seeded(NETS[name], FRAME).eval()
    shown = net.states()
    assert shown["eigenvalues"].abs().max() < 1 and shown["impulse"].shape[0] == TIME
    single = torch.zeros(1, TIME, 8).double()
    single[0, 0, 3] = 1
    with torch.no_grad():
        made = net.body.blocks[0].system(single)[0]  # (t, output)
    impulse = shown["impulse"]
    if impulse.shape[-1] == 1:  # each feature is its own input
        torch.testing.assert_close(made[:, 3], impulse[:, 3, 0], rtol=1e-8, atol=1e-8)
    else:
        torch.testing.assert_close(made, impulse[:, :, 3], rtol=1e-8, atol=1e-8)


def test_rows_that_lie_apart_move_a_state_further():
    past, future = window()
    told = seeded(partial(NETS["s5"], stamps=True), FRAME).eval()
    torch.testing.assert_close(gaps(past), torch.ones(6, TIME, 1).double())
    plain = seeded(NETS["s5"], FRAME).eval()(past, future).point
    torch.testing.assert_close(told(past, future).point, plain)
    uneven = panel(past.values, (past.time[0] // HOUR) ** 2 * HOUR)
    assert gaps(uneven)[0, 1:, 0].tolist() == pytest.approx(
        [(2 * k - 1) / 11 for k in range(1, TIME)]
    )
    assert (told(uneven, future).point != plain).all()


# ---- neural ODEs ---------------------------------------------------------------------------------


def rotation():
    """A linear velocity, and where it carries states in the time 1.7."""
    velocity = nn.Linear(3, 3, bias=False).double()
    matrix = np.array([[-0.1, 1.0, 0.0], [-1.0, -0.1, 0.2], [0.0, 0.0, -0.3]])
    velocity.weight.data = torch.as_tensor(matrix)
    start = torch.randn(2, 3, generator=torch.Generator().manual_seed(0)).double()
    return velocity, start, start @ torch.as_tensor(expm(1.7 * matrix)).T


@pytest.mark.parametrize(
    ("solver", "step", "tolerance", "bound"),
    [("rk4", 0.05, 1e-3, 1e-7), ("dopri5", 1.0, 1e-9, 1e-8), ("dopri5", 1.0, 1e-4, 1e-3)],
)
def test_a_linear_flow_is_an_exponential(solver, step, tolerance, bound):
    velocity, start, wanted = rotation()
    flow = Flow(velocity, solver=solver, step=step, tolerance=tolerance, adjoint=False)
    spans = torch.tensor([[1.0, 0.5, 0.2], [0.2, 0.7, 0.8]]).double()  # both are there after 1.7
    way = flow(start, spans).detach()
    assert abs(way[-1] - wanted).max() < bound
    assert abs(flow(way[-1], -spans.flip(1)).detach()[-1] - start).max() < bound  # and back


def test_the_adjoint_gives_the_same_gradients():
    torch.manual_seed(0)
    velocity, start = Velocity(3, 8, 2).double(), torch.randn(4, 3).double()
    for tolerance, bound in (1e-3, 1e-2), (1e-6, 1e-4):
        grads = []
        for adjoint in False, True:
            flow = Flow(velocity, solver="dopri5", step=1.0, tolerance=tolerance, adjoint=adjoint)
            loss = (flow(start, torch.ones(4, 2).double())[-1] ** 2).sum()
            grads.append(
                torch.cat([g.flatten() for g in torch.autograd.grad(loss, velocity.parameters())])
            )
        assert (grads[0] - grads[1]).norm() < bound * grads[0].norm()


SMALL = {"latent": 4, "width": 8, "layers": 1, "tolerance": 1e-6, "adjoint": False}
ODE = partial(NeuralODE, **SMALL, normalise="last", step=0.5, solver="rk4")


@pytest.mark.parametrize("encoder", ["gru", "last"])
def test_a_forecast_depends_on_its_stamp(encoder):
    """Asked for the same moments by other rows, the flow answers the same."""
    net, (past, future) = seeded(partial(ODE, encoder=encoder, step=0.05), FRAME), window()
    plain = net(past, future).point
    time = past.time[:1, -1:] + torch.tensor([HOUR // 2, HOUR, 2 * HOUR, 3 * HOUR])
    other = net(past, panel(future.values, time).blank()).point
    torch.testing.assert_close(other[:, 1:], plain[:, :3], rtol=1e-6, atol=1e-6)
    assert (other[:, 0] != plain[:, 0]).all()


def test_a_net_integrates_its_velocity():
    net, (past, future) = seeded(partial(ODE, encoder="last"), FRAME), window()
    with torch.no_grad():
        start = torch.zeros(3, NODES, 4).double()  # less its last value, a row begins at 0
        times = torch.arange(AHEAD + 1.0).double()
        way = odeint(lambda t, z: net.flow.velocity(z), start, times, rtol=1e-9, atol=1e-9)
        made = net.head.linear(way[1:])[..., 0].transpose(0, 1) + past.values[:, -1:, :, 0]
        assert relative(net(past, future).point[..., 0], made) < 1e-5
