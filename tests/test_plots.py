"""The figures of a run: right choices, gaps that stay gaps, the same bytes twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from stsfm.backtest import backtest
from stsfm.datasets.acf import acf
from stsfm.datasets.airline import airline
from stsfm.datasets.panel import Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.synthetic import ring, sines
from stsfm.datasets.transform import LEVELS as GRID
from stsfm.losses.metrics import Reference
from stsfm.models.naive import Drift, Naive, SeasonalNaive
from stsfm.plots import Story, dates, draw, layout, style
from stsfm.plots.calibration import calibration, pit
from stsfm.plots.forecasts import chosen, errors, forecasts, intervals
from stsfm.plots.horizon import horizon
from stsfm.plots.loss import loss
from stsfm.plots.protocol import protocol
from stsfm.plots.residuals import residuals
from stsfm.plots.states.course import components, coordinates
from stsfm.plots.states.impulse import impulse, reconstruction
from stsfm.plots.states.portrait import portrait
from stsfm.plots.states.spectrum import spectrum

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def story(panel: Panel, *, bands: bool = True, epochs: int = 0, **rules: object) -> Story:
    """The story of the drift, told with made-up intervals, beside the naive family."""
    split = rolling(panel, **rules)  # type: ignore[arg-type]
    reference = Reference.of(panel.upto(split.rules["train"][1]))
    models = {"naive": Naive, "seasonal_naive": SeasonalNaive, "drift": Drift}
    done = {
        name: backtest(make().fit(split.train, split.val), split.test, split, reference)
        for name, make in models.items()
    }
    point = done["drift"].forecast.point
    offsets = np.ptp(panel.values) * np.array([-0.3, -0.1, 0.0, 0.1, 0.3])
    return Story(
        model="drift",
        about=panel.about,
        values=panel.values,
        mask=panel.mask,
        time=panel.time,
        borders={part: split.rules[part] for part in ("train", "val", "test")},
        horizon=split.test.horizon,
        origins=split.test.origins,
        point=point,
        quantiles=point[..., None] + offsets if bands else None,
        levels=LEVELS if bands else (),
        reference=done["seasonal_naive"].forecast.point,
        context=24,
        mae={name: result.scores["mae"]["step"] for name, result in done.items()},
        history=[{"epoch": k, "train": 1 / k, "val": 1 / k + k / 99} for k in range(1, epochs + 1)],
        protocol=f"rolling {split.fingerprint}",
    )


def waves(length: int = 600, nodes: int = 3) -> Panel:
    return sines(length=length, nodes=nodes, periods=[24], amplitudes=[1.0], noise=0.2, seed=1)


def holes() -> Panel:
    """200 nodes, three cells of ten missing, a node that is silent, an outage with no stamps."""
    panel = waves(nodes=200)
    mask = np.random.default_rng(0).random(panel.values.shape) > 0.3
    mask[:, 7] = False
    mask[100:110] = False
    time = np.where(mask.any((1, 2)), panel.time, 0)
    return replace(panel, values=np.where(mask, panel.values + 9, 0), mask=mask, time=time)


def circle() -> Panel:
    return ring(length=400, nodes=8, own=0.5, neighbour=0.4, noise=1.0, seed=1)


def graded(told: Story) -> Story:
    """The same with quantiles at the whole grid of levels, those of a normal law."""
    spread = 0.2 * np.ptp(told.values) * np.array([NormalDist().inv_cdf(p) for p in GRID])
    return replace(
        told, quantiles=told.point[..., None] + spread, levels=GRID, intervals="conformal"
    )


CASES: dict[str, Callable[[], Story]] = {
    "airline": lambda: story(airline(), epochs=40),
    "sines": lambda: story(waves(), bands=False, epochs=1),
    "ring": lambda: story(circle()),
    "holes": lambda: story(holes()),
    "one origin": lambda: story(airline(), val=110, test=132),
    "one step": lambda: story(airline(), horizon=1),
    "one step, one origin": lambda: story(airline(), horizon=1, val=130, test=143),
    "graded": lambda: graded(story(circle())),
    "two weeks": lambda: story(waves(2000), horizon=336, val=1200, test=1600),
}


@cache
def case(name: str) -> Story:
    return CASES[name]()


@pytest.fixture(autouse=True)
def styled() -> Iterator[None]:
    with rc_context(style.STYLE):
        yield


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("error")
def test_every_case_is_drawn(name: str, tmp_path: Path) -> None:
    told = case(name)
    paths = draw(told, tmp_path)
    wanted = ["protocol", "forecasts", "horizon", "residuals", "loss"]
    if name == "one step, one origin":
        wanted.remove("residuals")
    if not told.history:
        wanted.remove("loss")
    if told.levels == GRID:
        wanted.insert(3, "calibration")
    assert [path.stem for path in paths] == wanted
    captions = json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))
    assert list(captions) == [path.name for path in paths]
    assert all(told.about.name in text and told.protocol in text for text in captions.values())
    for path in paths:
        assert path.stat().st_size > 10_000
        assert path.with_suffix(".svg").read_text(encoding="utf-8").count("<path") > 20
    assert not list(tmp_path.glob(".*")), "no draft is left behind"


@pytest.mark.parametrize("name", ["airline", "holes", "two weeks"])
def test_no_text_is_cut_off(name: str) -> None:
    told = graded(case(name))
    for make in (protocol, forecasts, horizon, calibration, residuals):
        figure, _ = make(told)  # type: ignore[misc]
        box = figure.get_tightbbox()
        wide, tall = figure.get_size_inches()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= wide and box.y1 <= tall


def test_the_same_story_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        draw(case("one origin"), tmp_path / folder)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 9
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_pyplot_is_never_imported_and_nothing_heavy_before_a_figure(tmp_path: Path) -> None:
    script = (
        "import sys; from stsfm.plots import Story, draw; assert 'matplotlib' not in sys.modules\n"
        "from stsfm.plots import forecasts, horizon, loss, protocol, residuals, style\n"
        "assert not {'matplotlib.pyplot', 'scipy', 'pandas', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)


def test_windows_are_those_at_the_error_quantiles() -> None:
    told = case("airline")
    truth = np.stack([told.values[told.future(w), :, 0] for w in range(len(told.origins))])
    by_hand = abs(truth - told.point[..., 0]).mean(1)
    assert np.allclose(errors(told), by_hand)
    ordered = np.sort(by_hand, axis=None)
    assert [pick.mae for pick in chosen(told)] == pytest.approx(ordered[[1, 12, 23]])  # of 25
    assert all(by_hand[pick.window, pick.node] == pytest.approx(pick.mae) for pick in chosen(told))


def test_errors_count_observed_cells_only_and_need_half_of_them() -> None:
    told = case("holes")
    error = errors(told)
    assert np.isnan(error[:, 7]).all()
    window, node = 5, 11
    rows = told.future(window)
    seen = told.mask[rows, node, 0]
    miss = abs(told.values[rows, node, 0] - told.point[window, :, node, 0])[seen].mean()
    assert error[window, node] == pytest.approx(miss)
    assert len(chosen(case("one origin"))) == 1


def test_acf_equals_the_textbook() -> None:
    x = np.random.default_rng(0).standard_normal((50, 2)).cumsum(0)
    d = x[:, 0] - x[:, 0].mean()
    by_hand = [(d[k:] * d[:-k]).sum() / (d**2).sum() for k in range(1, 11)]
    assert np.allclose(acf(x, 10)[:, 0], by_hand)


def test_acf_with_gaps_is_near_the_one_without() -> None:
    rng = np.random.default_rng(0)
    x = np.zeros((20_000, 1))
    for t in range(1, len(x)):
        x[t] = 0.8 * x[t - 1] + rng.standard_normal()
    holed = np.where(rng.random(x.shape) < 0.3, np.nan, x)
    assert np.allclose(acf(holed, 5), acf(x, 5), atol=0.03)
    assert np.isnan(acf(np.full((20, 1), np.nan), 3)).all()


def test_what_was_not_observed_is_a_gap_in_every_line() -> None:
    told = case("holes")
    figure, _ = forecasts(told)  # type: ignore[misc]
    for ax, pick in zip(figure.axes, chosen(told), strict=True):
        observed = next(line for line in ax.lines if line.get_label() == "observed")
        last = int(told.origins[pick.window]) + told.horizon
        seen = told.mask[last - len(observed.get_ydata()) : last, pick.node, 0]
        assert (np.isfinite(observed.get_ydata()) == seen).all() and not seen.all()
    assert 0 not in np.concatenate(
        [line.get_ydata() for ax in figure.axes for line in ax.lines[:1]]
    )


def test_a_value_between_gaps_is_a_dot() -> None:
    figure, grid = layout.figure(3, 2)
    y = np.array([1, np.nan, 2, np.nan, 3, 4])
    style.trace(grid[0, 0], np.arange(6.0), y, color="black")
    assert isinstance(figure, Figure)
    assert list(grid[0, 0].lines[1].get_xdata()) == [0, 2]


def test_thin_keeps_the_extremes_and_the_gaps() -> None:
    x = np.arange(100_000.0)
    y = np.sin(x)
    y[777], y[40_000:60_000] = 9, np.nan
    few_x, few_y = style.thin(x, y)
    assert len(few_x) <= style.MOST
    assert np.nanmax(few_y) == 9 and np.nanmin(few_y) == np.nanmin(y)
    assert np.isnan(few_y[(few_x > 41_000) & (few_x < 59_000)]).all()


def test_intervals_are_the_widest_named_by_their_mass() -> None:
    told = case("airline")
    assert intervals(told) == [("90 %", 0, 4), ("50 %", 1, 3)]
    assert intervals(replace(told, quantiles=told.quantiles[..., 2:3], levels=(0.5,))) == []
    outer = replace(told, quantiles=told.quantiles[..., [0, 2, 4]], levels=(0.1, 0.5, 0.9))
    assert intervals(outer) == [("80 %", 0, 2)]


def test_the_pit_counts_observed_cells_between_levels() -> None:
    told = graded(case("holes"))
    counts = np.zeros(20)
    for window, step, node in np.ndindex(told.point.shape[:3]):
        row = told.origins[window] + step
        if node < 20 and told.mask[row, node, 0]:
            y, q = told.values[row, node, 0], told.quantiles[window, step, node, 0]  # type: ignore
            counts[(q < y).sum()] += 1
    some = replace(told, mask=told.mask & (np.arange(200) < 20)[:, None])
    np.testing.assert_allclose(pit(some), counts / counts.sum())  # type: ignore[arg-type]


def test_quantiles_that_coincide_share_what_lies_on_them() -> None:
    told = graded(case("airline"))
    truth = np.stack([told.values[told.origins + step] for step in range(told.horizon)], 1)
    exact = replace(told, quantiles=np.repeat(truth[..., None], 19, -1))
    np.testing.assert_allclose(pit(exact), np.full(20, 0.05))  # type: ignore[arg-type]
    above = replace(told, quantiles=np.repeat(truth[..., None] + 1, 19, -1))
    np.testing.assert_allclose(pit(above), np.eye(20)[0], atol=1e-12)  # type: ignore[arg-type]


def test_calibration_has_a_band_where_origins_are_many_enough() -> None:
    figure, caption = calibration(graded(case("one step")))  # type: ignore[misc]
    assert "Band: 95 % of what 36 independent draws" in caption and "conformal quantiles" in caption
    assert len(figure.axes[1].collections) == 1
    one = graded(case("one origin"))
    few, said = calibration(one)  # type: ignore[misc]
    assert "No band is drawn: 1 independent origin cannot" in said
    assert not few.axes[1].collections
    drawn = few.axes[1].lines[1].get_ydata()
    np.testing.assert_allclose(drawn, np.cumsum(pit(one))[:-1])  # type: ignore[arg-type]
    assert calibration(case("ring")) is None  # five levels are no grid


def test_residuals_are_one_step_ahead_of_the_median_node() -> None:
    told = case("ring")
    ahead = told.values[told.origins, :, 0] - told.point[:, 0, :, 0]
    order = np.argsort(abs(ahead).mean(0))
    assert told.node == order[3]  # the lower median of 8
    figure, caption = residuals(told)  # type: ignore[misc]
    drawn = figure.axes[0].lines[1].get_ydata()
    assert np.allclose(drawn, ahead[:, told.node])
    assert told.about.nodes[told.node] in caption


def test_the_best_epoch_is_named_and_models_without_epochs_have_no_loss() -> None:
    _, caption = loss(case("airline"))  # type: ignore[misc]
    assert "epoch 10," in caption  # the least of 1 / k + k / 99
    assert loss(case("ring")) is None
    gaps = [{"epoch": k, "train": 1.0 / k} for k in range(1, 5)]
    assert "best" not in loss(replace(case("airline"), history=gaps))[1]  # type: ignore[index]


def test_a_diverged_model_and_an_unscored_one_are_drawn(tmp_path: Path) -> None:
    told = case("ring")
    point = told.point.copy()
    point[3], point[4] = np.inf, np.nan
    mae = {**told.mae, "var": [1e9] * told.horizon, "silent": [None] * told.horizon}
    assert len(draw(replace(told, point=point, mae=mae), tmp_path)) == 4
    broken = replace(told, point=np.full_like(point, np.nan), quantiles=None, levels=(), mae={})
    assert [path.stem for path in draw(broken, tmp_path)] == ["protocol", "residuals"]


def test_shapes_that_do_not_fit_are_refused() -> None:
    told = case("ring")
    with pytest.raises(ValueError, match="point must be"):
        replace(told, point=told.point[:, 1:])
    with pytest.raises(ValueError, match="a quantile per level"):
        replace(told, levels=())


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("1949-01-01", "1960-12-01", ["1950", "1952", "1954", "1956", "1958", "1960"]),
        ("2000-01-03", "2000-01-05", ["3 Jan\n2000", "4 Jan", "5 Jan"]),
        ("2000-01-03T18:00", "2000-01-04T12:00", ["18:00", "00:00\n4 Jan 2000", "06:00", "12:00"]),
        ("1958-01-01", "1959-01-01", ["Jan\n1958", "Apr", "Jul", "Oct", "Jan\n1959"]),
    ],
)
def test_dates_are_labelled_in_their_own_unit(first: str, last: str, labels: list[str]) -> None:
    start, stop = (np.datetime64(x, "ns").astype("int64") / dates.DAY for x in (first, last))
    places, written = dates.ticks(start, stop, len(labels))
    assert written == labels and len(places) == len(labels)


def test_months_are_no_finer_than_months() -> None:
    told = case("airline")
    assert told.at(108) == "1958-01"
    assert case("ring").at(0) == "2000-01-01 00:00"


def test_numbers_are_written_as_papers_do() -> None:
    written = {0.01234: "0.0123", 15.26: "15.3", 1236.0: "1,240", -2.5e7: "−2.5×10⁷", 1e-8: "10⁻⁸"}
    assert {x: style.number(x) for x in written} == written


def test_names_are_spread_no_further_than_they_must() -> None:
    assert layout.spread([0.1, 0.5, 0.9], [0.2] * 3, 0, 1) == pytest.approx([0.1, 0.5, 0.9])
    assert layout.spread([0.5, 0.5], [0.2, 0.2], 0, 1) == pytest.approx([0.4, 0.6])
    assert layout.spread([0.0, 0.0], [0.2, 0.4], 0, 1) == pytest.approx([0.1, 0.4])


def test_steps_are_labelled_at_round_numbers() -> None:
    assert style.step_ticks(12, 12) == [1, 3, 6, 9, 12]
    assert style.step_ticks(24, 24) == [1, 6, 12, 18, 24]
    assert style.step_ticks(336, 24) == [1, 72, 144, 216, 288]
    assert style.step_ticks(5, 1) == [1, 2, 3, 4, 5]


def test_panels_of_one_series_share_a_scale():
    from stsfm.plots.layout import one_scale

    row = Figure().subplots(1, 3)
    for ax, top in zip(row, (1, 5, 2), strict=True):
        ax.plot([0, top])
    one_scale(row)
    low, high = row[1].get_ylim()
    assert high >= 5 and all(ax.get_ylim() == (low, high) for ax in row)
    assert [ax.yaxis.get_tick_params()["labelleft"] for ax in row[1:]] == [False, False]


# ---- state spaces --------------------------------------------------------------------------------

STATES = (portrait, coordinates, components, spectrum, impulse, reconstruction)


def lively(told: Story, size: int) -> Story:
    """The same with states that turn, of which the first ten rows have none."""
    turn = np.arange(len(told.time) - 10)[:, None] / 5 + np.arange(size)
    z = np.sin(turn)
    ahead = np.stack([z[row - 10 :][: told.horizon] for row in told.origins])
    states = {
        "first_row": np.array(10), "z": z, "z_ahead": ahead, "components": z.T,
        "eigenvalues": np.exp(1j * np.array([0.2, -0.2])) * [0.9, 1.1],
        "singular_values": np.array([9.0, 3.0, 0.1]), "impulse": np.exp(-turn[:, :1])[..., None],
        "window": z[:30, 0], "window_again": z[:30, 0] + 0.1,
    }  # fmt: skip
    return replace(told, states=states)


@pytest.mark.parametrize("size", [1, 2, 9])
@pytest.mark.filterwarnings("error")
def test_states_are_drawn_where_there_are_some(size: int) -> None:
    told = lively(case("airline"), size)
    for make in STATES:
        made = make(told)
        assert made is not None
        figure, caption = made
        assert told.protocol in caption
        box, (wide, tall) = figure.get_tightbbox(), figure.get_size_inches()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= wide and box.y1 <= tall
    assert all(make(case("airline")) is None for make in STATES)


def test_a_forecast_starts_at_the_state_before_its_origin() -> None:
    told = lively(case("airline"), 2)
    figure, _ = portrait(told)
    row = int(told.drawn[chosen(told)[0].window]) - told.first_state
    ways = [line for line in figure.axes[0].lines if line.get_color() == style.MODEL]
    assert np.array_equal(ways[0].get_xydata()[0], told.states["z"][row - 1])
    assert np.array_equal(ways[0].get_xydata()[1], told.states["z"][row])  # the truth, here
    assert len(ways[0].get_xydata()) == told.horizon + 1


def test_modes_that_grow_are_told() -> None:
    assert "1 of 2 outside" in spectrum(lively(case("airline"), 2))[1]
