"""Names in a prompt: which of its words mean which choice, and how sure that is.

    tokens → mentions, left to right, the longest name first:
        as written (1.0) · by the dictionary (0.95) · by a part of the name (0.9) · misspelt (less)

A word that is near to several names means none of them: all are kept, for the user to choose.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from stsfm.asking.reading.lexicon import fits, lexicon, slips
from stsfm.asking.reading.names import Names, squeezed
from stsfm.asking.reading.tokens import Token

LONGEST = 6  # words of a name
SURE = {"as written": 1.0, "by the dictionary": 0.95, "by a part of its name": 0.9}
DIGITS = re.compile(r"\d+")
DETECTING = ("change", "changepoint", "find")
CALLING = ("with", "model", "detector", "embedding", "compare", "better", "among", "except")
CLASSED = ("model", "class")
JOINING = ("и", "а", "к", "с", "у", "о", "в")
LETTERS = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфхцыэ", "abvgdeziyklmnoprstufhcye", strict=True))
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ь": "", "ю": "u", "я": "a"}
)

ENDINGS = ("", "ой", "ою", "ом", "ем", "ами", "а", "у", "е", "ы", "и", "ов", "ам", "ах")
SOUNDS = {"ph": "f", "th": "t", "ck": "k", "c": "k", "x": "ks", "w": "v", "y": "i", "q": "k"}

Sense = tuple[str, str]  # group, choice


@dataclass(frozen=True)
class Mention:
    """Some words, and the choices that they may mean: one of each group, unless they fit more."""

    first: int  # token
    last: int
    senses: frozenset[Sense]
    how: str
    sure: float
    casual: bool = False  # an everyday word, which nothing marks as a name here

    def of(self, group: str) -> list[str]:
        return sorted(name for of, name in self.senses if of == group)


def mentions(tokens: Sequence[Token], names: Names) -> list[Mention]:
    """Every mention of a name, from left to right; they share no word."""
    found: list[Mention] = []
    taken: set[int] = set()
    for search in (_written, _partly, _misspelt):
        for mention in search(tokens, names, frozenset(taken)):
            places = set(range(mention.first, mention.last + 1))
            if not places & taken:
                found.append(mention)
                taken |= places
    casual = [mention for mention in found if _ordinary(tokens, mention)]
    named = [mention for mention in found if mention not in casual]
    while called := [m for m in casual if _called_for(tokens, m, named)]:
        named += called  # which may call for another: naive, mean and drift
        casual = [m for m in casual if m not in called]
    told = [*named, *(replace(m, casual=True) for m in casual)]
    return sorted(told, key=lambda mention: mention.first)


def latin(word: str) -> str:
    """A Russian word in Latin letters: лстм is lstm, арима is arima."""
    return word.translate(LETTERS)


def spellings(word: str) -> list[str]:
    """How a name may stand in conf/ that is written so; of a Russian word without its ending, too:
    аримой is arima, профетом is profet, which sounds like prophet.
    """
    if word.isascii():
        return [squeezed(word)]
    stems = [word.removesuffix(end) for end in ENDINGS if word.endswith(end)]
    stems = [stem for stem in stems if len(stem) > 2]
    return [latin(form) for stem in (word, *stems) for form in (stem, f"{stem}а")]


def sound(name: str) -> str:
    """Letters that Russian doesn't tell apart, made one."""
    for written, heard in SOUNDS.items():
        name = name.replace(written, heard)
    return re.sub(r"(.)\1", r"\1", name)


def _written(tokens: Sequence[Token], names: Names, taken: frozenset[int]) -> Iterator[Mention]:
    """Names as they are written, however their parts are joined, and words that mean one."""
    i = 0
    while i < len(tokens):
        mention = None if i in taken else _longest(tokens, i, names)
        if mention:
            yield mention
        i = mention.last + 1 if mention else i + 1


