"""A linear recurrence with a diagonal: x_t = a_t x_{t−1} + b_t from x_0 = 0, a, b, x (…, t, p).

Row by row, or by doubling: (a, b) then (a′, b′) is (a′ a, a′ b + b′), which is associative, so that
⌈log₂ t⌉ passes over all rows do. On a CPU a loop is as fast and needs less memory; on a GPU
each of its steps would wait for a launch. Kogge & Stone, A parallel algorithm for the efficient
solution of a general class of recurrence equations, IEEE Transactions on Computers C-22 (1973).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def scan(a: Tensor, b: Tensor) -> Tensor:
    """The states, as the device of `b` likes to have them found; `a` is broadcast to `b`."""
    return Scan.apply(a.expand_as(b), b)


class Scan(torch.autograd.Function):
    """Its gradient is a scan, too, from the last row to the first, with the conjugates of a."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        states = _states(a, b)
        ctx.save_for_backward(a, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, Tensor]:
        a, states = ctx.saved_tensors
        later = torch.roll(a.conj(), -1, -2)  # g_t = above_t + a*_{t+1} g_{t+1}
        grad = _states(later.flip(-2), above.flip(-2)).flip(-2)
        earlier = torch.cat([torch.zeros_like(states[..., :1, :]), states[..., :-1, :]], -2)
        return grad * earlier.conj(), grad


def _states(a: Tensor, b: Tensor) -> Tensor:
    return loop(a, b) if b.device.type == "cpu" else doubling(a, b)


def loop(a: Tensor, b: Tensor) -> Tensor:
    """Row by row."""
    states = b.clone()
    for now, before, factor in zip(
        states.unbind(-2)[1:], states.unbind(-2)[:-1], a.unbind(-2)[1:], strict=True
    ):
        now.addcmul_(factor, before)
    return states


def doubling(a: Tensor, b: Tensor) -> Tensor:
    """All rows at once: each looks 1, 2, 4, … rows back."""
    back = 1
    while back < b.shape[-2]:
        added = a[..., back:, :] * b[..., :-back, :] + b[..., back:, :]
        b = torch.cat([b[..., :back, :], added], -2)
        a = torch.cat([a[..., :back, :], a[..., back:, :] * a[..., :-back, :]], -2)
        back *= 2
    return b
