"""A token for each tool: one trained row beside the vocabulary of a frozen language model.

    p(· | h) = softmax([W_words; W_tools + b] h)     h: frozen     W_tools: [tools, d], trained
    p(tool | h) = exp(logsumexp(W_tools h + b) − logsumexp(all))

Training sees b = 0: a prompt in scope is to call its tool, one out of scope to be answered in
words, or, where there is a row for it, to call `reject`. b is added to every tool afterwards, and
is the knob that says how readily a tool is called. The objective is convex.

Hao et al., ToolkenGPT: augmenting frozen language models with massive tools via tool embeddings
(2023); with reranking by documentation and a row for rejection, Yakovlev et al., Toolken+ (2024).
Our frozen model is `encoder.Encoder`, a bag of words, where theirs is LLaMA: what is compared is
the idea of a row per tool, not a language model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from stsfm.asking.selector import REJECT

RIDGE = 0.02  # of W_tools, per training prompt
TOP = 5  # tools that are ranked again


def split(silent: np.ndarray, tools: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log p(no tool) [n] and log p(each tool) [n, tools].

    silent  [n] logsumexp of the logits of all words
    tools   [n, tools] logits
    """
    total = np.logaddexp(silent, logsumexp(tools, axis=1) if tools.shape[1] else -np.inf)
    return silent - total, tools - total[:, None]


def loss(
    rows: np.ndarray, h: np.ndarray, silent: np.ndarray, called: np.ndarray
) -> tuple[float, np.ndarray]:
    """Mean cross-entropy and its gradient by the rows, which is all that is trained.

    rows    [tools, d]
    h       [n, d], frozen
    silent  [n] logsumexp of the frozen logits of words
    called  [n, tools] one-hot; a row of zeros where words are wanted
    """
    logits = h @ rows.T
    total = np.logaddexp(silent, logsumexp(logits, axis=1))
    wanted = np.where(called.any(1), (called * logits).sum(1), silent)
    gradient = (np.exp(logits - total[:, None]) - called).T @ h / len(h)
    value = float((total - wanted).mean()) + RIDGE / 2 * float((rows**2).sum()) / len(h)
    return value, gradient + RIDGE * rows / len(h)


def train(h: np.ndarray, silent: np.ndarray, called: np.ndarray) -> np.ndarray:
    """The rows of the least loss, [tools, d]; the arguments are those of `loss`."""
    shape = (called.shape[1], h.shape[1])

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = loss(flat.reshape(shape), h, silent, called)
        return value, gradient.ravel()

    found = minimize(objective, np.zeros(np.prod(shape)), jac=True, method="L-BFGS-B")
    return found.x.reshape(shape)


def one_hot(intents: Sequence[str | None], tools: Sequence[str]) -> np.ndarray:
    """[n, tools]; zeros where an intent is none of the tools."""
    return np.array([[float(intent == tool) for tool in tools] for intent in intents])


def rerank(p: np.ndarray, near: np.ndarray, tools: Sequence[str]) -> np.ndarray:
    """p of the `TOP` likeliest tools, shared out anew by p · exp(similarity with the card).

    REJECT has no card: what it has of similarity is the mean of the others'.
    """
    p = p.copy()
    fill = near.mean(1, keepdims=True)
    near = np.hstack([near, fill]) if tools[-1] == REJECT else near
    first = np.argsort(-p, axis=1)[:, :TOP]
    mine = np.take_along_axis(p, first, 1)
    weighed = mine * np.exp(np.take_along_axis(near, first, 1))
    weighed *= mine.sum(1, keepdims=True) / weighed.sum(1, keepdims=True)
    np.put_along_axis(p, first, weighed, 1)
    return p
