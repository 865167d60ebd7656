"""Tables: seeds folded, best marked, digits honest, protocols not mixed; states of records."""

import csv
import os
from pathlib import Path

import pytest

from stsfm.identity import Identity
from stsfm.mistakes import Mistake
from stsfm.record import Record, records
from stsfm.record.attempt import writing
from stsfm.record.choosing import flatten
from stsfm.tables.render import as_latex, as_text
from stsfm.tables.row import Row, Value
from stsfm.tables.sheet import digits_of, marks
from stsfm.tables.table import average_ranks, tabulate
from stsfm.words import number

SHORT = "trainer.epochs=4"


def test_seeds_are_folded_into_mean_and_sd_and_deterministic_rows_have_none(desk):
    assert desk("run", "-m", "model=lstm,drift", "seeds=3", SHORT) == 0
    folder = desk.comparison()
    with (folder / "table.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    maes = [run.scores["test"]["mae"]["pooled"] for run in desk.runs("/lstm/")]
    mean = sum(maes) / 3
    sd = (sum((x - mean) ** 2 for x in maes) / 2) ** 0.5
    assert float(rows["lstm"]["test_mae"]) == pytest.approx(mean)
    assert float(rows["lstm"]["test_mae_sd"]) == pytest.approx(sd)
    assert rows["lstm"]["seeds"] == "3"
    assert rows["drift"]["seeds"] == rows["drift"]["test_mae_sd"] == ""
    assert len(desk.runs("/drift/")) == 1
    markdown = (folder / "table.md").read_text()
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in markdown.splitlines()]
    drift = dict(zip(lines[2], next(line for line in lines if "drift" in line), strict=True))
    assert drift["seeds"] == drift["seed sd"] == "—" and "± 0" not in markdown
    lstm = dict(zip(lines[2], next(line for line in lines if "lstm" in line), strict=True))
    assert float(lstm["seed sd"]) == pytest.approx(float(rows["lstm"]["test_mase_sd"]), rel=0.05)
    level = float(rows["seasonal_naive"]["test_mae"])
    assert float(rows["lstm"]["test_skill"]) == pytest.approx(1 - mean / level)


def test_compare_rebuilds_the_table_from_folders(desk):
    desk("run", "-m", "model=lstm,drift", "seeds=2", SHORT)
    folder = desk.comparison()
    assert desk("compare", "model=lstm,drift", "data=airline") == 0
    (rebuilt,) = set((desk.folder / "runs/_comparisons").iterdir()) - {folder}
    for name in ("table.csv", "table.md", "table.tex"):
        assert (rebuilt / name).read_text() == (folder / name).read_text()
    assert desk("compare", "model=lstm", "-q") == 0 and not desk.out


def test_protocols_are_never_mixed_in_one_table(desk):
    desk("run", "model=naive", "baselines=[]")
    desk("run", "model=naive", "baselines=[]", "protocol.horizon=6")
    with pytest.raises(Mistake, match="a table holds one protocol"):
        tabulate(desk.runs(), tried=1)
    assert desk("compare", "model=naive", "-q") == 0
    tables = list(desk.comparison().glob("*/table.csv"))
    prints = [{row["fingerprint"] for row in csv.DictReader(t.open())} for t in tables]
    assert len(tables) == 2 and all(len(p) == 1 for p in prints) and prints[0] != prints[1]


def test_what_is_missing_is_warned_of_once_and_counted_in_words(desk):
    rows = [f"{k},{'' if k == 9 else k % 7}" for k in range(140)]
    (desk.folder / "my.csv").write_text("\n".join(["time,a", *rows]))
    desk("run", "data=my.csv", "model=naive,mean", "baselines=[ets]")
    assert desk.err.count("without the baseline ets") == 1
    desk("run", "model=naive", "baselines=[]")
    assert "1 configuration tried under this protocol, 1 shown" in desk.out


def test_a_sweep_over_hyperparameters_shows_the_winner_of_validation(desk):
    desk("run", "model=linear", "model.context=12,24,36", "baselines=[seasonal_naive]")
    runs = desk.runs("/linear/")
    best = min(runs, key=lambda run: run.scores["val"]["mase"]["pooled"])
    table = (desk.comparison() / "table.md").read_text()
    assert (
        table.count("| linear") == 1 and "2 configurations that validation did not choose" in table
    )
    assert "4 configurations tried under this protocol, 2 shown" in table
    shown = next(line for line in table.splitlines() if "| linear" in line)
    assert f"{best.scores['test']['mase']['pooled']:.3f}" in shown
    assert desk("compare", "model=linear", "--all-configs") == 0
    assert "EXPLORATORY" in desk.out and desk.out.count("  linear context=") == 3


