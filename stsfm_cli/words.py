"""Numbers, names and columns as a reader sees them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

FEW = 8  # names that a line lists
ALPHA = 0.05  # that claims are made at: no p is rounded across it


def count(n: int, what: str) -> str:
    """1 node, 12 nodes, 1,200 nodes."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def steps(n: int, step: str) -> str:
    """144 months, 12 steps of 5 min; rows where there are no dates."""
    return f"{count(n, 'step')} of {step}" if step[:1].isdigit() else count(n, step or "row")


def number(value: float, digits: int) -> str:
    """With a true minus, and no sign where it rounds to zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def p_value(p: float) -> str:
    """p = 0.21, p < 0.001; p = 0.0496, for 0.05 would be on the other side of the level."""
    if p < 0.001:
        return "p < 0.001"
    told = (f"{p:.{figures}g}" for figures in range(2, 18))
    return f"p = {next(text for text in told if (float(text) < ALPHA) == (p < ALPHA))}"


def sized(size: float) -> str:
    """Bytes as powers of 1000: 12 MB."""
    for unit in ("B", "kB", "MB"):
        if size < 999.5:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def lasting(seconds: float) -> str:
    """A stretch of time, to two figures or so: 0.4 s, 12 s, 3.5 min, 21 h."""
    for size, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if seconds < 99.5 * size or unit == "h":
            break
    return f"{seconds / size:.{int(seconds < 9.95 * size)}f} {unit}"


def listed(names: Sequence[str]) -> str:
    """Names in a row, the first few of many."""
    shown = ", ".join(list(names)[:FEW]) or "none"
    return shown + (f" … ({len(names)} in all)" if len(names) > FEW else "")


def aligned(rows: Sequence[Sequence[str]], *, right: Collection[int]) -> Iterator[str]:
    """Columns of equal width; those in `right` end there, as numbers do."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = enumerate(zip(row, widths, strict=True))
        line = (cell.rjust(w) if k in right else cell.ljust(w) for k, (cell, w) in cells)
        yield "  ".join(line).rstrip()
