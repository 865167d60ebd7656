"""Which parts go together: what some need, and others or the data offer.

Compared before anything runs. Each reason is a line, which says what could be taken instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from stsfm.datasets.lattice import lattice

if TYPE_CHECKING:
    from stsfm.datasets.panel import Panel
    from stsfm.models.base import Forecaster
    from stsfm.models.parts import Part

    Stages = Mapping[str, "Part | Forecaster"]  # in the order of the data

BEFORE = ("embedding", "transform_x", "transform_y")  # what a lifting goes back through
DATA = {  # what a dataset may have → how to come by it
    "graph": "a graph of the nodes, and the data have none",
    "coords": "coordinates of the nodes, and the data have none",
    "lattice": "nodes on a regular grid, and those of the data are not",
    "equation": "the equation of the data, and it is not known",
}
OF_OTHERS = frozenset({"inverse", "pairs", "frames"})  # what is no matter of the data


class Refused(ValueError):
    """Of parts that do not go together: why."""


def refused(stages: Stages, *, joint: bool) -> str:
    """Why these parts do not go together, in a line; "" where they do."""
    return next(_reasons(stages, joint), "")


def lacking(stages: Stages, have: frozenset[str]) -> str:
    """What of the data the parts cannot do without, in a line; "" where they have it."""
    for stage, part in stages.items():
        if wanted := sorted(part.needs - have - OF_OTHERS):
            return f"{stage}={name(part)} needs {DATA.get(wanted[0], wanted[0])}"
    return ""


def offered(panel: Panel) -> frozenset[str]:
    """What a dataset offers to parts."""
    space = panel.space
    have = {
        "graph": space.adjacency is not None,
        "coords": space.coords is not None,
        "lattice": space.coords is not None and lattice(space.coords) is not None,
        "equation": panel.about.law is not None,
    }
    return frozenset(word for word, there in have.items() if there)


def name(part: Part | Forecaster) -> str:
    """As it is typed: lle, of stsfm.models.embedding.lle; a net by its class."""
    net = getattr(part, "net_class", None)
    return (net.__name__ if net else type(part).__module__.rpartition(".")[2]).lower()


def _reasons(stages: Stages, joint: bool) -> Iterator[str]:
    lifting, dynamics = stages["lifting"], stages["dynamics"]
    if "graph" in getattr(dynamics, "tags", ()):
        yield f"dynamics={name(dynamics)} reads a graph, and states are no nodes of one"
    if "inverse" in lifting.needs and (lost := _without("inverse", stages, BEFORE)):
        yield (
            f"lifting={name(lifting)} goes back through all parts, and {lost[0]} has no inverse: "
            "take a lifting that is learned from pairs, such as knn"
        )
    for at, stage in enumerate(BEFORE):
        if "frames" in stages[stage].needs and (other := _without("frames", stages, BEFORE[:at])):
            yield (
                f"{stage}={name(stages[stage])} acts on frames, and {other[0]} makes other states "
                "of them: take embedding=identity"
            )
    if not joint and (why := unpriced(stages)):
        yield why
    if joint and (fixed := _without("gradient", stages, stages)):
        yield f"training=joint needs parts that have gradients, and {', '.join(fixed)} has none"


def unpriced(stages: Stages) -> str:
    """Why a term of the loss has no part that it prices, in a line; "" where each has one."""
    trained = [part for part in stages.values() if hasattr(part, "loss")]
    active = {name for part in trained for name in part.loss.active}
    asked = {name for part in trained for name in getattr(part, "asked", part.loss).active}
    if lost := sorted(asked - active):
        return f"loss: no part of model=composed has what the term {lost[0]} prices"
    return ""


def _without(word: str, stages: Stages, names: Iterable[str]) -> list[str]:
    """embedding=lle, … of those that do not offer it."""
    return [f"{stage}={name(stages[stage])}" for stage in names if word not in stages[stage].offers]
