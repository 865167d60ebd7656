"""Panels that lie in a file: read where they are needed, and the same numbers as from memory."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from stsfm.backtest import evaluate
from stsfm.datasets.mapped import mapped
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.storage import digests, rows
from stsfm.datasets.transform import Transform
from stsfm.losses.base import Loss
from stsfm.losses.metrics import Reference
from stsfm.losses.point import Huber
from stsfm.models import batches
from stsfm.models.linear import Linear
from stsfm.models.naive import Naive
from stsfm.models.neural import Neural
from stsfm.models.recurrent import RNN
from stsfm.models.settings import Hardware, Trainer

CPU = torch.device("cpu")
TOLD = {"start": "2024-01-01", "step": "1h", "season": 24, "units": ["MW"]}


@pytest.fixture(autouse=True)
def _small(monkeypatch, tmp_path):
    """A hundred cells at once, and a cache of one's own."""
    monkeypatch.setattr(rows, "CELLS", 100)
    monkeypatch.setenv("STSFM_CACHE", str(tmp_path / "cache"))


def write(folder, *, gaps=False, dtype=np.float64, **told):
    """big.npy of 300 hours × 5 nodes × 1 channel, and what lies beside it; its path."""
    rng = np.random.default_rng(0)
    hours = np.arange(300)[:, None, None]
    values = np.sin(hours / 24 * 2 * np.pi) + 0.1 * rng.standard_normal((300, 5, 1)) + 3
    mask = rng.random(values.shape) > 0.1 if gaps else np.ones(values.shape, bool)
    np.save(folder / "big.npy", (values * mask).astype(dtype))
    (folder / "big.json").write_text(json.dumps(TOLD | {"units": ["MW"], **told}))
    if gaps:
        np.save(folder / "big.mask.npy", mask)
    return str(folder / "big.npy")


def in_memory(panel):
    return replace(panel, values=np.array(panel.values), mask=np.array(panel.mask))


def net():
    trainer = Trainer(
        epochs=2, patience=None, batch_size=16, lr=0.01, clip=1.0, accumulate=1, update_epochs=1,
        optimizer=partial(torch.optim.AdamW, weight_decay=0.0), checkpoint_seconds=None,
        schedule="constant",
    )  # fmt: skip
    hardware = Hardware(
        accelerator="cpu", devices=1, nodes=1, strategy="auto", precision="32-true", threads=1
    )
    make = partial(RNN, hidden=4, layers=1, dropout=0.0, normalise="last")
    loss = Loss(terms={"task": Huber(delta=1.0)})
    return Neural(make, context=24, seed=1, loss=loss, trainer=trainer, hardware=hardware)


@pytest.mark.parametrize("gaps", [False, True])
def test_a_panel_in_a_file_is_the_one_in_memory(tmp_path, gaps):
    panel = mapped(path=write(tmp_path, gaps=gaps))
    whole = in_memory(panel)
    assert rows.mapped(panel.values) and not rows.mapped(whole.values)
    ours, theirs = rolling(panel, horizon=6), rolling(whole, horizon=6)
    assert ours.fingerprint == theirs.fingerprint and ours.digest == theirs.digest
    for name in ("shift", "scale"):
        assert np.array_equal(getattr(ours.transform, name), getattr(theirs.transform, name))
    assert rows.mapped(ours.train.panel.values), "the transformed panel lies on disk"
    a, b = (Reference.of(split.panel.upto(200)) for split in (ours, theirs))
    np.testing.assert_array_equal(a.scale, b.scale)
    picks = np.array([3, 30, 7])
    for one, two in zip(
        ours.train.look_back(24).take(picks), theirs.train.look_back(24).take(picks), strict=True
    ):
        np.testing.assert_allclose(one.values, two.values, atol=1e-6)
        np.testing.assert_array_equal(one.mask, two.mask)
    for model in (Naive, partial(Linear, context=24, ridge=1e-3, normalise="last", shared=True)):
        a, b = (evaluate(model(), split, refit=True).test.scores["mae"] for split in (ours, theirs))
        assert a["pooled"] == pytest.approx(b["pooled"], rel=1e-5)


def test_chunks_of_any_size_make_the_same_moments(tmp_path, monkeypatch):
    panel = in_memory(mapped(path=write(tmp_path, gaps=True)))
    parts = Transform.fit(panel), Reference.of(panel)
    monkeypatch.setattr(rows, "CELLS", 10**6)
    whole = Transform.fit(panel), Reference.of(panel)
    for a, b in zip(parts, whole, strict=True):
        for name in ("shift", "scale") if isinstance(a, Transform) else ("scale", "level"):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-14)
    cells = np.ma.masked_array(panel.values, ~panel.mask)
    np.testing.assert_array_equal(whole[0].shift, cells.mean(0))
    np.testing.assert_array_equal(whole[0].scale, cells.std(0))


