"""A model is selected before the test rows are looked at: who may take part, and who is chosen."""

import dataclasses
import json
import re
import subprocess
import sys
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from stsfm import compose, options, subject
from stsfm.__main__ import main
from stsfm.completion import candidates as completed
from stsfm.compose import door
from stsfm.datasets.protocols.rolling import rolling
from stsfm.job import make
from stsfm.launchers import local
from stsfm.launchers.base import Ending, Launcher
from stsfm.mistakes import Mistake
from stsfm.screen import Screen
from stsfm.selecting import classes, command, opened, race, story
from stsfm.selecting.candidates import Candidate
from stsfm.selecting.judge import error, simplest, standings
from stsfm.selecting.origins import Origins

MODEL = """
from stsfm.models.naive import Naive

class Mine(Naive):
    \"\"\"Repeat the last value, as another does.\"\"\"

    cite = "hyndman2021fpp3"
    classes = frozenset({"recurrent", "mine"})
"""


# ----- classes ----------------------------------------------------------------------------------


def test_every_model_says_what_it_is():
    """A word that nobody explains is a slip of the pen; an ensemble is of no class by itself."""
    found = {model: classes.classes(model) for model in options.groups()["model"]}
    assert {word for of in found.values() for word in of} == set(classes.ABOUT) - {"all"}
    assert [model for model, of in found.items() if not of] == ["ensemble"]


def test_a_composed_model_is_of_the_classes_of_its_parts():
    assert classes.classes("lle_gpr_rbf") == {"state-space", "metric", "nonparametric"}
    assert "recurrent" not in classes.classes("pca_var")


def test_a_class_or_a_name_stands_for_models():
    assert classes.members("recurrent") == ["dcrnn", "gru", "lstm", "rnn", "tgcn"]
    assert classes.chosen(["attention", "gru", "itransformer"]) == [
        "itransformer", "patchtst", "transformer", "gru",
    ]  # fmt: skip
    assert set(classes.members("all")) == set(options.groups()["model"])
    with pytest.raises(Mistake, match=r"Did you mean .recurrent"):
        classes.members("recurent")


def test_a_model_of_a_user_is_a_member_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_models.py").write_text(MODEL)
    (tmp_path / "more/model").mkdir(parents=True)
    (tmp_path / "more/model/mine.yaml").write_text("_target_: my_models.Mine\n")
    assert classes.members("mine", tmp_path / "more") == ["mine"]
    assert "mine" in classes.members("recurrent", tmp_path / "more")


def test_classes_are_listed_and_nothing_heavy_is_imported(capsys):
    assert main(["list", "class"]) == 0
    assert "itransformer, patchtst, transformer" in capsys.readouterr().out
    code = (
        "import sys; from stsfm.selecting.classes import every; every(); "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'torch', 'hydra')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_models_compose_to_together_is_what_each_does_by_itself(monkeypatch):
    """Of a composed one its parts' choices, too; and no model is composed again after it."""
    models, known = ["gru", "lle_gpr_rbf", "ensemble"], compose.Known()
    words = ["data=airline", "model=naive", "given=pendulum", "trainer.lr=0.01"]
    compose.together(models, words, known)
    alone = [compose.config([*words, f"model={model}"]) for model in models]
    monkeypatch.setattr(door, "choose", None)
    again = [compose.config([*words, f"model={model}"], known) for model in models]
    assert again == alone
    assert again[1]["choices"]["model/embedding"] == "lle"


def test_who_needs_more_rows_is_told_how_many_and_a_preset_is_kept_for_what_it_builds_on():
    """airline has 41 rows before the first block; composed is pca_var by the defaults of both."""
    among = "among=composed,pca_var,patchtst,naive"
    found = command.ready(["data=airline", among]).entries
    out = {entry.candidate.name: entry.excluded for entry in found}
    assert out["naive"] == out["pca_var"] == ""
    assert out["composed"] == "is the same as pca_var, which takes part"
    assert out["patchtst"].startswith("needs 348 rows to learn from (336 of past, 12 of future)")
    assert out["patchtst"].endswith("before the first block there are 41")


def test_classes_and_models_are_completed():
    assert completed(["select", "among=naive,recu"], []) == ["among=naive,recurrent"]
    assert completed(["select", "bud"], []) == ["budget="]
    assert completed(["select", "protocol.until"], []) == []


