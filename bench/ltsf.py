"""DLinear, 336 → 96, batch 32, on a panel of ETTh1's shape: an epoch against plain torch.

The plain loop holds every window in two tensors (264 MB) and does to them what the product does:
the same net, loss, clipping, optimiser, validation after each epoch and best copy. Values decide no
speed, so they are drawn.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from clock import here, paired, report
from torch import nn
from torch.utils.data import DataLoader
from training import PerItem

from stsfm.datasets.panel import About, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.split import Split
from stsfm.losses.base import Loss
from stsfm.losses.point import MSE
from stsfm.models.batches import as_tensor
from stsfm.models.ltsf_linear import DLinear
from stsfm.models.neural import Neural
from stsfm.models.settings import Hardware, Trainer

ROWS, VAL, TEST = 14_400, 8_640, 11_520  # ETTh1's months: 12, 4 and 4 of 30 days
SERIES, CONTEXT, HORIZON, KERNEL, BATCH = 7, 336, 96, 25, 32
EPOCHS = 4


def split() -> Split:
    """Seven random walks, an hour apart."""
    steps = np.random.default_rng(0).standard_normal((ROWS, SERIES, 1))
    about = About(name="walks", nodes=tuple("abcdefg"), channels=("y",), season=24, step="hour")
    panel = Panel(
        values=steps.cumsum(0),
        mask=np.ones(steps.shape, bool),
        time=np.arange(ROWS) * 3_600 * 10**9,
        about=about,
    )
    return rolling(panel, horizon=HORIZON, val=VAL, test=TEST, transform="none")


def product(made: Split) -> None:
    trainer = Trainer(
        epochs=EPOCHS, patience=None, batch_size=BATCH, lr=0.001, schedule="constant", clip=1.0,
        accumulate=1, optimizer=partial(torch.optim.AdamW, weight_decay=0.0),
        checkpoint_seconds=None, update_epochs=1,
    )  # fmt: skip
    hardware = Hardware(
        accelerator="cpu", devices=1, nodes=1, strategy="auto", precision="32-true", threads=1
    )
    net = partial(DLinear, kernel=KERNEL, normalise="none")
    loss = Loss(terms={"task": MSE()})
    model = Neural(net, context=CONTEXT, seed=1, loss=loss, trainer=trainer, hardware=hardware)
    model.fit(made.train, made.val)


class Plain(nn.Module):
    """One map from what remains and the trend, series by series: (b, t, c) → (b, h, c)."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * CONTEXT, HORIZON)

    def forward(self, past: torch.Tensor) -> torch.Tensor:
        x, side = past.transpose(1, 2), KERNEL // 2
        first, last = x[..., :1].expand(-1, -1, side + 1), x[..., -1:].expand(-1, -1, side)
        total = torch.cat([first, x, last], -1).cumsum(-1)
        trend = (total[..., KERNEL:] - total[..., :-KERNEL]) / KERNEL
        return self.linear(torch.cat([x - trend, trend], -1)).transpose(1, 2)


def tensors(values: np.ndarray, origins: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """All windows, laid out as a careful user lays them."""
    series = torch.tensor(values[..., 0], dtype=torch.float32)
    past = torch.stack([series[t - CONTEXT : t] for t in origins.tolist()])
    return past, torch.stack([series[t : t + HORIZON] for t in origins.tolist()])


def plain(train: tuple[torch.Tensor, torch.Tensor], val: tuple[torch.Tensor, torch.Tensor]) -> None:
    torch.manual_seed(1)
    net, loss = Plain(), nn.functional.mse_loss
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.001, weight_decay=0.0)
    best, kept = float("inf"), {}
    for _ in range(EPOCHS):
        total = 0.0
        for rows in torch.randperm(len(train[0])).split(BATCH):
            value = loss(net(train[0][rows]), train[1][rows])
            value.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            total += float(value.detach()) * len(rows)
        net.eval()
        with torch.inference_mode():
            parts = zip(val[0].split(256), val[1].split(256), strict=True)
            error = sum(float(loss(net(x), y)) * len(x) for x, y in parts)
        net.train()
        if error < best:
            best, kept = error, {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(kept)


def main() -> bool:
    torch.set_num_threads(1)
    made = split()
    train = made.train.look_back(CONTEXT).whole()
    theirs = [tensors(part.panel.values, part.origins) for part in (train, made.val)]
    ratio, our, their = paired(
        here(partial(product, made)), here(partial(plain, *theirs)), rounds=7
    )
    per = f"({1e3 * our / EPOCHS:.0f} against {1e3 * their / EPOCHS:.0f} ms an epoch)"
    kept = report("training DLinear 336 → 96, batch 32", ratio, 1.05, more=per)
    near = train.map(partial(as_tensor, device=torch.device("cpu")))
    loader = DataLoader(PerItem(near), batch_size=BATCH, shuffle=True)

    def taken() -> None:
        for rows in torch.randperm(len(near)).split(BATCH):
            near.take(rows)

    ratio, _, _ = paired(here(lambda: list(loader)), here(taken), rounds=3)
    what = "take of 336 + 96 rows × 7, times faster than collate"
    return kept & report(what, ratio, 5, least=True)


if __name__ == "__main__":
    raise SystemExit(not main())
