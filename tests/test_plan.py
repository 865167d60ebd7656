"""From what was typed to a plan: every combination as Hydra composes it, and each run once."""

import json
import os
import time
from pathlib import Path

import hydra
import pytest
from omegaconf import OmegaConf

from stsfm import compose, options
from stsfm.compose import door
from stsfm.job import make
from stsfm.launchers.base import Ending, Launcher
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.record.attempt import write_status
from stsfm.screen import Screen
from stsfm.sweeps import engine, plan, rounds
from stsfm.sweeps.status import Status

GLOBAL = "# @package _global_\n"


@pytest.fixture
def conf(tmp_path, monkeypatch):
    """Writes experiments of a user's own; returns the flags that name their folder."""
    monkeypatch.chdir(tmp_path)

    def write(**experiments: str) -> list[str]:
        for name, text in experiments.items():
            file = tmp_path / "conf" / "experiment" / f"{name}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{GLOBAL}{text}\n")
        return ["--config-dir", "conf"]

    return write


def words(*args: str) -> list[str]:
    return [" ".join(job.words) for job in compose.jobs(list(args)).jobs]


# ---- as Hydra composes it ------------------------------------------------------------------------

LIKE_HYDRA = [
    "",
    "model=gru model.hidden=32 trainer.lr=1e-3",
    "model.hidden=${seed} seed=7",
    "model.hidden=${model.layers} model.layers=2",
    "model=arima model.order=[1,0,1] model.seasonal=auto",
    "model=linear +model.context=36 ++model.ridge=auto",
    "trainer.patience=null hardware.threads=2 hardware=gpu",
    "trainer.optimizer={weight_decay:0.1}",
    "+trainer.optimizer.eps=1e-9 ++loss.weights.extra=0.5",
    "+loss.terms.other={_target_:stsfm.losses.point.MAE,scale:{a:[1,2]}}",
    "data=tabular data.path='a b,c=d.csv' data.targets=[y,'z w']",
    "data=sines data.periods=[12] protocol.val=0.5 protocol.test='1958-01'",
    "baselines=[] loggers=[] runs_dir=kept/here force=true question='a: b?' control=lstm",
    "loss=quantile loss.weights.task=2",
    "seed=range(1,4) model.hidden=4,8",
    "trainer.optimizer={weight_decay:0.1},{_partial_:false}",
    "model=gru,lstm trainer.lr=choice(0.1,0.01)",
    "model=glob(*nn) data=airline,ring seed=2,1",
]


