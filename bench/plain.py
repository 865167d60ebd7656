"""The baseline: an LSTM on the airline series in plain torch, with all that a careful user writes.

It validates every epoch, clips, and keeps the best copy. Architecture, windows, batches, loss and
epochs are the product's.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import nn

CONTEXT, HORIZON, HIDDEN = 24, 12, 64


def windows(y: np.ndarray, first: int, last: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Origins first … last of a series, relative to the mean of their past."""
    past = np.stack([y[t - CONTEXT : t] for t in range(first, last + 1)])
    future = np.stack([y[t : t + HORIZON] for t in range(first, last + 1)])
    level = past.mean(1, keepdims=True)
    tensors = (torch.tensor(x, dtype=torch.float32) for x in (past - level, future - level))
    return tuple(tensors)  # type: ignore[return-value]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(1, HIDDEN, batch_first=True), nn.Linear(HIDDEN, HORIZON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x[..., None])[0][:, -1])


def fit(y: np.ndarray, *, batch: int, epochs: int, lr: float = 0.01) -> float:
    """Train on rows before 84, validate on the 13 origins after; the best validation error."""
    torch.manual_seed(1)
    (x, target), (vx, vy) = windows(y, CONTEXT, 72), windows(y, 84, 96)
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.0)
    best, kept = float("inf"), {}
    for _ in range(epochs):
        order = torch.randperm(len(x))
        total = 0.0
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            loss = nn.functional.huber_loss(net(x[rows]), target[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            total += float(loss.detach()) * len(rows)
        net.eval()
        with torch.inference_mode():
            val = float(nn.functional.huber_loss(net(vx), vy))
        net.train()
        if val < best:
            best, kept = val, {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(kept)
    return best


def series() -> np.ndarray:
    """The airline series as the product sees it: log, standardised on the training rows."""
    from stsfm.datasets.airline import airline

    y = np.log(airline().values[:, 0, 0])
    return (y - y[:84].mean()) / y[:84].std()


if __name__ == "__main__":
    import lightning.pytorch  # noqa: F401  the main job needs it, so its baseline pays for it too

    torch.set_num_threads(1)
    print(fit(series(), batch=int(sys.argv[1]), epochs=int(sys.argv[2])))
