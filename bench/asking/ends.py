"""Tables from end to end: what comes of a prompt, whole requests and the classes they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import kinds
import numpy as np
import scores
from ladder import RULES, TOOLS
from prompts import Prompt, leave_out
from resolved import Outcome, exact, outcome, slot_counts


def requests(said: Mapping[str, Mapping[str, np.ndarray]], tested: Sequence[Prompt]) -> None:
    """From end to end: the request exactly, slots, and what is rejected or unclear."""
    print("\nrequests from end to end, with the intent of each rung and the same linking of slots")
    heads = ("exact in scope", "slot F1", "rejected rightly", "unclear rightly", "all exact")
    print(f"{'':26}" + "".join(f"{head:>20}" for head in heads))
    of: dict[str, list[Outcome]] = {}
    for name, found in said.items():
        of[name] = [outcome(p.text, TOOLS[found[p.text].argmax()]) for p in tested]
        print(f"{name:26}" + "".join(f"{text:>20}" for text in _ends(tested, of[name])))
    right = {n: np.array([exact(p, o) for p, o in zip(tested, got, strict=True)])
             for n, got in of.items()}  # fmt: skip
    at = scores.numbered([p.template for p in tested])
    best = max(right, key=lambda name: right[name].mean())
    print(f"\nall exact, less that of {best}, paired by prompt; p by signs of templates")
    against = {name: scores.paired(hits, right[best], at) for name, hits in right.items()}
    for name, (gap, p) in against.items():
        print(f"{name:26}{gap:+8.3f}   p = {p:.4f}")
    cheapest = next(name for name, (_, p) in against.items() if p >= scores.ALPHA)
    print(f"the cheapest that is not significantly worse: {cheapest}")
    print(f"\nexact by style and by writer, {RULES}")
    for key in ("style", "writer"):
        for value in dict.fromkeys(getattr(p, key) for p in tested):
            rows = np.array([getattr(p, key) == value for p in tested])
            print(f"  {value:16}{right[RULES][rows].mean():.3f}   of {rows.sum()}")


def _ends(prompts: Sequence[Prompt], got: Sequence[Outcome]) -> list[str]:
    """The figures of a line, those that are shares with intervals over templates."""
    right = np.array([exact(p, o) for p, o in zip(prompts, got, strict=True)])
    kind = np.array([next(iter(p.label)) for p in prompts])
    counts = np.array([slot_counts(p, o) for p, o in zip(prompts, got, strict=True)])
    counts[kind != "intent"] = 0  # slots of prompts in scope
    rows = scores.draws(scores.numbered([p.template for p in prompts]))

    def share(of: np.ndarray) -> str:
        drawn = [right[row][of[row]] for row in rows]
        means = [hits.mean() if len(hits) else np.nan for hits in drawn]
        return scores.shown(right[of].mean(), means)

    hit, told, want = counts.sum(0)
    f1 = f"{scores.shown(2 * hit / (told + want))}"
    shares = [share(kind == k) for k in ("intent", "reject", "ambiguous")]
    return [shares[0], f1, *shares[1:], share(kind == kind)]


def classes_of(
    prompts: Sequence[Prompt], tested: Sequence[Prompt], by: Callable[[Prompt], str]
) -> None:
    """Of selections: the class of models that is asked for."""
    every = kinds.asked(prompts)
    mine = [p for p in every if p in tested]
    rows = scores.draws(scores.numbered([p.template for p in mine]))
    print(f"\nclasses of models, of {len(mine)} selections from one class or from all")
    for name, rung in kinds.LADDER.items():
        right: dict[str, bool] = {}
        for fit, held in leave_out(every, by):
            choose = rung(fit)
            right |= {p.text: choose(p.text) == p.spec.among[0] for p in held if p in mine}
        hit = np.array([right[p.text] for p in mine], dtype=float)
        print(f"{name:26}{scores.shown(hit.mean(), [hit[row].mean() for row in rows])}")


def errors(prompts: Sequence[Prompt]) -> int:
    """What the rules do not understand exactly, and what they make of it."""
    wrong = 0
    for p in prompts:
        got = outcome(p.text)
        if not exact(p, got):
            wrong += 1
            print(
                f"{p.template} {p.style}: {p.text}\n    wanted {_told(p.label)}\n    got    {got}"
            )
    print(f"{wrong} of {len(prompts)}")
    return 0


def _told(label: Mapping[str, object]) -> str:
    return str({key: value for key, value in label.items() if value not in (None, [])})
