"""What moves in the data: their frames as states, by any embedding of model/embedding.

    x (t, D)  →  z = E(x) (t − lost, d)  →  x̂ = E⁻¹(z),    D = nodes · channels

Frames are standardised by series and their gaps filled, as they are for a state space that
forecasts (models/state_space/). Of each coordinate z_k it is said

share          Σ_j cov(x_j, z_k)² / (var z_k · Σ_j var x_j): what of the variance of the frames a
               straight line in z_k alone tells; of principal components their share of variance
timescale      the lag, in rows, at which its autocorrelation falls below 1/e
error without  of the way back with z_k at its mean: Σ |x − x̂|² / Σ |x − mean x|² over what was
               observed; the error with all coordinates is said beside

The way back is had where the embedding has an inverse. Papaioannou et al., Time-series forecasting
using manifold learning, radial basis function interpolation, and geometric harmonics, Chaos 32
(2022), for states as what moves; how well they do so is of the embedding that is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, final

import numpy as np

from stsfm.datasets.acf import acf
from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows
from stsfm.models import legal
from stsfm.models.analyser import Analyser, Analysis
from stsfm.models.numerics.gaps import carried, means
from stsfm.models.parts import Embedding

LEAST = 10  # states
WITHOUT = 64  # coordinates that are left out in turn: each is a way back of all rows
NOTHING = 1e-12  # of a variance: rounding
FADED = np.exp(-1.0)  # of an autocorrelation
COLUMNS = ("coordinate", "share", "timescale", "error without")


@final
class States(Analyser):
    """Coordinates in which the data move."""

    cite = "papaioannou2022"

    def __init__(
        self, *, embedding: Embedding, scaling: Literal["none", "standard"], rows: int
    ) -> None:
        if rows < LEAST:
            raise ValueError(f"rows must be at least {LEAST}, got {rows}")
        if scaling not in ("none", "standard"):
            raise ValueError(f"scaling must be none or standard, got {scaling!r}")
        self.embedding, self.scaling, self.rows = embedding, scaling, rows

    @property
    def cites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.embedding.cite, self.cite)))

    def analyse(self, panel: Panel) -> Analysis:
        panel, first = self._cut(panel)
        if why := legal.lacking({"embedding": self.embedding}, legal.offered(panel)):
            raise ValueError(why)
        frames, mask = self._frames(panel)
        z = self._embedded(frames, panel)
        x, seen = frames[len(frames) - len(z) :], mask[len(frames) - len(z) :]
        share, slow = _shares(x, z), _timescales(z)
        error, without = self._errors(x, seen, z)
        rows = tuple(
            (f"z{k + 1}", float(share[k]), *(None if np.isnan(value) else float(value)
                                             for value in (slow[k], without[k])))
            for k in range(z.shape[1])
        )  # fmt: skip
        return Analysis(
            columns=COLUMNS,
            rows=rows,
            said=tuple(self._said(x, z, share, slow, error)),
            noted=tuple(self._noted(panel, mask, error)),
            states=z,
            first=first + len(frames) - len(z),
            arrays={"z": z, "first_row": np.array(first + len(frames) - len(z)), "share": share,
                    "timescale": slow, "error": np.array(error), "error_without": without,
                    **self.embedding.shows()},
        )  # fmt: skip

    def _cut(self, panel: Panel) -> tuple[Panel, int]:
        """The last rows, from the first that was observed on, and which row that is."""
        whole = panel.history()
        panel = whole[slice(max(0, len(whole) - self.rows), None)]
        began = int(panel.mask.any((1, 2)).argmax()) if len(panel) else 0
        panel = panel[slice(began, None)]
        return panel, len(whole) - len(panel)

    def _frames(self, panel: Panel) -> tuple[Array, Array]:
        """Rows (t, D) without gaps, and which of their numbers were observed."""
        panel = Transform.fit(panel, scaling=self.scaling).panel(panel)
        frames = carried(panel, means(panel).reshape(-1)).astype(np.float64)
        if not len(frames) or not np.ptp(frames, 0).any():
            raise ValueError(f"nothing changes in {len(frames)} rows: there are no states")
        return frames, panel.mask.reshape(len(panel), -1)

    def _embedded(self, frames: Array, panel: Panel) -> Array:
        """States (t − lost, d) of an embedding that is fitted on all frames."""
        frame = RollingWindows(panel=panel, origins=np.array([1]), horizon=0).frame
        try:
            z = self.embedding.fit(frames, frame).encode(frames)
        except ValueError as error:  # which speaks of it as a part of a model
            raise ValueError(
                re.sub(r"\bmodel([./]embedding)", r"analysis\1", str(error))
            ) from error
        if len(z) < LEAST:
            raise ValueError(
                f"{len(frames)} rows give {len(z)} states by {legal.name(self.embedding)}, and "
                f"{LEAST} are needed; take more rows, or an embedding that looks back less"
            )
        return z

    def _errors(self, x: Array, seen: Array, z: Array) -> tuple[float, Array]:
        """Of the way back, and with each coordinate (d) at its mean; NaN where there is none."""
        without = np.full(z.shape[1], np.nan)
        if "inverse" not in self.embedding.offers:
            return float("nan"), without
        spread = (((x - x.mean(0)) * seen) ** 2).sum()
        error = lambda z: float((((self.embedding.decode(z) - x) * seen) ** 2).sum() / spread)  # noqa: E731
        for k in range(min(z.shape[1], WITHOUT)):
            less = z.copy()
            less[:, k] = z[:, k].mean()
            without[k] = error(less)
        return error(z), without

    def _said(self, x: Array, z: Array, share: Array, slow: Array, error: float) -> Iterator[str]:
        name, many = legal.name(self.embedding), z.shape[1]
        of = f"{x.shape[1]:,} series" if x.shape[1] > 1 else "One series"
        moves = "moves" if x.shape[1] == 1 else "move"
        yield f"{of} {moves} in {_coordinates(many)} by {name}, over {len(z):,} states."
        best = int(share.argmax())
        yield (
            f"A straight line in z{best + 1} alone tells {_percent(share[best])} of the variance "
            "of the frames."
        )
        if not np.isnan(error):
            less = _percent(error) if error > NOTHING else "nothing"
            them = "it" if many == 1 else "them"
            yield f"The way back from {them} misses {less} of that variance."
        if (timed := ~np.isnan(slow)).any():
            last, soon = int(np.nanargmax(slow)), int(np.nanargmin(slow))
            yield f"z{last + 1} forgets itself in {slow[last]:.3g} rows" + (
                f", the slowest, and z{soon + 1} in {slow[soon]:.3g}, the fastest."
                if soon != last else "."
            )  # fmt: skip
        if still := int((~timed).sum()):
            yield f"{still} of {many} do not move, or forget nothing within half the rows."

    def _noted(self, panel: Panel, mask: Array, error: float) -> Iterator[str]:
        if self.scaling == "standard":
            yield "Each series was standardised; share and errors are of standardised frames."
        yield (
            "A coordinate has forgotten itself where its autocorrelation falls below 1/e. share is "
            "what a straight line in it tells of the frames: what bends is not in it."
        )
        if np.isnan(error):
            name = legal.name(self.embedding)
            yield f"{name} has no way back by itself: a model lifts its states (model/lifting)."
        yield f"All {len(panel):,} rows were learned from: of a model, it would be train alone."
        if gaps := int((~mask).sum()):
            yield (
                f"{gaps:,} of {mask.size:,} cells were missing, and were filled by the last value "
                "before; errors leave them out."
            )


def _shares(x: Array, z: Array) -> Array:
    """(d,) of the variance of frames (t, D) that a line in each coordinate of z (t, d) tells."""
    x, z = x - x.mean(0), z - z.mean(0)
    variance = (z**2).sum(0)
    told = ((x.T @ z) ** 2).sum(0) / np.where(variance > 0, variance, 1)
    return told / (x**2).sum()


def _timescales(z: Array) -> Array:
    """(d,) lags at which autocorrelations fall below 1/e, between rows by a line; NaN = never."""
    course = np.vstack([np.ones(z.shape[1]), acf(z, len(z) // 2)])  # (lag, d)
    below = course < FADED
    at = np.where(below.any(0), below.argmax(0), 1)
    here, before = (np.take_along_axis(course, (at - k)[None], 0)[0] for k in (0, 1))
    with np.errstate(invalid="ignore"):
        lag = at - 1 + (before - FADED) / (before - here)
    return np.where(below.any(0), lag, np.nan)


def _coordinates(many: int) -> str:
    return f"{many} coordinate{'s' * (many != 1)}"


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if share >= 0.1 else 1}f} %"
