"""Jobs on a ray cluster: on that of a laboratory, or on one that is started for the sweep.

Moritz et al., Ray: A Distributed Framework for Emerging AI Applications (OSDI 2018).
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, final

from stsfm.launchers.base import Ending
from stsfm.launchers.needs import Needs
from stsfm.launchers.remote import Errand, Remote
from stsfm.mistakes import Mistake, one_line

STORE = 80 * 2**20  # bytes of shared memory: only endings travel through it


@final
class Ray(Remote):
    """Jobs as ray tasks, each of which holds its cores and GPUs while it runs.

    address  of a running cluster, "auto" = the one that this machine belongs to; None = a cluster
             of this machine alone, which is gone after the sweep
    n_jobs   at a time, "auto" = as many as the cores of the cluster hold
    cpus     of one job; None = its threads
    gpus     of one job, 0.5 = two share one; None = as many as `hardware` says
    """

    def __init__(
        self,
        *,
        address: str | None,
        n_jobs: int | Literal["auto"],
        cpus: float | None,
        gpus: float | None,
        timeout: float | str | None,
        memory: float | str | None,
    ) -> None:
        super().__init__(timeout=timeout, memory=memory)
        if n_jobs != "auto" and n_jobs < 1:
            raise Mistake(f"launcher.n_jobs: wanted at least 1, or auto; got {n_jobs}")
        try:
            import ray
        except ModuleNotFoundError as error:
            raise Mistake("launcher=ray needs ray: pip install 'stsfm[ray]'") from error
        self.ray, self.cpus, self.gpus = ray, cpus, gpus
        self.folder: str | None = None  # of a cluster of our own
        self.joined = not ray.is_initialized()  # else who called us is in one, and stays there
        if self.joined:
            self._join(address)
        cores = ray.cluster_resources().get("CPU", 1)
        self.n_jobs = max(1, int(cores // (cpus or 1))) if n_jobs == "auto" else n_jobs

    def _join(self, address: str | None) -> None:
        """Become a client of a cluster; without an address, of a new one."""
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if address is None:
            self.folder = tempfile.mkdtemp(prefix="stsfm-ray-", dir="/tmp")  # sockets: short paths
            quiet |= {"include_dashboard": False, "object_store_memory": STORE}
            quiet |= {"_temp_dir": self.folder}
        try:
            with _signals_kept():
                self.ray.init(address=address or "local", **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            self.leave()
            raise Mistake(f"launcher.address={address}: {one_line(error)}") from error

    def send(self, errand: Errand) -> Any:
        needs = Needs.of(errand.job)
        if needs.nodes > 1:
            raise Mistake(
                f"hardware.nodes={needs.nodes}: ray gives a job one node; use launcher=slurm"
            )
        cpus = needs.cpus if self.cpus is None else self.cpus
        gpus = needs.gpus if self.gpus is None else self.gpus
        if gpus < 0:
            gpus = max((node["Resources"].get("GPU", 0) for node in self.ray.nodes()), default=1)
        task = self.ray.remote(max_retries=0, num_cpus=cpus, num_gpus=gpus)(_do)
        return task.remote(errand)

    def answer(self, ticket: Any) -> Ending | str | None:
        if not self.ray.wait([ticket], timeout=0)[0]:
            return None
        try:
            ending: Ending | str = self.ray.get(ticket)
        except self.ray.exceptions.RayError as error:
            return f"lost by ray ({type(error).__name__}): {_first_line(error)}"
        return ending

    def cancel(self, ticket: Any) -> None:
        self.ray.cancel(ticket, force=False)  # KeyboardInterrupt in the errand

    def leave(self) -> None:
        for away in self._away:  # a worker that is killed takes its job with it
            self.ray.cancel(away.ticket, force=True)
        if self.joined:
            self.ray.shutdown()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _do(errand: Errand) -> Ending | str:
    return errand()


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray answers SIGTERM by an exit of its own; who called us has answers already."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