def _longest(tokens: Sequence[Token], i: int, names: Names) -> Mention | None:
    for n in range(min(LONGEST, len(tokens) - i), 0, -1):
        words = [token.word for token in tokens[i : i + n]]
        if any(token.kind in ("file", "run") for token in tokens[i : i + n]):
            continue
        if n > 1 and (words[0] in JOINING or all(t.filler for t in tokens[i : i + n])):
            continue  # "и transformer" is no itransformer, "me an" no mean
        joined = "".join(squeezed(latin(word)) for word in words)
        exact, told = names.called.get(joined, frozenset()), _by_phrase(words, names)
        if {group for group, _ in exact} == {"given"}:
            told |= _parts(joined, names)  # "heat" is an equation, and may be heat_grid
        if n == 1 and not exact:
            told |= _heard(tokens[i], names)
        halves = n == 2 and not exact | told and not any(map(_known, tokens[i : i + n]))
        halves = halves and words[0] not in names.called  # "prophet dlya" is no "prophet deltas"
        if halves and len(near := nearest(joined, names.joined)) == 1:  # "sesaonal naive"
            sure = round(1 - slips(near[0], joined) / len(near[0]), 2)
            return Mention(i, i + 1, names.called[near[0]], "misspelt", sure)
        if exact or told:
            how = "as written" if exact and all(map(str.isascii, words)) else "by the dictionary"
            return Mention(i, i + n - 1, exact | told, how, SURE[how])
    return None


def _heard(token: Token, names: Names) -> frozenset[Sense]:
    """A name as Russians spell it."""
    if token.word.isascii() or len(token.word) < 3 or _known(token):
        return frozenset()
    forms = set(map(sound, spellings(token.word)))
    return frozenset(s for a, senses in names.called.items() if sound(a) in forms for s in senses)


def _by_phrase(words: Sequence[str], names: Names) -> frozenset[Sense]:
    """What the dictionary says of words that follow each other."""
    senses: set[Sense] = set()
    for patterns, section, meaning in lexicon().phrases.get(len(words), ()):
        if all(map(fits, patterns, words)):
            if section == "names":
                senses |= names.called.get(squeezed(meaning), _parts(squeezed(meaning), names))
            else:
                senses.add(({"classes": "class", "metrics": "metric"}[section], meaning))
    return frozenset(senses)


def _partly(tokens: Sequence[Token], names: Names, taken: frozenset[int]) -> Iterator[Mention]:
    """A part of a name ("wavenet"), or how several names begin ("pems"); "heat … grid" is one."""
    said = {squeezed(token.word) for token in tokens}
    for i, token in enumerate(tokens):
        if i in taken or token.kind != "word" or _known(token) or len(token.word) < 3:
            continue
        senses = _parts(squeezed(latin(token.word)), names)
        if not alone(tokens, i, taken):
            senses = frozenset(sense for sense in senses if sense[0] != "data")
        whole = {(g, n) for g, n in senses if {squeezed(p) for p in n.split("_")} <= said}
        if senses:
            how = "by a part of its name"
            yield Mention(i, i, frozenset(whole or senses), how, SURE[how])


def alone(tokens: Sequence[Token], i: int, taken: Collection[int] = ()) -> bool:
    """Is a part of a name no part of another: no "heart rate" for exchange_rate?"""
    beside = [tokens[k] for k in (i - 1, i + 1) if 0 <= k < len(tokens) and k not in taken]
    return not any(strange(token) for token in beside)


def strange(token: Token) -> bool:
    """A word that means nothing to the dictionary."""
    return token.kind == "word" and not token.concept and not _known(token)


def _parts(word: str, names: Names) -> frozenset[Sense]:
    """Datasets that begin so, and names of which it is a word."""
    found = {
        ("data", n) for n in names.of("data") if squeezed(n).startswith(word) and len(word) > 2
    }
    if len(word) > 3:
        found |= {("given", n) for n in names.of("given") if squeezed(n).startswith(word)}
    for group in ("data", "model", "given"):
        found |= {(group, n) for n in names.of(group) if len(word) > 3
                  and word in map(squeezed, n.split("_"))}  # fmt: skip
    return frozenset(found)


def _misspelt(tokens: Sequence[Token], names: Names, taken: frozenset[int]) -> Iterator[Mention]:
    """The nearest names; of equally near ones all."""
    for i, token in enumerate(tokens):
        if i in taken or token.kind != "word" or _known(token):
            continue
        for n in (2, 1):
            words = tokens[i : i + n]
            if len(words) < n or any(t.kind != "word" for t in words):
                continue
            forms = spellings(words[0].word) if n == 1 else []
            joined = "".join(squeezed(latin(t.word)) for t in words)
            close = ((form, nearest(form, names.called)) for form in (joined, *forms))
            joined, near = next(((form, near) for form, near in close if near), ("", []))
            if near:
                senses = frozenset(s for alias in near for s in names.called[alias])
                far = slips(near[0], joined)
                if token.concept and token.slips < far and n == 1:
                    break
                yield Mention(i, i + n - 1, senses, "misspelt", round(1 - far / len(near[0]), 2))
                break


