"""`stsfm suggest loss`: which terms a composed loss may have here, and one that runs.

stsfm suggest loss model=superposition data=pendulum [KEY=VALUE …]
  --out FOLDER     write it as FOLDER/loss/MODEL_DATA.yaml: a choice of `--config-dir FOLDER`
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from stsfm.mistakes import Mistake

if TYPE_CHECKING:
    from stsfm.grammar import Suggestion

USAGE = __doc__.partition("\n\n")[2]


def main(args: list[str]) -> int:
    """List every preset term with its reason, then the loss that is proposed."""
    if {"-h", "--help"} & set(args) or not args:
        print(f"usage:\n{USAGE}", end="")
        return 0 if args else 2
    what, *words = args
    if what != "loss":
        raise Mistake(f"{what!r} can't be suggested; a loss can: stsfm suggest loss model=… data=…")
    folder, words = _out(words)
    from stsfm.grammar import as_yaml, suggest  # torch comes with it: not for --help

    found = suggest(words)
    _list(found)
    if not found.proposed:
        print("nothing to propose: the task alone")
        return 0
    weighting = next((w.partition("=")[2] for w in found.words if "weighting=" in w), "fixed")
    text = as_yaml(found, weighting)
    if folder is None:
        print(f"\n{text}\n{shlex.join(['stsfm', 'run', *found.words])}")
        return 0
    name = _name(words)
    path = folder / "loss" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# {', '.join(offer.name for offer in found.proposed)}, as suggested\n{text}")
    print(f"→ {os.path.relpath(path)}")
    rest = [word for word in words if not word.startswith("loss=")]
    run = ["stsfm", "run", "--config-dir", str(folder), f"loss={name}", *rest]
    print(shlex.join(run))
    return 0


def _out(words: list[str]) -> tuple[Path | None, list[str]]:
    """--out FOLDER or --out=FOLDER, and the other words."""
    rest, folder = [], None
    left = iter(words)
    for word in left:
        if word == "--out" or word.startswith("--out="):
            folder = Path(word.partition("=")[2] or next(left, ""))
            if not folder.name:
                raise Mistake("--out: wanted a folder")
        else:
            rest.append(word)
    return folder, rest


def _name(words: list[str]) -> str:
    """superposition_pendulum"""
    from stsfm.compose import config

    choices = config(words)["choices"]
    return f"{choices['model']}_{choices['data']}"


def _list(found: Suggestion) -> None:
    """A line for every preset: proposed, admissible or not, and why."""
    from stsfm.words import aligned

    lines = [["", "term", "kind", "size", "what it prices, or why not"]]
    for offer in found.offers:
        mark = "+" if offer.proposed else " "
        state = "no" if offer.refused else offer.kind
        size = f"{offer.size:.3g}" if offer.size is not None else ""
        lines.append([mark, offer.name, state, size, offer.refused or offer.about])
    for line in aligned(lines, right={3}):
        print(line)
    print("+ proposed; size: of a term before its weight, in a first epoch")
