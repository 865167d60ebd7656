"""Codes that move little from one row to the next.

    S = mean |z[t+1] − z[t]|² / (2 Var z)

It is 1 where a code knows nothing of the one before, and 0 where nothing moves: von Neumann's ratio
(Annals of Mathematical Statistics 12, 1941), halved; what is least of it under constraints is slow
feature analysis (Wiskott & Sejnowski, Neural Computation 14, 2002). The variance is the batch's, so
that codes gain nothing by shrinking.
"""

from __future__ import annotations

from stsfm.losses.base import Cost, Step, Term
from stsfm.losses.structure.base import sample, step_of, variance, whole


class Smoothness(Term):
    """States that change slowly."""

    parts = frozenset({"states", "states_next"})

    def __call__(self, step: Step) -> Cost:
        now, later = step.forecast.parts["states"], step.forecast.parts["states_next"]
        return whole(((later - now) ** 2).mean() / (2 * variance(now)))

    @classmethod
    def zero_case(cls) -> Step:
        """States that stay where they are."""
        states = sample(6, 3)
        return step_of({"states": states, "states_next": states.clone()})
