"""Training through the product against plain torch, and gathering windows against a DataLoader."""

from __future__ import annotations

from functools import partial

import plain
import torch
from clock import here, paired, report
from torch.utils.data import DataLoader, Dataset

from stsfm.datasets.airline import airline
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.synthetic import sines
from stsfm.datasets.windows import RollingWindows
from stsfm.losses.base import Loss
from stsfm.losses.point import Huber
from stsfm.models.neural import Neural
from stsfm.models.recurrent import LSTM
from stsfm.models.settings import Hardware, Trainer

EPOCHS = 150  # about what a run takes until it stops early


def product(batch: int) -> None:
    """LSTM(64) on airline, as `stsfm run model=lstm` fits it, without stopping early."""
    split = rolling(airline())
    trainer = Trainer(
        epochs=EPOCHS, patience=None, batch_size=batch, lr=0.01, schedule="constant", clip=1.0,
        accumulate=1, optimizer=partial(torch.optim.AdamW, weight_decay=0.0),
        checkpoint_seconds=10, update_epochs=1,
    )  # fmt: skip
    hardware = Hardware(
        accelerator="cpu", devices=1, nodes=1, strategy="auto", precision="32-true", threads=1
    )
    net = partial(LSTM, hidden=plain.HIDDEN, layers=1, dropout=0.0, normalise="mean")
    loss = Loss(terms={"task": Huber(delta=1.0)}, weights={"task": 1.0})
    Neural(
        net, context=plain.CONTEXT, seed=1, loss=loss, trainer=trainer, hardware=hardware
    ).fit(split.train, split.val)  # fmt: skip


class PerItem(Dataset):
    """What everybody writes: a window cut in Python for every item, then collated."""

    def __init__(self, windows: RollingWindows) -> None:
        self.panel, self.starts = windows.panel, (windows.origins - windows.context).tolist()
        self.context, self.horizon = windows.context, windows.horizon

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, ...]:
        start, panel = self.starts[i], self.panel
        middle, stop = start + self.context, start + self.context + self.horizon
        arrays = (panel.values, panel.mask, panel.time, panel.known)
        return *(a[start:middle] for a in arrays), *(a[middle:stop] for a in arrays)


def gather() -> bool:
    """An epoch in batches of 32: windows of 96 + 24 rows × 8 nodes, the same arrays."""
    panel = sines(length=4000, nodes=8, periods=[24], amplitudes=[1.0], noise=0.1, seed=0)
    train = rolling(panel).train.look_back(96).whole().map(torch.as_tensor)
    loader = DataLoader(PerItem(train), batch_size=32, shuffle=True)

    def taken() -> None:
        for rows in torch.randperm(len(train)).split(32):
            train.take(rows)

    ratio, _, _ = paired(here(lambda: list(loader)), here(taken))
    return report("take, times faster than per-item Dataset + collate", ratio, 5, least=True)


def main() -> bool:
    torch.set_num_threads(1)
    y, kept = plain.series(), []
    for batch, bound in ((16, 1.25), (49, 1.2)):
        ratio, ours, theirs = paired(
            here(partial(product, batch)),
            here(partial(plain.fit, y, batch=batch, epochs=EPOCHS)),
            rounds=11,
        )
        what = f"training LSTM(64) on airline, batch {batch}" + " (full)" * (batch == 49)
        per = f"({1e3 * ours / EPOCHS:.2f} against {1e3 * theirs / EPOCHS:.2f} ms an epoch)"
        kept.append(report(what, ratio, bound, more=per))
    return all([*kept, gather()])


if __name__ == "__main__":
    raise SystemExit(not main())
