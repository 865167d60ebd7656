"""Claims of a table in words: tested against a control, refused in words, blind to more seeds."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stsfm.__main__ import main
from stsfm.record import Record, records
from stsfm.significance import compare, skill_interval
from stsfm.significance.families import by_family
from stsfm.tables.cells import cells, headings
from stsfm.tables.claims import claims
from stsfm.tables.grid import Grid
from stsfm.tables.losses import at_origins, losses
from stsfm.tables.overall import claims_over_datasets, overall
from stsfm.tables.table import Table, tabulate
from stsfm.tables.verdicts import told


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[int, Table]:
    """Airline one month ahead (36 independent origins) and twelve (3), by horizon."""
    folder = tmp_path_factory.mktemp("claims")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        models = ["model=lstm,drift", "seeds=2", "trainer.epochs=2"]
        baselines = "baselines=[linear,naive,seasonal_naive]"
        assert main(["run", "-m", *models, baselines, "protocol.horizon=1"]) == 0
        assert main(["run", "model=drift", "baselines=[linear]"]) == 0
    runs = list(records(folder / "runs"))
    horizons = {run.status["horizon"] for run in runs}
    return {h: tabulate([r for r in runs if r.status["horizon"] == h], tried=1) for h in horizons}


def test_each_row_is_tested_against_the_best_classical_on_validation(tables):
    table = tables[1]
    found = claims(table)
    assert found.control == table.best_classical.label == "linear"
    assert set(found.pairs) == {row.label for row in table.rows} - {"linear"}
    rows = {row.label: losses(row, "test", table.metric) for row in table.rows}
    pair = compare(rows["naive"].values, rows["linear"].values, rows["naive"].origins, 1)
    assert found.pairs["naive"].pair == pair
    assert found.pairs["naive"].p > pair.p  # Holm's
    errors = {row.label: row.score("test", table.metric).mean for row in table.rows}
    difference = errors["naive"] - errors["linear"]
    assert pair.difference == pytest.approx(difference)  # that of the table's own numbers


def test_a_sentence_for_each_claim_has_its_numbers(tables):
    found = claims(tables[1])
    naive = found.pairs["naive"]
    assert naive.verdict == "worse" and naive.p < 0.05
    (said,) = [words for words in found.sentences if words.startswith("naive is")]
    assert said.startswith("naive is worse than linear: MASE +") and said.endswith(".")
    assert f"{naive.pair.difference:+.2f}" in said and f"p = {naive.p:.2g}" in said
    assert "With 95 % confidence the best is among: linear, seasonal_naive." in found.sentences
    assert found.mcs == ("linear", "seasonal_naive")
    (method,) = [words for words in found.sentences if words.startswith("Differences are to")]
    assert "linear (the best classical model on validation)" in method
    assert "Holm for 4 comparisons" in method and "over 36 origins (all independent)" in method
    (skill,) = [words for words in found.sentences if words.startswith("Skill over")]
    low, high = (100 * bound for bound in (found.skills["linear"].low, found.skills["linear"].high))
    assert f"[{low:.0f}, {high:.0f}]" in skill


def test_too_few_independent_origins_are_told_and_nothing_is_tested(tables):
    found = claims(tables[12])
    assert found.sentences == ("No significance test: 3 independent origins.",)
    assert not found.pairs and not found.mcs and not found.skills


def test_a_declared_control_is_the_control_and_must_be_a_row(tables):
    found = claims(tables[1], "drift")
    assert found.control == "drift" and "drift" not in found.pairs
    assert any("drift (declared)" in words for words in found.sentences)
    missing = claims(tables[1], "gru").sentences
    assert "No row is tested against a control: no one row of this table is called so." in missing


def test_duplicated_seeds_move_no_p_value(tables):
    table = tables[1]
    twice = tuple(replace(row, records=row.records * 5) for row in table.rows)
    once, more = claims(table), claims(replace(table, rows=twice))
    for label, claim in once.pairs.items():
        assert more.pairs[label].p == pytest.approx(claim.p, rel=1e-9)
    assert more.mcs == once.mcs


def test_rows_that_failed_are_no_part_of_the_family(tables):
    table = tables[1]
    rows = tuple(replace(r, records=()) if r.label == "drift" else r for r in table.rows)
    found = claims(replace(table, rows=rows))
    assert "drift" not in found.pairs and any("3 comparisons" in words for words in found.sentences)
    lost = claims(replace(table, rows=rows), "drift")
    broken = replace(table.rows[0], records=(), label="drift lr=9", model="drift")
    beside = replace(table, rows=(*table.rows, broken))
    assert claims(beside, "drift").control == "drift"  # the one that finished
    alone = claims(replace(table, rows=table.rows[:1]))
    assert alone.sentences == ("No significance test: there is one row.",)
    assert not lost.pairs and "No row is tested against a control: drift kept no losses." in (
        lost.sentences
    )


def test_origins_without_demand_count_in_wape():
    """Sizes may be 0 where something was observed; the mean is the score all the same."""
    errors, sizes = np.array([2.0, 3.0, 1.0, 0.0]), np.array([4.0, 0.0, 2.0, 0.0])
    found = at_origins(errors, sizes, np.array([True, True, True, False]))
    assert found[:3].tolist() == [0, 2.5, 0.5] and np.isnan(found[3])


def test_the_wape_of_a_row_is_the_mean_of_its_losses_though_a_year_has_no_demand(tables):
    (row,) = [row for row in tables[1].rows if row.label == "drift"]
    kept = row.records[0].arrays("windows.npz")
    kept["test_truth"][:12] = 0
    sparse = replace(row, records=(Sparse(row.records[0].folder, kept),))
    score = kept["test_absolute"].sum() / kept["test_truth"].sum()
    assert losses(sparse, "test", "wape").values.mean() == pytest.approx(score)


class Sparse(Record):
    """A run with other arrays."""

    def __init__(self, folder, kept):
        super().__init__(folder)
        self.__dict__["kept"] = kept

    def arrays(self, name):
        return self.kept


def test_rows_without_the_metric_are_named_and_seeds_bound_what_is_said(tables, monkeypatch):
    from stsfm.tables import claims as module

    some = lambda row, *what: None if row.label == "drift" else losses(row, *what)  # noqa: E731
    monkeypatch.setattr(module, "losses", some)
    said = claims(tables[1]).sentences
    assert "Without MASE, and so not tested: drift." in said
    assert "All this is said of the seeds that were run (lstm 2), and of no others." in said
    assert any("intervals at 95 % for each alone" in words for words in said)
    many = replace(claims(tables[1]), seeds=dict.fromkeys("abcd", 2))
    assert "the seeds that were run (2 seeds each of 4 rows)" in " ".join(told(many))
    assert any("95 % for each row alone" in words for words in said)


def test_what_never_differs_has_a_skill_and_no_interval():
    loss = np.random.default_rng(0).random(40) + 1
    for factor in (1.0, 0.5):
        found = skill_interval(factor * loss, loss, np.arange(40), 1)
        assert found.estimate == pytest.approx(1 - factor) and found.low is found.high is None
        assert "same at every origin" in found.reason


def test_skill_is_over_the_seasonal_naive_that_validation_prefers(tables):
    (base,) = [row for row in tables[1].rows if row.label == "seasonal_naive"]
    other = replace(base, label="seasonal_naive season=1")
    scores = json.loads(json.dumps(base.scores))
    scores[0]["val"]["mase"]["pooled"] *= 2  # worse there, and better on test
    scores[0]["test"]["mae"]["pooled"] /= 2
    other.__dict__["scores"] = scores
    both = replace(tables[1], rows=(other, *tables[1].rows))
    (drift,) = [row for row in both.rows if row.label == "drift"]
    assert both.level is base and both.skill(drift) == tables[1].skill(drift)


def test_an_oracle_is_no_rival(desk):
    words = ["data=driven", "data.length=300", "data.oracle=2", "data.covariates=[oracle]"]
    base = ["baselines=[naive,seasonal_naive]", "protocol.horizon=1"]
    assert desk("run", "model=linear", *words, *base) == 0, desk.err
    assert "Best classical model on validation: linear" not in desk.out
    assert "With an oracle, and so not tested: linear." in desk.out
    table = tabulate(desk.runs(), tried=3)
    (row,) = [row for row in table.rows if row.oracle]
    assert table.rows[0] is row and table.ranks[0] is None and 1 in table.ranks
    column = headings(table).index("test MASE")
    assert cells(table)[0][column].mark == "" and cells(table)[1][column].mark == "best"
    assert "linear" not in claims(table).mcs and "linear" not in claims(table).pairs
    assert {claims(table, "linear").control} == {"linear"} <= {*claims(table, "linear").mcs}
    assert Grid((table,)).ranks()["linear"] is None


def test_no_test_score_breaks_a_tie_on_validation(tables):
    rows = {row.label: row for row in tables[1].rows}
    same = json.loads(json.dumps(rows["linear"].scores))
    twins = tuple(replace(rows["linear"], label=label) for label in ("b", "a"))  # b leads on test
    for twin in twins:
        twin.__dict__["scores"] = same
    assert replace(tables[1], rows=twins).best_classical.label == "a"


def test_nodes_without_a_scale_are_counted_and_rounding_errors_are_no_zeros(desk):
    season = [1.0, 4.0, 2.0, 9.0]
    lines = [f"{k},{season[k % 4]},{season[k % 4] + (k * 7919 % 13)}" for k in range(160)]
    Path("two.csv").write_text("\n".join(["row,flat,moving", *lines]) + "\n")
    words = ["data.time=row", "data.season=4", "protocol.horizon=1", "baselines=[seasonal_naive]"]
    assert desk("run", "model=linear", "data=two.csv", *words) == 0, desk.err
    assert "MASE is over 1 of 2 nodes: without a seasonal naive error" in desk.out
    assert desk("run", "model=linear", "data=two.csv", "data.targets=[flat]", *words) == 0, desk.err
    assert "MASE is undefined: " in desk.out and "+0.0000" not in desk.out


# Over datasets

MODELS = ("arima", "lstm", "naive")


def errors(families: int, seed: int = 0) -> np.ndarray:
    """lstm as good as arima, naive 30 % worse, on scales from 1 to 10,000."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(0, 5, (families, 1))
    return scale * np.exp(0.05 * rng.standard_normal((families, 3))) * [1, 1, 1.3]


