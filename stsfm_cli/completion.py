"""What a TAB may be completed to: commands, groups, choices, keys. Hydra is not asked: 40 ms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from stsfm import options
from stsfm.commands.ask import FLAGS as ASKING
from stsfm.detections.words import DEFAULT, as_detector, as_model
from stsfm.selecting.asked import OWN, SETTLED
from stsfm.selecting.classes import every

CONFIG_DIR = ("-cd", "--config-dir")
FLAGS = [
    "--cfg",
    "--config-dir",
    "--dry-run",
    "--from",
    "--help",
    "--info",
    "--multirun",
    "--package",
    "--quiet",
    "--resolve",
]
FILTERED = {  # commands that choose among runs, and their flags
    "compare": ["--all-configs", "--quiet"],
    "ls": ["--csv", "--json", "--sort"],
    "clean": ["--superseded", "--yes"],
}


def candidates(words: list[str], commands: Iterable[str]) -> list[str]:
    """For `stsfm WORDS`, of which the last is being typed."""
    *before, word = words
    command = before[0] if before else ""
    folders = [Path(folder) for flag, folder in pairwise(before) if flag in CONFIG_DIR]
    if not before:
        found: Iterable[str] = commands
    elif command == "list":
        known = options.groups(*folders)
        found = ["--matrix", *(group for group in known if "/" in word or "/" not in group)]
    elif command == "show":
        found = _choices(word, folders)
    elif command == "predict":
        data = (text for text in _choices(word, folders) if text.startswith("data"))
        found = [*_runs(), "refit=all", *data]
    elif command == "diff" or (command in ("run", "why") and before[-1] == "--from"):
        found = _runs()
    elif command == "analyse":
        chosen = [*_choices(word, folders), *_keys(before, word, folders)]
        found = (text for text in chosen if text.startswith(("analysis", "data", "seed=")))
    elif command == "ask":
        chosen = [*_choices(word, folders), *_keys(before, word, folders)]
        found = [*ASKING, *chosen] if len(before) > 1 else []
    elif command == "select":
        found = _of_a_selection(before, word, folders)
    elif command == "detect":
        found = _of_a_detection(before, word, folders)
    elif command in ("run", "why"):
        found = (
            FLAGS
            if word.startswith("-")
            else [*_choices(word, folders, before), *_keys(before, word, folders)]
        )
    elif command in FILTERED:
        found = [*FILTERED[command], "state=", *_choices(word, folders)]
    else:
        found = []
    return sorted({text for text in found if text and text.startswith(word)})


def _of_a_detection(before: list[str], word: str, folders: list[Path]) -> Iterator[str]:
    """Data, and detectors as a run has models: model=pelt, then model.least=3."""
    asked, *said = map(as_detector, [word, *before])
    said = [f"detector={DEFAULT}", *said]
    for text in (*_choices(asked, folders), *_keys(said, asked, folders)):
        if text.startswith(("detector", "data", "seed=")):
            yield text if word.startswith("d") else as_model(text)


def _of_a_selection(before: list[str], word: str, folders: list[Path]) -> Iterator[str]:
    """Classes and models of among=, also after a comma; its own keys, and those of the task."""
    key, equals, value = word.partition("=")
    if word.startswith("-"):
        yield from ("--dry-run", "--help", "--quiet")
    elif equals and key == "among":
        taken, comma, _ = value.rpartition(",")
        for name in {**every(*folders), **dict.fromkeys(options.groups(*folders)["model"])}:
            if name not in taken.split(","):
                yield f"among={taken}{comma}{name}"
    else:
        yield from (f"{name}=" for name in OWN)
        for text in (*_choices(word, folders), *_keys(before, word, folders)):
            if text.partition("=")[0] not in SETTLED and not text.startswith("model"):
                yield text


def _runs() -> Iterator[str]:
    return (str(file.parent) for file in Path("runs").glob("*/*/*/scores.json"))


def _choices(word: str, folders: list[Path], before: Sequence[str] = ()) -> Iterator[str]:
    """Groups, then the choices of one; after a comma another choice.

    Of the groups of parts how they begin, where what was typed before has any.
    """
    group, equals, value = word.partition("=")
    known = options.groups(*folders)
    if not equals:
        own = {part for name, choice in _chosen(before).items()
               for part in options.made_of(name, choice, *folders)}  # fmt: skip
        for name in known:
            whole = "/" not in name or "/" in word
            yield f"{name}=" if whole else f"{name.rpartition('/')[0]}/" if name in own else ""
    taken, comma, _ = value.rpartition(",")
    for name in known.get(group, []):
        if name not in taken.split(","):
            yield f"{group}={taken}{comma}{name}"


def _chosen(before: Iterable[str]) -> dict[str, str]:
    """Group → choice, as typed so far; else the default."""
    return options.defaults() | dict(text.split("=") for text in before if text.count("=") == 1)


def _keys(before: list[str], word: str, folders: list[Path]) -> Iterator[str]:
    """Keys of config.yaml and of the choices so far; a whole key gets its default."""
    chosen = _chosen(before)
    files = [(options.FOLDER / "config.yaml", "")]
    files += [
        (options.file_of(group, chosen[group], *folders), group)
        for group in options.groups(*folders)
        if group in chosen and group not in options.parts()
    ]
    taken = {group.rpartition("/")[2]: name for group, name in chosen.items() if "/" in group}
    for file, group in files:
        for key in options.keys(file, group, taken) if file.is_file() else ():
            if "." in key.name and "." not in word:
                yield f"{group}."  # not all keys of all groups at once
            elif "${" not in key.value:
                default = key.value.replace(" ", "") if word.startswith(f"{key.name}=") else ""
                yield f"{key.name}={default}"
