"""Holm's step-down correction: the chance of any false claim in a family stays below alpha.

Of m p-values in rising order, p₍₁₎ ≤ … ≤ p₍ₘ₎, the adjusted ones are

    p̃₍ᵢ₎ = min(1, maxⱼ≤ᵢ (m − j + 1) p₍ⱼ₎)

whatever their dependence, and never above Bonferroni's. Holm (1979).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def holm(p: Mapping[Name, float]) -> dict[Name, float]:
    """Adjusted p-values of a family, by name; the family is all that was tested."""
    adjusted: dict[Name, float] = {}
    highest = 0.0
    for done, name in enumerate(sorted(p, key=lambda name: p[name])):
        highest = max(highest, min(1.0, (len(p) - done) * p[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p}
