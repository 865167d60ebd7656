"""A config from a stranger runs nothing, imports nothing, writes nowhere, and reads no secret.

Each attack costs one line and exit code 2; a canary that it would have left is looked for.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from stsfm import compose, files
from stsfm.build import build_model
from stsfm.job import execute
from stsfm.mistakes import Mistake, tell
from stsfm.models import linear
from stsfm.screen import Screen
from stsfm.trust import locate

EVIL = "from pathlib import Path\nPath('canary').touch()\n\ndef evil(*args, **keys): pass\n"


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A working folder with a module that leaves a canary when it is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "evil.py").write_text(EVIL)
    return tmp_path


def attack(*args: str) -> int:
    """`stsfm run` in this process, with no other model beside it."""
    try:
        for job in compose.jobs([*args, "baselines=[]"]).jobs:
            run = execute(job.config, job.words, Screen(quiet=True))
            if not run or run.state != "finished":
                return 1
    except Mistake as mistake:
        return tell("run", mistake)
    return 0


def refused(here: Path, capsys, *args: str, code: int = 2) -> str:
    assert attack(*args) == code
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "Traceback" not in said.err, said.err
    left = {path.name for path in here.rglob("*")} & {"canary", "elsewhere"}
    assert not left and not list(here.glob("runs/*/*")), list(here.rglob("*"))
    return said.err


# ---- what a `_target_` may name ------------------------------------------------------------------

TARGETS = [
    "os.system",
    "builtins.eval",
    "builtins.exec",
    "subprocess.run",
    "subprocess.Popen",
    "importlib.import_module",
    "pickle.loads",
    "functools.partial",
    "pathlib.Path.touch",
    "evil.evil",  # importable, but named by nobody
    "evil",
    "",
    "..evil",
    ".evil.evil",
    "__main__.main",
    "numpy.load",
    "numpy.savez",
    "torch.load",
    "torch.hub.load",
    "torch.save",
    "torch.serialization.load",
    "torch.utils.cpp_extension.load",
    "torch.nn.modules.module.os.system",
    "torch.nn.modules.module.functools.partial",
    "torch.nn.modules.module.warnings.warn",
    "torch.nn.parallel.distributed.os.system",
    "torch.nn.Module.load_state_dict",
    "torch.nn.modules.module.partial",
    "torch.nn.utils.clip_grad_norm_",
    "torch.optim.lr_scheduler.partial",
    "torch.optim.optimizer.functools.partial",
    "torch.nnevil.evil",
    "lightning.pytorch.callbacks.model_checkpoint.os.system",
    "lightning.pytorch.loggers.csv_logs.os.makedirs",
    "lightning.pytorch.core.saving.pl_load",
    "lightning.fabric.utilities.cloud_io._load",
    "hydra.utils.instantiate",
    "hydra.utils.call",
    "stsfm.datasets.airline.csv.reader",
    "stsfm.datasets.protocols.borders.np.load",
    "stsfm.datasets.synthetic.np.savez",
    "stsfm.models.training.torch.load",
    "stsfm.models.linear._batches",
    "stsfm.models.base.Forecaster.save",
    "stsfm.models.recurrent.ClassVar",
    "stsfm.jobs.os.system",
    "stsfm.commands.run.main",
    "stsfm.files.write",
    "stsfm.record.folder.json.loads",
    "stsfm.compose.door.hydra.utils.call",
    "stsfm.build.build",
    "stsfm.tests.conftest.Desk",
    "stsfm.bench.run.main",
]


def test_what_is_refused_of_the_project_is_there():
    """A name that was moved would be refused for its absence, and prove nothing."""
    assert callable(linear._batches) and callable(files.write)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_refused(target, here, capsys):
    with pytest.raises(Mistake, match="_target_"):
        locate(target, "model")
    assert not (here / "canary").exists()


WHERE = {  # where a `_target_` may hide: the whole of it, an inner key, a list, a partial
    "data": "data._target_=evil.evil",
    "data, walking through a module": "data._target_=stsfm.datasets.synthetic.np.load",
    "protocol": "protocol._target_=evil.evil",
    "model": "model._target_=evil.evil",
    "loss": "loss._target_=evil.evil",
    "trainer": "trainer._target_=evil.evil",
    "optimizer": "trainer.optimizer._target_=evil.evil",
    "optimizer, called at once": "trainer.optimizer={_target_:evil.evil,_partial_:false}",
    "hardware": "hardware._target_=evil.evil",
    "in a dictionary": "loss.terms.task._target_=evil.evil",
    "in a new term": "+loss.terms.other={_target_:evil.evil}",
    "in a key": "model.hidden={_target_:evil.evil}",
    "in a list": "model.hidden=[{_target_:evil.evil}]",
    "in a list of lists": "model.hidden=[[{a:{_target_:evil.evil}}]]",
    "not a name": "model._target_=[evil,evil]",
}


@pytest.mark.parametrize("word", WHERE.values(), ids=WHERE)
def test_a_target_is_refused_wherever_it_stands(word, here, capsys):
    assert "_target_" in refused(here, capsys, "model=gru", "trainer.epochs=1", word)


# ---- what a file of --config-dir may not settle --------------------------------------------------

GLOBAL = "# @package _global_\n"
CALLBACK = "{_target_: evil.evil}"
FILES = {  # what it tries → the files of the folder; experiment=x is asked for
    "a launcher": {"experiment/x": f"{GLOBAL}hydra: {{launcher: {CALLBACK}}}"},
    "a launcher of its own": {
        "experiment/x": f"{GLOBAL}defaults: [override /hydra/launcher: mine]",
        "hydra/launcher/mine": "_target_: evil.evil",
    },
    "the default launcher": {
        "experiment/x": f"{GLOBAL}seed: 1",
        "hydra/launcher/basic": "_target_: evil.evil",
    },
    "a sweeper": {"experiment/x": f"{GLOBAL}hydra: {{sweeper: {CALLBACK}}}"},
    "a callback": {"experiment/x": f"{GLOBAL}hydra: {{callbacks: {{x: {CALLBACK}}}}}"},
    "a callback by its package": {"experiment/x": f"# @package hydra.callbacks.x\n{CALLBACK}"},
    "a callback from a choice": {
        "experiment/x": f"{GLOBAL}defaults: [/other@hydra.callbacks.x: y]",
        "other/y": "_target_: evil.evil",
    },
    "a handler of logs": {
        "experiment/x": f"{GLOBAL}hydra: {{job_logging: {{version: 1, handlers: "
        "{x: {(): evil.evil}}, root: {handlers: [x]}}}"
    },
    "a file of logs": {
        "experiment/x": f"{GLOBAL}hydra: {{job_logging: {{handlers: {{x: "
        "{class: logging.FileHandler, filename: elsewhere}}, root: {handlers: [x]}}}"
    },
    "the environment": {
        "experiment/x": f"{GLOBAL}hydra: {{job: {{env_set: {{LD_PRELOAD: ./evil.so}}}}}}"
    },
    "a search path": {"experiment/x": f"{GLOBAL}hydra: {{searchpath: ['file:///tmp']}}"},
    "the folder of a run": {"experiment/x": f"{GLOBAL}hydra: {{run: {{dir: elsewhere}}}}"},
    "the folder of a sweep": {"experiment/x": f"{GLOBAL}hydra: {{sweep: {{subdir: elsewhere}}}}"},
    "a folder of records": {"experiment/x": f"{GLOBAL}hydra: {{output_subdir: elsewhere}}"},
    "to work elsewhere": {"experiment/x": f"{GLOBAL}hydra: {{job: {{chdir: true}}}}"},
    "where runs are kept": {"experiment/x": f"{GLOBAL}runs_dir: elsewhere"},
    "to make runs anew": {"experiment/x": f"{GLOBAL}force: true"},
    "a plug-in": {
        "experiment/x": f"{GLOBAL}plugins: [evil]\ndefaults: [override /data: e]",
        "data/e": "_target_: evil.evil",
    },
    "a plug-in by a sweep": {"experiment/x": f"{GLOBAL}sweep: {{plugins: [[evil]]}}"},
    "a folder by a sweep": {"experiment/x": f"{GLOBAL}sweep: {{hydra.run.dir: [elsewhere]}}"},
    "an experiment by a sweep": {
        "experiment/x": f"{GLOBAL}sweep: {{experiment: [y]}}",
        "experiment/y": f"{GLOBAL}runs_dir: elsewhere",
    },
    "a sweep in Hydra's way": {
        "experiment/x": f"{GLOBAL}hydra: {{sweeper: {{params: {{model: 'naive,drift'}}}}}}"
    },
    "a launcher by a sweep": {"experiment/x": f"{GLOBAL}sweep: {{launcher.n_jobs: [9]}}"},
    "where jobs run": {"experiment/x": f"{GLOBAL}launcher: {{_target_: evil.evil}}"},
    "where jobs run, by another key": {"experiment/x": f"{GLOBAL}launcher: {{setup: [evil]}}"},
    "a choice that is swept": {
        "experiment/x": f"{GLOBAL}sweep: {{model: [naive, mine]}}",
        "model/mine": f"{GLOBAL}runs_dir: elsewhere",
    },
    "the types of the keys": {
        "experiment/x": f"{GLOBAL}seed: 1",
        "schema": f"{GLOBAL}hydra: {{callbacks: {{x: {CALLBACK}}}}}",
    },
    "a name that is a path": {
        "experiment/x": f"{GLOBAL}defaults: [override /model: ../elsewhere]",
        "elsewhere_": "",
        "../elsewhere": "_target_: stsfm.models.naive.Naive",
    },
    "a secret": {"experiment/x": f"{GLOBAL}protocol: {{horizon: '${{oc.env:HOME}}'}}"},
    "a secret by another name": {
        "experiment/x": f"{GLOBAL}data: {{word: env, secret: '${{oc.${{data.word}}:HOME}}'}}"
    },
    "a secret for the model": {"experiment/x": f"{GLOBAL}model: {{hidden: '${{oc.env:HOME,1}}'}}"},
    "a tag of Python": {
        "experiment/x": f"{GLOBAL}seed: !!python/object/apply:os.system ['touch canary']"
    },
    "a tag of Python, a module": {"experiment/x": f"{GLOBAL}seed: !!python/module:evil"},
    "a tag of Python, a name": {"experiment/x": f"{GLOBAL}seed: !!python/name:evil.evil"},
    "a resolver that is not there": {"experiment/x": f"{GLOBAL}seed: ${{eval:'1'}}"},
}


@pytest.mark.parametrize("files", FILES.values(), ids=FILES)
def test_a_file_settles_nothing_but_choices_and_keys(files, here, capsys):
    for name, text in files.items():
        file = here / "conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    refused(here, capsys, "--config-dir", "conf", "experiment=x")


def test_an_experiment_of_the_user_may_sweep(here, capsys):
    """The check is no wall: what files are for still works."""
    (here / "conf" / "experiment").mkdir(parents=True)
    text = f"{GLOBAL}sweep: {{model: [naive, drift]}}\n"
    (here / "conf" / "experiment" / "x.yaml").write_text(text)
    assert attack("--config-dir", "conf", "experiment=x") == 0
    assert {path.parts[2] for path in Path().glob("runs/airline/*/*")} == {"naive", "drift"}


# ---- the command line ----------------------------------------------------------------------------

TYPED = [
    "plugins=[os]",
    "plugins=[subprocess,evil]",
    "plugins=[stsfm.record]",
    "plugins=[nowhere]",
    "plugins=['']",
    "plugins=['../evil']",
    "hydra.run.dir=elsewhere",
    "hydra.launcher._target_=evil.evil",
    "+hydra.callbacks.x._target_=evil.evil",
    "hydra/job_logging=default",
    "hydra.searchpath=['file:///tmp']",
    "hydra.output_subdir=elsewhere",
    "hydra.job.env_set={A:b}",
    "runs_dir=",
]


@pytest.mark.parametrize("word", TYPED)
def test_the_command_line_refuses(word, here, capsys):
    refused(here, capsys, "model=naive", word)


# ---- saved models --------------------------------------------------------------------------------


class Poison:
    """Unpickling it leaves a canary."""

    def __reduce__(self):
        return Path.touch, (Path("canary"),)


def saved(*words: str):
    """A model that was fitted and saved in the folder `model`, and a new one of the same config."""
    from stsfm.job import cut

    config = compose.config([*words, "trainer.epochs=1"])
    split = cut(config)
    make = lambda: build_model(config["model"], lambda row: None, split.rules)  # noqa: E731
    make().fit(split.train, split.val).save(Path("model"))
    return make()


def test_poisoned_weights_execute_nothing(here):
    model = saved("model=gru", "model.hidden=2")
    torch.save({"head.weight": Poison()}, "model/weights.pt")
    with pytest.raises(Exception, match="Weights only load failed"):
        model.load(Path("model"))
    assert not (here / "canary").exists()
    torch.load("model/weights.pt", weights_only=False)
    assert (here / "canary").exists(), "the poison works"


def test_a_poisoned_array_executes_nothing(here):
    model = saved("model=linear")
    np.savez("model/learned.npz", weight_=np.array([Poison()], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        model.load(Path("model"))
    assert not (here / "canary").exists()
    np.load("model/learned.npz", allow_pickle=True)["weight_"]
    assert (here / "canary").exists(), "the poison works"
