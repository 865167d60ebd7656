"""BibTeX entries: told apart, each once, and as lines to read.

Only what the entries of this project and of ordinary reference managers hold is understood; an
entry that is not is shown as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from stsfm.reports.content import Mark, Reference, Words, plain

ACCENTS = dict(zip("\"'`^~=.cvHurk", "\u0308\u0301\u0300\u0302\u0303\u0304\u0307\u0327"
                   "\u030c\u030b\u0306\u030a\u0328", strict=True))  # fmt: skip
LETTERS = {"ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "aa": "å", "AA": "Å", "ae": "æ",
           "AE": "Æ", "oe": "œ", "OE": "Œ", "i": "i", "j": "j"}  # fmt: skip
PLACES = ("journal", "booktitle", "publisher", "school", "institution", "howpublished")


def references(texts: Iterable[str]) -> list[Reference]:
    """The entries of some BibTeX files, each once, in the order of their lines."""
    found = {(key, entry) for text in texts for key, entry in entries(text)}
    made = [Reference(key, line(entry), entry) for key, entry in sorted(found)]
    return sorted(made, key=lambda reference: plain(reference.words).casefold())


def entries(text: str) -> Iterator[tuple[str, str]]:
    """Key and text of each entry."""
    starts = [match.start() for match in re.finditer(r"^\s*@\w+\s*\{", text, re.M)]
    for start, stop in pairwise([*starts, len(text)]):
        entry = text[start:stop].strip()
        yield re.split(r"[{,]", entry)[1].strip(), entry


def fields(entry: str) -> dict[str, str]:
    """Field → value, without the braces or quotes around it."""
    found, place = {}, re.compile(r"(\w+)\s*=\s*")
    position = entry.find(",")
    while match := place.search(entry, position):
        value, position = _value(entry, match.end())
        found[match[1].lower()] = value
    return found


def _value(text: str, start: int) -> tuple[str, int]:
    """The value that begins at `start`, and where it ends: {braces that nest}, "quotes" or bare."""
    depth, quoted = 0, text[start : start + 1] == '"'
    for place in range(start, len(text)):
        letter = text[place]
        depth += {"{": 1, "}": -1}.get(letter, 0)
        closed = depth == 0 and place > start and letter == ('"' if quoted else "}")
        if closed and (quoted or text[start] == "{"):
            return text[start + 1 : place], place + 1
        if not quoted and (depth < 0 or (depth == 0 and letter in ",\n")):
            return text[start:place].strip(), place
    return text[start:].strip(), len(text)


def line(entry: str) -> Words:
    """Authors (year). Title. Place, volume(number), pages. Where to find it."""
    told = {name: unlatex(value) for name, value in fields(entry).items()}
    if not {"author", "title"} <= told.keys():
        return [" ".join(entry.split())]
    place = next((told[name] for name in PLACES if told.get(name)), "")
    volume = told.get("volume", "") + (f"({told['number']})" if "number" in told else "")
    rest = ", ".join(part for part in (volume, told.get("pages", "")) if part)
    words: list[str | Mark] = [f"{_authors(told['author'])} ({told.get('year', 'no year')}). "]
    words.append(f"{told['title']}{'' if told['title'][-1:] in '.?!' else '.'} ")
    if place:
        words += [Mark(place, "italic"), f", {rest}. " if rest else ". "]
    doi, url = told.get("doi", ""), told.get("url", "")
    if doi or url:
        address = f"https://doi.org/{doi}" if doi else url
        words.append(Mark(address, "link", address))  # in print it can be read, too
    return words


def _authors(text: str) -> str:
    """Box, G. E. P. & Jenkins, G. M."""
    names = []
    for author in re.split(r"\s+and\s+", text):
        last, comma, first = author.partition(",")
        if not comma:
            first, _, last = author.rpartition(" ")
        initials = " ".join(f"{part[0]}." for part in re.split(r"[\s.]+", first) if part)
        names.append(f"{last.strip()}, {initials}" if initials else last.strip())
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} & {names[-1]}"


def unlatex(text: str) -> str:
    """LaTeX's accents, letters and dashes as Unicode; braces go."""
    accent = lambda m: unicodedata.normalize("NFC", (m[2] or m[3]) + ACCENTS[m[1]])  # noqa: E731
    text = re.sub(r"\\([\"'`^~=.])\s*(?:\{\\?(\w)\}|\\?(\w))", accent, text)
    text = re.sub(r"\\([cvHurk])(?:\{\\?(\w)\}|\s+(\w))", accent, text)
    letter = rf"\\({'|'.join(LETTERS)})(?![a-zA-Z])\s*"
    text = re.sub(letter, lambda m: LETTERS[m[1]], text)
    text = re.sub(r"\\([&%#_$])", r"\1", text.replace("---", "—").replace("--", "–"))
    return " ".join(re.sub(r"[{}]", "", text).replace("~", " ").split())
