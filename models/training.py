"""The one training loop. Everything that is trained by gradients goes through `train`.

Lightning brings devices, precision and DDP, and is paid for once: the whole training is one of
its steps. Tensors lie on the device; validation, early stopping and the best copy happen in
memory. What is random is derived from (seed, epoch), so that a training that was killed goes on
from its checkpoint. Falcon et al., PyTorch Lightning (2019).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import lightning.pytorch as L
import torch
from torch import nn

from stsfm.datasets.windows import RollingWindows
from stsfm.losses.base import Loss
from stsfm.losses.weighting.fixed import Fixed
from stsfm.models.batches import Batches
from stsfm.models.checkpoint import Checkpoint, Store, restore, training_name, weights_digest
from stsfm.models.descent import Descent
from stsfm.models.pricing import Pricing
from stsfm.models.process import quiet
from stsfm.models.settings import Hardware, Trainer

Monitor = Callable[[Mapping[str, float]], None]  # told about every epoch, resumed ones included
PROGRESS = ("rows", "best", "best_epoch", "kept")  # what an epoch leaves beside weights


def train(
    net: nn.Module,
    loss: Loss,
    windows: RollingWindows,
    val: RollingWindows,
    *,
    trainer: Trainer,
    hardware: Hardware,
    seed: int,
    monitor: Monitor,
    store: Store | None = None,
    progress: float = 0,
) -> dict[str, Any]:
    """Fit `net` in place; it ends with the weights of its best epoch on `val`.

    Validation is the unweighted task term. Without validation windows the last weights stay. A net
    that has `training_forward(window, progress) → Forecast` is trained through it: it may look at
    the future, and `progress` counts the batches before, from the given one on.
    With a store it goes on where the same training was stopped in an earlier attempt of the run.
    Returns what happened: epochs, best epoch, effective batch, a digest of each rank's weights.
    Raises FloatingPointError when the loss stops being finite.
    """
    checkpoint = Checkpoint(store, training_name(net, windows, val)) if store else None
    fit = _Fit(net, loss.ready(windows), windows, val, trainer, seed, monitor, checkpoint, progress)
    with quiet(), torch.random.fork_rng():
        L.Trainer(
            accelerator=hardware.accelerator,
            devices=hardware.devices,
            num_nodes=hardware.nodes,
            strategy=hardware.strategy,
            precision=hardware.precision,  # type: ignore[arg-type]
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        ).fit(fit, range(1))
    return fit.report


class _Fit(L.LightningModule):
    """All epochs of a training, and what is kept of them."""

    def __init__(
        self,
        net: nn.Module,
        loss: Loss,
        windows: RollingWindows,
        val: RollingWindows,
        settings: Trainer,
        seed: int,
        monitor: Monitor,
        checkpoint: Checkpoint | None,
        progress: float,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.net, self.loss, self.settings = net, loss, settings
        rule = loss.weighting or Fixed()
        self.balance = rule.start(loss.active, settings.epochs, net)
        self.data, self.seed = (windows, val), seed
        self.monitor, self.checkpoint, self.progress = monitor, checkpoint, progress
        self.best, self.best_epoch, self.kept = float("inf"), 0, net.state_dict()
        self.rows: list[dict[str, float]] = []
        self.report: dict[str, Any] = {}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Weights that are learned stand in a group of their own, which does not decay."""
        groups: Any = self.net.parameters()
        if learned := list(self.balance.parameters()):
            groups = [{"params": list(groups)}, {"params": learned, "weight_decay": 0.0}]
        return self.settings.optimizer(groups, lr=self.settings.lr)

    def on_fit_start(self) -> None:
        size, self.ranks = self.settings.batch_size, self.trainer.world_size
        self.windows, self.val = (Batches(data, size, self.device) for data in self.data)
        self.windows.keep(size if self.ranks == 1 else 0)
        self.val.keep(self.val.seen)
        self.pricing = Pricing(self.net, self.loss, self.balance, self.windows.transform)
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        self.descent = Descent(
            pricing=self.pricing, windows=self.windows, settings=self.settings,
            optimizer=optimizer, seed=self.seed, progress=self.progress,
            rank=self.global_rank, ranks=self.ranks, backward=self.manual_backward,
        )  # fmt: skip

    def training_step(self, *_: Any) -> None:
        """All epochs, until one of them is `patience` epochs after the best."""
        patience = self.settings.patience
        self._resume()
        self.saved = time.monotonic()
        for epoch in range(len(self.rows) + 1, self.settings.epochs + 1):
            if patience is not None and epoch - 1 - self.best_epoch >= patience:
                break
            start = time.perf_counter()
            row = {"epoch": epoch, **self.descent.epoch(epoch)}
            if len(self.val):
                row["val"] = self._validate()
            if not len(self.val) or not self.best_epoch or row["val"] < self.best:
                self.best, self.best_epoch = row.get("val", self.best), epoch
                self.kept = {name: value.clone() for name, value in self.net.state_dict().items()}
            row |= {"lr": self.settings.rate(epoch), "seconds": time.perf_counter() - start}
            self.rows.append(row)
            if self.global_rank == 0:
                self.monitor(row)
                self._save()
        self.report = {"epochs": len(self.rows), "best_epoch": self.best_epoch}

    def _save(self) -> None:
        """Keep the state after an epoch, if the last one kept is old enough."""
        seconds = self.settings.checkpoint_seconds
        if self.checkpoint is None or seconds is None or time.monotonic() - self.saved < seconds:
            return
        progress = {name: getattr(self, name) for name in PROGRESS}
        progress["balance"] = self.balance.state_dict()
        self.checkpoint.save(self.net, self.descent.optimizer, progress, self.ranks)
        self.saved = time.monotonic()

    def _resume(self) -> None:
        """Go back to the state that was kept last, on all ranks to rank 0's."""
        if self.checkpoint is None:
            return
        content = self.checkpoint.read(self.ranks) if self.global_rank == 0 else None
        if self.ranks > 1:
            content = self.trainer.strategy.broadcast(content)
        if content is None:
            return
        if kept := restore(content, self.net, self.descent.optimizer):
            self.balance.load_state_dict(kept.pop("balance"))
        for name, value in kept.items():
            setattr(self, name, value)
        if self.global_rank == 0:
            self.checkpoint.tell(len(self.rows))
            for row in self.rows:
                self.monitor(row)

    def _validate(self) -> float:
        """The pooled task error; rank 0's, so that all ranks stop together."""
        mean = self.pricing.task(self.val)
        if mean != mean:
            raise FloatingPointError(
                "the validation error is not a number: no validation cell is observed, or the "
                "training diverged; move protocol.val, or lower trainer.lr"
            )
        return self.trainer.strategy.broadcast(mean) if self.ranks > 1 else mean

    def on_fit_end(self) -> None:
        self.net.load_state_dict(self.kept)
        digests: list[Any] = [weights_digest(self.net)]
        if (world := self.trainer.world_size) > 1:
            both: list[Any] = [None] * world
            mine = (weights_digest(self.net), weights_digest(self.balance))
            torch.distributed.all_gather_object(both, mine)
            if len(set(both)) > 1:
                raise RuntimeError(f"the ranks ended with different weights: {both}")
            digests = [net for net, _ in both]
        self.report |= {
            "windows": len(self.windows),
            "effective_batch": self.settings.batch_size * self.settings.accumulate * world,
            "weights": digests,
        }
