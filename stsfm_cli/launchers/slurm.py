"""Jobs in the queue of a slurm cluster: each is an sbatch of its own, by submitit.

Yoo et al., SLURM: Simple Linux Utility for Resource Management (2003).
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, final

from stsfm.launchers import limits
from stsfm.launchers.base import Ending
from stsfm.launchers.needs import Needs
from stsfm.launchers.remote import Errand, Remote
from stsfm.mistakes import Mistake

FOLDER = "_slurm"  # in runs_dir, which all nodes see: what is sent, and what slurm prints
MARGIN = 180  # seconds beyond `timeout`, for starting and ending
OVER = {  # states of a job that did not come to its own end
    "BOOT_FAIL": "its node did not start",
    "CANCELLED": "cancelled",
    "DEADLINE": "its deadline passed",
    "NODE_FAIL": "its node died",
    "OUT_OF_MEMORY": "used more memory than it was given",
    "PREEMPTED": "preempted by another job",
    "TIMEOUT": "took longer than its limit",
}


@final
class Slurm(Remote):
    """Jobs as sbatch scripts; polled by sacct, stopped by scancel.

    executor  "slurm"; "local" = submitit's own, which tries the same without a queue
    n_jobs    in the queue at a time, waiting or running
    timeout   of one attempt, in seconds or as "10m", "2h"; slurm is asked for three minutes more
    memory    of a job on each of its nodes, as "8GiB"; None = slurm's default
    cpus      of each node; None = threads times processes
    gpus      of each node; None = as many as `hardware` says
    sbatch    further options, such as "--constraint=a100"
    setup     lines of shell before the job, such as "module load cuda"
    python    on the nodes; None = the same path as here
    """

    def __init__(
        self,
        *,
        executor: Literal["slurm", "local"],
        n_jobs: int,
        timeout: float | str,
        memory: float | str | None,
        cpus: int | None,
        gpus: int | None,
        partition: str | None,
        account: str | None,
        qos: str | None,
        sbatch: Sequence[str],
        setup: Sequence[str],
        python: str | None,
    ) -> None:
        super().__init__(timeout=timeout, memory=memory)
        if n_jobs < 1:
            raise Mistake(f"launcher.n_jobs: wanted at least 1, got {n_jobs}")
        try:
            import submitit
        except ModuleNotFoundError as error:
            raise Mistake("launcher=slurm needs submitit: pip install 'stsfm[slurm]'") from error
        if executor == "slurm" and not shutil.which("sbatch"):
            raise Mistake("launcher=slurm: no sbatch here; this is for the login node of a cluster")
        self.submitit, self.executor, self.n_jobs = submitit, executor, n_jobs
        self.cpus, self.gpus, self.python = cpus, gpus, python
        seconds = limits.seconds(timeout, "launcher.timeout") or 0
        bytes_ = limits.size(memory, "launcher.memory")
        self.asked = {
            "timeout_min": math.ceil((seconds + MARGIN) / 60),
            "mem_gb": bytes_ and bytes_ / 2**30,
            "slurm_partition": partition,
            "slurm_account": account,
            "slurm_qos": qos,
            "slurm_setup": list(setup) or None,
            "local_setup": list(setup) or None,
            # the engine tries again, not slurm; and a rank that died ends the others
            "slurm_additional_parameters": {"no-requeue": True, **dict(map(_option, sbatch))},
            "slurm_srun_args": ["--kill-on-bad-exit=1"],
        }
        self.folder: Path | None = None

    def send(self, errand: Errand) -> Any:
        needs = Needs.of(errand.job)
        gpus = needs.gpus if self.gpus is None else self.gpus
        if gpus < 0:
            raise Mistake("hardware.devices=-1 is every GPU of a node: say launcher.gpus=NUMBER")
        if self.folder is None:
            home = Path(errand.job.config["runs_dir"]).resolve() / FOLDER
            home.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(dir=home))
        python = {f"{self.executor}_python": self.python} if self.python else {}
        queue = self.submitit.AutoExecutor(self.folder, cluster=self.executor, **python)
        queue.update_parameters(
            **self.asked,
            name=f"stsfm-{errand.job.identity.model}",
            nodes=needs.nodes,
            tasks_per_node=1 if needs.nodes == 1 else gpus or needs.ranks,
            cpus_per_task=self.cpus or needs.cpus,
            gpus_per_node=gpus or None,
        )
        try:
            return queue.submit(errand)
        except self.submitit.core.utils.FailedJobError as error:
            raise Mistake(f"slurm does not take the job: {_last_line(str(error))}") from error

    def answer(self, ticket: Any) -> Ending | str | None:
        state = str(ticket.state).partition(" ")[0]  # CANCELLED by 1000
        if not ticket.done() and state != "PREEMPTED":  # which submitit takes for a pause
            return None
        first = ticket.task(0)
        if first.paths.result_pickle.exists():
            outcome, value = self.submitit.core.utils.pickle_load(first.paths.result_pickle)
            _tidy(ticket)
            return value if outcome == "success" else f"on its node: {_last_line(value)}"
        said = _last_line(first.stderr() or "")
        if state in OVER:  # else what it printed may tell why
            _tidy(ticket)
        return f"slurm: {OVER.get(state, f'it ended as {state}')}" + (f" ({said})" if said else "")

    def cancel(self, ticket: Any) -> None:
        ticket.cancel(check=False)

    def leave(self) -> None:
        """What was cancelled slurm ends by itself; its folder goes, unless it tells of failures."""
        for away in self._away:
            _tidy(away.ticket)
        if self.folder is not None:
            for link in self.folder.glob(".submission_file_*"):
                if not link.exists():  # submitit's, to a file that is gone
                    link.unlink()
            with suppress(OSError):
                self.folder.rmdir()
                self.folder.parent.rmdir()


def _tidy(ticket: Any) -> None:
    for file in ticket.paths.folder.glob(f"{ticket.job_id}_*"):
        file.unlink(missing_ok=True)


def _option(text: str) -> tuple[str, str | bool]:
    """--constraint=a100 as submitit writes it: a name and its value, True where it has none."""
    name, _, value = text.removeprefix("--").partition("=")
    return name, value or True


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
