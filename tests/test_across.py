"""Figures over several runs: drawn when they say something, and what they show is what was kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

from stsfm.__main__ import main
from stsfm.plots import style
from stsfm.plots.across import cast, draw
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.across.cost import cost, front
from stsfm.plots.across.critical import critical
from stsfm.plots.across.curves import curves
from stsfm.plots.across.forecasts import forecasts
from stsfm.plots.across.gains import gains
from stsfm.plots.across.gather import gather
from stsfm.plots.across.horizon import horizon
from stsfm.plots.across.naming import explained, shorten
from stsfm.plots.across.profile import profile, ratios
from stsfm.plots.across.response import response
from stsfm.plots.across.seeds import seeds
from stsfm.plots.across.where import where
from stsfm.record import Record, records
from stsfm.significance.friedman import Friedman, friedman
from stsfm.tables.overall import Overall
from stsfm.tables.table import Table, tabulate

EVERY = (forecasts, horizon, seeds, gains, where, profile, cost, response, curves)
NET = ["model=gru", "trainer.epochs=3", "baselines=[naive,seasonal_naive,linear]"]
RING = ["data=ring", "data.length=300", "data.nodes=6", "protocol.horizon=6", "model.hidden=4"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A net on airline by two seeds and two sizes, a net on a ring of nodes by one."""
    folder = tmp_path_factory.mktemp("across")
    runs = f"runs_dir={folder}"
    for words in (["seed=1", "model.hidden=4"], ["seed=2", "model.hidden=4"], ["model.hidden=8"]):
        assert main(["run", "data=airline", *NET, *words, runs]) == 0
    assert main(["run", *NET, *RING, runs]) == 0
    return folder


def table(home: Path, data: str, *, every: bool = False) -> Table:
    kept = [run for run in records(home) if run.status["data"] == data]
    return tabulate(kept, tried=5, every_config=every)


@pytest.fixture(scope="module")
def airline(home: Path) -> Table:
    return table(home, "airline")


@pytest.fixture(scope="module")
def ring(home: Path) -> Table:
    return table(home, "ring")


@pytest.fixture(scope="module")
def air(airline: Table) -> Contest:
    return gather([airline])[0]


@pytest.fixture(scope="module")
def nodes(ring: Table) -> Contest:
    return gather([ring])[0]


@pytest.fixture(autouse=True)
def styled() -> Iterator[None]:
    with rc_context(style.STYLE):
        yield


def runs(held: Table, model: str) -> tuple[Record, ...]:
    return next(row for row in held.rows if row.model == model).records


def lines(ax, label: str) -> list:
    return [line for line in ax.lines if line.get_label() == label]


def crowd(contest: Contest, count: int = 30) -> Contest:
    """Many entries with long names, made of the few, each better or worse by some factor."""
    rng, made = np.random.default_rng(0), []
    for k in range(count):
        of = contest.entries[k % len(contest.entries)]
        factor = rng.lognormal(0, 0.3)
        made.append(
            replace(
                of,
                label=f"{of.model}{k} model.hidden={k} trainer.optimizer.weight_decay=0.00{k}",
                model=f"{of.model}{k}",
                val=of.val * factor,
                test=of.test * factor,
                by_step=of.by_step * factor,
                by_node=of.by_node * factor,
                lost=of.lost * factor,
                seconds=of.seconds * rng.lognormal(0, 2),
            )
        )
    made.sort(key=lambda entry: entry.error)
    control = made[3].label
    looks = cast.looks([[entry.label for entry in cast.order(made, control)]])
    made = [replace(entry, look=looks[entry.label]) for entry in made]
    return replace(contest, entries=tuple(made), control=control)


