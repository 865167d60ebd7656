"""What a sweep over the weights of a loss ends in: jobs without each term, a table, figures."""

import json

import pytest

from stsfm import compose
from stsfm.__main__ import main
from stsfm.mistakes import Mistake
from stsfm.plots.across.gather import gather
from stsfm.plots.across.pareto import pareto
from stsfm.plots.across.response import _off_zero, response
from stsfm.plots.across.terms import terms
from stsfm.record import records
from stsfm.tables.ablation import ablation_sheet, ablations
from stsfm.tables.table import tabulate

TERMS = [
    "loss=mse",
    "+loss.terms.robust._target_=stsfm.losses.point.MAE",
    "+loss.terms.hub._target_=stsfm.losses.point.Huber",
    "+loss.terms.hub.delta=0.1",
    "+loss.weights.hub=0.1",
]
NET = ["model=mlp", "model.width=4", "trainer.epochs=2", "baselines=[]", "protocol.calibration=0"]
SWEEP = "+loss.weights.robust=0.1,1"


def weights(args):
    found = [job.config["loss"]["weights"] for job in compose.jobs([*NET, *TERMS, *args]).jobs]
    return [(one.get("robust", 1), one["hub"]) for one in found]


# ---- the plan ------------------------------------------------------------------------------------


def test_a_sweep_over_weights_is_also_run_without_each_term():
    whole, less = [(0.1, 0.1), (1, 0.1)], [(0, 0.1), (0.1, 0), (1, 0)]
    assert weights([SWEEP]) == whole + less
    assert weights([SWEEP, "ablate=false"]) == whole
    assert weights([SWEEP, "seeds=2"]) == [w for w in whole for _ in "12"] + [
        (0, 0.1), (0.1, 0), (0, 0.1), (0.1, 0), (1, 0), (1, 0)
    ]  # fmt: skip
    assert weights([]) == [(1, 0.1)], "one loss is one job"
    assert weights(["ablate=true"]) == [(1, 0.1), (0, 0.1), (1, 0)]
    assert weights(["seeds=2"]) == [(1, 0.1)] * 2, "a sweep over something else adds none"
    plain = compose.jobs(["model=linear", "+loss.weights.robust=1,2", *TERMS[:2], "ablate=true"])
    assert len(plain.jobs) == 2, "a model without a loss has nothing to leave out"


def test_what_ablates_is_a_run_like_any_other():
    """Its words make it again, alone and with the same numbers."""
    jobs = compose.jobs([*NET, *TERMS, SWEEP]).jobs
    less = [job for job in jobs if job.config["loss"]["weights"].get("robust") == 0]
    assert [job.ablates for job in jobs] == [False] * 2 + [True] * 3
    again = compose.jobs(list(less[0].words)).jobs
    assert len(again) == 1 and again[0].config["model"] == less[0].config["model"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ablate=maybe"], "wanted auto, true or false"),
        (["ablate=true", "search=optuna"], "first search, then ablate"),
    ],
)
def test_what_cannot_be_ablated(words, said):
    with pytest.raises(Mistake, match=said):
        compose.jobs([*NET, *TERMS, *words])


# ---- the page ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    for job in compose.jobs([*NET, *TERMS, SWEEP, f"runs_dir={folder}"]).jobs:
        assert main(["run", "-q", *job.words]) == 0  # here: no process for each
    assert main(["compare", "-q", "model=mlp", f"runs_dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def table(home):
    return tabulate(list(records(home)), tried=5)


def test_the_table_says_what_each_term_is_worth(table):
    (one,) = ablations(table)
    assert set(one.without) == {"robust", "hub"}
    errors = {
        label: [r.scores["val"]["mase"]["pooled"] for r in row.records]
        for label, row in (("whole", one.whole), *one.without.items())
    }
    sheet = ablation_sheet(table)
    lines = [[cell.text for cell in line] for line in sheet.body]
    assert lines[0][:2] == ["mlp", "task + robust + hub"]
    for line, cells, name in zip(lines[1:], sheet.body[1:], one.without, strict=True):
        change = 100 * (sum(errors[name]) / sum(errors["whole"]) - 1)
        worse = sum(a > b for a, b in zip(errors[name], errors["whole"], strict=True))
        assert line[1] == f"without {name}" and line[6] == f"{worse} of 1"
        assert cells[3].number == pytest.approx(sum(errors[name]))
        assert cells[5].number == pytest.approx(change)
    whole = [row for row in (*table.rows, *table.hidden) if row.label == one.whole.label]
    assert len(whole) == 1 and "test" not in sheet.heads[-1]


def test_the_whole_loss_is_the_one_that_validation_prefers(table):
    rows = [row for row in (*table.rows, *table.hidden) if "hub=0 " not in f"{row.label} "]
    rows = [row for row in rows if "robust=0 " not in f"{row.label} "]
    assert len(rows) == 2
    best = min(rows, key=lambda row: row.score("val", "mase").mean)
    assert ablations(table)[0].whole is best


def test_the_page_has_the_table_and_its_figures(home):
    (folder,) = (home / "_comparisons").iterdir()
    assert "without robust" in (folder / "ablation.md").read_text()
    assert (folder / "ablation.csv").read_text().startswith("model,loss,weight,val MASE")
    assert "## Ablation" in (folder / "report.md").read_text()
    drawn = json.loads((folder / "plots" / "captions.json").read_text())
    assert {"pareto.png", "terms.png", "response.png"} <= set(drawn)


def test_figures_show_the_terms_that_were_logged(table):
    (contest,) = gather([table])
    assert len(contest.composites) == 5
    figure, caption = terms(contest)
    assert [ax.get_title() for ax in figure.axes] == ["robust", "hub", "task"]
    lines = [line for line in figure.axes[2].lines if not line.get_label().startswith("_")]
    assert len(lines) == 5, "a line for every seed of every loss"
    row = table.rows[0]
    kept = [[r["train_task"] for r in record.history()] for record in row.records]
    drawn = [list(line.get_ydata()) for line in lines if line.get_label() == row.label]
    assert drawn == kept and "a line for every seed" in caption
    figure, caption = pareto(contest)
    assert [ax.get_ylabel() for ax in figure.axes] == ["robust", "hub"]
    big = [line for line in figure.axes[0].lines if line.get_markersize() == 5]
    assert len(big) == 4, "a loss without the term has no place on its axis"
    assert "Neither validation nor test" in caption


def test_a_weight_of_zero_has_its_place_on_a_logarithmic_axis(table):
    assert _off_zero([0, 0.01, 0.1, 1]) == pytest.approx([0.001, 0.01, 0.1, 1])
    assert _off_zero([1, 100]) == [1, 100]
    assert response(gather([table])[0]) is not None
