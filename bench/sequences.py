"""A training step of the state spaces against torch's LSTM, at equal parameters.

torch has its LSTM in one kernel, these are made of its parts: they pay for it in short windows and
win in long ones.
"""

from __future__ import annotations

from functools import partial

import torch
from clock import here, paired, report
from torch import nn

from stsfm.datasets.panel import About, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.recurrent import LSTM
from stsfm.models.s4d import S4D
from stsfm.models.s5 import S5

BATCH, HORIZON, STEPS, WIDTH = 16, 12, 5, 64
BOUNDS = {  # rows of past → the most that a step may take, in steps of the LSTM
    "S4D": {96: 3.0, 512: 1.0},
    "S5": {96: 2.0, 512: 1.0},
}


def nets(frame: Frame) -> dict[str, nn.Module]:
    """The LSTM has as many layers as a state space has blocks, and is as wide as its size asks."""
    torch.manual_seed(1)
    sizes = {"width": WIDTH, "states": 64, "layers": 2, "min_step": 1e-3, "max_step": 0.1}
    shared = {"dropout": 0.0, "normalise": "mean"}
    made: dict[str, nn.Module] = {
        "S4D": S4D(frame, start="lin", **sizes, **shared),
        "S5": S5(frame, groups=1, stamps=False, **sizes, **shared),
    }
    return made


def beside(frame: Frame, wanted: int) -> nn.Module:
    """The LSTM whose number of parameters is nearest."""
    every = (
        LSTM(frame, hidden=hidden, layers=2, dropout=0.0, normalise="mean")
        for hidden in range(16, 97)
    )
    return min(every, key=lambda net: abs(size(net) - wanted))


def size(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def steps(net: nn.Module, past: Panel, future: Panel) -> None:
    """Forward, backward and an update, a few times."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        net(past, future).point.square().mean().backward()
        optimizer.step()


def window(rows: int, start: int) -> Panel:
    values = torch.randn(BATCH, rows, 1, 1)
    about = About(name="noise", nodes=("a",), channels=("y",))
    time = torch.arange(start, start + rows).expand(BATCH, -1)
    mask = torch.ones(values.shape, dtype=torch.bool)
    return Panel(values=values, mask=mask, time=time, about=about)


def main() -> bool:
    torch.set_num_threads(1)
    kept = []
    for rows in (96, 512):
        frame = Frame(
            context=rows, horizon=HORIZON, nodes=1, channels=1, targets=(0,), covariates=0, step=1
        )
        past, future = window(rows, 0), window(HORIZON, rows).blank()
        for name, net in nets(frame).items():
            lstm = beside(frame, size(net))
            ratio, ours, theirs = paired(
                here(partial(steps, net, past, future)),
                here(partial(steps, lstm, past, future)),
                rounds=3,
            )
            what = f"{name}, a step over {rows} rows, in steps of torch's LSTM"
            more = (
                f"({1e3 * ours / STEPS:.1f} against {1e3 * theirs / STEPS:.1f} ms; "
                f"{size(net)} and {size(lstm)} parameters)"
            )
            kept.append(report(what, ratio, BOUNDS[name][rows], more=more))
    return all(kept)


if __name__ == "__main__":
    raise SystemExit(not main())
