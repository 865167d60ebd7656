"""Weights of a composite loss, on problems whose answer is known."""

import math

import pytest
import torch
from test_faults import EVERY, Memory, fit
from torch import nn

from stsfm.losses.base import Term
from stsfm.losses.point import MAE, MSE
from stsfm.losses.probabilistic import GaussianNLL
from stsfm.losses.weighting.fixed import Fixed
from stsfm.losses.weighting.gradnorm import GradNorm
from stsfm.losses.weighting.relobralo import ReLoBRaLo
from stsfm.losses.weighting.schedule import Schedule
from stsfm.losses.weighting.uncertainty import Uncertainty
from stsfm.mistakes import Mistake

TWO = ["+loss.terms.robust._target_=stsfm.losses.point.MAE", "+loss.weights.robust=0.3"]
RULES = [
    Fixed(),
    Schedule(ramps={"a": [0, 1, 0.5]}),
    Uncertainty(),
    ReLoBRaLo(alpha=0.9, temperature=0.1, rho=0.9),
    GradNorm(alpha=1.5, rate=0.1),
]


class Penalty(Term):
    """Never below 0, and no misfit."""

    def __call__(self, step):
        raise AssertionError("only its kind is asked for")


class Point(nn.Module):
    """Two quadratic terms of one point x (2,): a ‖x − p‖² and b ‖x − q‖²."""

    a, b = 1.0, 50.0
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])

    def __init__(self) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor([3.0, -1.0]))

    def losses(self):
        return {
            "a": self.a * ((self.x - self.p) ** 2).sum(),
            "b": self.b * ((self.x - self.q) ** 2).sum(),
        }


def active(a=1.0, b=1.0, kinds=(MSE, MAE)):
    return {"a": (a, kinds[0]()), "b": (b, kinds[1]())}


def descend(net, balance, steps, lr=1e-3):
    learned = torch.optim.SGD([*net.parameters(), *balance.parameters()], lr=lr)
    for step in range(steps):
        balance.begin(step + 1, step)
        learned.zero_grad()
        balance.total(net.losses()).backward()
        learned.step()


# ---- each rule -----------------------------------------------------------------------------------


def test_fixed_weights_land_on_the_minimiser_of_their_sum():
    """The Pareto front is the line from p to q; the weights say where on it: (wa p + wb q) / Σ."""
    for a, b in ((1.0, 1.0), (20.0, 0.1), (0.0625, 2.0)):
        net, terms = Point(), active(a, b)
        descend(net, Fixed().start(terms, 1, net), 60, lr=1 / (4 * (net.a * a + net.b * b)))
        p, q = a * net.a, b * net.b
        expected = (p * net.p + q * net.q) / (p + q)
        torch.testing.assert_close(net.x.detach(), expected, rtol=1e-5, atol=1e-5)


def test_a_schedule_is_what_it_says():
    rule = Schedule(ramps={"a": [0, 1, 0.5], "other": [1, 0, 1], "b": [1, 0.1, 1.0]})
    balance, seen = rule.start(active(2.0, 1.0), 10, nn.Identity()), []
    for epoch in range(1, 11):
        balance.begin(epoch, 0)
        seen.append(balance.weights())
        value = balance.total({"a": torch.tensor(3.0), "b": torch.tensor(5.0)})
        assert value == pytest.approx(3 * seen[-1]["a"] + 5 * seen[-1]["b"])
    ramp = [0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1]
    assert [w["a"] for w in seen] == pytest.approx([2 * x for x in ramp])
    assert [w["b"] for w in seen] == pytest.approx([1 - 0.1 * k for k in range(10)])
    assert Schedule(ramps={"a": [0, 1, 0.2]}).factor("a", 1, 3) == 1  # too short to ramp
    for wrong in ([0, 1], [0, 1, 0], [0, 1, 2], [-1, 1, 0.5]):
        with pytest.raises(ValueError, match=r"ramps\.a: wanted \[first factor"):
            Schedule(ramps={"a": wrong})


def test_uncertainty_comes_to_the_logarithm_of_each_loss():
    losses = {"a": torch.tensor(0.1), "b": torch.tensor(7.0), "c": torch.tensor(1e-6)}
    terms = active() | {"c": (1.0, MSE()), "d": (0.5, Penalty())}
    balance = Uncertainty().start(terms, 1, nn.Identity())
    learned = torch.optim.SGD(balance.parameters(), lr=0.2)
    for _ in range(400):
        learned.zero_grad()
        balance.total(losses | {"d": torch.tensor(3.0)}).backward()
        learned.step()
    weights = balance.weights()
    assert weights["a"] == pytest.approx(1 / 0.2, rel=1e-3)
    assert weights["d"] == 0.5, "a penalty has no noise"
    rest = [0.5 * (1 + math.log(0.1)), 0.5 * (1 + math.log(7)), 0.5 * (1e-6 * math.exp(4) - 4)]
    total = balance.total(losses | {"d": torch.tensor(3.0)})
    assert balance.s.tolist() == pytest.approx([math.log(0.1), math.log(7), -4], abs=1e-3)
    assert total.item() == pytest.approx(sum(rest) + 0.5 * 3, abs=1e-3)


