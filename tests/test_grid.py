"""Comparisons over several protocols: grids laid out by any key, honest in every format."""

import contextlib
import csv
import io
import itertools
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from stsfm.__main__ import main
from stsfm.gathered import again, beside, gather
from stsfm.mistakes import Mistake
from stsfm.record import Record, records
from stsfm.record.shelf import Shelf
from stsfm.tables.grid import Grid, Layout, variants
from stsfm.tables.losses import RATIOS, losses, sampling_error
from stsfm.tables.pivot import pivot
from stsfm.tables.render import as_csv, as_html, as_latex, as_markdown, as_text, html_page
from stsfm.tables.row import Row
from stsfm.tables.sheets import sheets
from stsfm.tables.table import tabulate
from stsfm.words import lasting

QUICK = ["trainer.epochs=2", "model.hidden=4"]
SPLITS = ("val", "test")
BESIDE = "baselines=[seasonal_naive]"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four tasks: airline at two horizons, one of them without logs, too; and sines."""
    home = tmp_path_factory.mktemp("made")
    six, twelve = "protocol.horizon=6", "protocol.horizon=12"
    gru = ["model=gru", *QUICK]
    jobs = [  # one by one: a sweep would start a process for each
        *(["model=drift", horizon] for horizon in (six, twelve)),
        *([*gru, horizon, seed] for horizon in (six, twelve) for seed in ("seed=1", "seed=2")),
        ["model=drift", "protocol.transform=none"],
        ["model=drift", "data=sines", "protocol.horizon=10"],
        ["model=gru", "model.hidden=8", six, "trainer.lr=1e30", QUICK[0]],
        ["model=rnn", six, "trainer.lr=1e30", *QUICK],
    ]
    with contextlib.chdir(home):
        for words in jobs:
            main(["run", "-q", BESIDE, *words])
    return home / "runs"


@pytest.fixture
def kept(desk, made):
    shutil.copytree(made, desk.folder / "runs")
    return desk


@pytest.fixture(scope="module")
def grid(made):
    shelf = Shelf(made)
    return gather(shelf, beside(shelf, shelf.runs))


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# ---- tasks ---------------------------------------------------------------------------------------


def test_each_protocol_is_a_task_and_says_in_what_it_differs(grid):
    assert [task.label for task in grid.tasks] == [
        "airline h=6", "airline h=12 transform=log", "airline h=12 transform=none", "sines h=10",
    ]  # fmt: skip
    assert [task.family for task in grid.tasks] == ["airline"] * 3 + ["synthetic"]
    shown = as_text(grid)
    heads = "\n".join(shown[:4])
    assert "transform=log  transform=none" in heads and heads.count("airline") == 1
    (said,) = [note for note in sheets(grid)[-1].notes if "Tasks of their own" in note]
    assert all(task.fingerprint in said for task in grid.tasks[1:3])


def test_protocols_that_differ_in_what_no_rule_says_are_told_by_their_fingerprint(grid):
    table = grid.tables[0]
    assert variants([table]) == [""]
    assert variants([table, table]) == [f"protocol {table.status['fingerprint']}"] * 2


def test_scores_are_those_of_the_runs_and_missing_is_nan(grid, kept):
    errors = grid.errors("mae")
    assert errors.shape == (4, len(grid.models))
    for i, task in enumerate(grid.tasks):
        for k, model in enumerate(grid.models):
            found = [
                run.scores["test"]["mae"]["pooled"]
                for run in kept.runs(f"/{model}/")
                if run.state == "finished" and run.status["fingerprint"] == task.fingerprint
            ]
            assert errors[i, k] == pytest.approx(np.mean(found) if found else np.nan, nan_ok=True)
    assert np.isnan(errors).any() and grid.value("rnn", "airline h=6") is None


def test_what_a_search_chose_is_a_model_of_its_own_and_test_chooses_nothing(grid):
    """Tuned rows that are worse on validation and better on test, and a search without a gain."""
    first, second = (replace(table, hidden=()) for table in (grid.tables[0], grid.tables[-1]))
    (default,) = [row for row in first.rows if row.model == "drift"]
    tuned = replace(default, tuned=True, label="drift (tuned)")
    scores = json.loads(json.dumps(default.scores))
    for part, factor in (("val", 2), ("test", 0.5)):
        for entry in filter(None, scores[0][part].values()):
            entry["pooled"] *= factor
    tuned.__dict__["scores"] = scores
    first = replace(first, rows=(tuned, *first.rows))
    both = Grid((first, replace(second, kept=frozenset({"drift"}))))
    one, other = both.tasks
    error = default.score("test", "mase").mean
    assert both.value("drift", one).mean == error
    assert both.value("drift (tuned)", one).mean == error / 2
    assert both.value("drift (tuned)", other) == both.value("drift", other) != None  # noqa: E711
    assert {"drift", "drift (tuned)"} <= {name for name, rank in both.ranks().items() if rank}
    (shown,) = pivot(both)
    at = {(key[0], where): entry.value("mase").mean for (key, where), entry in shown.cells.items()
          if key[0].startswith("drift")}  # fmt: skip
    assert sorted(at.values())[0] == error / 2 and len(at) == 4
    named = {(x["model"], x["task"]): x["test_mase"] for x in lines(as_csv(both))}
    assert named["drift", one.label] == str(error)
    alone = Grid((replace(second, kept=frozenset({"drift"})),))
    assert "drift (tuned)" not in alone.models  # where no search gained, there is one row


def test_a_grid_holds_every_protocol_once(grid):
    with pytest.raises(Mistake, match="one table of each protocol"):
        Grid((grid.tables[0], grid.tables[0]))


@dataclass(frozen=True)
class Made(Record):
    """A run of a given error, kept nowhere."""

    error: dict[str, float]

    @property
    def status(self):
        model, task, seed = self.folder.parts
        names = {"run": str(self.folder), "group": model, "settings": model, "data": task}
        more = {"horizon": 1, "fingerprint": task, "units": "1", "headline": task, "model": model}
        digest = {"ingredients": {"data": task}, "seed": int(seed)}
        return names | more | {"identity": digest, "independent": 3, "error": "x"}

    @property
    def state(self):
        return "failed" if self.error["mae"] != self.error["mae"] else "finished"

    @property
    def scores(self):
        pooled = {name: {"pooled": value} for name, value in self.error.items()}
        return {"kind": "classical", "val": pooled, "test": pooled, "cost": {}}


def grid_of(errors: dict[str, dict[str, float]]) -> Grid:
    """task → model → MAE, NaN where it failed."""
    tables = []
    for task, held in errors.items():
        runs = []
        for model, mae in held.items():
            runs.append(Made(Path(model, task, "1"), {"mae": mae, "mase": mae}))
        tables.append(tabulate(runs, tried=len(runs)))
    return Grid(tuple(tables))


def test_ranks_by_hand_failures_last_and_the_missing_unranked():
    nan = float("nan")
    grid = grid_of(
        {
            "a": {"x": 1, "y": 2, "z": 2, "seasonal_naive": 4, "w": 0.1},
            "b": {"x": 9, "y": 3, "z": nan, "seasonal_naive": 6},
        }
    )
    # a: x 1, y and z 2.5, seasonal 4; b: y 1, seasonal 2, x 3, z 4
    assert grid.ranks() == {"x": 2, "y": 1.75, "z": 3.25, "seasonal_naive": 3, "w": None}
    assert grid.models == ("y", "x", "seasonal_naive", "z", "w")
    assert np.isnan(grid.errors()[1]).tolist() == [False, False, False, True, True]
    assert grid.skill("x") == pytest.approx(1 - (1 / 4 * 9 / 6) ** 0.5)
    assert grid.skill("z") is None and grid.skill("w") is None
    assert grid.skill("seasonal_naive") == 0


# ---- layouts -------------------------------------------------------------------------------------


def test_best_and_second_are_those_of_one_task(grid):
    (sheet,) = sheets(grid)
    for k, task in enumerate(grid.tasks, start=1):
        column = {line[0].text: line[k] for line in sheet.body}
        errors = {name: cell.number for name, cell in column.items() if cell.number is not None}
        best, second, *_ = sorted(errors, key=errors.get)
        marked = {cell.mark: name for name, cell in column.items() if cell.mark}
        assert marked == {"best": best, "second": second}, task.label


BOTH = {("airline", ""), ("airline", "transform=log"), ("airline", "transform=none"), ("sines", "")}


@pytest.mark.parametrize(
    "layout, rows, columns, tables",
    [
        ({"rows": ("horizon",)}, "horizon", "model", BOTH),
        ({"by": ("data",)}, "model", "horizon protocol", {("airline",), ("sines",)}),
        ({"columns": ("model",)}, "data horizon protocol", "model", {()}),
        ({"rows": ("protocol.transform",)}, "protocol.transform", "data horizon protocol", None),
        ({"rows": ("data",), "by": ("protocol",)}, "data horizon", "model", None),
        ({"columns": ("seed",)}, "model", "seed", None),
    ],
)
def test_no_layout_puts_two_scores_into_one_cell_or_hides_a_task(
    grid, layout, rows, columns, tables
):
    pivots = pivot(grid, Layout(**layout))
    for one in pivots:
        assert " ".join(one.row_axes) == rows and " ".join(one.column_axes) == columns
        assert len(one.cells) == len(one.entries), "a score is hidden by another"
        shown = {*one.row_axes, *one.column_axes, *one.fixed}
        assert len({e.at["data"] for e in one.entries}) == 1 or "data" in shown
    if tables:
        assert {tuple(one.fixed.values()) for one in pivots} == tables


def test_a_horizon_that_goes_with_its_dataset_stands_beside_it(grid):
    part = Grid(tuple(t.table for t in grid.tasks if t.label in ("airline h=6", "sines h=10")))
    (one,) = pivot(part, Layout(rows=("data",)))
    assert one.row_axes == ("data", "horizon") and one.rows == [("airline", 6), ("sines", 10)]


def test_a_key_shows_what_validation_did_not_choose_and_says_so(desk):
    desk("run", "-q", "model=linear", "model.context=6,24", "baselines=[naive]")
    shutil.rmtree(desk.comparison())
    assert desk("compare", "--rows", "model.context", "model=linear", "-q") == 0
    (one,) = pivot(again(desk.comparison()))
    assert one.rows == [(6,), (24,)] and one.exploratory and one.without == ("naive",)
    rows = lines((desk.comparison() / "grid.csv").read_text())
    assert [row["model.context"] for row in rows] == ["6", "24"]
    assert {row["stamp"] for row in rows} == {"EXPLORATORY"}
    for end in ("md", "tex", "html"):
        text = (desk.comparison() / f"grid.{end}").read_text()
        assert "EXPLORATORY" in re.sub(r"^%.*$", "", text, flags=re.M)


def test_what_only_nets_read_is_no_key_of_other_models(grid):
    pivots = pivot(grid, Layout(rows=("trainer.epochs",)))
    assert {model for one in pivots for model in one.without} >= {"drift", "seasonal_naive"}
    assert {entry.at["model"] for one in pivots for entry in one.entries} <= {"gru", "rnn"}


def test_seeds_side_by_side_have_no_winner(kept):
    kept("compare", "-q", "model=gru", "protocol.horizon=12", "--columns", "seed")
    grid = again(kept.comparison())
    (sheet,) = sheets(grid)
    assert sheet.heads[-1] == ("model", "seed=1", "seed=2", "seed=—")
    assert not any(cell.mark for line in sheet.body for cell in line)
    assert "test_mase_sampling_error" not in as_csv(grid)


@pytest.mark.parametrize(
    "words, hint",
    [
        (["--metric", "mea"], "Did you mean 'mae'"),
        (["--metric=cover80"], "alone makes no model better"),
        (["--rows", "modle"], "Did you mean 'model'"),
        (["--rows", "model.hiden"], "Did you mean 'model.hidden'"),
        (["--rows", "data", "--by", "data"], "can be in one of"),
        (["--columns"], "wanted a value"),
        (["--sort", "x"], "unknown option '--sort'"),
        (["--control", "drit"], "no model named 'drit' among these runs. Did you mean 'drift'"),
    ],
)
def test_mistakes_cost_one_line_and_write_nothing(kept, words, hint):
    assert kept("compare", *words) == 2
    assert hint in kept.err and len(kept.err.splitlines()) == 1
    assert not (kept.folder / "runs/_comparisons").exists()


@pytest.mark.parametrize("metric, sign", [("rmse", 1), ("r2", -1)])
def test_another_metric_orders_rows(kept, metric, sign):
    kept("compare", "-q", "--metric", metric, "protocol.horizon=12")
    for table in again(kept.comparison()).tables:
        scores = [sign * row.score("test", metric).mean for row in table.rows]
        assert scores == sorted(scores) and len(scores) > 1
        assert table.ranks == tuple(range(1, len(scores) + 1))


# ---- the table of a task -------------------------------------------------------------------------


def test_failures_are_ranked_last_counted_and_paid_for(kept):
    kept("compare", "-q", "protocol.horizon=6")
    (table,) = again(kept.comparison()).tables
    assert [row.model for row in table.rows][-2:] in (["rnn", "gru"], ["gru", "rnn"])
    assert table.ranks[-1] == table.ranks[-2] == len(table.rows) - 0.5
    page = (kept.comparison() / "table.md").read_text()
    assert "2 configurations failed and are ranked last." in page
    runs = [run for run in kept.runs() if run.status["horizon"] == 6]
    spent = sum(run.status["ended"] - run.status["started"] for run in runs)
    effort = Shelf(kept.folder / "runs").effort(table.status["fingerprint"])
    assert effort.runs == len(runs) == 6 and effort.failed == 2 and effort.tried == 5
    assert effort.seconds == pytest.approx(spent)
    assert f"6 runs under this protocol took {lasting(spent)} in all, of which 2 failed." in page


def test_time_that_a_status_tells_is_taken_before_that_of_the_last_attempt(kept):
    run = kept.only("/sines/drift/")
    status = run.status | {"spent": 1000.0}
    (run.folder / "status.json").write_text(json.dumps({**status, "sha256": None}))
    assert Shelf(kept.folder / "runs").effort(status["fingerprint"]).seconds > 1000


def test_a_seed_that_failed_is_counted_in_the_row(kept):
    run = next(run for run in kept.runs("/gru/") if run.status["horizon"] == 12)
    status = run.status | {"state": "failed", "error": "OutOfMemory"}
    (run.folder / "status.json").write_text(json.dumps({**status, "sha256": None}))
    assert kept("compare", "model=gru", "protocol.horizon=12") == 0
    assert "  1 of 2  " in kept.out and "gru has 1 of 2 seeds: OutOfMemory." in kept.out


def test_sampling_errors_have_a_column_of_their_own_where_they_can_be_told(kept):
    kept("compare", "data=sines")
    assert "s.e." in kept.out
    table = [line for line in kept.out.splitlines() if line.startswith("  ")]
    assert max(map(len, table)) <= 120 and "intervals" in table[0]
    (row, *_) = lines((kept.comparison() / "table.csv").read_text())
    assert 0 < float(row["test_mase_sampling_error"]) < float(row["test_mase"])
    rmse = tabulate(kept.runs("/sines/drift/"), tried=1, metric="rmse")
    squared = sampling_error(rmse.rows[0], "squared")
    assert rmse.sampling_error(rmse.rows[0]) == pytest.approx(
        squared / (2 * rmse.rows[0].score("test", "rmse").mean)
    )
    kept("compare", "protocol.horizon=12")
    assert "s.e." not in kept.out, "three independent origins tell no error"


def test_losses_of_origins_average_to_the_score_with_and_without_gaps(desk):
    rows = [f"{k},{'' if k in (117, 131, 132) else 3 + (k * k) % 7},{k % 5}" for k in range(140)]
    (desk.folder / "my.csv").write_text("\n".join(["time,a,b", *rows]))
    desk("run", "-q", "data=my.csv", "model=drift", "baselines=[]", "protocol.horizon=3")
    run = desk.only("/drift/")
    row = Row(model="drift", settings=run, records=(run,))
    for metric, split in itertools.product(("mae", "mase", "squared", "crps", "wape"), SPLITS):
        found, scores = losses(row, split, metric), run.scores[split]
        wanted = scores["rmse"]["pooled"] ** 2 if metric == "squared" else scores[metric]["pooled"]
        assert np.mean(found.values) == pytest.approx(wanted, rel=1e-12)
        sums = run.arrays("windows.npz")
        above, below = (sums[f"{split}_{name}"].sum((1, 2)) for name in RATIOS[metric])
        if split == "val" and metric != "wape":  # no gaps: each is the mean over its cells
            assert found.values == pytest.approx(above / below)
        assert found.horizon == 3 and list(found.origins) == list(sums[f"{split}_origins"])
    assert losses(row, "test", "r2") is None


def test_losses_are_averaged_over_seeds_and_blind_origins_are_nan(kept):
    runs = [run for run in kept.runs("/gru/") if run.status["horizon"] == 12]
    one = [losses(Row(model="gru", settings=r, records=(r,)), "test", "mae") for r in runs]
    both = losses(Row(model="gru", settings=runs[0], records=tuple(runs)), "test", "mae")
    assert both.values == pytest.approx(np.mean([found.values for found in one], axis=0))
    sums = runs[0].arrays("windows.npz")
    for name in ("test_absolute", "test_count"):
        sums[name][3] = 0
    np.savez(runs[0].folder / "windows.npz", **sums)
    blind = losses(Row(model="gru", settings=runs[0], records=(runs[0],)), "test", "mae").values
    assert np.isnan(blind[3]) and np.isnan(blind).sum() == 1
    pooled = sums["test_absolute"].sum() / sums["test_count"].sum()
    assert np.nanmean(blind) == pytest.approx(pooled)


# ---- formats -------------------------------------------------------------------------------------


def test_a_comparison_has_a_folder_for_every_task_and_drops_what_is_stale(kept):
    kept("compare", "-q", "data=airline")
    folder = kept.comparison()
    inside = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    ends = ("md", "tex", "csv", "html")
    assert {f"grid.{end}" for end in ends} <= inside and "table.md" not in inside
    assert len([name for name in inside if name.endswith("/table.tex")]) == 3
    for run in kept.runs("/airline/"):
        if run.status["horizon"] != 6:
            shutil.rmtree(run.folder)
    kept("compare", "-q", "data=airline")
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith("plots/")} == {
        *(f"table.{end}" for end in ends), "members.json",
        *(f"report.{end}" for end in ("md", "html", "tex", "bib", "json")),
    }  # fmt: skip
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["plots"]
    drawn = json.loads((folder / "plots" / "captions.json").read_text())
    stems = {Path(name).stem for name in left if name.startswith("plots/")} - {"captions"}
    assert stems == {Path(name).stem for name in drawn}  # none of what was compared before


def test_csv_is_tidy_and_exact(grid):
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(io.StringIO(as_csv(grid)))
    assert len(frame) == sum(len(rows) for rows in grid._rows.values())
    wide = frame.pivot(index="task", columns="model", values="test_mase")
    for task, model in itertools.product(grid.tasks, grid.models):
        value = grid.value(model, task, "mase")
        held = wide.loc[task.label, model] if model in wide else np.nan
        assert np.isnan(held) if value is None else held == value.mean
    assert frame.loc[frame.failed.notna(), "test_mase"].isna().any()


def test_latex_has_as_many_cells_as_columns_and_rules_under_its_spans(grid):
    text = as_latex(grid)
    table = re.search(r"\\begin{tabular}{(\w+)}\n\\toprule\n(.*?)\\bottomrule", text, re.S)
    width, rows = len(table[1]), table[2].replace(r"\&", "").splitlines()
    for row in [row for row in rows if row.endswith(r"\\")]:
        spans = [int(n) - 1 for n in re.findall(r"\\multicolumn{(\d+)}", row)]
        assert row.count("&") + 1 + sum(spans) == width
    assert r"\multicolumn{3}{c}{airline}" in text and r"\cmidrule(lr){2-4}" in text
    body = re.sub(r"^%.*$", "", text, flags=re.M)
    assert not re.search(r"(?<!\\)[#_^~]|[^\x00-\x7f]", body), "all is escaped"
    assert body.count("{") == body.count("}")


def test_markdown_and_a_terminal_say_the_same(grid):
    page = as_markdown(grid)
    assert "| model | airline · h=6 | airline · h=12 · transform=log |" in page
    assert max(map(len, as_text(grid))) <= 120
    assert "<u>" in page and "**" in page and "FAILED" in page


def test_html_is_escaped_and_accessible(grid):
    page = html_page(grid)
    assert "http" not in page and page.count("<script>") == 1
    assert page.count('aria-sort="none"') == page.count("<button") == len(sheets(grid)[0].heads[-1])
    assert '<th class="over" colspan="3" scope="colgroup">airline</th>' in page
    assert '<tr class="failed">' in page and "data-value=" in page
    evil = replace(grid.tables[0], status=grid.tables[0].status | {"headline": "<script>"})
    assert "<script>" not in as_html(evil, "<b>") and html_page(evil).count("<script>") == 1


CLICKS = """
<script>
  const rows = () => [...document.querySelectorAll("tbody tr")];
  const buttons = [...document.querySelectorAll("table.stsfm thead tr:last-child button")];
  const seen = [];
  for (let i = 0; i < 2; i++) {
    buttons[K].click();
    seen.push(rows().map(row => row.cells[K].textContent));
  }
  const sort = buttons[K].closest("th").getAttribute("aria-sort");
  document.title = JSON.stringify({seen, sort});
