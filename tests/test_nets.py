"""Nets without a graph: each does what its page says, by identities that hold exactly."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.itransformer import ITransformer
from stsfm.models.layers.attention import Attention, Encoder, sinusoids
from stsfm.models.layers.head import Head
from stsfm.models.layers.inputs import patch_sizes, patches
from stsfm.models.layers.normalise import centre, standardise
from stsfm.models.ltsf_linear import DLinear, NLinear, moving_average
from stsfm.models.mlp import MLP
from stsfm.models.numerics.clock import cycles, month, slot, weekday
from stsfm.models.patchtst import PatchTST
from stsfm.models.stid import STID
from stsfm.models.tcn import TCN, Block
from stsfm.models.transformer import Transformer

TIME, NODES, CHANNELS, AHEAD, HOUR = 12, 5, 2, 4, 3_600 * 10**9
ATTENTION = {"width": 8, "heads": 2, "layers": 2, "feed": 16, "dropout": 0.3}
CUT = {"patch": 4, "stride": 3, "causal": False, "positions": "sin", "normalise": "mean"}


def frame(**other):
    plain = {"context": TIME, "horizon": AHEAD, "nodes": NODES, "channels": CHANNELS}
    return Frame(**{**plain, "targets": (0, 1), "covariates": 0, "step": HOUR} | other)


def panel(values, mask=None, start=0):
    about = About(
        name="toy",
        nodes=tuple(f"n{i}" for i in range(values.shape[2])),
        channels=tuple(f"c{i}" for i in range(values.shape[3])),
    )
    time = torch.arange(start, start + values.shape[1]) * HOUR
    mask = torch.ones(values.shape, dtype=torch.bool) if mask is None else mask
    return Panel(values=values, mask=mask, time=time.expand(len(values), -1), about=about)


def window(batch=3, nodes=NODES):
    """A past and a blank future, in double precision."""
    rng = torch.Generator().manual_seed(0)
    values = torch.randn(batch, TIME, nodes, CHANNELS, generator=rng, dtype=torch.float64)
    ahead = torch.zeros(batch, AHEAD, nodes, CHANNELS, dtype=torch.float64)
    return panel(values), panel(ahead, start=TIME).blank()


def made(make, **other):
    torch.manual_seed(0)
    return make(frame(**other)).double().eval()


def permuted(past, order):
    return Panel(values=past.values[:, :, order], mask=past.mask[:, :, order], time=past.time,
                 about=past.about)  # fmt: skip


# ---- linear maps ---------------------------------------------------------------------------------


def test_a_moving_average_is_that_of_repeated_ends_and_what_remains_adds_up():
    x = torch.randn(4, 30, dtype=torch.float64)
    trend = moving_average(x, 7)
    ends = nn.functional.pad(x[:, None], (3, 3), mode="replicate")
    pooled = nn.functional.avg_pool1d(ends, 7, 1)[:, 0]
    torch.testing.assert_close(trend, pooled, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close((x - trend) + trend, x, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(moving_average(x, 1), x, rtol=1e-12, atol=1e-12)


def test_dlinear_is_two_linear_maps_that_share_nothing_but_their_series():
    net, (past, future) = made(partial(DLinear, kernel=5, normalise="none")), window()
    weight, bias = nn.init.normal_(net.head.linear.weight), net.head.linear.bias
    for n, c in (0, 0), (4, 1):
        x = past.values[:, :, n, c]
        trend = moving_average(x, 5)
        by_hand = (x - trend) @ weight[:, :TIME].T + trend @ weight[:, TIME:].T + bias
        torch.testing.assert_close(net(past, future).point[:, :, n, c], by_hand)


def test_dlinear_starts_from_the_mean_of_its_window():
    net, (past, future) = made(partial(DLinear, kernel=5, normalise="none")), window()
    mean = past.values.mean(1, keepdim=True).expand(-1, AHEAD, -1, -1)
    bias = net.head.linear.bias[:, None, None]
    torch.testing.assert_close(net(past, future).point, mean + bias)
    told = made(partial(DLinear, kernel=5, normalise="none"), covariates=3)
    weight = told.head.linear.weight.float()  # what is known of the future starts as in any head
    assert (weight[:, : 2 * TIME] == 1 / TIME).all() and weight[:, 2 * TIME :].std() > 0.01


def test_nlinear_moves_with_the_level():
    net, (past, future) = made(NLinear), window()
    moved = net(panel(past.values + 5), future).point
    torch.testing.assert_close(moved, net(past, future).point + 5)


def test_an_average_needs_a_middle():
    with pytest.raises(ValueError, match="kernel must be odd"):
        DLinear(frame(), kernel=4, normalise="none")


# ---- what a window is measured by ----------------------------------------------------------------


@pytest.mark.parametrize("new", [torch, np])
def test_a_window_in_units_of_its_deviation(new):
    values = torch.randn(2, TIME, 3, 1, dtype=torch.float64) * 7 + 20
    mask = torch.rand(values.shape) > 0.3
    mask[0, :, 0] = False
    past = panel(values * mask, mask)
    if new is np:
        past = past.map(lambda tensor: tensor.numpy())
    z, gauge = standardise(past, "std")
    for b, n in (0, 1), (1, 0):
        seen = past.mask[b, :, n, 0]
        x = past.values[b, :, n, 0][seen]
        expected = (x - x.mean()) / ((x - x.mean()) ** 2).mean().item() ** 0.5
        assert abs(z[b, :, n, 0][seen] - expected).max() < 1e-5
        assert abs(gauge.level[b, 0, n, 0] - x.mean()) < 1e-12
    assert (z[~past.mask] == 0).all() and (gauge.level[0, 0, 0] == 0).all()
    assert new.isfinite(z).all()


@pytest.mark.parametrize("new", [torch, np])
def test_the_last_value_is_the_last_observed_one(new):
    values = torch.arange(1.0, 9.0).view(1, 4, 2, 1).expand(1, 4, 2, 1).clone()
    mask = torch.tensor([[1, 0], [1, 0], [1, 0], [0, 0]], dtype=torch.bool).view(1, 4, 2, 1)
    past = panel(values * mask, mask)
    if new is np:
        past = past.map(lambda tensor: tensor.numpy())
    z, level = centre(past, "last")
    assert level.reshape(-1).tolist() == [5.0, 0.0]
    assert z[0, :, 0, 0].tolist() == [-4.0, -2.0, 0.0, 0.0] and not z[0, :, 1].any()


@pytest.mark.parametrize("each", [False, True])
def test_a_head_gives_back_level_and_spread(each):
    _, future = window()
    level, spread = torch.full((3, 1, NODES, 2), 4.0), torch.full((3, 1, NODES, 2), 10.0)
    state = torch.randn(3 * NODES * (CHANNELS if each else 1), 6)
    torch.manual_seed(1)
    head = Head(frame(needs=frozenset({"scale"})), 6, each=each)
    plain, given = head(state, future, 0 * level), head(state, future, level, spread)
    torch.testing.assert_close(given.point, 4 + 10 * plain.point)
    torch.testing.assert_close(given.scale, 10 * plain.scale)
    if each:  # node 1, channel 0 has the third state
        out = head.linear(state[2]).view(AHEAD, 2)
        torch.testing.assert_close(plain.point[0, :, 1, 0], out[:, 0])


# ---- convolutions --------------------------------------------------------------------------------


def test_an_impulse_is_seen_within_the_receptive_field_and_nowhere_else():
    blocks, kernel, at, rows = 3, 3, 5, 50
    field = 1 + 2 * (kernel - 1) * (2**blocks - 1)
    torch.manual_seed(0)
    net = nn.Sequential(*(Block(1 if b == 0 else 6, 6, kernel, 2**b, 0.0) for b in range(blocks)))
    quiet = torch.zeros(1, 1, rows)
    loud = quiet.clone()
    loud[..., at] = 100.0
    moved = (net.eval()(loud) != net(quiet)).any(1)[0].nonzero()[:, 0]
    assert moved.min() == at and moved.max() == at + field - 1


def test_a_tcn_is_blind_beyond_its_field_and_reads_it():
    sizes = {"width": 8, "blocks": 2, "kernel": 2, "dropout": 0.0, "normalise": "none"}
    net, (past, future) = made(partial(TCN, **sizes)), window()
    values = past.values.requires_grad_()
    net(past, future).point.sum().backward()
    seen = (values.grad != 0).any(-1).any(-1).any(0)
    assert seen.tolist() == [False] * (TIME - 7) + [True] * 7  # 1 + 2 (2 − 1) (2² − 1) = 7


# ---- attention -----------------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_an_explicit_softmax(causal):
    torch.manual_seed(0)
    attention, x = Attention(8, 2, 0.5).double().eval(), torch.randn(3, 6, 8, dtype=torch.float64)
    query, key, value = attention.inner(x).split(8, -1)
    mixed = []
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        scores = query[..., part] @ key[..., part].transpose(1, 2) / math.sqrt(4)
        if causal:
            scores = scores.masked_fill(torch.ones(6, 6).triu(1).bool(), -math.inf)
        mixed.append(scores.softmax(-1) @ value[..., part])
    by_hand = attention.outer(torch.cat(mixed, -1))
    torch.testing.assert_close(attention(x, causal), by_hand, rtol=1e-10, atol=1e-10)


def test_tokens_without_positions_have_no_order_and_causal_ones_do_not_look_ahead():
    torch.manual_seed(0)
    encoder, x = Encoder(*ATTENTION.values()), torch.randn(2, 7, 8, dtype=torch.float64)
    encoder = encoder.double().eval()
    order = torch.randperm(7)
    torch.testing.assert_close(encoder(x[:, order]), encoder(x)[:, order])
    x.requires_grad_()
    encoder(x, causal=True)[:, 3, 0].sum().backward()
    assert (x.grad[:, 4:] == 0).all() and (x.grad[:, :4] != 0).any(-1).all()


def test_heads_share_the_width():
    with pytest.raises(ValueError, match="multiple of heads=3, got 8"):
        Attention(8, 3, 0.0)


def test_sinusoids_are_those_of_the_paper():
    table = sinusoids(50, 6)
    for position, i in (0, 0), (7, 1), (49, 2):
        angle = position / 10_000 ** (2 * i / 6)
        assert table[position, 2 * i] == pytest.approx(math.sin(angle), abs=1e-5)
        assert table[position, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-5)
    assert sinusoids(4, 5).shape == (4, 5)


@pytest.mark.parametrize(("context", "count"), [(336, 42), (512, 64), (16, 2), (12, 2)])
def test_patches_are_as_many_as_published_and_end_with_the_window(context, count):
    series = torch.arange(float(context))[None]
    size, many = patch_sizes(context, 16, 8)
    cut = patches(series, size, 8)
    assert cut.shape == (1, many, size) and many == count
    assert (cut[0, 0] == series[0, :size]).all() and cut[0, -1, -1] == context - 1
    if context % 8 == 0:
        assert (cut[0, -1, -8:] == context - 1).all()  # the last value, repeated


# ---- space ---------------------------------------------------------------------------------------

SPATIAL = {
    "itransformer": partial(ITransformer, **ATTENTION, normalise="std"),
    "node": partial(Transformer, tokens="node", **ATTENTION, **CUT),
    "step_node": partial(Transformer, tokens="step_node", **ATTENTION, **CUT),
}


@pytest.mark.parametrize("name", SPATIAL)
def test_nodes_in_another_order_have_the_same_forecasts(name):
    net, (past, future) = made(SPATIAL[name]), window()
    order = torch.tensor([3, 1, 4, 0, 2])
    forecast = net(past, future).point
    torch.testing.assert_close(net(permuted(past, order), future).point, forecast[:, :, order])
    other = panel(torch.cat([past.values[:, :, :1], 1 + past.values[:, :, 1:]], 2) ** 2)
    assert (net(other, future).point[:, :, 0] != forecast[:, :, 0]).any()  # nodes look at nodes


ALONE = {
    "nlinear": NLinear,
    "dlinear": partial(DLinear, kernel=5, normalise="none"),
    "mlp": partial(MLP, width=8, layers=2, dropout=0.1, normalise="last"),
    "patchtst": partial(
        PatchTST, **ATTENTION, patch=4, stride=2, positions="learned", normalise="std"
    ),
    "patch": partial(Transformer, tokens="patch", **ATTENTION, **CUT),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_net_of_single_nodes_looks_at_no_other(name):
    net, (past, future) = made(ALONE[name]), window()
    values = past.values.requires_grad_()
    net(past, future).point[:, :, 2].sum().backward()
    seen = (values.grad != 0).any(-1).any(1).any(0)
    assert seen.tolist() == [False, False, True, False, False]


def test_a_causal_transformer_reads_every_row_by_its_last_state():
    """Its last row attends to all: the mask hides what is ahead of a row, and nothing else."""
    causal = partial(Transformer, tokens="step", **ATTENTION, **CUT | {"causal": True})
    net, (past, future) = made(causal), window()
    values = past.values.requires_grad_()
    net(past, future).point.sum().backward()
    assert (values.grad != 0).any(-1).any(-1).all()


@pytest.mark.parametrize("tokens", ["step", "patch"])
def test_a_causal_transformer_has_the_same_bits_whatever_comes_later(tokens):
    causal = partial(Transformer, tokens=tokens, **ATTENTION, **CUT | {"causal": True})
    sequence = made(causal).body.sequence
    rng = torch.Generator().manual_seed(0)
    length = sequence.positions.table.shape[-2]
    size = (3, length, sequence.embed.in_features)
    rows = torch.randn(size, generator=rng, dtype=torch.float64)
    before = sequence(rows)
    for row in range(1, length):
        later = rows.clone()
        later[:, row:] = 1e3
        after = sequence(later)
        assert torch.equal(after[:, :row], before[:, :row])
        assert (after[:, row:] != before[:, row:]).any(-1).all()


def test_what_is_not_forecast_is_looked_at_by_variates():
    net = made(SPATIAL["itransformer"], targets=(1,))
    past, future = window()
    values = past.values.requires_grad_()
    ahead = panel(future.values[..., :1], start=TIME).blank()
    forecast = net(past, ahead)
    assert forecast.point.shape == (3, AHEAD, NODES, 1)
    forecast.point.sum().backward()
    assert (values.grad[..., 0] != 0).any()


# ---- the clock -----------------------------------------------------------------------------------


def test_stamps_are_placed_in_their_cycles():
    days = np.arange("1899-12-25", "2101-03-05", dtype="M8[D]")
    time = torch.as_tensor(days.astype("M8[ns]").astype(np.int64))
    months = days.astype("M8[M]").astype(int) % 12
    assert (month(time).numpy() == months).all()
    assert weekday(torch.tensor([0, 4 * DAY, 4 * DAY - 1])).tolist() == [3, 0, 6]  # a Thursday
    assert slot(torch.tensor([0, 5 * 60 * 10**9 - 1, DAY - 1, DAY]), 288).tolist() == [0, 0, 287, 0]


@pytest.mark.parametrize(
    ("step", "lengths"),
    [(HOUR // 12, (288, 7)), (HOUR, (24, 7)), (10**9, (288, 7)), (DAY, (7,)), (7 * DAY, (12,)),
     (0, (12,))],
)  # fmt: skip
def test_the_step_decides_which_cycles_there_are(step, lengths):
    assert tuple(cycle.length for cycle in cycles(step, 288)) == lengths


def test_stid_looks_up_who_and_when():
    sizes = {"width": 4, "node": 3, "clock": 2, "slots": 288, "layers": 1, "dropout": 0.1}
    net, (past, future) = made(partial(STID, **sizes, normalise="none")), window(batch=1)
    now = past.time[:, -1]  # 11 o'clock on Thursday, 1 January 1970
    node, time_of_day, day = net._identity(now)
    assert time_of_day.shape == day.shape == (1, NODES, 2) and node.shape == (1, NODES, 3)
    assert (time_of_day == net.clock[0][11]).all() and (day == net.clock[1][3]).all()
    with torch.no_grad():
        net.nodes[2] += 1
    moved = (net(past, future).point != made(partial(STID, **sizes, normalise="none"))(
        past, future).point).any(-1).any(1)[0]  # fmt: skip
    assert moved.tolist() == [False, False, True, False, False]
