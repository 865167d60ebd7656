"""Layers with a way back: what each type promises, and the models that are made of them."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from stsfm import compose
from stsfm.build import build, build_model
from stsfm.datasets.windows import Frame
from stsfm.models.layers.stack.layer import Layer
from stsfm.models.layers.stack.plan import Plan, plans
from stsfm.models.layers.stack.stack import Stack
from stsfm.models.layers.stack.weights import EPSILON, Dense, Tucker
from stsfm.plots.stack import layers
from stsfm.subject import QUICK, split_of, toy

PLAIN = {"constraint": "none", "activation": "identity", "tied": True}


def plan(kind, size, **keys):
    return Plan(type=kind, size=size, **PLAIN | keys)


def low_rank(rows=200, seed=0):
    """Frames (rows, 6) of falling variance."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, 6)) * [5, 3, 2, 1, 0.5, 0.2] @ np.linalg.qr(
        rng.standard_normal((6, 6))
    )[0] + rng.standard_normal(6)


def tail(frames, dim):
    """The squared error of PCA, for each frame, and its basis."""
    centred = frames - frames.mean(0)
    values, basis = np.linalg.svd(centred, full_matrices=False)[1:]
    return (values[dim:] ** 2).sum() / len(frames), basis[:dim].T


# ---- types ---------------------------------------------------------------------------------------


def test_a_tied_linear_autoencoder_that_is_orthogonal_is_pca():
    frames, torch_seed = low_rank(), torch.Generator()
    x, layer = torch.from_numpy(frames), Layer(plan("plain", 3), (6,), 1).double()
    layer.weight.matrix.data = torch.randn(6, 3, generator=torch_seed, dtype=torch.float64) / 3
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=500, tolerance_grad=1e-12,
                                  tolerance_change=0, line_search_fn="strong_wolfe")  # fmt: skip

    def both():
        error = ((x - layer.decode(layer.encode(x))) ** 2).sum(1).mean()
        gram = layer.weight.matrix.T @ layer.weight.matrix
        return error, ((gram - torch.eye(3, dtype=gram.dtype)) ** 2).sum()

    def closure():
        optimizer.zero_grad()
        (loss := sum(both())).backward()
        return loss

    optimizer.step(closure)
    lost, basis = tail(frames, 3)
    error, penalty = (float(v.detach()) for v in both())
    assert error == pytest.approx(lost, rel=1e-10)
    assert penalty**0.5 < 1e-6
    found = layer.weight.matrix.detach().numpy()
    assert np.linalg.norm(found @ found.T - basis @ basis.T, 2) < 1e-6


def test_a_tucker_layer_takes_back_a_tensor_of_its_rank():
    rng, shape, ranks = np.random.default_rng(0), (5, 6, 4), (2, 3, 2)
    core = rng.standard_normal(ranks)
    bases = [rng.standard_normal((n, r)) for n, r in zip(shape, ranks, strict=True)]
    tensor = np.einsum("xyz,tx,ny,cz->tnc", core, *bases)
    layer = Tucker(shape, ranks, hard=False).double()
    for axis, (factor, rank) in enumerate(zip(layer.factors, ranks, strict=True)):
        unfolded = np.moveaxis(tensor, axis, 0).reshape(shape[axis], -1)
        factor.matrix.data = torch.from_numpy(np.linalg.svd(unfolded)[0][:, :rank].copy())
    flat = torch.from_numpy(tensor.reshape(1, -1))
    np.testing.assert_allclose(layer.back(layer(flat)).detach(), flat, atol=1e-12)


def test_a_tucker_layer_is_a_kronecker_product():
    layer, x = Tucker((5, 6, 4), (2, 3, 2), hard=False).double(), torch.randn(7, 120).double()
    z = layer(x)
    torch.testing.assert_close(z, x @ layer.matrix, rtol=0, atol=1e-12)
    torch.testing.assert_close(layer.back(z), z @ layer.matrix.T, rtol=0, atol=1e-12)


def test_a_held_metric_is_one_whatever_its_numbers_are():
    layer = Dense("metric", 5, 5, hard=True).double()
    torch.testing.assert_close(layer.matrix, torch.eye(5).double(), rtol=0, atol=1e-6)
    raw = layer.parametrizations.matrix.original
    raw.data = 3 * torch.randn(5, 5, generator=torch.Generator().manual_seed(0)).double()
    matrix, apart = layer.matrix.detach(), torch.randn(5).double()
    assert torch.linalg.eigvalsh(matrix)[0] >= EPSILON * (1 - 1e-9)
    lower = raw.tril(-1) + torch.diag(torch.nn.functional.softplus(raw.diagonal()))
    known = (lower.T @ apart).square().sum() + EPSILON * apart.square().sum()
    torch.testing.assert_close(apart @ matrix @ apart, known.detach(), rtol=1e-12, atol=0)


