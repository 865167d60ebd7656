"""What a law that is given adds to a selection, and whether it helped.

given=pendulum ─┬─► every net once more, taught by the law: the terms of a loss that the data admit
                ├─► neural_ode, which learns a law: as it is, and taught
                └─► equation, the law itself

The one chosen is tested beside itself without the law, on the same origins with the same seeds;
one that has no such twin, beside the best that was told nothing. Where the one chosen was told
nothing, it stands beside the best that was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from stsfm import compose
from stsfm.identity import nets
from stsfm.mistakes import Mistake
from stsfm.selecting.candidates import Candidate, of_models
from stsfm.significance import ALPHA
from stsfm.words import p_value

if TYPE_CHECKING:
    from stsfm.selecting.asked import Asked
    from stsfm.selecting.race import Race, Runner

LAW = "equation"
LEARNS = "neural_ode"
TERMS = ("physics", "simulator")  # of a loss: what the law says of a forecast, and its own one


def candidates(
    models: Sequence[str], asked: Asked, known: compose.Known
) -> tuple[list[Candidate], list[str]]:
    """Those that the law adds, and what there is to say of them. Mistake where it fits no data."""
    from stsfm.job import cut

    config = compose.config([*asked.task, *asked.given, f"model={LEARNS}", *_taught(TERMS)], known)
    split = cut(config)
    said, terms = [split.warned[-1]], []
    for term in TERMS:
        why = _refused(config, term, split)
        said += [f"without the term {term}: {why}"] if why else []
        terms += [] if why else [term]
    name = config["choices"]["given"]
    added = [] if LEARNS in models else of_models([LEARNS])
    if terms:
        taught = [*asked.task, f"model={LAW}", *asked.given, *_taught(terms)]
        compose.together(models, taught, known)
    for model in dict.fromkeys([*models, LEARNS]) if terms else ():
        tree = compose.config([*asked.task, f"model={model}"], known)["model"]
        if nets(tree):
            words = (f"model={model}", *asked.given, *_taught(terms))
            added.append(Candidate(name=f"{model} given {name}", words=words, twin=model))
    law = Candidate(name=f"{LAW} given {name}", words=(f"model={LAW}", *asked.given))
    return [law, *added], said


def told(candidate: Candidate) -> bool:
    """Was it told of the law?"""
    return any(word.startswith("given=") for word in candidate.words)


def ablation(race: Race, winner: Runner, asked: Asked, label: str) -> dict[str, Any]:
    """The chosen one with the law and without it, on test: a part of selection.json.

    {} where there is nobody to compare it with.
    """
    from stsfm.significance.pair import compare

    law, plain = _pair(race, winner)
    if law is None or plain is None:
        return {}
    a, origins = _tested(law.candidate, asked, race.metric)
    b, _ = _tested(plain.candidate, asked, race.metric)
    between = compare(a, b, origins, race.horizon, alpha=ALPHA)
    verdict = "not told"
    if between.p is not None and between.p < ALPHA:
        verdict = "helped" if between.difference < 0 else "harmed"
    kept = {
        "given": asked.given[0].partition("=")[2],
        "with": _side(law, a), "without": _side(plain, b),
        "same_model": law.candidate.twin == plain.name, "verdict": verdict,
        **asdict(between), "method": between.method,
    }  # fmt: skip
    return {**kept, "said": sentence(kept, label)}


def _side(runner: Runner, lost: Any) -> dict[str, Any]:
    words = list(runner.candidate.words)
    return {"name": runner.name, "words": words, "error": float(lost.mean())}


def sentence(kept: Any, label: str) -> str:
    """Whether the law helped, with the numbers that say so."""
    law, told, plain = kept["given"], kept["with"], kept["without"]
    verdicts = {
        "helped": f"The law helped: given {law}, the test error is less",
        "harmed": f"The law did harm: given {law}, the test error is greater",
        "not told": f"Whether the law helped can't be told: given {law}",
    }
    numbers = f"{label} {told['error']:.4g} ({told['name']}) and {plain['error']:.4g} without it"
    numbers += "" if kept["same_model"] else f" ({plain['name']}, the best that was told nothing)"
    if kept["p"] is None:
        why = kept["reason"].removeprefix("no test: ") or "no test"
        return f"{verdicts['not told']}, {numbers}; {why}."
    return (
        f"{verdicts[kept['verdict']]}, {numbers}: {kept['difference']:+.3g} "
        f"[{kept['low']:.3g}, {kept['high']:.3g}], {p_value(kept['p'])}."
    ).replace("-", "−")


def _taught(terms: Iterable[str]) -> list[str]:
    return [f"+loss/term=[{','.join(terms)}]"]


def _refused(config: Any, term: str, split: Any) -> str:
    """Why a term can't be priced on the windows of train; "" where it can."""
    from stsfm.build import build_loss

    try:
        build_loss(config["model"]["loss"]).active[term][1].ready(split.train)
    except (Mistake, ValueError, ArithmeticError) as error:
        return str(error)
    return ""


def _pair(race: Race, winner: Runner) -> tuple[Runner | None, Runner | None]:
    """Who is compared: one that was told of the law, and one that was not."""
    if not told(winner.candidate):
        return _best(race, True), winner
    twin = (runner for runner in race.runners if runner.name == winner.candidate.twin)
    return winner, next(twin, None) or _best(race, False)


def _best(race: Race, of_law: bool) -> Runner | None:
    """Who went furthest with the least error, of those that were told of the law, or were not."""
    ran = [one for one in race.runners if one.trail and told(one.candidate) == of_law]
    return min(ran, key=lambda one: (-len(one.trail), one.trail[-1].loss), default=None)


def _tested(candidate: Candidate, asked: Asked, metric: str) -> Any:
    """Test losses (n,) of its seeds on average, and the origins. Mistake where a run failed."""
    from stsfm import jobs
    from stsfm.screen import Screen
    from stsfm.selecting import opened
    from stsfm.tables.losses import losses
    from stsfm.tables.row import Row

    words = [word for word in opened.words(candidate, asked) if word != "-m"]
    runs = jobs.perform([*words, "baselines=[]"], Screen(quiet=True)).runs
    if any(run.state != "finished" for run in runs):
        raise Mistake(f"{candidate.name} could not be tested, so that nothing is said of the law")
    row = Row(model=candidate.name, settings=runs[0], records=tuple(runs))
    if (lost := losses(row, "test", metric)) is None:
        raise Mistake(f"{candidate.name} has no {metric}")
    return lost.values, lost.origins
