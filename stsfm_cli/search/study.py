"""The trials of one model on one task: proposed by Optuna, kept in sqlite, and never run twice.

A trial is opened, run elsewhere, and closed with its value or with why it has none. One that is
open when the process dies is open still when the same command comes again, and goes on with what
was proposed for it. Each proposal draws from a stream of its own, numbered by the trial: so with
one trial at a time the same trials come again, whether or not the search was interrupted.

Optuna: Akiba et al., KDD (2019). TPE: Bergstra et al., Algorithms for hyper-parameter
optimization, NeurIPS (2011). What runs in parallel counts as bad until it is known (constant liar).
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stsfm.mistakes import Mistake
from stsfm.search.settings import Settings
from stsfm.search.space import Between, Space

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

GRID = 10_000  # configurations of a grid
EVERY = 10  # epochs between two looks of the pruner
STATES = {"COMPLETE": "finished", "FAIL": "failed", "PRUNED": "pruned", "RUNNING": "open"}


class Study:
    """What was tried, and what is to be tried next."""

    def __init__(
        self, home: Path, name: str, space: Space, settings: Settings, *,
        first: Mapping[str, Any] | None, n_jobs: int = 1,
    ) -> None:  # fmt: skip
        """Opened or made in home/search.db.

        first   the parameters of the default configuration, which is tried first; or None
        n_jobs  how many trials may run at a time
        """
        self.optuna = library()
        self.space, self.settings, self.first, self.n_jobs = space, settings, first, n_jobs
        if settings.sampler == "grid":
            _countable(space)
        self.order = self._order()
        facts = [name, str(space), *map(str, (settings.sampler, settings.pruner, settings.metric))]
        facts += [str(settings.seed), str(list(settings.tuning_seeds)), json.dumps(first)]
        digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]
        home.mkdir(parents=True, exist_ok=True)
        with _quietly():
            patient = {"connect_args": {"timeout": 60}}  # seconds, while another process writes
            storage = self.optuna.storages.RDBStorage(f"sqlite:///{home / 'search.db'}", patient)
            self.study = self.optuna.create_study(
                study_name=f"{name}-{digest}",
                storage=storage,
                pruner=self._pruner(),
                direction="minimize",
                load_if_exists=True,
            )

    @property
    def trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    @property
    def total(self) -> float:
        """How many trials there are to be; of a space that can be counted, no more than it has."""
        wanted = self.settings.trials or float("inf")
        return min(wanted, self.space.size())

    @property
    def seconds(self) -> float:
        """Spent on all trials that were closed."""
        return sum(trial.user_attrs.get("seconds", 0.0) for trial in self.trials)

    @property
    def spent(self) -> bool:
        """Whether the budget allows no other trial."""
        over = self.settings.seconds is not None and self.seconds >= self.settings.seconds
        return over or len(self.trials) >= self.total

    @property
    def best(self) -> FrozenTrial | None:
        """The trial with the least value, the first of several."""
        found = [trial for trial in self.trials if state_of(trial) == "finished"]
        return min(found, key=lambda trial: (trial.value, trial.number), default=None)

    def left_open(self) -> Iterator[optuna.Trial]:
        """The trials that a process did not close before it died."""
        for frozen in self.trials:
            if state_of(frozen) == "open":
                self._draw_for(frozen.number)
                yield self.optuna.trial.Trial(self.study, frozen._trial_id)

    def open(self) -> optuna.Trial:
        """The next trial, of which nothing is proposed yet."""
        self._draw_for(len(self.trials))
        with _quietly():
            return self.study.ask()

    def propose(self, trial: optuna.Trial) -> dict[str, str]:
        """Key → value as it is typed; again the same for a trial that was left open."""
        with _quietly():
            return self.space.suggest(trial)

    def report(self, trial: optuna.Trial, history: list[dict[str, Any]]) -> str | None:
        """Tell the pruner how a net learns; why it shall be stopped, or None."""
        if self.settings.pruner == "none":
            return None
        told = max(self.trials[trial.number].intermediate_values, default=0)
        for row in history:
            epoch = int(row["epoch"])
            if "val" not in row or epoch <= told or epoch % EVERY:
                continue
            if not row.get("stage", "joint").endswith("joint"):
                continue  # a part by itself is judged in units of its own
            trial.report(row["val"], epoch)
            if trial.should_prune():
                median = np.median(self._others(epoch))
                words = f"validation loss {row['val']:.4g}, the median of others {median:.4g}"
                return f"pruned at epoch {epoch}: {words}"
        return None

    def close(
        self, trial: optuna.Trial, *, value: float | None = None, why: str = "",
        pruned: bool = False, **facts: Any,
    ) -> None:  # fmt: skip
        """Write down how a trial ended, and what else is known of it."""
        state = self.optuna.trial.TrialState
        for key, fact in {**facts, "why": why}.items():
            trial.set_user_attr(key, fact)
        ended = state.COMPLETE if value is not None else state.PRUNED if pruned else state.FAIL
        self.study.tell(trial, value, state=ended)

    def importance(self, least: int) -> tuple[dict[str, float], str]:
        """Key → its share of the variance of the values; or {} and why none is said.

        fANOVA: Hutter, Hoos & Leyton-Brown, ICML (2014); shares of the keys alone, which add to 1.
        """
        values = [trial.value for trial in self.trials if state_of(trial) == "finished"]
        varied = [axis.key for axis in self.space.axes if len(axis.every() or "..") > 1]
        if len(values) < least:
            return {}, f"{len(values)} finished trials, and {least} are needed"
        if len(set(values)) < 2 or not varied:
            return {}, "all trials have the same value"
        evaluator = self.optuna.importance.FanovaImportanceEvaluator(seed=abs(self.settings.seed))
        with _quietly():
            shares = self.optuna.importance.get_param_importances(
                self.study, evaluator=evaluator, params=varied
            )
        return {key: float(share) for key, share in shares.items()}, ""

    def _others(self, epoch: int) -> list[float]:
        """The losses of the finished trials at an epoch."""
        finished = (trial for trial in self.trials if state_of(trial) == "finished")
        told = (trial.intermediate_values.get(epoch) for trial in finished)
        return [loss for loss in told if loss is not None]

    def _fixed(self, number: int) -> Mapping[str, Any] | None:
        """The parameters of a trial that no sampler chooses: the default, or the next of a grid."""
        if self.order is None:
            return self.first if number == 0 else None
        return self.space.nth(self.order[number])

    def _order(self) -> list[int] | None:
        """The order in which all of the space is tried, the default first; None where it is not."""
        size, wanted = self.space.size(), self.settings.trials or 0
        if self.settings.sampler != "grid" and not size <= wanted:
            return None
        if size > GRID:
            raise Mistake(
                f"search.sampler=grid: the space has {size:,.0f} configurations, too many to try "
                f"(countable are a list and a step); choose shorter lists, or sampler=random"
            )
        order = np.random.default_rng(abs(self.settings.seed)).permutation(int(size)).tolist()
        return sorted(order, key=lambda place: self.space.nth(place) != self.first)

    def _draw_for(self, number: int) -> None:
        """The sampler of one trial, whatever was drawn before it."""
        seed = int(np.random.SeedSequence([abs(self.settings.seed), number]).generate_state(1)[0])
        samplers, fixed = self.optuna.samplers, self._fixed(number)
        with _quietly():
            if fixed is not None:
                sampler: Any = samplers.PartialFixedSampler(dict(fixed), samplers.RandomSampler())
            elif self.settings.sampler == "random":
                sampler = samplers.RandomSampler(seed=seed)
            else:
                liar = self.n_jobs > 1
                sampler = samplers.TPESampler(seed=seed, multivariate=False, constant_liar=liar)
        self.study.sampler = sampler

    def _pruner(self) -> optuna.pruners.BasePruner:
        pruners = self.optuna.pruners
        if self.settings.pruner == "none":
            return pruners.NopPruner()
        if any(axis.key.partition(".")[0] == "loss" for axis in self.space.axes):
            raise Mistake(
                "search.pruner=median compares losses by epoch, and the space has several losses: "
                "search.pruner=none, or leave the loss out"
            )
        return pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=EVERY)


def library() -> Any:
    """Optuna, quiet; a Mistake where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise Mistake("search=optuna needs Optuna: pip install 'stsfm[search]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def state_of(trial: FrozenTrial) -> str:
    """finished, failed, pruned, or open."""
    return STATES[trial.state.name]


def _countable(space: Space) -> None:
    for axis in space.axes:
        if isinstance(axis, Between) and axis.step is None and axis.low < axis.high:
            raise Mistake(
                f"search.sampler=grid needs values it can count: space.{axis.key}=[…], or a step"
            )


@contextmanager
def _quietly() -> Iterator[None]:
    """Without Optuna's notes on what it calls experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
