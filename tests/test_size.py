"""Statistics by simulation: where models are equally good, 5 % of tests may say otherwise.

`bench/size.py` prints the same at full size, beside the tests that papers use; its table is in
docs/significance.md.
"""

import numpy as np
import pytest
import worlds

from stsfm.significance import compare, confidence_set, skill_interval
from stsfm.significance.longrun import cosines
from stsfm.significance.origins import disjoint

DRAWS = 4000
EVEN = [worlds.overlap, worlds.heavy, worlds.random_walk]


def rejected(d: np.ndarray, origins: np.ndarray, horizon: int) -> float | None:
    """The share of draws (draws, n) that the table's test rejects; None where it refuses them."""
    even = np.zeros(d.shape[1])
    pairs = [compare(draw, even, origins, horizon) for draw in d]
    refused = {pair.reason for pair in pairs if pair.p is None}
    assert not refused or all(pair.p is None for pair in pairs)
    assert all(reason.startswith("no test: ") for reason in refused)
    return None if refused else float(np.mean([pair.p < 0.05 for pair in pairs]))


@pytest.mark.parametrize("world", EVEN, ids=lambda world: world.__name__)
@pytest.mark.parametrize(("n", "horizon"), [(25, 1), (100, 1), (400, 1), (400, 12)])
def test_the_tables_test_holds_its_size(n, horizon, world):
    d = world(np.random.default_rng(n + horizon), DRAWS, n, horizon)
    share = rejected(d, np.arange(n), horizon)
    assert share is not None and share <= worlds.limit(DRAWS)


@pytest.mark.parametrize(("n", "horizon"), [(25, 12), (100, 12), (25, 96), (100, 96), (400, 96)])
def test_or_it_refuses_in_words(n, horizon):
    d = worlds.overlap(np.random.default_rng(0), 3, n, horizon)
    assert rejected(d, np.arange(n), horizon) is None


def test_size_holds_with_the_fewest_origins_that_are_tested():
    rng = np.random.default_rng(1)
    for n, horizon in ((10, 1), (109, 12)):
        assert len(disjoint(np.arange(n), horizon)) == 10
        share = rejected(worlds.overlap(rng, DRAWS, n, horizon), np.arange(n), horizon)
        assert share is not None and share <= worlds.limit(DRAWS)


def test_size_holds_with_strides_and_gaps():
    rng = np.random.default_rng(2)
    gaps = np.sort(rng.permutation(500)[:300])
    for origins in (np.arange(0, 500, 5), gaps):
        d = worlds.overlap(rng, 2000, 500, 12)[:, origins]
        share = rejected(d, origins, 12)
        assert share is not None and share <= worlds.limit(2000)


def test_differences_that_persist_beyond_the_horizon_hold_it_too():
    d = worlds.persistent(np.random.default_rng(3), DRAWS, 100, 1)
    share = rejected(d, np.arange(100), 1)
    assert share is not None and share <= worlds.limit(DRAWS)


def test_nodes_are_averaged_because_they_are_no_replicates():
    from scipy.stats import ttest_1samp

    d = worlds.nodes(np.random.default_rng(4), 1000, 100)
    share = rejected(d.mean(2), np.arange(100), 1)
    assert share is not None and share <= worlds.limit(1000)
    pooled = ttest_1samp(d.reshape(len(d), -1), 0, axis=1).pvalue
    assert 0.55 < (pooled < 0.05).mean() < 0.70  # what counting them as such would do


@pytest.mark.parametrize(("n", "horizon"), [(100, 1), (400, 1), (400, 12)])
def test_power_is_80_percent_at_three_and_a_half_standard_errors(n, horizon):
    """The mean difference is 3.5 true standard errors: 0.35 deviations of a row at n = 100."""
    d = worlds.overlap(np.random.default_rng(5), 2000, n, horizon)
    share = rejected(d + 3.5 * d.mean(1).std(), np.arange(n), horizon)
    assert share is not None and share >= 0.80


def test_intervals_of_skill_cover_it():
    rng, draws, n = np.random.default_rng(6), 400, 100
    a, b = rng.chisquare(3, (draws, n)), 1.25 * rng.chisquare(3, (draws, n))  # skill 20 %
    found = [skill_interval(*losses, np.arange(n), 1) for losses in zip(a, b, strict=True)]
    missed = np.mean([not (i.low <= 0.2 <= i.high) for i in found])
    assert missed <= worlds.limit(draws)


def test_the_confidence_set_leaves_out_none_of_equal_models():
    rng, draws, n = np.random.default_rng(7), 300, 120
    short = 0
    for _ in range(draws):
        alike = worlds.overlap(rng, 4, n, 12) + rng.standard_normal(n)
        short += len(confidence_set(alike, np.arange(n), 12).members) < 4
    assert short / draws <= worlds.limit(draws)


def test_cosines_are_degrees_of_freedom_that_grow_with_the_evidence():
    assert [cosines(n, n) for n in (10, 25, 100, 400)] == [3, 3, 8, 21]
    assert [cosines(400, k) for k in (34, 10)] == [13, 4]
