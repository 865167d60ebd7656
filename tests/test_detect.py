"""Change points: scores as published, the series they are published on, and the command."""

import json
from pathlib import Path

import numpy as np
import pytest

from stsfm import compose
from stsfm.build import build
from stsfm.completion import candidates
from stsfm.datasets.nile import nile
from stsfm.datasets.split import panel_digest
from stsfm.detections.contest import contest
from stsfm.detections.words import spelled_out
from stsfm.losses.changes import covering, f1
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.significance.resampled import interval_over_datasets

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


# ---- the command ---------------------------------------------------------------------------------

PLUGIN = """
import numpy as np
from stsfm.models.analyser import Curve, series_of
from stsfm.models.segmenter import Change, Segmentation, Segmenter, Track

class Step(Segmenter):
    '''The one row at which means differ most. Cobb (1978).'''
    cite = "killick2012"

    def __init__(self, *, least: int, fails: str, joint: bool) -> None:
        self.least, self.fails, self.joint = least, fails, joint

    def segment(self, panel):
        if panel.about.changes:
            raise ValueError("it was shown what people marked")
        if self.fails == panel.about.name:
            raise RuntimeError("no luck")
        x, names, *_ = series_of(panel, len(panel))
        series = [tuple(range(len(names)))] if self.joint else [(s,) for s in range(len(names))]
        tracks = tuple(self._track(x, s, names) for s in series)
        return Segmentation(names=names, tracks=tracks, level=0.9, said=("One step.",), noted=())

    def _track(self, x, s, names):
        x = x[:, s]
        gaps = [abs(x[:k].mean() - x[k:].mean()) for k in range(self.least, len(x) - self.least)]
        row = int(np.argmax(gaps)) + self.least
        fitted = np.concatenate([x[:row] * 0 + x[:row].mean(0), x[row:] * 0 + x[row:].mean(0)])
        pens = np.array([1.0, 2.0, 4.0])
        return Track(name=names[s[0]], series=s, changes=(Change(row, row - 2, row + 1, 0.01),),
                     signal=x, fitted=fitted, facts={"penalty": 2.0},
                     path=Curve("path", pens, 4 / pens, pens, pens))
"""
KEYS = "_target_: steps.Step\nleast: 9     # rows of a segment\nfails: ''\njoint: false\n"
MINE = ["plugins=[steps]", "--config-dir", "more", "model=step"]


@pytest.fixture
def house(desk):
    (desk.folder / "steps.py").write_text(PLUGIN)
    (desk.folder / "more" / "detector").mkdir(parents=True)
    (desk.folder / "more" / "detector" / "step.yaml").write_text(KEYS)
    return desk


def detections(desk):
    return sorted((desk.folder / "runs").glob("*/_detections/*/*/detection.json"))


def test_a_detection_is_kept_like_a_run_and_free_the_second_time(house):
    assert house("detect", *MINE, "data=nile") == 0, house.err
    (file,) = detections(house)
    told = house.json(file)
    (change,) = told["tracks"][0]["changes"]
    assert (change["row"], change["date"], change["low_date"]) == (28, "1899", "1897")
    first, second = told["rows"]
    assert first[:6] == ["flow", "1871", "1898", None, None, 28]
    assert second[:6] == ["flow", "1899", "1970", "1897 … 1900", 0.01, 72]
    flow = nile().values[:28, 0, 0]
    slope = np.polyfit(np.arange(28), flow, 1)[0]
    assert first[6:] == pytest.approx([flow.mean(), flow.std(ddof=1), slope])
    assert told["scores"] == {} and "One step." in house.out and "1897 … 1900" in house.out
    arrays = np.load(file.with_name("detection.npz"))
    assert arrays["changes_0"] == [28] and arrays["fitted"].shape == arrays["values"].shape
    kept = {path.name for path in file.parent.iterdir()}
    assert {"table.md", "table.tex", "command.txt", "references.bib", "config.yaml"} <= kept
    captions = house.json(file.parent / "plots" / "captions.json")
    assert set(captions) == {"segments.png", "penalty.png"}
    typed = file.with_name("command.txt").read_text()
    assert "model=step" in typed and "data=nile" in typed and "detector" not in typed
    before = file.stat().st_mtime_ns
    assert house("detect", *MINE, "data=nile") == 0
    assert detections(house) == [file] and file.stat().st_mtime_ns == before


