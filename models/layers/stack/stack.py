"""Layers, each of which codes what the one before it made, and can take it back.

    z₀ = x,    z_k = σ(W_kᵀ z_{k−1} − b_k),    x̂ = r₁(r₂(… r_K(z_K)))

Greedy, the reconstruction of a layer teaches this layer alone: no gradient crosses from one to the
next (Bengio et al., Greedy layer-wise training of deep networks, NIPS 2006; here all layers learn
at once). What a stack makes of x it publishes under the names that loss terms know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from stsfm.models.layers.stack.layer import Layer
from stsfm.models.layers.stack.plan import Plan

PUBLISHES = frozenset({"codes", "inputs", "reconstructions", "weights", "types", "posteriors"})


class Stack(nn.Module):
    """Layers that fit each other; x comes flat, and the last code has `size` numbers."""

    layers: nn.ModuleList

    def __init__(self, layers: Sequence[Layer], *, greedy: bool) -> None:
        super().__init__()
        self.layers, self.greedy = nn.ModuleList(layers), greedy
        self.size = prod(layers[-1].shape)

    @classmethod
    def of(cls, made: Sequence[Plan], shape: tuple[int, ...], *, greedy: bool) -> Stack:
        """New layers, for an x that is (t, n, c) before it is made flat."""
        layers: list[Layer] = []
        for number, plan in enumerate(made, 1):
            layers.append(Layer(plan, shape, number))
            shape = layers[-1].shape
        return cls(layers, greedy=greedy)

    def forward(self, x: Tensor, parts: Iterable[str] = PUBLISHES) -> tuple[Tensor, dict[str, Any]]:
        """(…, n) → the last code (…, m), and of what a loss asks for `parts`:

        codes            z_k (…, m_k) of each layer
        inputs           z_{k−1} (…, n_k), what each layer saw
        reconstructions  r_k(z_k) of the same shapes
        weights          W_k (n_k, m_k)
        types            pca, plain …
        posteriors       of a vae layer mean and log variance of its code; else None
        """
        found: dict[str, Any] = {name: [] for name in PUBLISHES}
        for layer in self._each():
            code = self._code(layer, x, found)
            if "reconstructions" in parts:
                alone = self._code(layer, x.detach(), None) if self.greedy else code
                found["reconstructions"].append(layer.decode(alone))
            if "weights" in parts:
                found["weights"].append(layer.weight.matrix)
            found["inputs"].append(x.detach() if self.greedy else x)
            found["codes"].append(code)
            found["types"].append(layer.plan.type)
            x = code
        return x, {name: found[name] for name in PUBLISHES if name in parts}

    def encode(self, x: Tensor) -> Tensor:
        for layer in self._each():
            x = layer.encode(x)
        return x

    def decode(self, z: Tensor) -> Tensor:
        for layer in reversed([*self._each()]):
            z = layer.decode(z)
        return z

    def drawing(self) -> list[dict[str, Any]]:
        """Its layers in plain words and numbers, for a figure."""
        return [
            {
                "type": layer.plan.type, "inputs": prod(layer.weight.shape[0]),
                "size": prod(layer.shape), "shape": list(layer.shape),
                "constraint": layer.plan.constraint, "activation": layer.plan.activation,
                "tied": layer.plan.tied,
            }
            for layer in self._each()
        ]  # fmt: skip

    def _each(self) -> Iterable[Layer]:
        return self.layers  # type: ignore[return-value]

    def _code(self, layer: Layer, x: Tensor, found: dict[str, Any] | None) -> Tensor:
        """The code of a layer; a vae's is drawn in training."""
        belief = layer.posterior(x)
        if found is not None:
            found["posteriors"].append(belief)
        if belief is None:
            return layer.encode(x)
        if not self.training:
            return belief.mean
        noise = torch.randn_like(belief.mean)
        return belief.mean + noise * (0.5 * belief.log_variance).exp()
