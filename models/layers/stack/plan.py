"""The layers of a stack as they are typed: lists with an entry for each, or one value for all.

Such as model.sizes=[32,8] model.types=[pca,plain] model.constraints=hard model.activations=tanh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Type = Literal["plain", "pca", "skip", "metric", "multilinear", "vae"]
Constraint = Literal["none", "soft", "hard"]
Activation = Literal["identity", "sigmoid", "tanh", "relu", "gelu"]
Size = int | Sequence[int] | None  # of a multilinear layer [time, node, channel]; None = as it gets

KEYS = ("sizes", "types", "constraints", "activations", "tied")  # as `plans` takes them
HELD: dict[str, tuple[Constraint, ...]] = {  # type → how what defines it may be held
    "plain": ("none",),
    "pca": ("none", "soft", "hard"),  # WᵀW = I
    "skip": ("none", "soft", "hard"),  # W = I
    "metric": ("none", "soft", "hard"),  # W ⪰ 0
    "multilinear": ("none", "soft", "hard"),  # WᵀW = I, of each factor
    "vae": ("none", "soft"),  # codes are standard normal
}
TERMS = {  # type → the term that holds it softly
    "pca": "orthogonality",
    "multilinear": "orthogonality",
    "skip": "skip",
    "metric": "metric",
    "vae": "divergence",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One layer."""

    size: Size
    type: Type
    constraint: Constraint
    activation: Activation
    tied: bool


def plans(
    sizes: Sequence[Size],
    types: Type | Sequence[Type],
    constraints: Constraint | Sequence[Constraint],
    activations: Activation | Sequence[Activation],
    tied: bool | Sequence[bool],
) -> tuple[Plan, ...]:
    """A plan for each of the sizes; ValueError where a list is of another length.

    One constraint for all is meant for the layers that can be held so.
    """
    many = len(sizes)
    if not many:
        raise ValueError("sizes is empty: a stack has at least one layer, such as sizes=[16]")
    kinds = _each("types", types, many)
    held = _each("constraints", constraints, many)
    if isinstance(constraints, str):
        held = [how if how in HELD[kind] else "none" for kind, how in zip(kinds, held, strict=True)]
    for k, (kind, how) in enumerate(zip(kinds, held, strict=True), 1):
        if how not in HELD[kind]:
            raise ValueError(f"layer {k} is {kind}, which can be {' or '.join(HELD[kind])}, "
                             f"got {how}")  # fmt: skip
    rows = zip(sizes, kinds, held, _each("activations", activations, many),
               _each("tied", tied, many), strict=True)  # fmt: skip
    names = ("size", "type", "constraint", "activation", "tied")
    return tuple(Plan(**dict(zip(names, row, strict=True))) for row in rows)


def soft(made: Sequence[Plan]) -> dict[str, str]:
    """The types of the layers that a term of the loss has to hold → its name."""
    return {plan.type: TERMS[plan.type] for plan in made if plan.constraint == "soft"}


def _each(name: str, given: Any, many: int) -> list[Any]:
    """One value for every layer."""
    if isinstance(given, str | bool):
        return [given] * many
    if len(given) != many:
        raise ValueError(f"sizes has {many} layers, {name} has {len(given)}: {list(given)}")
    return list(given)