def test_uncertainty_needs_a_misfit():
    with pytest.raises(ValueError, match="none of the terms a, b is one"):
        Uncertainty().check(active(kinds=(Penalty, GaussianNLL)))


def test_relobralo_is_its_formula_and_adds_up():
    rule = ReLoBRaLo(alpha=0.9, temperature=0.5, rho=0.7)
    balance = rule.start(active() | {"c": (1.0, MSE())}, 1, nn.Identity())
    draw, rng = torch.Generator().manual_seed(3), torch.Generator().manual_seed(0)
    balance.begin(1, 3)
    expected = first = before = None
    for _ in range(30):
        now = torch.rand(3, generator=rng)
        balance.total(dict(zip("abc", now, strict=True)))
        if first is None:
            expected, first = torch.ones(3), now
        else:
            at = [3 * torch.softmax(now / (0.5 * then), 0) for then in (first, before)]
            kept = expected if torch.rand((), generator=draw) < 0.7 else at[0]
            expected = 0.9 * kept + 0.1 * at[1]
        before = now
        torch.testing.assert_close(balance.factors, expected)
        assert float(balance.factors.sum()) == pytest.approx(3, abs=1e-5)


def test_relobralo_favours_what_falls_behind():
    balance = ReLoBRaLo(alpha=0.9, temperature=0.1, rho=0.5).start(active(), 1, nn.Identity())
    for step in range(60):
        balance.total({"a": torch.tensor(0.95**step), "b": torch.tensor(1.0)})
    assert balance.weights()["b"] > 1.5 > 0.5 > balance.weights()["a"]


