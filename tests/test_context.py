"""What stands around a series: its season, calendar and graph, and what is known ahead of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stsfm import compose
from stsfm.backtest import evaluate
from stsfm.build import build, build_model
from stsfm.datasets.acf import acf
from stsfm.datasets.airline import airline
from stsfm.datasets.calendar import FEATURES, add_calendar
from stsfm.datasets.equations.pendulum import Pendulum
from stsfm.datasets.graph import EARTH, between, space_of
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.season import cycles, infer_season
from stsfm.datasets.split import panel_digest
from stsfm.datasets.synthetic import ring
from stsfm.headline import describe
from stsfm.tables.render import as_latex
from stsfm.tables.table import tabulate

HOUR = 3_600 * 10**9
ETT = Path(__file__).parents[2] / "shared" / "data" / "ett" / "ETTh1.csv"
BAY = ETT.parents[1] / "sensor_graphs" / "distances_bay_2017.csv"


def panel_of(x: np.ndarray, step: int = HOUR, season: int = 0) -> Panel:
    """Series (time, node), NaN where missing, one row every `step` ns from a Monday on."""
    x = x.reshape(len(x), -1)
    monday = np.datetime64("2024-01-01", "ns").astype(int)
    return Panel(
        values=np.nan_to_num(x)[..., None],
        mask=np.isfinite(x)[..., None],
        time=monday + step * np.arange(len(x)),
        about=About(
            name="toy",
            nodes=tuple(f"n{i}" for i in range(x.shape[1])),
            channels=("y",),
            season=season,
        ),
    )


def noise(rows: int, nodes: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, nodes))


def wave(rows: int, season: int, nodes: int = 1) -> np.ndarray:
    return np.sin(2 * np.pi * (np.arange(rows)[:, None] / season + np.arange(nodes) / 7))


# ---- season --------------------------------------------------------------------------------------


def test_airline_has_twelve_months():
    assert infer_season(airline().upto(84)) == 12
    assert infer_season(airline().upto(20)) == 1, "fewer than two seasons say nothing"


@pytest.mark.skipif(not ETT.exists(), reason="the reference data are not here")
def test_hourly_transformers_have_a_day():
    table = np.genfromtxt(ETT, delimiter=",", skip_header=1, max_rows=8000)[:, 1:]
    assert infer_season(panel_of(table)) == 24


@pytest.mark.parametrize(
    "law",
    [
        lambda e: e,
        lambda e: e.cumsum(0),
        lambda e: e.cumsum(0).cumsum(0),
        lambda e: e + 0.1 * np.arange(len(e))[:, None],
        lambda e: 0 * e + 0.1,
        lambda e: np.full_like(e, np.nan),
    ],
    ids=["white noise", "random walk", "its integral", "trend", "constant", "all missing"],
)
def test_where_there_is_no_season_none_is_found(law):
    for rows in (60, 900):
        found = [infer_season(panel_of(law(noise(rows, seed=seed)))) for seed in range(20)]
        assert found.count(1) >= 18, "the bound is one-sided at 5 %"


def test_the_shorter_of_two_cycles_is_taken_and_the_longer_where_it_is_alone():
    day, week = wave(2000, 24, 3), wave(2000, 168, 3)
    assert infer_season(panel_of(day + week + 0.5 * noise(2000, 3))) == 24
    assert infer_season(panel_of(week + 0.2 * noise(2000, 3))) == 168


def test_a_season_shows_through_trend_gaps_and_noise():
    x = wave(700, 7, 2) + 0.5 * noise(700, 2) + 0.02 * np.arange(700)[:, None]
    x[np.random.default_rng(1).random(x.shape) < 0.3] = np.nan
    assert infer_season(panel_of(x, step=24 * HOUR)) == 7


def test_cycles_follow_the_sampling_step():
    every = lambda step: np.arange(10) * int(step * HOUR)  # noqa: E731
    months = np.arange("2020-01", "2021-01", dtype="M8[M]").astype("M8[ns]").astype(int)
    assert cycles(months) == [12] and cycles(months[::3]) == [4] and cycles(months[:1]) == []
    assert cycles(every(168)) == [52] and cycles(every(24)) == [7, 365]
    assert cycles(every(1)) == [24, 168] and cycles(every(0.25)) == [96, 672]
    assert cycles(every(48)) == [] and cycles(every(7)) == []


def test_the_protocol_infers_the_season_and_says_so():
    split = rolling(panel_of(wave(400, 24) + 0.1 * noise(400)))
    assert split.panel.about.season == split.test.frame.season == 24
    assert split.rules["horizon"] == 24 and split.rules["season"] == "24 (inferred)"
    assert describe(split)["headline"].endswith("season 24 (inferred)")
    assert "season" not in rolling(panel_of(wave(400, 24), season=24)).rules
    for borders in ({"val": 0}, {"val": 3, "gap": 3}):  # no row of train to infer it from
        with pytest.raises(ValueError, match=r"borders must rise|hold no future"):
            rolling(panel_of(noise(30)), **borders)


def test_what_comes_after_the_training_rows_does_not_move_the_season():
    """Poison comes from the border on: a season, where there was none, and noise and gaps."""
    of = lambda x, gap: rolling(panel_of(x), val=300 + gap, test=600, horizon=3, gap=gap)  # noqa: E731
    seasonal = np.concatenate([wave(300, 24) + 0.1 * noise(300), 50 * noise(900)])
    seasonal[300:][noise(900) > 0.5] = np.nan
    plain = np.concatenate([noise(300, seed=1), 50 * wave(900, 24)])
    assert infer_season(panel_of(seasonal)) == 1 and infer_season(panel_of(plain)) == 24
    for gap in (0, 10):
        assert of(seasonal, gap).panel.about.season == 24
        assert of(plain, gap).panel.about.season == 1


def test_a_correlogram_with_gaps_is_the_sum_by_hand():
    x = noise(100).cumsum(0)[:, 0]
    x[7:20] = np.nan
    d = x - np.nanmean(x)
    for k in (1, 30, 99):
        products = d[k:] * d[:-k]
        wanted = np.nanmean(products) * (100 - k) / 100 / np.nanmean(d**2)
        np.testing.assert_allclose(acf(x, 99)[k - 1], wanted)


# ---- calendar ------------------------------------------------------------------------------------


def stamped(*stamps: str) -> Panel:
    time = np.array(stamps, "M8[ns]").astype(int)
    return replace(panel_of(noise(len(stamps)), season=1), time=time)


def shares(panel: Panel) -> np.ndarray:
    """The share of its cycle that has passed, (time, name), read back from the pairs."""
    pairs = panel.known[:, 0].reshape(len(panel), -1, 2)
    return np.arctan2(pairs[..., 0], pairs[..., 1]) / (2 * np.pi) % 1


def test_the_calendar_of_known_dates():
    dates = ("1969-12-31T23:59:30", "2000-02-29", "2024-07-01T18:45", "2024-12-31T06:00")
    names = ("minute_of_day", "hour", "weekday", "week", "day_of_year", "month", "quarter")
    wanted = [
        [1439 / 1440, 23 / 24, 2 / 7, 364 / 365, 364 / 365, 11 / 12, 3 / 4],  # a Wednesday
        [0, 0, 1 / 7, 56 / 366, 59 / 366, 1 / 12, 0],  # a Tuesday of a leap year
        [1125 / 1440, 18 / 24, 0, 182 / 366, 182 / 366, 6 / 12, 2 / 4],  # a Monday
        [1 / 4, 1 / 4, 1 / 7, 364 / 366, 365 / 366, 11 / 12, 3 / 4],  # the last Tuesday of 2024
    ]
    assert set(names) == set(FEATURES)
    panel = add_calendar(stamped(*dates), names)
    np.testing.assert_allclose(shares(panel), wanted, atol=1e-12)
    assert panel.about.covariates[:2] == ("minute_of_day sin", "minute_of_day cos")
    assert set(panel.about.kinds) == {"calendar"}


def test_calendar_columns_stand_behind_the_others_and_are_made_anew():
    about = replace(airline().about, covariates=("plan",), kinds=("planned",))
    panel = replace(airline(), known=noise(144)[:, None], about=about)
    once = add_calendar(panel, ["month"])
    assert once.about.covariates == ("plan", "month sin", "month cos")
    longer = replace(once, known=np.concatenate([once.known[..., :1], 0 * once.known[..., 1:]], -1))
    twice = add_calendar(longer, ["month"])
    np.testing.assert_array_equal(twice.known, once.known)
    assert twice.about.covariates == once.about.covariates
    assert add_calendar(panel, []) is panel
    assert add_calendar(panel, ["month", "month"]).known.shape == once.known.shape
    with pytest.raises(ValueError, match="got 'moon'"):
        add_calendar(panel, ["moon"])


def test_the_features_that_fit_follow_the_sampling_step():
    every = lambda hours: add_calendar(panel_of(noise(9), step=int(hours * HOUR)), "auto")  # noqa: E731
    found = {hours: every(hours).about.covariates[::2] for hours in (1 / 12, 1, 24, 168, 8766)}
    assert found == {
        1 / 12: ("minute_of_day sin", "weekday sin", "day_of_year sin"),
        1: ("hour sin", "weekday sin", "day_of_year sin"),
        24: ("weekday sin", "day_of_year sin"),
        168: ("week sin",),
        8766: (),
    }


def test_a_calendar_is_shared_or_stands_at_every_node():
    panel = panel_of(noise(30, 3), season=1)
    assert add_calendar(panel, ["hour"]).known.shape == (30, 1, 2)
    about = replace(panel.about, covariates=("plan",), kinds=("planned",))
    own = add_calendar(replace(panel, known=noise(90).reshape(30, 3, 1), about=about), ["hour"])
    assert own.known.shape == (30, 3, 3)
    np.testing.assert_array_equal(own.known[:, 0, 1:], own.known[:, 2, 1:])


def test_the_protocol_offers_the_calendar_to_every_model():
    split = rolling(airline(), calendar="auto", val="1956-06")  # no whole years of training
    assert split.panel.about.covariates == ("month sin", "month cos")
    assert split.fingerprint != rolling(airline(), val="1956-06").fingerprint
    seen = split.test[0].future.known
    np.testing.assert_allclose((seen**2).sum(-1), 1, err_msg="pairs are not scaled")


# ---- covariates ----------------------------------------------------------------------------------


def test_covariates_are_scaled_by_their_training_rows_alone():
    known = 100 + 5 * noise(200)[:, :, None]
    about = replace(panel_of(noise(200)).about, covariates=("u",), kinds=("planned",), season=1)
    panel = replace(panel_of(noise(200)), known=known, about=about)
    split = rolling(panel, val=100, test=150, horizon=3)
    np.testing.assert_allclose(split.train.panel.known.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(split.train.panel.known.std(), 1)
    later = replace(panel, known=np.concatenate([known[:100], known[100:] + 1e3]))
    moved = rolling(later, val=100, test=150, horizon=3)
    np.testing.assert_array_equal(moved.train.panel.known, split.train.panel.known)
    np.testing.assert_array_equal(split.panel.known, known, err_msg="data units stay")
    raw = rolling(panel, val=100, test=150, horizon=3, scaling="none")
    np.testing.assert_array_equal(raw.train.panel.known, known[:100])


def test_a_covariate_with_gaps_is_refused_by_name():
    about = replace(airline().about, covariates=("a", "b"), kinds=("planned", "planned"))
    known = np.ones((144, 1, 2))
    known[3, 0, 1] = np.nan
    with pytest.raises(ValueError, match="no gaps, and b has some"):
        replace(airline(), known=known, about=about)


def test_fixed_inputs_and_the_meaning_of_coordinates_are_part_of_the_data():
    panel = replace(airline(), space=Space(coords=np.zeros((1, 2))))
    others = [
        replace(panel, space=Space(coords=np.zeros((1, 2)), geometry="sphere")),
        replace(panel, space=Space(adjacency=np.zeros((1, 1)), coords=np.zeros((1, 2)))),
        replace(panel, about=replace(panel.about, static={"height": np.array([3.0])})),
        replace(panel, about=replace(panel.about, static={"height": np.array([4.0])})),
        replace(panel, about=replace(panel.about, physics=Pendulum(pull=9.81))),
        replace(panel, about=replace(panel.about, physics=Pendulum(pull=9.8))),
    ]
    assert len({panel_digest(p) for p in (panel, *others)}) == 7


def test_space_travels_to_every_window():
    split = rolling(ring(length=60, nodes=4, own=0.5, neighbour=0.4, noise=1.0, seed=0), horizon=2)
    graph = split.panel.space.adjacency
    assert graph.sum() == 8
    windows = split.test.look_back(5)
    for space in (windows.frame.space, windows[0].past.space, windows.take([0, 1]).future.space):
        np.testing.assert_array_equal(space.adjacency, graph)


# ---- graph ---------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "graph.csv"
        path.write_text(text)
        return path

    return write


NODES = ("a", "b", "c")


@pytest.mark.parametrize(
    "text",
    [
        "from,to,weight\na,b,2\nc,a,0.5\n",
        "\ufeffa, b, 2\nc,a,0.5\nb,b,9\n",
        "node,a,b,c\na,1,2,0\nb,0,1,0\nc,0.5,0,1\n",
        ",c,b,a\nc,0,0,0.5\nb,0,0,0\na,0,2,0\n",
    ],
    ids=["list", "bare list with a loop", "matrix", "matrix in another order"],
)
def test_edges_are_read_by_name_one_way_without_loops(file, text):
    graph = space_of(NODES, edges=file(text)).adjacency
    np.testing.assert_array_equal(graph, [[0, 2, 0], [0, 0, 0], [0.5, 0, 0]])


def test_edges_without_weights_weigh_one(file):
    for text in ("from,to\na,b\n", "a,b\nb,a\n"):
        graph = space_of(NODES, edges=file(text)).adjacency
        assert graph[0, 1] == 1 and graph.sum() == text.count("\n") - text.count("from")


def test_the_gaussian_kernel_by_hand(file):
    text = "from,to,cost\na,a,0\na,b,1\nb,a,2\nb,c,6\n"
    graph = space_of(NODES, distances=file(text), threshold=0.3).adjacency
    variance = np.var([0, 1, 2, 6])  # 5.19, with the distance of a node to itself
    wanted = np.zeros((3, 3))
    wanted[0, 1], wanted[1, 0] = np.exp(-1 / variance), np.exp(-4 / variance)
    np.testing.assert_allclose(graph, wanted)  # exp(−36 / 5.19) is below the threshold


@pytest.mark.skipif(not BAY.exists(), reason="the reference data are not here")
def test_the_graph_of_the_bay_is_the_published_one():
    with BAY.open() as rows:
        nodes = sorted({name for row in rows for name in row.split(",")[:2]})
    space = space_of(nodes, distances=BAY)
    assert (space.adjacency > 0).sum() + len(nodes) == 2694  # with a loop at each of 325 nodes


def test_nearest_neighbours_are_mutual(file):
    text = "node,x,y\na,0,0\nb,1,0\nc,5,0\n"
    space = space_of(NODES, coords=file(text), kernel="knn", neighbours=1)
    np.testing.assert_array_equal(space.adjacency, [[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(space.coords, [[0, 0], [1, 0], [5, 0]])
    alone = space_of(NODES, coords=file(text), kernel="none")
    assert alone.adjacency is None and alone.coords.shape == (3, 2)


def test_distances_on_the_sphere_are_along_great_circles(file):
    places = np.array([[0, 0], [90, 0], [180, 0], [0, 90], [2.3522, 48.8566], [-0.1276, 51.5072]])
    apart = between(places, "sphere")
    quarter = np.pi / 2 * EARTH
    np.testing.assert_allclose(apart[0, :4], [0, quarter, 2 * quarter, quarter])
    np.testing.assert_allclose(apart[4, 5], 343.6, atol=0.5)  # Paris to London, km
    text = "id,latitude,longitude\na,0,0\nb,0,1\nc,2,0\n"
    space = space_of(NODES, coords=file(text), kernel="gaussian", geometry="sphere")
    np.testing.assert_array_equal(space.coords, [[0, 0], [1, 0], [0, 2]])  # longitude first
    assert (space.geometry, space.units) == ("sphere", "degrees")
    degree = np.pi / 180 * EARTH
    across = np.degrees(np.arccos(np.cos(np.radians(1)) * np.cos(np.radians(2))))
    apart = degree * np.array([0, 1, 2, 1, 0, across, 2, across, 0])
    np.testing.assert_allclose(space.adjacency[0, 1], np.exp(-(degree**2) / np.var(apart)))


@pytest.mark.parametrize(
    "kind, text, words",
    [
        ("edges", "a,z,1\nb,c,1\n", "only in the file: z; only in the data: none"),
        ("coords", "node,x,y\na,0,0\nz,1,1\n", "only in the file: z; only in the data: b, c"),
        ("coords", "node,x,y\na,0,0\na,1,1\n", "gives a twice"),
        ("coords", "node,lat,lon\na,0,0\n", "wants a header node,x,y, got node,lat,lon"),
        ("coords", "node,x,y\na,0,?\nb,1,1\nc,1,2\n", "wanted a number, got '?'"),
        ("edges", "a,b,1\na,b,2\n", "gives a → b twice"),
        ("edges", "a,b,-1\nb,c,1\n", "a number of 0 or more, got '-1'"),
        ("edges", ",a,b\na,0,1\nb,1,0\n", "only in the file: none; only in the data: c"),
        ("edges", ",a,b,c\na,0,1,0\nb,1,0,\nc,1,0,0\n", "0 or more, got ''"),
        ("edges", "a,b,1\nb,c\n", "row 2 has 2 cells"),
        ("edges", "", "at least two cells"),
        ("distances", "a,b,1\nb,c,1\n", "no width; use knn"),
    ],
)
def test_a_file_that_is_wrong_costs_one_line(file, kind, text, words):
    with pytest.raises(ValueError) as caught:
        space_of(NODES, **{kind: file(text)})
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_what_makes_no_graph_is_refused(file):
    path = file("a,b,1\nb,c,2\n")
    for words, keys in (
        ("not both", {"edges": path, "distances": path}),
        ("need a kernel", {"distances": path, "kernel": "none"}),
        ("neighbours must be 1 … 2, got 3", {"distances": path, "kernel": "knn", "neighbours": 3}),
        ("there is no file", {"edges": path.with_name("other.csv")}),
    ):
        with pytest.raises(ValueError, match=words):
            space_of(NODES, **keys)
    with pytest.raises(ValueError, match="at most 20,000 nodes"):
        space_of([str(n) for n in range(20_001)], edges=path)


# ---- known ahead: does it help, and is it said? --------------------------------------------------


def mae(model: str, *offered: str) -> float:
    words = [f"model={model}", "data=driven", f"data.covariates=[{','.join(offered)}]"]
    quick = ["data.length=400", "trainer.epochs=10", "trainer.patience=null"]
    config = compose.config([*words, *quick])
    split = build(config["protocol"], build(config["data"], path="data"), path="protocol")
    made = build_model(config["model"], lambda row: None, split.rules)
    evaluation = evaluate(made, split, refit="trainer" not in config["model"])
    return evaluation.test.scores["mae"]["pooled"]


@pytest.mark.parametrize("model", ["linear", "gru", "prophet"])
def test_what_is_known_ahead_helps_where_it_is_needed(model):
    if model == "prophet":
        pytest.importorskip("prophet")
    assert mae(model, "planned") < 0.6 * mae(model)


def test_an_oracle_is_flagged_wherever_the_table_is_shown(desk):
    words = ["data=driven", "data.length=300", "data.oracle=1", "baselines=[naive]"]
    assert desk("run", "model=linear", *words, "data.covariates=[oracle,planned]") == 0, desk.err
    run = desk.only("linear")
    page = (run.folder / "table.md").read_text()
    for text in (desk.out, page):
        assert "past + planned + oracle†" in text and "† An oracle is known only afterwards" in text
    lines = {line.split()[0]: line for line in desk.out.splitlines() if line.startswith("  ")}
    assert "past" in lines["naive"] and "past +" not in lines["naive"]
    assert run.scores["sees"] == ["past", "planned", "oracle"]
    assert "past + planned + oracle," in (run.folder / "table.csv").read_text()
    tex = as_latex(tabulate([run], tried=1))
    assert r"past + planned + oracle$^\dagger$" in tex and r"$^\dagger$ An oracle is known" in tex
    assert desk("run", "model=linear", *words, "data.covariates=[planned]") == 0, desk.err
    assert "past + planned" in desk.out and "oracle†" not in desk.out


def test_where_nothing_is_offered_the_table_has_no_such_column(desk):
    assert desk("run", "model=linear", "data=airline", "baselines=[naive]") == 0, desk.err
    assert "sees" not in desk.out
    assert desk("run", "model=linear", "data=airline", "baselines=[naive]",
                "protocol.calendar=[month]") == 0, desk.err  # fmt: skip
    assert "past + calendar" in desk.out
