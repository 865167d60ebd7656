"""Space in results: tests that hold their size, places where the data say, and maps of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from stsfm.datasets.ablation import ablated
from stsfm.datasets.lattice import lattice
from stsfm.datasets.panel import Space
from stsfm.datasets.synthetic import ring
from stsfm.plots import Story, style
from stsfm.plots.space import canvas
from stsfm.plots.space.errors import degree, error_map
from stsfm.plots.space.fields import chosen, fields
from stsfm.plots.space.spread import spread
from stsfm.plots.space.steps import node_steps
from stsfm.significance.moran import FEWEST, moran
from stsfm.significance.ranks import rank_correlation
from stsfm.significance.whiteness import undirected, whiteness
from stsfm.spatial import Place, diagnosis
from stsfm.spatial.words import sentences

CIRCLE = np.array([(i, (i + step) % 12) for i in range(12) for step in (1, -1)])
ONES = np.ones(len(CIRCLE))
DRAWS = 300
LIMIT = 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / DRAWS)


@pytest.fixture(autouse=True)
def styled() -> Iterator[None]:
    with rc_context(style.STYLE):
        yield


def noise(draw: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(draw).standard_t(3, shape)


# ---- Moran's I -----------------------------------------------------------------------------------


def test_moran_of_a_small_example_is_what_a_hand_computes() -> None:
    """A path of eight nodes, four low and four high: Σ wᵢⱼ zᵢ zⱼ over Σ w, by hand.

    By row, an end gives its one neighbour 1 and the others give each of two ½. The six inner and
    the two end rows sum to 8. Rows 4 and 5 cancel: ½ − ½. The other six rows give 1 each: 6 / 8.
    """
    edges = np.array([(i, j) for i in range(8) for j in (i - 1, i + 1) if 0 <= j < 8])
    x = np.repeat([-1.0, 1.0], 4)[None]
    found = moran(x, np.ones_like(x, bool), edges, np.ones(len(edges)))
    assert found.i == pytest.approx(6 / 8) and found.expected == pytest.approx(-1 / 7)
    assert found.nodes == 8 and found.p is not None and found.p < 0.05


@pytest.mark.parametrize("gaps", [False, True])
def test_moran_is_its_formula_over_whatever_was_seen(gaps: bool) -> None:
    x, weights = noise(1, 5, 12), np.random.default_rng(2).random(len(CIRCLE))
    seen = np.random.default_rng(3).random(x.shape) > 0.2 * gaps
    w = np.zeros((12, 12))
    w[tuple(CIRCLE.T)] = weights
    w /= w.sum(1, keepdims=True)
    above = below = 0.0
    for row, there in zip(x, seen, strict=True):
        z = np.where(there, (row - row[there].mean()) / row[there].std(), 0)
        above, below = above + z @ w @ z, below + there @ w @ there
    assert moran(x, seen, CIRCLE, weights).i == pytest.approx(above / below, rel=1e-5)


def test_moran_holds_its_size_and_finds_what_neighbours_share() -> None:
    seen = np.ones((6, 12), bool)
    draws = (moran(noise(k, 6, 12), seen, CIRCLE, ONES, most=99) for k in range(DRAWS))
    rejected = [found.p <= 0.05 for found in draws]
    assert 0.01 < np.mean(rejected) < LIMIT
    x = noise(0, 40, 12)
    alike = moran(x + np.roll(x, 1, 1), np.ones_like(x, bool), CIRCLE, ONES)
    assert alike.i > 0.3 and alike.p < 0.01
    shared = moran(x + 5 * noise(1, 40, 1), np.ones_like(x, bool), CIRCLE, ONES)
    assert shared.i == pytest.approx(moran(x, np.ones_like(x, bool), CIRCLE, ONES).i, abs=1e-5)


def test_what_is_masked_may_hold_anything() -> None:
    x, seen = noise(4, 30, 12), np.random.default_rng(5).random((30, 12)) > 0.3
    other = np.where(seen, x, 1e9)
    assert moran(x, seen, CIRCLE, ONES) == moran(other, seen, CIRCLE, ONES)
    tests = [whiteness(v[..., None], seen[..., None], np.arange(30), CIRCLE, ONES)
             for v in (x, other)]  # fmt: skip
    assert tests[0] == tests[1] and tests[0].z is not None


def test_too_little_is_refused_in_words() -> None:
    x, seen = noise(0, 9, 12), np.ones((9, 12), bool)
    few = CIRCLE[(CIRCLE < FEWEST - 1).all(1)]
    assert moran(x, seen, few, np.ones(len(few))).reason.startswith("not tested: 7 nodes")
    assert "err by the same" in moran(0 * x, seen, CIRCLE, ONES).reason
    assert moran(x, ~seen, CIRCLE, ONES).i is None
    short = whiteness(x[:2, :, None], seen[:2, :, None], np.arange(2), CIRCLE, ONES)
    assert short.z is None and short.reason == "not tested: 24 pairs of neighbours were observed"


# ---- whiteness -----------------------------------------------------------------------------------


def az(x: np.ndarray, stride: int = 1, **kind: np.ndarray):
    seen = kind.get("seen", np.ones_like(x, bool))
    return whiteness(x, seen, np.arange(0, stride * len(x), stride), CIRCLE, ONES)


def test_whiteness_is_the_sum_of_signs_over_its_deviation() -> None:
    x = noise(0, 20, 12, 1)
    s = np.sign(x[..., 0])
    space = (s * np.roll(s, 1, 1)).sum() / np.sqrt(s.size)
    time = (s[1:] * s[:-1]).sum() / np.sqrt(s[1:].size)
    found = az(x)
    assert found.space == pytest.approx(space) and found.time == pytest.approx(time)
    assert found.z == pytest.approx((space + time) / np.sqrt(2))
    assert found.pairs == (20 * 12, 19 * 12)


@pytest.mark.parametrize("channels", [1, 2])
def test_whiteness_holds_its_size_whatever_the_law(channels: int) -> None:
    size = np.random.default_rng(9).gamma(1, size=(60, 12, 1))  # each cell has its own spread
    found = [az(noise(k, 60, 12, channels) * size) for k in range(DRAWS)]
    assert 0.01 < np.mean([one.p < 0.05 for one in found]) < LIMIT
    assert np.std([one.z for one in found]) == pytest.approx(1, abs=0.12)


def test_whiteness_finds_structure_in_space_in_time_and_in_a_bias() -> None:
    x = noise(0, 60, 12, 1)
    space, time, bias = az(x + np.roll(x, 1, 1)), az(x + np.roll(x, 1, 0)), az(x + 1)
    assert space.p < 0.01 and space.space > 4 > abs(space.time)
    assert time.p < 0.01 and time.time > 4 > abs(time.space)
    assert bias.p < 0.01 and min(bias.space, bias.time) > 3


def test_origins_apart_are_no_neighbours_in_time() -> None:
    found = az(noise(0, 60, 12, 1), stride=3)
    assert found.time is None and found.z == found.space and found.pairs[1] == 0


def test_a_pair_is_one_edge_and_a_residual_of_zero_says_nothing() -> None:
    edges, weights = undirected(np.array([(0, 1), (1, 0), (2, 2), (1, 2)]), np.array([1, 2, 9, 4]))
    assert edges.tolist() == [[0, 1], [1, 2]] and weights.tolist() == [3, 4]
    x = noise(0, 60, 12, 1)
    x[:, 3] = 0
    assert az(x).pairs == (60 * 10, 59 * 11)
    assert az(x, seen=x != 0).z == az(x).z


# ---- places --------------------------------------------------------------------------------------


def cells(rows: int = 4, columns: int = 5, **kind: str) -> Space:
    y, x = np.mgrid[:rows, :columns]
    return Space(coords=np.stack([x.ravel(), 50 - y.ravel()], 1) * 0.1, **kind)


def test_a_lattice_is_found_and_its_cells_have_four_neighbours() -> None:
    found = lattice(cells().coords)
    assert found is not None and found.image(np.arange(20.0)).shape == (4, 5)
    assert found.image(np.arange(20.0))[-1].tolist() == [0, 1, 2, 3, 4], "north is up"
    sides = np.bincount(found.edges[:, 0])
    assert sorted(set(sides.tolist())) == [2, 3, 4] and len(found.edges) == 2 * (4 * 4 + 3 * 5)
    assert lattice(cells().coords[3:]) is not None, "a coast"
    assert lattice(noise(0, 40, 2)) is None
    assert lattice(np.zeros((9, 2))) is None


def test_who_is_near_is_said_by_the_graph_else_by_coordinates() -> None:
    panel = ring(length=50, nodes=12, own=0.5, neighbour=0.4, noise=1, seed=0)
    given = Place.of(panel.space, 12)
    assert given.neighbours.said == "12 edges of the graph"
    shuffled = Place.of(ablated(panel, "shuffled").space, 12)
    assert shuffled.neighbours is None and len(shuffled.edges) == 24
    coords = noise(0, 12, 2)
    near = Place.of(replace(ablated(panel, "none").space, coords=coords), 12).neighbours
    assert near.said == "the 4 nearest nodes" and len(near.edges) == 48
    apart = np.linalg.norm(coords - coords[0], axis=1)
    assert set(near.edges[near.edges[:, 0] == 0, 1]) == set(np.argsort(apart)[1:5])
    assert Place.of(cells(), 20).neighbours.said.startswith("cells of the lattice")
    assert Place.of(Space(), 3).empty


def test_a_place_is_kept_as_it_was() -> None:
    graph = np.triu(np.random.default_rng(0).random((20, 20)) > 0.8).astype(float)
    place = Place.of(replace(cells(geometry="sphere", units="degrees"), adjacency=graph), 20)
    kept = Place.read(place.arrays())
    assert (kept.edges == place.edges).all() and (kept.coords == place.coords).all()
    assert (kept.geometry, kept.units, kept.graph) == ("sphere", "degrees", "given")
    assert not place.symmetric and place.degree.sum() == pytest.approx(2 * len(place.edges))
    assert Place.read({}) is None


def test_rank_correlation_is_spearmans_with_ties() -> None:
    assert rank_correlation(np.array([1, 2, 3, 4.0]), np.array([1, 4, 9, 16.0])) == 1
    assert rank_correlation(np.array([1, 1, 2, 3.0]), np.array([5, 6, 6, 9.0])) == pytest.approx(
        5 / 6
    )


def test_a_graph_without_coordinates_is_spread_out_the_same_way_twice() -> None:
    at = spread(CIRCLE, 14)  # and two nodes alone
    assert np.array_equal(at, spread(CIRCLE, 14))
    radii = np.linalg.norm(at[:12] - at[:12].mean(0), axis=1)
    assert np.ptp(radii) < 0.05 * radii.mean(), "a ring is a circle"
    apart = np.linalg.norm(at[:, None] - at, axis=2) + np.eye(14)
    assert apart.min() > 0.5


# ---- what is recorded, said and drawn ------------------------------------------------------------


def story(space: Space, nodes: int, horizon: int = 4, windows: int = 30) -> Story:
    """A model whose errors grow with the step, and with the index of the node."""
    panel = ring(length=60, nodes=nodes, own=0.5, neighbour=0.4, noise=1, seed=0)
    panel = replace(panel, space=space)
    origins = np.arange(20, 20 + windows)
    truth = panel.values[origins[:, None] + np.arange(horizon)]
    grow = (1 + np.arange(horizon))[:, None, None] * (1 + np.arange(nodes))[:, None]
    point = truth - noise(1, *truth.shape) * grow
    residual = truth - point
    sums = {"absolute": abs(residual).sum(0), "residual": residual.sum(0),
            "count": np.full(residual.shape[1:], windows)}  # fmt: skip
    place, seen = Place.of(space, nodes), np.ones_like(residual[:, 0], bool)
    return Story(
        model="drift",
        about=panel.about,
        values=panel.values,
        mask=panel.mask,
        time=panel.time,
        borders={"train": (0, 10), "val": (10, 20), "test": (20, 60)},
        horizon=horizon,
        origins=origins,
        point=point,
        mae={},
        place=place,
        sums={name: total[..., 0] for name, total in sums.items()},
        space=diagnosis(place, residual[:, 0], seen, origins, sums),
    )


def graph(nodes: int) -> Space:
    """A path with a hub: degrees differ."""
    adjacency = np.diag(np.ones(nodes - 1), 1)
    adjacency[0, 2:] = 0.5
    return Space(adjacency=adjacency)


FIGURES = (error_map, node_steps, degree, fields)


@pytest.mark.parametrize(
    "space, nodes, drawn",
    [
        (graph(12), 12, "error_map node_steps degree"),
        (graph(3), 3, "error_map node_steps"),
        (cells(), 20, "error_map node_steps fields"),
        (cells(geometry="sphere"), 20, "error_map node_steps fields"),
        (Space(coords=noise(0, 30, 2)), 30, "error_map node_steps"),
        (Space(), 8, "node_steps"),
    ],
    ids=["graph", "three", "lattice", "sphere", "scattered", "nowhere"],
)
@pytest.mark.filterwarnings("error")
def test_figures_of_space_are_drawn_where_there_is_space(
    space: Space, nodes: int, drawn: str
) -> None:
    told = story(space, nodes)
    made = {figure.__name__: figure(told) for figure in FIGURES}
    assert " ".join(name for name, one in made.items() if one) == drawn
    for figure, caption in filter(None, made.values()):
        assert "Data: ring" in caption
        _whole(figure)


def _whole(figure: Figure) -> None:
    """No text leaves the page."""
    box, (wide, tall) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= wide and box.y1 <= tall


def test_a_map_shows_the_errors_of_the_record_where_the_nodes_are() -> None:
    told = story(Space(coords=noise(0, 30, 2), geometry="sphere"), 30)
    figure, caption = error_map(told)
    error, bias = (ax.collections[-1] for ax in figure.axes[:2])
    values = told.per_node("absolute")
    order = np.argsort(values)
    assert np.allclose(error.get_array(), values[order])
    assert np.allclose(error.get_offsets(), told.place.coords[order])
    assert bias.norm.vmin == -bias.norm.vmax, "white is 0"
    assert "Moran's I" in caption and "AZ" in caption
    tilt = figure.axes[0].get_aspect() * np.cos(np.radians(told.place.coords[:, 1].mean()))
    assert tilt == pytest.approx(1)


def test_an_image_has_north_up_and_no_number_where_no_node_is() -> None:
    told = story(Space(coords=cells().coords[1:]), 19)
    figure, _ = error_map(told)
    image = figure.axes[0].collections[-1].get_array().reshape(4, 5)
    assert np.ma.masked_invalid(image).mask.sum() == 1
    assert np.nanargmin(image) == 16, "the north-west corner lacks, its neighbour errs least"


def test_fields_are_those_at_quantiles_of_the_error() -> None:
    told = story(cells(), 20)
    truth = np.stack([told.series[told.future(k)] for k in range(30)])
    mean = abs(truth - told.point[..., 0]).mean((1, 2))
    picks, order = chosen(told), np.argsort(mean)[[1, 14, 28]]
    assert [pick.window for pick in picks] == order.tolist()
    assert [pick.mae for pick in picks] == pytest.approx(mean[order])
    figure, caption = fields(told)
    pictures = [ax for ax in figure.axes if ax.get_label()[:1].isdigit()]
    assert len(pictures) == 27 and "5, 50, 95 %" in caption


def test_colours_are_not_spent_on_extremes() -> None:
    values = np.append(np.linspace(1, 2, 200), 50.0)
    scale = canvas.sizes(values)
    assert scale.norm.vmax < 2.1 and scale.ends == "both"
    assert canvas.sizes(np.array([1.0, 3.0])).norm.vmax == 3
    assert canvas.signs(np.array([-1.0, 3.0])).norm.vmin == -3


def test_sentences_say_what_was_tested_and_what_was_not() -> None:
    lines = list(sentences(story(graph(12), 12).space))
    assert "Moran's I = " in lines[0] and "999 permutations of 12 nodes" in lines[0]
    assert "21 directed edges of the graph" in lines[0] and "in time" in lines[1]
    assert list(sentences(None)) == []
    few = list(sentences(story(graph(3), 3).space))
    assert "not tested: 3 nodes with neighbours, 8 are wanted" in few[0]
    hidden = ablated(ring(length=9, nodes=9, own=0, neighbour=0, noise=1, seed=0), "none")
    (line,) = sentences(story(hidden.space, 9).space)
    assert line.startswith("Residuals in space: not tested: data.space=none")
    found = {"z": 0.4, "p": 0.7, "space": 9.0, "time": -8.5, "missing": "", "reason": ""}
    told = {**story(graph(12), 12).space, "az": found}
    assert "not rejected" in list(sentences(told))[1] and "cancel" in list(sentences(told))[1]
    apart = {**found, "time": None, "missing": "origins are 3 rows apart"}
    assert (
        "in time not tested: origins are 3 rows apart" in list(sentences(told | {"az": apart}))[1]
    )


# ---- a run, and a comparison ---------------------------------------------------------------------


def test_a_run_keeps_and_says_what_its_residuals_show(desk) -> None:
    words = ["data=ring", "data.length=200", "protocol.horizon=3", "baselines=[drift]"]
    assert desk("run", "model=naive", *words) == 0
    assert desk("compare", "data=ring", "--control", "naive") == 0
    run = desk.only("/naive")
    space, arrays = run.scores["space"], run.arrays("windows.npz")
    assert space["neighbours"] == "8 edges of the graph" and space["degree"] is None
    assert space["moran"]["each"]["nodes"] == 8 and space["az"]["time"] < 0, "naive overdoes it"
    mae = run.scores["test"]["mae"]
    by_step = arrays["test_step_absolute"].sum((1, 2)) / arrays["test_step_count"].sum((1, 2))
    assert by_step == pytest.approx(mae["step"])
    first = arrays["test_first_residual"]
    kept = run.forecasts()
    assert np.allclose(first, kept["truth"][:, 0] - kept["point"][:, 0])
    plots = {path.stem for path in (run.folder / "plots").glob("*.png")}
    assert {"error_map", "node_steps"} <= plots and not {"degree", "fields"} & plots
    table = (run.folder / "table.md").read_text()
    assert all(line in table for line in sentences(space))
    report = (desk.comparison() / "report.md").read_text()
    chapter = report.partition("## Space")[2].partition("\n## ")[0]
    assert "| naive | " in chapter and "AZ test" in chapter and "Zambon" in report
    assert (desk.comparison() / "plots" / "where.png").exists()
