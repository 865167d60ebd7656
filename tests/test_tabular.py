"""A file of one's own: what the panel holds, and the command that runs on it."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from stsfm import compose
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.reading.grid import grid
from stsfm.datasets.tabular import stem, tabular
from stsfm.mistakes import Mistake
from stsfm.request import read

HOUR = 3_600 * 10**9


def hourly(rows=200, gap=()):
    rng = np.random.default_rng(0)
    time = np.datetime64("2020-01-01T00") + np.arange(rows)
    day = 10 + 3 * np.sin(2 * np.pi * np.arange(rows) / 24)
    return [
        (str(t).replace("T", " ") + ":00", *(day[k] + rng.normal(size=2).round(3)))
        for k, t in enumerate(time)
        if k not in gap
    ]


def write(path, rows, head="time,a,b"):
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


def test_gaps_are_masked_and_nothing_is_filled(tmp_path):
    rows = hourly(gap=(50, 51))
    panel = tabular(path=write(tmp_path / "my.csv", rows))
    assert panel.values.shape == (200, 2, 1) and panel.about.name == "my"
    assert (np.diff(panel.time) == HOUR).all() and panel.about.step == "hour"
    assert np.flatnonzero(~panel.mask.any((1, 2))).tolist() == [50, 51]
    assert panel.values[49, 1, 0] == rows[49][2] and panel.values[52, 0, 0] == rows[50][1]


def test_wide_long_and_parquet_are_one_panel(tmp_path):
    pd, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    rows = hourly()
    wide = tabular(path=write(tmp_path / "w.csv", rows))
    records = [(t, n, x) for t, *cells in rows for n, x in zip("ab", cells, strict=True)]
    long = tabular(path=write(tmp_path / "l.csv", records, "time,node,value"))
    frame = pd.DataFrame(rows, columns=["time", "a", "b"])
    frame["time"] = pd.to_datetime(frame["time"])
    frame.set_index("time").to_parquet(tmp_path / "p.parquet")
    stored = tabular(path=str(tmp_path / "p.parquet"))
    for other in (long, stored):
        assert np.array_equal(other.values, wide.values) and np.array_equal(other.time, wide.time)
        assert other.about.nodes == wide.about.nodes and other.about.channels == ("value",)


def test_the_step_is_inferred_from_the_first_half_alone():
    """What the test period looks like must not decide what the rows are."""
    minutes = np.r_[np.arange(20) * 60, 20 * 60 + np.arange(18) * 60]
    assert grid(minutes * 60 * 10**9, "auto").step == "hour"
    finer = np.r_[np.arange(20) * 60, 20 * 60 + np.arange(60)] * 60 * 10**9
    with pytest.raises(ValueError, match="most are one hour apart, but"):
        grid(finer, "auto")


def test_months_quarters_and_business_days_follow_the_calendar():
    months = np.array(["2020-01-31", "2020-02-29", "2020-04-30", "2020-05-31"], "M8[ns]")
    found = grid(months.astype("int64"), "auto")
    assert found.step == "month" and found.rows.tolist() == [0, 1, 3, 4]
    assert found.time[2] == np.datetime64("2020-03-31", "ns").astype("int64")
    days = np.busday_offset("2020-01-06", np.delete(np.arange(30), 7)).astype("M8[ns]")
    found = grid(days.astype("int64"), "auto")
    assert found.step == "business day" and len(found.time) == 30 and 7 not in found.rows


def test_a_known_covariate_that_differs_between_nodes_has_their_axis(tmp_path):
    rows = [
        (t, n, 1.5 * k, k % 7, k * (n == "a")) for k, (t, *_) in enumerate(hourly()) for n in "ab"
    ]
    path = write(tmp_path / "k.csv", rows, "time,node,y,week,own")
    shared = tabular(path=path, targets=["y"], planned=["week"])
    assert shared.known.shape == (200, 1, 1) and shared.known[8, 0, 0] == 1
    both = tabular(path=path, targets=["y"], planned=["week"], oracle=["own"])
    assert both.known.shape == (200, 2, 2) and both.about.kinds == ("planned", "oracle")
    assert both.known[9, :, 1].tolist() == [9, 0] and both.known[9, :, 0].tolist() == [2, 2]


def test_rows_of_the_future_are_there_but_not_scored(tmp_path):
    rows = [(t, x if k < 180 else "", k) for k, (t, x, _) in enumerate(hourly())]
    panel = tabular(path=write(tmp_path / "f.csv", rows, "time,y,plan"), planned=["plan"])
    assert len(panel) == 200 and len(panel.history()) == 180 and panel.known[199, 0, 0] == 199
    assert rolling(panel, horizon=1).rules["rows"] == 180


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__
    (tmp_path / "x.parquet").write_bytes(b"PAR1....PAR1")

    def without(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"pip install 'stsfm\[parquet\]'"):
        tabular(path=str(tmp_path / "x.parquet"))


# ---- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word, long",
    [
        ("data=my.csv", ["data=tabular", "data.path=my.csv"]),
        ("data=a/b.parquet,c.csv", ["data=tabular", "data.path=a/b.parquet,c.csv"]),
        ("data='my, own.csv'", ["data=tabular", "data.path='my, own.csv'"]),
        ("data=it's.csv", ["data=tabular", r"data.path='it\'s.csv'"]),
        ("data=airline,ring", ["data=airline,ring"]),
    ],
)
def test_a_file_is_short_for_its_keys(word, long):
    assert read([word]).overrides == long


def test_files_and_names_do_not_go_into_one_sweep():
    with pytest.raises(Mistake, match="files and names in one sweep"):
        read(["data=airline,my.csv"])


def test_a_file_has_to_be_named(desk):
    assert desk("run", "data=tabular") == 2 and "which file? Say data=my.csv" in desk.err
    assert desk("check") == 2 and "wanted a file: usage: stsfm check FILE" in desk.err


def test_a_check_tells_of_the_graph(desk, tmp_path):
    write(tmp_path / "my.csv", hourly())
    (tmp_path / "edges.csv").write_text("from,to\na,b\n")
    assert desk("check", "my.csv", "data.edges=edges.csv") == 0
    assert "graph      1 edge, one way" in desk.out
    (tmp_path / "edges.csv").write_text("from,to\na,b\nb,a\n")
    assert desk("check", "my.csv", "data.edges=edges.csv") == 0
    assert "graph      1 edge, both ways" in desk.out
    assert desk("check", "my.csv") == 0 and "graph" not in desk.out


def test_a_file_is_called_by_its_stem():
    assert [stem(p) for p in ("a/my.csv.gz", "x.y.csv", ".csv", "_odd.tsv")] == [
        "my", "x.y", "csv", "odd",
    ]  # fmt: skip
    (name,) = {one.comparison for one in compose.jobs(["-m", "data=a/my.csv"]).jobs}
    assert name.startswith("my-")


def test_a_run_on_a_file_is_found_by_the_name_of_the_file(desk):
    write(desk.folder / "load.csv", hourly(gap=range(30, 35)))
    words = ("model=naive", "data=load.csv", "data.season=24")
    words += ("protocol.horizon=12", "baselines=[drift]")
    assert desk("run", *words) == 0, desk.err
    assert "load · 200 hours · 2 nodes" in desk.out
    line = "load.csv · a row per hour, season 24 · 2 nodes · 2.5 % missing · 2 findings, see"
    assert f"{line} stsfm check load.csv" in desk.out
    assert desk.only("naive").folder.parent.parent.name == "load"
    assert desk("ls", "data=load") == 0 and desk.out.count("finished") == 2
    assert desk("compare", "data=load", "model=naive,drift") == 0, desk.err
    assert desk("run", *words) == 0 and "free" in desk.out


def test_numbers_that_nobody_named_are_said_to_be_forecast(desk):
    rows = [f"2024-01-{d:02},{n},{d},{d % 2}" for d in range(1, 29) for n in "ab"]
    (desk.folder / "shop.csv").write_text("\n".join(["date,shop,sales,promo", *rows]))
    assert desk("check", "shop.csv") == 0 and "data.targets=[…] names some" in desk.out
    named = ["data.targets=[sales]", "data.planned=[promo]", "protocol.horizon=3"]
    assert desk("check", "shop.csv", *named) == 0 and "names some" not in desk.out
    assert "\n        3 " in desk.out  # the horizon asked for has its row
    assert desk("check", "shop.csv", "protocol.horizon=0") == 2 and "horizon" in desk.err