def test_a_figure_is_drawn_where_it_has_something_to_say(
    airline: Table, ring: Table, tmp_path: Path
) -> None:
    drawn = [path.stem for path in draw([airline], tmp_path / "a")]
    assert drawn == ["forecasts", "horizon", "seeds", "gains", "cost", "response", "curves"]
    drawn = [path.stem for path in draw([ring], tmp_path / "r")]  # one seed, one size, six nodes
    assert drawn == ["forecasts", "horizon", "gains", "where", "profile", "cost"]
    alone = replace(airline, rows=airline.rows[:1], hidden=())
    assert draw([alone], tmp_path / "one") == []
    failed = tuple(replace(row, records=(), failures=("boom",)) for row in airline.rows)
    assert draw([replace(airline, rows=failed, hidden=())], tmp_path / "none") == []
    for path in (tmp_path / "a").glob("*.png"):
        assert path.with_suffix(".svg").read_text(encoding="utf-8").count("<path") > 15


def test_a_caption_ends_with_the_data_where_the_last_futures_reach_beyond_them(
    nodes: Contest,
) -> None:
    last = int(nodes.origins[-1]) + nodes.horizon - 1
    assert nodes.end == last + 1 and f"… {nodes.at(last)}," in nodes.where
    assert f"… {nodes.at(last - 3)}," in replace(nodes, end=last - 2).where


def test_a_map_of_gains_is_of_the_rival_that_validation_prefers(nodes: Contest) -> None:
    figure, caption = where(nodes)
    control = next(entry for entry in nodes.entries if entry.label == nodes.control)
    best = min((e for e in nodes.entries if e is not control), key=lambda e: e.preference)
    gain = control.by_node - best.by_node
    shown = figure.axes[0].collections[-1]
    assert sorted(shown.get_array()) == pytest.approx(sorted(gain))
    assert shown.norm.vmin == -shown.norm.vmax, "white is no gain"
    assert f"{best.label} is better, at {(gain > 0).sum()} of 6 nodes" in caption
    assert where(replace(nodes, place=None)) is None and where(replace(nodes, control="")) is None


def test_captions_say_what_the_numbers_are_about(airline: Table, tmp_path: Path) -> None:
    lost = replace(airline.rows[0], records=(), failures=("MemoryError: 8 GB",), label="var")
    paths = draw([replace(airline, rows=(*airline.rows, lost))], tmp_path)
    captions = json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))
    assert list(captions) == [path.name for path in paths]
    for caption in captions.values():
        for words in ("airline, 1 node", "25 origins (3 with futures", "horizon 12 months"):
            assert words in caption
        assert f"protocol rolling {airline.status['fingerprint']}" in caption
        assert "1 seed" in caption or "2 seeds" in caption
    for name in ("horizon", "seeds", "gains", "cost"):
        assert "var (MemoryError: 8 GB)" in captions[f"{name}.png"]
    assert "bands: ± 1 standard deviation between seeds" in captions["horizon.png"]
    assert "No bands" not in captions["horizon.png"]


def test_every_configuration_is_stamped_exploratory(home: Path, air: Contest) -> None:
    (every,) = gather([table(home, "airline", every=True)])
    assert len(every.entries) == 5 and "EXPLORATORY" in horizon(every)[1]  # type: ignore[index]
    assert len(air.entries) == 4 and "EXPLORATORY" not in air.where


def test_windows_are_those_at_the_quantiles_of_the_mean_error(ring: Table, nodes: Contest) -> None:
    each = []
    for row in ring.rows:
        kept = row.records[0].forecasts()
        each.append(abs(kept["truth"] - kept["point"])[..., 0].mean(1))  # (window, node)
    ordered = np.sort(np.mean(each, 0), axis=None)
    ranks = [round(q * (len(ordered) - 1)) for q in (0.05, 0.5, 0.95)]
    assert [pick.mae for pick in nodes.picks] == pytest.approx(ordered[ranks])
    figure, caption = forecasts(nodes)  # type: ignore[misc]
    assert "not chosen by hand" in caption
    for ax, pick in zip(figure.axes, nodes.picks, strict=True):
        for row in ring.rows:
            kept = row.records[0].forecasts()
            window = list(kept["origins"]).index(pick.origin)
            drawn = lines(ax, row.label)[0]
            assert np.allclose(drawn.get_ydata(), kept["point"][window, :, pick.node, 0])
            assert np.allclose(drawn.get_xdata() * 86_400e9, kept["time"][window], rtol=1e-12)
            seen = lines(ax, "observed")[0].get_ydata()[-nodes.horizon :]
            assert np.allclose(seen, kept["truth"][window, :, pick.node, 0])


