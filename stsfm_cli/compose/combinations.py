"""What was typed goes in, one plain dict per job comes out.

args ─┬─ flags that show something ─► Hydra prints it
      └─ overrides ─ spelled out ─ with what an experiment sweeps ─ each checked
           └─► every combination ─► choices composed, keys set, ${…} replaced ─► a job
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stsfm import help, options
from stsfm.compose import ablation, door, experiments, explain
from stsfm.compose.choices import Table
from stsfm.compose.door import parse
from stsfm.compose.overrides import OPEN, allowed, as_typed, each
from stsfm.compose.subtrees import models, parts_of
from stsfm.mistakes import Mistake
from stsfm.request import Request, read


@dataclass(frozen=True)
class Combination:
    """One job as it was asked for."""

    config: dict[str, Any]  # resolved plain values, with `choices` (group → name) added
    words: tuple[str, ...]  # after `stsfm run`: what makes this job alone
    comparison: str  # the name of what it is a part of
    ablates: bool = False  # nobody typed it: a loss without one of its terms


@dataclass(frozen=True)
class Composed:
    """Every combination of what was typed."""

    jobs: list[Combination]
    many: bool  # whether they are to be compared, even if it is one
    request: Request

    @property
    def dry_run(self) -> bool:
        """Whether a plan is all that is wanted."""
        return bool(self.request.flags.dry_run)

    @property
    def launches(self) -> bool:
        """Whether something was said of where jobs run."""
        return any(text.lstrip("+").startswith("launcher") for text in self.request.overrides)

    @property
    def searches(self) -> bool:
        """Whether models are to be tuned first."""
        return any(job.config["search"] for job in self.jobs)

    def baselines(self, config: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What differs in the configs of the baselines that the model of a job is put beside.

        An ablation of the graph is of that model alone, and so is a law that is given: they are
        the same runs beside each.
        """
        choices, data = config["choices"], dict(config["data"])
        data |= {"space": "given"} if "space" in data else {}
        bare = {group: name for group, name in choices.items() if not group.startswith("model/")}
        bare |= {"given": None}
        return [
            {"model": tree, "data": data, "given": None, "choices": {**bare, "model": name}}
            for name, tree in models(config["baselines"], config, *self.request.folders).items()
            if name != choices["model"]
        ]


Known = dict[tuple[str, ...], Table]  # folders of choices → what these lead to


def jobs(args: list[str], known: Known | None = None) -> Composed:
    """Compose all that `stsfm run ARGS` asks for; a Mistake in any of it stands for all.

    known  given to several calls, choices that they share are composed once
    """
    request = read(args)
    if request.shows or request.flags.help:
        raise Mistake(f"{(request.shows or ['--help'])[0]} shows a config, and runs none")
    with door.session():
        table = _table(request, {} if known is None else known)
        typed = _legal(request, table.groups)
        lines = _experiments(table, typed)
        many = len(lines) > 1 or _sweeps(lines[0]) or request.flags.multirun
        found = []
        for line in lines:
            name = experiments.name(request, list(map(parse, line)))
            for texts, (job, ablates) in _combined(table, line, lines).items():
                words = (*request.kept, *(text for text in texts if not _of_a_search(text)))
                found.append(Combination(job, words, name, ablates))
    many = many or len(found) > 1
    return Composed(found, many, request)


def config(args: list[str], known: Known | None = None) -> dict[str, Any]:
    """One job, composed and resolved, from Python: config(["model=gru", "seed=2"])."""
    composed = jobs(args, known)
    if composed.many:
        raise Mistake("one job is composed here: give every key one value")
    return composed.jobs[0].config


def together(models: Iterable[str], args: list[str], known: Known) -> None:
    """Compose at once what each of several models leads to in the place of the one of `args`: what
    is `known` then, `config` and `jobs` need not compose. It takes 2 s for 50, and not 8."""
    request = read(args)
    with door.session():
        table = _table(request, known)
        table.together(models, _legal(request, table.groups))


