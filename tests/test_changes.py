"""Change points: searches against brute force and ruptures, noise, gate, and known answers."""

from itertools import combinations

import numpy as np
import pytest
import ruptures
from scipy.special import gammaln

from stsfm.datasets.panel import About, Panel
from stsfm.models.detector.binseg import Binseg
from stsfm.models.detector.bocpd import Bocpd, run_lengths
from stsfm.models.detector.dynp import Dynp
from stsfm.models.detector.kernel import Kernel
from stsfm.models.detector.pelt import Pelt
from stsfm.models.detector.window import Window
from stsfm.models.numerics.changes.costs import Costs
from stsfm.models.numerics.changes.noise import bounded, noise
from stsfm.models.numerics.changes.partition import best, changes, dearest, of_size
from stsfm.models.numerics.changes.survey import Survey

SHARED = {"kind": "auto", "least": 3, "penalty": 1.0}
STEPS = (30, 61, 90, 125)


def survey(**keys):
    settings = {
        "joint": "auto", "season": "auto", "log": "auto", "order": 4, "memory": 0.1,
        "whiten": False, "alpha": 0.05, "surrogates": 99, "draws": 49, "level": 0.9, "seed": 1,
    }  # fmt: skip
    return Survey(**(settings | keys))


DETECTORS = {
    "pelt": lambda: Pelt(**SHARED, survey=survey()),
    "binseg": lambda: Binseg(**SHARED, survey=survey()),
    "window": lambda: Window(width="auto", **SHARED, survey=survey()),
    "dynp": lambda: Dynp(changes="auto", most=5, **SHARED, survey=survey()),
    "kernel": lambda: Kernel(least=3, penalty=1.0, survey=survey(whiten=True)),
    "bocpd": lambda: Bocpd(every=100.0, kappa=0.05, a=1.0, b=1.0, survey=survey(whiten=True)),
}


def panel(x, mask=None, **about):
    x = np.asarray(x, float).reshape(len(x), 1, -1)
    mask = np.ones(x.shape, bool) if mask is None else mask.reshape(x.shape)
    names = tuple(f"y{k}" for k in range(x.shape[2]))
    return Panel(values=np.where(mask, x, 0), mask=mask, time=np.arange(len(x)),
                 about=About(name="toy", nodes=("a",), channels=names, **about))  # fmt: skip


def rows_of(found, track=0):
    return [change.row for change in found.tracks[track].changes]


def stairs(noise=0.0, seed=0):
    level = np.repeat([0, 3, -1, 2, 5.0], np.diff([0, *STEPS, 150]))
    return level + noise * np.random.default_rng(seed).normal(size=150)


@pytest.fixture
def short():
    rng = np.random.default_rng(3)
    return rng.normal(size=40) + 3 * (np.arange(40) > 22)


def costs_of(x, kind="mean", slope=0.0, seen=None):
    x = x.reshape(len(x), -1)
    return Costs(x[None], np.ones(x.shape, bool) if seen is None else seen, slope, kind)


@pytest.mark.parametrize("price", [1.0, 4.0, 12.0])
def test_pelt_is_exact_and_agrees_with_ruptures(short, price):
    found = changes(best(costs_of(short), np.array([price]), 3)[0])
    rival = ruptures.Pelt(model="l2", jump=1, min_size=3).fit(short).predict(pen=price)[:-1]
    assert found == rival


def test_pelt_is_dynp_at_the_number_that_it_finds(short):
    for kind in ("mean", "line", "auto"):
        costs = costs_of(short, kind, slope=2.0)
        found = changes(best(costs, np.array([3.0]), 3)[0])
        assert found
        assert of_size(costs, len(found), 3)[-1] == found


def test_dynp_agrees_with_ruptures(short):
    rival = ruptures.Dynp(model="l2", jump=1, min_size=3).fit(short)
    for size, rows in enumerate(of_size(costs_of(short), 4, 3)):
        assert size == len(rows)
        assert not size or rows == rival.predict(n_bkps=size)[:-1]


