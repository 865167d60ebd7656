"""A frozen reader of text: latent semantic analysis of the project's own words.

    x = tf-idf(text) (words, and letters inside words)      [features]
    h = x V / ‖x V‖                                         [d]      V: right singular vectors
    p(word | h) = softmax(κ V_words h + log p(word))        [words]

It learns from texts alone, without a label: docs, tool cards and the texts of prompts. The head
that names words is tied to the encoder, and its one scale κ is that of the greatest likelihood: a
small language model of bags of words, the least that a toolken can be put beside.

Deerwester et al., Indexing by latent semantic analysis (1990).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.special import log_softmax
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from stsfm import options
from stsfm.asking import tools
from stsfm.asking.spec import INTENTS

DIM = 96  # of h
DOCS = Path(__file__).parents[2] / "docs"


def features() -> FeatureUnion:
    """Words and pairs of them; and letters, which typing errors and endings leave alike."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    return FeatureUnion([("words", words), ("letters", letters)])


@cache
def corpus() -> tuple[str, ...]:
    """What the project says of itself: paragraphs of its docs, cards of its intents and choices."""
    pages = (page.read_text() for page in sorted(DOCS.glob("[!a]*.md")))
    paragraphs = (text for page in pages for text in re.split(r"\n\s*\n", page))
    known = options.groups()
    choices = [
        f"{card.name} {card.says}"
        for group in ("model", "data", "detector", "analysis", "model/embedding", "loss")
        for card in (tools.of_choice(group, name) for name in known.get(group, ()))
    ]
    intents = [line for intent in INTENTS for line in tools.of_intent(intent).text.splitlines()]
    return tuple(t for t in (*paragraphs, *choices, *intents) if len(t.split()) > 3)


class Encoder:
    """Text → h, and the words that h speaks of. Nothing changes it once it is made."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.features = features()
        counted = self.features.fit_transform([*corpus(), *texts])
        svd = TruncatedSVD(DIM, random_state=0).fit(counted)
        self.basis = svd.components_.T  # [features, d]
        words = dict(self.features.transformer_list)["words"]
        n = len(words.vocabulary_)
        shown = np.asarray((counted[:, :n] > 0).sum(0)).ravel()
        self.prior = np.log(shown / shown.sum())  # [words]
        h = self._project(counted)
        weights = counted[:, :n]
        self.scale = float(
            minimize_scalar(
                lambda scale: self._surprise(scale, h, weights), bounds=(0, 60), method="bounded"
            ).x
        )

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """[texts, d], of length one; 0 where nothing of a text is known."""
        return self._project(self.features.transform(list(texts)))

    def words(self, h: np.ndarray) -> np.ndarray:
        """The logits of all words, [texts, words]."""
        return self.scale * h @ self.basis[: len(self.prior)].T + self.prior

    def _project(self, counted: csr_matrix) -> np.ndarray:
        h = counted @ self.basis
        return h / np.maximum(np.linalg.norm(h, axis=1, keepdims=True), 1e-12)

    def _surprise(self, scale: float, h: np.ndarray, weights: csr_matrix) -> float:
        """Mean negative log-likelihood of the words that there are."""
        logits = scale * h @ self.basis[: len(self.prior)].T + self.prior
        return -float(weights.multiply(log_softmax(logits, axis=1)).sum() / weights.sum())
