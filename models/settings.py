"""The settings of a training: how long, how fast, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch


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
