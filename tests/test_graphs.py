"""Nets on graphs: what a convolution is, how far it reaches, and whose graph it is."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch import nn

from stsfm import compose
from stsfm.__main__ import main
from stsfm.datasets.ablation import ablated
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.windows import Frame, Window
from stsfm.models.layers.graph import Graph
from stsfm.models.layers.graph_conv import Chebyshev, Diffusion
from stsfm.models.layers.graph_gru import GraphGRU
from stsfm.models.numerics.diffusion import heat_kernel, symmetric, transitions
from stsfm.record import records
from stsfm.subject import Subject
from stsfm.tables.claims import claims
from stsfm.tables.sentences import about_graphs
from stsfm.tables.table import tabulate
from stsfm.trust import locate

NODES, CONTEXT, HORIZON = 7, 12, 3
SMALL = {
    "gcn": {"hidden": 8},
    "tgcn": {"hidden": 8},
    "stgcn": {"width": 8, "middle": 4},
    "dcrnn": {"hidden": 8, "layers": 1},
    "graph_wavenet": {"width": 8, "skip": 8, "end": 8},
}


def path(space: str = "given", nodes: int = NODES) -> Space:
    """A road of one way: node i leads to i + 1."""
    panel = Panel(
        values=np.zeros((2, nodes, 1)), mask=np.ones((2, nodes, 1), bool), time=np.arange(2),
        about=About(name="road", nodes=tuple(map(str, range(nodes))), channels=("y",)),
        space=Space(adjacency=np.diag(np.linspace(0.5, 1, nodes - 1), 1)),
    )  # fmt: skip
    return ablated(panel, space).space


def net_of(name: str, space: Space, nodes: int = NODES, **keys) -> nn.Module:
    config = compose.config([f"model={name}"])["model"]
    own = {k: v for k, v in config.items() if k not in NET_KEYS} | SMALL[name] | keys
    frame = Frame(
        context=CONTEXT, horizon=HORIZON, nodes=nodes, channels=1, targets=(0,), covariates=0,
        space=space,
    )  # fmt: skip
    torch.manual_seed(0)
    return locate(config["_target_"], "model")(frame, **own).double().eval()


NET_KEYS = ("_target_", "context", "seed", "loss", "trainer", "hardware")


def panels(nodes: int = NODES, batch: int = 2) -> Window:
    rng = np.random.default_rng(0)
    rows = CONTEXT + HORIZON
    both = Panel(
        values=torch.tensor(rng.standard_normal((batch, rows, nodes, 1))),
        mask=torch.ones(batch, rows, nodes, 1, dtype=torch.bool),
        time=torch.arange(rows).expand(batch, rows),
        about=About(name="road", nodes=tuple(map(str, range(nodes))), channels=("y",)),
    )
    return Window(both[:CONTEXT], both[CONTEXT:])


def moved(net: nn.Module, node: int, row: int = -1) -> np.ndarray:
    """Which nodes' forecasts move where the past of one does."""
    past, future = panels()
    values = past.values.clone()
    values[:, row, node] += 1
    with torch.no_grad():
        apart = (
            net(replace(past, values=values), future.blank()).point
            - net(past, future.blank()).point
        )
    return apart.abs().amax((0, 1, 3)).numpy() > 1e-12


# ---- matrices ------------------------------------------------------------------------------------


def test_rows_of_walks_sum_to_one_and_powers_are_matrix_powers():
    rng = np.random.default_rng(0)
    weights = rng.random((9, 9)) * (rng.random((9, 9)) < 0.4)
    weights[4] = 0  # leads nowhere
    space = Space(adjacency=weights)
    ahead, back = (each.toarray() for each in transitions(space))
    np.testing.assert_allclose(ahead.sum(1), 1, atol=1e-15)
    np.testing.assert_allclose(back.sum(1), 1, atol=1e-15)
    frame = Frame(context=1, horizon=1, nodes=9, channels=1, targets=(0,), covariates=0)
    spreads = Graph(replace(frame, space=space), transitions, embedding=1).double()()
    conv = Diffusion(1, 1, matrices=2, order=3).double()
    x = torch.tensor(rng.standard_normal((9, 1)))
    for spread, matrix in zip(spreads, (ahead, back), strict=True):
        for k, power in enumerate(conv._powers(x, spread), 1):
            wanted = np.linalg.matrix_power(matrix.astype(np.float32).astype(float), k) @ x.numpy()
            np.testing.assert_allclose(power, wanted, rtol=1e-12, atol=1e-14)


