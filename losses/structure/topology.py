"""Whether codes are connected as the windows are that they stand for.

    T = mean over the edges of MST(X) of (A_X − A_Z)² + mean over the edges of MST(Z) of (the same)

A_X and A_Z are the distances between the samples of a batch, before the first layer and after the
last, each over its mean. The edges of a minimum spanning tree are where components merge: what is
kept is the persistent homology of dimension 0. Moor, Horn, Rieck & Borgwardt, Topological
autoencoders, ICML (2020): theirs divides by maxima, and takes sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stsfm.losses.base import Cost, Step, Term
from stsfm.losses.structure.base import sample, step_of, whole
from stsfm.losses.structure.pairs import distances, samples, upper


@dataclass(frozen=True, kw_only=True)
class Topology(Term):
    """Edges of the minimum spanning trees, both ways."""

    parts = frozenset({"inputs", "codes"})
    most: int  # samples of a batch

    def __call__(self, step: Step) -> Cost:
        parts = step.forecast.parts
        before, after = (
            _relative(samples(x, self.most)) for x in (parts["inputs"][0], parts["codes"][-1])
        )
        squares = (before - after) ** 2
        both = [squares[tree(square)].mean() for square in (before, after)]
        return whole(both[0] + both[1])

    @classmethod
    def zero_case(cls) -> Step:
        """A copy that is turned, moved and magnified."""
        seen, turn = sample(8, 3), torch.linalg.qr(sample(3, 3, seed=1))[0]
        return step_of({"inputs": [seen], "codes": [2 * seen @ turn + 1]})


def _relative(x: Tensor) -> Tensor:
    """(s, s) distances, over their mean."""
    square = distances(x)
    return square / (upper(square).mean() + torch.finfo(x.dtype).eps)


def tree(square: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The edges of a minimum spanning tree of distances (s, s): from, to, (s − 1) each.

    Prim's: what is nearest to the tree joins it. Samples may coincide.
    """
    apart = square.detach().cpu().numpy()
    nearest, via = apart[0].copy(), np.zeros(len(apart), int)
    nearest[0] = np.inf
    inside, edges = np.arange(len(apart)) == 0, []
    for _ in range(len(apart) - 1):
        new = int(np.where(inside, np.inf, nearest).argmin())
        edges.append((via[new], new))
        inside[new] = True
        closer = apart[new] < nearest
        nearest, via = np.where(closer, apart[new], nearest), np.where(closer, new, via)
    ends = np.array(edges, int).reshape(-1, 2)
    return ends[:, 0], ends[:, 1]
