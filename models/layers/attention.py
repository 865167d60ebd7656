"""Self-attention, and the encoder made of it.

    A(x) = softmax(Q Kᵀ / √d) V W_o,    [Q K V] = x W + b              x: (b, token, width)
    x ← x + A(norm x),    x ← x + W₂ gelu(W₁ norm x + b₁) + b₂         once per layer, then a norm

Where it is causal, token i sees those up to i alone. No token is masked, so no row of the softmax
is empty: a cell that was not observed is a 0 in its token.
Vaswani et al., Attention is all you need, NeurIPS (2017); norm first: Xiong et al., On layer
normalization in the transformer architecture, ICML (2020).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["none", "learned", "sin"]  # of positions


class Attention(nn.Module):
    """Several heads of scaled dot-product attention among the tokens of each row of a batch."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width must be a multiple of heads={heads}, got {width}")
        self.heads, self.dropout = heads, dropout
        self.inner, self.outer = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        query, key, value = self.inner(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0  # torch itself would go on dropping
        mixed = nn.functional.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=causal
        )  # (b, head, token, width / heads)
        return self.outer(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """One layer: the tokens look at each other, then each is thought over."""

    def __init__(self, width: int, heads: int, feed: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = Attention(width, heads, dropout)
        self.feed = nn.Sequential(
            nn.Linear(width, feed), nn.GELU(), nn.Dropout(dropout), nn.Linear(feed, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        x = x + self.dropout(self.attention(self.norms[0](x), causal))
        return x + self.dropout(self.feed(self.norms[1](x)))


class Encoder(nn.Module):
    """A stack of layers over (b, token, width)."""

    def __init__(self, width: int, heads: int, layers: int, feed: int, dropout: float) -> None:
        super().__init__()
        blocks = (Block(width, heads, feed, dropout) for _ in range(layers))
        self.blocks, self.norm = nn.ModuleList(blocks), nn.LayerNorm(width)

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        for block in self.blocks:
            x = block(x, causal)
        return self.norm(x)


class Positions(nn.Module):
    """Added to tokens (…, length, width), so that they know where they stand."""

    def __init__(self, kind: Kind, length: int, width: int) -> None:
        super().__init__()
        self.table: Tensor | None
        if kind == "learned":
            self.table = nn.Parameter(0.02 * torch.randn(length, width))
        else:
            waves = sinusoids(length, width) if kind == "sin" else None
            self.register_buffer("table", waves, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x if self.table is None else x + self.table


def sinusoids(length: int, width: int) -> Tensor:
    """sin and cos of t · 10000^(−2i / width), (length, width): Vaswani et al., §3.5."""
    rates = torch.exp(-math.log(10_000.0) / width * torch.arange(0, width, 2))
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :width]
