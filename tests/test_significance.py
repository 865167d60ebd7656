"""Tests of significance: published figures, formulas by hand, and what must never happen."""

import numpy as np
import pytest
from scipy import stats

from stsfm.significance import (
    compare,
    confidence_set,
    holm,
    mean_interval,
    sampling_error,
    skill_interval,
    too_few,
)
from stsfm.significance.bayes import signed_rank_posterior
from stsfm.significance.bootstrap import Blocks
from stsfm.significance.dm import diebold_mariano
from stsfm.significance.families import by_family, too_few_families
from stsfm.significance.friedman import cliques, critical_difference, friedman
from stsfm.significance.longrun import cosines, standard_error
from stsfm.significance.origins import disjoint, reach
from stsfm.significance.wilcoxon import least_p, signed_rank

ROWS = np.arange(400)


def losses(seed: int = 0, n: int = 400, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).chisquare(3, n) + shift


# What is independent


def test_origins_are_independent_where_futures_share_no_row():
    assert disjoint(np.arange(25), 12).tolist() == [0, 12, 24]
    assert disjoint(np.array([0, 5, 11, 12, 30, 41, 42]), 12).tolist() == [0, 3, 4, 6]
    assert len(disjoint(np.array([], dtype=int), 3)) == 0
    assert reach(np.arange(25), 12) == 12 and reach(np.arange(0, 100, 5), 12) == 3
    assert too_few(np.arange(25), 12) == "no test: 3 independent origins"
    assert too_few(np.arange(10), 1) is None and too_few(np.arange(9), 1)
    with pytest.raises(ValueError, match="increasing"):
        disjoint(np.array([3, 1]), 1)


# The table's test


def test_standard_error_is_the_formula():
    x, nu = losses(n=50), 6
    t = np.arange(1, 51)
    waves = [np.sqrt(2 / 50) * x @ np.cos(np.pi * j * (t - 0.5) / 50) for j in range(1, nu + 1)]
    assert standard_error(x, nu) == pytest.approx(np.sqrt(np.mean(np.square(waves)) / 50))
    both = standard_error(np.array([x, 3 * x + 7]), nu)
    assert both[1] == pytest.approx(3 * both[0])  # of a scale, and blind to the mean


def test_pair_is_students_t_with_a_cosine_error():
    a, b = losses(1), losses(2, shift=0.5)
    pair = compare(a, b, ROWS, 12)
    nu = cosines(400, 34)
    error = standard_error(a - b, nu)
    assert pair.df == nu == 13 and (pair.n, pair.independent) == (400, 34)
    assert pair.difference == pytest.approx((a - b).mean())
    assert pair.statistic == pytest.approx(pair.difference / error)
    assert pair.p == pytest.approx(2 * stats.t.sf(abs(pair.statistic), nu))
    assert pair.low == pytest.approx(pair.difference - stats.t.ppf(0.975, nu) * error)
    swapped = compare(b, a, ROWS, 12)
    assert (swapped.difference, swapped.p, swapped.low) == (-pair.difference, pair.p, -pair.high)
    assert sampling_error(a - b, ROWS, 12) == pytest.approx(error)


def test_interval_and_p_value_say_the_same():
    for shift in np.linspace(0, 1, 21):
        pair = compare(losses(1), losses(2, shift=shift), ROWS, 1, alpha=0.1)
        assert (pair.p < 0.1) == (not pair.low <= 0 <= pair.high)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a, b: (a[:25], b[:25]), "no test: 3 independent origins"),
        (lambda a, b: (a, a.copy()), "same loss at every origin"),
        (lambda a, b: (a, a + 0.125), "the same at every origin, so that it has no error"),
        (lambda a, b: (np.where(ROWS == 3, np.nan, a), b), "origins without a finite loss"),
        (lambda a, b: (a, np.where(ROWS == 3, np.inf, b)), "origins without a finite loss"),
    ],
)
def test_what_cannot_be_tested_is_said(change, words):
    a, b = change(losses(1), losses(2))
    pair = compare(a, b, ROWS[: len(a)], 12)
    assert words in pair.reason and pair.reason.startswith("no test")
    assert pair.p is pair.df is pair.statistic is pair.low is pair.high is None
    assert pair.method == ""


