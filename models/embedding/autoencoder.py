"""Frames coded by layers that can be taken back.

    z = z_K,    z_k = σ(W_kᵀ z_{k−1} − b_k),    z₀ = (x − m) / s,    x̂ = m + s r₁(… r_K(z))

m and s are the mean and the deviation of each of the D numbers of a frame in train. The layers are
those of layers/stack/; of a multilinear one the axes are 1 × node × channel. They are trained as
any net is, by the loss of the run: its task prices x̂ against x, and of the other terms those count
that look at layers. The last fifth of train says when to stop. Greedy, the layers are trained one
after the other, each to take back what it saw of the one before. Hinton & Salakhutdinov, Reducing
the dimensionality of data with neural networks, Science 313 (2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import torch
from torch import Tensor, nn

from stsfm.datasets.panel import About, Array, Forecast, Panel
from stsfm.datasets.windows import Frame, RollingWindows
from stsfm.losses.base import Loss
from stsfm.models.checkpoint import Store
from stsfm.models.layers.stack.plan import Activation, Constraint, Size, Type, plans, soft
from stsfm.models.layers.stack.stack import PUBLISHES, Stack
from stsfm.models.neural import agree
from stsfm.models.parts import Embedding
from stsfm.models.settings import Hardware, Trainer
from stsfm.models.training import Monitor, train

HELD_OUT = 5  # one row in so many, the last ones, says when to stop


@final
class Autoencoder(Embedding):
    """A stack of autoencoders of frames."""

    cite = "hinton2006reducing"
    offers = frozenset({"inverse", "gradient"})

    def __init__(
        self,
        monitor: Monitor = lambda row: None,
        store: Store | None = None,
        /,
        *,
        sizes: Sequence[Size],
        types: Type | Sequence[Type],
        constraints: Constraint | Sequence[Constraint],
        activations: Activation | Sequence[Activation],
        tied: bool | Sequence[bool],
        greedy: bool,
        seed: int,
        loss: Loss,
        trainer: Trainer,
        hardware: Hardware,
    ) -> None:
        self.plans = plans(sizes, types, constraints, activations, tied)
        self.monitor, self.store = monitor, store
        self.greedy, self.seed = greedy, seed
        self.asked, self.loss = loss, _of_layers(loss)
        self.trainer, self.hardware = trainer, hardware
        agree(_Return, soft(self.plans), self.loss)

    def fit(self, frames: Array, frame: Frame) -> Self:
        self.mean_, self.scale_ = frames.mean(0), frames.std(0)
        self.scale_[self.scale_ == 0] = 1
        self.shape_ = np.array([1, frame.nodes, frame.channels])
        self._build()
        x = (frames - self.mean_) / self.scale_
        whole = self.coder.stack
        alone = [Stack([layer], greedy=False) for layer in whole.layers]  # type: ignore[list-item]
        for stack in alone if self.greedy else [whole]:
            self._train(stack, x)
            with torch.no_grad():
                x = stack.double().encode(torch.from_numpy(x)).numpy()
        self.coder.double().eval()
        return self

    @torch.no_grad()
    def encode(self, frames: Array) -> Array:
        return self.coder(torch.from_numpy(np.ascontiguousarray(frames))).numpy()

    @torch.no_grad()
    def decode(self, states: Array) -> Array:
        return self.coder.decode(torch.from_numpy(np.ascontiguousarray(states))).numpy()

    def net(self) -> nn.Module:
        return deepcopy(self.coder).float().train()

    # ---- its training ----------------------------------------------------------------------------

    def _build(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            stack = Stack.of(self.plans, tuple(int(n) for n in self.shape_), greedy=False)
        self.coder = Coder(stack, *(torch.tensor(x) for x in (self.mean_, self.scale_)))
        self.size_ = stack.size

    def _train(self, stack: Stack, x: Array) -> None:
        """Of windows of two rows the last is to be taken back; the other is for its smoothness."""
        names = tuple(map(str, range(x.shape[1])))
        about = About(name="frames", nodes=("frame",), channels=names)
        values = x[:, None, :]
        panel = Panel(values=values, mask=np.ones(values.shape, bool),
                      time=np.arange(len(x)), about=about)  # fmt: skip
        border = len(x) - len(x) // HELD_OUT
        learned, held_out = (
            RollingWindows(panel=panel, origins=np.arange(*rows), horizon=1, context=2, offset=-1)
            for rows in ((2, border + 1), (border + 1, len(x) + 1))
        )
        net = _Return(stack.float().train(), self.loss.parts)
        train(net, self.loss, learned, held_out, trainer=self.trainer, hardware=self.hardware,
              seed=self.seed, monitor=self.monitor, store=self.store)  # fmt: skip
        net.cpu().eval()

    # ---- what was learned ------------------------------------------------------------------------

    @property
    def parameters(self) -> int:
        return sum(weight.numel() for weight in self.coder.parameters()) + 2 * len(self.mean_)

    def save(self, folder: Path) -> None:
        super().save(folder)
        state = {name: value.numpy() for name, value in self.coder.stack.state_dict().items()}
        np.savez(folder / "stack.npz", allow_pickle=False, **state)

    def load(self, folder: Path) -> Self:
        super().load(folder)
        self._build()
        self.coder.double().eval()
        with np.load(folder / "stack.npz", allow_pickle=False) as kept:
            state = {name: torch.from_numpy(kept[name]) for name in kept.files}
        self.coder.stack.load_state_dict(state)
        return self


def _of_layers(loss: Loss) -> Loss:
    """The task, and the terms that price what a stack publishes: a frame is no forecast."""
    kept = {
        name: term
        for name, term in loss.terms.items()
        if name == "task" or (term.parts and term.parts <= _Return.publishes)
    }
    weights = {name: weight for name, weight in loss.weights.items() if name in kept}
    return replace(loss, terms=kept, weights=weights)


class Coder(nn.Module):
    """Frames (…, D) → states (…, d), and back; what is learned of it are the weights of a stack."""

    mean: Tensor
    scale: Tensor

    def __init__(self, stack: Stack, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.stack = stack
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, frames: Tensor) -> Tensor:
        return self.stack.encode(self._standard(frames))

    def decode(self, states: Tensor) -> Tensor:
        return self.stack.decode(states) * self.scale + self.mean

    def parts(self, frames: Tensor) -> Mapping[str, Any]:
        """What the layers publish for terms of a loss."""
        return self.stack(self._standard(frames))[1]

    def _standard(self, frames: Tensor) -> Tensor:
        return (frames - self.mean) / self.scale


class _Return(nn.Module):
    """There and back: the last row of a past as a forecast of itself."""

    offers: frozenset[str] = frozenset()
    publishes = PUBLISHES | {"states", "states_next"}

    def __init__(self, stack: Stack, parts: frozenset[str]) -> None:
        super().__init__()
        self.stack, self.parts = stack, parts

    def forward(self, past: Panel, future: Panel) -> Forecast:
        before, x = past.values[:, 0, 0], past.values[:, 1, 0]  # (b, D)
        code, parts = self.stack(x, self.parts)
        if "states" in self.parts:
            parts |= {"states": self.stack.encode(before), "states_next": self.stack.encode(x)}
        return Forecast(point=self.stack.decode(code)[:, None, None], parts=parts)
