"""Files as people have them: each gives one clear line or a sensible panel, never a traceback.

A case is a file, the keys given with it, and what `stsfm check` must say: a Mistake of one line
(exit 2), or the facts and findings of a panel (exit 0).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import numpy as np
import pytest

N = 40
DAYS = [str(np.datetime64("2021-01-04") + k) for k in range(N)]
HOURS = [f"2021-03-{1 + k // 24:02} {k % 24:02}:00" for k in range(N)]


def table(stamps=DAYS, head="time,a,b", cell="{k}.5,{k2}", skip=(), change=None, sep="\n"):
    """A clean file of two nodes, with some lines changed: {row: line}."""
    rows = [f"{t},{cell.format(k=k, k2=k * k)}" for k, t in enumerate(stamps) if k not in skip]
    for row, line in (change or {}).items():
        rows[row] = line
    return sep.join([head, *rows]) + sep


def values(cells, head="time,a"):
    """A file of one node and these cells."""
    return "\n".join([head, *(f"{t},{x}" for t, x in zip(DAYS, cells, strict=False))]) + "\n"


def numbered(**at):
    """0.5, 1.5, … with some cells replaced: numbered(k3="x")."""
    return [at.get(f"k{k}", f"{k}.5") for k in range(N)]


def stamped(stamps):
    return "\n".join(["time,a", *(f"{t},{k}" for k, t in enumerate(stamps))]) + "\n"


def hours(start, stop):
    return [str(t).replace("T", " ") for t in np.arange(start, stop, dtype="M8[h]")]


BERLIN = hours("2021-10-30T12", "2021-10-31T03") + hours("2021-10-31T02", "2021-11-01T12")
SPRING = hours("2021-03-27T12", "2021-03-28T12")
FIRSTS = [f"{1 + k % 12:02}/01/{2015 + k // 12}" for k in range(N)]
UNEVEN = np.datetime64("2021-01-01T00:00") + np.cumsum(np.arange(N) ** 2 % 37 + 1)
GERMAN = [f"{d[8:]}.{d[5:7]}.{d[:4]}" for d in DAYS]
ENGLISH = [f"{d[8:]} {('Jan', 'Feb')[d[5:7] == '02']} {d[:4]}" for d in DAYS]
MONTH_ENDS = [str((np.datetime64("2020-02") + k).astype("M8[D]") - 1) for k in range(N)]
FUTURE = {k: f"{DAYS[k]},,{k}" for k in range(35, N)}
LONG = "".join(f"{t},{n},{k + i},{k % 7}\n" for k, t in enumerate(DAYS) for i, n in enumerate("xy"))


@dataclass(frozen=True)
class Case:
    name: str
    content: str | bytes | None
    says: tuple[str, ...]
    keys: tuple[str, ...] = ()
    code: int = 0
    shape: tuple[int, ...] = (N, 2, 1)
    file: str = "my.csv"


def ok(name, content, *says, keys=(), shape=(N, 2, 1), file="my.csv"):
    return Case(name, content, says, tuple(keys), 0, shape, file)


def one(name, content, *says, keys=(), file="my.csv"):
    return ok(name, content, *says, keys=keys, shape=(N, 1, 1), file=file)


def refused(name, content, *says, keys=(), file="my.csv"):
    return Case(name, content, says, tuple(keys), 2, (), file)


CASES = [
    # ---- the file ----
    ok("clean", table(), "nothing odd", "a row per day", "none missing"),
    ok("byte-order mark", table().encode("utf-8-sig"), "read as utf-8-sig"),
    ok("utf-16 with a mark", table().encode("utf-16"), "read as utf-16"),
    ok("utf-16 without a mark", table().encode("utf-16-le"), "read as utf-16-le"),
    ok("latin-1", table(head="time,Köln,b").encode("latin-1"), "Köln", "cp1252"),
    ok("Windows", table(head="time,€,b").encode("cp1252"), "€", "cp1252"),
    ok("CR line ends", table(sep="\r"), "nothing odd"),
    ok("CRLF line ends", table(sep="\r\n"), "nothing odd"),
    ok("tabs", table().replace(",", "\t"), "nothing odd", file="my.tsv"),
    ok("bars", table().replace(",", "|"), "nothing odd"),
    ok("gzip", gzip.compress(table().encode()), "nothing odd", file="my.csv.gz"),
    ok("unknown extension", table(), "nothing odd", file="my.sensors"),
    ok("no extension", table(), "nothing odd", file="mine"),
    ok("a name with blanks and signs", table(), "nothing odd", file="it's my [1] data, new.csv"),
    ok("quoted newline in a header", table(head='time,"a\nkW",b'), "a kW"),
    ok("blank lines", table().replace("\n", "\n\n"), "blank lines", "left out"),
    ok("a delimiter at each end", table().replace("\n", ",\n"), "all missing"),
    ok("short rows", table(change={3: DAYS[3], 5: f"{DAYS[5]},1"}), "short rows", "masked"),
    ok("duplicate column names", table(head="time,a,a"), "duplicate names", "a (2)"),
    ok(
        "an unnamed index column",
        "".join(f"{i - 1 if i else ''},{line}\n" for i, line in enumerate(table().splitlines())),
        "index column",
    ),
    ok("text column", table(head="time,a,b,note", cell="{k},1{k},fine"), "text columns", "note"),
    ok("no header", "".join(table().splitlines(True)[1:]), "no header", "column 2"),
    ok("numbers as header", table(head="time,773869,767541"), "773869"),
    refused("empty", "", "is empty"),
    refused("blank", " \n\n", "is empty"),
    refused("only a mark", b"\xef\xbb\xbf", "is empty"),
    refused("header only", "time,a,b\n", "no rows below"),
    refused("missing file", None, "there is no file"),
    refused("a folder", None, "is a folder", file="."),
    refused("binary", bytes(range(256)) * 9, "binary file"),
    refused("an Excel file", b"PK\x03\x04" + bytes(99), "save the sheet as CSV", file="my.xlsx"),
    refused("JSON", '{"a": [1, 2]}', "holds JSON", file="my.json"),
    refused("broken gzip", gzip.compress(table().encode())[:60], "cannot be unpacked"),
    refused("broken parquet", b"PAR1" + bytes(50), "cannot be read", file="my.parquet"),
    refused("long rows", table(change={3: f"{DAYS[3]},1,5,2"}), "row 5 has 4 fields"),
    refused(
        "an open quote",
        table(change={3: f'{DAYS[3]},"1,5'}),
        "is no table",
        "string starting at row 4",
    ),
    refused(
        "a million columns", ",".join(f"s{k}" for k in range(10**6)) + "\n1\n", "1,000,000 columns"
    ),
    refused("half of utf-16", table().encode("utf-16")[:-1], "begins like utf-16"),
    # ---- numbers ----
    one(
        "words for missing",
        values(numbered(k3="n/a", k4="-", k5="NULL")),
        "words for missing",
        "masked",
    ),
    one("text in numbers", values(numbered(k3="error", k9="broken")), "text in numbers", "'error'"),
    one("units in cells", values([f"{k} kW" for k in range(N)]), "kept as unit", "in kW"),
    one("a currency before", values([f"€{k}.20" for k in range(N)]), "in €"),
    one(
        "decimal commas",
        "time;a\n" + "".join(f"{t};{k},5\n" for k, t in enumerate(DAYS)),
        "',' is read as the decimal mark",
    ),
    one("decimal commas in quotes", values([f'"{k},25"' for k in range(N)]), "decimal mark"),
    one(
        "thousands and decimals",
        "time;a\n" + "".join(f"{t};1.{k:03},5\n" for k, t in enumerate(DAYS)),
        "decimal mark",
    ),
    one("thousands separators", values([f'"1,{k:03}"' for k in range(N)]), "'.' is read"),
    one("thousands by blanks", values([f"1 {k:03}" for k in range(N)]), "1 · value"),
    one("infinities", values(numbered(k3="inf", k4="-Infinity")), "infinite"),
    one("negative zeros", values(["-0.0", *range(1, N)]), "nothing odd"),
    one("true and false", values(["True", "False"] * (N // 2)), "nothing odd"),
    one("a minus sign of print", values([f"−{k}" for k in range(N)]), "1 · value"),
    ok("a constant series", table(cell="7,{k}"), "constant", "MASE is undefined"),
    one("an empty column", table(cell=",{k}"), "all missing"),
    one("an outlier", values(numbered(k20="9999")), "outliers", "9999"),
    one(
        "a change of unit",
        values([k % 3 + 5 for k in range(20)] + [(k % 3 + 5) * 1000 for k in range(20)]),
        "unit jumps",
        "× 1e+03",
    ),
    refused("1e308", values(numbered(k3="1e308")), "too large to compute with"),
    refused("mixed units", values(["1 kW", "2 MW"] * (N // 2)), "mixes the units kW, MW"),
    refused("all missing", values([""] * N), "no column of numbers"),
    refused("all n/a", values(["n/a"] * N), "no column of numbers"),
    refused(
        "a target of text",
        values(["low", "high"] * (N // 2)),
        "holds text",
        keys=["data.targets=[a]"],
    ),
    refused("nothing but text", values(["low", "high"] * (N // 2)), "no column of numbers"),
    # ---- time ----
    ok(
        "no time column", "a,b\n" + "".join(f"{k},{k * k}\n" for k in range(N)), "rows are numbered"
    ),
    one("one column", "a\n" + "".join(f"{k}\n" for k in range(N)), "rows are numbered"),
    one("hours", stamped(HOURS), "a row per hour"),
    one("years", stamped(range(1900, 1940)), "a row per year"),
    one(
        "month numbers",
        stamped([f"{2000 + k // 12}{k % 12 + 1:02}" for k in range(N)]),
        "a row per month",
    ),
    one("days without signs", stamped([t.replace("-", "") for t in DAYS]), "a row per day"),
    one(
        "unix seconds",
        stamped([1_600_000_000 + 60 * k for k in range(N)]),
        "a row per minute",
        "seconds since 1970",
    ),
    one(
        "unix milliseconds",
        stamped([1_600_000_000_000 + 300_000 * k for k in range(N)]),
        "a row per 5 min",
        "milliseconds",
    ),
    one(
        "quarters", stamped([f"{2000 + k // 4}Q{k % 4 + 1}" for k in range(N)]), "a row per quarter"
    ),
    one("weeks", stamped([f"2020-W{k + 1:02}" for k in range(N)]), "a row per week"),
    one("month ends", stamped(MONTH_ENDS), "a row per month"),
    one(
        "business days",
        stamped(np.busday_offset("2021-01-04", np.arange(N))),
        "a row per business day",
    ),
    one("English months", stamped(ENGLISH), "a row per day"),
    one("day first", stamped([f"{d[8:]}/{d[5:7]}/{d[:4]}" for d in DAYS]), "day first"),
    one("month first", stamped([f"{d[5:7]}/{d[8:]}/{d[:4]}" for d in DAYS]), "month first"),
    one("German dates", stamped([f"{d} 06:00" for d in GERMAN]), "day first"),
    one("ambiguous dates, told", stamped(FIRSTS), "a row per month", keys=["data.day_first=false"]),
    one("stamps written in two ways", stamped(DAYS[:20] + GERMAN[20:]), "mixed stamps"),
    one("offsets", stamped([f"{t}+01:00" for t in HOURS]), "read as UTC"),
    one(
        "days with offsets",
        stamped([f"{t}T00:00:00+0{1 + (k > 20)}:00" for k, t in enumerate(DAYS)]),
        "the dates as written",
        "a row per day",
    ),
    ok(
        "an hour that comes twice",
        stamped(BERLIN),
        "duplicate stamps",
        "daylight saving",
        shape=(len(BERLIN) - 1, 1, 1),
    ),
    ok(
        "an hour that comes twice, in its zone",
        stamped(BERLIN),
        "read as UTC",
        "none missing",
        keys=["data.timezone=Europe/Berlin"],
        shape=(len(BERLIN), 1, 1),
    ),
    ok(
        "an hour that does not exist",
        stamped(SPRING),
        "hours that it skips are left out",
        keys=["data.timezone=Europe/Berlin"],
        shape=(23, 1, 1),
    ),
    one("unsorted", stamped([DAYS[1], DAYS[0], *DAYS[2:]]), "unsorted stamps", "sorted"),
    one("duplicate stamps", stamped([*DAYS, DAYS[-1]]), "duplicate stamps", "the mean of each"),
    ok("a gap of one", table(skip=(5,)), "(1 row)"),
    ok("a gap", table(skip=(5, 6, 7)), "missing rows", "(3 rows)", "masked, never filled"),
    one(
        "a little jitter",
        stamped([f"{t}:0{k % 4}" for k, t in enumerate(HOURS)]),
        "uneven stamps",
        "a row per hour",
    ),
    ok(
        "a footer",
        table(change={N - 1: "Total,,780"}),
        "rows without a stamp",
        "'Total'",
        shape=(N - 1, 2, 1),
    ),
    ok(
        "uneven stamps, told",
        stamped(["2021-01-01 00:07", "2021-01-01 00:31", *HOURS]),
        "a row per day",
        keys=["data.step=day"],
        shape=(61, 1, 1),
    ),
    one("counts", stamped(range(N)), "no dates"),
    refused("one row", table(DAYS[:1]), "one instant is no time series"),
    refused("too short for a window", table(DAYS[:3]), "borders must rise"),
    refused("irregular", stamped(UNEVEN), "follow no step", "data.step="),
    refused("ambiguous dates", stamped(FIRSTS[:12]), "data.day_first=true or false"),
    refused("both orders", stamped(["31/12/2020", "12/31/2020"] * 9), "mix day-first"),
    refused("uneven counts", stamped([0.0, 0.52, 0.9, 1.7, 2.2]), "counts in uneven steps"),
    refused(
        "a stamp in the wrong century", table(change={0: "1900-01-01,1,1"}), "nearly all missing"
    ),
    refused("no such zone", stamped(HOURS), "no time zone 'Mars'", keys=["data.timezone=Mars"]),
    refused(
        "no such step", stamped(HOURS), "step: wanted a number of", keys=["data.step=fortnight"]
    ),
    refused(
        "text as time",
        values(numbered(), head="day,a").replace("2021", "x"),
        "holds no stamps",
        keys=["data.time=day"],
    ),
    refused(
        "some offsets", stamped([*HOURS[:9], *(f"{t}Z" for t in HOURS[9:])]), "lack the UTC offset"
    ),
    # ---- layout and roles ----
    ok("long", "time,node,load,plan\n" + LONG, "2 · x, y", shape=(N, 2, 2)),
    ok("long with an unusual name", "when,kind,load,plan\n" + LONG, "2 · x, y", shape=(N, 2, 2)),
    ok(
        "long, known per node",
        "time,node,load,plan\n" + LONG,
        "plan (planned)",
        keys=["data.planned=[plan]"],
        shape=(N, 2, 1),
    ),
    ok(
        "channels of one node",
        table(),
        "b (past only)",
        keys=["data.targets=[a]", "data.past=[b]"],
        shape=(N, 1, 2),
    ),
    ok(
        "rows of the future",
        table(cell="{k},{k2}", change=FUTURE),
        "5 rows without targets",
        keys=["data.planned=[b]"],
        shape=(N - 5, 1, 1),
    ),
    refused("an unknown column", table(), "no column 'c'. The columns", keys=["data.targets=[c]"]),
    refused(
        "a column twice",
        table(),
        "named under targets and under past",
        keys=["data.targets=[a]", "data.past=[a]"],
    ),
    refused(
        "a known covariate with a gap",
        table(change={3: f"{DAYS[3]},1,"}),
        "lacks 1 of 40",
        keys=["data.planned=[b]"],
    ),
    refused(
        "long without nodes", table(), "which column names the nodes", keys=["data.layout=long"]
    ),
    refused("an unknown key", table(), "unknown key 'data.sep'", keys=["data.sep=x"]),
    refused(
        "an id per row",
        "time,node,a\n" + "".join(f"{t},{t},1\n" for t in DAYS),
        "no column",
        keys=["data.node=nod"],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_file_gives_a_clear_line_or_a_panel(desk, case):
    if case.content is not None:
        raw = case.content if isinstance(case.content, bytes) else case.content.encode()
        (desk.folder / case.file).write_bytes(raw)
    code = desk("check", case.file, *case.keys)
    said = desk.out if case.code == 0 else desk.err
    assert code == case.code, desk.out + desk.err
    for words in case.says:
        assert words in said
    if code:
        assert said.count("\n") == 1 and not desk.out
        return
    assert not desk.err
    head = said.partition("\n\n")[0]
    facts = dict(line.split(maxsplit=2)[:2] for line in head.splitlines()[1:])
    got = tuple(int(facts[axis].replace(",", "")) for axis in ("rows", "nodes", "channels"))
    assert got == case.shape
