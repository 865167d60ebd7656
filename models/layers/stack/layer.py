"""One layer of a stack: a code, and the way back from it.

    z = σ(Wᵀ x − b),    r(z) = V z + c        x (n), z (m), W and V (n, m), V = W where tied

A vae layer's code is drawn while it is trained: z = μ + s ∘ e, μ = σ(Wᵀ x − b), log s² = Uᵀ x + u,
e ~ N(0, I); afterwards z = μ. Hinton & Salakhutdinov, Reducing the dimensionality of data with
neural networks, Science 313 (2006); Kingma & Welling, Auto-encoding variational Bayes, ICLR (2014).
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from stsfm.models.layers.stack.plan import Plan
from stsfm.models.layers.stack.weights import Dense, Tucker

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
}
QUIET = -4.0  # log s² of a new vae layer: little noise at first


class Posterior(NamedTuple):
    """What a vae layer believes of its code: both (…, m)."""

    mean: Tensor
    log_variance: Tensor


class Layer(nn.Module):
    """`shape` is that of its inputs, which come flat; `number` counts from 1, for errors."""

    def __init__(self, plan: Plan, shape: tuple[int, ...], number: int) -> None:
        super().__init__()
        self.plan, self.number = plan, number
        self.weight = self._matrix(shape, hard=plan.constraint == "hard")
        self.shape = self.weight.shape[1]
        n, m = prod(shape), prod(self.shape)
        self.activation = ACTIVATIONS[plan.activation]()
        self.bias, self.centre = nn.Parameter(torch.zeros(m)), nn.Parameter(torch.zeros(n))
        self.way_back = None if plan.tied else self._matrix(shape, hard=False)
        self.log_variance = nn.Linear(n, m) if plan.type == "vae" else None
        if self.log_variance is not None:
            nn.init.zeros_(self.log_variance.weight)
            nn.init.constant_(self.log_variance.bias, QUIET)

    def encode(self, x: Tensor) -> Tensor:
        """(…, n) → (…, m); of a vae layer the mean."""
        return self.activation(self.weight(x) - self.bias)

    def posterior(self, x: Tensor) -> Posterior | None:
        """What a vae layer believes; None of other layers."""
        if self.log_variance is None:
            return None
        return Posterior(self.encode(x), self.log_variance(x))

    def decode(self, z: Tensor) -> Tensor:
        """(…, m) → (…, n)."""
        return (self.weight if self.way_back is None else self.way_back).back(z) + self.centre

    def _matrix(self, shape: tuple[int, ...], *, hard: bool) -> Dense | Tucker:
        kind, size, inputs = self.plan.type, self.plan.size, prod(shape)
        if kind == "multilinear":
            return Tucker(shape, self._tensor(shape), hard=hard)
        if size is not None and not isinstance(size, int):
            raise ValueError(f"layer {self.number} is {kind}: its size is a number, got {size}")
        outputs = inputs if size is None else size
        if outputs < 1 or (kind == "pca" and outputs > inputs):
            most = f" … {inputs}" if kind == "pca" else " or more"
            raise ValueError(f"layer {self.number} is {kind} of {inputs} numbers: its size can be "
                             f"1{most}, got {outputs}")  # fmt: skip
        if kind == "metric" and outputs != inputs:
            raise ValueError(f"layer {self.number} is metric, which keeps its {inputs} numbers: "
                             f"its size is {inputs} or null, got {outputs}")  # fmt: skip
        return Dense(kind, inputs, outputs, hard=hard)

    def _tensor(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes of a core, each no larger than its axis."""
        size = self.plan.size
        if len(shape) != 3:
            raise ValueError(f"layer {self.number} is multilinear and needs time × node × channel: "
                             "put it first, or behind another multilinear one")  # fmt: skip
        if isinstance(size, int) or (size is not None and len(size) != 3):
            raise ValueError(f"layer {self.number} is multilinear: its size is [time, node, "
                             f"channel], at most {list(shape)}, got {size}")  # fmt: skip
        outputs = shape if size is None else tuple(size)
        if any(not 1 <= m <= n for m, n in zip(outputs, shape, strict=True)):
            raise ValueError(f"layer {self.number} is multilinear over {list(shape)}: its size can "
                             f"be no larger, got {list(outputs)}")  # fmt: skip
        return outputs