def test_a_held_skip_layer_passes_what_it_gets():
    layer, x = Layer(plan("skip", 3, constraint="hard"), (5,), 1), torch.randn(4, 5)
    assert torch.equal(layer.encode(x), x[:, :3])
    assert {name for name, _ in layer.named_parameters()} == {"bias", "centre"}


def test_a_vae_layer_draws_in_training_alone():
    stack, x = Stack.of([plan("vae", 2)], (5,), greedy=False), torch.randn(4, 5)
    drawn, parts = stack(x)
    assert not torch.equal(drawn, stack(x)[0])
    assert torch.equal(parts["posteriors"][0].mean, stack.encode(x))
    assert torch.equal(stack.eval()(x)[0], stack.encode(x))


def test_greedy_a_reconstruction_teaches_its_layer_alone():
    for greedy in (True, False):
        stack = Stack.of([plan("plain", 4), plan("plain", 2)], (5,), greedy=greedy)
        parts = stack(torch.randn(8, 5))[1]
        ((parts["inputs"][1] - parts["reconstructions"][1]) ** 2).sum().backward()
        first, second = (layer.weight.matrix.grad for layer in stack.layers)
        assert (first is None) == greedy
        assert second.abs().sum() > 0


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"types": ["pca"]}, "sizes has 2 layers, types has 1"),
        ({"sizes": [], "types": []}, "sizes is empty"),
        ({"constraints": ["none", "hard"]}, "layer 2 is plain, which can be none, got hard"),
    ],
)
def test_lists_that_fit_nothing_are_refused(keys, words):
    good = {"sizes": [8, 4], "types": "plain", "constraints": "none", "activations": "tanh"}
    with pytest.raises(ValueError, match=words):
        plans(**good | keys, tied=True)


@pytest.mark.parametrize(
    "kind, size, shape, words",
    [
        ("pca", 9, (8,), "can be 1 … 8, got 9"),
        ("plain", 0, (8,), "can be 1 or more, got 0"),
        ("plain", [2, 1, 1], (8,), "its size is a number"),
        ("metric", 4, (8,), "keeps its 8 numbers"),
        ("multilinear", [2, 1, 1], (8,), "needs time × node × channel"),
        ("multilinear", 4, (4, 2, 1), r"its size is \[time, node, channel\], at most \[4, 2, 1\]"),
        ("multilinear", [4, 3, 1], (4, 2, 1), r"can be no larger, got \[4, 3, 1\]"),
    ],
)
def test_a_size_that_a_layer_cannot_have_is_refused(kind, size, shape, words):
    with pytest.raises(ValueError, match=f"layer 3 is {kind}.*{words}"):
        Layer(plan(kind, size), shape, 3)


# ---- the embedding -------------------------------------------------------------------------------


def embedding(*words):
    texts = ["model=composed", "model/embedding=autoencoder", "loss=mse", *words]
    keys = {k: v for k, v in compose.config(texts)["model"]["embedding"].items() if k != "space"}
    return build(keys, path="model.embedding")


LINEAR = ("model.embedding.sizes=[3]", "model.embedding.types=pca", "model.embedding.tied=true",
          "model.embedding.activations=identity", "trainer.batch_size=64")  # fmt: skip


def test_trained_by_its_loss_it_is_pca_too():
    frames = low_rank(400)
    frames = (frames - frames.mean(0)) / frames.std(0)
    part = embedding(
        *LINEAR, "model.embedding.constraints=soft", "+loss/term=orthogonality",
        "loss.weights.orthogonality=1", "trainer.epochs=80", "trainer.schedule=cosine",
    )  # fmt: skip
    part.fit(frames, Frame(context=1, horizon=1, nodes=6, channels=1, targets=(0,), covariates=0))
    error = ((part.decode(part.encode(frames)) - frames) ** 2).sum(1).mean()
    lost = tail(frames, 3)[0]
    matrix = part.coder.stack.layers[0].weight.matrix.detach().numpy()
    assert lost <= error * (1 + 1e-9)
    assert error < 1.05 * lost
    assert np.linalg.norm(matrix.T @ matrix - np.eye(3)) < 0.02


