"""A prompt as it was typed, word by word. What no honest request holds is refused here.

text → formulas blotted out → checked → tokens: words and idioms, numbers, file paths, runs
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stsfm.asking.answers import Refused
from stsfm.asking.reading.lexicon import fits, lexicon
from stsfm.asking.reading.numerals import numeral
from stsfm.mistakes import did_you_mean

MOST = 1000  # characters of a prompt
LONGEST = 5  # words of a number: two thousand and twenty four
ENDINGS = ("csv", "tsv", "txt", "dat", "parquet", "nc", "nc4", "zarr")  # of what data= reads
KEYS = ("among", "budget", "data", "detector", "given", "h", "horizon", "metric", "model", "seeds")

FILE = re.compile(rf"[\w./~-]*\w\.(?:{'|'.join(ENDINGS)})(?:\.gz)?(?!\w|[./]\w)", re.IGNORECASE)
MARKED = re.compile(  # with blanks in it: in brackets or quotes
    rf"""(?<=[\["'«“])[\w./~-][\w ./~(),+-]*\.(?:{"|".join(ENDINGS)})(?:\.gz)?(?=[\]"'»”])""", re.I
)
RUN = re.compile(r"(?<!\w)(?:runs(?:/[\w-]+)+|s\d+-[0-9a-f]{10}|(?=[a-f]*\d)[0-9a-f]{10})(?!\w)")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+\d[^\W_]*|[^\W\d_]+|\n")
MARKS = ("$", "`", "|", "&&", ">", "<", "\\", "{", "}", "://", "#!")  # of shells, of Hydra
OPTION = re.compile(r"(?<![\w-])(?:--[A-Za-z][\w-]*|-[A-Za-z]{1,2}(?!\w))|([\w./]+)\s?=(?=\s?\S)")
PATH = re.compile(r"(?<![\w/])[~.]*/[^\s,;]+")
INDEX = r"(?:_(?:\w{1,2}|\{[^{}$]*\}))?"
SYMBOL = rf"d?[^\W\d_]{{1,2}}\d?{INDEX}['′]*(?:\([^\W\d_](?:, ?[^\W\d_])*\))?"
FORMULA = re.compile(  # u_t = κ Δu, x_{i+1} = r x_i (1 − x_i), dx/dt = −x
    rf"(?<![\w./=-])(?!h ?=)(?:∂\S{{1,3}}/∂\S{{1,3}}|{SYMBOL}(?:/{SYMBOL})?) ?=(?!=)"
    r"(?:[\s\d+*/^().,−·∂∇ΔΣ∫√²³-](?![A-Za-z]{3})|\b(?:sin|cos|tan|exp|log|tanh|sqrt)\b"
    rf"|{SYMBOL}(?![^\W_]))+"
)

Kind = Literal["word", "number", "file", "run"]


@dataclass(frozen=True)
class Token:
    """A word of a prompt and what the dictionary makes of it."""

    text: str  # as typed
    word: str  # in lower case, without accents
    kind: Kind
    start: int
    concept: str = ""
    slot: int = 0  # which bracket it stands in; 0 = none
    slips: int = 0  # of the keys, between the word and its concept

    @property
    def filler(self) -> bool:
        return self.word in lexicon().fillers


def read(text: str) -> list[Token]:
    """The tokens of a prompt. Refused where it holds what no request holds."""
    text = FORMULA.sub(lambda found: " " * len(found[0]), text.strip())
    check(text)
    found = [*_found(MARKED, "file", text), *_found(FILE, "file", text), *_found(RUN, "run", text)]
    found.sort(key=lambda token: (token.start, -len(token.text)))
    tokens: list[Token] = []
    at = 0
    for token in [*found, None]:
        end = token.start if token else len(text)
        if end < at:  # a file in a folder of runs is one token
            continue
        tokens += _words(text, at, end)
        if token:
            tokens.append(token)
            at = token.start + len(token.text)
    tokens = list(_idioms(_numerals(tokens)))
    return [replace(token, slot=_slot(text, token.start)) for token in tokens]


def check(text: str) -> None:
    """Refuse what could be meant for something else than to be read."""
    if len(text) > MOST:
        raise Refused(f"a prompt is a sentence or two; got {len(text):,} characters")
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"):
            raise Refused(f"a prompt is one line of text; got the character {ord(letter):#06x}")
    for word in re.findall(r"[^\W\d_]+", text):
        scripts = {_script(letter) for letter in word if letter.isalpha()}
        symbol = len(word) <= 2 and scripts <= {"LATIN", "GREEK"}  # of a formula
        if not symbol and scripts not in ({"LATIN"}, {"CYRILLIC"}):
            raise Refused(f"{word!r} is neither Latin nor Cyrillic throughout")
    bare = re.sub(r"`([\w .-]+)`", r"\1", text)  # `airline`, as in Markdown
    if mark := next((mark for mark in MARKS if mark in bare), ""):
        raise Refused(f"a prompt is read, and never run; {mark!r} has no place in it")
    for option in OPTION.finditer(bare):
        if option[1] not in KEYS:
            raise Refused(
                f"{option[0]!r} is an option; those of a command go after the prompt, as words of "
                f"their own.{did_you_mean(option[1] or '', KEYS)}"
            )
    if below := re.search(r"(?<!\S)[-−–]\d[\d.]*", bare):
        raise Refused(f"{below[0]!r}: wanted a whole number from 1")
    for path in (found.rstrip(".?!)]\"'»") for found in PATH.findall(bare)):
        if not FILE.fullmatch(path):
            raise Refused(f"{path!r} is no file of data ({', '.join(ENDINGS)})")


def fold(text: str) -> str:
    """In lower case, without accents; ё as е, й as it is."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("й", "\0"))
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("\0", "й")


def _words(text: str, start: int, end: int) -> list[Token]:
    found: list[Token] = []
    for match in WORD.finditer(text, start, end):
        word = fold(match[0])
        number = bool(NUMBER.fullmatch(word))
        if number:
            found.append(Token(match[0], word, "number", match.start()))
            continue
        known = word in lexicon().fillers or word in lexicon().numbers
        concept, slips = lexicon().concepts.of(word), 0
        if not concept and not known:
            concept, slips = lexicon().concepts.near(word)
        if word == "h" and re.match(r" ?=? ?\d", text[match.end() :]) and not _after_number(found):
            concept = "horizon"  # h=12
        found.append(Token(match[0], word, "word", match.start(), concept, slips=slips))
    return found


def _numerals(tokens: Sequence[Token]) -> Iterator[Token]:
    """Numbers in words as one number each: twenty-four is 24. One word alone is left a word."""
    at = 0
    while at < len(tokens):
        words = [token.word for token in tokens[at : at + LONGEST]]
        number, n = numeral(words, lexicon().numbers)
        if n > 1:
            said = " ".join(token.text for token in tokens[at : at + n])
            yield Token(said, f"{number:g}", "number", tokens[at].start)
        else:
            yield tokens[at]
        at += max(n, 1)


def _idioms(tokens: Iterable[Token]) -> Iterator[Token]:
    """Words that say something together, "head to head", as one word of that concept."""
    left = list(tokens)
    while left:
        n, concept = _idiom(left)
        if n:
            said = " ".join(token.text for token in left[:n])
            yield Token(said, said.lower(), "word", left[0].start, concept)
        else:
            yield left[0]
        left = left[max(n, 1) :]


def _idiom(tokens: Sequence[Token]) -> tuple[int, str]:
    """How many words an idiom at the beginning has, and its concept; (0, "") where none is."""
    for n, idioms in lexicon().idioms.items():
        words = [token.word for token in tokens[:n]]
        for patterns, concept in idioms if len(words) == n else ():
            if all(map(fits, patterns, words)):
                return n, concept
    return 0, ""


def _after_number(found: list[Token]) -> bool:
    return bool(found) and found[-1].kind == "number"


def _found(pattern: re.Pattern[str], kind: Kind, text: str) -> list[Token]:
    return [Token(m[0], m[0], kind, m.start()) for m in pattern.finditer(text)]


def _slot(text: str, at: int) -> int:
    """Which bracket a place is in, counted from 1; 0 outside of all."""
    opened = text.rfind("[", 0, at)
    return text.count("[", 0, at) if opened >= 0 and "]" not in text[opened:at] else 0


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return next((s for s in ("LATIN", "CYRILLIC", "GREEK") if name.startswith(f"{s} ")), "other")
