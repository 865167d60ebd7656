"""Every preset term of a loss: 0 where it must be, gradients that are true, never below 0.

And a loss whose other weights are 0 is its task, bit for bit.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stsfm import compose, options
from stsfm.build import build, build_loss, build_model
from stsfm.losses.distillation import Distillation, Lessons
from stsfm.losses.teachers import Simulator
from stsfm.mistakes import Mistake
from stsfm.subject import split_of, toy

NAMES = options.groups()["loss/term"]


def made(name):
    """The term of a preset, and its zero case; a teacher says what is said there."""
    config = compose.config(["model=superposition", f"+loss/term={name}"])["loss"]["terms"][name]
    if config.get("teacher") == "":
        config["teacher"] = Simulator(state="observed")  # as good as any run
    term = build(config, path=f"loss.terms.{name}")
    step = type(term).zero_case()
    if isinstance(term, Distillation):
        stamps = step.future.time[:, 0].contiguous()
        term = replace(term, lessons_=Lessons(stamps=stamps, forecast=step.forecast))
    return term, step


def leaves(thing):
    """The real tensors in what a net publishes."""
    if torch.is_tensor(thing):
        return [thing] if thing.is_floating_point() else []
    if isinstance(thing, dict):
        thing = list(thing.values())
    return [x for inner in thing for x in leaves(inner)] if isinstance(thing, list | tuple) else []


def put(thing, tensors):
    """The same structure, of other tensors."""
    if torch.is_tensor(thing):
        return next(tensors) if thing.is_floating_point() else thing
    if isinstance(thing, dict):
        return {name: put(inner, tensors) for name, inner in thing.items()}
    if isinstance(thing, list | tuple):
        inner = [put(x, tensors) for x in thing]
        return inner if isinstance(thing, list) else tuple(inner)
    return thing


def moved(step, tensors):
    """The step with another forecast and other parts."""
    point, *rest = tensors
    parts = put(dict(step.forecast.parts), iter(rest))
    return replace(step, forecast=replace(step.forecast, point=point, parts=parts))


@pytest.mark.parametrize("name", NAMES)
def test_its_zero_case_costs_nothing(name):
    term, step = made(name)
    assert float(term(step).mean()) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_elsewhere_it_costs_something_and_its_gradient_is_true(name):
    term, step = made(name)
    noise = torch.Generator().manual_seed(3)
    start = [
        (x + 0.2 * torch.randn(x.shape, generator=noise, dtype=x.dtype)).requires_grad_()
        for x in [step.forecast.point, *leaves(dict(step.forecast.parts))]
    ]

    def cost(*tensors):
        return term(moved(step, tensors)).mean()

    assert 1e-4 < float(cost(*start).detach()) < 100
    assert torch.autograd.gradcheck(cost, start)


def test_every_term_has_a_preset():
    home = Path(options.FOLDER) / "loss/term"
    named = "".join(file.read_text() for file in home.glob("*.yaml"))
    for file in (home.parents[2] / "losses/structure").glob("*.py"):
        if file.stem not in ("base", "pairs"):
            assert f"losses.structure.{file.stem}." in named


def test_terms_of_weight_0_change_no_bit_of_a_training():
    names = [name for name in NAMES if name != "distillation"]  # whose teacher is to be named
    more = [f"+loss/term=[{','.join(names)}]", *(f"loss.weights.{name}=0" for name in names)]
    split, made = split_of(toy()), []
    for words in ([], more, [*more, "loss.weights.reconstruction=0.1"]):
        config = compose.config(["model=superposition", "loss=mse", "trainer.epochs=2", *words])
        config = config["model"] | {"context": 12}
        model = build_model(config, lambda row: None, {"calibration": 0})
        made.append(model.fit(split.train, split.val).backtest(split.test).point)
    plain, none, some = made
    assert np.array_equal(plain, none) and not np.array_equal(plain, some)


@pytest.mark.parametrize(
    ("weight", "said"),
    [("-1", "physics must be 0 or more"), ("much", "physics: wanted a number, got 'much'")],
)
def test_a_weight_is_a_number_of_0_or_more(weight, said):
    words = ["model=gru", "data=pendulum", "+loss/term=physics", f"loss.weights.physics={weight}"]
    with pytest.raises(Mistake, match=rf"weights\.{said}"):
        build_loss(compose.config(words)["loss"])