def parts(group: str, args: list[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Every choice of every part of a group, as it would be in the job of `args`: embedding → pca →
    its subtree."""
    return parts_of(group, config(args), *read(args).folders)


def shown(args: list[str]) -> bool:
    """Whether the arguments ask to be shown something instead of a run; then it is printed."""
    request = read(args)
    if request.flags.help:
        with door.session():
            _legal(request, options.groups(*request.folders))
        print(help.page(request.overrides, *request.folders))
    elif request.shows:
        _show(request)
    return bool(request.flags.help or request.shows)


def install_completion(args: list[str]) -> int:
    """`stsfm -sc install=bash` prints what the shell is to evaluate."""
    with door.explained():
        door.shown(args)
    return 0


def _table(request: Request, known: Known) -> Table:
    if (kept := tuple(request.kept)) not in known:
        known[kept] = Table(request)
    return known[kept]


def _combined(
    table: Table, line: list[str], lines: list[list[str]]
) -> dict[tuple[str, ...], tuple[dict[str, Any], bool]]:
    """The overrides of each job of a line → its config, and whether it only ablates a loss."""
    typed = itertools.product(*(as_typed(parse(text)) for text in line))
    found = {texts: (table.job(texts, lines), False) for texts in typed}
    more = [less for texts, (config, _) in found.items() if ablation.asked(config, line)
            for less in ablation.without_each(config, texts)]  # fmt: skip
    new = (texts for texts in dict.fromkeys(more) if texts not in found)
    return found | {texts: (table.job(texts, lines), True) for texts in new}


def _experiments(table: Table, typed: list[str]) -> list[list[str]]:
    """The overrides once per experiment and table of its sweep, each followed by what is swept.

    What is typed is stronger: a key that has a value there is not swept, and of several tables
    those are meant that have this value, too.
    """
    at = next(
        (k for k, text in enumerate(typed) if parse(text).key_or_group == experiments.GROUP), None
    )
    if at is None:
        return [typed]
    said = {parse(text).key_or_group: set(as_typed(parse(text))) for text in typed}
    lines = []
    for experiment in each(parse(typed[at])):
        sweeps = table.choose([experiment]).sweeps
        tables = [experiments.texts(sweep, parse(experiment), table.groups) for sweep in sweeps]
        if len(tables) > 1:
            tables = [texts for texts in tables if _agree(texts, said)] or [[]]
        for texts in tables:
            more = [text for text in texts if parse(text).key_or_group not in said]
            line = [*typed[:at], experiment, *more, *typed[at + 1 :]]
            lines += [line] * (line not in lines)
    return lines


def _agree(texts: Iterable[str], said: Mapping[str, set[str]]) -> bool:
    """Whether a table of a sweep has the values that were typed of its keys."""
    swept = {parse(text).key_or_group: set(as_typed(parse(text))) for text in texts}
    return all(said[key] <= values for key, values in swept.items() if key in said)


def _of_a_search(text: str) -> bool:
    """Whether it is about how a command looks for good keys, and no part of any of its runs."""
    return parse(text).key_or_group.partition(".")[0] in ("search", "space")


def _sweeps(line: Iterable[str]) -> bool:
    return any(parse(text).is_sweep_override() for text in line)


def _legal(request: Request, groups: dict[str, list[str]]) -> list[str]:
    """The overrides as Hydra shall see them; a key that is typed again has its last value."""
    texts = (allowed(parse(text), groups) for text in request.overrides)
    return list({parse(text).get_key_element(): text for text in texts if text}.values())


def _show(request: Request) -> None:
    """--cfg and --info, of one job."""
    with door.session():
        table = Table(request)
        texts = _legal(request, table.groups)
        if request.flags.multirun or _sweeps(texts):
            flag = request.shows[0]
            raise Mistake(f"{flag} shows one job: give every key one value, without -m")
        chosen = table.choose(texts).plain()  # before Hydra calls what a file names
    if (package := request.flags.package) and package not in explain.keys(chosen):
        raise explain.unknown_key(package, [chosen], OPEN)
    with door.explained(lambda: [chosen]):
        door.shown([*request.kept, *request.shows, *texts])