def test_origins_where_nothing_was_observed_are_left_out():
    gone = ROWS % 7 == 0
    a, b = (np.where(gone, np.nan, x) for x in (losses(1), losses(2)))
    assert compare(a, b, ROWS, 12) == compare(a[~gone], b[~gone], ROWS[~gone], 12)
    assert sampling_error(a, ROWS, 12) == sampling_error(a[~gone], ROWS[~gone], 12)
    assert sampling_error(a[:25], ROWS[:25], 12) is None


# Diebold–Mariano as published


# R 4.2.2, forecast 8.20:
#   i <- 1:60
#   e1 <- sin(i) + 0.3*cos(2.3*i) + i/100
#   e2 <- 0.9*sin(1.1*i + 0.5) + 0.4*cos(1.7*i)
#   dm.test(e1, e2, h = h, power = power)
@pytest.mark.parametrize(
    ("horizon", "power", "statistic", "p"),
    [
        (1, 1, 1.799099017519, 0.077117826701),
        (1, 2, 1.956355389207, 0.055162074057),
        (4, 1, 3.185020377196, 0.002312982352),
        (4, 2, 3.557834172155, 0.000745343043),
    ],
)
def test_hln_equals_dm_test_of_r(horizon, power, statistic, p):
    i = np.arange(1, 61)
    e1 = np.sin(i) + 0.3 * np.cos(2.3 * i) + i / 100
    e2 = 0.9 * np.sin(1.1 * i + 0.5) + 0.4 * np.cos(1.7 * i)
    found = diebold_mariano(abs(e1) ** power - abs(e2) ** power, horizon, check=False)
    assert found.statistic == pytest.approx(statistic, abs=1e-11)
    assert found.p == pytest.approx(p, abs=1e-11) and found.df == 59


def test_hln_refuses_a_negative_variance_and_too_few_origins():
    flips = np.resize([1.0, -1.0], 100) + np.linspace(0, 0.1, 100)
    found = diebold_mariano(flips, 2, check=True)
    assert found.p is None and "not positive" in found.reason
    assert diebold_mariano(flips, 3).reason == "no test: 100 origins, 120 are wanted"


# The bootstrap


def test_blocks_are_whole_horizons_and_every_origin_is_drawn_alike():
    blocks = Blocks.of(ROWS, 12)
    (drawn,) = blocks.resample(ROWS, 999, seed=0)
    assert drawn.shape == (999, 400) and blocks.length == 12
    inside = np.diff(drawn[:, :396].reshape(999, 33, 12))
    assert set(np.unique(inside % 400)) == {1}
    counts = np.bincount(drawn.ravel(), minlength=400)
    assert counts.min() > 850 and counts.max() < 1150
    assert Blocks.of(np.arange(1000), 1).length == 10  # n^⅓ at a horizon of one


def test_intervals_bracket_what_they_estimate_and_repeat():
    a, b = losses(1), losses(2, shift=1)
    mean = mean_interval(a - b, ROWS, 12)
    assert mean.low < mean.estimate < mean.high and mean.high < 0
    assert mean == mean_interval(a - b, ROWS, 12) != mean_interval(a - b, ROWS, 12, seed=1)
    skill = skill_interval(a, b, ROWS, 12)
    assert skill.estimate == pytest.approx(1 - a.mean() / b.mean())
    assert 0 < skill.low < skill.estimate < skill.high < 1
    assert skill_interval(5 * a, 5 * b, ROWS, 12).low == pytest.approx(skill.low)
    few = mean_interval(a[:25], ROWS[:25], 12)
    assert few.low is None and few.reason == "no interval: 3 independent origins"


def test_confidence_set_keeps_the_best_and_drops_the_bad():
    each = np.array([losses(1), losses(2), losses(3, shift=2), losses(4, shift=0.02)])
    found = confidence_set(each, ROWS, 12)
    assert found.members == (0, 1, 3) and found.p[2] < 0.01
    assert max(found.p) == 1  # the last one left
    assert confidence_set(np.array([losses(1)] * 3), ROWS, 12).members == (0, 1, 2)
    assert confidence_set(each[:, :25], ROWS[:25], 12).reason == "no test: 3 independent origins"


# Families of claims


def test_holm_by_hand():
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    assert holm(p) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0} and holm({}) == {}


# Over datasets