def test_runs_of_older_source_are_left_out(desk, monkeypatch):
    from stsfm import identity

    desk("run", "model=naive", "baselines=[]")
    source = identity._source
    monkeypatch.setattr(
        identity, "_source", lambda m: source(m) + "x = 1\n" * (m.endswith("naive"))
    )
    identity.source_digest.cache_clear()
    desk("run", "model=naive", "baselines=[]")
    identity.source_digest.cache_clear()
    assert len(desk.runs("/naive/")) == 2
    assert desk("compare", "model=naive") == 0 and "1 run of older source code" in desk.out


def test_a_sweep_over_protocols_ends_in_a_table_for_each(desk):
    assert desk("run", "model=naive", "protocol.horizon=1,6", "baselines=[drift]") == 0
    folder = desk.comparison()
    assert (folder / "grid.md").exists() and len([*folder.glob("*/table.md")]) == 2


def test_failures_of_a_sweep_are_shown_and_labelled(desk):
    words = ["model=gru", "model.hidden=4,8", "trainer.lr=0.01,1e30", SHORT, "baselines=[naive]"]
    assert desk("run", *words) == 1
    rows = [
        line for line in (desk.comparison() / "table.md").read_text().splitlines() if "gru" in line
    ]
    failed = [row for row in rows if "FAILED" in row]
    assert len(failed) == 2 and all("trainer.lr=" in row and "hidden=" in row for row in failed)
    assert "_target_" not in "".join(rows)


def test_a_run_kept_in_two_homes_is_one_seed(desk):
    for home in ("a", "b"):
        desk("run", "model=naive", "baselines=[]", f"runs_dir={home}")
    found = [*records(desk.folder / "a"), *records(desk.folder / "b")]
    (row,) = tabulate(found, tried=1).rows
    assert row.seeds == 1 and row.score("test", "mae").sd is None


@pytest.mark.parametrize(
    "file, content",
    [
        ("status.json", "[1]"), ("status.json", '{"a": 1}'), ("status.json", '{"state": "fin'),
        ("status.json", '{"state": "finished", "schema": 0}'), ("scores.json", '{"a": 1}'),
        ("config.yaml", "x: ["), ("config.yaml", "[1]"), ("members.json", "[1]"),
        ("environment.json", "[1]"), ("forecast.npz", "x"), ("history.csv", ""),
    ],
)  # fmt: skip
def test_a_broken_file_is_met_calmly_and_repaired_by_running_again(desk, file, content):
    words = ["run", "model=drift", "baselines=[naive]"]
    desk(*words)
    folder = desk.only("/drift/").folder
    (folder / file).write_text(content)
    for command in (["ls"], ["compare", "model=naive"], ["show", str(folder)]):
        assert desk(*command) in (0, 1, 2) and "Error" not in desk.err
    assert desk(*words) == 0
    assert desk.only("/drift/").state == "finished" and "drift" in desk.out


@pytest.mark.parametrize(
    "words, hint",
    [
        (["modle=lstm"], "Did you mean 'model'"),
        (["lstm"], "wanted key=value"),
        (["model=lsmt"], "no run in runs matches"),
        (["--al"], "unknown option '--al'"),
    ],
)
def test_mistakes_in_compare_cost_one_line(desk, words, hint):
    desk("run", "model=naive", "baselines=[]")
    assert desk("compare", *words) == 2
    assert hint in desk.err and len(desk.err.splitlines()) == 1


def test_ls_and_show_find_runs(desk):
    desk("run", "model=naive", "baselines=[drift]")
    run = desk.only("/naive/")
    assert desk("ls", "model=naive") == 0 and desk.out.count("\n") == 1
    assert desk("show", run.folder.name[:6]) == 0
    assert "table.md" in desk.out and "drift" in desk.out and "stsfm run" in desk.out
    assert desk("show", "nothing") == 2 and "no run" in desk.err


def test_digits_follow_the_spread_of_seeds():
    assert digits_of([Value(24.31234, 1.5), Value(38.61), None]) == 1
    assert digits_of([Value(24.31234), Value(38.61)]) == 1 and digits_of([None]) == 0
    assert number(-3.0, 0) == "−3" and number(24.31234, 1) == "24.3"


def test_ties_share_marks_and_ranks():
    values = [Value(2.0), Value(1.0), None, Value(1.0), Value(3.0)]
    assert marks(values, "low") == ["second", "best", "", "best", ""]
    assert marks(values, "high") == ["second", "", "", "", "best"]
    assert average_ranks([2.0, 1.0, float("inf"), 1.0, float("inf")]) == [3, 1.5, 4.5, 1.5, 4.5]


