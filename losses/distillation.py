"""What a teacher knows, handed to a student.

    D = (s − f)²                                        forecasts s of the teacher, f of the student
    D = KL(N(s, T σ_s²) ‖ N(f, σ_f²))                   where both forecast Gaussians
    D = T² KL(softmax(v/T) ‖ softmax(z/T))              where both forecast classes, by logits v, z
    D =    KL(softmax(v/T) ‖ softmax(z))                … and the student's are not matched

T is the temperature: above 1 the teacher is less sure. A loss (1 − λ) task + λ D has the weights
task: 1 − λ and distillation: λ. A teacher is frozen; it forecasts the training windows once, and
it alone may look at what is privileged. Cells count whether they were observed or not: a teacher
has an opinion of all. In units of the transform, as the task is.

Hinton, Vinyals & Dean, Distilling the knowledge in a neural network (2015), who match temperatures;
Lopez-Paz et al., Unifying distillation and privileged information, ICLR (2016), who don't. A KL and
their cross-entropy differ by a constant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from stsfm.datasets.panel import Array, Forecast
from stsfm.datasets.windows import RollingWindows
from stsfm.losses.base import Cost, Step, Term
from stsfm.losses.physics import swings
from stsfm.losses.teachers import Teacher

PRICED = ("point", "scale", "logits")  # what of a forecast is compared


@dataclass(frozen=True, kw_only=True, eq=False)
class Lessons:
    """Forecasts of a teacher, by the first stamp of the future."""

    stamps: Tensor  # int64 (window,), rising
    forecast: Forecast  # (window, …)

    @classmethod
    def of(cls, teacher: Teacher, windows: RollingWindows) -> Lessons:
        """Ask the teacher about every window, once. FloatingPointError where it knows no number."""
        forecast = teacher(windows)
        said = {name: torch.as_tensor(array) for name, array in forecast.arrays().items()}
        for name, array in said.items():
            if not bool(array.isfinite().all()):
                raise FloatingPointError(f"the teacher's {name} is not finite in some window")
        order = np.argsort(windows.origins, kind="stable")
        stamps = windows.panel.time[windows.origins + windows.offset]
        held: Any = {name: said[name].float()[order] for name in PRICED if name in said}
        return cls(stamps=torch.as_tensor(stamps[order]).contiguous(), forecast=Forecast(**held))

    def about(self, stamps: Array, like: Tensor) -> Forecast:
        """What was said of the futures that begin at `stamps` (b,), where and as `like` is."""
        wanted = stamps.cpu().contiguous()
        rows = torch.searchsorted(self.stamps, wanted).clamp(max=len(self.stamps) - 1)
        if not bool((self.stamps[rows] == wanted).all()):
            raise ValueError("a teacher forecasts training windows, and this is none of them")
        return self.forecast.map(lambda array: array[rows].to(like))


@dataclass(frozen=True, kw_only=True, eq=False)
class Distillation(Term):
    """The distance from what a teacher says.

    teacher            a simulator; or the folder of a run, be it of an ensemble
    temperature        T > 0
    match_temperature  of classes: the student's are as warm (Hinton) or not (Lopez-Paz)
    """

    kind = "misfit"
    frames = True

    teacher: Teacher | str
    temperature: float
    match_temperature: bool
    lessons_: Lessons | None = None  # `ready` has them given

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"a temperature is above 0, got {self.temperature}")
        if isinstance(self.teacher, str):
            raise ValueError(
                "which teacher? The folder of a run is loss.terms.distillation.teacher=runs/…; "
                "the equation of the data is +loss/term=simulator"
            )

    @property
    def data(self) -> frozenset[str]:  # type: ignore[override]
        """What its teacher needs of the data."""
        return getattr(self.teacher, "data", frozenset())

    def ready(self, windows: RollingWindows) -> Distillation:
        assert not isinstance(self.teacher, str)
        return replace(self, lessons_=Lessons.of(self.teacher, windows))

    def __call__(self, step: Step) -> Cost:
        if self.lessons_ is None:
            raise ValueError("a teacher has to see the training windows first: use ready()")
        said = self.lessons_.about(step.future.time[:, 0], step.forecast.point)
        value = self.apart(said, step.forecast)
        return Cost(value, torch.ones_like(value))

    @classmethod
    def zero_case(cls) -> Step:
        """Where a teacher that knows what comes has taught all that it knows."""
        return swings()

    def apart(self, teacher: Forecast, student: Forecast) -> Tensor:
        """D of every cell; of classes it has no axis of them."""
        if teacher.logits is not None and student.logits is not None:
            return _classes(
                teacher.logits, student.logits, self.temperature, matched=self.match_temperature
            )
        if teacher.scale is not None and student.scale is not None:
            return _gaussians(teacher, student, self.temperature)
        return (teacher.point - student.point) ** 2


def _classes(teacher: Tensor, student: Tensor, temperature: float, *, matched: bool) -> Tensor:
    """KL (…) of logits (…, class)."""
    warm = log_softmax(teacher / temperature, -1)
    said = log_softmax(student / temperature if matched else student, -1)
    apart = (warm.exp() * (warm - said)).sum(-1)
    return temperature**2 * apart if matched else apart


def _gaussians(teacher: Forecast, student: Forecast, temperature: float) -> Tensor:
    """KL (b, t, n, c) of the student from the teacher, widened."""
    wide: Array = temperature * teacher.scale**2  # type: ignore[operator]
    variance: Array = student.scale**2  # type: ignore[operator]
    ratio = wide / variance
    return (ratio - 1 - ratio.log() + (teacher.point - student.point) ** 2 / variance) / 2
