"""Every term of a loss: 0 where it must be, gradients, weights of 0; and physics and teachers."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch.nn.functional import cross_entropy

from stsfm import compose
from stsfm.build import build, build_model
from stsfm.datasets.equations.flow import solved
from stsfm.datasets.equations.pendulum import Pendulum
from stsfm.datasets.fields import heat_graph, heat_grid
from stsfm.datasets.mechanics import pendulum
from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.losses.base import Step
from stsfm.losses.distillation import Distillation, Lessons
from stsfm.losses.physics import Energy, Residual
from stsfm.losses.teachers import Simulator
from stsfm.mistakes import Mistake

TERMS = {
    file.stem: yaml.safe_load(file.read_text())["terms"][file.stem]
    for file in (Path(__file__).parents[1] / "conf/loss/term").glob("*.yaml")
}
SWING = pendulum(length=120, dt=0.1, nodes=2, pull=3.0, amplitude=[0.5, 2.5], noise=0.0, seed=0)


def made(name):
    """The term of a preset, ready to price its zero case, and that."""
    config = dict(TERMS[name])
    if config["_target_"].endswith("Distillation"):
        step = Residual.zero_case()
        term = build(config | {"teacher": Simulator(state="observed")}, path=name)
        stamps = step.future.time[:, 0].contiguous()
        return replace(term, lessons=Lessons(stamps=stamps, forecast=step.forecast)), step
    term = build(config, path=name)
    return term, term.zero_case()


def changed(held, change):
    """What a net publishes, each of its float tensors changed."""
    if isinstance(held, torch.Tensor) and held.is_floating_point():
        return change(held)
    if isinstance(held, dict):
        return {name: changed(part, change) for name, part in held.items()}
    return [changed(x, change) for x in held] if isinstance(held, list | tuple) else held


@pytest.mark.parametrize("name", TERMS)
def test_a_term_is_nothing_where_it_must_be_and_its_gradient_is_true(name):
    term, step = made(name)
    assert abs(float(term(step).mean())) < 1e-10
    cost = term(step)
    assert cost.value.shape == cost.weight.shape
    random, leaves = torch.Generator().manual_seed(1), []

    def shaken(x):
        moved = x + 0.3 * torch.randn(x.shape, generator=random, dtype=x.dtype)
        leaves.append(moved.requires_grad_())
        return moved

    held = {"point": step.forecast.point, "parts": dict(step.forecast.parts)}
    changed(held, shaken)

    def price(*made):
        rest = iter(made)
        forecast = Forecast(**changed(held, lambda x: next(rest)))
        return term(replace(step, forecast=forecast)).mean()

    assert price(*leaves).item() > 1e-4
    assert torch.autograd.gradcheck(price, tuple(leaves), atol=1e-4, rtol=1e-3)


CONFIG = compose.config(["model=gru", "loss=mse", "trainer.epochs=2", "model.hidden=4"])["model"]


def student(terms, **weights):
    """A small net with a loss of these terms beside its task."""
    loss = CONFIG["loss"]
    whole = {"terms": loss["terms"] | terms, "weights": loss["weights"] | weights}
    config = {**CONFIG, "context": 3, "loss": loss | whole}
    return build_model(config, lambda row: None, {"calibration": 0})


def test_terms_of_weight_0_change_no_bit_of_a_training():
    split = rolling(SWING, horizon=5)
    every = {name: term for name, term in TERMS.items() if name != "distillation"}
    plain, none, some = (
        student(terms, **weights).fit(split.train, split.val).backtest(split.test).point
        for terms, weights in (
            ({}, {}),
            (every, dict.fromkeys(every, 0.0)),
            (every, dict.fromkeys(every, 0.0) | {"physics": 0.1, "simulator": 0.5}),
        )
    )
    assert np.array_equal(plain, none) and not np.array_equal(plain, some)


# ---- physics -------------------------------------------------------------------------------------


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
    assert Residual(scheme="midpoint").ready(gap).scale == pytest.approx(
        Residual(scheme="midpoint").ready(windows).scale, rel=0.05
    )


# ---- teachers ------------------------------------------------------------------------------------


def test_hot_teachers_hand_over_differences_of_logits():
    """T² dD/dz → ((z − mean z) − (v − mean v)) / K, with an error of order 1/T."""
    v, z = torch.randn(2, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z.requires_grad_()
    limit = (z - z.mean(-1, keepdim=True) - v + v.mean(-1, keepdim=True)) / 5
    gaps = []
    for temperature in (10.0, 100.0, 1000.0):
        term = distillation(temperature, matched=True)
        cost = term.apart(Forecast(point=v, logits=v), Forecast(point=z, logits=z)).sum()
        (grad,) = torch.autograd.grad(cost, z)
        gaps.append(float(abs(grad - limit).max()))
    assert gaps[0] < 0.2 and gaps[0] / gaps[1] > 8 and gaps[1] / gaps[2] > 8


def distillation(temperature, *, matched):
    teacher = Simulator(state="observed")
    return Distillation(teacher=teacher, temperature=temperature, match_temperature=matched)


def test_gaussians_are_compared_by_what_the_widened_teacher_says_of_the_student():
    point, scale = torch.zeros(1, 1, 1, 1), torch.full((1, 1, 1, 1), 2.0)
    teacher = Forecast(point=point, scale=scale)
    student = Forecast(point=point + 1, scale=scale * 1.5)
    wide = torch.distributions.Normal(point, scale * 4**0.5)
    wanted = torch.distributions.kl_divergence(wide, torch.distributions.Normal(1.0, 3.0))
    made = distillation(4.0, matched=True).apart(teacher, student)
    torch.testing.assert_close(made, wanted)


def test_the_simulator_knows_what_comes_and_starts_where_it_is_told():
    noisy = pendulum(length=120, dt=0.1, nodes=2, pull=3.0, amplitude=[0.5, 2.5], noise=0.1, seed=0)
    windows = windows_of(noisy)
    back, rows = windows.transform.inverse, windows.origins[:, None] + np.arange(4)
    truth = noisy.privileged[rows]
    seen, knows = (Simulator(state=s)(windows).point for s in ("observed", "privileged"))
    np.testing.assert_allclose(back(knows), truth, atol=1e-5)
    assert 0.05 < abs(back(seen) - truth).mean() < 0.3
    clean = windows_of(SWING)
    observed = Simulator(state="observed")(clean).point
    np.testing.assert_allclose(observed, clean.futures().values, atol=1e-5)


def test_lessons_are_found_by_the_first_stamp_and_no_others_are_given():
    windows = windows_of(SWING)
    lessons = Lessons.of(Simulator(state="observed"), windows)
    some = windows.subset(np.array([7, 2, 5]))
    step = step_of(some)
    said = lessons.about(step.future.time[:, 0], step.forecast.point)
    np.testing.assert_allclose(said.point, some.futures().values, atol=1e-5)
    with pytest.raises(ValueError, match="none of them"):
        lessons.about(step.future.time[:, 0] + 1, step.forecast.point)
    never = lambda windows: Forecast(point=np.full((len(windows), 4, 2, 2), np.nan))  # noqa: E731
    with pytest.raises(FloatingPointError, match="point is not finite"):
        Lessons.of(never, windows)


def test_what_is_privileged_moves_the_teacher_alone():
    noisy = pendulum(length=120, dt=0.1, nodes=2, pull=3.0, amplitude=[0.5, 2.5], noise=0.1, seed=0)
    split = rolling(noisy, horizon=5)
    seen = TERMS["simulator"]["teacher"] | {"state": "privileged"}
    config = TERMS["simulator"] | {"teacher": seen}
    fitted, other = (student({"simulator": config}, simulator=1.0) for _ in range(2))
    fitted.fit(split.train, split.val)
    past, future = split.train.look_back(3).whole().take(slice(None))
    without = replace(past, privileged=np.zeros_like(past.privileged))
    assert np.array_equal(
        fitted.predict(past, future.blank()).point, fitted.predict(without, future.blank()).point
    )
    blind = replace(split.train.panel, privileged=noisy.privileged[: len(split.train.panel)] * 0)
    other.fit(replace(split.train, panel=blind), split.val)
    assert not np.array_equal(fitted.backtest(split.test).point, other.backtest(split.test).point)


def two(z: torch.Tensor) -> torch.Tensor:
    """Logits of two classes, of one."""
    return torch.stack([torch.zeros_like(z), z], -1)


def linear(x: torch.Tensor, loss) -> torch.Tensor:
    """The weights of the linear classifier with the least loss, and a little decay."""
    weights = torch.zeros(x.shape[1], dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(two(x @ weights)) + 1e-3 * (weights**2).sum()
        value.backward()
        return value

    optimizer.step(closure)
    return weights.detach()


def world(case: int, seed: int, rows: int, size: int = 50) -> tuple[torch.Tensor, ...]:
    """Features, what is privileged, and classes, of Lopez-Paz et al. (2016), section 6."""
    rng = np.random.default_rng(seed)
    a, x = rng.standard_normal(size), rng.standard_normal((rows, size))
    if case == 1:  # labels without noise
        seen = (x @ a)[:, None]
        classes = seen[:, 0] + rng.standard_normal(rows) > 0
    elif case == 2:  # features without noise
        seen, x = x, x + rng.standard_normal((rows, size))
        classes = seen @ a > 0
    else:  # the features that matter
        seen = x[:, rng.permutation(size)[:3]]
        classes = seen @ a[:3] > 0
    return torch.as_tensor(x), torch.as_tensor(seen), torch.as_tensor(classes.astype(int))


@pytest.mark.parametrize(
    ("case", "wanted"),
    [(1, (0.954, 0.876, 0.954)), (2, (0.893, 0.674, 0.691)), (3, (0.992, 0.899, 0.992))],
)
def test_what_privileged_information_is_worth(case, wanted):
    """Accuracy of teacher, student alone, and taught student (T = 10, λ = 1); 200 rows, 3 seeds."""
    term, right = distillation(10.0, matched=False), []
    for seed in range(3):
        x, seen, classes = world(case, seed, rows=4200)
        hard = partial(cross_entropy, target=classes[:200])
        score = lambda f, w: float(((f[200:] @ w > 0) == classes[200:]).double().mean())  # noqa: E731,B023
        teacher, alone = linear(seen[:200], hard), linear(x[:200], hard)
        said = Forecast(point=seen, logits=two(seen[:200] @ teacher))
        taught = linear(x[:200], lambda z: term.apart(said, Forecast(point=z, logits=z)).mean())  # noqa: B023
        right.append([score(seen, teacher), score(x, alone), score(x, taught)])
    np.testing.assert_allclose(np.mean(right, 0), wanted, atol=0.025)


# ---- what a term asks for ------------------------------------------------------------------------


def test_terms_that_ask_for_what_there_is_none_of_are_refused_before_anything_runs(desk):
    words = ["model=gru", "data=airline", "+loss/term=physics"]
    for more in ([], ["--dry-run"]):
        assert desk("run", *words, *more) == 2
        assert "airline states no equation, and the term physics of the loss needs it" in desk.err
    assert not desk.runs()
    assert desk("run", "model=gru", "data=lorenz63", "data.length=300", "+loss/term=energy") == 2
    assert "lorenz63 states no energy" in desk.err
    assert desk("run", "model=gru", "+loss/term=distillation") == 2
    assert "which teacher?" in desk.err
    teacher = ["+loss/term=distillation", "loss.terms.distillation.teacher=nowhere"]
    assert desk("run", "model=gru", *teacher) == 2 and "no folder of a run" in desk.err


def test_a_run_teaches_by_what_it_was_made_of(desk):
    short = ["score=val", "trainer.epochs=1", "protocol.calibration=0"]
    assert desk("run", "model=drift", *short) == 0
    folder = desk.only("/drift/").folder
    taught = ["model=gru", "+loss/term=distillation", *short]
    assert desk("run", *taught, f"loss.terms.distillation.teacher={folder}") == 0
    student = desk.only("/gru/")
    moved = folder.rename(desk.folder / "elsewhere")
    assert desk("run", *taught, f"loss.terms.distillation.teacher={moved}") == 0
    assert desk.only("/gru/").folder == student.folder  # found again: nothing was trained
    losses = (student.folder / "history.csv").read_text()
    assert "train_distillation" in losses
    other = [f"loss.terms.distillation.teacher={moved}", "protocol.horizon=6"]
    assert desk("run", *taught, *other) == 2 and "teachers see the same task" in desk.err


def test_the_exact_forecast_of_a_run_is_what_is_taught(desk):
    """A student that forecasts what its teacher does costs nothing."""
    from stsfm.job import cut
    from stsfm.teachers import Kept

    short = ["model=linear", "baselines=[]", "data.length=200", "data=ring", "score=val"]
    assert desk("run", *short) == 0
    run = desk.only("/linear/")
    windows = cut(run.config).train
    lessons = Lessons.of(Kept(run.folder), windows)
    again = build_model(run.config["model"], lambda row: None, {"calibration": 0})
    again.fit(windows, cut(run.config).val)
    np.testing.assert_allclose(
        lessons.forecast.point, again.backtest(windows).point, rtol=1e-5, atol=1e-6
    )


def test_an_equation_of_several_channels_prices_all_or_none():
    about = replace(SWING.about, targets=("angle",))
    windows = rolling(replace(SWING, about=about), horizon=4).train
    with pytest.raises(ValueError, match="moves angle, velocity together, and only angle is"):
        Residual(scheme="midpoint").ready(windows)
    with pytest.raises(Mistake, match="above 0"):
        build(TERMS["simulator"] | {"temperature": 0.0}, path="loss")


def test_a_simulator_says_where_it_can_not_go():
    windows = windows_of(SWING)
    with pytest.raises(ValueError, match="keeps no privileged states"):
        plain = replace(windows, panel=replace(windows.panel, privileged=None))
        Simulator(state="privileged")(plain)
    assert isinstance(windows.panel, Panel)
    at_rest = solved(Pendulum(pull=3.0), np.zeros((1, 2)), np.array([1.0]), windows.panel.space)
    np.testing.assert_array_equal(at_rest, 0)
