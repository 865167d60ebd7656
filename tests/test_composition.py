"""State spaces of parts: identities that hold by algebra, what goes together, what is kept."""

import inspect
import itertools
import re
from copy import deepcopy
from dataclasses import replace
from functools import cache, reduce
from operator import getitem
from pathlib import Path

import numpy as np
import pytest
import yaml

from stsfm import compose, matrix, options
from stsfm.build import build_model, part
from stsfm.datasets.panel import Panel, Space
from stsfm.mistakes import Mistake
from stsfm.models import legal
from stsfm.models.align.cca import CCA
from stsfm.models.align.procrustes import Procrustes
from stsfm.models.parts import Align, Lifting
from stsfm.results import reference
from stsfm.subject import QUICK, split_of, toy
from stsfm.targets import file_of
from stsfm.trust import locate

DOCS = Path(__file__).parents[1] / "docs"
RULES = {"calibration": 0, "gap": 0}
SHORT = (*QUICK, "trainer.epochs=1", "loss=mse")
SPLIT = split_of(toy())


@cache
def trees() -> dict:
    return compose.parts("model", list(SHORT))


@cache
def chosen(words: tuple[str, ...]) -> dict:
    return compose.config([*SHORT, *words])["model"]


def config(*words: str) -> dict:
    """What these words compose: of parts and their keys alone Hydra is asked once for all."""
    if words[0] != "model=composed" or not all(word.startswith("model") for word in words):
        return chosen(words)
    tree = deepcopy(chosen(words[:1]))
    for key, _, value in (word.partition("=") for word in words[1:]):
        if stage := key.partition("/")[2]:
            tree[stage] = deepcopy(trees()[stage][value])
        else:
            *path, last = key.split(".")[1:]
            inner = reduce(getitem, path, tree)
            assert last in inner, key
            inner[last] = yaml.safe_load(value)
    return tree


def made(*words: str, monitor=lambda row: None, store=None):
    return build_model(config(*words), monitor, RULES, store)


def composed(*words: str, **given):
    return made("model=composed", *words, **given)


def forecasts(*words: str, split=SPLIT) -> np.ndarray:
    return made(*words).fit(split.train, split.val).backtest(split.test).point


def gappy() -> Panel:
    panel = toy()
    mask = np.random.default_rng(1).random(panel.mask.shape) > 0.2
    return replace(panel, mask=mask, values=panel.values * mask)


# ---- identities ----------------------------------------------------------------------------------

HOLD = ("model=composed", "model/embedding=identity", "model/dynamics=hold")
OLS = ("model=composed", "model/dynamics=var", "model.dynamics.ridge=0")


@pytest.mark.parametrize("panel", [toy(), gappy()], ids=["whole", "gaps"])
def test_identity_hold_identity_is_naive(panel):
    split = split_of(panel)
    assert np.array_equal(forecasts(*HOLD, split=split), forecasts("model=naive", split=split))


def test_var_is_the_same_in_all_principal_components():
    ours = forecasts(*OLS, "model.embedding.dim=all")
    assert np.allclose(ours, forecasts("model=var", "model.ridge=0"), rtol=0, atol=1e-12)


@pytest.mark.parametrize("transform", ["fourier", "graph_diffusion", "cca"])
def test_var_is_the_same_in_any_linear_coordinates(transform):
    ours = forecasts(*OLS, "model/embedding=identity", f"model/transform_x={transform}")
    assert np.allclose(ours, forecasts("model=var", "model.ridge=0"), rtol=0, atol=1e-10)


def test_least_squares_of_delays_is_an_autoregression():
    """One series: of its delays one step back is L steps back."""
    split = split_of(only(0))
    words = ("model/embedding=delay", "model.embedding.dim=3", "model.embedding.tau=1")
    ours = forecasts(*OLS, *words, "model.dynamics.order=1", split=split)
    ar = forecasts("model=var", "model.ridge=0", "model.order=3", split=split)
    assert np.allclose(ours, ar, rtol=0, atol=1e-9)


