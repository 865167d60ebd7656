"""What the forecasts of a net in training cost: by all terms on a batch, by its task on validation.

A net is judged by its unweighted task alone, whatever the weights come to: so that trainings by
different weights can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import Window
from stsfm.losses.base import Loss, Step
from stsfm.losses.weighting.balance import Balance
from stsfm.models.batches import Batches, Panels


@dataclass(frozen=True, eq=False)
class Pricing:
    """A net, the terms that price it, and their weights."""

    net: nn.Module
    loss: Loss
    balance: Balance
    transform: Transform

    def batch(self, panels: Panels, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum to be descended, and what is logged: it, and its terms if several.

        progress  batches before this one, told to a net that learns by a forward of its own
        """
        past, future, blank = panels
        guided = getattr(self.net, "training_forward", None)
        forecast = self.net(past, blank) if guided is None else guided(
            Window(past, future), progress
        )  # fmt: skip
        means = self.loss.means(self._step(panels, forecast))
        value = self.balance.total(means)
        named = {f"train_{name}": mean for name, mean in means.items()} if len(means) > 1 else {}
        return value, {"train": value, **named}

    @torch.inference_mode()
    def task(self, windows: Batches) -> float:
        """The pooled error of the task; NaN where nothing is observed."""
        self.net.eval()
        value = weight = torch.zeros((), device=windows.device)
        for panels in windows.chunks():
            past, _, blank = panels
            cost = self.loss.terms["task"](self._step(panels, self.net(past, blank)))
            value = value + (cost.value * cost.weight).sum()
            weight = weight + cost.weight.sum()
        self.net.train()
        return float(value / weight)

    def weights(self) -> dict[str, float]:
        """The weight of each term by now, as it is logged; {} for one term alone."""
        weights = self.balance.weights()
        return {f"weight_{name}": x for name, x in weights.items()} if len(weights) > 1 else {}

    def _step(self, panels: Panels, forecast: Forecast) -> Step:
        past, future, _ = panels
        return Step(
            past=past, future=future, forecast=forecast, transform=self.transform, net=self.net
        )