# ----- the one who is chosen --------------------------------------------------------------------

FOUR = np.array([10, 22, 34, 46])  # origins a horizon of 12 apart


def test_the_simplest_within_one_standard_error_is_chosen():
    """By hand: b is behind a by 0.1, −0.1, 0.3, 0.1; c, which is simplest, by 1 everywhere."""
    a = np.array([1.0, 2.0, 3.0, 4.0])
    b, c = a + np.array([0.1, -0.1, 0.3, 0.1]), a + np.array([0.9, 1.0, 1.1, 1.0])
    found = standings(np.array([a, b, c]), FOUR, 12)
    assert [one.behind for one in found] == pytest.approx([0, 0.1, 1.0])
    assert found[1].behind_se == pytest.approx(np.std(b - a, ddof=1) / 2)  # s / √n
    assert found[0].se == pytest.approx(np.std(a, ddof=1) / 2)
    assert [one.within for one in found] == [True, False, False]  # 0.1 > 0.0816
    nearer = standings(np.array([a, a + np.array([0.1, -0.2, 0.3, 0.1]), c]), FOUR, 12)
    assert [one.within for one in nearer] == [True, True, False]
    assert simplest(nearer, [(True, 9), (False, 99), (False, 0)]) == 1
    assert simplest(nearer, [(False, 9), (False, 99), (False, 0)]) == 0


def test_who_else_is_within_one_standard_error_is_neither_the_best_nor_the_chosen():
    one = {"place": 1, "error": 1.0, "se": 0.1, "behind": 0.02, "behind_se": 0.05}
    told = [one | {"name": name, "within": True} for name in ("ets", "ar", "naive")]
    found, winner = {"label": "MASE", "candidates": told[:2]}, told[1]
    (two,) = story._why(winner, told[0], ["ets", "ar"], found)
    (three,) = story._why(winner, told[0], ["ets", "ar", "naive"], found)
    assert two.endswith("which it is behind by 0.02 ± 0.05.")
    assert three.endswith("± 0.05; naive is within it as well.")


def test_origins_that_overlap_are_not_counted_as_independent():
    """Averages over 12 rows at 48 origins in a row, of mean zero: how often zero is within one se.

    Of Student's t on 3 degrees of freedom that is 61 %; as if they were 48 draws, a quarter.
    """
    rows = np.random.default_rng(0).standard_normal((2000, 59))
    d = np.lib.stride_tricks.sliding_window_view(rows, 12, axis=1).mean(-1)
    within = abs(d.mean(1)) <= error(d, np.arange(48), 12)
    as_if = abs(d.mean(1)) <= d.std(1, ddof=1) / np.sqrt(48)
    assert 0.5 < within.mean() < 0.65
    assert as_if.mean() < 0.3
    assert error(np.ones(12), np.arange(12), 12) is None  # one origin, seen twelve times


def test_an_origin_that_one_has_no_loss_at_is_left_out_for_all():
    a = np.array([1.0, np.nan, 3.0, 4.0])
    found = standings(np.array([a, np.array([2.0, 9.0, 4.0, 5.0])]), FOUR, 12)
    assert found[1].behind == pytest.approx(1.0)
    with pytest.raises(ValueError, match="no origin"):
        standings(np.full((1, 2), np.nan), FOUR[:2], 12)


# ----- blocks before the test border ------------------------------------------------------------


def test_blocks_lie_before_the_test_border_and_train_before_them():
    panel = subject.toy()
    rules = rolling(panel, horizon=4, val=100, test=125).rules
    blocks = Origins.of(rules, "toy")
    assert blocks.rounds == [[4], [2], [1, 3]]
    ends = []
    for block in range(1, blocks.blocks + 1):
        keys = dict(word.removeprefix("protocol.").split("=") for word in blocks.words(block))
        split = rolling(panel, **{key: int(value) for key, value in keys.items()})
        assert len(split.panel) == 125  # nothing of test is there
        assert split.rules["train"][1] == split.rules["val"][0] < split.rules["val"][1]
        assert split.rules["val"][1] == split.rules["test"][0]
        ends.append(split.rules["test"])
    assert [a for a, _ in ends[1:]] == [b for _, b in ends[:-1]]
    assert (ends[0][0], ends[-1][1]) == (63, 125)
    facts = blocks.facts()
    assert facts["count"] == sum(b - a - 3 for a, b in ends)
    with pytest.raises(Mistake, match="too few to judge forecasts of 40 rows"):
        Origins.of({**rules, "horizon": 40, "val": [40, 70]}, "toy")


