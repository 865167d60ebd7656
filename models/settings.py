"""The settings of a training: how long, how fast, and where."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """How a net is trained."""

    epochs: int  # at most
    patience: int | None  # epochs without a better validation before it stops
    batch_size: int  # windows per device
    lr: float  # of the first epoch
    schedule: Literal["constant", "halve", "cosine"]  # of the rate over epochs
    clip: float | None  # norm of the gradient
    accumulate: int  # batches per optimiser step
    optimizer: Callable[..., torch.optim.Optimizer]
    update_epochs: int  # of each refit, where protocol.refit asks for some
    checkpoint_seconds: float | None  # between checkpoints; decides no number

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "lr", "update_epochs"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        for name in ("patience", "clip"):
            if getattr(self, name) is not None and getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0 or null, got {getattr(self, name)}")
        if self.checkpoint_seconds is not None and self.checkpoint_seconds < 0:
            raise ValueError(
                f"checkpoint_seconds must be at least 0 or null, got {self.checkpoint_seconds}"
            )

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 1; it depends on nothing that came before.

        halve   half of the one before, from the third epoch on: Informer's code (Zhou et al., AAAI
                2021), and that of the nets after it, sets epoch e's rate when epoch e has ended
        cosine  lr · (1 + cos π (epoch − 1) / epochs) / 2       (Loshchilov & Hutter, ICLR 2017)
        """
        past = epoch - 1
        if self.schedule == "halve":
            return self.lr * 0.5 ** max(0, past - 1)
        if self.schedule == "cosine":
            return self.lr * (1 + math.cos(math.pi * past / self.epochs)) / 2
        return self.lr


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
