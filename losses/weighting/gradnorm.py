"""Weights by the pull of each term on the net: what learns slowly pulls harder.

With W the last layer that all terms reach, gᵢ = ‖∇_W Lᵢ‖, Gᵢ = wᵢ gᵢ, and rᵢ the loss of a term
over its first, relative to the mean of these over the terms,

    target  Gᵢ* = mean(G) rᵢ^α
    step    wᵢ ← wᵢ (Gᵢ* / Gᵢ)^rate,  then wᵢ ← m wᵢ / Σ w

It costs one extra backward per term, down to W. The rest of the step is as in the paper, where Adam
descends Σ |Gᵢ − Gᵢ*|: the minimum is the same, the product keeps w above zero and comes to rest.
A term without a gradient there is left alone. Where no layer is reached by all, W is all of the
net. The m factors multiply the weights of the loss.

Chen, Badrinarayanan, Lee & Rabinovich, GradNorm: gradient normalization for adaptive loss balancing
in deep multitask networks, ICML (2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from stsfm.losses.weighting.balance import Balance, Moving
from stsfm.losses.weighting.base import Active, Weighting

LEAST = 1e-12  # of what others are divided by


@dataclass(frozen=True, kw_only=True)
class GradNorm(Weighting):
    """Gradient norms in proportion to how far each term lags behind."""

    alpha: float
    rate: float

    def __post_init__(self) -> None:
        if self.alpha < 0:
            raise ValueError(f"alpha must be at least 0, got {self.alpha}")
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate must lie within 0 … 1, got {self.rate}")

    def start(self, active: Active, epochs: int, net: nn.Module) -> Balance:
        return _GradNorm(active, self, net)


@final
class _GradNorm(Moving):
    first: Tensor  # (m,) losses of the first batch; NaN before any

    def __init__(self, active: Active, rule: GradNorm, net: nn.Module) -> None:
        super().__init__(active)
        self.rule = rule
        self.layers = [  # the parameters of each layer; a list: they are the net's, not its own
            found
            for layer in net.modules()
            if (found := [p for p in layer.parameters(recurse=False) if p.requires_grad])
        ]
        self.shared: list[nn.Parameter] = []
        self.register_buffer("first", torch.full((len(self.free),), torch.nan))

    def move(self, means: Mapping[str, Tensor]) -> None:
        losses = [means[name] for name in self.free]
        now = self.measured(means)
        if self.first.isnan().any():
            self.first.copy_(now)
        self.shared = self.shared or self._reached(losses)
        pull = self.everywhere(torch.stack([_norm(loss, self.shared) for loss in losses]))
        lag = now / self.first.clamp(min=LEAST)
        lag = lag / lag.mean().clamp(min=LEAST)
        norms = self.factors * pull
        pulls = norms > LEAST
        if pulls.sum() < 2:
            return
        targets = norms[pulls].mean() * lag.clamp(min=LEAST) ** self.rule.alpha
        moved = self.factors * torch.where(pulls, targets / norms.clamp(min=LEAST), 1) ** (
            self.rule.rate
        )
        self.factors.copy_(len(moved) * moved / moved.sum())

    def _reached(self, losses: Sequence[Tensor]) -> list[nn.Parameter]:
        """The last layer that every term reaches, else all of the net."""
        every = [parameter for layer in self.layers for parameter in layer]
        hit = [_gradients(loss, every) for loss in losses]
        reached = {id(p) for k, p in enumerate(every) if all(found[k] is not None for found in hit)}
        shared = [layer for layer in self.layers if any(id(p) in reached for p in layer)]
        return shared[-1] if shared else every


def _gradients(loss: Tensor, parameters: Sequence[Tensor]) -> Sequence[Tensor | None]:
    if not loss.requires_grad:
        return [None] * len(parameters)
    return torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)


def _norm(loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    found = [g.detach().float().norm() for g in _gradients(loss, parameters) if g is not None]
    return torch.stack(found).norm() if found else loss.new_zeros(())
