"""Several models as one: weights that are weights, members that are learned once, and its names."""

from functools import partial

import numpy as np
import pytest

from stsfm import compose
from stsfm.backtest import evaluate
from stsfm.build import build_model
from stsfm.datasets.panel import Forecast
from stsfm.datasets.transform import LEVELS
from stsfm.identity import identify
from stsfm.job import cut
from stsfm.mistakes import Mistake
from stsfm.models.base import Forecaster
from stsfm.models.ensemble import Ensemble, simplex
from stsfm.models.linear import Linear
from stsfm.models.naive import Drift, Naive
from stsfm.subject import split_of, toy
from stsfm.sweeps import plan

SPLIT = split_of(toy())
GRU = [
    *("model=ensemble", "model.members=[linear,gru]", "model.weights=stacked"),
    *("data=ring", "data.length=200", "protocol.calibration=0"),
    *("trainer.epochs=2", "baselines=[]"),
]


def unknown(member):
    """A library that has nothing."""


def ensemble(members, weights="mean", per_step=False, shrink=0.0, library=unknown):
    return Ensemble(library, members=members, weights=weights, per_step=per_step, shrink=shrink)


def linear(context=12):
    return Linear(context=context, ridge=1e-6, normalise="last", shared=True)


class Says(Forecaster):
    """The last value and a constant; with a scale or quantiles around it."""

    cite, reads = "none", 1

    def __init__(self, offset, *, scale=None, levels=(), seed=None):
        self.offset, self.scale, self.levels, self.fits = offset, scale, levels, []
        if seed is not None:
            self.seed = seed

    def fit(self, train, val):
        self.fits.append(len(train))
        return self

    def predict(self, past, future):
        point = np.repeat(past.values[..., -1:, :, :], future.values.shape[-3], -3) + self.offset
        if self.scale is not None:
            return Forecast(point=point, scale=0 * point + self.scale)
        if not self.levels:
            return Forecast(point=point)
        spread = point[..., None] + np.array(self.levels) - 0.5
        return Forecast(point=point, quantiles=spread, levels=self.levels)

    def load(self, folder):
        self.offset = float((folder / "offset").read_text())
        return self


def squared(forecast, windows):
    future = windows.futures()
    return ((forecast.point - future.values) ** 2)[future.mask].mean()


# ---- weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("members, rank", [(2, 2), (3, 3), (5, 5), (5, 2), (3, 0)])
def test_the_best_point_of_the_simplex(members, rank):
    """No point of it is better: by the conditions of Karush, Kuhn and Tucker."""
    rng = np.random.default_rng(members + rank)
    for _ in range(50):
        root = rng.standard_normal((rank, members)) * 10.0 ** rng.integers(-3, 4)
        products = root.T @ root
        a = simplex(products)
        assert (a >= 0).all() and abs(a.sum() - 1) < 1e-12
        value, slope = a @ products @ a, products @ a
        assert value <= products.diagonal().min()
        assert (slope >= value - 1e-9 * max(products.max(initial=0), 1e-300)).all()


@pytest.mark.parametrize("per_step", [False, True])
def test_stacked_is_on_validation_as_good_as_its_best_member(per_step):
    members = {"naive": Naive(), "drift": Drift(), "linear": linear()}
    model = ensemble(members, "stacked", per_step).fit(SPLIT.train, SPLIT.val)
    assert model.weight_.shape == (4 if per_step else 1, 3)
    assert (model.weight_ >= 0).all() and np.allclose(model.weight_.sum(1), 1, atol=1e-12)
    alone = [member.backtest(SPLIT.val) for member in members.values()]
    best = min(squared(forecast, SPLIT.val) for forecast in alone)
    assert squared(model.backtest(SPLIT.val), SPLIT.val) <= best * (1 + 1e-12)
    assert model.parameters == model.weight_.size + sum(m.parameters for m in members.values())


def test_weights_shrink_towards_equal_ones():
    members = {"a": Says(9.0), "b": Says(10.0)}
    for shrink, far in ((0.0, 0.0), (0.5, 0.25), (1.0, 0.5)):
        model = ensemble(members, "stacked", shrink=shrink).fit(SPLIT.train, SPLIT.val)
        assert np.allclose(model.weight_, [[1 - far, far]])


@pytest.mark.parametrize("weights", ["mean", "median", "stacked"])
def test_identical_members_are_given_back_bit_for_bit(weights):
    members = {name: linear() for name in "abcdefg"}
    made = ensemble(members, weights).fit(SPLIT.train, SPLIT.val).backtest(SPLIT.test)
    assert np.array_equal(made.point, members["a"].backtest(SPLIT.test).point)


