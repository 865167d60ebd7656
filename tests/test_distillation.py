"""What a teacher says: from a simulator, from a kept run; its forms, and that nothing leaks."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.mechanics import pendulum
from stsfm.datasets.panel import Forecast
from stsfm.datasets.protocols.rolling import rolling
from stsfm.job import cut
from stsfm.losses.distillation import Distillation, Lessons
from stsfm.losses.teachers import Simulator
from stsfm.teachers import Kept

SWING, NOISY = (
    pendulum(length=120, dt=0.1, nodes=2, pull=3.0, amplitude=[0.5, 2.5], noise=noise, seed=0)
    for noise in (0.0, 0.1)
)


def windows_of(panel):
    return rolling(panel, horizon=4).train.look_back(3).whole()


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
        gaps.append(abs(grad - limit).max().item())
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
    windows = windows_of(NOISY)
    back, rows = windows.transform.inverse, windows.origins[:, None] + np.arange(4)
    truth = NOISY.privileged[rows]
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
    stamps, like = torch.as_tensor(some.futures().time[:, 0]), torch.zeros((), dtype=torch.float64)
    said = lessons.about(stamps, like)
    np.testing.assert_allclose(said.point, some.futures().values, atol=1e-5)
    with pytest.raises(ValueError, match="none of them"):
        lessons.about(stamps + 1, like)
    never = lambda windows: Forecast(point=np.full((len(windows), 4, 2, 2), np.nan))  # noqa: E731
    with pytest.raises(FloatingPointError, match="point is not finite"):
        Lessons.of(never, windows)


def test_what_is_privileged_moves_the_teacher_alone():
    split = rolling(NOISY, horizon=5)
    words = ["model=gru", "+loss/term=simulator", "loss.terms.simulator.teacher.state=privileged"]
    config = compose.config([*words, "model.hidden=4", "model.context=3", "trainer.epochs=2"])
    fitted, other = (
        build_model(config["model"], lambda row: None, {"calibration": 0}) for _ in range(2)
    )
    fitted.fit(split.train, split.val)
    past, future = split.train.look_back(3).whole().take(slice(None))
    without = replace(past, privileged=np.zeros_like(past.privileged))
    assert np.array_equal(
        fitted.predict(past, future.blank()).point, fitted.predict(without, future.blank()).point
    )
    blind = replace(split.train.panel, privileged=NOISY.privileged[: len(split.train.panel)] * 0)
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


def test_a_simulator_says_where_it_can_not_go():
    windows = windows_of(SWING)
    with pytest.raises(ValueError, match="keeps no privileged states"):
        plain = replace(windows, panel=replace(windows.panel, privileged=None))
        Simulator(state="privileged")(plain)
    with pytest.raises(ValueError, match="pasts end in rows with gaps"):
        mask = windows.panel.mask.copy()
        mask[20] = False
        gaps = replace(windows.panel, mask=mask, values=windows.panel.values * mask)
        Simulator(state="observed")(replace(windows, panel=gaps))
    with pytest.raises(ValueError, match="above 0"):
        distillation(0.0, matched=True)