def test_rows_from_until_on_are_as_if_they_were_yet_to_come():
    panel = subject.toy()
    values = panel.values.copy()
    values[125:] = 1e9
    poisoned = dataclasses.replace(panel, values=values)
    one, other = (rolling(p, horizon=4, until=125) for p in (panel, poisoned))
    assert one.fingerprint == other.fingerprint != rolling(panel, horizon=4).fingerprint
    with pytest.raises(ValueError, match=r"protocol\.until"):
        rolling(panel, horizon=4, until=151)


# ----- the race ---------------------------------------------------------------------------------


class Track:
    """A race without runs: the loss of a candidate on a block, and a clock that runs by jobs."""

    def __init__(self, monkeypatch, losses, seconds=100.0, each=1.0, bad=None, seeds=(1,)):
        self.time, self.each, self.bad, self.tried = 0.0, each, bad or {}, []
        monkeypatch.setattr(race, "has_all", lambda run, config: False)
        monkeypatch.setattr(race.Runner, "losses", lambda *asked: self._losses(*asked))
        monkeypatch.setattr(race.Runner, "parameters", 0)
        self.table = losses
        runners = [race.Runner(Candidate(name=n, words=()), draws=n[0] == "r") for n in losses]
        self.race = race.Race(
            runners, [[4], [2], [1, 3]], self._make, words=self._words, metric="mae",
            horizon=1, seeds=seeds, seconds=seconds, clock=lambda: self.time,
        )  # fmt: skip

    def _words(self, candidate, heat):
        return candidate.name, str(heat.block), str(heat.seed)

    def _make(self, words):
        state = "missing" if self.bad.get(words[0]) == "excluded" else "failed"
        run = SimpleNamespace(state=state, words=words, spent=0.0)
        return SimpleNamespace(words=tuple(words), run=run, config={})

    def _losses(self, runner, blocks, metric):
        return np.arange(2 * len(blocks)), np.repeat(
            [self.table[runner.name] + 0.01 * block for block in blocks], 2
        )

    def go(self):
        while not self.race.over():
            if (job := self.race.next()) is None:
                continue
            self.tried.append(job.words)
            self.time += self.each
            bad = self.bad.get(job.words[0])
            why = "ValueError: too few rows" if bad == "unfit" else "RuntimeError: it broke"
            self.race.ended(job, Ending("failed" if bad else "finished", why))
        return {runner.name: runner.state for runner in self.race.runners}


def test_the_better_half_goes_on(monkeypatch):
    track = Track(monkeypatch, {f"m{k}": float(k) for k in range(20)})
    states = track.go()
    assert track.race.entered == [20, 10, 5]
    assert len(track.tried) == 20 + 10 + 2 * 5
    assert [name for name, state in states.items() if state == "racing"] == [
        "m0", "m1", "m2", "m3", "m4",
    ]  # fmt: skip
    assert track.race.chosen().name == "m0"
    assert track.race.runners[19].reason == "place 20 of 20 after round 1"


def test_few_candidates_all_go_to_the_end_and_seeds_are_drawn_there(monkeypatch):
    track = Track(monkeypatch, {"m0": 2.0, "r1": 1.0}, seeds=(1, 2, 3))
    track.go()
    assert [words for words in track.tried if words[0] == "m0"] == [
        ("m0", block, "None") for block in ("4", "2", "1", "3")
    ]
    drawn = [words[1:] for words in track.tried if words[0] == "r1"]
    assert drawn[:2] == [("4", "1"), ("2", "1")]
    assert sorted(drawn) == [(block, seed) for block in "1234" for seed in "123"]


