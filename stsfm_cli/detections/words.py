"""What may be typed after `stsfm detect`: a detector stands where a run has its model."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stsfm.mistakes import Mistake, did_you_mean

DEFAULT = "pelt"
FOLDER = ("-cd", "--config-dir")
KEYS = (
    "control", "data", "detector", "force", "model", "plugins", "question", "runs_dir", "seed",
    "seeds",
)  # fmt: skip
FLAGS = ("-m", "--multirun")


def spelled_out(args: Iterable[str]) -> list[str]:
    """model=pelt model.least=5 → detector=pelt detector.least=5; without any, the default.

    Mistake for what a detection has not.
    """
    args = list(args)
    for before, word in zip(["", *args], args, strict=False):
        if before not in FOLDER and not word.startswith((*FOLDER, *FLAGS)):
            _check(word)
    words = [as_detector(word) for word in args]
    chosen = [word for word in words if word.startswith("detector=")]
    if len(set(chosen)) > 1:
        raise Mistake(f"{' '.join(chosen)}: say once which; several are model=pelt,bocpd")
    return words if chosen else [f"detector={DEFAULT}", *words]


def as_detector(word: str) -> str:
    """model=pelt → detector=pelt, model.least=5 → detector.least=5."""
    return re.sub(r"^(\+*)model(?=[=./])", r"\1detector", word)


def as_model(word: str) -> str:
    """As a reader types it: detector=pelt → model=pelt."""
    return re.sub(r"^(\+*)detector(?=[=./])", r"\1model", word)


def _check(word: str) -> None:
    if word.startswith("-"):
        raise Mistake(f"unknown option {word!r}; `stsfm detect --help` lists all")
    key = re.split(r"[=./]", word.lstrip("+"), maxsplit=1)[0]
    if key not in KEYS:
        raise Mistake(
            f"{word}: a detection has no {key!r}.{did_you_mean(key, KEYS)} It reads "
            f"{', '.join(KEYS)}"
        )