def test_over_datasets_each_family_counts_once():
    table, names = errors(12), [f"d{k}" for k in range(12)]
    found = overall(table, MODELS, names, "arima")
    assert found.pairs["lstm"].verdict == "not separable"
    assert found.pairs["naive"].verdict == "worse" and found.pairs["naive"].p == 2 / 2**11
    assert found.pairs["naive"].posterior.worse > 0.99
    assert found.pairs["naive"].ratio == pytest.approx(1.3, rel=0.05)
    assert found.ranks.families == 12
    again = overall(np.repeat(table, 4, axis=0), MODELS, np.repeat(names, 4).tolist(), "arima")
    assert again.pairs["naive"].p == found.pairs["naive"].p  # four horizons are no replicates
    few = overall(np.repeat(errors(3), 4, axis=0), MODELS, ["a", "b", "c"] * 4, "arima")
    assert few.sentences == ("No test over datasets: 3 families, 10 are wanted.",)


def test_over_datasets_in_words():
    said = overall(errors(12), MODELS, [f"d{k}" for k in range(12)], "arima").sentences
    assert any(words.startswith("Average ranks differ (Friedman") for words in said)
    assert any("naive is worse than arima over datasets: 1.3" in words for words in said)
    assert any("lstm is not separable from arima over datasets" in words for words in said)


