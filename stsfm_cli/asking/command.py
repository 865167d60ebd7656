"""A request as one command that anyone could have typed.

    changepoints  stsfm detect [model=DETECTOR] data=…
    forecast      stsfm run model=M data=… [protocol.horizon=H]       no model named: stsfm select
    select        stsfm select among=… data=… [given=M] [metric=…] [budget=…s] [seeds=…]
    compare       stsfm run -m model=A,B data=… [seeds=…]             detectors: stsfm detect -m
    explain       stsfm report RUN
    causes        stsfm analyse analysis=ccm data=…
    embed         stsfm analyse analysis=states [analysis/embedding=…] data=…
    list          stsfm list GROUP

Every word is put together here, from names that there are, whole numbers, and one path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stsfm.asking.reading.names import EMBEDDING, LISTED, METRICS, Names, registry
from stsfm.asking.reading.tokens import ENDINGS, RUN
from stsfm.asking.spec import RunSpec
from stsfm.mistakes import Mistake, no_such
from stsfm.request import typed

LAST = "last"


@dataclass(frozen=True)
class Command:
    """A command, and what of the request it has no word for."""

    words: tuple[str, ...]  # after `stsfm`
    notes: tuple[str, ...] = ()


def command(spec: RunSpec, more: Sequence[str] = (), names: Names | None = None) -> Command:
    """The command of a request, with words of the user that stand instead of its own or after it.

    Mistake where the spec holds anything but choices, numbers and a file of data that is there.
    """
    names = names or registry()
    check(spec, names, more)
    head, own, notes = _words(spec, of_detectors(spec, names))
    said = {word.lstrip("+").partition("=")[0] for word in more}
    kept = [word for word in own if word.partition("=")[0] not in said]
    return Command((*head, *kept, *more), tuple(notes))


def check(spec: RunSpec, names: Names, more: Sequence[str] = ()) -> None:
    """Mistake for anything that is no choice of conf/, no number, and no file of data."""
    from stsfm.selecting.classes import ABOUT

    compared = "detector" if of_detectors(spec, names) else "model"
    for group, chosen, also in (
        (compared, spec.models, ()),
        ("model", spec.among, ABOUT),
        ("detector", [spec.detector], ()),
        ("given", [spec.given], ()),
        (EMBEDDING, [spec.embedding], ()),
    ):
        for name in chosen:
            if name is not None and name not in (*names.of(group), *also):
                raise no_such(group, name, [*names.of(group), *also])
    if spec.metric not in (None, *METRICS):
        raise no_such("metric", str(spec.metric), METRICS)
    if spec.group not in (None, *LISTED):
        raise no_such("group", str(spec.group), LISTED)
    for slot in ("horizon", "seeds", "budget"):
        number = getattr(spec, slot)
        if number is not None and (type(number) is not int or number < 1):
            raise Mistake(f"{slot}={number}: wanted a whole number from 1")
    if spec.run not in (None, LAST) and not RUN.fullmatch(str(spec.run)):
        raise Mistake(f"{spec.run!r} is no run: wanted its folder, its id, or the last")
    if spec.data is not None and spec.data not in names.of("data"):
        _check_file(spec.data)


def _check_file(name: str) -> None:
    """A file that the user named, and that can be read as data."""
    path = Path(name).expanduser()
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending not in ENDINGS or not re.fullmatch(r"[\w ./~(),+-]+", name):
        raise Mistake(f"{name!r} is no dataset and no file of data ({', '.join(ENDINGS)})")
    if not (path.is_dir() if ending == "zarr" else path.is_file()):
        raise Mistake(f"there is no file {name}; names with blanks stand in brackets, or in data=")


def of_detectors(spec: RunSpec, names: Names) -> bool:
    """Is it a comparison of detectors?"""
    return spec.intent == "compare" and {*spec.models} <= {*names.of("detector")}


def _words(spec: RunSpec, detectors: bool) -> tuple[list[str], list[str], list[str]]:
    """The head of a command, its words, and notes."""
    plain = spec.data and re.fullmatch(r"[\w ./~-]+", spec.data)  # a blank is the shell's to quote
    data = [f"data={spec.data if plain else typed(spec.data)}"] if spec.data else []
    steps = [f"protocol.horizon={spec.horizon}"] if spec.horizon else []
    seeds = [f"seeds={spec.seeds}"] if spec.seeds else []
    if spec.intent == "changepoints":
        return ["detect"], [*_one("model", spec.detector), *data], list(_unsaid(spec))
    if spec.intent == "select" or (spec.intent == "forecast" and not spec.models):
        among = [f"among={','.join(spec.among)}"] if spec.among else []
        limits = [*_one("given", spec.given), *_one("metric", spec.metric)]
        limits += [f"budget={spec.budget}s"] if spec.budget else []
        return ["select"], [*among, *data, *limits, *seeds, *steps], []
    if spec.intent in ("forecast", "compare"):
        head = ["detect" if detectors else "run", *["-m"] * (spec.intent == "compare")]
        models = [f"model={','.join(spec.models)}"]
        return head, [*models, *data, *seeds, *([] if detectors else steps)], list(_unsaid(spec))
    if spec.intent == "explain":
        return ["report"], [str(spec.run)], []
    if spec.intent == "causes":
        return ["analyse"], ["analysis=ccm", *data], []
    if spec.intent == "embed":
        return (
            ["analyse"],
            ["analysis=states", *_one("analysis/embedding", spec.embedding), *data],
            [],
        )
    return ["list"], [EMBEDDING if spec.group == "embedding" else str(spec.group)], []


def _one(key: str, value: str | None) -> list[str]:
    return [] if value is None else [f"{key}={value}"]


def _unsaid(spec: RunSpec) -> Iterator[str]:
    if spec.budget:
        yield "`stsfm select` alone keeps a limit of time: this is done to its end"
    if spec.metric:
        yield f"nothing is chosen here, so {spec.metric} decides nothing: it is in the table"