def test_several_end_in_one_table_and_a_failure_is_one(house):
    for name, step in (("one", 12), ("two", 20)):
        series = [0.0, 0.1] * (step // 2) + [5.0, 5.1] * (step // 2)
        (house.folder / name).mkdir()
        laid(house.folder / name, series, marks={"6": [step], "7": []})
        (house.folder / f"{name}.json").write_text((house.folder / name / "mine.json").read_text())
    marks = {"one": {"6": [12], "7": []}, "two": {"6": [20], "7": []}}
    (house.folder / "annotations.json").write_text(json.dumps(marks))
    words = ["data=tcpd", "data.path=.", "data.series=one,two", "model.least=3,8"]
    assert house("detect", "-m", *MINE, *words, "model.fails=tcpd_two") == 1
    assert "step failed on tcpd_two: RuntimeError: no luck" in house.err
    failed = house.json(house.comparison() / "contest.json")["detectors"]
    step = {one["name"]: one for one in failed}["step least=3"]
    assert (step["failed"], step["series"]) == (1, 2)
    whole = f1({"6": (12,), "7": ()}, [12])
    assert step["f1"]["estimate"] == pytest.approx(whole / 2)  # a failure scores 0
    assert step["f1"]["reason"] == "no interval over 2 datasets: 5 are wanted"
    none = {one["name"]: one for one in failed}["no change"]
    assert none["covering"]["estimate"] == pytest.approx(np.mean([0.5, 1]))
    table = (house.comparison() / "table.md").read_text()
    assert "each prediction used once, nearest first" in table and "No test over datasets" in table
    assert "RuntimeError: no luck" in (house.comparison() / "series.md").read_text()
    report = (house.comparison() / "report.md").read_text()
    assert "None of these detectors covers what people saw better than to find nothing" in report
    assert "- **step least=3** has 0.375 and 0.500" in report
    assert "hits a mark within 5 rows" in report and "Runs that did not finish: 2 of 4" in report
    assert (house.comparison() / "plots" / "scores.svg").is_file()
    assert house("report", "last") == 0 and "report.html" in house.out


def test_without_marks_the_report_says_where_each_finds_what(house):
    assert house("detect", *MINE, "-m", "model.least=3,30", "data=nile", "question=Where?") == 0
    report = (house.comparison() / "report.md").read_text()
    assert report.startswith("# Where?\n") and "no detector is said to be right" in report
    assert "Changes of **nile** by **step least=3**: 1, at 1899." in report
    assert set(house.json(house.comparison() / "plots" / "captions.json")) == {"where.png"}


def test_series_that_change_together_and_many_that_do_not(house):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 7))
    x[20:] += 4
    rows = "\n".join(",".join(f"{v:.3f}" for v in row) for row in x)
    (house.folder / "seven.csv").write_text(",".join("abcdefg") + "\n" + rows)
    assert house("detect", *MINE, "data=seven.csv") == 0
    together = [word.replace("model=", "detector=") for word in MINE]
    assert house("detect", *together, "data=seven.csv", "detector.joint=true") == 0
    told = [house.json(file) for file in detections(house)]
    assert sorted(len(one["tracks"]) for one in told) == [1, 7]
    assert all(len(one["rows"]) == 14 for one in told)
    drawn = [set(house.json(f.parent / "plots" / "captions.json")) for f in detections(house)]
    assert sorted("raster.png" in names for names in drawn) == [False, True]


def test_what_is_typed(desk):
    spelled = spelled_out(["model=pelt,bocpd", "model.min_size=5", "data=nile", "-m"])
    assert spelled == ["detector=pelt,bocpd", "detector.min_size=5", "data=nile", "-m"]
    assert spelled_out(["data=nile"]) == ["detector=pelt", "data=nile"]
    for words, said in {
        ("detect", "data=nile", "protocol.horizon=3"): "a detection has no 'protocol'",
        ("detect", "model=pelt", "detector=bocpd"): "say once which",
        ("detect", "--fast"): "unknown option '--fast'",
        ("run", "detector=pelt", "data=nile"): "`stsfm detect detector=pelt …` finds change points",
    }.items():
        assert desk(*words) == 2 and said in desk.err
    words = spelled_out(["model=residuals", "model.forecaster.order=3,12", "data=nile"])
    made = [job.config["detector"]["forecaster"] for job in compose.jobs(words).jobs]
    assert [tree["order"] for tree in made] == [3, 12]
    for detector, said in (("residuals", "forecaster has no lags"), ("pelt", "has no forecaster")):
        words = [f"model={detector}", "model.forecaster.lags=3", "data=nile"]
        assert desk("detect", *words) == 2 and said in desk.err
    offered = lambda *words: candidates(["detect", *words], ["detect"])  # noqa: E731
    assert offered("mo") == ["model=", "model."] or offered("mo") == ["model.", "model="]
    assert "model=pelt" in offered("model=p") and "detector=pelt" in offered("detector=p")
    assert "data=nile" in offered("data=n") and "model.least=3" in offered("model.least=")


# ---- detectors against each other ----------------------------------------------------------------


def test_an_interval_over_datasets_holds_its_level():
    rng = np.random.default_rng(0)
    drawn = rng.beta(4, 2, (150, 20))
    found = [interval_over_datasets(x, draws=400) for x in drawn]
    inside = np.mean([i.low <= 4 / 6 <= i.high for i in found])
    assert 0.88 < inside <= 0.99 and all(0 <= i.low <= i.estimate <= i.high <= 1 for i in found)
    same = interval_over_datasets(np.full(9, 0.5))
    assert (same.low, same.high) == (0.5, 0.5)


def test_detectors_are_tested_over_families(tmp_path):
    scores = {"good": [0.9] * 12, "poor": [0.7 + 0.01 * (k % 3) for k in range(12)]}
    runs = [case(tmp_path, name, k, score) for name, each in scores.items()
            for k, score in enumerate(each)]  # fmt: skip
    made = contest(runs, None)
    assert made.control == "good" and made.families == 12 and not made.reason
    p = {one.name: one.p["f1"] for one in made.contestants}
    assert p["good"] is None and p["poor"] == pytest.approx(2 * 2 * 0.5**12)  # Holm: two rivals
    assert [one.name for one in made.contestants] == ["good", "poor", "no change"]
    assert contest(runs, "poor").control == "poor"
    with pytest.raises(Mistake, match="no control named 'bad'"):
        contest(runs, "bad")


def case(folder, name, k, score):
    """A detection as it is kept, of what a contest reads."""
    home = folder / name / str(k)
    home.mkdir(parents=True)
    scores = {"f1": score, "covering": score}
    (home / "detection.json").write_text(json.dumps({"tracks": [], "scores": scores}))
    status = {"model": name, "data": f"d{k}", "family": f"d{k}", "state": "finished",
              "no_change": {"f1": 0.3, "covering": 0.3}}  # fmt: skip

    class Kept(Record):
        state = "finished"

        @property
        def status(self):
            return status

    return Kept(home)
