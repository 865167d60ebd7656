"""Nothing is lost: killed, interrupted, out of disk or damaged, a run ends as it would have."""

import builtins
import io
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from stsfm import compose, files
from stsfm.build import build_model
from stsfm.identity import identify
from stsfm.job import cut
from stsfm.mistakes import Mistake
from stsfm.record import Record, lock

KILLS = int(os.environ.get("STSFM_KILLS", "3"))
NET = ["model=lstm", "model.hidden=4", "trainer.epochs=5", "trainer.patience=null",
       "protocol.calibration=0"]  # fmt: skip
EVERY = "trainer.checkpoint_seconds=0"
ALONE = "baselines=[]"


class Memory:
    """A Store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.said: list[str] = []

    def read(self, name):
        return self.kept.get(name)

    def write(self, name, content):
        self.kept[name] = content

    def say(self, line):
        self.said.append(line)


class Stop(Exception):
    pass


def fit(words, store=None, stop_at=None):
    """The rows and the report of a training, which may be stopped by its monitor."""
    config, rows = compose.config([*NET, *words]), []
    split = cut(config)

    def monitor(row):
        rows.append({name: value for name, value in row.items() if name != "seconds"})
        if row["epoch"] == stop_at:
            raise Stop

    model = build_model(config["model"], monitor, split.rules, store)
    try:
        model.fit(split.train, split.val)
    except Stop:
        return rows, None
    return rows, model.report


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["model.layers=2", "model.dropout=0.3"],
        ["trainer.batch_size=64", "trainer.accumulate=2"],
        ["trainer.optimizer._target_=torch.optim.SGD", "+trainer.optimizer.momentum=0.9"],
        ["trainer.patience=2", "trainer.epochs=30", "trainer.lr=0.1"],
        ["trainer.schedule=halve", "trainer.lr=0.05"],
        ["trainer.schedule=cosine", "trainer.lr=0.05"],
        ["loss=quantile", "model=gru"],
    ],
)
def test_a_training_stopped_at_any_epoch_ends_with_the_bits_of_an_unbroken_one(words):
    whole = fit(words)
    for epoch in range(2, min(len(whole[0]), 7) + 1):
        store = Memory()
        stopped, none = fit([*words, EVERY], store, stop_at=epoch)
        assert none is None and len(stopped) == epoch
        assert fit([*words, EVERY], store) == whole
        assert store.said == [f"resumed at epoch {epoch - 1}"]


def test_a_training_that_came_to_its_end_is_not_done_again():
    store = Memory()
    whole = fit([EVERY], store)
    (name,), before = store.kept, dict(store.kept)
    assert fit([EVERY], store) == whole and store.kept == before
    fit([EVERY, "protocol.calibration=24"], store)  # a twin sees other windows
    assert len(store.kept) == 2 and store.said == ["resumed at epoch 5"] * 2
    store.kept = before
    fit([EVERY, "seed=2"], store)  # what starts from other weights is another training
    assert len(store.kept) == 2 and name in store.kept


def test_checkpoints_are_kept_as_often_as_asked():
    store = Memory()
    for never in ("trainer.checkpoint_seconds=null", "trainer.checkpoint_seconds=1000"):
        fit([never], store)
        assert not store.kept
    with pytest.raises(Mistake, match="checkpoint_seconds must be at least 0 or null"):
        fit(["trainer.checkpoint_seconds=-1"])


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda content: content[: len(content) // 2], "is damaged"),
        (lambda content: content[:-9] + bytes(9), "is damaged"),
        (lambda content: b"", None),
        (lambda content: b"\xff\xfe\n\x00", "is damaged"),
        (lambda content: content.replace(b"torch 2", b"torch 1", 1), "is of torch 1"),
        (lambda content: content.replace(b"1 process", b"2 processes", 1), "2 processes, this is"),
    ],
)
def test_a_checkpoint_that_cannot_be_trusted_is_not(spoil, said):
    store = Memory()
    fit([EVERY], store, stop_at=4)
    ((name, content),) = store.kept.items()
    store.kept[name] = spoil(content)
    assert fit([EVERY], store) == fit([])
    assert len(store.said) == (said is not None) and (said or "") in "".join(store.said)


def test_a_checkpoint_runs_no_code(tmp_path):
    import hashlib

    from stsfm.models.checkpoint import _maker

    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    store, out = Memory(), io.BytesIO()
    fit([EVERY], store, stop_at=4)
    torch.save({"net": Trap()}, out)
    head = f"{hashlib.sha256(out.getvalue()).hexdigest()} · {_maker(1)}\n"
    store.kept = {name: head.encode() + out.getvalue() for name in store.kept}
    assert fit([EVERY], store) == fit([]) and "without running code" in store.said[0]
    assert not (tmp_path / "ran").exists()


def test_how_often_checkpoints_are_kept_is_no_part_of_a_run():
    config = compose.config(NET)
    split = cut(config)
    assert identify(config, split) == identify(compose.config([*NET, EVERY]), split)


def test_runs_killed_at_random_moments_end_as_if_they_had_not_been(desk):
    words = ["model=lstm", "model.hidden=8", "trainer.epochs=40", "trainer.patience=null", ALONE]
    program = [sys.executable, str(Path(__file__).with_name("killing.py"))]
    done = subprocess.run(
        [*program, str(KILLS), "1", *words, EVERY], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    whole, *killed = map(json.loads, done.stdout.splitlines())
    assert whole["state"] == "finished" and whole["leftover"] == [] and len(killed) == KILLS
    for run in killed:
        assert (run["code"], run["state"], run["leftover"]) == (0, "finished", []), run
        assert run["same"] == whole["same"], run["at"]
        assert "Traceback" not in run["said"]
        phase, _, epoch = run["at"].partition(" ")
        resumed = [int(epoch) for epoch in run["resumed"]]
        if phase == "training" and int(epoch) > 1:
            assert int(epoch) - resumed[0] in (0, 1)  # its checkpoint may be to come; then the twin
    assert sum(run["at"].startswith("training") for run in killed) >= KILLS // 3


def interrupted(desk, monkeypatch, *words, at=3):
    """A run that is stopped by Ctrl-C after an epoch."""
    append = Record.append_history

    def stop(run, row):
        append(run, row)
        if row["epoch"] == at:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Record, "append_history", stop)
        assert desk("run", *NET, ALONE, EVERY, *words) == 130
    return desk.only("/lstm/")


def test_the_same_command_goes_on_where_it_was_interrupted(desk, monkeypatch):
    run = interrupted(desk, monkeypatch)
    assert run.state == "interrupted" and (run.folder / "checkpoint").exists()
    with (run.folder / "history.csv").open("a") as file:
        file.write("4,0.1")  # a line that was being written
    assert [row["epoch"] for row in run.history()] == [1, 2, 3]
    assert desk("run", *NET, ALONE, EVERY) == 0
    assert "lstm: resumed at epoch 2" in desk.out
    assert [row["epoch"] for row in run.history()] == [1, 2, 3, 4, 5]
    assert run.state == "finished" and run.status["attempt"] == 2
    assert not (run.folder / "checkpoint").exists() and not (run.folder / "error.txt").exists()
    log = (run.folder / "log.txt").read_text()
    assert log.count("fitting") == 2 and "resumed at epoch 2" in log
    assert run.scores["training"] == fit([])[1]


def test_force_forgets_what_was_interrupted(desk, monkeypatch):
    run = interrupted(desk, monkeypatch)
    assert desk("run", *NET, ALONE, "force=true") == 0
    assert "resumed" not in desk.out and (run.folder / "log.txt").read_text().count("fitting") == 1


# ---- damaged files -------------------------------------------------------------------------------

DECIDING = ["status.json", "config.yaml", "scores.json", "windows.npz", "forecast.npz",
            "history.csv", "environment.json", "data.json", "command.txt", "references.bib",
            "model/weights.pt", "model/frame.json"]  # fmt: skip
PAGE = ["members.json", "table.md", "table.csv", "plots/loss.png"]


def removed(path):
    path.unlink()


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def flipped(path):
    """One byte is another; the size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run, made once and copied for every damage."""
    home = tmp_path_factory.mktemp("made")
    words = [*NET, "baselines=[naive]", f"runs_dir={home}"]
    done = subprocess.run([sys.executable, "-m", "stsfm", "run", *words], check=False)
    assert done.returncode == 0
    return home


def copied(made, desk):
    shutil.copytree(made, desk.folder / "runs", copy_function=shutil.copy2)
    return desk.only("/lstm/")


@pytest.mark.parametrize("harm", [removed, halved, emptied, flipped])
@pytest.mark.parametrize("file", DECIDING)
def test_a_run_with_a_damaged_file_is_trusted_by_no_reader(desk, made, file, harm):
    run = copied(made, desk)
    harm(run.folder / file)
    if not (run.folder / "status.json").exists():
        assert run.state == "missing" and desk("ls") == 0 and "lstm" not in desk.out
        return
    assert run.state == "damaged" and file in run.damage()
    assert desk("ls") == 0
    (line,) = [line for line in desk.out.splitlines() if "lstm" in line]
    assert line.startswith("damaged") and file in line
    assert desk("show", str(run.folder)) == 1 and file in desk.out
    assert desk("compare", "model=naive") == 0 and "lstm" not in desk.out
    assert desk("compare", "model=lstm") == 2 and file in desk.err


@pytest.mark.parametrize("file", ["status.json", "scores.json", "model/weights.pt"])
def test_a_damaged_run_is_made_anew_and_says_so(desk, made, monkeypatch, file):
    run = copied(made, desk)
    monkeypatch.setattr("stsfm.plots.draw", lambda story, folder: [])
    before = run.scores
    flipped(run.folder / file)
    assert desk("run", *NET, "baselines=[naive]") == 0
    assert desk.out.count("is made anew") == 1 and f"is damaged ({file}" in desk.out
    assert run.state == "finished" and desk.err == ""
    assert all(run.scores[part] == before[part] for part in ("val", "test", "training"))


@pytest.mark.parametrize("harm", [removed, halved, flipped])
@pytest.mark.parametrize("file", PAGE)
def test_a_damaged_page_is_written_again_without_another_fit(desk, made, monkeypatch, file, harm):
    run = copied(made, desk)
    harm(run.folder / file)
    assert run.state == "finished"
    plots = [Path(name).name for name in PAGE if name.startswith("plots")]
    draw = lambda story, folder: [files.write(folder / name, "drawn") for name in plots]  # noqa: E731
    monkeypatch.setattr("stsfm.plots.draw", draw)
    assert desk("run", *NET, "baselines=[naive]") == 0
    assert run.status["attempt"] == 1
    page = run.read("members.json")
    assert (run.folder / file).exists() and page["beside"]
    assert files.damage(run.folder, page["files"], every_byte=True) is None


def test_a_copied_run_is_as_good_as_the_first(desk, made):
    shutil.copytree(made, desk.folder / "runs", copy_function=shutil.copyfile)  # other times
    run = desk.only("/lstm/")
    assert run.state == "finished" and run.damage(every_byte=True) is None


def test_what_changes_without_a_trace_is_found_where_every_byte_is_read(desk, made):
    run = copied(made, desk)
    path = run.folder / "windows.npz"
    times = path.stat()
    flipped(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert run.state == "finished"  # nobody read it
    assert desk("show", str(run.folder)) == 1 and "windows.npz was changed" in desk.out


def test_a_lock_may_hold_anything_and_readers_leave_none(desk, made):
    run = copied(made, desk)
    (run.folder / ".lock").write_bytes(b"\x00garbage")
    assert run.state == "finished" and not run.locked
    assert desk("run", *NET, "baselines=[naive]", "force=true") == 0
    assert not list(desk.folder.rglob(".lock"))
    assert desk("ls") == 0 and not list(desk.folder.rglob(".*"))


# ---- full and read-only disks --------------------------------------------------------------------


class FullDisk:
    """From the n-th file that is opened for writing on, files are made but hold nothing."""

    def __init__(self, home: Path, room: int) -> None:
        self.home, self.room, self.opened, self.open = home, room, 0, io.open

    def __call__(self, file, mode="r", *args, **kwargs):
        writes = set(mode) & set("wax") and str(file).startswith(str(self.home))
        if writes and Path(file).name != ".lock":  # which is empty
            self.opened += 1
            if self.opened > self.room:
                self.open(file, mode, *args, **kwargs).close()
                file = "/dev/full"
        return self.open(file, mode, *args, **kwargs)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
@pytest.mark.parametrize("model", ["lstm", "drift"])
def test_a_disk_that_is_full_at_any_write_costs_one_line_and_loses_nothing(
    desk, monkeypatch, model
):
    monkeypatch.setattr("stsfm.plots.draw", lambda story, folder: files.write(folder / "a", "a"))
    net = [*NET[1:], "trainer.epochs=1", EVERY] * (model == "lstm")
    words, home = ["run", f"model={model}", *net, ALONE], desk.folder / "runs"
    assert desk(*words, "runs_dir=whole") == 0
    (whole,) = (desk.folder / "whole").glob("*/*/*/scores.json")

    def attempts():
        """With room for ever more files, each after what the one before has left."""
        for room in range(100):
            with monkeypatch.context() as patch:
                disk = FullDisk(home, room)
                patch.setattr(io, "open", disk)
                patch.setattr(builtins, "open", disk)
                code = desk(*words, f"runs_dir={home}")
            if code == 0:
                return
            line, *more = desk.err.splitlines()
            assert code == 1 and not more and "No space left on device: /" in line, desk.err
            assert not list(home.rglob(".*")), room
            yield desk.only(model).state if desk.runs() else "missing"

    states = list(attempts())
    assert len(states) > 10 and set(states) <= {"missing", "crashed", "failed", "finished"}
    page = ["members.json", "table.md", "table.csv", "plots"]
    assert states.count("finished") == 1
    (desk.only(model).folder / page[0]).unlink()
    assert list(attempts()) == ["finished"] * len(page)
    run, expected = desk.only(model), desk.json(whole)
    assert all(run.scores[part] == expected[part] for part in ("val", "test", "training"))
    assert run.damage(every_byte=True) is None


def test_a_folder_that_cannot_be_written_costs_one_line(desk, monkeypatch):
    mkdir = Path.mkdir

    def refuse(path, *args, **kwargs):
        if "naive" in path.parts:
            raise OSError(30, "Read-only file system", str(path))
        mkdir(path, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert desk("run", "model=naive", ALONE) == 2
    assert desk.err.count("\n") == 1 and "Read-only file system; see runs_dir=" in desk.err


def test_a_finished_run_on_a_read_only_disk_is_read(desk, monkeypatch):
    assert desk("run", "model=naive", ALONE) == 0

    def refuse(file, mode="r", *args, **kwargs):
        if set(mode) & set("wax+"):
            raise OSError(30, "Read-only file system", str(file))
        return original(file, mode, *args, **kwargs)

    original = io.open
    monkeypatch.setattr(io, "open", refuse)
    for command in (["run", "model=naive", ALONE], ["ls"]):
        assert desk(*command) == 0 and "naive" in desk.out and desk.err == ""
    assert desk("run", "model=drift", ALONE) == 2
    assert "Read-only file system" in desk.err and desk.err.count("\n") == 1


def test_a_file_system_without_locks_costs_one_line(desk, monkeypatch):
    def refuse(file, operation):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    assert desk("run", "model=naive", ALONE) == 2
    assert desk.err.count("\n") == 1 and "without locks (No locks available)" in desk.err


# ---- files ---------------------------------------------------------------------------------------


def test_drafts_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead, living = (tmp_path / f".a.json.{pid}" for pid in (child.pid, os.getppid()))
    other = tmp_path / f".b.json.{child.pid}"
    for draft in (dead, living, other):
        draft.write_text("{")
    files.write(tmp_path / "a.json", "{}")
    assert sorted(tmp_path.iterdir()) == sorted([living, other, tmp_path / "a.json"])


@pytest.mark.parametrize("error", [KeyboardInterrupt, partial(OSError, 28, "No space left")])
def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch, error):
    files.write(tmp_path / "a", "old")

    def fail(_):
        raise error()

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error()), match="/a'$" if isinstance(error(), OSError) else None):
        files.write(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_lock_that_was_removed_while_waiting_for_it_is_none(tmp_path):
    """Who waits for the lock of a run gets it when its holder, who removes the file, is done."""
    code = (
        "import sys, time; from pathlib import Path; from stsfm.record import lock\n"
        "for _ in range(40):\n"
        "    with lock.holding(Path(sys.argv[1])):\n"
        "        made = Path(sys.argv[1], 'inside').open('x')\n"
        "        time.sleep(0.001)\n"
        "        Path(sys.argv[1], 'inside').unlink()\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE)
            for _ in range(3)]  # fmt: skip
    for child in both:
        said = child.communicate()[1].decode()
        assert child.returncode == 0 and "FileExistsError" not in said
    assert not list(tmp_path.iterdir())