def test_the_forecast_of_several_seeds_is_the_median_one_on_validation(
    airline: Table, air: Contest
) -> None:
    errors = [run.pooled("val")["mae"] for run in runs(airline, "gru")]
    run = runs(airline, "gru")[int(np.argsort(errors)[(len(errors) - 1) // 2])]
    entry = next(entry for entry in air.entries if entry.model == "gru")
    kept = run.forecasts()
    at = [list(kept["origins"]).index(pick.origin) for pick in air.picks]
    assert np.allclose(entry.points, kept["point"][at, :, 0, 0])


def test_what_was_not_observed_is_no_truth(nodes: Contest) -> None:
    holed = nodes.truth.copy()
    holed[:, 4:9] = np.nan
    figure, _ = forecasts(replace(nodes, truth=holed))  # type: ignore[misc]
    for ax in figure.axes:
        x, y = lines(ax, "observed")[0].get_data()
        assert np.isnan(y[(x >= nodes.clock[4]) & (x < nodes.clock[9])]).all()


def test_bands_are_deviations_between_seeds(home: Path) -> None:
    held = table(home, "airline", every=True)
    row = next(row for row in held.rows if len(row.records) == 2)
    steps = np.array([scores["test"]["mae"]["step"] for scores in row.scores])
    figure, _ = horizon(gather([held])[0])  # type: ignore[misc]
    ax = figure.axes[0]
    assert np.allclose(lines(ax, row.label)[0].get_ydata(), steps.mean(0))
    (band,) = (drawn for drawn in ax.collections if drawn.get_label() == row.label)
    edges = band.get_paths()[0].vertices
    for step in (1, 7, 12):
        y = edges[edges[:, 0] == step, 1]
        wanted = abs(steps[0] - steps[1])[step - 1] / np.sqrt(2)  # the deviation of two numbers
        assert np.ptp(y) == pytest.approx(2 * wanted)


def test_every_seed_is_a_dot(home: Path) -> None:
    held = table(home, "airline", every=True)
    (contest,) = gather([held])
    figure, _ = seeds(contest)  # type: ignore[misc]
    ax = figure.axes[0]
    names = [label.get_text() for label in ax.get_yticklabels()][::-1]
    assert [name.split()[0] for name in names] == [row.model for row in held.rows]
    dots = np.concatenate([line.get_xdata() for line in ax.lines if line.get_marker() == "o"])
    nets = [s["test"]["mase"]["pooled"] for row in held.rows if row.is_net for s in row.scores]
    assert sorted(dots) == pytest.approx(sorted(nets)) and len(nets) == 3
    ticks = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "|"]
    fixed = [row.score("test", "mase").mean for row in held.rows if not row.is_net]  # type: ignore
    assert sorted(ticks) == pytest.approx(sorted(fixed))


def test_gains_end_at_the_difference_of_pooled_errors(airline: Table, air: Contest) -> None:
    assert air.control == "linear"  # the best classical on validation
    figure, caption = gains(air)  # type: ignore[misc]
    ax, n = figure.axes[0], len(air.origins)
    scores = {row.label: row.score("test", "mase").mean for row in airline.rows}  # type: ignore
    for label, score in scores.items():
        if label != "linear":
            drawn = lines(ax, label)[0].get_ydata()
            assert drawn[-1] == pytest.approx(n * (scores["linear"] - score))
    kept = {name: runs(airline, name)[0].forecasts() for name in ("linear", "naive")}
    mae = {k: abs(v["truth"] - v["point"]).mean((1, 2, 3)) for k, v in kept.items()}
    by_hand = np.cumsum(mae["linear"] - mae["naive"])
    drawn = lines(ax, "naive")[0].get_ydata()
    assert np.allclose(drawn / drawn[-1], by_hand / by_hand[-1])
    assert "minus that of each model" in caption and "Futures overlap" in caption


def test_another_control_may_be_declared(airline: Table) -> None:
    (contest,) = gather([airline], control="naive")
    assert contest.control == "naive"
    assert "gain on naive" in gains(contest)[0].axes[0].get_ylabel()  # type: ignore[index]
    assert gather([airline], control="nobody")[0].control == "linear"


def test_the_profile_counts_series_within_a_factor(ring: Table, nodes: Contest) -> None:
    errors = {row.label: np.array(row.scores[0]["test"]["mae"]["node"]) for row in ring.rows}
    best = np.min(list(errors.values()), 0)
    figure, caption = profile(nodes)  # type: ignore[misc]
    ax = figure.axes[0]
    assert "over 6 series" in caption
    for label, mine in errors.items():
        x, y = lines(ax, label)[0].get_data()
        for factor in (1.0, 1.01, 1.05, 1.2, ax.get_xlim()[1]):
            shown = y[np.flatnonzero(x <= factor)[-1]]
            assert shown == pytest.approx((mine <= factor * best).mean())


def test_ratios_of_what_has_no_error() -> None:
    found = ratios(np.array([[0.0, 2.0, np.nan], [0.0, 1.0, 3.0], [1.0, 4.0, 6.0]]))
    assert np.array_equal(found, [[1, 2, np.inf], [1, 1, 1], [np.inf, 4, 2]])


def test_nothing_is_both_cheaper_and_better_than_the_front() -> None:
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, 20, 60).astype(float)
    errors = (20 - seconds + rng.integers(0, 6, 60)) // 2  # a long front, with ties
    kept = front(list(seconds), list(errors))
    for k in range(60):
        beaten = (seconds <= seconds[k]) & (errors <= errors[k])
        beaten &= (seconds < seconds[k]) | (errors < errors[k])
        at_front = any(seconds[k] == seconds[j] and errors[k] == errors[j] for j in kept)
        assert at_front == (not beaten.any())


def test_costs_are_those_of_the_records(airline: Table, air: Contest) -> None:
    figure, caption = cost(air)  # type: ignore[misc]
    for row in airline.rows:
        spent = [s["cost"]["fit_seconds"] + s["cost"]["predict_seconds"] for s in row.scores]
        (dot,) = lines(figure.axes[0], row.label)
        assert dot.get_xdata()[0] == pytest.approx(np.mean(spent))
        assert dot.get_ydata()[0] == pytest.approx(row.score("test", "mase").mean)  # type: ignore
    assert "Pareto front" in caption


def test_the_response_is_that_of_validation(airline: Table, air: Contest) -> None:
    rows = {
        row.config["model.hidden"]: row
        for row in (*airline.rows, *airline.hidden)
        if row.model == "gru"
    }
    figure, caption = response(air)  # type: ignore[misc]
    drawn = figure.axes[0].containers[0].lines[0]
    assert list(drawn.get_xdata()) == [4, 8]
    wanted = [rows[size].score("val", "mase").mean for size in (4, 8)]  # type: ignore[union-attr]
    assert list(drawn.get_ydata()) == pytest.approx(wanted)
    assert "Test is not shown" in caption and "by hidden" in caption


def tried(air: Contest, settings: list[dict], errors: list[float]) -> Contest:
    net = next(entry for entry in air.entries if entry.net)
    made = [
        replace(net, val=np.array([error]), settings=its)
        for its, error in zip(settings, errors, strict=True)
    ]
    return replace(air, configurations=tuple(made))


def test_two_keys_are_a_map_and_a_third_is_said(air: Contest) -> None:
    grid = [{"hidden": h, "lr": lr} for h in (8, 16, 32) for lr in (0.1, 0.01)]
    figure, _ = response(tried(air, grid, [6, 5, 4, 3, 2, 1]))  # type: ignore[misc]
    shown = figure.axes[0].images[0].get_array()  # lr down, hidden across
    assert np.array_equal(shown, [[5, 3, 1], [6, 4, 2]])
    twice = [its | {"context": c} for its in grid for c in (12, 24)]
    errors = [float(e) for pair in zip(range(9, 3, -1), range(6), strict=True) for e in pair]
    figure, caption = response(tried(air, twice, errors))  # type: ignore[misc]
    best = np.minimum(range(9, 3, -1), range(6)).reshape(3, 2).T[::-1]
    assert np.array_equal(figure.axes[0].images[0].get_array(), best)
    assert "Swept too, and each point the best over them: context." in caption


def test_curves_are_the_histories(home: Path) -> None:
    held = table(home, "airline", every=True)
    figure, caption = curves(gather([held])[0])  # type: ignore[misc]
    for row in (row for row in held.rows if row.is_net):
        for ax, part in zip(figure.axes, ("train", "val"), strict=True):
            drawn = sorted(list(line.get_ydata()) for line in lines(ax, row.label))
            kept = sorted([epoch[part] for epoch in run.history()] for run in row.records)
            assert drawn == kept
    assert "a line for every seed" in caption


def test_the_critical_difference_is_drawn_to_scale() -> None:
    rng = np.random.default_rng(1)
    found = friedman(rng.normal(size=(14, 4)) + 2 * np.arange(4))
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)  # Demšar (2006), §3.2.2
    names = ["a", "b", "c", "d"]
    figure, caption = critical(names, found, {})  # type: ignore[misc]
    ax = figure.axes[0]
    ruler = lines(ax, "CD")[0].get_xdata()
    assert np.ptp(ruler) == pytest.approx(found.critical_difference)
    for name, rank in zip(names, found.ranks, strict=True):
        assert lines(ax, name)[0].get_xdata()[0] == pytest.approx(rank)
    bars = [tuple(line.get_xdata()) for line in lines(ax, "clique")]
    assert len(bars) == len(found.cliques)
    for clique, (low, high) in zip(found.cliques, sorted(bars), strict=True):
        inside = {k for k, rank in enumerate(found.ranks) if low <= rank <= high}
        assert inside == set(clique)
    assert "14 families" in caption and "rejects that all are alike" in caption


