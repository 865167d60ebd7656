"""What may be claimed over several datasets: ranks, pairs with a control, and how probable.

One dataset, however long, says nothing of the next: here each *family* of datasets is one
observation (families.py), and under ten of them nothing is tested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from stsfm.mistakes import no_such
from stsfm.significance import ALPHA, holm
from stsfm.significance.bayes import Posterior, signed_rank_posterior
from stsfm.significance.families import by_family, too_few_families
from stsfm.significance.friedman import Friedman, friedman
from stsfm.significance.wilcoxon import SignedRank, least_p, signed_rank
from stsfm.tables.claims import Verdict
from stsfm.tables.table import HIGHER, average_ranks, costs
from stsfm.tables.verdicts import told_overall

if TYPE_CHECKING:
    from stsfm.tables.grid import Grid

ROPE = 0.01  # errors within one per cent of each other are alike in practice


@dataclass(frozen=True, kw_only=True)
class Across:
    """A model against the control over families of datasets."""

    ratio: float  # geometric mean over families of its error / the control's
    test: SignedRank
    p: float  # with Holm's correction
    posterior: Posterior

    @property
    def verdict(self) -> Verdict:
        """In the sense of the test: the posterior speaks for itself."""
        if self.p >= ALPHA:
            return "not separable"
        return "worse" if self.test.positive > self.test.negative else "better"


@dataclass(frozen=True, kw_only=True)
class Overall:
    """All that several datasets may claim. Refused: no pairs, no ranks, and the sentence why."""

    families: int
    models: tuple[str, ...]
    control: str | None = None
    pairs: Mapping[str, Across] = field(default_factory=dict)
    ranks: Friedman | None = None  # in the order of `models`; critical difference and cliques too
    sentences: tuple[str, ...] = ()

    @property
    def hopeless(self) -> bool:
        """Would Wilcoxon with Holm call nothing significant, whatever the errors were?"""
        return len(self.pairs) * least_p(self.families) >= ALPHA


def claims_over_datasets(grid: Grid, control: str | None = None, metric: str = "") -> Overall:
    """Compare the models that every task of a grid has.

    The control is declared, or the classical model with the best mean rank on validation.
    """
    metric = metric or grid.metric
    metric = "rmse" if metric in HIGHER else metric  # ratios of R² mean nothing
    ranks = grid.ranks(metric)
    columns = [k for k, name in enumerate(grid.models) if ranks[name] is not None]
    models = [grid.models[k] for k in columns]
    families = [task.family for task in grid.tasks]
    against = control or _preferred(grid, models, metric)
    missing = against is not None and against not in models
    found = overall(grid.errors(metric)[:, columns], models, families, None if missing else against)
    if missing and found.ranks:
        words = f"No model is tested against {against} over datasets: some task has no such row."
        return replace(found, sentences=(*found.sentences, words))
    return found


def _preferred(grid: Grid, models: Sequence[str], metric: str) -> str | None:
    """The classical model that ranks best on validation, over all tasks."""
    rows = {name: [grid.row(name, task) for task in grid.tasks] for name in models}
    classical = [
        name for name in models if all(row and row.records and not row.is_net for row in rows[name])
    ]
    val = [[costs(row, "val", metric) if row else np.inf for row in rows[n]] for n in classical]
    ranks = [average_ranks(task) for task in zip(*val, strict=True)]
    means = dict(zip(classical, np.mean(ranks, axis=0), strict=True)) if classical else {}
    return min(means, key=lambda name: means[name], default=None)


def overall(
    errors: np.ndarray, models: Sequence[str], families: Sequence[str], control: str | None = None
) -> Overall:
    """Compare models from errors (task, model) ≥ 0, NaN where a model failed.

    `families` names the family of each task. Without a control there are ranks only.
    """
    if control is not None and control not in models:
        raise no_such("control", control, models, " in all tasks")
    names = tuple(models)
    made = Overall(families=len(set(families)), models=names, control=control)
    if few := too_few_families(made.families):
        return replace(made, sentences=(f"{few[0].upper()}{few[1:]}.",))
    logs = by_family(np.asarray(errors, dtype=float), families)
    if len(names) > 2:
        made = replace(made, ranks=friedman(logs, alpha=ALPHA))
    if control is not None:
        made = replace(made, pairs=_pairs(logs, names, control))
    return replace(made, sentences=tuple(told_overall(made)))


def _pairs(logs: np.ndarray, models: Sequence[str], control: str) -> dict[str, Across]:
    """Each other model against the control; where both failed they are even."""
    base = logs[:, models.index(control)]
    with np.errstate(invalid="ignore"):
        d = {name: logs[:, k] - base for k, name in enumerate(models) if name != control}
    d = {name: np.where(np.isnan(each), 0.0, each) for name, each in d.items()}
    tests = {name: signed_rank(each) for name, each in d.items()}
    adjusted = holm({name: test.p for name, test in tests.items()})
    return {
        name: Across(
            ratio=float(np.exp(each.mean())) if np.isfinite(each).all() else np.nan,
            test=tests[name],
            p=adjusted[name],
            posterior=signed_rank_posterior(each, ROPE),
        )
        for name, each in d.items()
    }