def test_a_median_hears_every_member():
    members = {"a": Says(0.0), "b": Says(1.0), "c": Says(1e6)}
    past, future = SPLIT.test.look_back(1)[0]
    made = ensemble(members, "median").predict(past, future.blank())
    assert np.array_equal(made.point, members["b"].predict(past, future.blank()).point)
    members["c"].offset = np.inf
    with pytest.raises(FloatingPointError, match="the member c forecasts what is not finite"):
        ensemble(members, "median").predict(past, future.blank())


def test_stacked_needs_a_validation():
    with pytest.raises(ValueError, match="learned on validation, and there is none"):
        ensemble({"a": Says(0.0), "b": Says(1.0)}, "stacked").fit(
            SPLIT.train, SPLIT.val.subset(slice(0, 0))
        )


# ---- distributions -------------------------------------------------------------------------------


def test_quantiles_are_averaged_where_all_have_them():
    past, future = SPLIT.test.look_back(1).take(np.arange(3))
    said = partial(ensemble({"a": Says(0.0, scale=1.0), "b": Says(2.0, scale=3.0)}).predict, past)
    made = said(future.blank())
    assert np.allclose(made.scale, 2) and made.quantiles is None  # Gaussians stay Gaussian
    some = {"a": Says(0.0, scale=1.0), "b": Says(2.0, levels=(0.1, 0.5, 0.9, 0.99))}
    made = ensemble(some).predict(past, future.blank())
    assert made.levels == (0.1, 0.5, 0.9) and set(made.levels) < set(LEVELS)
    assert np.allclose(made.quantiles[..., 1], made.point)
    width = made.quantiles[..., 2] - made.quantiles[..., 0]
    assert np.allclose(width, (2 * 1.2815515655 + 0.8) / 2)
    for weights in ("median", "mean"):
        made = ensemble(some | {"c": Says(0.0)}, weights).predict(past, future.blank())
        assert made.quantiles is None and made.levels == ()


# ---- members -------------------------------------------------------------------------------------


def test_each_member_is_refitted_as_it_would_be_alone():
    members = {"drawn": Says(0.0, seed=1), "fixed": Says(1.0)}
    evaluate(ensemble(members), SPLIT, refit=True)
    train, both = len(SPLIT.train), len(SPLIT.development)
    assert members["drawn"].fits == [train] and members["fixed"].fits == [train, both]


def test_what_a_member_learned_elsewhere_is_loaded(tmp_path):
    (tmp_path / "offset").write_text("5")
    members = {"drawn": Says(0.0, seed=1), "fixed": Says(1.0)}
    ensemble(members, library=lambda name: tmp_path).fit(SPLIT.train, SPLIT.val)
    assert members["drawn"].fits == [] and members["drawn"].offset == 5
    assert members["fixed"].fits == [len(SPLIT.train)]  # its validation is of train alone


def test_what_goes_wrong_is_said_of_the_member():
    members = {"short": linear(), "long": linear(context=500)}
    with pytest.raises(ValueError, match="the member long: no series has values"):
        ensemble(members).fit(SPLIT.train, SPLIT.val)
    with pytest.raises(ValueError, match="two members or more"):
        ensemble({"a": linear()})
    with pytest.raises(ValueError, match="shrink must be from 0 to 1, got 2"):
        ensemble({"a": linear(), "b": linear()}, shrink=2)


def test_it_promises_what_its_members_do():
    members = {"short": linear(3), "long": linear(5)}
    assert ensemble(members).reads == 5 and ensemble(members | {"naive": Naive()}).reads is None
    assert ensemble(members).tags == {"missing", "new_nodes", "known"}
    assert ensemble(members | {"says": Says(0.0)}).tags == {"known"}  # for that one is enough


# ---- by the command line -------------------------------------------------------------------------


def test_members_are_in_the_config_and_in_the_identity():
    typed = [*GRU, "model.members.gru.hidden=8", "model.members.linear.context=6", "seed=3"]
    config = compose.config(typed)
    members = config["model"]["members"]
    assert list(members) == ["gru", "linear"] and config["model"]["seed"] == 3
    assert (members["gru"]["hidden"], members["linear"]["context"]) == (8, 6)
    assert members["gru"]["trainer"]["epochs"] == 2 and "space" not in members["gru"]
    split = cut(config)
    made = identify(config, split)
    assert made.seed == 3 and made.folder.parts[-2] == "ensemble"
    assert {"stsfm.models.recurrent", "stsfm.models.linear", "stsfm.models.neural"} <= {
        *made.modules
    }
    other = compose.config([*typed, "seed=4"])
    assert identify(other, split).group == made.group != made.run_id
    assert identify(other, split).run_id != made.run_id
    wider = compose.config([*typed, "model.members.gru.hidden=16"])
    assert identify(wider, split).group != made.group
    turned = [word.replace("linear,gru", "gru,linear") for word in typed]
    assert identify(compose.config(turned), split) == made  # an ensemble has no order


