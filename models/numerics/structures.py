"""Structural time series as linear Gaussian systems: what statsmodels fits, and its matrices."""

from __future__ import annotations

import warnings
from typing import Any, Literal, NamedTuple

import numpy as np
from statsmodels.tsa.statespace.dynamic_factor import DynamicFactor
from statsmodels.tsa.statespace.structural import UnobservedComponents

from stsfm.datasets.panel import Array
from stsfm.models.numerics.kalman import State, System

Kind = Literal["llevel", "lltrend", "bsm", "dynamic_factor"]
LONGEST = 24  # the longest season of which every row has a state
HARMONICS = 6  # of longer ones


class Structure(NamedTuple):
    """What a system is made of."""

    kind: Kind
    season: int
    factors: int
    lags: int

    @property
    def joint(self) -> bool:
        """Is there one system of all series?"""
        return self.kind == "dynamic_factor"

    def model(self, y: Array) -> Any:
        """The model of statsmodels for rows (t, p), NaN where missing."""
        if self.joint:
            few = min(self.factors, y.shape[1] - 1)
            return DynamicFactor(y, k_factors=few, factor_order=self.lags, error_order=1)
        keys: dict[str, Any] = {"level": "llevel" if self.kind == "llevel" else "lltrend"}
        if self.kind == "bsm" and 1 < self.season <= LONGEST:
            keys["seasonal"] = self.season
        elif self.kind == "bsm" and self.season > LONGEST:
            keys["freq_seasonal"] = [{"period": self.season, "harmonics": HARMONICS}]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a slope without a noise of its own
            return UnobservedComponents(y[:, 0], **keys)

    def estimate(self, y: Array, steps: int, start: Array | None) -> Array:
        """Maximum likelihood of rows (t, p): the parameters as in statsmodels, (parameter,).

        steps  of the optimiser at most, from `start` where one is given
        """
        model = self.model(y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options = {"disp": 0, "maxiter": steps, "cov_type": "none", "low_memory": True}
            return np.asarray(model.fit(start, **options).params)

    def system(self, params: Array, size: int) -> tuple[System, State]:
        """The matrices of `size` series at some parameters, and the state of the first row."""
        model = self.model(np.full((1, size), np.nan))
        model.update(params)
        space, found = model.ssm, model.ssm.filter()
        select = space["selection"]
        system = System(
            design=space["design"].reshape(size, -1),
            transition=space["transition"],
            noise=select @ space["state_cov"] @ select.T,
            measured=space["obs_cov"].reshape(size, size),
        )
        return system, State(found.predicted_state[:, 0], found.predicted_state_cov[..., 0])
