"""The learning rate of each epoch is what trainer.schedule says, in a fit and in an update."""

import math

import pytest
import torch

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.airline import airline
from stsfm.datasets.protocols.rolling import rolling

LR, EPOCHS = 0.01, 5
RATES = {
    "constant": [LR] * EPOCHS,
    "halve": [LR, LR, LR / 2, LR / 4, LR / 8],
    "cosine": [LR * (1 + math.cos(math.pi * k / EPOCHS)) / 2 for k in range(EPOCHS)],
}


@pytest.fixture
def seen(monkeypatch):
    """The rates that an optimiser has stepped with, each once in a row."""
    rates, step = [], torch.optim.SGD.step

    def spied(self, *args, **kwargs):
        (group,) = self.param_groups
        if rates[-1:] != [group["lr"]]:
            rates.append(group["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.SGD, "step", spied)
    return rates


def once(rates):
    return [rate for k, rate in enumerate(rates) if k == 0 or rate != rates[k - 1]]


@pytest.mark.parametrize("schedule", RATES)
def test_every_step_has_the_rate_of_its_epoch_and_an_update_begins_anew(schedule, seen):
    words = ["model=nlinear", "model.context=24", f"trainer.schedule={schedule}",
             f"trainer.lr={LR}", f"trainer.epochs={EPOCHS}", "trainer.patience=null",
             "trainer.update_epochs=3", "trainer.optimizer._target_=torch.optim.SGD"]  # fmt: skip
    rows, split = [], rolling(airline(), calibration=0)
    model = build_model(compose.config(words)["model"], rows.append, split.rules)
    model.fit(split.train, split.val)
    assert [row["lr"] for row in rows] == pytest.approx(RATES[schedule], abs=1e-15)
    assert seen == pytest.approx(once(RATES[schedule]), abs=1e-15)
    seen.clear()
    model.update(split.train)
    anew = RATES[schedule][:3]
    if schedule == "cosine":  # it falls to 0 over the epochs that there are
        anew = [LR * (1 + math.cos(math.pi * k / 3)) / 2 for k in range(3)]
    assert seen == pytest.approx(once(anew), abs=1e-15)