@pytest.mark.parametrize(
    "typed, line",
    [
        ("model.members=[linear,grru]", "Did you mean 'gru'?"),
        ("model.members=[linear,linear]", "names a model twice"),
        ("model.members=[linear,ensemble]", "has members itself"),
        ("model.members.linear.contex=3", "linear has no contex. Did you mean 'context'?"),
        ("model.members.gru.hidden=3", "model.members has no gru"),
        ("model.members.linear={context:3}", "a value is given to one of its keys"),
        ("model.members.linear.seed=3", "linear has no seed"),
    ],
)
def test_mistakes_about_members_cost_a_line(typed, line):
    with pytest.raises(Mistake) as mistake:
        compose.config(["model=ensemble", typed])
    assert line in str(mistake.value) and "\n" not in str(mistake.value)


def test_a_search_and_a_sweep_reach_the_keys_of_members():
    keys = ["model.members.linear.context=6,12", "model.weights=mean,median"]
    found = [job.config["model"] for job in compose.jobs(["model=ensemble", *keys]).jobs]
    assert [(m["members"]["linear"]["context"], m["weights"]) for m in found] == [
        (6, "mean"), (6, "median"), (12, "mean"), (12, "median"),
    ]  # fmt: skip
    assert "model.weights" in compose.config(["model=ensemble"])["space"]


class Held:
    """A store in memory."""

    def __init__(self):
        self.files = {}
        self.read, self.write = self.files.get, self.files.__setitem__

    def say(self, line):
        raise AssertionError(line)


def test_members_that_are_the_same_net_learn_each_by_itself():
    """Two that begin with the same weights, and differ in how they learn, share no checkpoint."""
    keys = ["model=gru", "model.hidden=4", "trainer.epochs=1", "trainer.checkpoint_seconds=0"]
    trees = {f"lr{lr}": compose.config([*keys, f"trainer.lr={lr}"])["model"] for lr in (0.1, 0.001)}
    config = compose.config(["model=ensemble"])["model"] | {"members": trees}
    config = {key: value for key, value in config.items() if key != "space"}
    store = Held()
    made = build_model(config, print, {"calibration": 0}, store).fit(SPLIT.train, SPLIT.val)
    one, other = (member.backtest(SPLIT.val).point for member in made.members.values())
    assert len(store.files) == 2 and not np.array_equal(one, other)


def test_what_an_ensemble_is_made_of_comes_before_it(tmp_path):
    words = ["model=ensemble,linear,naive", "data=ring", "data.length=200", f"runs_dir={tmp_path}"]
    jobs = plan.plan(compose.jobs([*words, "baselines=[]"])).jobs
    assert [job.identity.model for job in jobs] == ["linear", "naive", "ensemble"]


def test_a_net_is_trained_once_whichever_comes_first(desk):
    """With its member's own run at hand an ensemble loads it, and has the same numbers."""
    assert desk("run", "-q", *GRU, "score=val", "runs_dir=trained") == 0
    net = ["model=gru", *(word for word in GRU if not word.startswith("model"))]
    assert desk("run", "-q", *net, "score=val") == 0
    assert desk("run", *GRU) == 0 and "gru: as it was learned in runs/ring/gru/s1-" in desk.out
    loaded, (trained,) = desk.only("/ensemble/"), desk.folder.glob("trained/ring/ensemble/*")
    assert loaded.scores["val"] == desk.json(trained / "scores.json")["val"]
    assert loaded.scores["kind"] == "net" and loaded.scores["fitted_to"] == "train + val"
    assert desk("run", "--from", str(loaded.folder)) == 0 and len(desk.runs("/ensemble/")) == 1
    assert desk("predict", str(loaded.folder)) == 0 and "ensemble on ring" in desk.out


def test_what_learned_on_through_the_rows_of_test_is_no_member(desk):
    """With refits a net's own run ends with weights that know the rows which are to be forecast."""
    words = [*GRU, "protocol.refit=10", "trainer.update_epochs=1", "score=val"]
    net = ["model=gru", *(word for word in words if not word.startswith("model"))]
    assert desk("run", "-q", *net) == 0
    assert desk("run", *words) == 0 and "as it was learned" not in desk.out