@pytest.mark.parametrize("greedy", [True, False])
def test_hard_orthogonal_layers_stay_orthogonal(greedy):
    part = embedding(
        *LINEAR[1:], f"model.embedding.greedy={greedy}", "model.embedding.sizes=[4,2]",
        "model.embedding.constraints=hard", "trainer.epochs=5",
    )  # fmt: skip
    frames = low_rank(200)
    frame = Frame(context=1, horizon=1, nodes=3, channels=2, targets=(0,), covariates=0)
    part.fit(frames, frame)
    for layer in part.coder.stack.layers:
        matrix = layer.weight.matrix.detach()
        gram = matrix.T @ matrix
        torch.testing.assert_close(gram, torch.eye(len(gram)).double(), rtol=0, atol=1e-6)
    states = part.encode(frames)
    assert states.shape == (200, 2)
    near = part.net()(torch.from_numpy(frames).float()).detach().numpy()
    np.testing.assert_allclose(near, states, atol=1e-4)


# ---- the net -------------------------------------------------------------------------------------

TERMS = "+loss/term=[reconstruction,orthogonality,skip,metric,smoothness,spectral,topology]"


def fitted(*words):
    """A net after two epochs, the rows of its history, and its forecasts."""
    config = compose.config(["model=superposition", "model.context=12", *QUICK, *words])
    rows, split = [], split_of(toy())
    model = build_model(config["model"], rows.append, {"calibration": 0, "gap": 0})
    made = model.fit(split.train, split.val).backtest(split.test).point
    return model, rows, made


def test_every_term_acts_on_a_superposition_and_is_told_of_every_epoch():
    rows = fitted(TERMS)[1]
    for row in rows:
        names = ("task", "reconstruction", "orthogonality", "skip", "metric", "smoothness",
                 "spectral", "topology")  # fmt: skip
        assert all(np.isfinite(row[f"train_{name}"]) for name in names)
        assert 0.05 < row["train_reconstruction"] < 4  # of order 1 for each of two layers
    assert len(rows) == 2


def test_terms_of_weight_0_leave_every_bit_of_the_plain_loss():
    names = TERMS.partition("[")[2].rstrip("]").split(",")
    free = fitted(TERMS, *(f"loss.weights.{name}=0" for name in names))[2]
    assert np.array_equal(free, fitted()[2])
    assert not np.array_equal(free, fitted(TERMS)[2])


def test_layers_over_time_node_and_channel_then_a_metric_then_a_vae():
    model, _, made = fitted(
        "model.mixing=joint", "model.sizes=[[6,2,1],null,4]", "model.activations=identity",
        "model.types=[multilinear,metric,vae]", "model.constraints=[hard,soft,soft]",
        "+loss/term=[metric,divergence]",
    )  # fmt: skip
    assert np.isfinite(made).all()
    sizes = [(layer["inputs"], layer["size"]) for layer in model.net.drawing()["layers"]]
    assert sizes == [(24, 12), (12, 12), (12, 4)]


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["model.constraints=soft"], "add \\+loss/term=orthogonality"),
        (["model.types=[pca]"], "sizes has 2 layers, types has 1"),
        (["model=mlp", "+loss/term=orthogonality"], "prices types, weights, and MLP"),
        (["model.types=magic"], "model.types: wanted"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_runs(words, complaint):
    config = compose.config(["model=superposition", *words])
    with pytest.raises(Exception, match=complaint):
        build_model(config["model"], lambda row: None, {"calibration": 0, "gap": 0})


# ---- its drawing ---------------------------------------------------------------------------------


def test_a_drawing_says_what_the_layers_are_and_where_terms_act():
    words = ("model.constraints=[soft,none]", "model.tied=[true,false]", TERMS)
    drawing = fitted(*words)[0].drawing()
    made, caption = layers(SimpleNamespace(model="superposition", about=None, drawing=drawing))
    texts = made.axes[0].texts
    said = [text.get_text() for text in texts]
    once = ("x  12", "z₁  12", "z₂  32", "ŷ  4", "pca", "plain", "WᵀW = I by a term", "task · 1",
            "back by the same W", "back by its own", "spectral · 0.1")  # fmt: skip
    assert [said.count(words) for words in once] == [1] * len(once)
    assert said.count("orthogonality · 0.01") == 1  # of the pca layer alone
    assert said.count("reconstruction · 0.1") == said.count("metric · 0.01") == 2
    assert "topology (0.1)" in caption
    boxes = [text.get_window_extent() for text in texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    wide, tall = made.bbox.width, made.bbox.height
    assert all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= wide and b.y1 <= tall for b in boxes)


def test_models_that_are_no_stack_have_no_drawing():
    config = compose.config(["model=mlp", *QUICK])
    model = build_model(config["model"], lambda row: None, {"calibration": 0, "gap": 0})
    split = split_of(toy())
    assert model.fit(split.train, split.val).drawing() == {}
    assert layers(SimpleNamespace(drawing={})) is None
