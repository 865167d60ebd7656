"""The ladder of selectors, from what costs nothing to what costs most.

A rung learns from prompts and gives a reader: texts → scores [texts, 9], one column for each of
`TOOLS`, which sum to 1 along a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import masked
import numpy as np
import toolken
from encoder import Encoder, features
from prompts import Prompt, leave_out, read
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from stsfm.asking import tools
from stsfm.asking.rules import Keywords
from stsfm.asking.selector import REJECT
from stsfm.asking.spec import INTENTS

TOOLS = (*INTENTS, REJECT)
RULES = "keyword rules"
READY = np.arange(-3.0, 6.0)  # how readily a tool is called: the knob b of a toolken
SWAY = (0.0, 2.0, 4.0, 8.0)  # how much a card has to say when tools are ranked again
THIRDS = 3  # parts of the training templates, each of which calibrates once

Reader = Callable[[Sequence[str]], np.ndarray]
Rung = Callable[[Sequence[Prompt]], Reader]


def majority(train: Sequence[Prompt]) -> Reader:
    """As often as in training, whatever is asked."""
    counts = Counter(intents(train))
    row = np.array([counts[tool] for tool in TOOLS]) / len(train)
    return lambda texts: np.tile(row, (len(texts), 1))


def rules(train: Sequence[Prompt]) -> Reader:
    """Nothing is learned: cues and their weights are written down."""
    return lambda texts: np.array([_by_rule(text) for text in texts])


@cache
def _by_rule(text: str) -> tuple[float, ...]:
    found: Mapping[str, float] = Keywords().scores(text)
    return tuple(found.get(tool, 0.0) for tool in TOOLS)


def logistic(train: Sequence[Prompt]) -> Reader:
    """tf-idf of words and letters, then a linear map: multinomial logistic regression."""
    return _logistic(train, features(), masked.names)


def of_concepts(train: Sequence[Prompt]) -> Reader:
    """The same of the concepts that the dictionary of the rules finds, and of pairs of them."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    return _logistic(train, words, masked.concepts)


def _logistic(train: Sequence[Prompt], of: object, mask: Callable[[str], str]) -> Reader:
    model = make_pipeline(of, LogisticRegression(C=30, max_iter=300))
    model.fit([mask(p.text) for p in train], intents(train))
    order = [list(model.classes_).index(tool) for tool in TOOLS if tool in model.classes_]
    there = [tool in model.classes_ for tool in TOOLS]

    def read(texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), len(TOOLS)))
        found[:, there] = model.predict_proba([mask(t) for t in texts])[:, order]
        return found

    return read


def rules_and_concepts(train: Sequence[Prompt]) -> Reader:
    """The mean of what is written down and what is learned of the same concepts."""
    written, learned = rules(train), of_concepts(train)
    return lambda texts: (written(texts) + learned(texts)) / 2


def nearest_card(train: Sequence[Prompt]) -> Reader:
    """The tool whose card is most like the text; two numbers are learned: how sharply similarity
    decides, and how much of it there has to be."""

    def logits(x: np.ndarray, near: np.ndarray) -> np.ndarray:
        return np.hstack([x[0] * near, np.full((len(near), 1), x[1])])

    near = similarity([p.text for p in train])
    at = [TOOLS.index(intent) for intent in intents(train)]

    def surprise(x: np.ndarray) -> float:
        found = logits(x, near)
        return float((logsumexp(found, axis=1) - found[range(len(at)), at]).mean())

    best = minimize(surprise, np.array([10.0, 1.0]), method="Nelder-Mead").x
    return lambda texts: softmax(logits(best, similarity(texts)), axis=1)


def plain_toolken(train: Sequence[Prompt]) -> Reader:
    """A row per intent beside the words of a frozen reader; the knob is set on calibration."""

    def reader(rows: np.ndarray, ready: float) -> Reader:
        return lambda texts: _called(rows, texts, ready)

    fits = [(_rows(fit, INTENTS), held) for fit, held in _thirds(train)]
    ready = max(READY, key=lambda b: sum(hits(reader(rows, b), held) for rows, held in fits))
    return reader(_rows(train, INTENTS), ready)