class Heads(nn.Module):
    """Two heads on one layer, of targets whose scales are far apart; other rows at each step."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.early, self.shared = nn.Linear(4, 4), nn.Linear(4, 4)
        self.a, self.b = nn.Linear(4, 1), nn.Linear(4, 1)
        self.x = torch.randn(64, 4)

    def losses(self):
        h = torch.tanh(self.shared(torch.tanh(self.early(self.x))))
        return {
            "a": ((self.a(h)[:, 0] - self.x.sum(1)) ** 2).mean(),
            "b": 1000 * ((self.b(h)[:, 0] - self.x.prod(1)) ** 2).mean(),
        }


@pytest.mark.parametrize("alpha", [0.0, 1.5])
def test_gradnorm_brings_gradients_into_balance(alpha):
    """To 5 % of what the paper asks for: equal norms, for α > 0 more for what learns slowly."""
    net, terms = Heads(), active(1.0, 1.0)
    balance = GradNorm(alpha=alpha, rate=0.1).start(terms, 1, net)
    start = {name: loss.item() for name, loss in net.losses().items()}
    descend(net, balance, 400, lr=1e-4)
    assert balance.shared == [net.shared.weight, net.shared.bias]
    losses, norms = net.losses(), []
    for name, loss in losses.items():
        pull = torch.autograd.grad(loss, balance.shared, retain_graph=True)
        norms.append(balance.weights()[name] * float(torch.cat([g.ravel() for g in pull]).norm()))
    lag = [losses[name].item() / start[name] for name in "ab"]
    wanted = [(r / (sum(lag) / 2)) ** alpha for r in lag]
    mean = sum(norms) / 2
    assert [n / mean for n in norms] == pytest.approx(
        [w / sum(wanted) * 2 for w in wanted], rel=0.05
    )
    assert float(balance.factors.sum()) == pytest.approx(2, abs=1e-5)
    assert balance.weights()["b"] < 0.1, "without it, b would drown a"


def test_gradnorm_takes_the_whole_net_where_no_layer_is_shared():
    class Apart(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(1, 1), nn.Linear(1, 1)

        def losses(self):
            return {"a": self.one.weight.square().sum(), "b": 9 * self.two.weight.square().sum()}

    net = Apart()
    balance = GradNorm(alpha=0.0, rate=1.0).start(active(), 1, net)
    balance.total(net.losses())
    assert len(balance.shared) == 4
    ratio = abs(9 * net.two.weight / net.one.weight).item()
    assert balance.weights()["a"] / balance.weights()["b"] == pytest.approx(ratio, rel=1e-4)


# ---- every rule ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_balance_goes_on_from_what_it_kept(rule):
    """Stopped between two epochs and begun again from its state, it comes to the same bits."""
    whole, net = rule.start(active(1.0, 0.2), 8, (one := Point())), Point()
    descend(one, whole, 8)
    half = rule.start(active(1.0, 0.2), 8, net)
    learned = torch.optim.SGD([*net.parameters(), *half.parameters()], lr=1e-3)
    for step in range(8):
        if step == 4:
            kept = half.state_dict()
            half = rule.start(active(1.0, 0.2), 8, net)
            half.load_state_dict(kept)
            learned = torch.optim.SGD([*net.parameters(), *half.parameters()], lr=1e-3)
        half.begin(step + 1, step)
        learned.zero_grad()
        half.total(net.losses()).backward()
        learned.step()
    assert torch.equal(net.x, one.x) and half.weights() == whole.weights()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_what_is_measured_is_the_mean_over_ranks(rule):
    """Two ranks that see other batches have the same weights, once both know the mean."""
    nets, ranks = [Point(), Point()], []
    nets[1].a = 3.0
    seen = []
    for net in nets:
        balance = rule.start(active(), 4, net)
        balance.everywhere = lambda measured: seen.append(measured) or measured
        balance.total(net.losses())
        ranks.append(balance)
    if not isinstance(rule, ReLoBRaLo | GradNorm):
        assert not seen, "nothing measured moves it"
        return
    half = len(seen) // 2
    means = [(a + b) / 2 for a, b in zip(seen[:half], seen[half:], strict=True)]
    for net, balance in zip(nets, ranks, strict=True):
        balance = rule.start(active(), 4, net)
        told = iter(means)
        balance.everywhere = lambda _, told=told: next(told)
        balance.total(net.losses())
        ranks[nets.index(net)] = balance
    assert ranks[0].weights() == ranks[1].weights()


@pytest.mark.parametrize("rule", RULES[2:], ids=lambda rule: type(rule).__name__)
def test_a_density_is_not_balanced(rule):
    """It may fall below 0, where neither a ratio nor a noise means anything."""
    terms = {"a": (1.0, MSE()), "b": (1.0, MAE()), "c": (0.7, GaussianNLL())}
    net = Point()
    balance = rule.start(terms, 1, net)
    for _ in range(5):
        value = balance.total(net.losses() | {"c": -net.x.sum()})
    assert balance.weights()["c"] == 0.7 and torch.isfinite(value)


# ---- through a training --------------------------------------------------------------------------


def test_one_term_alone_learns_alike_under_rules_that_only_share_out():
    plain = fit(["loss=mse", "trainer.epochs=1"])
    for rule in ("schedule", "relobralo", "gradnorm"):
        assert fit(["loss=mse", f"loss/weighting={rule}", "trainer.epochs=1"]) == plain


def test_a_term_of_weight_zero_changes_no_bit():
    plain = fit(["loss=mse", "trainer.epochs=1"])
    assert fit(["loss=mse", *TWO[:1], "+loss.weights.robust=0", "trainer.epochs=1"]) == plain


@pytest.mark.parametrize("rule", ["schedule", "uncertainty", "relobralo", "gradnorm"])
def test_a_composite_training_stopped_ends_with_the_bits_of_an_unbroken_one(rule):
    words = ["loss=mse", *TWO, f"loss/weighting={rule}", "+loss.weighting.ramps.robust=[0,1,1]"]
    words = words if rule == "schedule" else words[:-1]
    whole, store = fit(words), Memory()
    fit([*words, EVERY], store, stop_at=3)
    assert fit([*words, EVERY], store) == whole and store.said == ["resumed at epoch 2"]
    row = whole[0][-1]
    assert {"train_task", "train_robust", "weight_task", "weight_robust"} <= row.keys()
    weights = [row["weight_robust"] for row in whole[0]]
    assert len(set(weights)) == len(weights), "they move"


def test_the_sum_is_that_of_the_logged_terms_and_weights():
    for row in fit(["loss=mse", *TWO, "trainer.epochs=2"])[0]:
        parts = row["train_task"] * row["weight_task"] + row["train_robust"] * row["weight_robust"]
        assert row["train"] == pytest.approx(parts, rel=1e-6)
        assert (row["weight_task"], row["weight_robust"]) == (1.0, 0.3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["loss=gaussian_nll", "loss/weighting=uncertainty"], "none of the terms task is one"),
        (["loss/weighting=relobralo", "loss.weighting.alpha=2"], "alpha must lie within 0 … 1"),
        (["loss/weighting=gradnorm", "loss.weighting.rate=0"], "rate must lie within 0 … 1"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(words, said):
    with pytest.raises(Mistake, match=said):
        fit(words)