def test_there_and_back_is_a_projection():
    frames = np.random.default_rng(0).standard_normal((40, 6))
    frame = SPLIT.train.frame
    pca = part({**trees()["embedding"]["pca"], "dim": 2}, "model.embedding").fit(frames, frame)
    there = pca.decode(pca.encode(frames))
    assert np.allclose(pca.decode(pca.encode(there)), there, rtol=0, atol=1e-12)
    tail = np.linalg.svd(frames - frames.mean(0), compute_uv=False)[2:]
    assert np.isclose(((there - frames) ** 2).sum(), (tail**2).sum(), rtol=1e-12)


def test_series_apart_are_models_of_each_alone():
    together = forecasts(*OLS, "model/embedding=identity", "model.mixing=series")
    for node in range(2):
        alone = forecasts("model=var", "model.ridge=0", split=split_of(only(node)))
        assert np.allclose(together[:, :, node : node + 1], alone, rtol=0, atol=1e-12)


def only(node: int) -> Panel:
    """A node of the toy, by itself."""
    panel, at = toy(), slice(node, node + 1)
    about = replace(panel.about, nodes=panel.about.nodes[at])
    return replace(
        panel, values=panel.values[:, at], mask=panel.mask[:, at], about=about, space=Space()
    )


# ---- what parts promise --------------------------------------------------------------------------

EMBEDDINGS = sorted(trees()["embedding"])
TRANSFORMS = sorted(set(trees()["transform_x"]) - {"flow"})  # of a law: test_flow.py
EVERY = [(stage, name) for stage, found in trees().items() for name in found]


