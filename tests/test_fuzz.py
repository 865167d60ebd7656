"""Tables in every shape a program may write: a panel that holds what was written, or one line.

STSFM_FUZZ=20000 looks longer than the usual 500 cases; .ci/run takes 2,000.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pytest

from stsfm.datasets.panel import Panel
from stsfm.datasets.tabular import tabular

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

CASES = int(os.environ.get("STSFM_FUZZ", "500"))
STEPS = ("m8[m]", "m8[h]", "m8[D]", "m8[W]", "m8[M]")
FORMATS = {
    "iso": lambda t: str(t),
    "blank": lambda t: str(t).replace("T", " "),
    "zulu": lambda t: f"{t}Z",
    "german": lambda t: t.item().strftime("%d.%m.%Y %H:%M"),
    "words": lambda t: t.item().strftime("%d %B %Y %H:%M"),
    "unix": lambda t: str(t.astype(int)),
}
JUNK = ["", "n/a", "-", "NaN", "inf", "error", "12 kW", "3 MW", "1e308", "1,5", "1.234,5", '"']
JUNK += [
    "-0.0",
    " ",
    "\0",
    "é",
    "1.2.3",
    "2020-13-45",
    "31/12/2020",
    "2020-01-01",
    "99999999",
    "a\nb",
]
JUNK += ["0001-01-01", "2020-W99", "2020Q7", "1e400", "٣", "½", "True", "#", "'", "\ufeff", "−5"]


@dataclass
class Table:
    """What was written: the cells (row, node), NaN for none, and how."""

    cells: np.ndarray
    header: list[str]
    records: list[list[str]]
    delimiter: str
    end: str
    encoding: str

    def encode(self, records: list[list[str]] | None = None) -> bytes:
        lines = [self.delimiter.join(row) for row in (records or [self.header, *self.records])]
        return (self.end.join(lines) + self.end).encode(self.encoding, "replace")


@st.composite
def tables(draw: st.DrawFn) -> Table:
    rows, nodes = draw(st.integers(4, 14)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    cells = rng.choice([0.0, 1.0, 1e-3, 1e4, 1e9]) * rng.standard_normal((rows, nodes))
    comma = draw(st.booleans())
    cells = np.round(cells, 2) if comma else cells
    cells[rng.random(cells.shape) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    cells[0] = rng.integers(-9, 9, nodes) + 0.25  # each node has been seen
    unit = draw(st.sampled_from(STEPS))
    start = np.datetime64("1980-01-01") + draw(st.integers(0, 15_000))
    time = (start.astype("M8[M]") if unit == "m8[M]" else start) + np.arange(rows).astype(unit)
    form = FORMATS[draw(st.sampled_from([*FORMATS]))]
    stamps = [form(t) for t in time.astype("M8[s]")]
    delimiter = draw(st.sampled_from(";\t|" if comma else ",;\t|"))

    def write(x: float) -> str:
        if np.isnan(x):
            return ""
        return f"{x:.2f}".replace(".", ",") if comma else repr(float(x))

    names = [f"s{n}" for n in range(nodes)]
    if draw(st.booleans()):
        header = ["time", *names]
        records = [[t, *(write(x) for x in row)] for t, row in zip(stamps, cells, strict=True)]
    else:
        header = ["time", "node", "value"]
        records = [
            [t, name, write(x)]
            for t, row in zip(stamps, cells, strict=True)
            for name, x in zip(names, row, strict=True)
        ]
    if draw(st.booleans()):
        rng.shuffle(records)
    end, encoding = draw(st.sampled_from(["\n", "\r\n", "\r"])), draw(st.sampled_from(ENCODINGS))
    return Table(cells, header, records, delimiter, end, encoding)


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A table after a few accidents."""
    table = draw(tables())
    records = [list(row) for row in [table.header, *table.records]]
    for _ in range(draw(st.integers(0, 6))):
        row = draw(st.integers(0, len(records) - 1))
        accident = draw(st.sampled_from(("junk", "drop", "twice", "short", "long", "column")))
        if accident == "junk" and records[row]:
            records[row][draw(st.integers(0, len(records[row]) - 1))] = draw(st.sampled_from(JUNK))
        elif accident == "drop" and len(records) > 1:
            del records[row]
        elif accident == "twice":
            records.insert(row, records[row][:])
        elif accident == "short":
            records[row] = records[row][:-1]
        elif accident == "long":
            records[row] = [*records[row], draw(st.sampled_from(JUNK))]
        else:
            junk, at = draw(st.sampled_from(JUNK)), draw(st.integers(0, 1))
            records = [[*row[:at], junk, *row[at + 1 :]] for row in records]
    raw = table.encode(records)
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(st.binary(max_size=8))
    return raw


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "x.csv"


def read(file, raw: bytes) -> Panel | str:
    """The panel, or the one line that says why there is none."""
    file.write_bytes(raw)
    try:
        return tabular(path=str(file))
    except ValueError as error:
        assert type(error) is ValueError, type(error)  # a subclass comes from inside a library
        assert str(error).strip() and "\n" not in str(error)
        return str(error)


@settings(max_examples=CASES // 10, deadline=None, derandomize=True, database=None)
@given(table=tables())
def test_a_clean_table_comes_back_cell_by_cell(file, table):
    panel = read(file, table.encode())
    assert isinstance(panel, Panel), panel
    order = np.argsort(panel.about.nodes)
    got = np.where(panel.mask, panel.values, np.nan)[:, order, 0]
    np.testing.assert_array_equal(got, table.cells)


@settings(max_examples=CASES, deadline=None, derandomize=True, database=None)
@given(raw=damaged())
def test_a_damaged_table_gives_a_panel_or_one_line(file, raw):
    panel = read(file, raw)
    if isinstance(panel, Panel):
        assert panel.mask.any() and np.isfinite(panel.known).all()
        assert all(finding.count > 0 for finding in panel.about.findings)
