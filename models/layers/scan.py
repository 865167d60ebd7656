"""A linear recurrence with a diagonal: x_t = a_t x_{t−1} + b_t from x_0 = 0, a, b, x (…, t, p).

Row by row, or by doubling: (a, b) then (a′, b′) is (a′ a, a′ b + b′), which is associative, so that
⌈log₂ t⌉ passes over all rows do. On a CPU a loop is as fast and needs less memory; on a GPU
each of its steps would wait for a launch. Kogge & Stone, A parallel algorithm for the efficient
solution of a general class of recurrence equations, IEEE Transactions on Computers C-22 (1973).
"""

import torch
from torch import Tensor


def scan(a: Tensor, b: Tensor) -> Tensor:
    """The states, as the device of `b` likes to have them found; `a` is broadcast to `b`."""
    return loop(a, b) if b.device.type == "cpu" else doubling(a, b)


def loop(a: Tensor, b: Tensor) -> Tensor:
    """Row by row."""
    states = [b[..., 0, :]]
    for factor, added in zip(a.expand_as(b).unbind(-2)[1:], b.unbind(-2)[1:], strict=True):
        states.append(factor * states[-1] + added)
    return torch.stack(states, -2)


def doubling(a: Tensor, b: Tensor) -> Tensor:
    """All rows at once: each looks 1, 2, 4, … rows back."""
    a, back = a.expand_as(b), 1
    while back < b.shape[-2]:
        b = torch.cat(
            [b[..., :back, :], a[..., back:, :] * b[..., :-back, :] + b[..., back:, :]], -2
        )
        a = torch.cat([a[..., :back, :], a[..., back:, :] * a[..., :-back, :]], -2)
        back *= 2
    return b
