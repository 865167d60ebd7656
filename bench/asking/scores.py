"""How well prompts are understood: scores of answers, each with an interval over templates.

Prompts that share a template are no independent witnesses, so templates are drawn with replacement,
and all of a template's prompts come along (cluster bootstrap: Davison & Hinkley 1997, §3.8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2000
BINS = 10  # of confidence, for the calibration error
ALPHA = 0.05  # share of prompts that may be taken for what they are not


@dataclass(frozen=True)
class Answers:
    """What a selector said of prompts, the last of the tools being rejection.

    p          [n, tools] scores that sum to 1
    truth      [n] which tool it is
    templates  [n] which prompts belong together, as numbers
    """

    p: np.ndarray
    truth: np.ndarray
    templates: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Answers:
        return Answers(self.p[rows], self.truth[rows], self.templates[rows])

    @property
    def said(self) -> np.ndarray:
        return self.p.argmax(1)

    @property
    def reject(self) -> int:
        return self.p.shape[1] - 1

    @property
    def sure(self) -> np.ndarray:
        """How sure it is of the intent that it would take; −∞ where it rejects, [n]."""
        return np.where(self.said < self.reject, self.p[:, :-1].max(1), -np.inf)

    @property
    def wrong(self) -> np.ndarray:
        """Taken for an intent that it has not, [n]."""
        return (self.said < self.reject) & (self.said != self.truth)


Score = Callable[[Answers], float]


def accuracy(a: Answers) -> float:
    return float((a.said == a.truth).mean())


def in_scope(a: Answers) -> float:
    """Accuracy on prompts that ask for something there is."""
    return _mean((a.said == a.truth)[a.truth < a.reject])


def reject_recall(a: Answers) -> float:
    """Of what is to be rejected, how much is."""
    return _mean((a.said == a.reject)[a.truth == a.reject])


def reject_precision(a: Answers) -> float:
    """Of what is rejected, how much is to be."""
    return _mean((a.truth == a.reject)[a.said == a.reject])


def macro_f1(a: Answers) -> float:
    """The mean of F1 over the tools that occur."""
    found = []
    for tool in np.unique(a.truth):
        hit = ((a.said == tool) & (a.truth == tool)).sum()
        found.append(2 * hit / ((a.said == tool).sum() + (a.truth == tool).sum()))
    return float(np.mean(found))


def recall_at_3(a: Answers) -> float:
    """Of prompts in scope, how often their intent is among the three likeliest intents."""
    rows = a.truth < a.reject
    first = np.argsort(-a.p[rows, :-1], axis=1, kind="stable")[:, :3]
    return _mean((first == a.truth[rows, None]).any(1))


def calibration_error(a: Answers) -> float:
    """ECE: |confidence − accuracy|, averaged over bins of confidence by how many fall in them."""
    sure, right = a.p.max(1), a.said == a.truth
    at = np.minimum((sure * BINS).astype(int), BINS - 1)
    return sum(
        (at == b).mean() * abs(sure[at == b].mean() - right[at == b].mean()) for b in np.unique(at)
    )


def risk_coverage(a: Answers) -> tuple[np.ndarray, np.ndarray]:
    """(coverage, risk): accepted from the surest on, the share of all prompts that is accepted,
    and of these the share that is wrong; what is rejected is never accepted."""
    order = np.argsort(-a.sure, kind="stable")[: int((a.said < a.reject).sum())]
    taken = np.arange(1, len(order) + 1)
    return taken / len(a.truth), a.wrong[order].cumsum() / taken


def area_under_risk(a: Answers) -> float:
    """The mean risk over the coverages that it reaches; 0 where it accepts nothing."""
    _, risk = risk_coverage(a)
    return float(risk.mean()) if len(risk) else 0.0


def threshold(a: Answers, alpha: float = ALPHA) -> float:
    """The least λ so that accepting where sure ≥ λ goes wrong for at most α of all prompts.

    Conformal risk control (Angelopoulos et al. 2022): (Σ loss + 1) / (n + 1) ≤ α, where an example
    is a template and its loss the share of its prompts that are accepted and wrong. ∞ where the
    templates are too few to promise that much.
    """
    names = np.unique(a.templates)
    share = np.array([1 / (a.templates == name).sum() for name in a.templates])
    for candidate in [*np.unique(a.sure[a.sure > 0]), np.inf]:
        lost = (share * (a.wrong & (a.sure >= candidate))).sum()
        if (lost + 1) / (len(names) + 1) <= alpha:
            return float(candidate)
    return np.inf


def wrong_accepted(a: Answers, least: float) -> float:
    return float((a.wrong & (a.sure >= least)).mean())


def accepted(a: Answers, least: float) -> float:
    """The share of prompts in scope that is accepted."""
    return _mean((a.sure >= least)[a.truth < a.reject])


def draws(templates: np.ndarray, seed: int = 0) -> list[np.ndarray]:
    """Rows of each resample of templates."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(templates == name) for name in np.unique(templates)]
    return [
        np.concatenate([rows[at] for at in rng.integers(len(rows), size=len(rows))])
        for _ in range(DRAWS)
    ]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 %; of resamples that hold none of what is counted nothing is said."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def paired(first: np.ndarray, second: np.ndarray, templates: np.ndarray) -> tuple[float, float]:
    """Mean of first − second, prompt by prompt, and a two-sided p by signs of whole templates.

    Under the null a template's difference is as often one way as the other: signs are drawn.
    """
    gap = first.astype(float) - second.astype(float)
    sums = np.array([gap[templates == name].sum() for name in np.unique(templates)])
    signs = np.random.default_rng(0).choice([-1, 1], size=(9999, len(sums)))
    further = (np.abs(signs @ sums) >= abs(sums.sum()) - 1e-12).sum()
    return float(gap.mean()), float((further + 1) / 10000)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def shown(value: float, drawn: Sequence[float] = ()) -> str:
    """ ".93 [.88, .99]": a share, between the bounds that its resamples give."""
    if len(drawn):
        low, high = interval(drawn)
        return f"{shown(value)} [{shown(low)}, {shown(high)}]"
    return f"{value:.2f}".removeprefix("0") if value < 1 else f"{value:.2g}"


def numbered(names: Sequence[str]) -> np.ndarray:
    """A number for each name, [n]; the same for the same."""
    at = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([at[name] for name in names])