def test_ranks_that_differ_by_chance_claim_nothing(ring: Table, tmp_path: Path) -> None:
    level = Friedman(
        ranks=(1.9, 2.0, 2.1), families=12, chi2=0.2, statistic=0.1, p=0.9,
        critical_difference=0.96, cliques=((0, 1, 2),),
    )  # fmt: skip
    found = critical(("naive", "b", "c"), level, {})
    assert found and "no difference may be claimed" in found[1]
    assert critical(("naive", "b", "c"), replace(level, families=9), {}) is None
    overall = Overall(families=12, models=("naive", "linear", "gru"), ranks=level)
    assert draw([ring], tmp_path, overall=overall)[0].name == "ranks.png"


def texts(figure: Figure) -> list[tuple[str, np.ndarray]]:
    """The words of a figure and their boxes in pixels."""
    figure.draw_without_rendering()
    unseen = set()
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-9 * (high - low)
        for tick in axis.get_major_ticks():
            if not low - slack <= tick.get_loc() <= high + slack:
                unseen |= {tick.label1, tick.label2}
    found = [text for text in figure.findobj(Text) if text.get_visible() and text not in unseen]
    return [(t.get_text(), t.get_window_extent().extents) for t in found if t.get_text().strip()]


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("case", ["air", "nodes", "many", "many nodes", "undated"])
def test_no_words_lie_over_others_or_are_cut_off(
    make, case: str, air: Contest, nodes: Contest
) -> None:
    told = {
        "air": lambda: air, "nodes": lambda: nodes, "many": lambda: crowd(air),
        "many nodes": lambda: crowd(nodes), "undated": lambda: replace(nodes, days=np.zeros(0)),
    }[case]()  # fmt: skip
    if (made := make(told)) is None:
        return
    figure = made[0]
    wide, tall = figure.get_size_inches() * figure.dpi
    shown = texts(figure)
    for words, (x0, y0, x1, y1) in shown:
        assert x0 >= -1 and y0 >= -1 and x1 <= wide + 1 and y1 <= tall + 1, words
    for (one, a), (other, b) in combinations(shown, 2):
        both = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
        assert not (both > 2).all(), (one, other)


