"""What a report cites: its models and intervals, its metrics and tests, each where it is used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from stsfm.reports.chapters.common import cards_of, diagnosed
from stsfm.reports.content import Block, References
from stsfm.reports.page import Page
from stsfm.reports.references import entries, references

METHODS = {  # what a column or a sentence speaks of → its sources
    "MASE": ("hyndman2006mase",),
    "CRPS": ("gneiting2007scoring",),
    "Diebold–Mariano": ("diebold1995", "coroneo2020"),
    "EWC": ("lazarus2018",),
    "Holm": ("holm1979",),
    "model confidence set": ("hansen2011mcs",),
    "block bootstrap": ("kunsch1989",),
    "Wilcoxon": ("wilcoxon1945", "demsar2006"),
    "Friedman": ("iman1980",),
    "Nemenyi": ("demsar2006",),
    "Bayesian signed-rank": ("benavoli2017",),
}
SPACE = ("moran1950", "cliff1981", "zambon2022")  # of the chapter on space
CARD = ("cleveland1990stl", "wang2006", "said1984", "kwiatkowski1992")  # of the card of a dataset
RESIDUALS = ("ljung1978",)


def cited(page: Page) -> Iterator[Block]:
    """Of the models and intervals that are shown, and of the metrics and tests that are used."""
    grid, shown = page.grid, page.shown
    rows = [row for one in shown for row in one.table.rows]
    texts = [text_of(run.folder / "references.bib") for row in rows for run in row.records]
    said = [*grid.tested, *(words for one in shown for words in (*one.header, *one.table.tested))]
    used = [keys for word, keys in METHODS.items() if any(word in line for line in said)]
    spatial = any(scores.get("space") for row in rows for scores in row.scores)
    used += [SPACE] * spatial + [CARD] * bool(cards_of(page))
    used += [RESIDUALS] * bool(diagnosed(page))
    texts += library(*(key for keys in used for key in keys))
    yield References(references(texts))


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def library(*keys: str) -> list[str]:
    """Entries of the references that ship with the package."""
    text = files("stsfm").joinpath("references.bib").read_text(encoding="utf-8")
    held = dict(entries(text))
    return [held[key] for key in keys]
