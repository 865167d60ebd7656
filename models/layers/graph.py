"""The graph of a frame as a net multiplies with it: the one place where `data.space` is honoured.

given, shuffled  the matrices M of a graph (diffusion.py); sparse where few pairs are edges
none             no matrix: each node is alone
learned          M = softmax(relu(E₁ E₂ᵀ)), learned with the net;  E: (node, embedding)

Values have their nodes first, x (node, …): M x is then one product of two matrices, whatever the
other axes are. Wu et al., Graph WaveNet for deep spatial-temporal graph modeling, IJCAI (2019).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from stsfm.datasets.panel import Space
from stsfm.datasets.windows import Frame

Spread = Callable[[Tensor], Tensor]  # x (node, …) → M x
SPARSE = 0.05  # edges per pair of nodes below which a sparse product is the faster one


class Graph(nn.Module):
    """What a net spreads its values with: called once in a forward, it gives every x → M x.

    matrices   makes those of a graph that is given, such as `transitions`
    embedding  numbers per node and side of a graph that is learned
    adaptive   learn a graph beside one that is given, too

    Raises ValueError where a graph is to be given and the data have none.
    """

    def __init__(
        self,
        frame: Frame,
        matrices: Callable[[Space], tuple[csr_array, ...]],
        *,
        embedding: int,
        adaptive: bool = False,
    ) -> None:
        super().__init__()
        space = frame.space or Space()
        found, named = matrices(space), space.graph in ("given", "shuffled")
        if named and not found:
            raise ValueError(
                "the data have no graph; a file is given one by data.edges, data.distances or "
                "data.coords, and data with a key space do without by data.space=learned or none"
            )
        self.fixed = nn.ModuleList(map(_Fixed, found))
        learns = space.graph == "learned" or (adaptive and named)
        self.learned = _Learned(frame.nodes, embedding) if learns else None
        self.matrices = len(found) + learns

    def forward(self) -> list[Spread]:
        if self.learned is None:
            return [*self.fixed]
        return [*self.fixed, partial(_product, self.learned())]


class _Fixed(nn.Module):
    """x → M x of a matrix that stays, dense or sparse: whichever is faster."""

    weights: Tensor  # (node, node); the weights of edges alone where it is sparse
    starts: Tensor  # of a sparse one: where the edges of each row begin,
    ends: Tensor  # and the node that each leads to

    def __init__(self, matrix: csr_array) -> None:
        super().__init__()
        kind = torch.get_default_dtype()
        self.shape, self.sparse = matrix.shape, matrix.nnz < SPARSE * matrix.shape[0] ** 2
        kept = {"weights": torch.tensor(matrix.data if self.sparse else matrix.toarray()).to(kind)}
        if self.sparse:  # in parts, since DDP can send no sparse tensor
            kept |= {"starts": torch.tensor(matrix.indptr), "ends": torch.tensor(matrix.indices)}
        for name, value in kept.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if not self.sparse:
            return _product(self.weights, x)
        parts = (self.starts, self.ends, self.weights)
        with warnings.catch_warnings():  # that torch calls its sparse matrices a beta
            warnings.simplefilter("ignore", UserWarning)
            matrix = torch.sparse_csr_tensor(*parts, self.shape, check_invariants=False)
        return _product(matrix, x.to(self.weights.dtype))


class _Learned(nn.Module):
    """softmax(relu(E₁ E₂ᵀ)) (node, node): each row is what a node takes from all."""

    def __init__(self, nodes: int, embedding: int) -> None:
        super().__init__()
        self.source = nn.Parameter(torch.randn(nodes, embedding))
        self.target = nn.Parameter(torch.randn(nodes, embedding))

    def forward(self) -> Tensor:
        return (self.source @ self.target.T).relu().softmax(-1)


def _product(matrix: Tensor, x: Tensor) -> Tensor:
    return (matrix @ x.reshape(len(x), -1)).view(x.shape)