def test_above_the_dearest_price_nothing_is_left_and_just_below_something(short):
    costs = costs_of(short, "auto", slope=2.0)
    price = dearest(costs, 3)
    assert changes(best(costs, price * 1.001, 3)[0]) == []
    assert changes(best(costs, price * 0.999, 3)[0])


def test_costs_are_those_of_a_fit_and_of_seen_cells_only():
    rng = np.random.default_rng(0)
    x, seen = rng.normal(size=(30, 1)) + 100, rng.random((30, 1)) > 0.3
    t, y = np.arange(30)[4:21][seen[4:21, 0]], x[4:21][seen[4:21]]
    line = np.square(y - np.polyval(np.polyfit(t, y, 1), t)).sum()
    for kind, wanted in (("mean", np.square(y - y.mean()).sum()), ("line", line)):
        filled = np.where(seen, x, 1e6)
        got = costs_of(filled, kind, seen=seen)(np.array([4]), np.array([21]))[0, 0]
        assert got == pytest.approx(wanted, rel=1e-8)


def test_a_step_is_no_memory_once_it_is_found():
    rng = np.random.default_rng(1)
    x = (rng.normal(size=200) + 3 * (np.arange(200) > 99))[:, None]
    seen = np.ones(x.shape, bool)
    blind = noise(x - x.mean(), seen, [0], 1, 0.1, 1)
    level = np.where(np.arange(200) > 99, x[100:].mean(), x[:100].mean())[:, None]
    assert blind.phi[0, 0] > 0.5
    assert abs(noise(x - level, seen, [0, 100], 1, 0.1, 1).phi).sum() < 0.2


def test_a_change_does_not_hide_as_memory_of_a_high_order():
    """About one line, a step asks for an order above 1: the gate takes 1, and lets it through."""
    x = (np.random.default_rng(22).normal(size=90) + 3 * (np.arange(90) > 44))[:, None]
    seen = np.ones(x.shape, bool)
    pelt = Pelt(**SHARED, survey=survey())
    about = x - np.polyval(np.polyfit(np.arange(90), x[:, 0], 1), np.arange(90))[:, None]
    assert noise(about, seen, [0], 4, 0.1, 1).order > 1
    assert pelt.survey.admitted(x / x.std(), seen, pelt).p <= 0.02


def test_memory_is_bounded_by_its_root():
    phi, pulled = bounded(np.array([1.2, -0.2]), 0.9)
    assert pulled and abs(np.roots([1, *-phi])).max() == pytest.approx(0.9)


@pytest.mark.parametrize(("name", "amount"), [("pelt", 0), ("binseg", 0), ("bocpd", 0),
                                              ("pelt", 0.5), ("dynp", 0.5)])  # fmt: skip
def test_a_perfect_signal_and_a_noisy_one(name, amount):
    assert rows_of(DETECTORS[name]().segment(panel(stairs(amount)))) == list(STEPS)


@pytest.mark.parametrize("name", ["window", "kernel"])
def test_local_searches_find_what_is_strong(name):
    x = np.random.default_rng(0).normal(size=120) + 3 * (np.arange(120) >= 60)
    found = rows_of(DETECTORS[name]().segment(panel(x)))
    assert any(abs(row - 60) <= 1 for row in found)


def test_two_series_change_together_or_each_by_itself():
    """Any seed will do. Of six pairs one series changes by 4 deviations: 3 are found or more (at a
    power of 98 %, fewer have a chance of 2 in a million); of the others 3 at most are called a
    change (more: 9 in 100,000 at 5 %)."""
    rng, hits, alarms = np.random.default_rng(), 0, 0
    quick = {"surrogates": 39, "draws": 20}
    for _ in range(6):
        x = rng.normal(size=(90, 2))
        x[45:, 0] += 4
        joint, each = (
            Binseg(**SHARED, survey=survey(joint=together, **quick)).segment(panel(x))
            for together in (True, False)
        )
        near = [any(abs(row - 45) <= 2 for row in rows_of(found)) for found in (joint, each)]
        hits, alarms = hits + all(near), alarms + bool(rows_of(each, 1))
        assert len(joint.tracks) == 1 and len(each.tracks) == 2
    assert hits >= 3 and alarms <= 3


