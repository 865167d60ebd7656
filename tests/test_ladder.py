"""The ladder of selectors: a toolken's identities, thresholds that hold, prompts that are whole."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

BENCH = Path(__file__).parents[1] / "bench"


def module(name):
    spec = importlib.util.spec_from_file_location(f"asking_{name}", BENCH / "asking" / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # dataclasses look their module up
    spec.loader.exec_module(found)
    return found


prompts, scores, toolken = module("prompts"), module("scores"), module("toolken")
RNG = np.random.default_rng(7)


def test_the_mass_of_tools_is_what_the_whole_softmax_gives_them():
    words, tools = RNG.normal(0, 3, (40, 500)), RNG.normal(0, 3, (40, 9))
    silent, called = toolken.split(logsumexp(words, axis=1), tools)
    whole = softmax(np.hstack([words, tools]), axis=1)
    np.testing.assert_allclose(np.exp(called), whole[:, 500:], rtol=1e-13)
    share = np.exp(logsumexp(tools, axis=1) - logsumexp(np.hstack([words, tools]), axis=1))
    assert abs(share - np.exp(called).sum(1)).max() < 1e-15
    assert abs(np.exp(silent) - whole[:, :500].sum(1)).max() < 1e-14


def test_with_rejection_alone_words_are_those_of_the_plain_model():
    words, only = RNG.normal(0, 2, (20, 300)), RNG.normal(0, 2, (20, 1))
    silent, called = toolken.split(logsumexp(words, axis=1), only)
    answered = np.hstack([words, only])
    given_words = softmax(answered, axis=1)[:, :300] / np.exp(silent)[:, None]
    np.testing.assert_allclose(given_words, softmax(words, axis=1), rtol=1e-12)
    np.testing.assert_allclose(np.exp(silent) + np.exp(called[:, 0]), 1, rtol=1e-14)
    none, _ = toolken.split(logsumexp(words, axis=1), only[:, :0])
    assert (none == 0).all()  # no tool: all is said in words


def test_only_the_rows_of_tools_are_trained():
    h, silent = RNG.normal(size=(60, 12)), RNG.normal(3, 1, 60)
    called = toolken.one_hot(["a", "b", None] * 20, ["a", "b"])
    rows = RNG.normal(size=(2, 12))
    before = (h.copy(), silent.copy(), called.copy())
    value, gradient = toolken.loss(rows, h, silent, called)
    assert gradient.shape == rows.shape
    for at in [(0, 0), (1, 7)]:
        moved = rows.copy()
        moved[at] += 1e-6
        slope = (toolken.loss(moved, h, silent, called)[0] - value) / 1e-6
        assert slope == pytest.approx(gradient[at], rel=1e-3, abs=1e-6)
    best = toolken.train(h, silent, called)
    assert abs(toolken.loss(best, h, silent, called)[1]).max() < 1e-3
    for kept, now in zip(before, (h, silent, called), strict=True):
        np.testing.assert_array_equal(kept, now)


def test_cards_that_say_nothing_leave_the_order_as_it_was():
    p = softmax(RNG.normal(0, 2, (30, 9)), axis=1)
    tools = [*"abcdefgh", "reject"]
    np.testing.assert_allclose(toolken.rerank(p, np.zeros((30, 8)), tools), p, rtol=1e-14)
    near = np.zeros((30, 8))
    near[:, 3] = 50.0  # a card that says everything wins wherever its tool is among the five
    ranked = toolken.rerank(p, near, tools)
    among = (np.argsort(-p, axis=1)[:, : toolken.TOP] == 3).any(1)
    assert (ranked[among].argmax(1) == 3).all() and among.any()
    np.testing.assert_allclose(ranked.sum(1), 1, rtol=1e-12)


def answers(right, sure, templates):
    """Of two intents, where the first is taken: with that certainty, rightly or not."""
    p = np.array([[s, (1 - s) / 2, (1 - s) / 2] for s in sure])
    return scores.Answers(p, np.where(right, 0, 1), np.asarray(templates))


def test_a_threshold_keeps_its_promise_on_prompts_it_has_not_seen():
    rng, risks = np.random.default_rng(0), []
    for _ in range(60):
        sure = rng.uniform(0.4, 1, 400)
        every = answers(rng.uniform(size=400) < sure, sure, np.arange(400) // 4)
        least = scores.threshold(every[np.arange(200)])
        risks.append(scores.wrong_accepted(every[np.arange(200, 400)], least))
    assert 0.02 < np.mean(risks) <= scores.ALPHA
    few = answers([True] * 10, [0.9] * 10, np.arange(10))
    assert scores.threshold(few) == np.inf  # ten templates can't promise five per cent


def test_scores_of_a_hand_made_table():
    p = np.array([[0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    a = scores.Answers(p, np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]))
    assert (scores.accuracy(a), scores.reject_recall(a), scores.reject_precision(a)) == (
        0.5,
        1,
        0.5,
    )
    assert scores.macro_f1(a) == pytest.approx((2 / 3 + 0 + 2 / 3) / 3)
    coverage, risk = scores.risk_coverage(a)
    assert (coverage.tolist(), risk.tolist()) == ([0.25, 0.5], [0, 0.5])
    gap, p_value = scores.paired(np.ones(40), np.zeros(40), np.arange(40) // 4)
    assert gap == 1 and p_value < 0.01
    assert scores.paired(np.ones(8), np.zeros(8), np.arange(8) // 4)[1] > 0.4  # two templates


def test_prompts_are_whole_and_their_labels_have_the_fields_of_a_request():
    found = prompts.read(*sorted(f.stem for f in prompts.FOLDER.glob("*.jsonl")))
    assert len({p.text for p in found}) == len(found)
    for p in found:
        assert p.intent or p.label.keys() == {"ambiguous", "candidates"}, p
        assert p.spec is None or set(p.label) == set(vars(p.spec)), p
    for fit, held in prompts.leave_out(found, lambda p: p.template):
        assert not {p.template for p in fit} & {p.template for p in held}