def test_a_symmetric_matrix_has_eigenvalues_within_one_and_chebyshev_terms_stay_small():
    space = path()
    (plain,), (looped,) = symmetric(space, loops=False), symmetric(space, loops=True)
    for matrix in (plain, looped):
        assert np.allclose(matrix.toarray(), matrix.toarray().T)
        assert abs(np.linalg.eigvalsh(matrix.toarray())).max() <= 1 + 1e-12
    conv = Chebyshev(NODES, 1, matrices=1, order=4)
    spread = lambda x: torch.tensor(plain.toarray()) @ x  # noqa: E731
    terms = conv._terms(torch.eye(NODES, dtype=torch.float64), spread)
    values, vectors = np.linalg.eigh(plain.toarray())
    for k, term in enumerate(terms, 1):
        wanted = vectors @ np.diag(np.cos(k * np.arccos(values.clip(-1, 1)))) @ vectors.T
        np.testing.assert_allclose(term, wanted, atol=1e-10)


def test_a_heat_kernel_conserves_mass_and_evens_out():
    space = path()
    weights = (space.adjacency + space.adjacency.T) / 2
    (kernel,) = heat_kernel(space, time=0.7)
    kernel, degree = kernel.toarray(), weights.sum(1)
    np.testing.assert_allclose(kernel.sum(1), 1, atol=1e-15 * NODES)
    x = np.random.default_rng(0).standard_normal(NODES)
    assert abs(degree @ kernel @ x - degree @ x) < 1e-14
    energy = lambda x: x @ (np.diag(degree) - weights) @ x  # noqa: E731
    assert energy(kernel @ x) < energy(x)


@pytest.mark.parametrize("density", [0.02, 0.4])
def test_sparse_and_dense_products_and_their_gradients_are_the_same(density):
    rng = np.random.default_rng(0)
    matrix = csr_array(rng.random((40, 40)) * (rng.random((40, 40)) < density))
    frame = Frame(
        context=1, horizon=1, nodes=40, channels=1, targets=(0,), covariates=0,
        space=Space(adjacency=matrix.toarray()),
    )  # fmt: skip
    graph = Graph(frame, lambda space: (matrix,), embedding=1).double()
    assert graph.fixed[0].sparse == (density < 0.05)
    x = torch.tensor(rng.standard_normal((40, 2, 3)), requires_grad=True)
    y = graph()[0](x)
    exact = torch.tensor(matrix.toarray().astype(np.float32)).double()
    torch.testing.assert_close(y, torch.einsum("mn,nbc->mbc", exact, x))
    (gradient,) = torch.autograd.grad((y**2).sum(), x)
    torch.testing.assert_close(gradient, torch.einsum("mn,mbc->nbc", exact, 2 * y))


# ---- the unit ------------------------------------------------------------------------------------


def test_without_a_graph_the_unit_is_the_gru_exactly():
    """torch resets after the recurrent product: the same where U of the candidate is diagonal."""
    hidden, torch_unit = 4, nn.GRUCell(3, 4).double()
    for order, matrices in ((0, 2), (2, 0)):
        conv = lambda i, o, bias: Diffusion(i, o, matrices=matrices, order=order, bias=bias)  # noqa: B023, E731
        unit = GraphGRU(3, hidden, conv).double()
        diagonal = torch.diag(torch.randn(hidden, dtype=torch.float64))
        with torch.no_grad():
            torch_unit.weight_ih.copy_(unit.read.linear.weight)
            torch_unit.bias_ih.copy_(unit.read.linear.bias)
            unit.candidate.linear.weight.copy_(diagonal)
            torch_unit.weight_hh.copy_(torch.cat([unit.gates.linear.weight, diagonal]))
            torch_unit.bias_hh.zero_()
        x, h = torch.randn(5, 3).double(), torch.randn(5, hidden).double()
        spreads = [lambda x: x] * matrices
        torch.testing.assert_close(unit(unit.read(x, spreads), h, spreads), torch_unit(x, h))


