"""The one training loop. Everything that is trained by gradients goes through `train`.

Lightning brings devices, precision and DDP, and is paid for once: the whole training is one of
its steps. Tensors lie on the device; validation, early stopping and the best copy happen in
memory. What is random is derived from (seed, epoch), so that a training that was killed goes on
from its checkpoint. Falcon et al., PyTorch Lightning (2019).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import lightning.pytorch as L
import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Panel
from stsfm.datasets.windows import RollingWindows, Window
from stsfm.losses.base import Loss, Step
from stsfm.models.batches import Batches
from stsfm.models.checkpoint import Checkpoint, Store, restore, training_name, weights_digest
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
    """An epoch is a permutation of the windows, cut into batches."""

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
        self.data, self.seed = (windows, val), seed
        self.monitor, self.checkpoint, self.progress = monitor, checkpoint, progress
        self.best, self.best_epoch, self.kept = float("inf"), 0, net.state_dict()
        self.rows: list[dict[str, float]] = []
        self.report: dict[str, Any] = {}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.settings.optimizer(self.net.parameters(), lr=self.settings.lr)

    def on_fit_start(self) -> None:
        size, self.ranks = self.settings.batch_size, self.trainer.world_size
        self.windows, self.val = (Batches(data, size, self.device) for data in self.data)
        self.windows.keep(size if self.ranks == 1 else 0)
        self.val.keep(self.val.seen)

    def training_step(self, *_: Any) -> None:
        """All epochs, until one of them is `patience` epochs after the best."""
        patience = self.settings.patience
        self._resume()
        self.saved = time.monotonic()
        for epoch in range(len(self.rows) + 1, self.settings.epochs + 1):
            if patience is not None and epoch - 1 - self.best_epoch >= patience:
                break
            start = time.perf_counter()
            row = {"epoch": epoch, **self._epoch(epoch)}
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
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        progress = {name: getattr(self, name) for name in PROGRESS}
        self.checkpoint.save(self.net, optimizer, progress, self.ranks)
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
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        for name, value in restore(content, self.net, optimizer).items():
            setattr(self, name, value)
        if self.global_rank == 0:
            self.checkpoint.tell(len(self.rows))
            for row in self.rows:
                self.monitor(row)

    def _epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the windows of this rank: the mean loss, and its terms if several."""
        self._reseed(self.seed * 1_000_003 + epoch)
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        for group in optimizer.param_groups:
            group["lr"] = self.settings.rate(epoch)
        order = self.windows.order().to(self.device)
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
        return means

    def _chunk(self, rows: Tensor, before: float) -> dict[str, Tensor]:
        """Optimiser steps over the batches of one gather; sums of the loss and of its terms."""
        settings = self.settings
        totals: dict[str, Tensor] = {}
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        parts = rows.split(settings.batch_size)
        for k, (part, panels) in enumerate(zip(parts, self.windows.of(rows), strict=True), 1):
            value, means = self.loss(self._step(*panels, progress=before + k - 1))
            self._backward(value if settings.accumulate == 1 else value / settings.accumulate)
            if k % settings.accumulate == 0 or k == len(parts):
                if settings.clip is not None:
                    nn.utils.clip_grad_norm_(self.net.parameters(), settings.clip)
                optimizer.step()
                optimizer.zero_grad()
                torch.clear_autocast_cache()  # it holds the weights from before the step
            named = {f"train_{name}": mean for name, mean in means.items() if len(means) > 1}
            for name, mean in ("train", value), *named.items():
                totals[name] = totals.get(name, 0) + mean.detach() * len(part)
        return totals

    def _backward(self, value: Tensor) -> None:
        """Under DDP by Lightning's door: a plain backward would let the ranks drift apart."""
        if self.ranks > 1:
            self.manual_backward(value)
        else:
            value.backward()

    def _share(self, order: Tensor) -> Tensor:
        """This rank's part of an order; all ranks take equally many steps."""
        world = self.trainer.world_size
        return torch.cat([order, order[: -len(order) % world]])[self.global_rank :: world]

    def _reseed(self, seed: int) -> None:
        """Not torch.manual_seed, which formats a stack trace for every device that is not there."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _step(
        self, past: Panel, future: Panel, blank: Panel, progress: float | None = None
    ) -> Step:
        """`progress` is told in training alone."""
        guided = getattr(self.net, "training_forward", None)
        if guided is None or progress is None:
            forecast = self.net(past, blank)
        else:
            forecast = guided(Window(past, future), progress)
        return Step(
            past=past,
            future=future,
            forecast=forecast,
            transform=self.windows.transform,
            net=self.net,
        )

    @torch.inference_mode()
    def _validate(self) -> float:
        """The pooled task error; rank 0's, so that all ranks stop together."""
        self.net.eval()
        value = weight = torch.zeros((), device=self.device)
        for panels in self.val.chunks():
            cost = self.loss.terms["task"](self._step(*panels))
            value = value + (cost.value * cost.weight).sum()
            weight = weight + cost.weight.sum()
        self.net.train()
        mean = float(value / weight)
        if mean != mean:
            raise FloatingPointError(
                "the validation error is not a number: no validation cell is observed, or the "
                "training diverged; move protocol.val, or lower trainer.lr"
            )
        return self.trainer.strategy.broadcast(mean) if self.trainer.world_size > 1 else mean

    def on_fit_end(self) -> None:
        self.net.load_state_dict(self.kept)
        digests: list[Any] = [weights_digest(self.net)]
        if (world := self.trainer.world_size) > 1:
            digests = [None] * world
            torch.distributed.all_gather_object(digests, weights_digest(self.net))
            if len(set(digests)) > 1:
                raise RuntimeError(f"the ranks ended with different weights: {digests}")
        self.report |= {
            "windows": len(self.windows),
            "effective_batch": self.settings.batch_size * self.settings.accumulate * world,
            "weights": digests,
        }
