"""DCRNN: recurrent units that diffuse along the graph and against it read the past, others write.

    encoder  h_t = DCGRU(x_t, h_{t−1}),             t = 1 … L, layer upon layer
    decoder  h_k = DCGRU([ẑ_{k−1}, u_k], h_{k−1}),  ẑ_k = head(h_k, u_k),   h₀ = h_L,  ẑ₀ = 0

    x_t: (n, b, channels + covariates),  u_k: what is known of the step,  h: (n, b, hidden)

Scheduled sampling: in training, the decoder is shown the truth in place of ẑ_{k−1} with
probability τ / (τ + exp(i / τ)), one draw per step for all of a batch, after i batches; where the
truth is missing, ẑ stays. The convolution is Σ_k P_fᵏ X Θ_k + P_bᵏ X Θ′_k, and not what the
authors' code computes (layers/graph_conv.py).
Li et al., Diffusion convolutional recurrent neural network, ICLR (2018); Bengio et al., Scheduled
sampling for sequence prediction with recurrent neural networks, NeurIPS (2015).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame, Window
from stsfm.models.layers.graph import Graph, Spread
from stsfm.models.layers.graph_conv import Diffusion
from stsfm.models.layers.graph_gru import GraphGRU
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import batch_first, nodes_first
from stsfm.models.layers.normalise import Normalise
from stsfm.models.numerics.diffusion import transitions


@final
class DCRNN(nn.Module):
    """An encoder and a decoder of diffusion convolutional recurrent units."""

    cite = "li2018dcrnn"
    classes = frozenset({"graph", "recurrent"})
    offers, tags = Head.offers, Head.tags | {"graph"}

    def __init__(
        self,
        frame: Frame,
        *,
        hidden: int,
        layers: int,
        order: int,
        decay: float | None,
        embedding: int,
        normalise: Normalise,
    ) -> None:
        super().__init__()
        if decay is not None and decay <= 0:
            raise ValueError(f"decay must be above 0, or null, got {decay}")
        self.decay, self.normalise, self.targets = decay, normalise, target_channels(frame)
        self.graph = Graph(frame, transitions, embedding=embedding)
        conv = partial(Diffusion, matrices=self.graph.matrices, order=order)
        stack = lambda inputs: nn.ModuleList(  # noqa: E731
            GraphGRU(hidden if k else inputs, hidden, conv) for k in range(layers)
        )
        self.encoder: Any = stack(frame.channels + frame.covariates)
        self.decoder: Any = stack(len(frame.targets) + frame.covariates)
        self.head = Head(replace(frame, horizon=1), hidden)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        return self._forecast(past, future, None)

    def training_forward(self, window: Window, progress: float) -> Forecast:
        """`progress` counts the batches trained on before."""
        past, future = window
        if self.decay is None:
            return self._forecast(past, future.blank(), None)
        share = torch.tensor(math.log(self.decay) - progress / self.decay).sigmoid()
        shown = torch.rand(len(future)) < share  # drawn by the CPU, wherever the net is
        return self._forecast(past, future.blank(), (future, shown.tolist()))

    def _forecast(
        self, past: Panel, future: Panel, truth: tuple[Panel, list[bool]] | None
    ) -> Forecast:
        x, level = nodes_first(past, self.normalise)  # (n, t, b, c)
        spreads, level = self.graph(), level[..., self.targets]
        states = []
        for cell in self.encoder:
            x = cell.over(x, spreads)
            states.append(x[:, -1])
        known = future.known.expand(-1, -1, len(x), -1).permute(1, 2, 0, 3)  # (h, n, b, k)
        written = torch.zeros_like(level)  # ẑ (b, 1, n, c)
        steps = []
        for k in range(len(future)):
            z = torch.cat([written.permute(2, 1, 0, 3)[:, 0], known[k]], -1)  # (n, b, c + k)
            states = self._step(z, states, spreads)
            step = self.head(batch_first(states[-1]), future[k : k + 1], level)
            steps.append(step)
            written = step.point - level
            if truth is not None and truth[1][k]:
                seen = truth[0][k : k + 1]
                written = torch.where(seen.mask, seen.values - level, written)
        return _joined(steps)

    def _step(self, z: Tensor, states: Sequence[Tensor], spreads: list[Spread]) -> list[Tensor]:
        """The next states of all layers of the decoder."""
        later = []
        for cell, state in zip(self.decoder, states, strict=True):
            z = cell(cell.read(z, spreads), state, spreads)
            later.append(z)
        return later


def _joined(steps: Sequence[Forecast]) -> Forecast:
    """Forecasts of one step each as one of all."""
    fields: dict[str, Any] = {
        name: torch.cat([getattr(step, name) for step in steps], 1) for name in steps[0].arrays()
    }
    return replace(steps[0], **fields)
