"""Numbers as people write them: 1.234,5 · 1,234.5 · 12 kW · n/a · −3."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from stsfm.datasets.about import Finding
from stsfm.datasets.reading.delimited import shown

if TYPE_CHECKING:
    from pandas import Series

Decimal = Literal["auto", ".", ","]

MISSING = {"", "-", "--", "—", "?", ".", "*", "na", "n/a", "n.a.", "#n/a", "nan", "<na>", "null"}
MISSING |= {"none", "nil", "missing", "nodata", "no data", "inf", "-inf", "+inf"}
LARGEST = 1e150  # whose square is still a number
LABELS = 3  # units in one column: with more of them, 1a and 2b are names
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.I)
BODY = re.compile(r"([$€£¥]?)\s*([+-]?[\d.,'\s]*\d[\d.,]*(?:e[+-]?\d+)?)\s*(\D*)", re.I)


class Numbers(NamedTuple):
    """A column as numbers: NaN where there is none, and the unit that was written behind them."""

    values: np.ndarray
    unit: str
    findings: list[Finding]


def numbers(column: Series, decimal: Decimal) -> Numbers | None:
    """A column as float64, or None if it holds text: fewer than half of its cells are numbers.

    Words for missing values, text and infinities become NaN, each with a finding. Raises
    ValueError on units that differ within a column, and on numbers too large to be squared.
    """
    name = str(column.name)
    if column.dtype.kind in "biuf":  # parquet has its own numbers with gaps: Int64, Float64
        return _finite(column.to_numpy(dtype=float, na_value=np.nan), name, "", [])
    if column.isna().all():
        return Numbers(np.full(len(column), np.nan), "", [])
    if column.dtype.kind in "mM":
        return None
    filled = column.notna().to_numpy()
    cells = [_tidy(str(cell)) for cell in column[filled]]
    split = [_split(cell) for cell in cells]
    mark = _decimal([body for _, body in split if body]) if decimal == "auto" else decimal
    read = np.array([_float(body, mark) for _, body in split])
    infinite = np.array([cell.lower() in ("inf", "-inf", "+inf") for cell in cells])
    read[infinite] = np.inf
    gaps = np.array([cell.lower() in MISSING for cell in cells])
    if np.isfinite(read).sum() * 2 < (~gaps).sum() or (gaps | infinite).all():
        return None
    words = Counter(
        cell for cell, x, gap in zip(cells, read, gaps, strict=True) if np.isnan(x) or gap
    )
    findings = []
    for what, kept in (("words for missing", True), ("text in numbers", False)):
        some = {w: n for w, n in words.items() if (w.lower() in MISSING) is kept}
        some = {w: n for w, n in some.items() if not w.lower().endswith("inf")}
        if some:
            where = f"{name}: {shown([repr(word[:20]) for word in some])}"
            findings.append(Finding(what, where, sum(some.values()), "masked"))
    units = Counter(u for (u, _), x in zip(split, read, strict=True) if u and np.isfinite(x))
    if len(units) > LABELS:
        return None
    if len(units) > 1:
        raise ValueError(f"column {name!r} mixes the units {shown([*units])}: convert it to one")
    unit = next(iter(units), "")
    if unit:
        findings.append(Finding("unit in cells", f"{name}: {unit!r}", units[unit], "kept as unit"))
    if mark == "," or any("," in body for _, body in split):
        done = f"'{mark}' is read as the decimal mark; else data.decimal"
        count = sum("," in body for _, body in split)
        findings.append(Finding("commas in numbers", name, count, done))
    values = np.full(len(column), np.nan)
    values[filled] = read
    return _finite(values, name, unit, findings)


def _finite(values: np.ndarray, name: str, unit: str, findings: list[Finding]) -> Numbers:
    infinite = np.isinf(values)
    if infinite.any():
        findings = [*findings, Finding("infinite", name, int(infinite.sum()), "masked")]
        values = np.where(infinite, np.nan, values)
    with np.errstate(invalid="ignore"):
        large = abs(values) > LARGEST
    if large.any():
        worst = values[large][0]
        raise ValueError(f"column {name!r} holds {worst:g}, too large to compute with: rescale it")
    return Numbers(values + 0.0, unit, findings)  # −0 becomes 0


def _tidy(cell: str) -> str:
    return " ".join(cell.replace("−", "-").split())


def _split(cell: str) -> tuple[str, str]:
    """(unit, number as it is written); a cell that is neither has ("", "")."""
    if PLAIN.fullmatch(cell):
        return "", cell
    found = BODY.fullmatch(cell)
    if not found or cell.lower() in MISSING or (found[1].strip() and found[3].strip()):
        return "", ""
    unit = (found[1] or found[3]).strip()
    if len(unit) > 12 or re.search(r"[:/]\s*$|^\s*[:/-]", unit):
        return "", ""
    return unit, found[2]


def _decimal(bodies: list[str]) -> str:
    """Which of . and , is the decimal mark of a column: what stands once and last is."""
    if not any("," in body for body in bodies):
        return "," if any(body.count(".") > 1 for body in bodies) else "."
    if any("," in b and "." in b for b in bodies):
        both = next(b for b in bodies if "," in b and "." in b)
        return max(",.", key=both.rfind)
    commas = [body for body in bodies if "," in body]
    grouped = all(re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+", body) for body in commas)
    return "." if grouped or any("." in body for body in bodies) else ","


def _float(body: str, mark: str) -> float:
    """NaN unless the digits are grouped as they should be."""
    group = "." if mark == "," else ","
    pattern = rf"[+-]?(\d+|\d{{1,3}}([{group}' ]\d{{3}})+)?({re.escape(mark)}\d*)?(e[+-]?\d+)?"
    if not body or not re.fullmatch(pattern, body, re.I) or not re.search(r"\d", body):
        return np.nan
    return float(re.sub(rf"[{group}' ]", "", body).replace(mark, "."))
