"""A forecast as a superposition of layers, each of which can be taken back.

    ŷ = head(z_K),    z_k = σ(W_kᵀ z_{k−1} − b_k),    z₀ = x,    r_k(z_k) ≈ z_{k−1}

    node   x: (b, n, t·c), one stack for all nodes,    head reads z_K (b·n, m)
    joint  x: (b, t·n·c), all nodes at once,           head reads V_n z_K (b·n, m) of each node

That is f = wᵀ z_{K−1} ∘ … ∘ W₁ᵀ x over the window, and a loss may price more than its end: what a
layer loses, how far its W is from orthogonal, from the identity or from a metric. What layers are,
layers/stack/ tells; calendars and plans go to the head alone. Hinton & Salakhutdinov, Reducing the
dimensionality of data with neural networks, Science 313 (2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame, Window
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.normalise import Standardise, standardise
from stsfm.models.layers.stack.plan import KEYS, Activation, Constraint, Size, Type, plans, soft
from stsfm.models.layers.stack.stack import PUBLISHES, Stack


@final
class Superposition(nn.Module):
    """Layers with a way back over a window, then the forecast."""

    cite = "hinton2006reducing"
    classes = frozenset({"direct"})
    offers, tags = Head.offers, Head.tags
    publishes = PUBLISHES | {"states", "states_next"}

    def __init__(
        self,
        frame: Frame,
        *,
        mixing: Literal["node", "joint"],
        sizes: Sequence[Size],
        types: Type | Sequence[Type],
        constraints: Constraint | Sequence[Constraint],
        activations: Activation | Sequence[Activation],
        tied: bool | Sequence[bool],
        greedy: bool,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        self.mixing, self.normalise = mixing, normalise
        self.targets, self.parts = target_channels(frame), frame.parts
        made = plans(sizes, types, constraints, activations, tied)
        nodes = frame.nodes if mixing == "joint" else 1
        self.shape = (frame.context, nodes, frame.channels)
        self.stack = Stack.of(made, self.shape, greedy=greedy)
        size = self.stack.size
        self.of_node = nn.Linear(size, frame.nodes * size) if mixing == "joint" else None
        self.head = Head(frame, size)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)  # (b, t, n, c)
        code, parts = self.stack(self._flat(values), self.parts)
        if "reconstructions" in self.parts:
            parts["seen"] = self._flat(past.mask)
        if self.of_node is not None:
            code = self.of_node(code).unflatten(-1, (-1, self.stack.size))
        forecast = self.head(code.flatten(0, 1), future, *gauge.of(self.targets))
        return replace(forecast, parts=parts)

    def training_forward(self, window: Window, progress: float) -> Forecast:
        """As `forward`; where the loss asks for it, beside the code of a window one row later."""
        forecast = self(window.past, window.future.blank())
        if "states_next" not in self.parts:
            return forecast
        now, later = (
            self.stack.encode(self._flat(standardise(past, self.normalise)[0]))
            for past in (window.past, self._later(window))
        )
        return replace(forecast, parts={**forecast.parts, "states": now, "states_next": later})

    @staticmethod
    def asks(keys: Mapping[str, Any]) -> Mapping[str, str]:
        """The types of soft layers, and the term that holds each; ValueError of wrong keys."""
        return soft(plans(*(keys[name] for name in KEYS)))

    def drawing(self) -> Mapping[str, Any]:
        """What it is made of, in plain words and numbers, for a figure."""
        return {
            "input": {"shape": list(self.shape), "mixing": self.mixing},
            "layers": self.stack.drawing(),
            "output": {"horizon": self.head.shape[0], "channels": self.head.shape[1]},
        }

    def _flat(self, x: Tensor) -> Tensor:
        """(b, t, n, c) → (b, n, t·c), or (b, t·n·c)."""
        return x.transpose(1, 2).flatten(2) if self.mixing == "node" else x.flatten(1)

    def _later(self, window: Window) -> Panel:
        """The past one row later; channels that are no targets keep what they last had."""
        past, first = window.past, window.future[:1]
        values, mask = (torch.cat([x[:, 1:], x[:, -1:]], 1) for x in (past.values, past.mask))
        values[:, -1:, :, self.targets] = first.values
        mask[:, -1:, :, self.targets] = first.mask
        return replace(past, values=values, mask=mask)