def toolken_with_cards(train: Sequence[Prompt]) -> Reader:
    """A row for rejection too, and the likeliest five are ranked again by their cards."""

    def reader(rows: np.ndarray, ready: float, sway: float) -> Reader:
        def read(texts: Sequence[str]) -> np.ndarray:
            called = _called(rows, texts, ready, named=True)
            return toolken.rerank(called, sway * similarity(texts), TOOLS)

        return read

    fits = [(_rows(fit, TOOLS), held) for fit, held in _thirds(train)]
    knobs = [(ready, sway) for sway in SWAY for ready in READY]
    best = max(knobs, key=lambda k: sum(hits(reader(rows, *k), held) for rows, held in fits))
    return reader(_rows(train, TOOLS), *best)


def intents(prompts: Sequence[Prompt]) -> list[str]:
    """Their intents; no prompt is ambiguous."""
    return [str(p.intent) for p in prompts]


def hits(reader: Reader, prompts: Sequence[Prompt]) -> int:
    """How many of them a reader takes for what they are."""
    found = reader([p.text for p in prompts]).argmax(1)
    return sum(TOOLS[at] == p.intent for at, p in zip(found, prompts, strict=True))


@cache
def frozen() -> Encoder:
    """Made once, of the project's own words and of the texts, not the labels, of development."""
    return Encoder([masked.names(p.text) for p in read("a")])


@cache
def _hidden(text: str) -> tuple[np.ndarray, float]:
    """h and the logsumexp of its words: of the same text always the same."""
    h = frozen()([masked.names(text)])
    return h[0], float(logsumexp(frozen().words(h)))


def hidden(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """[n, d] and [n], the mass of all words, as a logit."""
    found = [_hidden(text) for text in texts]
    return np.array([h for h, _ in found]), np.array([mass for _, mass in found])


@cache
def _shelf() -> tuple[TfidfVectorizer, np.ndarray]:
    texts = [tools.of_intent(intent).text for intent in INTENTS]
    words = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    return words, words.fit_transform(texts)


def similarity(texts: Sequence[str]) -> np.ndarray:
    """Cosine of each text with the card of each intent, [texts, intents]."""
    return np.array([_near(text) for text in texts])


@cache
def _near(text: str) -> np.ndarray:
    words, shelf = _shelf()
    return (words.transform([text]) @ shelf.T).toarray()[0]


def _rows(train: Sequence[Prompt], tools: Sequence[str]) -> np.ndarray:
    h, mass = hidden([p.text for p in train])
    return toolken.train(h, mass, toolken.one_hot(intents(train), tools))


def _called(
    rows: np.ndarray, texts: Sequence[str], ready: float, named: bool = False
) -> np.ndarray:
    """p of each intent and of rejection: words, and the row that is named so where there is one."""
    h, mass = hidden(texts)
    logits = h @ rows.T
    logits[:, : len(INTENTS)] += ready
    silent, called = toolken.split(mass, logits)
    found = np.exp(called)
    if named:
        found[:, -1] += np.exp(silent)
        return found
    return np.hstack([found, np.exp(silent)[:, None]])


def _thirds(train: Sequence[Prompt]) -> list[tuple[list[Prompt], list[Prompt]]]:
    """To fit and to calibrate: no template is on both sides."""
    part = {name: at % THIRDS for at, name in enumerate(dict.fromkeys(p.template for p in train))}
    return list(leave_out(train, lambda p: str(part[p.template])))


LADDER: dict[str, Rung] = {
    "majority": majority,
    RULES: rules,
    "nearest card": nearest_card,
    "tf-idf + logistic": logistic,
    "concepts + logistic": of_concepts,
    "toolken": plain_toolken,
    "toolken + cards + reject": toolken_with_cards,
    "rules + concepts": rules_and_concepts,
}