# Demšar (2006), table 6: AUC of C4.5 with parameters m and cf tuned or not, as ranks
DEMSAR = np.array([
    [4, 3, 2, 1], [1, 2, 3, 4], [4, 1, 2, 3], [4, 1, 3, 2], [4, 2, 3, 1], [1, 2.5, 4, 2.5],
    [3, 2, 4, 1], [2.5, 2.5, 4, 1], [4, 3, 2, 1], [2.5, 2.5, 2.5, 2.5], [4, 2.5, 1, 2.5],
    [3, 2, 4, 1], [4, 1, 2, 3], [3, 1, 4, 2],
])  # fmt: skip


def test_friedman_and_nemenyi_as_demsar():
    found = friedman(DEMSAR)
    assert found.ranks == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=1e-3)
    assert found.chi2 == pytest.approx(9.28, abs=0.01)
    assert found.statistic == pytest.approx(3.69, abs=0.01)
    assert found.p == pytest.approx(stats.f.sf(3.69, 3, 39), rel=0.01) and found.p < 0.05
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)
    assert found.cliques == ((3, 1, 2, 0),)  # all are within 1.25 of each other: 3.14 − 1.96 = 1.18


@pytest.mark.parametrize(("models", "q"), [(2, 1.960), (4, 2.569), (10, 3.164)])
def test_nemenyi_uses_the_studentized_range_over_root_two(models, q):
    """Demšar (2006), table 5a."""
    q_found = critical_difference(models, 20) / np.sqrt(models * (models + 1) / 120)
    assert q_found == pytest.approx(q, abs=6e-4)


def test_cliques_are_the_largest_and_may_overlap():
    ranks = np.array([1.0, 3.9, 2.0, 2.9, 6.0])
    assert cliques(ranks, 1.95) == ((0, 2, 3), (2, 3, 1))
    assert cliques(ranks, 0.5) == ()


def test_wilcoxon_is_scipys_without_ties_and_every_sign_with_them():
    d = np.random.default_rng(0).normal(0.5, 1, 14)
    found, theirs = signed_rank(d), stats.wilcoxon(d, method="exact")
    assert min(found.positive, found.negative) == theirs.statistic
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-12)
    d = np.array([0.0, 1, 1, -1, 2, 2, 2, 3, 0, 5])
    ranks = stats.rankdata(abs(d)) * (d != 0)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1)
    outcomes = (ranks[d != 0][:, None] * signs).sum(0)
    share = (abs(outcomes) >= abs((ranks * np.sign(d)).sum()) - 1e-9).mean()
    found = signed_rank(d)
    assert (found.positive, found.negative, found.n) == (ranks[d > 0].sum(), ranks[d < 0].sum(), 8)
    assert found.p == pytest.approx(share)


def test_wilcoxon_takes_failures_as_the_largest_differences_and_nothing_as_even():
    assert signed_rank(np.array([np.inf, 1.0, 2.0])) == signed_rank(np.array([9.0, 1.0, 2.0]))
    assert signed_rank(np.zeros(12)).p == 1.0
    assert least_p(5) == 1 / 16 == signed_rank(np.arange(1.0, 6)).p


def test_tasks_of_one_family_are_one_observation():
    errors = np.array([[1.0, 2.0], [100.0, 100.0], [3.0, np.nan]])
    logs = by_family(errors, ["a", "a", "b"])
    assert logs[0, 1] - logs[0, 0] == pytest.approx(np.log(2) / 2)
    assert logs[1].tolist() == [np.log(3), np.inf]
    again = by_family(np.repeat(errors, 4, axis=0), np.repeat(["a", "a", "b"], 4).tolist())
    assert np.allclose(logs, again)
    assert too_few_families(3) == "no test over datasets: 3 families, 10 are wanted"
    assert too_few_families(10) is None
    with pytest.raises(ValueError, match="errors ≥ 0"):
        by_family(-errors, ["a", "a", "b"])


def test_posterior_knows_better_alike_and_worse():
    """The last from baycomp 1.0.3: SignedRankTest.probs(d, 0, 0.1, nsamples=50000)."""
    same = np.random.default_rng(0).normal(0, 0.001, 12)
    assert signed_rank_posterior(same, 0.01).alike > 0.99
    assert signed_rank_posterior(same - 1, 0.01).better > 0.99
    assert signed_rank_posterior(same + 1, 0.01).worse > 0.99
    d = np.random.default_rng(0).normal(0.3, 1, 15)
    found = signed_rank_posterior(d, 0.1)
    assert (found.better, found.worse) == pytest.approx((0.329, 0.670), abs=0.01)
    assert found == signed_rank_posterior(d, 0.1) != signed_rank_posterior(d, 0.1, seed=1)