# ---- nets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("space", ["given", "learned"])
def test_nodes_in_another_order_are_forecast_the_same(name, space):
    order = torch.randperm(NODES, generator=torch.Generator().manual_seed(3))
    here = path(space)
    graph = here.adjacency
    mixed = here if graph is None else replace(here, adjacency=graph[order][:, order])
    net, other = net_of(name, here), net_of(name, mixed)
    weights = {
        key: value[order] if key.endswith(("learned.source", "learned.target")) else value
        for key, value in net.state_dict().items()
    }
    other.load_state_dict(weights)
    past, future = panels()
    turned = replace(past, values=past.values[:, :, order])
    with torch.no_grad():
        a, b = net(past, future.blank()).point, other(turned, future.blank()).point
    torch.testing.assert_close(a[:, :, order], b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SMALL)
def test_without_a_graph_a_node_is_alone_and_with_a_learned_one_it_is_not(name):
    assert moved(net_of(name, path("none")), 3).tolist() == [k == 3 for k in range(NODES)]
    assert moved(net_of(name, path("learned")), 3).all()


@pytest.mark.parametrize(
    ("name", "keys", "edges"),
    [
        ("gcn", {"layers": 2}, 2),
        ("stgcn", {"blocks": 1, "order": 3}, 3),
        ("graph_wavenet", {"blocks": 1, "layers": 3, "order": 1, "adaptive": False}, 2),
    ],
)
def test_information_goes_as_far_as_the_graph_allows(name, keys, edges):
    """As many edges as the layers together have steps, and not one more."""
    seen = moved(net_of(name, path(), **keys), 3)
    assert seen.tolist() == [abs(k - 3) <= edges for k in range(NODES)]


@pytest.mark.parametrize("name", ["tgcn", "dcrnn"])
def test_a_recurrent_net_carries_the_last_row_less_far_than_the_first(name):
    keys = {"order": 1} if name == "dcrnn" else {}
    net = net_of(name, path(nodes=NODES), **keys)
    late, early = moved(net, 0, -1), moved(net, 0, 0)
    assert early.all() and late[0] and late[1]
    if name == "tgcn":  # in one step by an edge to x and r, and by another to r h
        assert late.tolist() == [k <= 2 for k in range(NODES)]


def test_graph_wavenet_reads_the_rows_of_its_reach_and_no_others():
    net = net_of("graph_wavenet", path("none"), blocks=1, layers=3)
    assert net.reach == 8
    assert [bool(moved(net, 0, -row)[0]) for row in (1, 8, 9)] == [True, True, False]


@pytest.mark.parametrize("name", SMALL)
def test_no_graph_and_one_that_changes_are_refused_in_a_line(name):
    with pytest.raises(ValueError, match=r"data\.space=learned or none"):
        net_of(name, Space())
    with pytest.raises(ValueError, match="changes with time"):
        net_of(name, Space(adjacency=np.ones((2, NODES, NODES))))


# ---- scheduled sampling --------------------------------------------------------------------------


def test_the_decoder_is_shown_the_truth_as_often_as_its_schedule_says():
    net, window = net_of("dcrnn", path(), decay=50), panels()
    free = net(window.past, window.future.blank()).point
    torch.testing.assert_close(net.training_forward(window, math.inf).point, free)
    shown = net.training_forward(window, 0).point  # τ / (τ + 1): nearly always
    torch.testing.assert_close(shown[:, 0], free[:, 0])
    assert not torch.allclose(shown[:, 1:], free[:, 1:])
    hidden = replace(window.future, mask=torch.zeros_like(window.future.mask))
    blind = net.training_forward(Window(window.past, hidden), 0).point
    torch.testing.assert_close(blind, free)  # what is missing can't be shown
    torch.manual_seed(0)
    drawn = [bool((net.training_forward(window, 50 * math.log(50)).point[:, 1] - free[:, 1])
                  .abs().max() > 1e-9) for _ in range(60)]  # fmt: skip
    assert 0.3 < np.mean(drawn) < 0.7  # half, at τ ln τ


