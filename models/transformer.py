"""Transformer encoder over a window, which may be cut into tokens in four ways.

    step       all that one row holds: tokens attend over time; the state of the last is each node's
    patch      `patch` rows of one node, every `stride`: over time, a node by itself
    node       the whole past of one node: over space
    step_node  one row of one node: every layer attends over time, then over space

    z = W token + b + e_time,    z ← layers(z),    ŷ = head(state)            z: (…, width)

There are no positions in space, so that node and step_node serve nodes in any order alike. With
`causal` a row attends to those before it alone. Missing cells are 0, the level of their window.
Vaswani et al., Attention is all you need, NeurIPS (2017); norms come first (Xiong et al., 2020).
"""

from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.attention import Block, Encoder, Kind, Positions
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_node, patch_sizes, patches
from stsfm.models.layers.normalise import Standardise, standardise


@dataclass(frozen=True)
class Sizes:
    """What all ways of cutting share."""

    width: int
    heads: int
    layers: int
    feed: int
    dropout: float
    positions: Kind
    causal: bool


@final
class Transformer(nn.Module):
    """Attention over the tokens of a window, a head over the state of each node."""

    cite = "vaswani2017"
    classes = frozenset({"attention"})
    offers, tags = Head.offers, Head.tags

    def __init__(
        self,
        frame: Frame,
        *,
        tokens: Literal["step", "patch", "node", "step_node"],
        patch: int,
        stride: int,
        width: int,
        heads: int,
        layers: int,
        feed: int,
        dropout: float,
        positions: Kind,
        causal: bool,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        self.normalise, self.targets = normalise, target_channels(frame)
        sizes = Sizes(width, heads, layers, feed, dropout, positions, causal)
        state = width
        if tokens == "step":
            self.body: nn.Module = Steps(frame, sizes)
        elif tokens == "node":
            self.body = Nodes(frame, sizes)
        elif tokens == "step_node":
            self.body = StepNodes(frame, sizes)
        else:
            size, count = patch_sizes(frame.context, patch, stride)
            self.body, state = Patches(frame, sizes, size, stride, count), count * width
        self.head = Head(frame, state)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)  # (b, t, n, c)
        state = self.body(values, past.known)  # (b·n, state)
        return self.head(state, future, *gauge.of(self.targets))


class Sequence(nn.Module):
    """Tokens of any content through the encoder: (b, length, inputs) → (b, length, width)."""

    def __init__(self, inputs: int, length: int, sizes: Sizes, *, ordered: bool = True) -> None:
        super().__init__()
        self.embed = nn.Linear(inputs, sizes.width)
        self.positions = Positions(sizes.positions if ordered else "none", length, sizes.width)
        self.dropout = nn.Dropout(sizes.dropout)
        self.encoder = Encoder(sizes.width, sizes.heads, sizes.layers, sizes.feed, sizes.dropout)
        self.causal = sizes.causal and ordered

    def forward(self, tokens: Tensor) -> Tensor:
        return self.encoder(self.dropout(self.positions(self.embed(tokens))), self.causal)


class Steps(nn.Module):
    """A token is a row of the window; what is known of single nodes enters by its mean."""

    def __init__(self, frame: Frame, sizes: Sizes) -> None:
        super().__init__()
        inputs = frame.nodes * frame.channels + frame.covariates
        self.sequence = Sequence(inputs, frame.context, sizes)
        self.apart = nn.Linear(sizes.width, frame.nodes * sizes.width)

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        rows = torch.cat([values.flatten(2), known.mean(2)], -1)  # (b, t, n·c + k)
        last = self.sequence(rows)[:, -1]  # (b, width)
        return self.apart(last).view(values.shape[0] * values.shape[2], -1)


class Patches(nn.Module):
    """A token is some rows of a node; its state is all of its patches."""

    def __init__(self, frame: Frame, sizes: Sizes, size: int, stride: int, count: int) -> None:
        super().__init__()
        self.size, self.stride = size, stride
        self.sequence = Sequence(size * (frame.channels + frame.covariates), count, sizes)

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        series = by_node(values, known).flatten(0, 1).transpose(1, 2)  # (b·n, c + k, t)
        cut = patches(series, self.size, self.stride).transpose(1, 2)  # (b·n, patch, c + k, size)
        return self.sequence(cut.flatten(2)).flatten(1)


class Nodes(nn.Module):
    """A token is the past of a node; nodes have no order."""

    def __init__(self, frame: Frame, sizes: Sizes) -> None:
        super().__init__()
        inputs = frame.context * (frame.channels + frame.covariates)
        self.sequence = Sequence(inputs, frame.nodes, sizes, ordered=False)

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        return self.sequence(by_node(values, known).flatten(2)).flatten(0, 1)


class StepNodes(nn.Module):
    """A token is a row of a node; time and space take turns, and the last row is the state."""

    def __init__(self, frame: Frame, sizes: Sizes) -> None:
        super().__init__()
        self.causal = sizes.causal
        self.embed = nn.Linear(frame.channels + frame.covariates, sizes.width)
        self.positions = Positions(sizes.positions, frame.context, sizes.width)
        self.dropout, self.norm = nn.Dropout(sizes.dropout), nn.LayerNorm(sizes.width)
        self.time, self.space = (
            nn.ModuleList(
                Block(sizes.width, sizes.heads, sizes.feed, sizes.dropout)
                for _ in range(sizes.layers)
            )
            for _ in range(2)
        )

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        z = self.dropout(self.positions(self.embed(by_node(values, known))))  # (b, n, t, width)
        for time, space in zip(self.time, self.space, strict=True):
            z = time(z.flatten(0, 1), self.causal).view(z.shape)
            turned = z.transpose(1, 2)  # (b, t, n, width)
            z = space(turned.flatten(0, 1)).view(turned.shape).transpose(1, 2)
        return self.norm(z[:, :, -1]).flatten(0, 1)