def test_what_the_budget_leaves_no_time_for_is_said(monkeypatch):
    """Round 1 may take half of 40 s: 21 of 24 begin in it, and those who did not are named. Where
    one takes long, somebody is judged nevertheless."""
    track = Track(monkeypatch, {f"m{k:02}": float(k) for k in range(24)}, seconds=40.0)
    states = track.go()
    never = [runner.name for runner in track.race.runners if not runner.trail]
    assert never == ["m21", "m22", "m23"]
    assert {states[name] for name in never} == {"untried"}
    assert "time of round 1" in track.race.runners[23].reason
    assert track.time <= 41
    assert track.race.chosen().name == "m00"
    heavy = Track(monkeypatch, {f"m{k}": float(k) for k in range(9)}, seconds=40.0, each=15.0)
    heavy.go()
    assert heavy.race.chosen().name == "m0"
    four = Track(monkeypatch, {f"m{k}": float(k) for k in range(4)}, seconds=40.0, each=9.0)
    assert set(four.go().values()) == {"untried"}  # the best no sooner than the others
    late = Track(monkeypatch, {"m0": 1.0, "m1": 2.0, "m2": 3.0}, seconds=30.0, each=0.0)
    late.time = 58.0  # of a machine that is busy: all is spent before anything has run
    late.go()
    assert [words[0] for words in late.tried] == ["m0"]
    assert late.race.chosen().name == "m0"


def test_who_takes_long_is_stopped_once_there_is_somebody_to_choose(monkeypatch):
    """A third of 60 s, from when libraries are loaded; nothing runs on when all is spent."""
    track = Track(monkeypatch, {"m0": 1.0, "m1": 1.0, "m2": 1.0}, seconds=60.0)
    jobs = track.race.next(), track.race.next()
    track.time = 24.0
    assert track.race.look(jobs[1]) is None
    track.race.ended(jobs[0], Ending("finished"))
    assert track.race.look(jobs[1]) is None
    track.time = 35.0
    assert track.race.look(jobs[1]) is None
    track.time = 36.5
    assert track.race.look(jobs[1]).startswith("too costly: stopped after a third")
    track.time = 55.0
    last = track.race.next()
    track.time = 60.5
    assert track.race.look(last) == "stopped at the end of the time of the race"


def test_a_failure_is_shown_and_who_cannot_be_fitted_is_left_out(monkeypatch):
    bad = {"m0": "failed", "m1": "excluded", "m2": "unfit"}
    track = Track(monkeypatch, {f"m{k}": float(k) for k in range(4)}, bad=bad)
    assert track.go() == {"m0": "failed", "m1": "excluded", "m2": "excluded", "m3": "racing"}
    assert track.race.runners[2].reason == "too few rows"
    assert track.race.chosen().name == "m3"
    lost = Track(monkeypatch, {"m0": 1.0}, bad=bad)
    lost.go()
    assert lost.race.chosen() is None


def test_what_is_said_to_be_opened_once_is():
    rows = [{"model": "gru given pendulum", "mase": 0.5}, {"model": "naive", "mase": 1.0}]
    found = {
        "metric": "mase", "choice": {"name": "gru given pendulum", "model": "gru"},
        "test": {"rows": rows}, "candidates": [{"trail": [1]}, {"trail": []}],
    }  # fmt: skip
    assert opened.said(found)[0].startswith("On test, opened once: gru given pendulum has MASE 0.5")
    sides = {"with": {"name": "gru given pendulum"}, "without": {"name": "gru"}}
    told = opened.said({**found, "ablation": sides})[0]
    assert told.startswith("On test, opened after the choice, and then for gru to judge the law by")


# ----- the command ------------------------------------------------------------------------------


class Inline(Launcher):
    """Jobs in this process, one at a time; the machine stops before the `fuse`-th."""

    n_jobs, fuse = 1, None
    made: ClassVar[list] = []

    def __init__(self, *, n_jobs, timeout, memory):
        self.gone = []

    def start(self, job):
        if Inline.fuse is not None and len(Inline.made) >= Inline.fuse:
            raise KeyboardInterrupt
        Inline.made.append(job.words)
        run = make(job, Screen(quiet=True))
        self.gone.append((job, Ending(run.state, run.status.get("error", ""))))

    def ended(self):
        gone, self.gone = self.gone, []
        return gone

    def stop(self, job, reason):
        raise AssertionError

    def close(self):
        pass


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with my.csv, 90 rows with a season of 6; and a launcher that starts no process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Inline, "__module__", "stsfm.launchers.local")
    monkeypatch.setattr(local, "Local", Inline)
    Inline.made, Inline.fuse = [], None
    write(tmp_path / "my.csv", 0)
    return tmp_path