def test_a_mean_over_seeds_that_lacks_one_is_no_mean():
    assert Value.of([1.0, 3.0]) == Value(2.0, 2**0.5)
    assert Value.of([1.0]) == Value(1.0, None)
    assert Value.of([1.0, None]) is None and Value.of([1.0, float("nan")]) is None


def test_text_lines_up_and_latex_is_escaped(desk):
    desk("run", "model=seasonal_naive", "baselines=[naive]")
    table = tabulate(desk.runs(), tried=2)
    lines = as_text(table)
    assert len({line.index("train") for line in lines[1:]}) == 1
    latex = as_latex(table).partition("\n%")[0]
    assert (
        r"seasonal\_naive" in latex
        and r"\toprule" in latex
        and "_n" not in latex.replace(r"\_n", "")
    )
    assert r"\textbf{" in latex and r"\underline{" in latex


def test_rows_keep_failures_apart():
    row = Row(model="m", settings=Record(Path("nowhere")), records=(), failures=("OOM",))
    assert row.score("test", "mae") is None and row.seeds == 0
    assert flatten({"a": {"b": 1}, "seed": 2}, drop=("seed",)) == {"a.b": 1}


ABOUT = dict.fromkeys(("model", "data", "fingerprint", "headline"), "x")
IDENTITY = Identity(data="d", model="m", seed=1, ingredients={"data": "x"})


def test_a_run_is_written_by_one_process_at_a_time_and_found_finished_after(tmp_path):
    with writing(tmp_path, IDENTITY, ABOUT, force=False) as run:
        assert run.locked and run.state == "running"
        (run.folder / "scores.json").write_text("{}")
        (run.folder / "scores.json").write_text('{"val": 1, "test": 1, "cost": 1}')
    assert run.state == "finished" and not run.locked
    with writing(tmp_path, IDENTITY, ABOUT, force=False) as again:
        assert again is None
    with writing(tmp_path, IDENTITY, ABOUT, force=True) as again:
        assert not (again.folder / "scores.json").exists()


def test_a_running_run_without_a_lock_has_crashed(tmp_path):
    folder = tmp_path / IDENTITY.folder
    folder.mkdir(parents=True)
    (folder / "status.json").write_text('{"state": "running"}')
    assert Record(folder).state == "crashed"
    (folder / "status.json").write_text('{"state": "fini')
    assert Record(folder).state == "damaged"
    (folder / "status.json").write_text('{"state": "finished", "schema": 1}')
    assert Record(folder).state == "damaged"


def test_an_exception_leaves_a_failed_run_with_its_trace(tmp_path):
    with pytest.raises(ZeroDivisionError), writing(tmp_path, IDENTITY, ABOUT, force=False):
        _ = 1 / 0
    run = Record(tmp_path / IDENTITY.folder)
    assert run.state == "failed" and "ZeroDivisionError" in (run.folder / "error.txt").read_text()
    assert run.status["pid"] == os.getpid()
    with pytest.raises(KeyboardInterrupt), writing(tmp_path, IDENTITY, ABOUT, force=False):
        raise KeyboardInterrupt
    assert run.state == "interrupted" and run.status["attempt"] == 2


def test_every_value_of_a_factor_has_a_row_and_of_the_rest_validation_chooses(desk):
    words = ["model=gru", "loss=huber,mae", "model.hidden=4,8", "baselines=[naive]", SHORT]
    assert desk("run", *words, "factors=[los]") == 2 and "Did you mean 'loss'" in desk.err
    assert desk("run", *words, "factors=[loss]") == 0, desk.err
    folder = desk.comparison()
    with (folder / "table.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    rows = {name.partition(" hidden")[0]: row for name, row in rows.items()}
    assert set(rows) == {"gru loss=huber", "gru loss=mae", "naive"}
    kept = desk.runs("/gru/")
    for loss in ("huber", "mae"):
        like = [run for run in kept if run.config["choices"]["loss"] == loss]
        best = min(like, key=lambda run: run.scores["val"]["mase"]["pooled"])
        shown = float(rows[f"gru loss={loss}"]["test_mase"])
        assert shown == pytest.approx(best.scores["test"]["mase"]["pooled"])
    text = (folder / "table.md").read_text()
    assert "2 configurations that validation did not choose" in text and "EXPLORATORY" not in text
    assert desk("compare", "model=gru", "--factors", "loss,model.hidden") == 0
    assert desk.out.count("  gru loss=") == 4