def nearest(word: str, called: Iterable[str], *, hint: bool = False) -> list[str]:
    """The names that a misspelt word is nearest to; digits are never misspelt.

    hint   further names, too, and other digits: to be shown, and not to be taken
    """
    near: list[tuple[int, str]] = []
    letters = frozenset(word)
    for alias in called:
        allowed = _allowed(alias, word) + 2 * hint
        if not allowed or abs(len(alias) - len(word)) > allowed:
            continue
        if len(letters ^ frozenset(alias)) > 2 * allowed:  # each slip tells apart two letters
            continue
        if hint or DIGITS.findall(alias) == DIGITS.findall(word):
            far = slips(alias, word)
            if far <= min(allowed, len(alias) // 2):
                near.append((far, alias))
    least = min(near, default=(0, ""))[0]
    return [alias for far, alias in sorted(near) if far == least]


def _allowed(alias: str, word: str) -> int:
    """Slips that a name is forgiven: of three letters their order alone, of eight two."""
    if len(alias) < 3 or abs(len(alias) - len(word)) > 2:
        return 0
    if sorted(alias) == sorted(word) or (len(alias) > 3 and alias[0] == word[0]):
        return 2 if len(alias) > 7 else 1
    return 1 if len(alias) > 5 else 0


def _known(token: Token) -> bool:
    """Does the dictionary have it as it is written?"""
    return (
        token.filler or bool(token.concept and not token.slips) or token.word in lexicon().numbers
    )


def _ordinary(tokens: Sequence[Token], mention: Mention) -> bool:
    """Is it a name that is an everyday word, too? What stands in brackets is a name."""
    (first, *more) = tokens[mention.first : mention.last + 1]
    named = {group for group, _ in mention.senses} - {"metric"}
    slip = mention.how == "misspelt" and bool(first.concept) and not mention.of("data")
    return bool(named) and not more and not first.slot and (_known(first) or slip)


def _called_for(tokens: Sequence[Token], mention: Mention, names: Sequence[Mention]) -> bool:
    """Is an everyday word a name here: "with drift", "drift and lstm", "the drift model"?"""
    before, after = mention.first - 1, mention.last + 1
    around = [k for k in (before - 1, before, after) if 0 <= k < len(tokens)]
    if {group for group, _ in mention.senses} == {"class"}:
        return _classed(tokens, mention, names)
    calling = CALLING + DETECTING * bool(mention.of("detector"))
    if any(tokens[k].concept in calling for k in around):
        return True
    if mention.of("data") and (before < 0 or tokens[before].concept in ("in", "data", "series")):
        return after == len(tokens) or tokens[after].word != "by"
    return _beside(tokens, mention, names)


def _classed(tokens: Sequence[Token], mention: Mention, names: Sequence[Mention]) -> bool:
    """Is it a class of models: "physics models", "из прямых", and no physics that is known?"""
    before, after = mention.first - 1, mention.last + 1
    said = [tokens[k].concept for k in (after, after + 1) if k < len(tokens)]
    chosen = before >= 0 and (
        tokens[before].concept == "among" or tokens[before].word in ("from", "из", "class")
    )
    return chosen or bool({*said} & {*CLASSED}) or _beside(tokens, mention, names)


def _beside(tokens: Sequence[Token], mention: Mention, names: Sequence[Mention]) -> bool:
    """Does it stand beside names of its kind, with or without a word that joins them?"""
    before, after = mention.first - 1, mention.last + 1
    groups = {group for group, _ in mention.senses}
    names = [m for m in names if groups & {group for group, _ in m.senses}]
    beside = {k for m in names for k in (m.first, m.last)}
    step = {before: before - 1, after: after + 1}
    return bool(beside & {before, after}) or any(
        tokens[k].concept == "and" and other in beside
        for k, other in step.items()
        if 0 <= k < len(tokens)
    )


def by_card(tokens: Sequence[Token], names: Names, taken: Iterable[int]) -> list[str]:
    """The datasets whose cards have most of what is said, "taxis in Shenzhen"; or none."""
    used = set(taken)
    free = [k for k, t in enumerate(tokens) if k not in used and t.kind == "word"]
    said = {k: squeezed(tokens[k].word) for k in free if not _known(tokens[k])}
    held = {
        n: {k for k, word in said.items() if word in names.telling[n]} for n in names.of("data")
    }
    held = {
        n: at
        for n, at in held.items()
        if len(at) > 1 or all(said[k] in names.proper[n] and alone(tokens, k, used) for k in at)
    }
    most = max(map(len, held.values()), default=0)
    return sorted(name for name, at in held.items() if len(at) == most) if most else []
