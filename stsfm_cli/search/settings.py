"""How a search goes about it: its sampler, its budget, and what a trial is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from stsfm.build import check_keys
from stsfm.losses.metrics import METRICS
from stsfm.mistakes import Mistake, did_you_mean
from stsfm.words import count


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of conf/search/optuna.yaml. Mistake where a value makes no search."""

    sampler: Literal["tpe", "random", "grid"]
    trials: int | None  # per model
    seconds: float | None  # per model, all trials together
    pruner: Literal["none", "median"]
    tuning_seeds: Sequence[int]
    metric: str
    seed: int

    def __post_init__(self) -> None:
        budgets = {"trials": self.trials, "seconds": self.seconds}
        for name, budget in budgets.items():
            if budget is not None and budget <= 0:
                raise Mistake(f"search.{name}={budget}: wanted a budget above 0, or null for none")
        if self.trials is None and self.seconds is None:
            raise Mistake("a search needs an end: search.trials=30, search.seconds=600, or both")
        if not self.tuning_seeds or len(set(self.tuning_seeds)) < len(self.tuning_seeds):
            raise Mistake(
                f"search.tuning_seeds: wanted one or more different seeds, got {self.tuning_seeds}"
            )
        errors = [metric.name for metric in METRICS if metric.better == "low"]
        if self.metric not in errors:
            raise Mistake(
                f"search.metric={self.metric}: wanted an error to minimise."
                f"{did_you_mean(self.metric, errors)} Available: {', '.join(errors)}"
            )

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Those of a composed job, for which a search was chosen."""
        check_keys(cls, config["search"], "search")
        return cls(**config["search"])

    @property
    def budget(self) -> str:
        """In words: "30 trials", "30 trials or 600 s"."""
        trials = [count(self.trials, "trial")] if self.trials else []
        return " or ".join([*trials, *([f"{self.seconds:g} s"] if self.seconds else [])])