def test_many_models_are_a_few_in_colour_and_the_rest_grey(air: Contest) -> None:
    many = crowd(air)
    assert len(many.stars) == cast.STARS
    assert many.control in {entry.label for entry in many.stars}
    looks = {entry.look.color for entry in many.stars}
    assert len(looks) == cast.STARS and style.FAINT not in looks
    assert "Grey: the 23 other models." in horizon(many)[1]  # type: ignore[index]


def test_a_model_looks_alike_in_every_figure(airline: Table, ring: Table, tmp_path: Path) -> None:
    contests = gather([airline, ring])
    looks = [{entry.model: entry.look for entry in contest.entries} for contest in contests]
    assert looks[0] == looks[1] and len(set(looks[0].values())) == 4
    for contest in contests:
        for make in (horizon, gains, cost):
            ax = make(contest)[0].axes[0]  # type: ignore[index]
            for entry in contest.entries:
                assert all(line.get_color() == entry.look.color for line in lines(ax, entry.label))
    names = [path.stem for path in draw([airline, ring], tmp_path)]
    assert "horizon-airline-h12" in names and "profile-ring-h6" in names


def test_names_are_short_and_each_its_own() -> None:
    labels = [
        "arima",
        "lstm trainer.lr=0.01",
        *(f"lstm a.b.hidden={k} x.y.decay=0.1" for k in (1, 2)),
    ]
    names = shorten(labels, 16)
    assert names["arima"] == "arima" and names["lstm trainer.lr=0.01"] == "lstm lr=0.01"
    assert names[labels[2]] == "lstm 1 0.1"
    assert explained(names) == (
        " Numbers after a name are, in this order, a.b.hidden, x.y.decay of lstm."
    )
    alike = [f"{'long' * 9}{k}{'name' * 9}" for k in range(12)]
    short = shorten(alike, 16)
    assert len(set(short.values())) == 12 and max(map(len, short.values())) <= 17


