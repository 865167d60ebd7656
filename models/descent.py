"""An epoch of gradient descent: a permutation of the windows, cut into batches.

It is decided by (seed, epoch) and the state of net, optimiser and weights; nothing here stops,
keeps or judges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stsfm.models.batches import Batches
from stsfm.models.pricing import Pricing
from stsfm.models.settings import Trainer


@dataclass(kw_only=True, eq=False)
class Descent:
    """Optimiser steps of one rank.

    progress  batches before the first epoch; infinite where a training goes on: what was to ramp
              has ramped
    backward  of a sum of gradients over ranks, where there are several
    """

    pricing: Pricing
    windows: Batches
    settings: Trainer
    optimizer: torch.optim.Optimizer
    seed: int
    progress: float
    rank: int
    ranks: int
    backward: Callable[[Tensor], None]

    def __post_init__(self) -> None:
        if self.ranks > 1:
            self.pricing.balance.everywhere = self._mean_over_ranks

    def epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the windows of this rank: means of the loss and of its terms, if several,
        and the weights that these have by then.

        FloatingPointError where the loss is not finite."""
        seed = self.seed * 1_000_003 + epoch
        self._reseed(seed)
        ramped = self.progress == math.inf
        self.pricing.balance.begin(self.settings.epochs if ramped else epoch, seed)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate(epoch)
        order = self.windows.order().to(self.windows.device)
        if self.ranks > 1:
            order = self._share(order)
        totals: dict[str, Tensor] = {}
        before = self.progress + (epoch - 1) * math.ceil(len(order) / self.settings.batch_size)
        for part in order.split(self.windows.chunk):
            for name, total in self._chunk(part, before).items():
                totals[name] = totals.get(name, 0) + total
            before += len(part) / self.settings.batch_size
        means = {name: float(total) / len(order) for name, total in totals.items()}
        if not abs(means["train"]) < float("inf"):
            raise FloatingPointError(
                f"the training loss is {means['train']} in epoch {epoch}; lower trainer.lr"
            )
        return means | self.pricing.weights()

    def _chunk(self, rows: Tensor, before: float) -> dict[str, Tensor]:
        """Optimiser steps over the batches of one gather; sums of the loss and of its terms."""
        settings, net = self.settings, self.pricing.net
        totals: dict[str, Tensor] = {}
        parts = rows.split(settings.batch_size)
        for k, (part, panels) in enumerate(zip(parts, self.windows.of(rows), strict=True), 1):
            value, means = self.pricing.batch(panels, before + k - 1)
            self._backward(value if settings.accumulate == 1 else value / settings.accumulate)
            if k % settings.accumulate == 0 or k == len(parts):
                if settings.clip is not None:
                    nn.utils.clip_grad_norm_(net.parameters(), settings.clip)
                self.optimizer.step()
                self.optimizer.zero_grad()
                torch.clear_autocast_cache()  # it holds the weights from before the step
            for name, mean in means.items():
                totals[name] = totals.get(name, 0) + mean.detach() * len(part)
        return totals

    def _backward(self, value: Tensor) -> None:
        """Under DDP by Lightning's door: a plain backward would let the ranks drift apart."""
        if self.ranks > 1:
            self.backward(value)
        else:
            value.backward()

    def _share(self, order: Tensor) -> Tensor:
        """This rank's part of an order; all ranks take equally many steps."""
        return torch.cat([order, order[: -len(order) % self.ranks]])[self.rank :: self.ranks]

    def _mean_over_ranks(self, measured: Tensor) -> Tensor:
        summed = measured.detach().clone()
        torch.distributed.all_reduce(summed)
        return summed / self.ranks

    def _reseed(self, seed: int) -> None:
        """Not torch.manual_seed, which formats a stack trace for every device that is not there."""
        torch.default_generator.manual_seed(seed)
        if self.windows.device.type == "cuda":
            torch.cuda.manual_seed(seed)