def test_progress_counts_the_batches_of_a_training_and_an_update_is_at_its_end(monkeypatch):
    words = ("model=dcrnn", "model.layers=1", "model.hidden=4")
    subject, told = Subject(words), []
    net = locate(subject.config["_target_"], "model")
    guided = net.training_forward

    def listening(self, window, progress):
        told.append(progress)
        return guided(self, window, progress)

    monkeypatch.setattr(net, "training_forward", listening)
    model, split = subject.make(calibration=0), subject.split
    model.fit(split.train, split.val)
    batches = math.ceil(len(split.train.look_back(model.reads).whole()) / 64)  # Subject's size
    assert told == list(range(model.trainer.epochs * batches))
    del told[:]
    model.update(split.train)
    assert told == [math.inf] * batches


# ---- is it the graph? ----------------------------------------------------------------------------


@pytest.mark.slow
def test_an_ablation_is_one_table_that_tests_each_graph_against_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quick = ["data=ring", "data.length=300", "protocol.horizon=1", "trainer.epochs=2", "-q"]
    ablation = ["experiment=graph_ablation", "model=gcn", "baselines=[linear]"]
    assert main(["run", *ablation, *quick]) == 0
    runs = list(records(tmp_path / "runs"))
    table = tabulate(runs, tried=5, factors=["data.space"])
    levels = {f"gcn data.space={graph}" for graph in ("given", "none", "shuffled", "learned")}
    assert {row.label for row in table.rows} == levels | {"linear"}  # which is run once
    assert {row.graph for row in table.rows} == {
        "graph", "no graph", "shuffled graph", "learned graph", "",
    }  # fmt: skip
    found = claims(table)
    alone = "gcn data.space=none"
    alike = ("gcn data.space=given", "gcn data.space=shuffled")  # what any neighbours would give
    assert set(found.ablations) == {*((label, alone) for label in levels - {alone}), alike}
    said = [words for words in found.sentences if alone in words and "given" in words]
    assert any(words.startswith("gcn data.space=given is") for words in said)
    assert about_graphs(table) == []
    kept = [run for run in runs if run.scores["sees"] != ["past", "no graph"]]
    (words,) = about_graphs(tabulate(kept, tried=4, factors=["data.space"]))
    assert words.endswith("data.space=none was not run with gcn.")


def test_a_graph_is_judged_by_the_same_model_without_one(tmp_path, monkeypatch):
    """Of several settings each has its own; in an exploratory table no other will do."""
    monkeypatch.chdir(tmp_path)
    words = ["data=ring", "data.length=300", "protocol.horizon=1", "baselines=[]", "-q"]
    swept = ["model=spatial_ridge", "model.context=3,6", "data.space=given,none"]
    assert main(["run", "-m", *swept, *words]) == 0
    runs = list(records(tmp_path / "runs"))
    by_level = tabulate(runs, tried=4, factors=["data.space", "model.context"])
    by_config = tabulate(runs, tried=4, every_config=True)
    for table in (by_level, by_config):
        rows = {row.label: row.config for row in table.rows}
        pairs = [(rows[a], rows[b]) for a, b in claims(table).ablations]
        assert sorted(a["model.context"] for a, _ in pairs) == [3, 6]
        assert all(a | {"data.space": "none"} == b for a, b in pairs)
    rows = [
        row for row in by_config.rows if (row.graph, row.config["model.context"]) != ("no graph", 3)
    ]
    assert len(claims(replace(by_config, rows=tuple(rows))).ablations) == 1
    chosen = tabulate(runs, tried=4, factors=["data.space"])  # each as validation prefers it
    assert len(claims(chosen).ablations) == 1


def test_a_shuffle_that_changes_nothing_is_refused():
    with pytest.raises(ValueError, match="leaves the graph of road as it is"):
        path("shuffled", nodes=2)
