"""A linear part of a state space as a net: z = (x − m) U, and back x̂ = z V + m."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Array


class Projection(nn.Module):
    """U (D, d), V (d, D) and m (D) begin as they were learned in closed form."""

    def __init__(self, basis: Array, back: Array, mean: Array) -> None:
        super().__init__()
        self.basis, self.back, self.mean = (
            nn.Parameter(torch.as_tensor(array, dtype=torch.float32).clone())
            for array in (basis, back, mean)
        )

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) @ self.basis

    def decode(self, z: Tensor) -> Tensor:
        return z @ self.back + self.mean

    def parts(self, x: Tensor) -> dict[str, list[Any]]:
        """Its one layer, for terms of a loss."""
        z = self(x)
        return {
            "codes": [z],
            "inputs": [x],
            "reconstructions": [self.decode(z)],
            "weights": [self.basis],
            "types": ["pca"],
            "posteriors": [None],
        }


class Same(nn.Module):
    """What is left as it is."""

    def forward(self, x: Tensor) -> Tensor:
        return x

    def decode(self, z: Tensor) -> Tensor:
        return z
