"""Panels, windows, transforms and the rolling protocol keep their invariants."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stsfm.datasets.airline import airline
from stsfm.datasets.panel import About, Forecast, Panel, Space
from stsfm.datasets.protocols.borders import border
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.split import independent
from stsfm.datasets.synthetic import ring, sines
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows


def toy(rows=30, nodes=2, channels=("y", "x"), targets=(), seed=0, **extra):
    rng = np.random.default_rng(seed)
    about = About(
        name="toy", nodes=tuple(f"n{i}" for i in range(nodes)), channels=channels, targets=targets,
        covariates=("hour",), kinds=("calendar",), season=4,
    )  # fmt: skip
    return Panel(
        values=rng.standard_normal((rows, nodes, len(channels))) + 5,
        mask=np.ones((rows, nodes, len(channels)), bool),
        time=np.arange(rows) * 10**9,
        known=np.arange(rows)[:, None, None] * 1.0,
        about=about,
        **extra,
    )


@pytest.mark.parametrize(
    "broken, words",
    [
        (lambda p: {"mask": p.mask[:-1]}, "mask must match"),
        (lambda p: {"time": p.time[:-1]}, "time must be"),
        (lambda p: {"time": p.time[::-1]}, "time must increase"),
        (lambda p: {"time": p.time * 0}, "time must increase"),
        (lambda p: {"values": p.values * np.nan}, "finite"),
        (lambda p: {"mask": p.mask & False}, "0 where they are not observed"),
        (lambda p: {"known": p.known[..., :0]}, "wanted covariates"),
        (lambda p: {"known": p.known[:3]}, "known must be"),
        (lambda p: {"about": replace(p.about, nodes=("one",))}, "names 1 nodes"),
    ],
)
def test_a_panel_refuses_what_breaks_its_invariants(broken, words):
    panel = toy()
    with pytest.raises(ValueError, match=words):
        replace(panel, **broken(panel))


def test_unobserved_rows_may_carry_any_stamp():
    panel = toy()
    mask = panel.mask.copy()
    mask[3] = False
    time = panel.time.copy()
    time[3] = -1
    assert len(replace(panel, values=panel.values * mask, mask=mask, time=time)) == 30


def test_about_refuses_unknown_targets_and_kinds():
    about = toy().about
    with pytest.raises(ValueError, match="targets must be channels"):
        replace(about, targets=("z",))
    with pytest.raises(ValueError, match="per covariate"):
        replace(about, kinds=("guess",))


def test_blank_hides_values_mask_and_privileged_but_keeps_what_is_known():
    panel = toy(privileged=np.ones((30, 2, 3)))
    blank = panel.blank()
    assert not blank.values.any() and not blank.mask.any() and blank.privileged is None
    np.testing.assert_array_equal(blank.known, panel.known)
    np.testing.assert_array_equal(blank.time, panel.time)


def test_take_equals_single_windows_and_plain_slices():
    windows = RollingWindows(panel=toy(), origins=np.array([7, 9, 20]), horizon=3, context=5)
    past, future = windows.take(np.array([2, 0]))
    assert past.values.shape == (2, 5, 2, 2) and future.values.shape == (2, 3, 2, 2)
    for row, index in enumerate((2, 0)):
        one, origin = windows[index], windows.origins[index]
        np.testing.assert_array_equal(past.values[row], windows.panel.values[origin - 5 : origin])
        for name in ("values", "mask", "time", "known"):
            np.testing.assert_array_equal(getattr(past, name)[row], getattr(one.past, name))
            np.testing.assert_array_equal(getattr(future, name)[row], getattr(one.future, name))


def test_short_pasts_are_padded_on_the_left_and_masked():
    windows = RollingWindows(panel=toy(), origins=np.array([2, 9]), horizon=3, context=5)
    past = windows.take(slice(None)).past
    assert past.mask[0, :3].sum() == 0 and past.values[0, :3].sum() == 0
    np.testing.assert_array_equal(past.values[0, 3:], windows.panel.values[:2])
    history = windows.look_back(None).take(slice(None)).past
    assert history.values.shape[1] == 9
    np.testing.assert_array_equal(history.mask[0, :, 0, 0], [False] * 7 + [True] * 2)
    assert len(windows.whole()) == 1


def test_futures_hold_the_targets_only():
    windows = RollingWindows(panel=toy(targets=("x",)), origins=np.array([9]), horizon=3, context=5)
    past, future = windows[0]
    assert past.channels == 2 and future.about.channels == ("x",)
    np.testing.assert_array_equal(future.values[..., 0], windows.panel.values[9:12, :, 1])
    assert windows.frame.targets == (1,)


def test_an_offset_makes_the_next_token():
    windows = RollingWindows(panel=toy(), origins=np.array([9]), horizon=5, context=5, offset=-4)
    past, future = windows[0]
    np.testing.assert_array_equal(future.values[:-1], past.values[1:])


def test_a_graph_that_changes_is_cut_with_its_rows():
    graph = np.arange(30)[:, None, None] * np.ones((30, 2, 2))
    panel = toy(space=Space(adjacency=graph))
    windows = RollingWindows(panel=panel, origins=np.array([9, 12]), horizon=1, context=3)
    past = windows.take(slice(None)).past
    np.testing.assert_array_equal(past.space.adjacency[:, :, 0, 0], [[6, 7, 8], [9, 10, 11]])


def test_windows_on_tensors_equal_windows_on_arrays():
    windows = RollingWindows(panel=toy(), origins=np.arange(2, 20), horizon=3, context=5)
    tensors = windows.map(torch.as_tensor)
    index = np.array([4, 0, 11])
    for a, b in zip(windows.take(index), tensors.take(torch.as_tensor(index)), strict=True):
        np.testing.assert_array_equal(a.values, b.values.numpy())
        np.testing.assert_array_equal(a.mask, b.mask.numpy())


def test_windows_outside_the_panel_are_refused():
    with pytest.raises(ValueError, match="the panel has 30 rows"):
        RollingWindows(panel=toy(), origins=np.array([28]), horizon=3)


@pytest.mark.parametrize("power", ["none", "log", "boxcox"])
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_transforms_come_back(power, scaling):
    panel = toy()
    transform = Transform.fit(panel, power=power, scaling=scaling)
    z = transform.forward(panel.values)
    np.testing.assert_allclose(transform.inverse(z), panel.values, rtol=1e-9)
    if scaling == "standard":
        np.testing.assert_allclose(z.mean(0), 0, atol=1e-9)
        np.testing.assert_allclose(z.std(0), 1)
    tensor = transform.map(torch.as_tensor).inverse(torch.as_tensor(z))
    np.testing.assert_allclose(tensor.numpy(), panel.values, rtol=1e-9)


def test_a_gaussian_on_the_log_scale_has_a_lognormal_mean_and_quantiles():
    transform = Transform(shift=np.zeros((1, 1)), scale=np.ones(1), power=np.zeros((1, 1)))
    made = transform.forecast(
        Forecast(point=np.full((1, 1, 1), 2.0), scale=np.full((1, 1, 1), 0.5))
    )
    np.testing.assert_allclose(made.point, np.exp(2))
    np.testing.assert_allclose(made.mean, np.exp(2 + 0.125), rtol=1e-12)
    np.testing.assert_allclose(
        made.quantiles[..., made.levels.index(0.9)], np.exp(2 + 0.5 * 1.2815515655446004)
    )
    assert made.scale is None


def test_a_box_cox_power_below_zero_is_not_chosen():
    """Its inverse has an upper bound; beyond it a forecast would be infinite."""
    values = 1 / (0.1 + np.linspace(0, 1, 30))[:, None, None] ** 3 * np.ones((30, 2, 2))
    transform = Transform.fit(replace(toy(), values=values), power="boxcox")
    assert (transform.power >= 0).all()
    assert np.isfinite(transform.inverse(np.array(50.0))).all()


def test_futures_are_gathered_without_their_pasts(monkeypatch):
    windows = RollingWindows(panel=toy(), origins=np.arange(2, 20), horizon=3)
    wanted = windows.take(slice(None)).future.values
    monkeypatch.setattr(RollingWindows, "take", None)
    np.testing.assert_array_equal(windows.futures().values, wanted)


def test_a_constant_series_is_scaled_by_one():
    panel = toy()
    panel = replace(panel, values=np.full_like(panel.values, 7.3))
    assert abs(Transform.fit(panel).forward(panel.values)).max() < 1e-12


@pytest.mark.parametrize("power", ["log", "boxcox"])
def test_a_log_of_what_is_not_positive_is_refused(power):
    panel = toy()
    values = panel.values.copy()
    values[3] = 0
    with pytest.raises(ValueError, match=r"positive.*protocol\.transform=none"):
        Transform.fit(replace(panel, values=values), power=power)


def test_airline_is_split_as_it_suggests():
    split = rolling(airline())
    assert [len(part) for part in (split.train, split.val, split.test)] == [72, 13, 25]
    assert split.rules["test"] == [108, 144] and split.rules["val"] == [84, 108]
    assert independent(split.test.origins, 12) == 3
    assert rolling(airline(), transform="none").rules["transform"] == "none"  # the user wins


@pytest.mark.parametrize(
    "at, row", [(0.75, 108), (108, 108), ("1958-01", 108), ("1957-12-02", 108)]
)
def test_borders_are_fractions_rows_or_dates(at, row):
    assert border(airline(), at) == row


def test_no_future_crosses_a_border_and_no_split_holds_later_rows():
    split = rolling(airline(), gap=3)
    for part in ("train", "val", "test"):
        windows, (start, stop) = getattr(split, part), split.rules[part]
        assert len(windows.panel) == stop
        assert windows.origins.min() >= start and windows.origins.max() + windows.horizon <= stop
    assert len(split.train.panel) == 81 and len(split.development.panel) == 105


def test_the_transform_is_fitted_on_train_alone():
    panel = airline()
    values = panel.values.copy()
    values[84:] *= 1000
    a, b = rolling(panel), rolling(replace(panel, values=values))
    np.testing.assert_array_equal(a.transform.shift, b.transform.shift)
    np.testing.assert_array_equal(a.transform.scale, b.transform.scale)


@pytest.mark.parametrize(
    "change",
    [{"horizon": 6}, {"stride": 2}, {"transform": "none"}, {"scaling": "none"}, {"gap": 1},
     {"test": "1959-01"}, {"val": "1955-01"}],
)  # fmt: skip
def test_every_rule_is_in_the_fingerprint(change):
    assert rolling(airline()).fingerprint == rolling(airline()).fingerprint
    assert rolling(airline(), **change).fingerprint != rolling(airline()).fingerprint


def test_data_are_in_the_fingerprint():
    panel = airline()
    values = panel.values.copy()
    values[3] += 1
    assert rolling(replace(panel, values=values)).fingerprint != rolling(panel).fingerprint
    units = replace(panel.about, units=("passengers",))
    assert rolling(replace(panel, about=units)).fingerprint != rolling(panel).fingerprint


@pytest.mark.parametrize("rules", [{"horizon": 40}, {"test": 0.5}, {"val": "soon"}, {"test": 144}])
def test_a_split_without_windows_says_what_to_change(rules):
    with pytest.raises(ValueError, match=r"protocol\.|fraction"):
        rolling(airline(), **rules)


def test_the_shipped_airline_is_the_published_one():
    panel = airline()
    assert len(panel) == 144 and panel.values.sum() == 40363
    assert panel.values[0, 0, 0] == 112 and panel.values[-1, 0, 0] == 432
    assert str(panel.time[-1].astype("datetime64[ns]"))[:7] == "1960-12"


def test_the_ring_follows_its_law():
    panel = ring(length=20_000, nodes=5, own=0.5, neighbour=0.4, noise=1.0, seed=1)
    x = panel.values[..., 0]
    estimate = np.linalg.lstsq(x[:-1], x[1:], rcond=None)[0].T
    law = 0.5 * np.eye(5) + 0.2 * panel.space.adjacency
    np.testing.assert_allclose(estimate, law, atol=0.03)
    with pytest.raises(ValueError, match="< 1"):
        ring(length=9, nodes=5, own=0.9, neighbour=0.4, noise=1.0, seed=1)


def test_sines_without_noise_repeat():
    panel = sines(length=300, nodes=2, periods=[24], amplitudes=[1.0], noise=0.0, seed=0)
    np.testing.assert_allclose(panel.values[24:], panel.values[:-24], atol=1e-9)


def test_rows_after_the_last_target_are_a_future_and_no_part_of_the_protocol():
    """A file may end with known covariates alone: they are there, but nothing is scored on them."""
    n, future = 60, 12
    mask = np.arange(n)[:, None, None] < n - future
    panel = Panel(
        values=np.where(mask, 1.0 + np.arange(n)[:, None, None], 0),
        mask=mask,
        time=np.arange(n),
        known=np.arange(n, dtype=float)[:, None, None],
        about=About(
            name="x", nodes=("a",), channels=("y",), covariates=("plan",), kinds=("planned",)
        ),
    )
    assert len(panel.history()) == n - future and len(panel) == n
    assert panel.history().history() is not panel and len(panel[: n - future].history()) == 48
    split = rolling(panel, horizon=2)
    assert split.rules["rows"] == 48 and split.test.origins.max() == 46
    assert rolling(panel.history(), horizon=2).fingerprint == split.fingerprint