def write(path, spoilt):
    t = np.arange(90)
    y = 20 + 5 * np.sin(2 * np.pi * t / 6) + np.random.default_rng(1).standard_normal(90)
    y[72:] += spoilt * (t[72:] - 40) ** 2
    days = np.datetime64("2020-01-01") + t
    path.write_text("time,y\n" + "".join(f"{d},{v:.6f}\n" for d, v in zip(days, y, strict=True)))


MODELS = "among=naive,drift,mean,seasonal_naive,historical_average"
WORDS = [MODELS, "data=my.csv", "data.season=6", "protocol.horizon=16", "protocol.val=40"]


def raced(folder, *more):
    one = command.ready([*WORDS, f"runs_dir={folder}", *more])
    found = command.raced(one, 0.0, Screen(quiet=True), lambda race: None)
    return one, found, {r.name: [step.loss for step in r.trail] for r in found.runners}


def test_a_race_that_was_killed_goes_on_and_spoilt_test_rows_change_nothing_of_it(here):
    """Not one number and not the name of a run: from the border on, the rows are not there."""
    Inline.fuse = 4
    with pytest.raises(KeyboardInterrupt):
        raced("a")
    Inline.fuse = None
    one, first, trails = raced("a")
    assert len(Inline.made) == len(set(Inline.made)) == 5 + 4  # none of them twice
    assert first.chosen().name == "seasonal_naive"
    write(here / "my.csv", 1e3)
    other, again, same = raced("b")
    assert one.task.fingerprint != other.task.fingerprint
    assert same == trails
    assert again.chosen().name == first.chosen().name
    ids = [{p.parent.name for p in (here / home).glob("my/*/*/status.json")} for home in "ab"]
    assert ids[0] == ids[1]
    assert len(ids[0]) == len(Inline.made) / 2 == 5 + 4


def test_a_selection_from_words_to_test_and_free_again(here, capsys):
    among = "among=naive,seasonal_naive"
    words = ["select", among, *WORDS[1:], "baselines=[naive]", "metric=rmse"]
    assert main(words) == 0
    (file,) = here.glob("runs/_selections/my-*/selection.json")
    found = json.loads(file.read_text())
    assert found["choice"]["model"] == "seasonal_naive"
    assert found["label"] == "squared error"
    assert [one["name"] for one in found["candidates"]] == ["seasonal_naive", "naive"]
    assert len(found["candidates"][0]["trail"]) == 2
    rows = {row["model"]: row["rmse"] for row in found["test"]["rows"]}
    assert set(rows) == {"seasonal_naive", "naive"}
    tested = (here / found["test"]["comparison"] / "table.csv").read_text()
    assert f"{rows['seasonal_naive']}"[:12] in tested
    assert (file.parent / "plots/selection.png").stat().st_size > 10_000
    assert "**seasonal_naive**" in (file.parent / "table.md").read_text()
    first, made = capsys.readouterr().out, len(Inline.made)
    assert "seasonal_naive is chosen" in first
    assert "It was chosen from 2 candidates" in first
    assert main(["ls", "model=naive"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 2  # the test, and a line for the race
    assert listed[1].endswith("stsfm ls protocol.until=72")
    assert main(["ls", "model=naive", "protocol.until=72"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["compare", "data=my"]) == 0
    assert "test border" not in capsys.readouterr().out
    assert main(words) == 0
    assert len(Inline.made) == made
    assert "seasonal_naive is chosen" in capsys.readouterr().out


@pytest.mark.parametrize(
    "word, line",
    [
        ("model=gru", "among="),
        ("among=lsmt", "Did you mean 'lstm'"),
        ("metric=cover80", "no selection is by that"),
        ("budget=soon", "budget: wanted seconds"),
        ("seeds=0", "wanted how many"),
        ("protocol=ltsf", "by protocol=rolling"),
        ("protocol.until=5", "blocks are laid"),
    ],
)
def test_what_is_no_selection_costs_a_line(word, line):
    with pytest.raises(Mistake, match=re.escape(line)):
        command.ready(["data=airline", "among=naive", word])