def test_an_epoch_takes_every_window_once_by_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "CELLS", 30 * 5 * 64)  # four batches a chunk
    split = rolling(mapped(path=write(tmp_path)), horizon=6)
    windows = split.train.look_back(24).whole()
    held = batches.Batches(windows, 16, CPU)
    torch.manual_seed(1)
    order = held.order()
    assert order.sort().values.tolist() == list(range(len(windows)))
    assert held.chunk == 64
    for part in order.split(held.chunk):  # runs of BLOCK windows, but for the last of all
        near = part.sort().values
        assert int((near.diff() > 1).sum()) <= len(part) // batches.BLOCK
        assert part.tolist() != near.tolist(), "shuffled among each other"
    torch.manual_seed(1)
    assert torch.equal(held.order(), order), "a resumed epoch has the same order"
    for part in order.split(held.chunk):
        cuts = list(held.of(part))
        seen = torch.cat([past.time[:, -1] for past, _, _ in cuts])
        wanted = windows.panel.time[windows.origins[part.numpy()] - 1]
        assert seen.tolist() == wanted.tolist(), "batches follow the order"
        assert all(past.values.dtype == torch.float32 for past, _, _ in cuts)


def test_a_net_trains_on_a_file(tmp_path):
    panel = mapped(path=write(tmp_path, dtype=np.float32))
    split = rolling(panel, horizon=6)
    ours, again = (evaluate(net(), split, refit=False).test.scores["mae"] for _ in range(2))
    theirs = evaluate(net(), rolling(in_memory(panel), horizon=6), refit=False).test.scores["mae"]
    assert ours["pooled"] == again["pooled"]
    assert ours["pooled"] == pytest.approx(theirs["pooled"], rel=0.1), "another order, no more"


def test_a_net_sees_as_much_at_once_as_fits(tmp_path, monkeypatch):
    split = rolling(mapped(path=write(tmp_path)), horizon=6)
    model = net().fit(split.train, split.val)
    whole = model.backtest(split.test).point
    monkeypatch.setattr("stsfm.models.neural.SEEN", 7 * 30 * 5)
    np.testing.assert_allclose(model.backtest(split.test).point, whole, atol=1e-6)


def test_a_digest_is_asked_once_until_the_file_changes(tmp_path):
    path, asked = write(tmp_path), []
    of = lambda: asked.append(1) or "digest"  # noqa: E731
    held = lambda: [mapped(path=path).values, mapped(path=path).mask]  # noqa: E731
    assert [digests.remembered(held(), of) for _ in range(2)] == ["digest"] * 2
    assert len(asked) == 1
    np.save(tmp_path / "big.npy", np.load(path) + 1)
    digests.remembered(held(), of)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"step": "fortnight"}, 'must say "start"'),
        ({"start": "yesterday"}, "start is a date"),
        ({"colour": "red"}, "may say"),
        ({"nodes": ["a"]}, "names 1 nodes"),
    ],
)
def test_what_is_said_of_a_file_has_to_fit(tmp_path, told, said):
    with pytest.raises(ValueError, match=said):
        mapped(path=write(tmp_path, **told))


def test_a_file_that_is_no_such_array_is_refused(tmp_path):
    path = write(tmp_path)
    for array, said in (np.zeros((3, 2)), "3 axes"), (np.zeros((3, 2, 1), int), "of int64"):
        np.save(path, array)
        with pytest.raises(ValueError, match=said):
            mapped(path=path)
    (tmp_path / "big.npy").write_text("no array")
    with pytest.raises(ValueError, match=r"no \.npy file"):
        mapped(path=path)
    (tmp_path / "big.json").unlink()
    np.save(path, np.zeros((3, 2, 1)))
    with pytest.raises(ValueError, match="is missing"):
        mapped(path=path)


def test_a_run_of_a_file_leaves_its_page(desk, tmp_path):
    path = write(tmp_path, gaps=True)
    words = "data=mapped", f"data.path={path}", "protocol.horizon=6", "baselines=[seasonal_naive]"
    assert desk("run", "model=naive", *words) == 0
    run = desk.only("/naive/")
    assert run.read("data.json")["rows"] == 300 and len(list((run.folder / "plots").glob("*.png")))
