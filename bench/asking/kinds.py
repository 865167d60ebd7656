"""Which class of models a selection is to be made from: the ladder once more, on fewer prompts.

Only prompts that ask for one class, or for any model, are asked about. A class's card is what it
says of itself and what its models do: one may ask for neighbours and not say metric.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from prompts import Prompt
from resolved import outcome
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from stsfm.asking import tools
from stsfm.asking.spec import RunSpec
from stsfm.selecting import classes

Chooser = Callable[[str], str]


def asked(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Prompts that ask for a choice from one class."""
    every = [p for p in prompts if p.spec and p.spec.intent == "select"]
    return [p for p in every if len(p.spec.among) == 1 and p.spec.among[0] in classes.ABOUT]


def majority(train: Sequence[Prompt]) -> Chooser:
    """The class that is asked for most."""
    most = Counter(p.spec.among[0] for p in train if p.spec).most_common(1)[0][0]
    return lambda text: most


def by_name(train: Sequence[Prompt]) -> Chooser:
    """The class that is named, by the linking of slots; all where none is."""

    def choose(text: str) -> str:
        found = outcome(text, "select")
        return "+".join(found.among) if isinstance(found, RunSpec) else "unclear"

    return choose


def logistic(train: Sequence[Prompt]) -> Chooser:
    """Words and letters, learned."""
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    model = make_pipeline(letters, LogisticRegression(C=30, max_iter=300))
    model.fit([p.text for p in train], [p.spec.among[0] for p in train if p.spec])
    return lambda text: str(model.predict([text])[0])


def nearest_card(train: Sequence[Prompt]) -> Chooser:
    """The class whose card is most like the text; nothing is learned."""
    letters, shelf = _shelf()
    names = [name for name in classes.every() if name != classes.ALL]

    def choose(text: str) -> str:
        near = (letters.transform([text]) @ shelf.T).toarray()[0]
        return names[int(np.argmax(near))] if near.max() > 0 else classes.ALL

    return choose


@cache
def _shelf() -> tuple[TfidfVectorizer, np.ndarray]:
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    texts = [
        "\n".join(
            [name, classes.ABOUT.get(name, ""), *(tools.of_choice("model", m).says for m in of)]
        )
        for name, of in classes.every().items()
        if name != classes.ALL
    ]
    return letters, letters.fit_transform(texts)


LADDER = {
    "majority": majority,
    "by name": by_name,
    "nearest card": nearest_card,
    "tf-idf + logistic": logistic,
}
