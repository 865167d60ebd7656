"""What comes later moves nothing that was before: values and gaps behind an origin are poisoned."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from stsfm.backtest import evaluate
from stsfm.datasets.ablation import ablated
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.protocols.dcrnn import dcrnn
from stsfm.datasets.protocols.ltsf import ltsf
from stsfm.datasets.protocols.pems import pems
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.protocols.tgcn import tgcn
from stsfm.models.ensemble import Ensemble
from stsfm.models.historical_average import HistoricalAverage
from stsfm.models.linear import Linear
from stsfm.models.spatial_ridge import SpatialRidge
from stsfm.models.var import VAR

FIVE = 5 * 60 * 10**9  # ns
PROTOCOLS = {
    "dcrnn": partial(dcrnn, calendar="auto"),
    "pems": partial(pems, calendar="auto"),
    "tgcn": partial(tgcn, calendar="auto"),  # its last futures end behind the data
    "ltsf": partial(ltsf, horizon=12, calendar="auto"),
    "a fold": partial(rolling, horizon=12, folds=3, fold=2, gap=2, scaling="pooled"),
    "refits": partial(rolling, horizon=12, folds=3, fold=2, refit=9),
}


def traffic(space, poisoned=None):
    """Gaps, zeros and a season that nobody names; other values and gaps from the row `poisoned`."""
    rng, rows = np.random.default_rng(0), np.arange(300)[:, None, None]
    values = 50 + 10 * np.sin(rows / 24 * 2 * np.pi) + 3 * rng.random((300, 4, 1))
    values[rng.random(values.shape) > 0.97] = 0
    mask = rng.random(values.shape) > 0.03
    if poisoned is not None:
        later = slice(poisoned, None)
        values[later] = 1e3 * rng.random(values[later].shape) + 1
        mask[later] = rng.random(values[later].shape) > 0.4
    mask[-1] = True  # without any target it would be no row of the protocol
    panel = Panel(
        values=values * mask, mask=mask, time=np.arange(300) * FIVE,
        space=Space(adjacency=np.eye(4, k=1) + np.eye(4, k=-1)),
        about=About(name="toy", nodes=tuple("abcd"), channels=("speed",), step="5 min"),
    )  # fmt: skip
    return ablated(panel, space)


def models():
    ridge = partial(SpatialRidge, context=3, orders=1, harmonics=2, ridge="auto", neighbours=2)
    linear = partial(Linear, context=4, ridge="auto", normalise="last", shared=True)
    members = {"ridge": ridge(), "linear": linear(), "profile": HistoricalAverage()}
    keys = {"weights": "stacked", "per_step": True, "shrink": 0.0}
    var = VAR(order=2, ridge="auto")
    return ridge(), var, Ensemble(lambda member: None, members=members, **keys)


@pytest.mark.parametrize("space", ["given", "learned"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_known_of_what_comes_later(protocol, space):
    cut = PROTOCOLS[protocol]
    clean = cut(traffic(space))
    origins, border = clean.test.origins, clean.rules["test"][0]
    for later in (border, int(origins[len(origins) // 2])):
        other = cut(traffic(space, later))
        assert other.about.season == clean.about.season
        known = origins <= later  # forecasts from rows before `later` alone
        if protocol == "refits":  # those on poison are no matter
            other = replace(other, test=other.test.subset(known))
        for model, same in zip(models(), models(), strict=True):
            one, two = (evaluate(m, s, refit=True) for m, s in ((model, clean), (same, other)))
            assert one.val.scores["rmse"] == two.val.scores["rmse"]
            ours, theirs = one.test.forecast.point[known], two.test.forecast.point[: known.sum()]
            np.testing.assert_allclose(ours, theirs, rtol=1e-9)
            if isinstance(model, Ensemble):
                np.testing.assert_array_equal(model.weight_, same.weight_)
                model, same = model.members["ridge"], same.members["ridge"]
            assert model.ridge_ == same.ridge_
