"""The names that a prompt may use: the choices of conf/, what their cards call them, and words.

A card is the line that `stsfm list` prints of a choice. Its head is another name ("Gated recurrent
unit: …"), its first words and its proper nouns tell a dataset apart ("Speed of taxis on roads of
Shenzhen"). Nothing is listed a second time: a new choice is understood once its file is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path

from stsfm import options
from stsfm.asking.reading.lexicon import lexicon

EMBEDDING = "model/embedding"
GROUPS = ("data", "model", "detector", "given", EMBEDDING, "analysis", "loss", "protocol")
LISTED = (*(g for g in GROUPS if g not in ("given", EMBEDDING)), "embedding", "class")
METRICS = ("mae", "rmse", "mase", "smape", "wape", "crps", "r2")  # that may decide
HEAD = re.compile(r"[,:;(–]| by | of | with | that | and | about | from ")
ARTICLE = re.compile(r"^(?:A|An|The) ")
HEADS = 5  # first words of a card that name what it is of
STEP = re.compile(
    r"\b(?:by|every) (?:the )?(\d+)? ?(minute|hour|day|week|month)"
    r"|\b(hour|week|dai|annual)ly?\b",
    re.IGNORECASE,
)

Step = tuple[int, str] | None  # (5, "minute")


@dataclass(frozen=True)
class Names:
    """What each group offers, and what its choices are called."""

    cards: Mapping[str, Mapping[str, str]]  # group → choice → its line

    def of(self, group: str) -> list[str]:
        return list(self.cards.get(group, {}))

    @cached_property
    def called(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """What a choice is called, without blanks → (group, choice) of that name."""
        found: dict[str, set[tuple[str, str]]] = {}
        for group in ("data", "model", "detector", "given", EMBEDDING):
            heads: dict[str, set[str]] = {}
            for name, card in self.cards.get(group, {}).items():
                for alias in (name, re.sub(r"(?<=[a-z_])0+(?=\d)", "", name)):
                    found.setdefault(squeezed(alias), set()).add((group, name))
                head = HEAD.split(ARTICLE.sub("", card), maxsplit=1)[0].split()
                if 2 <= len(head) <= HEADS:
                    heads.setdefault(squeezed(" ".join(head)), set()).add(name)
            for head_of, (name, *others) in ((h, tuple(names)) for h, names in heads.items()):
                if not others:
                    found.setdefault(head_of, set()).add((group, name))
        for metric in METRICS:
            found.setdefault(metric, set()).add(("metric", metric))
        for group, section in (("class", "classes"), ("metric", "metrics")):
            for name in lexicon().raw[section]:
                found.setdefault(squeezed(name), set()).add((group, name))
        return {alias: frozenset(senses) for alias, senses in found.items()}

    @cached_property
    def joined(self) -> list[str]:
        """Names of several words, without blanks."""
        groups = ("data", "model", "detector", EMBEDDING)
        return [squeezed(name) for group in groups for name in self.of(group) if "_" in name]

    @cached_property
    def proper(self) -> Mapping[str, frozenset[str]]:
        """Dataset → proper nouns of its card: Shenzhen. One of them is enough to tell it."""
        return {
            name: told & {squeezed(word) for word in re.findall(r"(?<= )[A-Z][a-z]+", cards[name])}
            for cards in [self.cards["data"]]
            for name, told in self.telling.items()
        }

    @cached_property
    def telling(self) -> Mapping[str, frozenset[str]]:
        """Dataset → words of its card that tell what it is of."""
        found: dict[str, frozenset[str]] = {}
        for name, card in self.cards["data"].items():
            words = re.findall(r"[A-Za-z]+", card)
            chosen = {*words[:HEADS], *(word for word in words[1:] if word[0].isupper())}
            told = (w for w in chosen if len(w) > 3 and not _plain(w.lower()))
            found[name] = frozenset(map(squeezed, told))
        return found

    def step(self, name: str) -> Step:
        """How long a step of a dataset is, as its card has it; None: not said."""
        found = STEP.search(self.cards["data"].get(name, ""))
        if not found:
            return None
        unit = (found[2] or found[3]).lower()
        return int(found[1] or 1), {"dai": "day", "annual": "year"}.get(unit, unit)


@cache
def registry() -> Names:
    """What the folders of conf/ offer; of data what has its own, and not the readers of files."""
    known = options.groups()
    cards: dict[str, dict[str, str]] = {}
    for group in GROUPS:
        files = {name: options.file_of(group, name) for name in known.get(group, [])}
        cards[group] = {name: options.about(file) for name, file in files.items()
                        if group != "data" or _has_rows(file)}  # fmt: skip
    return Names(cards)


def _has_rows(file: Path) -> bool:
    path = re.search(r"^path:(.*)", file.read_text(), re.MULTILINE)
    return path is None or "fetched" in path[1]


@lru_cache(10_000)
def squeezed(text: str) -> str:
    """Letters and digits alone, each word in the singular: "pems 03" and "PEMS-03" are pems03."""
    words: Iterable[str] = re.findall(r"[^\W_]+", text.lower())
    return "".join(
        w[:-1] if w.endswith("s") and not w.endswith("ss") and len(w) > 3 else w for w in words
    )


def _plain(word: str) -> bool:
    """Is it a word of the dictionary, rather than a name?"""
    return bool(lexicon().concepts.of(word)) or word in lexicon().fillers