def test_no_outcome_could_be_significant_where_the_design_cannot_reject():
    rng, names = np.random.default_rng(0), tuple(f"m{k}" for k in range(31))
    table = np.exp(rng.standard_normal((10, 31)))
    found = overall(table, names, list("abcdefghij"), "m0")
    assert found.hopeless and min(across.p for across in found.pairs.values()) > 0.05
    assert any(
        words.startswith("No outcome could be significant: 10 f") for words in found.sentences
    )
    assert not overall(table[:, :5], names[:5], list("abcdefghij"), "m0").hopeless


def test_a_model_that_failed_somewhere_ranks_last_there():
    table = errors(12)
    table[:9, 1] = np.nan
    found = overall(table, MODELS, [f"d{k}" for k in range(12)], "arima")
    assert found.pairs["lstm"].verdict == "worse" and np.isnan(found.pairs["lstm"].ratio)
    assert found.ranks.ranks[1] > found.ranks.ranks[2]


def test_a_failure_outweighs_an_error_of_zero_in_its_family():
    logs = by_family(np.array([[0.0, 1.0], [np.nan, 1.0]]), ["a", "a"])
    assert logs.tolist() == [[np.inf, 0.0]]


def test_a_grid_of_two_tasks_is_refused_in_words(tables):
    found = claims_over_datasets(Grid(tuple(tables.values())))
    assert found.control == "linear" and set(found.models) == {"linear", "drift"}
    assert found.sentences == ("No test over datasets: 1 family, 10 are wanted.",)
