"""Claims in words: a sentence for each, with its numbers; then how they were tested."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stsfm.losses.metrics import METRICS
from stsfm.words import count, number, p_value

if TYPE_CHECKING:
    from stsfm.significance import Interval
    from stsfm.tables.claims import Claim, Claims
    from stsfm.tables.overall import Overall

LABELS = {metric.name: metric.label for metric in METRICS} | {"squared": "squared error"}
VERDICTS = {
    "better": "is better than",
    "worse": "is worse than",
    "not separable": "is not separable from",
}


MOST = 6  # decimals
FEW = 3  # rows whose seeds are told one by one where all have as many


def few(reason: str) -> str:
    """No significance test: 3 independent origins."""
    return f"No significance test: {reason.removeprefix('no test: ')}."


def told(claims: Claims) -> Iterator[str]:
    """What the claims of one table say: pairs, the confidence set, skill, and the method."""
    name = LABELS[claims.metric]
    for label, claim in tested(claims).items():
        yield _claim(label, str(claims.control), name, claim)
    alone = {of: claim for of, claim in claims.ablations.items() if claim.p is not None}
    yield from (_claim(*of, name, claim) for of, claim in alone.items())
    if alone:
        family = count(len(alone), "comparison")
        yield f"With another graph, or none: p-values by Holm for {family}."
    yield from _refused(claims)
    if claims.unscored:
        yield f"Without {LABELS[claims.metric]}, and so not tested: {', '.join(claims.unscored)}."
    if claims.oracles:
        yield f"With an oracle, and so not tested: {', '.join(claims.oracles)}."
    if claims.mcs:
        best = "is" if len(claims.mcs) == 1 else "is among"
        yield f"With 95 % confidence the best {best}: {', '.join(claims.mcs)}."
    if skills := [_skill(name, found) for name, found in claims.skills.items()]:
        yield f"Skill over seasonal_naive: {', '.join(skills)}."
    yield from _method(claims)


def tested(claims: Claims) -> dict[str, Claim]:
    """The comparisons that came to a p-value."""
    return {label: claim for label, claim in claims.pairs.items() if claim.p is not None}


def _claim(label: str, control: str, metric: str, claim: Claim) -> str:
    """lstm is not separable from arima: MAE +6.3 [−2.0, 14.6], p = 0.21."""
    pair = claim.pair
    assert pair.low is not None and pair.high is not None and claim.p is not None
    digits = _decimals(pair.high - pair.low)
    style = f".{digits}f" if digits < MOST else ".2g"  # rounding errors are no zeros
    low, high, change = (
        format(x, sign + style).replace("-", "−")
        for x, sign in ((pair.low, "z"), (pair.high, "z"), (pair.difference, "+"))
    )
    verb = f"{VERDICTS[claim.verdict]} {control}"
    return f"{label} {verb}: {metric} {change} [{low}, {high}], {p_value(claim.p)}."


def _refused(claims: Claims) -> Iterator[str]:
    """Rows that could not be tested, those with the same reason in one sentence."""
    if not claims.pairs:
        named = (
            "no one row of this table is called so"
            if claims.declared
            else "there is no classical model"
        )
        missing = f"{claims.control} kept no losses" if claims.control else named
        yield f"No row is tested against a control: {missing}."
    reasons: dict[str, list[str]] = {}
    for label, claim in claims.pairs.items():
        if claim.pair.reason:
            reasons.setdefault(claim.pair.reason.removeprefix("no test: "), []).append(label)
    for reason, labels in reasons.items():
        yield f"{', '.join(labels)} could not be tested against {claims.control}: {reason}."


def _method(claims: Claims) -> Iterator[str]:
    """How the sentences before were come by, for the caption of a paper's table."""
    found = list(tested(claims).values())
    if found:
        why = "declared" if claims.declared else "the best classical model on validation"
        pair = found[0].pair
        free = "all" if pair.n == pair.independent else f"{pair.independent:,}"
        over = f"{count(pair.n, 'origin')} ({free} independent)"
        yield (
            f"Differences are to {claims.control} ({why}), intervals at 95 % for each alone; "
            f"p-values are two-sided, by Holm for {count(len(found), 'comparison')}; "
            f"{pair.method}, over {over}."
        )
    if claims.seeds:
        numbers = set(claims.seeds.values())
        each = f"{count(max(numbers), 'seed')} each of {count(len(claims.seeds), 'row')}"
        runs = ", ".join(f"{label} {n}" for label, n in claims.seeds.items())
        runs = each if len(numbers) == 1 and len(claims.seeds) > FEW else runs
        yield f"All this is said of the seeds that were run ({runs}), and of no others."
    resampled = ["the best by the model confidence set"] if claims.mcs else []
    resampled += ["skill with intervals at 95 % for each row alone"] if claims.skills else []
    if resampled:
        words = " and ".join(resampled)
        yield f"{words[0].upper()}{words[1:]}: block bootstrap of t statistics."


