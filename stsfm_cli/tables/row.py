"""A row of a table: one configuration, its runs of several seeds folded into numbers.

A number is the mean over seeds, with their standard deviation where there are several; none where
a model draws no random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from stsfm.record import Record
from stsfm.record.choosing import keys_of


@dataclass(frozen=True)
class Value:
    """A score: the mean over seeds, and their standard deviation where there are several."""

    mean: float
    sd: float | None = None

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Value | None:
        seen = [value for value in values if value is not None and not math.isnan(value)]
        if not seen or len(seen) < len(values):
            return None
        return cls(fmean(seen), stdev(seen) if len(seen) > 1 else None)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One configuration: its runs that finished, one per seed, and why others did not."""

    model: str
    settings: Record  # any run of the configuration
    records: tuple[Record, ...]
    failures: tuple[str, ...] = ()
    label: str = ""  # the model, and the settings that tell it from its like
    tuned: bool = False  # whether a search chose it
    levels: str = ""  # of the factors that are compared: loss=quantile

    @property
    def name(self) -> str:
        """What it is called beside other models: gru, and gru (tuned), are two rows."""
        name = f"{self.model} {self.levels}".rstrip()
        return tuned(name) if self.tuned else name

    @cached_property
    def scores(self) -> list[dict[str, Any]]:
        return [record.scores for record in self.records]

    @property
    def deterministic(self) -> bool:
        return all(record.status["identity"]["seed"] is None for record in self.records)

    @property
    def seeds(self) -> int:
        return len(self.records)

    @property
    def is_net(self) -> bool:
        return any(scores["kind"] == "net" for scores in self.scores)

    def each(self, split: str, metric: str, view: str = "") -> list[float | None]:
        """A metric on `val` or `test`, seed by seed: over all that is forecast, or in a view."""
        found = [(scores.get(split) or {}).get(metric) for scores in self.scores]
        if view:
            return [entry and entry["view"].get(view) for entry in found]
        return [entry and entry["pooled"] for entry in found]

    def score(self, split: str, metric: str, view: str = "") -> Value | None:
        """A metric on `val` or `test`, over all that is forecast or in a view."""
        return Value.of(self.each(split, metric, view))

    def cost(self, name: str) -> Value | None:
        return Value.of([scores["cost"].get(name) for scores in self.scores])

    @cached_property
    def config(self) -> dict[str, Any]:
        """The model's keys and the choices of groups, dotted."""
        return keys_of(self.settings.config)

    def told(self, differ: Collection[str]) -> dict[str, Any]:
        """What tells it from its like, by short names; what a choice leads to goes without saying.

        differ  the dotted keys in which they are not alike
        """
        keys = [key for key in self.config if key in differ]
        chosen = tuple(
            f"model.{_short(key)}.".replace("/", ".") for key in keys if "choices." in key
        )
        return {_short(key): self.config[key] for key in keys if not key.startswith(chosen)}

    @property
    def intervals(self) -> dict[str, Any]:
        """Where its intervals come from: `kind` is native, conformal or none; and why."""
        return self.scores[0].get("intervals") or {} if self.scores else {}

    @property
    def sees(self) -> list[str]:
        """The past, and of covariates known ahead and of a graph the kinds that the model reads."""
        return self.scores[0].get("sees", ["past"]) if self.scores else []

    @property
    def graph(self) -> str:
        """Whose graph it read: graph, shuffled graph, learned graph or no graph; "" if it can't."""
        return next((what for what in self.sees if what.endswith("graph")), "")

    @property
    def oracle(self) -> bool:
        """Does it read what is known only afterwards? Then it is no forecast, and no rival."""
        return "oracle" in self.sees

    @property
    def fitted_to(self) -> str:
        return self.scores[0]["fitted_to"] if self.scores else ""


def _short(key: str) -> str:
    """model.hidden → hidden, choices.loss → loss, choices.model/embedding → embedding."""
    return key.removeprefix("choices.").removeprefix("model/").removeprefix("model.")


def tuned(model: str) -> str:
    """What a row is called that a search chose."""
    return f"{model} (tuned)"


def differing(rows: Iterable[Row]) -> set[str]:
    """Keys that not all have with one and the same value."""
    first, *others = [row.config for row in rows]
    keys = {key for config in (first, *others) for key in config}
    return {key for key in keys if any(other.get(key) != first.get(key) for other in others)}
