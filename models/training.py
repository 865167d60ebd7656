"""The one training loop. Everything that is trained by gradients goes through `train`.

Lightning brings devices, precision and DDP, and is paid for once: the whole training is one of
its steps. Tensors lie on the device, batches are views of one gather; validation, early stopping
and the best copy happen in memory. What is random is derived from (seed, epoch).
Falcon et al., PyTorch Lightning (2019).
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as L
import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.losses.base import Loss, Step

Panels = tuple[Panel, Panel, Panel]  # past, future, blank future
Monitor = Callable[[Mapping[str, float]], None]  # told about every epoch
CELLS = 16_000_000  # cells of windows gathered at once


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """How a net is trained."""

    epochs: int  # at most
    patience: int | None  # epochs without a better validation before it stops
    batch_size: int  # windows per device
    lr: float
    clip: float | None  # norm of the gradient
    accumulate: int  # batches per optimiser step
    optimizer: Callable[..., torch.optim.Optimizer]

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "lr"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        for name in ("patience", "clip"):
            if getattr(self, name) is not None and getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0 or null, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """Where a net is trained; the words are Lightning's."""

    accelerator: str
    devices: int
    nodes: int
    strategy: str
    precision: str
    threads: int  # per process

    def __post_init__(self) -> None:
        if self.accelerator == "gpu" and not torch.accelerator.is_available():
            raise ValueError("no GPU is seen by torch; use hardware=cpu, or install its CUDA build")

    @property
    def device(self) -> torch.device:
        """Where forecasts are made after training."""
        if self.accelerator == "cpu":
            return torch.device("cpu")
        return torch.accelerator.current_accelerator() or torch.device("cpu")


def as_tensor(array: Array, device: torch.device) -> Tensor:
    """An array on a device; real numbers in single precision."""
    tensor = torch.as_tensor(array, device=device)
    return tensor.float() if tensor.is_floating_point() else tensor


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
) -> dict[str, Any]:
    """Fit `net` in place; it ends with the weights of its best epoch on `val`.

    Validation is the unweighted task term. Without validation windows the last weights stay.
    Returns what happened: epochs, best epoch, effective batch, a digest of each rank's weights.
    Raises FloatingPointError when the loss stops being finite.
    """
    fit = _Fit(net, loss, windows, val, trainer, seed, monitor)
    with _quiet(), torch.random.fork_rng():
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
    """An epoch is a permutation of the windows, cut into chunks that fit, cut into batches."""

    def __init__(
        self,
        net: nn.Module,
        loss: Loss,
        windows: RollingWindows,
        val: RollingWindows,
        settings: Trainer,
        seed: int,
        monitor: Monitor,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.net, self.loss, self.settings = net, loss, settings
        self.windows, self.val, self.seed, self.monitor = windows, val, seed, monitor
        frame, size = windows.frame, settings.batch_size
        cells = (frame.context + frame.horizon) * frame.nodes * (frame.channels + frame.covariates)
        self.chunk = size * max(1, CELLS // (cells * size))
        self.best, self.best_epoch, self.kept = float("inf"), 0, net.state_dict()
        self.report: dict[str, Any] = {}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.settings.optimizer(self.net.parameters(), lr=self.settings.lr)

    def on_fit_start(self) -> None:
        to_device = lambda a: as_tensor(a, self.device)  # noqa: E731
        self.windows, self.val = self.windows.map(to_device), self.val.map(to_device)
        self.whole = self.whole_val = None
        self.ranks = self.trainer.world_size
        if len(self.windows) <= self.settings.batch_size and self.ranks == 1:
            self.whole = self._cut(self.windows, slice(None))
        if 0 < len(self.val) <= self.chunk:
            self.whole_val = self._cut(self.val, slice(None))

    def training_step(self, *_: Any) -> None:
        """All epochs, until one of them is `patience` epochs after the best."""
        patience = self.settings.patience
        for epoch in range(1, self.settings.epochs + 1):
            start = time.perf_counter()
            row = {"epoch": epoch, **self._epoch(epoch)}
            if len(self.val):
                row["val"] = self._validate()
            if not len(self.val) or row["val"] < self.best:
                self.best, self.best_epoch = row.get("val", self.best), epoch
                self.kept = {name: value.clone() for name, value in self.net.state_dict().items()}
            row |= {"lr": self.settings.lr, "seconds": time.perf_counter() - start}
            if self.global_rank == 0:
                self.monitor(row)
            if patience is not None and epoch - self.best_epoch >= patience:
                break
        self.report = {"epochs": epoch, "best_epoch": self.best_epoch}

    def _epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the windows of this rank: the mean loss, and its terms if several."""
        self._reseed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.windows)).to(self.device)
        if self.ranks > 1:
            order = self._share(order)
        totals: dict[str, Tensor] = {}
        for part in order.split(self.chunk):
            for name, total in self._chunk(part).items():
                totals[name] = totals.get(name, 0) + total
        means = {name: float(total) / len(order) for name, total in totals.items()}
        if not abs(means["train"]) < float("inf"):
            raise FloatingPointError(
                f"the training loss is {means['train']} in epoch {epoch}; lower trainer.lr"
            )
        return means

    def _chunk(self, rows: Tensor) -> dict[str, Tensor]:
        """Optimiser steps over the batches of one gather; sums of the loss and of its terms."""
        settings = self.settings
        totals: dict[str, Tensor] = {}
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        parts = rows.split(settings.batch_size)
        for k, (part, panels) in enumerate(zip(parts, self._batches(rows), strict=True), 1):
            value, means = self.loss(self._step(*panels))
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

    def _batches(self, rows: Tensor) -> Iterator[Panels]:
        """One gather, and views of it; where a batch holds all windows, always the same one."""
        size = self.settings.batch_size
        if self.whole is not None:
            yield self.whole
        elif len(rows) <= size:
            yield self._cut(self.windows, rows)
        else:
            panels = self._cut(self.windows, rows)
            for start in range(0, len(rows), size):
                past, future, blank = (p.part(slice(start, start + size)) for p in panels)
                yield past, future, blank

    @staticmethod
    def _cut(windows: RollingWindows, rows: Tensor | slice) -> Panels:
        past, future = windows.take(rows)
        return past, future, future.blank()

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

    def _step(self, past: Panel, future: Panel, blank: Panel) -> Step:
        forecast = self.net(past, blank)
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
        for start in range(0, len(self.val), self.chunk):
            part = slice(start, start + self.chunk)
            cost = self.loss.terms["task"](
                self._step(*(self.whole_val or self._cut(self.val, part)))
            )
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


def weights_digest(net: nn.Module) -> str:
    """sha256 of all weights: equal on every rank after training."""
    digest = hashlib.sha256()
    for name, value in net.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning without its advice and exit codes."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):  # Lightning turns Ctrl-C into exit(1)
            raise KeyboardInterrupt from stop
        raise


@contextmanager
def shared_ranks() -> Iterator[None]:
    """All trainings inside are by the same ranks, started once; nothing of DDP stays behind."""
    ranks = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE")
    before = {name: os.environ.get(name) for name in ranks}
    try:
        yield
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