</script></body>
"""


def test_a_click_sorts_numbers_as_numbers_and_leaves_failures_last(grid, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs chromium to click on a heading")
    (table,) = (task.table for task in grid.tasks if task.label == "airline h=6")
    (sheet,) = sheets(table)
    k = sheet.heads[-1].index("MAE")
    page = tmp_path / "page.html"
    page.write_text(html_page(table).replace("</body>", CLICKS.replace("K]", f"{k}]")))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/c"]
    command = [chromium, *flags, "--dump-dom", str(page)]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    said = json.loads(re.search(r"<title>(.*?)</title>", dumped)[1])
    column = [line[k] for line in sheet.body]
    numbers = sorted((cell.number, cell.text) for cell in column if cell.text)
    up = [text for _, text in numbers]
    assert said["seen"] == [[*up, "", ""], [*up[::-1], "", ""]] and said["sort"] == "descending"


# ---- the shelf -----------------------------------------------------------------------------------


def test_each_status_is_read_once(kept, monkeypatch):
    read: dict[str, int] = {}
    text = Record.read

    def counted(self, name):
        read[f"{self.folder.resolve()}/{name}"] = read.get(f"{self.folder.resolve()}/{name}", 0) + 1
        return text(self, name)

    monkeypatch.setattr(Record, "read", counted)
    assert kept("compare", "-q", "data=sines") == 0
    assert max(n for name, n in read.items() if name.endswith(("status.json", "scores.json"))) == 1


def test_a_grid_in_a_notebook(kept):
    pytest.importorskip("pandas")
    import stsfm

    both = stsfm.compare(model="drift")
    assert list(both.grid.columns) == [task.label for task in both._grid.tasks]
    assert both.grid.loc["drift", "sines h=10"] == pytest.approx(
        kept.only("/sines/drift/").pooled("test")["mase"]
    )
    assert both.table.loc[("airline h=6", "drift"), "test_mae"] > 0
    assert "mean rank" in repr(both) and "mean rank" in both._repr_html_()
    assert "<script" not in both._repr_html_()


def test_a_layout_and_a_control_are_remembered(kept):
    kept("compare", "-q", "--rows", "horizon", "--metric", "rmse", "--control=drift", "data=sines")
    (table,) = again(kept.comparison()).tables
    assert any(said.startswith("Differences are to drift (declared)") for said in table.tested)
    assert table.tested[-1] in (kept.comparison() / "table.md").read_text()
    assert again(kept.comparison()).layout == Layout(metric="rmse", rows=("horizon",))


def test_records_of_a_shelf_are_those_of_the_home(kept):
    shelf = Shelf(kept.folder / "runs")
    assert [run.folder for run in shelf.runs] == [r.folder for r in records(shelf.home)]
    run = kept.runs("/gru/")[0]
    assert shelf.at(run.folder) is shelf.at(run.folder / ".." / run.folder.name)