def test_masked_cells_do_not_matter():
    rng = np.random.default_rng(2)
    x, mask = rng.normal(size=90) + 4 * (np.arange(90) >= 40), rng.random(90) > 0.2
    found = Pelt(**SHARED, survey=survey()).segment(panel(x, mask))
    assert len(rows_of(found)) == 1 and abs(rows_of(found)[0] - 40) <= 2
    assert "missing" in " ".join(found.noted)


def test_where_zero_lies_does_not_matter_to_cells_that_are_missing():
    rng, t = np.random.default_rng(2), np.arange(90)
    x, mask = rng.normal(size=90) + 9 * (t >= 40) + 0.2 * (t - 40).clip(0), rng.random(90) > 0.2
    here, far = (Pelt(**SHARED, survey=survey()).segment(panel(x + by, mask)) for by in (0, 5000))
    assert rows_of(here) == rows_of(far) != []
    np.testing.assert_allclose(far.tracks[0].fitted - 5000, here.tracks[0].fitted, atol=1e-6)


@pytest.mark.parametrize("x", [np.arange(6.0), np.ones(50), np.zeros(1)])
def test_what_nothing_can_be_said_of(x):
    found = Pelt(**SHARED, survey=survey()).segment(panel(x))
    assert rows_of(found) == [] and found.said[0].startswith("Nothing can be said")


def test_intervals_hold_the_change():
    x = np.random.default_rng(4).normal(size=90) + 2 * (np.arange(90) >= 40)
    (change,) = Pelt(**SHARED, survey=survey()).segment(panel(x)).tracks[0].changes
    assert change.low <= 40 <= change.high and change.high - change.low < 20
    assert change.p <= 0.05


def test_bocpd_sums_over_all_segmentations():
    """p(x) and the most probable segments by brute force over 2⁷ segmentations (closed form)."""
    rng = np.random.default_rng(5)
    x, hazard, (k0, a0, b0) = rng.normal(size=8) + 4 * (np.arange(8) > 4), 0.1, (0.05, 1.0, 1.0)

    def evidence(y):
        n, k, a = len(y), k0 + len(y), a0 + len(y) / 2
        b = b0 + (np.square(y - y.mean()).sum() + k0 * n * y.mean() ** 2 / k) / 2
        return (gammaln(a) - gammaln(a0) + a0 * np.log(b0) - a * np.log(b)
                + 0.5 * np.log(k0 / k) - n / 2 * np.log(2 * np.pi))  # fmt: skip

    terms = {}
    for size in range(8):
        for rows in combinations(range(1, 8), size):
            prior = size * np.log(hazard) + (7 - size) * np.log(1 - hazard)
            terms[rows] = prior + sum(map(evidence, np.split(x, rows)))
    joint, _ = run_lengths(x[:, None], np.ones((8, 1), bool), hazard, k0, a0, b0)
    assert np.logaddexp.reduce(joint[-1]) == pytest.approx(
        np.logaddexp.reduce(list(terms.values())), abs=1e-9
    )
    found = Bocpd(every=1 / hazard, kappa=k0, a=a0, b=b0, survey=survey()).rows(
        x[:, None], np.ones((8, 1), bool), float(np.log(1 / hazard - 1))
    )
    assert tuple(found) == max(terms, key=terms.get)


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_noise_is_rarely_called_a_change(phi):
    """At most 4 of 20 series: more have a chance of 3 in 1,000 at 5 %."""
    from scipy.signal import lfilter

    e = np.random.default_rng(7).normal(size=(20, 300))
    x = lfilter([1.0], [1.0, -phi], e, axis=1)[:, 200:]
    quick = Binseg(**SHARED, survey=survey(surrogates=39, draws=20))
    assert sum(bool(rows_of(quick.segment(panel(y)))) for y in x) <= 4


def test_bad_settings_cost_one_line():
    with pytest.raises(ValueError, match="memory must lie between 0 and 1, got 2"):
        survey(memory=2)
    with pytest.raises(ValueError, match="wanted least of 2"):
        Pelt(kind="auto", least=1, penalty=1.0, survey=survey())