@pytest.mark.parametrize(("stage", "name"), EVERY, ids=lambda word: word)
def test_a_part_lists_its_keys_and_is_cited(stage, name):
    config = trees()[stage][name]
    target = locate(config["_target_"], stage)
    if stage != "dynamics":  # which are models
        parameters = inspect.signature(target).parameters.values()
        keys = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        assert set(config) - {"_target_"} == keys
        assert all(p.default is p.empty for p in parameters if p.kind is p.KEYWORD_ONLY)
    assert reference(target.cite).startswith("@")
    assert file_of(config["_target_"].rpartition(".")[0])


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return SPLIT.train.panel.values.reshape(len(SPLIT.train.panel), -1)


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_an_embedding_is_blind_and_kept(name, frames, tmp_path):
    tree = trees()["embedding"][name]
    embedding = part(tree, "model.embedding").fit(frames, SPLIT.train.frame)
    states, lost = embedding.encode(frames), int(embedding.lost_)
    assert states.shape == (len(frames) - lost, int(embedding.size_))
    assert embedding.seen(np.ones(frames.shape, bool)).shape == states.shape
    later = frames.copy()
    later[60:] += 1
    assert np.allclose(embedding.encode(later)[: 60 - lost], states[: 60 - lost], atol=1e-9)
    pair = embedding.encode(np.stack([frames, later]))
    assert np.allclose(pair[0], states, atol=1e-9)
    embedding.save(tmp_path)
    again = part(tree, "model.embedding").load(tmp_path)
    assert np.allclose(again.encode(frames), states, atol=1e-9)
    if "inverse" in embedding.offers:
        assert embedding.decode(states).shape == (len(states), frames.shape[1])
    if "gradient" in embedding.offers:
        import torch

        near = embedding.net()(torch.as_tensor(frames, dtype=torch.float32)[None])[0]
        assert np.allclose(near.detach().numpy(), states, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_comes_back(name, frames, tmp_path):
    tree = trees()["transform_x"][name]
    assert tree == trees()["transform_y"][name]
    transform = part(tree, "model.transform_x").fit(frames, SPLIT.train.frame)
    there = transform.forward(frames)
    if name != "ccm":  # which nothing takes back
        assert np.allclose(transform.inverse(there), frames, rtol=0, atol=1e-10)
    assert np.allclose(transform.forward(frames[:5]), there[:5], atol=1e-10)
    transform.save(tmp_path)
    again = part(tree, "model.transform_x").load(tmp_path)
    assert np.array_equal(again.forward(frames), there)


def test_waves_of_a_graph_keep_lengths_and_know_constants():
    frame = SPLIT.train.frame
    wide = np.random.default_rng(0).standard_normal((9, 2))
    waves = part(trees()["embedding"]["graph_fourier"], "model.embedding").fit(wide, frame)
    states = waves.encode(wide)
    assert np.allclose((states**2).sum(1), (wide**2).sum(1), rtol=1e-12)  # Parseval
    assert np.allclose(waves.decode(states), wide, rtol=0, atol=1e-12)
    assert np.allclose(waves.encode(np.ones((1, 2)))[0, 1:], 0, atol=1e-12)
    heat = part(trees()["transform_x"]["graph_diffusion"], "model.transform_x").fit(wide, frame)
    cooled = heat.forward(wide)
    assert np.allclose(cooled.sum(1), wide.sum(1), rtol=1e-12)  # no heat is lost
    assert (abs(cooled[:, 0] - cooled[:, 1]) < abs(wide[:, 0] - wide[:, 1])).all()


def test_cross_mapped_states_lose_noise_that_is_not_shared():
    rng, t = np.random.default_rng(0), np.linspace(0, 40, 800)
    clean = np.stack([np.sin(t), np.cos(t)], -1) @ rng.standard_normal((2, 8))
    noisy = clean + 0.3 * rng.standard_normal(clean.shape)
    tree = {**trees()["transform_x"]["ccm"], "neighbours": 20}
    told = part(tree, "model.transform_x").fit(noisy, SPLIT.train.frame).forward(noisy)
    assert ((told - clean) ** 2).mean() < 0.4 * ((noisy - clean) ** 2).mean()


def test_alignment_by_least_squares_at_full_rank():
    """And so the same for any invertible map of what was forecast."""
    rng = np.random.default_rng(0)
    made_, came = rng.standard_normal((2, 60, 3, 4))
    came += made_ @ rng.standard_normal((4, 4))
    ours = CCA(dim="all", ridge=0.0).fit(made_, came).align(made_)
    x = np.column_stack([np.ones(60), made_[:, 1]])
    plain = x @ np.linalg.lstsq(x, came[:, 1], rcond=None)[0]
    assert np.allclose(ours[:, 1], plain, rtol=0, atol=1e-10)
    mixed = made_ @ rng.standard_normal((4, 4)) + 3
    again = CCA(dim=2, ridge=0.0).fit(mixed, came).align(mixed)
    assert np.allclose(again, CCA(dim=2, ridge=0.0).fit(made_, came).align(made_), atol=1e-9)


def test_procrustes_finds_the_turn_the_move_and_the_stretch():
    rng = np.random.default_rng(0)
    made_ = rng.standard_normal((30, 2, 3))
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    came = 2.5 * made_ @ turn + [1, 2, 3]
    assert np.allclose(Procrustes(scale=True).fit(made_, came).align(made_), came, atol=1e-12)
    stiff = Procrustes(scale=False).fit(made_, came)
    assert np.allclose(stiff.maps_ @ stiff.maps_.swapaxes(1, 2), np.eye(3), atol=1e-12)


# ---- what goes together --------------------------------------------------------------------------


GROUPS = ("embedding", "dynamics", "lifting")


def turns() -> list[tuple[str, ...]]:
    """Cells in which each part has its turn."""
    groups = [list(trees()[name]) for name in GROUPS]
    return [tuple(g[k % len(g)] for g in groups) for k in range(max(map(len, groups)))]


def product() -> list[tuple[str, ...]]:
    return list(itertools.product(*(trees()[name] for name in GROUPS)))


@pytest.mark.parametrize("cells", [turns, pytest.param(product, marks=pytest.mark.slow)])
def test_a_cell_is_finite_where_it_is_legal(cells):
    for cell in cells():
        stages = dict(zip(GROUPS, cell, strict=True))
        words = [f"model/{stage}={name}" for stage, name in stages.items()]
        if why := reason(stages):
            with pytest.raises(Mistake, match=re.escape(why)):
                composed(*words)
        else:
            assert np.isfinite(forecasts("model=composed", *words)).all(), cell


def reason(stages: dict[str, str]) -> str:
    rest = dict.fromkeys(("transform_x", "align", "transform_y"), "identity")
    built = {stage: part(trees()[stage][name], stage) for stage, name in (stages | rest).items()}
    return legal.refused(built, joint=False)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["model/embedding=lle"], "embedding=lle has no inverse: take a lifting"),
        (["model/embedding=lle", "model.embedding.dim=1,2"], "embedding=lle has no inverse"),
        (["model.training=joint"], "needs parts that have gradients, and dynamics=var has none"),
        (["model/align=cca", "model/dynamics=gru", "model.training=joint"], "align=cca has none"),
        (["model/embedding=graph_fourier", "data=airline"], "needs a graph of the nodes"),
        (["model/embedding=graph_fourier", "data=airline", "--dry-run"], "needs a graph"),
        (["model/embedding=graph_fourier", "data=ring", "model.mixing=series"], "leaves each"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_runs(
    words, why, tmp_path, monkeypatch, capsys
):
    from stsfm.__main__ import main

    monkeypatch.chdir(tmp_path)
    assert main(["run", "model=composed", *words, "baselines=[]"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and why in lines[0]
    assert not list(tmp_path.rglob("status.json"))


def test_of_a_sweep_the_illegal_cells_are_left_out_with_their_reasons(desk):
    cells = ("model/embedding=pca,lle", "model.mixing=joint,series")
    words = ("run", "model=composed", *cells, "baselines=[]", "data=airline", "--dry-run")
    assert desk(*words) == 0
    jobs = desk.out.splitlines()
    assert jobs[0].startswith("2 jobs: 0 cached, 2 to do")
    assert not any("lle" in job for job in jobs)
    told = desk.err.strip().splitlines()
    assert len(told) == 2 and all("embedding=lle has no inverse" in line for line in told)
    assert told[0].startswith("left out: model/embedding=lle model.mixing=joint: ")
    # a key that is wrong is no cell: it is a mistake in what was typed
    assert desk(*words[:2], "data=airline", "model.mixing=joint,serie", "--dry-run") == 2
    assert "mixing" in desk.err and "left out" not in desk.err


def test_the_matrix_of_the_docs_is_made_of_the_parts():
    said = "\n".join(matrix.lines())
    page = (DOCS / "composition.md").read_text()
    assert f"```console\n$ stsfm list --matrix\n{said}\n```" in page
    assert max(map(len, said.splitlines())) <= 100


# ---- training ------------------------------------------------------------------------------------

GRU = ("model/dynamics=gru", "model.dynamics.context=8", "model.dynamics.hidden=4")


def test_all_at_once_begins_where_part_after_part_ended(monkeypatch):
    """With a rate next to nothing it stays there; each training goes through the one function."""
    from stsfm.models import neural

    trained = []
    train = neural.train

    def counted(net, *args, **settings):
        trained.append(type(net).__name__)
        return train(net, *args, **settings)

    monkeypatch.setattr(neural, "train", counted)
    words = (*GRU, "model.embedding.dim=all")
    staged = forecasts("model=composed", *words, "trainer.lr=1e-9")
    rows = []
    joint = composed(*words, "model.training=joint", "trainer.lr=1e-9", monitor=rows.append)
    points = joint.fit(SPLIT.train, SPLIT.val).backtest(SPLIT.test).point
    assert np.allclose(points, staged, rtol=0, atol=1e-4)
    assert trained == ["GRU", "GRU", "Joint"]
    assert [row["stage"] for row in rows] == ["dynamics", "joint"]


def test_terms_see_the_layers_of_a_state_space_that_is_trained_at_once(tmp_path):
    words = (*GRU, "model.training=joint", "+loss/term=orthogonality")
    rows = []
    model = composed(*words, monitor=rows.append).fit(SPLIT.train, SPLIT.val)
    assert "train_orthogonality" in rows[-1] and "train_orthogonality" not in rows[0]
    points = model.backtest(SPLIT.test).point
    model.save(tmp_path)
    assert np.allclose(composed(*words).load(tmp_path).backtest(SPLIT.test).point, points)


def test_a_term_that_no_part_can_price_is_refused():
    with pytest.raises(Exception, match="the term orthogonality prices"):
        composed(*GRU, "+loss/term=orthogonality")


@pytest.mark.parametrize("words", [GRU, ("model/embedding=autoencoder",)], ids=["gru", "codes"])
def test_what_prices_frames_prices_no_states(words, tmp_path):
    """An equation and a teacher know frames: of states they say nothing, of all at once they do."""
    with pytest.raises(Exception, match="the term physics prices"):
        composed(*words, "+loss/term=physics")
    teacher = f"loss.terms.distillation.teacher={tmp_path}"
    with pytest.raises(Exception, match="the term distillation prices"):
        composed(*words, "+loss/term=distillation", teacher)
    joint = composed(*GRU, *words, "model.training=joint", "+loss/term=distillation", teacher)
    assert "distillation" in joint.space.whole.loss.active
    assert "distillation" not in joint.stages["dynamics"].loss.active


class Memory:
    """A store that holds what it is given."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.said: list[str] = []

    def read(self, name):
        return self.content.get(name)

    def write(self, name, content):
        self.content[name] = content

    def say(self, line):
        self.said.append(line)


def test_stages_survive_a_kill(monkeypatch):
    """What fails in the lifting finds embedding and dynamics learned when it begins again."""
    from stsfm.models.embedding.pca import PCA
    from stsfm.models.lifting.inverse import Inverse
    from stsfm.models.var import VAR

    counted: dict[str, int] = {}
    for kind in (PCA, VAR, Inverse):

        def fit(self, *args, _fit=kind.fit, _name=kind.__name__):
            counted[_name] = counted.get(_name, 0) + 1
            if counted.get("Inverse") == 1 and _name == "Inverse":
                raise RuntimeError("killed")
            return _fit(self, *args)

        monkeypatch.setattr(kind, "fit", fit)  # fmt: skip
    store = Memory()
    with pytest.raises(RuntimeError, match="killed"):
        composed(store=store).fit(SPLIT.train, SPLIT.val)
    again = composed(store=store).fit(SPLIT.train, SPLIT.val)
    assert counted == {"PCA": 1, "VAR": 1, "Inverse": 2}
    assert "dynamics: as it was learned before" in store.said
    points = again.backtest(SPLIT.test).point
    assert np.array_equal(points, composed().fit(SPLIT.train, SPLIT.val).backtest(SPLIT.test).point)
    before = counted["PCA"]
    again.refit(SPLIT.development)  # other windows are learned from anew
    assert counted["PCA"] == before + 1


def test_what_fails_says_in_which_stage():
    with pytest.raises(ValueError, match=r"embedding: .* frames of 2 .* no 9 dim.*=2, more nodes"):
        composed("model.embedding.dim=9").fit(SPLIT.train, SPLIT.val)


def test_series_apart_are_kept(tmp_path):
    model = composed("model.mixing=series", "model.embedding.dim=1").fit(SPLIT.train, SPLIT.val)
    points = model.backtest(SPLIT.test).point
    model.save(tmp_path)
    loaded = composed("model.mixing=series", "model.embedding.dim=1").load(tmp_path)
    assert np.array_equal(loaded.backtest(SPLIT.test).point, points)
    assert loaded.parameters == model.parameters


def test_series_apart_may_read_pasts_of_their_own_length():
    """Their delays differ; a past as long as the longest is more than the others read."""
    words = ("model.mixing=series", "model/embedding=delay", "model/dynamics=linear")
    panel, noise = toy(), np.random.default_rng(0).standard_normal(len(toy()))
    values = np.stack([panel.values[:, 0, 0], 10 + noise], 1)[..., None]
    split = split_of(replace(panel, values=values))
    model = composed(*words, "model.dynamics.context=6").fit(split.train, split.val)
    assert len({int(space.reads) for space in model.space.each}) == 2
    past, future = split.test.look_back(model.reads).take(slice(None))
    points = model.predict(past, future.blank()).point
    assert np.allclose(points, model.backtest(split.test).point, rtol=0, atol=1e-9)


def test_states_are_there_to_be_seen():
    model = composed().fit(SPLIT.train, SPLIT.val)
    seen = model.states(SPLIT.test)
    rows, horizon = len(SPLIT.test.panel), SPLIT.test.horizon
    assert seen["z"].shape == (rows - int(seen["first_row"]), 2)
    assert seen["z_ahead"].shape == (len(SPLIT.test), horizon, 2)


def test_parts_have_faces():
    for stage, face in (("align", Align), ("lifting", Lifting)):
        for name, tree in trees()[stage].items():
            assert isinstance(part(tree, stage), face), name


def test_the_groups_of_parts_have_one_order():
    """A set of words has another in every process; tests and pages are to have the same."""
    assert isinstance(options.parts(), tuple) and list(options.parts()) == sorted(options.parts())