def test_arrays_that_do_not_fit_are_refused(air: Contest) -> None:
    entry = air.entries[0]
    with pytest.raises(ValueError, match="by_step of"):
        replace(air, entries=(replace(entry, by_step=np.zeros((1, 3))), *air.entries[1:]))
    with pytest.raises(ValueError, match="none of the entries"):
        replace(air, control="nobody")


def test_a_run_whose_arrays_are_gone_is_left_out_of_what_needs_them(
    airline: Table, tmp_path: Path
) -> None:
    import shutil

    row = next(row for row in airline.rows if row.model == "naive")
    copy = shutil.copytree(row.records[0].folder, tmp_path / "a" / "naive" / "run")
    for name in ("windows.npz", "forecast.npz"):
        (copy / name).write_bytes(b"broken")
    rows = tuple(replace(r, records=(Record(copy),)) if r is row else r for r in airline.rows)
    (contest,) = gather([replace(airline, rows=rows)])
    entry: Entry = next(entry for entry in contest.entries if entry.model == "naive")
    assert not entry.lost.size and not entry.points.size and np.isfinite(entry.error)
    assert not lines(gains(contest)[0].axes[0], "naive")  # type: ignore[index]
    assert lines(horizon(contest)[0].axes[0], "naive")  # type: ignore[index]


def test_nothing_heavy_is_imported_before_a_figure_and_pyplot_never(tmp_path: Path) -> None:
    script = (
        "import sys; from stsfm.plots.across import draw\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from stsfm.plots.across import _figures; _figures()\n"
        "assert not {'matplotlib.pyplot', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
