"""All stages as one net, trained on the forecast of the frames.

    ŷ = E⁻¹ T_x⁻¹ T_y⁻¹ T_y A Φ T_x E (x)      every part as its net, begun where it was learned

Gaps are filled as for the parts alone. What the embedding publishes of its layers stands in the
parts of the forecast beside `states` (b, t, d), those of the past, and `states_next`, each one row
later: terms of a loss price them.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.stack.stack import PUBLISHES
from stsfm.models.state_space.panels import panel_of
from stsfm.models.state_space.space import StateSpace

OWN = frozenset({"states", "states_next"})
OTHERS = ("dynamics", "lifting")  # the one is a net of panels, the other the way back


class Joint(nn.Module):
    """A state space as a net."""

    cite = "papaioannou2022"
    offers: frozenset[str] = frozenset()
    tags = frozenset({"missing"})
    publishes = PUBLISHES | OWN

    mean: Tensor  # of train (D,)

    def __init__(self, frame: Frame, *, space: StateSpace) -> None:
        super().__init__()
        self.lost, self.targets = int(space.embedding.lost_), list(frame.targets)
        self.shape, self.wanted = (frame.nodes, frame.channels), frame.parts
        self.register_buffer("mean", torch.as_tensor(space.mean_, dtype=torch.float32))
        self.inner = deepcopy(cast(Any, space.dynamics).net)
        stages = {name: space.stages[name] for name in space.stages if name not in OTHERS}
        self.stages = nn.ModuleDict({name: cast(Any, part).net() for name, part in stages.items()})
        if frame.parts - OWN and not hasattr(self.stages["embedding"], "parts"):
            raise ValueError(f"the embedding has no layers, and publishes no {min(frame.parts)}")

    def forward(self, past: Panel, future: Panel) -> Forecast:
        embed, transform, align, turn = (cast(Any, part) for part in self.stages.values())
        frames, mask = self._filled(past)  # (b, t, D)
        states = transform(embed(frames))  # (b, t − lost, d)
        began = mask.any(-1).cummax(-1).values[:, self.lost :]
        seen = began[..., None].expand_as(states)
        inside = panel_of(states * seen, seen, past[self.lost :])
        blank = states.new_zeros((*future.values.shape[:2], states.shape[-1]))
        ahead = panel_of(blank, torch.zeros_like(blank, dtype=torch.bool), future)
        made = align(self.inner(inside, ahead).point[..., 0, :])  # (b, h, d)
        lifted = embed.decode(transform.decode(turn.decode(turn(made))))  # (b, h, D)
        point = lifted.unflatten(-1, self.shape)[..., self.targets]
        return Forecast(point=point, parts=self._published(embed, frames, states))

    def _filled(self, past: Panel) -> tuple[Tensor, Tensor]:
        """Frames without gaps, and which of their numbers were observed."""
        values, mask = past.values.flatten(-2), past.mask.flatten(-2)
        rows = torch.arange(values.shape[1], device=values.device)[:, None]
        last = torch.where(mask, rows, -1).cummax(1).values  # (b, t, D)
        filled = values.gather(1, last.clamp(min=0))
        return torch.where(last >= 0, filled, self.mean), mask

    def _published(self, embed: Any, frames: Tensor, states: Tensor) -> dict[str, Any]:
        if not self.wanted:
            return {}
        layers = embed.parts(frames) if self.wanted - OWN else {}
        return {**layers, "states": states[:, :-1], "states_next": states[:, 1:]}
