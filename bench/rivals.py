"""An optimiser step of one LSTM in three libraries, each against plain torch in the same process.

Architecture, batch and window are the same: 64 units over 96 rows of one series, 24 rows ahead by a
linear map, 32 windows a step, mean squared error, Adam. (neuralforecast maps each of the last 24
states to a value, the others the last state to all 24; the recurrence is what costs.) The cost of a
step is the difference of a long and a short training, so that no side pays for its start. Machines
cancel out: what is printed is a ratio to the plain loop, and libraries compare by these.

Each library has an environment of its own; torch first, for the CPU:

    python -m venv darts && darts/bin/pip install torch==2.13.0
    darts/bin/pip install darts pytorch-lightning && darts/bin/python rivals.py darts
    python -m venv nf && nf/bin/pip install torch==2.13.0
    nf/bin/pip install neuralforecast && nf/bin/python rivals.py neuralforecast

and `python rivals.py stsfm` where stsfm is. A rival that takes less than 1.4 times stsfm's ratio
breaks the bound of this project.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import chdir
from functools import partial

import numpy as np
import torch
from clock import here, paired

CONTEXT, HORIZON, HIDDEN, BATCH, RATE = 96, 24, 64, 32, 0.001
STEPS = 30  # of an epoch
SHORT, LONG = 1, 4  # epochs
ROWS = STEPS * BATCH + CONTEXT + HORIZON - 1  # so many have STEPS · BATCH windows
WITHOUT = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False,
           "enable_model_summary": False, "accelerator": "cpu", "devices": 1}  # fmt: skip


def series() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.sin(np.arange(ROWS) / 24 * 2 * np.pi) + 0.1 * rng.standard_normal(ROWS)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(1, HIDDEN, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, HORIZON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x[..., None])[0][:, -1])


def plain(epochs: int) -> None:
    y, net = torch.tensor(series(), dtype=torch.float32), Net()
    windows = y.unfold(0, CONTEXT + HORIZON, 1).contiguous()
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    for _ in range(epochs):
        for rows in torch.randperm(len(windows)).split(BATCH):
            part = windows[rows]
            loss = torch.nn.functional.mse_loss(net(part[:, :CONTEXT]), part[:, CONTEXT:])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()


def stsfm(epochs: int) -> None:
    from stsfm.datasets.panel import About, Panel
    from stsfm.datasets.windows import RollingWindows
    from stsfm.losses.base import Loss
    from stsfm.losses.point import MSE
    from stsfm.models.neural import Neural
    from stsfm.models.recurrent import LSTM
    from stsfm.models.settings import Hardware, Trainer

    values = series()[:, None, None]
    about = About(name="sines", nodes=("a",), channels=("y",), season=24)
    panel = Panel(
        values=values, mask=np.ones(values.shape, bool), time=np.arange(ROWS), about=about
    )
    origins = np.arange(CONTEXT, ROWS - HORIZON + 1)
    windows = RollingWindows(panel=panel, origins=origins, horizon=HORIZON)
    trainer = Trainer(
        epochs=epochs, patience=None, batch_size=BATCH, lr=RATE, schedule="constant", clip=None,
        accumulate=1, optimizer=torch.optim.Adam, checkpoint_seconds=None, update_epochs=1,
    )  # fmt: skip
    hardware = Hardware(
        accelerator="cpu", devices=1, nodes=1, strategy="auto", precision="32-true", threads=1
    )
    net = partial(LSTM, hidden=HIDDEN, layers=1, dropout=0.0, normalise="none")
    loss = Loss(terms={"task": MSE()})
    Neural(net, context=CONTEXT, seed=1, loss=loss, trainer=trainer, hardware=hardware).fit(
        windows, windows.subset(slice(0, 0))
    )


def darts(epochs: int) -> None:
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    model = BlockRNNModel(
        input_chunk_length=CONTEXT, output_chunk_length=HORIZON, model="LSTM", hidden_dim=HIDDEN,
        n_rnn_layers=1, batch_size=BATCH, n_epochs=epochs, optimizer_kwargs={"lr": RATE},
        pl_trainer_kwargs=WITHOUT,
    )  # fmt: skip
    model.fit(TimeSeries.from_values(series().astype(np.float32)))


def neuralforecast(epochs: int) -> None:
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MSE
    from neuralforecast.models import LSTM

    model = LSTM(
        h=HORIZON, input_size=CONTEXT, encoder_n_layers=1, encoder_hidden_size=HIDDEN,
        decoder_layers=1, decoder_hidden_size=HIDDEN, loss=MSE(), max_steps=epochs * STEPS,
        learning_rate=RATE, batch_size=1, windows_batch_size=BATCH, scaler_type="identity",
        **WITHOUT,
    )  # fmt: skip
    days = pd.date_range("2000-01-01", periods=ROWS, freq="h")
    frame = pd.DataFrame({"unique_id": "a", "ds": days, "y": series().astype(np.float32)})
    NeuralForecast(models=[model], freq="h").fit(frame)


def cost(train: Callable[[int], None]) -> Callable[[], float]:
    """CPU seconds of the steps that a long training has more than a short one."""
    short, long = (here(partial(train, epochs)) for epochs in (SHORT, LONG))
    return lambda: long() - short()


def main(name: str) -> None:
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    side = {"stsfm": stsfm, "darts": darts, "neuralforecast": neuralforecast}[name]
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        ratio, theirs, bare = paired(cost(side), cost(plain), rounds=3)
    per = 1e3 / (STEPS * (LONG - SHORT))
    more = f"({theirs * per:.2f} against {bare * per:.2f} ms a step)"
    print(f"{name:16} {ratio:6.2f} × plain torch   {more}")


if __name__ == "__main__":
    main(*sys.argv[1:])
