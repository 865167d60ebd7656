"""Every preset term of a loss: 0 where it must be, gradients that are true, never below 0."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stsfm import compose, options
from stsfm.build import build

NAMES = options.groups()["loss/term"]


def made(name):
    config = compose.config(["model=superposition", f"+loss/term={name}"])
    return build(config["loss"]["terms"][name], path=f"loss.terms.{name}")


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
    term = made(name)
    assert float(term(type(term).zero_case()).mean()) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_elsewhere_it_costs_something_and_its_gradient_is_true(name):
    term = made(name)
    step = type(term).zero_case()
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
