"""What a job takes of the machines that it is sent to."""

from __future__ import annotations

from dataclasses import dataclass

from stsfm.identity import nets
from stsfm.sweeps.plan import Job


@dataclass(frozen=True)
class Needs:
    """Nodes, and what of each."""

    nodes: int
    cpus: int
    gpus: int  # -1 = all that a node has
    ranks: int  # processes that Lightning shares a training among; -1 = one for every GPU

    @classmethod
    def of(cls, job: Job) -> Needs:
        """Only nets are trained on what `hardware` says; all else is one process."""
        threads = job.config["hardware"]["threads"]
        if not (found := nets(job.config["model"])):
            return cls(nodes=1, cpus=threads, gpus=0, ranks=1)
        hardware = found[0]["hardware"]
        ranks = hardware["devices"]
        gpus = ranks if hardware["accelerator"] in ("gpu", "cuda", "auto") else 0
        return cls(hardware["nodes"], threads * max(ranks, 1), gpus, ranks)