def told_overall(overall: Overall) -> Iterator[str]:
    """What several datasets say: average ranks, pairs, and the method."""
    if overall.ranks:
        yield from _ranks(overall)
    if overall.hopeless:
        yield (
            f"No outcome could be significant: {overall.families} families are too few for "
            f"{count(len(overall.pairs), 'comparison')} with {overall.control}."
        )
    for label, across in overall.pairs.items():
        chances = (across.posterior.better, across.posterior.alike, across.posterior.worse)
        better, alike, worse = (f"{_percent(chance)} %" for chance in chances)
        tested = "" if overall.hopeless else f", {p_value(across.p)}"
        verb = "against" if overall.hopeless else VERDICTS[across.verdict]
        ratio = "failures" if math.isnan(across.ratio) else f"{across.ratio:.3g} of its error"
        yield (
            f"{label} {verb} {overall.control} over datasets: {ratio}{tested}; "
            f"probably better {better}, alike {alike}, worse {worse}."
        )
    if overall.pairs:
        yield (
            f"Over {overall.families} families of datasets: Wilcoxon's signed-rank test of log "
            f"errors, exact, by Holm for {count(len(overall.pairs), 'comparison')}; probabilities "
            "by the Bayesian signed-rank test, errors within 1 % of each other being alike."
        )


def _ranks(overall: Overall) -> Iterator[str]:
    """Average ranks, best first, whether they differ, and who is not to be told from whom."""
    ranks, found = overall.ranks, overall.models
    assert ranks is not None
    order = sorted(range(len(found)), key=lambda k: ranks.ranks[k])
    listed = ", ".join(f"{found[k]} {ranks.ranks[k]:.2f}" for k in order)
    test = f"Friedman, Iman–Davenport F = {ranks.statistic:.2f}, {p_value(ranks.p)}"
    if ranks.p >= 0.05:
        yield f"Average ranks do not differ ({test}): {listed}."
        return
    yield f"Average ranks differ ({test}): {listed}."
    alike = "; ".join(", ".join(found[k] for k in clique) for clique in ranks.cliques)
    distance = f"{ranks.critical_difference:.2f} apart (Nemenyi)"
    yield f"Two differ if their ranks are {distance}. Not separable: {alike or 'none'}."


def _skill(label: str, found: Interval) -> str:
    """lstm 33 % [−40, 66]."""
    if found.estimate is None:
        return f"{label} unknown"
    if found.low is None or found.high is None:
        return f"{label} {_percent(found.estimate)} % at every origin"
    low, high = _percent(found.low), _percent(found.high)
    return f"{label} {_percent(found.estimate)} % [{low}, {high}]"


def _percent(share: float) -> str:
    return number(100 * share, 0)


def _decimals(width: float) -> int:
    """Decimals that show an interval of such a width to two figures."""
    return max(0, min(MOST, 1 - math.floor(math.log10(width / 2)))) if width > 0 else 0
