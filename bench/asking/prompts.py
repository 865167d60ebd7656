"""The committed prompts: what was typed, what it asks for, and which prompts belong together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stsfm.asking.selector import REJECT
from stsfm.asking.spec import RunSpec

FOLDER = Path(__file__).parents[1] / "prompts"
LISTS = ("models", "among")


@dataclass(frozen=True)
class Prompt:
    """A prompt with its label: a spec, a rejection, or a slot that is missing or fits several."""

    text: str
    label: dict[str, Any]
    style: str
    template: str
    writer: str

    @property
    def intent(self) -> str | None:
        """What a selector should say; None where the label does not tell, of an ambiguous one."""
        return REJECT if "reject" in self.label else self.label.get("intent")

    @property
    def spec(self) -> RunSpec | None:
        """The request, of a prompt that is in scope."""
        if "intent" not in self.label:
            return None
        return RunSpec(**{k: tuple(v) if k in LISTS else v for k, v in self.label.items()})


def read(*writers: str) -> list[Prompt]:
    """The prompts of these writers, in their order."""
    lines = (line for name in writers for line in (FOLDER / f"{name}.jsonl").open())
    return [Prompt(**json.loads(line)) for line in lines]


Split = tuple[list[Prompt], list[Prompt]]  # to learn from, to be asked


def leave_out(prompts: Sequence[Prompt], by: Callable[[Prompt], str]) -> Iterator[Split]:
    """Each template, style or writer once: all others to learn from, its own to be asked."""
    for name in dict.fromkeys(map(by, prompts)):
        yield [p for p in prompts if by(p) != name], [p for p in prompts if by(p) == name]


def at_random(prompts: Sequence[Prompt], folds: int = 10) -> Iterator[Split]:
    """Prompts at random, their siblings on both sides: an upper bound, and no honest figure."""
    for fold in range(folds):
        yield (
            [p for at, p in enumerate(prompts) if at * 7 % folds != fold],
            [p for at, p in enumerate(prompts) if at * 7 % folds == fold],
        )
