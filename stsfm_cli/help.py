"""`stsfm show GROUP=NAME` and `stsfm run --help`: what may be set, and what it means."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

from stsfm import options
from stsfm.mistakes import no_such

USAGE = """\
usage: stsfm run [GROUP=NAME …] [KEY=VALUE …] [flags]

  stsfm run                                 the default of every group
  stsfm run model=gru model.hidden=32       another model, and one of its keys
  stsfm run model=gru data=my.csv           a file of yours; `stsfm check my.csv` says what is in it
  stsfm run model=lstm,gru seeds=5          several values: every combination, then compared
  stsfm run --from RUN model.hidden=32      a kept run again, with some keys changed
  stsfm run experiment=airline_classic      a comparison that is written down
  stsfm run 'experiment=glob(paper_*)'      all choices that match
"""
FLAGS = """\
flags
  -q, --quiet                say only what failed
  --cfg job [--resolve]      show the config instead of running; -p model shows a part of it
  --info defaults            show which files it is composed of
  -cd, --config-dir FOLDER   more choices: FOLDER/model/mine.yaml is model=mine
  --dry-run                  show what is cached, what is to do and about how long; run nothing
  -m                         compare even if every key has one value
"""


def choice(group: str, name: str, *folders: Path) -> str:
    """What a choice is, and its keys as they are typed, with defaults and reasons."""
    known = options.groups(*folders)
    if group not in known:
        raise no_such("group", group, known)
    if name not in known[group]:
        raise no_such(group, name, known[group])
    file = options.file_of(group, name, *folders)
    target = options.target_of(file)
    lines = [f"{group}={name}   {options.about(file)}", "", *_parts(group, name, *folders)]
    lines += _keys(options.keys(file, group))
    if target:
        lines += [f"reference  {target.reference}"] * bool(target.reference)
        lines += [f"source     {target.file}"]
    return "\n".join([*lines, f"config     {file}"])


def page(overrides: list[str], *folders: Path) -> str:
    """The help of `stsfm run`; of the choices among the overrides their keys instead."""
    known = options.groups(*folders)
    pairs = [text.split("=") for text in overrides if text.count("=") == 1]
    chosen = [(group, name) for group, name in pairs if name in known.get(group, [])]
    if chosen:
        return "\n\n".join(choice(group, name, *folders) for group, name in chosen)
    lines = [USAGE, "groups (* the default; `stsfm list model` says what each is)"]
    parts = {group for group in options.parts() if group.startswith("model/")}
    for group, names in known.items():
        marked = [f"*{name}" if name == options.defaults().get(group) else name for name in names]
        if group not in parts:
            lines += _wrapped(f"  {group + '=':12}{' '.join(marked)}")
    lines += ["", "parts of model=composed, and of models that are made of it"]
    for group in (name for name in known if name in parts):
        lines += _wrapped(f"  {group + '=':20}{' '.join(known[group])}", 22)
    lines += ["", "keys (`stsfm show model=lstm` has those of a choice)"]
    return "\n".join([*lines, *_keys(options.keys(options.FOLDER / "config.yaml", "")), FLAGS])


def _wrapped(text: str, indent: int = 14) -> list[str]:
    return textwrap.wrap(text, 98, subsequent_indent=" " * indent, break_on_hyphens=False)


def _parts(group: str, name: str, *folders: Path) -> list[str]:
    """The parts that a choice is made of, as they are typed, and what each may be instead."""
    found = options.made_of(group, name, *folders)
    known = options.groups(*folders)
    texts = [f"  {part}={choice}" for part, choice in found.items()]
    width = max(map(len, texts), default=0)
    lines: list[str] = []
    for text, part in zip(texts, found, strict=True):
        lines += _wrapped(f"{text:{width}}  # {' | '.join(known[part])}", width + 4)
    return [*lines, ""] if lines else []


def _keys(found: Iterable[options.Key]) -> list[str]:
    """Keys as they are typed, in columns; those that repeat a key of the root are named last."""
    keys = list(found)
    own = [(f"{key.name}={key.value}", key.comment) for key in keys if "${" not in key.value]
    rest = [key.value.strip("${}") for key in keys if "${" in key.value]
    width = min(max((len(text) for text, _ in own), default=0), 40)
    lines = [f"  {text:{width}}  {f'# {why}' if why else ''}".rstrip() for text, why in own]
    lines += [f"  and what is set by {', '.join(rest)}"] if rest else []
    return [*lines, ""] if lines else []
