"""Any net behind the one face of every model.

A net is an ``nn.Module(frame, *, hyperparameters)`` with ``forward(past, future) → Forecast``,
and, where it is to learn otherwise, ``training_forward(window, progress)`` (training.py). What it
has to show of a state space it gives by ``states()``.
Neural gives it windows of its own look-back, a loss, a trainer and a seed.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import torch
from torch import nn

from stsfm.datasets.panel import Array, Forecast, Panel, Space
from stsfm.datasets.transform import IDENTITY
from stsfm.datasets.windows import Frame, RollingWindows
from stsfm.losses.base import Loss
from stsfm.models.base import Forecaster
from stsfm.models.batches import SEEN, as_tensor
from stsfm.models.checkpoint import Store
from stsfm.models.settings import Hardware, Trainer
from stsfm.models.training import Monitor, train

SETS = ("needs", "parts")  # fields of a frame that JSON has as lists


@final
class Neural(Forecaster):
    """A net, trained on windows of `context` rows. After `fit`, `report` says how it went."""

    offers = frozenset({"gradient"})

    def __init__(
        self,
        net: Callable[[Frame], Any],
        *,
        context: int,
        seed: int,
        loss: Loss,
        trainer: Trainer,
        hardware: Hardware,
        monitor: Monitor = lambda row: None,
        store: Store | None = None,
        part: bool = False,
    ) -> None:
        """`part`: of a whole, whose other parts price the terms that it cannot."""
        net_class: Any = getattr(net, "func", net)  # of functools.partial
        self.net_class, self.asked = net_class, loss
        loss = priced(loss, net_class) if part else loss
        self.make, self.context, self.seed = net, context, seed
        self.loss, self.trainer, self.hardware = loss, trainer, hardware
        self.monitor, self.store = monitor, store
        self.cite, self.reads = net_class.cite, context  # type: ignore[misc]
        if context < 1:
            raise ValueError(f"context must be at least 1, got {context}")
        keys = getattr(net, "keywords", {})
        agree(net_class, net_class.asks(keys) if hasattr(net_class, "asks") else {}, loss)
        tags = {"missing", *getattr(net_class, "tags", ()), *(["intervals"] if loss.needs else [])}
        self.tags = frozenset(tags)  # type: ignore[misc]
        self.report: dict[str, Any] = {}

    def around(self, net: Callable[[Frame], Any], context: int) -> Neural:
        """The same training, of another net by all of the loss."""
        return Neural(
            net,
            context=context,
            seed=self.seed,
            loss=self.asked,
            trainer=self.trainer,
            hardware=self.hardware,
            store=self.store,
        )

    def fit(self, train_windows: RollingWindows, val: RollingWindows) -> Self:
        windows = train_windows.look_back(self.context).whole()
        if not len(windows):
            raise ValueError(
                f"no training window has {self.context} rows of past and {windows.horizon} of "
                "future; lower model.context or protocol.horizon"
            )
        needs, levels, parts = self.loss.needs, self.loss.levels, self.loss.parts
        frame = replace(windows.frame, transform=IDENTITY)  # a net lives in units of its windows
        self._build(replace(frame, needs=needs, levels=levels, parts=parts))
        self.report = train(
            self.net,
            self.loss,
            windows,
            val.look_back(self.context),
            trainer=self.trainer,
            hardware=self.hardware,
            seed=self.seed,
            monitor=self.monitor,
            store=self.store,
        )
        self.net.to(self.hardware.device).eval()
        return self

    def update(self, windows: RollingWindows) -> Self:
        """Train on from the current weights, for `trainer.update_epochs` and without validation.

        One device does it: an update is short, and the other ranks have gone home after `fit`.
        """
        windows, epochs = windows.look_back(self.context).whole(), self.trainer.update_epochs
        train(
            self.net.train(),
            self.loss,
            windows,
            windows.subset(slice(0, 0)),
            trainer=replace(self.trainer, epochs=epochs, patience=None),
            hardware=replace(self.hardware, devices=1, nodes=1, strategy="auto"),
            seed=self.seed,
            monitor=lambda row: None,
            progress=math.inf,
        )
        self.net.to(self.hardware.device).eval()
        return self

    def _build(self, frame: Frame) -> None:
        torch.set_num_threads(self.hardware.threads)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.net: nn.Module = self.make(frame)
        self.frame = frame

    @torch.inference_mode()
    def predict(self, past: Panel, future: Panel) -> Forecast:
        single = past.values.ndim == 3
        if single:
            past, future = past.part(None), future.part(None)
        size = max(1, SEEN * len(past.values) // (past.values.size + future.values.size))
        made = []
        for first in range(0, len(past.values), size):
            part = (panel.part(slice(first, first + size)) for panel in (past, future))
            made.append(self.net(*(panel.map(self._near) for panel in part)))
        forecast = Forecast.concat(made) if len(made) > 1 else made[0]
        return replace(forecast, parts={}).map(
            lambda t: (t[0] if single else t).cpu().numpy().astype(np.float64)
        )

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        """What its net has to show, if it has a method `states`: of the names in base.py."""
        shown: dict[str, torch.Tensor] = getattr(self.net, "states", dict)()
        return {name: tensor.cpu().numpy() for name, tensor in shown.items()}

    def _near(self, array: Array) -> torch.Tensor:
        return as_tensor(array, self.hardware.device)

    def drawing(self) -> Mapping[str, Any]:
        describe: Any = getattr(self.net, "drawing", dict)
        if not (made := describe()):
            return {}
        types = [layer["type"] for layer in made["layers"]]
        terms = [
            {"name": name, "weight": weight, **term.acts_on(types)}
            for name, (weight, term) in self.loss.active.items()
        ]
        return {**made, "terms": terms}

    @property
    def parameters(self) -> int:
        return sum(weight.numel() for weight in self.net.parameters())

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        weights = io.BytesIO()  # a full disk is then Python's error, not one of torch's archive
        torch.save(self.net.state_dict(), weights)
        (folder / "weights.pt").write_bytes(weights.getvalue())
        sets = {name: sorted(getattr(self.frame, name)) for name in SETS}
        frame = asdict(replace(self.frame, space=None)) | sets
        del frame["transform"]
        if (space := self.frame.space) is not None:
            arrays = space.arrays()
            frame["space"] = {k: v for k, v in vars(space).items() if k not in arrays}
            np.savez(folder / "space.npz", allow_pickle=False, **arrays)
        (folder / "frame.json").write_text(json.dumps(frame))

    def load(self, folder: Path) -> Self:
        frame = json.loads((folder / "frame.json").read_text())
        lists = {name: tuple(frame[name]) for name in ("targets", "levels")}
        if frame["space"] is not None:
            with np.load(folder / "space.npz", allow_pickle=False) as arrays:
                frame["space"] = Space(**frame["space"] | {name: arrays[name] for name in arrays})
        sets = {name: frozenset(frame[name]) for name in SETS}
        self._build(Frame(**frame | lists | sets))
        weights = torch.load(folder / "weights.pt", map_location="cpu", weights_only=True)
        self.net.load_state_dict(weights)
        self.net.to(self.hardware.device).eval()
        return self


def priced(loss: Loss, net_class: Any) -> Loss:
    """Of a loss the terms that a net of states can price: it publishes what they look at."""
    publishes: frozenset[str] = getattr(net_class, "publishes", frozenset())
    terms = {
        name: term
        for name, term in loss.terms.items()
        if term.parts <= publishes and not term.frames
    }
    weights = {name: weight for name, weight in loss.weights.items() if name in terms}
    return loss if len(terms) == len(loss.terms) else replace(loss, terms=terms, weights=weights)


def agree(net_class: Any, asked: Mapping[str, str], loss: Loss) -> None:
    """ValueError unless the net publishes what the loss prices, and the loss holds what is asked.

    asked  types of layers that a term of the loss has to hold → the name of the term; a net tells
           by `asks`, of its keys
    """
    if lacks := loss.needs - net_class.offers:
        offers = sorted(net_class.offers)
        raise ValueError(f"needs {sorted(lacks)}, and {net_class.__name__} offers {offers}")
    for name, (_, term) in loss.active.items():
        if lacks := term.parts - getattr(net_class, "publishes", frozenset()):
            raise ValueError(f"the term {name} prices {', '.join(sorted(lacks))}, and "
                             f"{net_class.__name__} publishes none")  # fmt: skip
    held = {kind for _, term in loss.active.values() for kind in getattr(term, "holds", ())}
    for kind, preset in asked.items():
        if kind not in held:
            raise ValueError(f"nothing holds the soft layers of type {kind}; add "
                             f"+loss/term={preset}, or have no soft constraints")  # fmt: skip