@pytest.mark.parametrize("typed", LIKE_HYDRA)
def test_every_combination_is_what_hydra_composes(typed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    args = [word.replace("\0", " ") for word in _quoted(typed).split()]
    found = compose.jobs(args).jobs
    for job in found:
        with hydra.initialize_config_dir(str(options.FOLDER), version_base=door.VERSION):
            wanted = OmegaConf.to_container(hydra.compose("config", [*job.words]), resolve=True)
        assert (wanted.pop("sweep"), wanted.pop("space")) == (None, {})
        wanted["model"].pop("space", None)  # of a search, and given to no model
        assert {k: v for k, v in job.config.items() if k not in ("choices", "space")} == wanted
    assert compose.jobs(args).many == (len(found) > 1)
    assert len({job.words for job in found}) == len(found)


def _quoted(typed: str) -> str:
    """Blanks within quotes part no words."""
    parts = typed.split("'")
    return "'".join(p.replace(" ", "\0") if k % 2 else p for k, p in enumerate(parts))


def test_a_value_of_one_job_is_not_another_job_s(monkeypatch):
    first, second = compose.jobs(["seed=1,2", "trainer.optimizer.weight_decay=0.1"]).jobs
    first.config["trainer"]["optimizer"]["weight_decay"] = 5
    assert second.config["trainer"]["optimizer"]["weight_decay"] == 0.1


def test_choices_are_composed_once_and_keys_are_set_on_copies(monkeypatch):
    asked, choose = [], door.choose
    monkeypatch.setattr(
        door, "choose", lambda texts: asked.append(list(texts)) or choose(asked[-1])
    )
    began = time.process_time()
    found = compose.jobs(["model=gru,lstm", "seed=range(1,51)", "model.hidden=4,8,16"]).jobs
    assert len(found) == 300 and asked == [["model=gru"], ["model=lstm"]]
    assert time.process_time() - began < 4  # 1.2 s on an idle core; by Hydra it is 25 s


def test_a_key_that_is_typed_again_counts_as_it_was_typed_last():
    assert words("model=gru,lstm", "seed=1,2", "model=ar,ets,naive", "seed=7") == [
        "model=ar seed=7", "model=ets seed=7", "model=naive seed=7",
    ]  # fmt: skip
    assert not compose.jobs(["seed=1,2", "seed=3"]).many


def test_what_only_some_models_have_is_refused_before_anything_runs(desk):
    assert desk("run", "model=lstm,gru,arima,naive", "model.hidden=32") == 2
    assert "unknown key 'model.hidden' of model=arima,naive; model=lstm,gru has it" in desk.err
    assert desk.err.count("\n") == 1 and not desk.out and not list(desk.folder.iterdir())


# ---- experiments ---------------------------------------------------------------------------------


def test_an_experiment_alone_is_a_sweep_and_its_words_are_one_job(conf):
    flags = conf(x="sweep: {model: [gru, naive], model.context: [12], seeds: 2}")
    with pytest.raises(Mistake, match=r"'model.context' of model=naive; model=gru has it"):
        words(*flags, "experiment=x")
    flags = conf(x="seed: 9\nsweep: {model: [gru, naive], seeds: 2}")
    composed = compose.jobs([*flags, "experiment=x"])
    assert composed.many and {job.comparison for job in composed.jobs} == {"x"}
    told = [job.words[2:] for job in composed.jobs]
    assert told[1] == ("experiment=x", "model=gru", "seed=2") and len(told) == 4
    assert composed.jobs[1].words[1] == str(Path("conf").absolute())
    alone = compose.jobs(list(composed.jobs[1].words))
    assert not alone.many and alone.jobs[0].config == composed.jobs[1].config


def test_the_command_line_is_stronger_than_an_experiment(conf):
    flags = conf(x="sweep: {model: [gru, naive], seed: [1, 2]}")
    said = [text.partition("experiment=x ")[2] for text in words(*flags, "experiment=x", "seed=7")]
    assert said == ["model=gru seed=7", "model=naive seed=7"]
    assert not compose.jobs([*flags, "experiment=x", "seed=7", "model=ar"]).many
    (name,) = {j.comparison for j in compose.jobs([*flags, "experiment=x", "seed=7"]).jobs}
    assert name.startswith("x-")


def test_several_tables_of_an_experiment_are_all_of_their_jobs(conf):
    tables = "[{model: [naive, gru]}, {model: linear, model.context: [6, 12]}]"
    flags = conf(x=f"sweep: {tables}")
    said = ["model=naive", "model=gru", "model=linear model.context=6"]
    said.append("model=linear model.context=12")
    found = words(*flags, "experiment=x")
    assert [text.partition("experiment=x ")[2] for text in found] == said
    for text in said:  # the words of a job make this job alone
        (alone,) = words(*flags, "experiment=x", *text.split())
        assert alone.endswith(text)
    (other,) = words(*flags, "experiment=x", "model=ar")
    assert other.endswith("experiment=x model=ar")
    with pytest.raises(Mistake, match="wanted a key and its values, got naive"):
        words(*conf(x="sweep: [naive]"), "experiment=x")


VALUES = {  # in the file → how it is typed for the jobs
    "seed: range(1,4)": ["seed=1", "seed=2", "seed=3"],
    "model: ets,ar": ["model=ets", "model=ar"],
    "model: glob(rn*)": ["model=rnn"],
    "seed: 4": ["seed=4"],
    "trainer.patience: [null, 5]": ["trainer.patience=null", "trainer.patience=5"],
    "baselines: [[], [naive, drift]]": ["baselines=[]", "baselines=[naive,drift]"],
    "question: [a b]": ["question='a b'"],
}


@pytest.mark.parametrize("text", VALUES)
def test_values_of_a_sweep_are_read_as_on_the_command_line(text, conf):
    found = words(*conf(x=f"sweep:\n  {text}"), "experiment=x")
    assert [text.partition("experiment=x ")[2] for text in found] == VALUES[text]


BAD = {
    "model: [lsmt]": "sweep of experiment=x: no model named 'lsmt'",
    "model.hiden: [3]": "unknown key 'model.hiden'",
    "seed: []": "sweep of experiment=x: seed: wanted a list of values",
    "model: {a: 1}": "wanted a list of values",
    "runs_dir: [a, b]": "runs_dir can't be swept",
    "experiment: [x, y]": "experiment can't be swept",
    "launcher.n_jobs: [2]": "launcher.n_jobs can't be swept",
    "+hydra.run.dir: [a]": "can't be swept",
}


@pytest.mark.parametrize("text", BAD)
def test_a_sweep_of_what_can_t_be_swept(text, conf):
    with pytest.raises(Mistake, match=BAD[text].replace(".", r"\.")):
        words(*conf(x=f"sweep:\n  {text}"), "experiment=x")


def test_every_experiment_is_a_comparison_of_its_own(conf):
    flags = conf(
        paper_a="sweep: {seed: [1, 2]}", paper_b="question: why?\nseed: 3", other="seed: 1"
    )
    found = compose.jobs([*flags, "experiment=glob(paper_*)", "model=ar,ets"]).jobs
    assert len(found) == 6 and {job.comparison[:8] for job in found} == {"paper_a-", "paper_b-"}
    assert {job.config["question"] for job in found[4:]} == {"why?"}
    found = compose.jobs([*flags, "experiment=paper_a,paper_b"]).jobs
    assert [job.comparison for job in found] == ["paper_a", "paper_a", "paper_b"]


def test_the_committed_experiment():
    found = compose.jobs(["experiment=airline_classic"]).jobs
    assert len(found) == 55 and {job.comparison for job in found} == {"airline_classic"}
    assert {job.config["seed"] for job in found} == {1, 2, 3, 4, 5}
    assert found[0].config["question"].endswith("?")
    planned = plan.plan(compose.jobs(["experiment=airline_classic", "runs_dir=/nowhere"]))
    assert len(planned.jobs) == 8 + 3 * 5 and all(job.asked for job in planned.jobs)


def test_an_experiment_that_searches_does_not_once_it_is_typed_null():
    assert compose.jobs(["experiment=composite"]).searches
    found = compose.jobs(["experiment=composite", "search=null"])
    assert not found.searches and len(found.jobs) == 10
    assert compose.config(["search=null"]) == compose.config([])


def test_what_is_carried_over_was_searched_and_plain_mse_is_the_same_run():
    """The two halves of `make reproduce-composite` stay in step."""
    searched = compose.jobs(["experiment=composite"]).jobs
    words = ["experiment=composite_carried", "data=pendulum", "ablate=false"]
    carried = compose.jobs(words).jobs
    for key in ("loss.weights.physics", "loss.weights.energy"):
        term = key.rpartition(".")[2]
        tried = {job.config["loss"]["weights"][term] for job in carried}
        assert len(tried) == 2 and tried <= set(searched[0].config["space"][key])
    folders = [{job.run.folder for job in planned(*words, "runs_dir=/nowhere").jobs if job.asked}
               for words in (["experiment=composite"], words)]  # fmt: skip
    assert len(folders[0]) == 10 and folders[0] < folders[1] and len(folders[1]) == 40


# ---- the plan ------------------------------------------------------------------------------------


def planned(*args: str) -> plan.Plan:
    return plan.plan(compose.jobs(list(args)))


def whys(*args: str) -> dict[str, str]:
    return {job.identity.model: job.why for job in planned(*args).jobs}


def become(run: Record, state: str) -> None:
    write_status(run, {k: v for k, v in run.status.items() if k != "sha256"} | {"state": state})


def test_each_run_once_and_baselines_first():
    found = planned("model=gru,drift", "seeds=3", "baselines=[naive,drift]", "runs_dir=/nowhere")
    assert [(job.identity.model, job.asked) for job in found.jobs] == [
        ("naive", False), ("gru", True), ("gru", True), ("gru", True), ("drift", True),
    ]  # fmt: skip
    gru, drift = found.jobs[1], found.jobs[4]
    assert {folder.parent.name for folder in gru.beside} == {"naive", "drift"}
    assert {folder.parent.name for folder in drift.beside} == {"naive"}
    assert found.line() == "5 jobs (1 baseline): 0 cached, 5 to do"
    assert (
        found.jobs[0].command.endswith("model=naive") and "model=gru" not in found.jobs[0].command
    )
    assert found.comparisons.keys() == {
        compose.jobs(["model=gru,drift", "seeds=3", "baselines=[naive,drift]"]).jobs[0].comparison
    }


def test_data_is_loaded_once_for_all_jobs_of_a_protocol(monkeypatch):
    from stsfm import job

    cuts, cut = [], job.cut
    monkeypatch.setattr(job, "cut", lambda config: cuts.append(1) or cut(config))
    planned("model=ar,ets", "seeds=3", "protocol.horizon=6,12", "runs_dir=/nowhere")
    assert len(cuts) == 2


def test_where_jobs_run_is_no_part_of_a_run():
    here, there = planned("seed=1"), planned("seed=1", "launcher.n_jobs=8", "retries=2")
    assert here.jobs[-1].run == there.jobs[-1].run


SWEEP = ["model=drift,mean,linear", "baselines=[naive]"]


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    """A folder in which SWEEP was made, by the rounds of its plan, in this process."""
    folder, back = tmp_path_factory.mktemp("swept"), Path.cwd()
    os.chdir(folder)
    try:
        order = carried_out(planned(*SWEEP))
        assert order == ["naive", "drift", "mean", "linear"]
        (folder / "runs" / "_comparisons").mkdir()
        yield folder
    finally:
        os.chdir(back)


@pytest.fixture
def kept(swept, tmp_path, monkeypatch, desk):
    """A copy of it."""
    import shutil

    shutil.copytree(swept, tmp_path, dirs_exist_ok=True)
    return desk


class Here(Launcher):
    """One job after the other, in this process."""

    n_jobs = 1

    def __init__(self, fail: tuple[str, ...] = ()) -> None:
        self.done, self.order, self.fail = [], [], fail

    def start(self, job: plan.Job) -> None:
        name = job.identity.model
        self.order.append(name)
        if name in self.fail:
            self.done.append((job, Ending("failed", "as was wished")))
            return
        run = make(job, Screen(quiet=True))
        self.done.append((job, Ending(run.state)))

    def ended(self) -> list[tuple[plan.Job, Ending]]:
        done, self.done = self.done, []
        return done

    def stop(self, job: plan.Job, reason: str) -> None: ...

    def close(self) -> None: ...


def carried_out(of: plan.Plan, fail: tuple[str, ...] = ()) -> list[str]:
    """The models in the order in which they were started."""
    launcher, status = Here(fail), Status(Screen(quiet=True))
    engine.carry_out(rounds.Rounds(of), launcher, retries=0, fail_fast=False, status=status)
    return launcher.order


def test_what_is_there_is_cached_and_the_rest_is_told_why(kept):
    assert set(whys(*SWEEP, "control=naive").values()) == {""}
    become(kept.only("drift"), "failed")
    become(kept.only("mean"), "interrupted")
    scores = kept.only("linear").folder / "scores.json"
    scores.write_text(scores.read_text()[:-20])
    wanted = {"naive": "", "drift": "failed before", "mean": "resumes", "linear": "damaged"}
    assert whys(*SWEEP) == wanted
    become(kept.only("mean"), "running")  # without anybody who holds it
    assert whys(*SWEEP, "seeds=2") == wanted
    told = planned(*SWEEP).line()
    assert told.startswith(
        "4 jobs (1 baseline): 1 cached, 3 to do (1 failed before, 1 resumes, 1 da"
    )
    assert set(whys(*SWEEP, "force=true").values()) == {
        "anew",
        "failed before",
        "resumes",
        "damaged",
    }


def test_a_baseline_that_is_asked_for_needs_its_page(kept):
    assert whys("model=naive", "baselines=[drift]") == {"drift": "", "naive": plan.PAGE}
    assert carried_out(planned("model=naive", "baselines=[drift]")) == ["naive"]
    assert whys("model=naive", "baselines=[drift]") == {"naive": ""}
    assert (kept.only("naive").folder / "table.md").is_file()


def test_pages_wait_for_baselines_that_are_asked_for_too(desk):
    """The first two are each beside the other: the page of the later one has all it needs."""
    both = ["model=naive,drift,mean", "baselines=[drift,mean]"]
    assert carried_out(planned(*both)) == ["drift", "mean", "naive", "drift"]
    for model in ("naive", "drift", "mean"):
        beside = desk.json(desk.only(model).folder / "members.json")["beside"]
        assert {Path(path).parts[-2] for path in beside} == {"drift", "mean"} - {model}


def test_a_baseline_that_fails_again_costs_no_page_anew(desk):
    words = ["model=drift", "baselines=[linear,naive]", "protocol.val=20", "protocol.calibration=0"]
    assert carried_out(planned(*words)) == ["linear", "naive", "drift"]
    assert desk.only("linear").state == "failed"
    assert whys(*words) == {"linear": "failed before", "drift": ""}
    assert carried_out(planned(*words)) == ["linear"]
    run = desk.only("linear")
    become(run, "finished")
    assert whys(*words)["drift"] == plan.PAGE


def test_a_baseline_that_could_not_begin_is_left_out_and_named(desk):
    assert carried_out(planned("model=drift", "baselines=[naive,mean]"), fail=("naive",)) == [
        "naive", "mean", "drift",
    ]  # fmt: skip
    page = desk.json(desk.only("drift").folder / "members.json")
    assert page["left_out"] == ["naive"] and len(page["beside"]) == 1
    assert whys("model=drift", "baselines=[naive,mean]") == {"drift": ""}


def test_the_estimate_is_of_runs_alike_and_shared_by_those_side_by_side(kept):
    for run in kept.runs():
        status = {k: v for k, v in run.status.items() if k not in ("sha256", "ended")}
        text = json.loads(json.dumps(status | {"started": 0.0, "ended": 40.0}))
        (run.folder / "status.json").write_text(json.dumps(text))
    drift = planned("model=drift", "baselines=[]", "protocol.stride=2").jobs[0]
    assert drift.why == "new" and drift.seconds == 40
    many = ["model=linear", "model.context=6,7,8,9", "baselines=[]"]
    assert planned(*many).line().endswith("4 to do, about 3 min")
    assert planned(*many, "launcher.n_jobs=2").line().endswith("4 to do, about 80 s")
    some = planned("model=linear,ar", "protocol.horizon=3", "baselines=[]")
    assert some.line().endswith("2 to do, about 40 s for 1 of them")
    assert planned("model=ar", "baselines=[]").line().endswith("1 to do")


# ---- the command ---------------------------------------------------------------------------------


def test_dry_run_shows_the_plan_and_writes_nothing(kept):
    def files():
        return {p: p.stat().st_mtime_ns for p in kept.folder.rglob("*")}

    before = files()
    assert kept("run", "model=drift,mean,gru", "seeds=2", "baselines=[naive]", "--dry-run") == 0
    assert kept.out.splitlines()[0] == "5 jobs (1 baseline): 3 cached, 2 to do"
    assert kept.out.count("\n") == 6 and kept.out.count("cached") == 4
    assert "(baseline)" in kept.out and "model=gru seed=2" in kept.out
    assert files() == before
    assert (
        kept("run", "model=drift", "baselines=[naive]", "--dry-run") == 0 and "1 cached" in kept.out
    )
    assert kept("run", "-q", *SWEEP, "--dry-run") == 0 and not kept.out


def test_the_same_command_again_runs_nothing(kept, monkeypatch):
    monkeypatch.setattr(engine, "carry_out", None)
    before = {run.folder: (run.folder / "status.json").stat().st_mtime_ns for run in kept.runs()}
    assert kept("run", *SWEEP) == 0, kept.err
    assert kept.out.startswith("3 jobs: 3 cached, 0 to do\n") and "linear" in kept.out
    assert {f: (f / "status.json").stat().st_mtime_ns for f in before} == before
    assert not list(kept.folder.rglob("multirun.yaml"))


def test_three_hundred_cached_jobs_cost_little(kept):
    """One run under 300 seeds: what each costs is composing, naming and looking it up."""
    began = time.process_time()
    found = planned("model=drift", "baselines=[naive]", "seed=range(1,301)")
    assert len(found.jobs) == 1 and not found.to_do
    assert (time.process_time() - began) / 300 < 0.05  # 0.006 on an idle core


def test_a_sweep_goes_through_the_engine_and_is_compared(desk):
    words = ["run", "model=naive,drift", "baselines=[mean]", "question='which?'", "control=naive"]
    assert desk("run", *words[1:3], "-q") == 0 and not desk.out
    assert desk(*words) == 0, desk.err
    assert desk.out.startswith("2 jobs: 2 cached, 0 to do\n")
    folders = list((desk.folder / "runs" / "_comparisons").iterdir())
    assert len(folders) == 2
    told = [desk.json(folder / "members.json") for folder in folders]
    assert {(one["question"], one["control"]) for one in told} == {("", None), ("which?", "naive")}
    assert all((run.folder / "table.md").exists() for run in desk.runs("drift"))
    assert not (desk.only("mean").folder / "table.md").exists()


def test_a_control_may_be_what_a_search_will_choose():
    words = ["model=linear", "search=optuna", "control='linear (tuned)'"]
    assert planned(*words).config["control"] == "linear (tuned)"


def test_without_test_scores_there_is_no_table_and_no_failure(desk):
    assert desk("run", "model=naive,drift", "baselines=[]", "score=val") == 0, desk.err
    assert desk.out.splitlines()[-1].startswith("no table: score=val")


def test_where_all_fail_the_table_has_the_baselines_of_the_command_and_short_names(desk):
    assert desk("run", "-q", "model=drift", "baselines=[naive,mean]") == 0
    bad = ["model=rnn", "model.hidden=no,never", "baselines=[naive]", "launcher.memory=1MiB"]
    assert desk("run", *bad) == 1  # killed before it had written anything
    (folder,) = (desk.folder / "runs" / "_comparisons").iterdir()
    rows = [line.split(" | ")[0] for line in (folder / "table.md").read_text().splitlines()]
    shown = sorted(row for row in rows if row.startswith(("| naive", "| mean", "| rnn")))
    assert shown == ["| naive", "| rnn hidden=never", "| rnn hidden=no"]


def test_a_file_is_compared_by_the_name_it_was_run_by(desk):
    rows = [f"{2000 + k // 12}-{k % 12 + 1:02},{k % 12 + k % 7}" for k in range(120)]
    (desk.folder / "my.csv").write_text("\n".join(["time,y", *rows]))
    assert desk("run", "-q", "model=drift", "data=my.csv", "baselines=[]") == 0
    assert desk("compare", "model=drift", "data=./my.csv") == 0 and "drift" in desk.out


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["model=naive,drift", "data=nowhere.csv"], "nowhere.csv"),
        (["model=naive,drift", "protocol.horizon=12,999"], "lower protocol.horizon"),
        (["model=naive,drift", "protocol.val=2"], "hold no future of 12 rows"),
        (["model=naive,drift", "loggers=[tensorbord]"], "Did you mean 'tensorboard'"),
        (["model=naive,drift", "control=dirft"], "Did you mean 'drift'?"),
        (["model=naive,drift", "baselines=[arma]"], "Did you mean 'arima'"),
        (["model=naive,drift", "retries=-1"], "retries=-1: wanted 0 or more"),
        (["model=naive,drift", "launcher.jobs=2"], "Did you mean 'launcher.n_jobs'?"),
    ],
)
def test_mistakes_of_a_plan_are_said_once_before_anything_runs(args, line, desk):
    assert desk("run", *args, "seeds=2") == 2
    assert line in desk.err and desk.err.count("\n") == 1 and not desk.out
    assert list(desk.folder.iterdir()) == []


def test_a_kept_run_again_carries_nothing_of_its_command(kept):
    from stsfm.again import spelled_out

    name = kept.only("linear").folder.name
    assert kept("run", "--from", name, "launcher.n_jobs=2", "question=why", "--dry-run") == 0
    assert "1 cached" in kept.out
    assert not {"launcher", "question"} & {
        w.partition("=")[0] for w in spelled_out(["--from", name])
    }
    assert "launcher" not in kept.only("linear").config


def test_several_jobs_are_not_started_by_every_rank(desk, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(Mistake, match="started once"):
        from stsfm.jobs import perform

        perform(["seeds=2"], Screen(quiet=True))
