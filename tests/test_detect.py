"""Change points: scores as published, the series they are published on, and the command."""

import json
from pathlib import Path

import numpy as np
import pytest

from stsfm.build import build
from stsfm.datasets.nile import nile
from stsfm.datasets.split import panel_digest
from stsfm.losses.changes import covering, f1
from stsfm.mistakes import Mistake

TCPD = Path(__file__).parents[2] / "shared" / "data" / "tcpd"
shared = pytest.mark.skipif(not TCPD.is_dir(), reason="needs the shared data")
NO_CHANGE = {  # series → covering and F1 of ZERO, which finds no change anywhere: the tables
    # cover_default_combined_full.tex and f1_default_combined_full.tex of TCPDBench
    "bank": (1.000, 1.000),
    "co2_canada": (0.278, 0.361),
    "construction": (0.575, 0.696),
    "debt_ireland": (0.321, 0.469),
    "gdp_argentina": (0.737, 0.824),
    "gdp_croatia": (0.708, 0.824),
    "gdp_iran": (0.583, 0.652),
    "homeruns": (0.511, 0.659),
    "jfk_passengers": (0.630, 0.723),
    "lga_passengers": (0.383, 0.535),
    "nile": (0.758, 0.824),
    "quality_control_2": (0.638, 0.750),
    "quality_control_4": (0.673, 0.780),
    "quality_control_5": (1.000, 1.000),
    "rail_lines": (0.428, 0.537),
    "run_log": (0.304, 0.446),
    "seatbelts": (0.528, 0.621),
    "shanghai_license": (0.547, 0.636),
    "uk_coal_employ": (0.356, 0.513),
    "unemployment_nl": (0.507, 0.566),
    "us_population": (0.803, 0.889),
}


def tcpd(series, path=TCPD, **keys):
    keys = {"series": series, "path": str(path), "annotations": ""} | keys
    return build({"_target_": "stsfm.datasets.tcpd.tcpd", **keys}, path="data")


# ---- scores --------------------------------------------------------------------------------------


@shared
@pytest.mark.parametrize("series", NO_CHANGE)
def test_no_change_scores_as_published(series):
    panel = tcpd(series)
    marks = panel.about.changes
    assert len(marks) == 5
    scores = covering(marks, [], len(panel)), f1(marks, [])
    assert tuple(round(score, 3) for score in scores) == NO_CHANGE[series]


def test_scores_by_hand():
    marks = {"a": (10,), "b": (12, 50), "c": ()}
    # X = {0, 11}; the union {0, 10, 12, 50}: 0 and 10 are hit, 11 is used up before 12
    precision, recall = 2 / 2, np.mean([2 / 2, 2 / 3, 1 / 1])
    assert f1(marks, [11]) == pytest.approx(2 * precision * recall / (precision + recall))
    a = (10 * 10 / 11 + 90 * 89 / 90) / 100
    b = (12 * 11 / 12 + 38 * 38 / 89 + 50 * 50 / 89) / 100
    assert covering(marks, [11], 100) == pytest.approx(np.mean([a, b, 0.89]))


def test_a_prediction_is_used_once_and_the_nearest_is():
    assert f1({"a": (10, 12)}, [11]) == pytest.approx(2 * (2 / 3) / (1 + 2 / 3))
    assert f1({"a": (10, 16)}, [9, 14]) == 1  # 16 has 14, since 10 took the nearer 9
    assert f1({"a": (20,)}, [26]) == pytest.approx(1 / 2) and f1({"a": (20,)}, [25]) == 1
    assert f1({"a": (3,)}, []) == pytest.approx(2 / 3)  # row 0 is the start's own


def test_scores_are_defined_where_nobody_sees_anything():
    assert f1({"a": ()}, []) == covering({"a": ()}, [], 9) == 1
    assert f1({"a": ()}, [0, 30]) == pytest.approx(2 / 3)
    assert covering({"a": ()}, [5], 10) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="nobody has marked"):
        f1({}, [3])
    with pytest.raises(ValueError, match="rows 0 … 9"):
        covering({"a": ()}, [10], 10)


# ---- data ----------------------------------------------------------------------------------------


def test_the_nile_by_year():
    panel = nile()
    assert panel.values.shape == (100, 1, 1) and panel.values.sum() == 91_935
    years = panel.time.astype("M8[ns]").astype("M8[Y]").astype(str)
    assert (years[0], years[28], years[-1]) == ("1871", "1899", "1970")
    assert panel.about.units == ("10⁸ m³",) and not panel.about.changes


@shared
def test_the_series_of_tcpd_are_read_with_dates_gaps_and_marks():
    coal = tcpd("uk_coal_employ")
    assert (~coal.mask).sum() == 2 and coal.about.step == "year"
    assert coal.about.channels == ("Coal Mining Employees (UK)",)
    run = tcpd("run_log")
    assert run.about.channels == ("Pace", "Distance") and run.about.step == "5 s"
    assert run.about.findings[0].count == 4 and (np.diff(run.time) >= 5e9).all()
    assert tcpd("bank").about.step == "" and tcpd("seatbelts").about.step == "month"
    mine, theirs = tcpd("nile"), nile()
    np.testing.assert_array_equal(mine.values, theirs.values)
    np.testing.assert_array_equal(mine.time, theirs.time)
    assert mine.about.changes["7"] == (28,) and mine.about.changes["6"] == ()


def laid(folder, values=(1, 2, None, 4), marks=None, **time):
    held = {"name": "mine", "longname": "Mine", "n_obs": len(values), "n_dim": 1,
            "time": {"index": list(range(len(values))), **time},
            "series": [{"label": "V1", "type": "int", "raw": list(values)}]}  # fmt: skip
    (folder / "mine.json").write_text(json.dumps(held))
    (folder / "annotations.json").write_text(json.dumps({"mine": marks or {}}))
    return folder


def test_who_marked_what_is_no_part_of_the_data(tmp_path):
    bare = tcpd("mine", laid(tmp_path))
    marked = tcpd("mine", laid(tmp_path, marks={"6": [2], "7": []}))
    assert marked.about.changes == {"6": (2,), "7": ()}
    assert panel_digest(bare) == panel_digest(marked)
    with pytest.raises(Mistake, match="has 4 rows, and no 4"):
        tcpd("mine", laid(tmp_path, marks={"6": [4]}))


@pytest.mark.parametrize("time, what", [
    ({"raw": ["a", "b", "c", "d"], "format": "%Y"}, "stamps that cannot be read"),
    ({"raw": ["2001", "2001", "2002", "2003"], "format": "%Y"}, "stamps that do not rise"),
])  # fmt: skip
def test_rows_are_counted_where_stamps_say_nothing(tmp_path, time, what):
    panel = tcpd("mine", laid(tmp_path, **time))
    assert panel.about.findings[-1].what == what and panel.about.step == ""


def test_where_the_files_of_tcpd_are_not_it_says_what_to_do(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("stsfm.datasets.reading.download.urlopen", refused)
    monkeypatch.setenv("STSFM_CACHE", str(tmp_path))
    with pytest.raises(Mistake, match=r"get it from https://github.com/alan-turing.*data\.path="):
        tcpd("seatbelts", "")
    with pytest.raises(Mistake, match=r"there is no file .*seatbelts\.json"):
        tcpd("seatbelts", tmp_path)
