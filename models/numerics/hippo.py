"""HiPPO: the coefficients of a past in Legendre polynomials, kept by a linear system.

    legs  c′ = (A c + B f) / t,    all of the past, [0, t], weighs the same
          A_nk = −√((2n+1)(2k+1)) below the diagonal, −(n+1) on it, 0 above,    B_n = √(2n+1)
    legt  c′ = (A c + B f) / θ,    the window [t − θ, t] alone
          A_nk = −√((2n+1)(2k+1)) · (1 where k ≤ n, else (−1)ⁿ⁻ᵏ),              B_n = √(2n+1)

    f(s) ≈ Σ_n c_n √(2n+1) P_n(x),    x from −1, the oldest row, to 1, the newest

A row is held until the next, f = f_k on (k − 1, k], and the first was held before. A system is
linear: after L rows c = M f, M (N, L). exact: c_k = E_k c_{k−1} + A⁻¹ (E_k − I) B f_k, c_1 = (f_1,
0, …), with E_k = exp(A / θ), and for legs exp(A ln(k / (k − 1))), in log time; what that adds up to
is the projection of f, held, on the polynomials: M_nk = √(2n+1) ∫ P_n over the share of row k.
bilinear: (I − A/2k) c_k = (I + A/2k) c_{k−1} + B f_k / k, with an error that falls as 1 / L only.
A is far from normal and its eigenvectors are useless; A + P Pᵀ, P_n = √(n + 1/2), is normal.
Gu et al., HiPPO: recurrent memory with optimal polynomial projections, NeurIPS (2020); Gu, Goel &
Ré, Efficiently modeling long sequences with structured state spaces, ICLR (2022), for A + P Pᵀ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.polynomial.legendre import legvander
from scipy.linalg import expm

from stsfm.datasets.panel import Array

Measure = Literal["legs", "legt"]
Method = Literal["exact", "bilinear"]


def legs(size: int) -> tuple[Array, Array]:
    """A (N, N) and B (N) of the scaled measure."""
    root = np.sqrt(2 * np.arange(size) + 1)
    return -np.tril(np.outer(root, root), -1) - np.diag(np.arange(size) + 1.0), root


def legt(size: int) -> tuple[Array, Array]:
    """A (N, N) and B (N) of the translated measure, for θ = 1."""
    root, order = np.sqrt(2 * np.arange(size) + 1), np.arange(size)
    apart = order[:, None] - order  # n − k
    return -np.outer(root, root) * np.where(apart >= 0, 1.0, (-1.0) ** apart), root


def normal(size: int) -> tuple[Array, Array, Array]:
    """LegS as Λ − P Pᵀ: eigenvalues Λ (N) of A + P Pᵀ, its unitary vectors V (N, N), and P (N).

    Real parts are all −1/2; eigenvalues come in the order of their imaginary parts, so that the
    latter half of an even N are those above the axis, the slowest first.
    """
    low_rank = np.sqrt(np.arange(size) + 0.5)
    skew = legs(size)[0] + np.outer(low_rank, low_rank) + np.eye(size) / 2
    imaginary, vectors = np.linalg.eigh(-1j * skew)
    return -0.5 + 1j * imaginary, vectors, low_rank


def polynomials(size: int, places: Array) -> Array:
    """√(2n+1) P_n at places between −1 and 1, (…, N): coefficients times it is the signal."""
    return legvander(places, size - 1) * np.sqrt(2 * np.arange(size) + 1)


def middles(length: int) -> Array:
    """Where the rows of a window lie, (L,): each in the middle of the time that it is held."""
    return (2 * np.arange(length) + 1) / length - 1


def weights(measure: Measure, size: int, length: int, method: Method) -> Array:
    """M (N, L): the coefficients of L rows are M f.

    Of legt θ = L, and before the first row the signal stood at it: (1, 0, …) is what A keeps.
    """
    if measure == "legs" and method == "exact":
        return _projection(size, length)
    after, columns = np.eye(size), []
    for step, added in reversed(list(_steps(measure, size, length, method))):
        columns.append(after @ added)
        after = after @ step
    return np.stack([after[:, 0], *reversed(columns)], 1)  # the first row begins at (f_1, 0, …)


def _projection(size: int, length: int) -> Array:
    """√(2n+1) ∫ P_n over each row, by (2n+1) P_n = P′_{n+1} − P′_{n−1}."""
    borders = 2 * np.arange(length + 1) / length - 1
    values, order = legvander(borders, size), np.arange(1, size)
    integral = np.empty((length + 1, size))
    integral[:, 0] = borders
    integral[:, 1:] = (values[:, 2:] - values[:, : size - 1]) / (2 * order + 1)
    return (np.diff(integral, axis=0) / 2 * np.sqrt(2 * np.arange(size) + 1)).T


def _steps(
    measure: Measure, size: int, length: int, method: Method
) -> Iterator[tuple[Array, Array]]:
    """How the coefficients move with each row after the first, and what its value adds."""
    matrix, column = (legs if measure == "legs" else legt)(size)
    identity = np.eye(size)
    for row in range(2, length + 1):
        if method == "exact":
            time = np.log(row / (row - 1)) if measure == "legs" else 1 / length
            step = expm(matrix * time)
            added = np.linalg.solve(matrix, (step - identity) @ column)
        else:
            time = 1 / (row if measure == "legs" else length)
            step = np.linalg.solve(identity - matrix * time / 2, identity + matrix * time / 2)
            added = np.linalg.solve(identity - matrix * time / 2, column * time)
        yield step, added
