"""The types of config.yaml's own keys; groups are typed by the signatures of their targets."""

from dataclasses import dataclass, field
from typing import Any

MISSING = "???"
OF_A_COMMAND = (  # not of a run
    "ablate", "analysis", "control", "detector", "factors", "fail_fast", "force", "launcher",
    "question", "retries", "score", "search", "space",
)  # fmt: skip


@dataclass
class Config:
    seed: int = MISSING  # type: ignore[assignment]
    baselines: list[str] = field(default_factory=list)
    plugins: list[str] = field(default_factory=list)
    loggers: list[str] = field(default_factory=list)
    score: str = MISSING
    space: dict[str, Any] = field(default_factory=dict)
    runs_dir: str = MISSING
    force: bool = MISSING  # type: ignore[assignment]
    retries: int = MISSING  # type: ignore[assignment]
    fail_fast: bool = MISSING  # type: ignore[assignment]
    question: str = MISSING
    control: str | None = MISSING
    factors: list[str] = field(default_factory=list)
    ablate: Any = MISSING
    sweep: Any = None  # a mapping, or a list of them
    data: Any = MISSING
    protocol: Any = MISSING
    model: Any = MISSING
    loss: Any = MISSING
    trainer: Any = MISSING
    hardware: Any = MISSING
    launcher: Any = MISSING
    search: Any = None
    analysis: Any = None
    detector: Any = None
    given: Any = None
