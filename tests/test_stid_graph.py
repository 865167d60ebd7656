"""A net that sees about itself: as far as its walk goes, whatever its nodes are called."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.windows import RollingWindows
from stsfm.models.stid_graph import GraphSTID

ROWS, NODES, CONTEXT = 30, 5, 3
CHAIN = np.diag(np.arange(1.0, NODES), 1)  # 0 → 1 → 2 → 3 → 4
HOUR = DAY // 24


def windows(adjacency=CHAIN, graph="given", order=slice(None), step=HOUR):
    values = np.random.default_rng(0).standard_normal((ROWS, NODES, 1))[:, order]
    panel = Panel(
        values=values,
        mask=np.ones(values.shape, bool),
        time=np.arange(ROWS) * step,
        about=About(name="chain", nodes=tuple("abcde"), channels=("y",)),
        space=Space(adjacency=adjacency, graph=graph),
    )
    return RollingWindows(panel=panel, origins=np.arange(CONTEXT, 20), horizon=2, context=CONTEXT)


def net(seen, **keys):
    torch.manual_seed(0)
    keys = {"orders": 1, "harmonics": 2} | keys
    made = GraphSTID(
        seen.frame, width=8, node=4, layers=1, dropout=0.0, embedding=2, normalise="none", **keys
    )
    return made.double().eval()


def tensors(seen, rows=slice(0, 4)):
    past, future = seen.take(np.arange(len(seen))[rows])
    return past.map(torch.as_tensor), future.blank().map(torch.as_tensor)


@pytest.mark.parametrize("orders", [0, 1, 2])
def test_a_node_sees_as_far_as_the_walk_goes(orders):
    past, future = tensors(windows())
    values = past.values.clone().requires_grad_()
    net(windows(), orders=orders)(replace(past, values=values), future).point[
        :, :, 2
    ].sum().backward()
    seen = values.grad.abs().sum((0, 1, 3)) > 0
    assert seen.tolist() == [abs(node - 2) <= orders for node in range(NODES)]  # along and against


def test_without_a_graph_it_is_alone():
    alone = windows(adjacency=None, graph="none")
    past, future = tensors(alone)
    many, none = net(alone, orders=2), net(alone, orders=0)
    assert torch.equal(many(past, future).point, none(past, future).point)


def test_nodes_in_another_order_are_forecast_alike():
    order = np.array([3, 0, 4, 1, 2])
    turned = windows(CHAIN[order][:, order], order=order)
    there, here = net(turned), net(windows())
    with torch.no_grad():
        there.nodes.copy_(here.nodes[order])
    a, b = here(*tensors(windows())).point, there(*tensors(turned)).point
    assert torch.allclose(a[:, :, order], b, atol=1e-12)


def test_its_clock_is_that_of_the_day():
    made, (past, future) = net(windows()), tensors(windows())
    at = lambda shift: made(replace(past, time=past.time + shift), future).point  # noqa: E731
    assert torch.allclose(at(0), at(3 * DAY), atol=1e-12)
    assert not torch.allclose(at(0), at(6 * HOUR), atol=1e-3)
    assert net(windows(step=DAY)).harmonics == 0  # of rows of days there is none


def test_a_weekend_is_another_day_once_training_shows_one():
    made, (past, future) = net(windows()), tensors(windows())  # that begin on a Thursday
    at = lambda days: made(replace(past, time=past.time + days * DAY), future).point  # noqa: E731
    assert torch.equal(at(0), at(2))
    at(2).sum().backward()
    assert made.embed.weight.grad[:, -5:].abs().sum() > 0
    made.zero_grad()
    at(0).sum().backward()
    assert made.embed.weight.grad[:, -5:].abs().sum() == 0
    torch.nn.init.ones_(made.embed.weight)
    assert torch.allclose(at(0), at(1), atol=1e-12)
    assert not torch.allclose(at(0), at(2), atol=1e-3)
