"""How well prompts are understood: the ladder of selectors, and requests from end to end.

    python ask.py                        on writers b and c, with intervals (docs/ask_evaluation.md)
    python ask.py --development          on those that rules and settings were made with
    python ask.py --errors               of these, what is not understood exactly
    python ask.py --figure risk.svg      risk over coverage

What is learned never sees the writer that it is asked about, or with --development the template.
Figures are the same every time: nothing is drawn but by fixed seeds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "asking"))

import scores
from ends import classes_of, errors, requests
from ladder import LADDER, TOOLS, Rung
from prompts import Prompt, at_random, leave_out, read

DEVELOPED = ("a", "b", "c")  # writers whose prompts rules and settings were made with
FOLDS = 5  # of templates, for the scores that a threshold is calibrated on
COLUMNS: dict[str, scores.Score] = {
    "accuracy": scores.accuracy,
    "in scope": scores.in_scope,
    "macro F1": scores.macro_f1,
    "recall@3": scores.recall_at_3,
    "rej. recall": scores.reject_recall,
    "rej. prec.": scores.reject_precision,
    "ECE": scores.calibration_error,
    "area": scores.area_under_risk,
}


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args(argv)
    if options.errors:
        return errors(read(*DEVELOPED))
    prompts = read(*DEVELOPED) if options.development else read_known()
    tested = [p for p in prompts if options.development or p.writer not in DEVELOPED]
    if not tested:
        parser.error("every writer of bench/prompts is known by now: --development")
    by = (lambda p: p.template) if options.development else (lambda p: p.writer)
    print(f"{len(tested)} prompts, {len({p.template for p in tested})} templates")
    said = {name: answered(rung, prompts, tested, by) for name, rung in LADDER.items()}
    intents(said)
    requests(said, tested)
    classes_of(prompts, tested, by)
    if options.figure:
        draw(said, options.figure)
    if not options.development:
        thresholds(prompts, tested)
    splits(prompts)
    return 0


def answered(
    rung: Rung, prompts: Sequence[Prompt], tested: Sequence[Prompt], by: Callable[[Prompt], str]
) -> dict[str, np.ndarray]:
    """Text → scores, by a reader that has not seen what goes with the text."""
    found: dict[str, np.ndarray] = {}
    for fit, held in leave_out(prompts, by):
        asked = [p.text for p in held if p in tested]
        if asked:
            reader = rung([p for p in fit if p.intent])
            found |= dict(zip(asked, reader(asked), strict=True))
    return found


def as_answers(found: Mapping[str, np.ndarray], prompts: Iterable[Prompt]) -> scores.Answers:
    """Those of prompts whose label tells an intent."""
    known = [p for p in prompts if p.intent and p.text in found]
    return scores.Answers(
        np.array([found[p.text] for p in known]),
        np.array([TOOLS.index(p.intent) for p in known]),
        scores.numbered([p.template for p in known]),
    )


def intents(said: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Each rung: what it makes of intents, with intervals over templates."""
    print("\nintents: estimate [95 % over templates]")
    print(f"{'':26}" + "".join(f"{name:>18}" for name in COLUMNS))
    every = [p for p in read_known() if p.text in next(iter(said.values()))]
    of = {name: as_answers(found, every) for name, found in said.items()}
    rows = scores.draws(next(iter(of.values())).templates)
    for name, answers in of.items():
        cells = [cell(score, answers, rows) for score in COLUMNS.values()]
        print(f"{name:26}" + "".join(f"{text:>18}" for text in cells))
    best = max(of, key=lambda name: scores.accuracy(of[name]))
    print(f"\naccuracy less that of {best}, paired by prompt; p by signs of templates")
    for name, answers in of.items():
        right, top = answers.said == answers.truth, of[best].said == of[best].truth
        gap, p = scores.paired(right, top, answers.templates)
        print(f"{name:26}{gap:+8.3f}   p = {p:.4f}")


def read_known() -> list[Prompt]:
    return read(*sorted(f.stem for f in (Path(__file__).parent / "prompts").glob("*.jsonl")))


def cell(score: scores.Score, answers: scores.Answers, rows: Sequence[np.ndarray]) -> str:
    return scores.shown(score(answers), [score(answers[row]) for row in rows])


def thresholds(prompts: Sequence[Prompt], tested: Sequence[Prompt]) -> None:
    """λ from prompts of the other writers, scored by readers that have not seen their templates."""
    print(f"\nrejecting below λ, calibrated for P(wrong accepted) ≤ {scores.ALPHA:g}")
    print(f"{'':26}{'λ':>14}{'wrong accepted':>18}{'in scope accepted':>20}")
    for name, rung in LADDER.items():
        least, wrong, taken, n = [], 0.0, 0.0, 0
        for writer in dict.fromkeys(p.writer for p in tested):
            others = [p for p in prompts if p.writer != writer and p.intent]
            mine = [p for p in prompts if p.writer == writer and p.intent]
            part = {t: at % FOLDS for at, t in enumerate(dict.fromkeys(o.template for o in others))}
            out = answered(rung, others, others, lambda p, part=part: str(part[p.template]))
            least.append(scores.threshold(as_answers(out, others)))
            asked = [p.text for p in mine]
            found = as_answers(dict(zip(asked, rung(others)(asked), strict=True)), mine)
            wrong += scores.wrong_accepted(found, least[-1]) * len(mine)
            taken += scores.accepted(found, least[-1]) * len(mine)
            n += len(mine)
        shown = " ".join(scores.shown(value) for value in least)
        print(f"{name:26}{shown:>14}{wrong / n:>18.3f}{taken / n:>20.3f}")


def splits(prompts: Sequence[Prompt]) -> None:
    """Accuracy by what is left out of training; rules learn nothing, and have one figure."""
    known = [p for p in prompts if p.intent]
    ways = {
        "template": lambda: leave_out(known, lambda p: p.template),
        "style": lambda: leave_out(known, lambda p: p.style),
        "writer": lambda: leave_out(known, lambda p: p.writer),
        "random (bound)": lambda: at_random(known),
    }
    if len({p.writer for p in known}) == 1:
        del ways["writer"]
    print("\naccuracy by what was left out of training, all writers")
    print(f"{'':26}" + "".join(f"{way:>18}" for way in ways))
    for name, rung in LADDER.items():
        line = []
        for way in ways.values():
            found: dict[str, np.ndarray] = {}
            for fit, held in way():
                texts = [p.text for p in held]
                found |= dict(zip(texts, rung(fit)(texts), strict=True))
            line.append(scores.accuracy(as_answers(found, known)))
        print(f"{name:26}" + "".join(f"{value:18.3f}" for value in line))


def draw(said: Mapping[str, Mapping[str, np.ndarray]], path: Path) -> None:
    """Risk over coverage, one line for each rung."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5.4, 2.6), layout="constrained")
    for name, found in said.items():
        coverage, risk = scores.risk_coverage(as_answers(found, read_known()))
        axes.plot(coverage, risk, lw=1.2, label=name)
    axes.set(
        xlabel="accepted share of prompts", ylabel="wrong share of those accepted", ylim=(0, 1)
    )
    figure.legend(fontsize=7, frameon=False, loc="outside right upper")
    figure.savefig(path)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
