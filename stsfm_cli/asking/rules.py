"""Intents by rule: what the concepts and the names of a prompt point at.

    score(intent) = exp Σ weights of its cues / Σ over all intents

A cue is a set of concepts that stand within a few words of each other, in any order (lexicon.yaml).
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect
from collections.abc import Mapping, Sequence
from typing import final

from stsfm.asking.answers import Refused
from stsfm.asking.reading.amounts import amounts
from stsfm.asking.reading.lexicon import lexicon
from stsfm.asking.reading.linking import Mention, by_card, mentions
from stsfm.asking.reading.names import EMBEDDING, Names, registry
from stsfm.asking.reading.tokens import Token, read
from stsfm.asking.selector import REJECT, Reject
from stsfm.asking.spec import INTENTS, Intent

DOUBT, RELIEVED = 2.6, 1.0  # cues that a request needs; where it names what there is: data, a run
NEAR = 4  # words from the first concept of a cue to its last, but for those that only join
BARE = 3  # words of a prompt that is no more than what is to be listed: "available losses?"
JOINING = ("in", "and", "with")
GROUP = ("model", "data", "loss", "analysis", "detector", "protocol", "embedding", "class")


@final
class Keywords:
    """Counts cues."""

    def __init__(self, names: Names | None = None) -> None:
        self.names = names or registry()

    def scores(self, text: str) -> Mapping[Intent | Reject, float]:
        try:
            tokens = read(text)
        except Refused:
            return {**dict.fromkeys(INTENTS, 0.0), REJECT: 1.0}
        weights = weigh(tokens, mentions(tokens, self.names), self.names)
        total = sum(map(math.exp, weights.values()))
        return {intent: math.exp(weight) / total for intent, weight in weights.items()}


def weigh(
    tokens: Sequence[Token], found: Sequence[Mention], names: Names
) -> dict[Intent | Reject, float]:
    """The sum of the cues of each intent."""
    at = _places(tokens, found, names)
    saying = _saying(tokens)
    weights: dict[Intent | Reject, float] = {}
    for intent in (*INTENTS, REJECT):
        cues = lexicon().cues[intent]
        weights[intent] = sum(w for cue, w in cues.items() if _stands(cue.split(), at, saying))
    weights[REJECT] += RELIEVED if {"DATA", "RUN"} & at.keys() else DOUBT
    return weights


def _places(
    tokens: Sequence[Token], found: Sequence[Mention], names: Names
) -> dict[str, list[int]]:
    """Concept, or kind of mention → where it stands."""
    at: dict[str, list[int]] = {}
    found = [mention for mention in found if not mention.casual]
    inside = {k for m in found for k in range(m.first, m.last + 1)}
    for k, token in enumerate(tokens):
        kind = {"file": "DATA", "run": "RUN"}.get(token.kind)
        concepts = [kind or ("" if k in inside else token.concept)]
        concepts += ["GROUP"] * (token.concept in GROUP)
        for concept in filter(None, concepts):
            at.setdefault(concept, []).append(k)
    for mention in found:
        at.setdefault(_kind(mention), []).append(mention.first)
        if mention.of(EMBEDDING):
            at.setdefault("EMBEDDING", []).append(mention.first)
    if "DATA" not in at and by_card(tokens, names, inside):
        at["DATA"] = [0]
    models = [m for m in found if m.of("model") and not m.of("data") and not m.of("class")]
    if "GROUP" in at and not {"DATA", "MODEL"} & at.keys() and len(_saying(tokens)) <= BARE:
        at["BARE"] = [0]
    if amounts(tokens, frozenset(inside)).horizon:
        at["HORIZON"] = [0]
    if len({tuple(m.of("model")) for m in models}) > 1:
        at["MODELS"] = [models[0].first]
    return at


def _saying(tokens: Sequence[Token]) -> list[int]:
    """Where the words stand that do more than join others."""
    return [k for k, t in enumerate(tokens) if not t.filler and t.concept not in JOINING]


def _kind(mention: Mention) -> str:
    """What a mention counts as, where it may be of several groups."""
    groups = {group for group, _ in mention.senses}
    if mention.senses == {("class", "all")}:
        return "ALL"
    order = ("data", "class", "model", "given", "detector", EMBEDDING, "metric")
    first = next(group for group in order if group in groups)
    return first.rpartition("/")[2].upper()


def _stands(cue: Sequence[str], at: Mapping[str, Sequence[int]], saying: Sequence[int]) -> bool:
    """Do the concepts of a cue stand together? Mentions may stand anywhere."""
    if not all(concept in at for concept in cue):
        return False
    places = [at[concept] for concept in cue if concept.islower() or concept == "GROUP"]
    return not places or any(
        bisect(saying, max(spots)) - bisect(saying, min(spots)) <= NEAR
        and len(set(spots)) == len(spots)
        for spots in itertools.product(*places)
    )
