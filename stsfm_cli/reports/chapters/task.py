"""What was asked of the models, from data.json: the data, their borders, the rules, the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stsfm.losses.metrics import METRICS
from stsfm.refits import often
from stsfm.reports.content import Block, Definitions, Mark, Paragraph, Words, grid
from stsfm.reports.shown import Shown
from stsfm.words import count, listed, steps

SPLITS = {"train": "train", "val": "validation", "test": "test"}
SKILL = "1 − MAE / MAE of the seasonal naive model, both on test"
SCALING = {
    "standard": "shifted and scaled to zero mean and unit deviation",
    "pooled": "shifted and scaled by one mean and one deviation for all nodes",
    "none": "not scaled",
}


def dataset(data: Mapping[str, Any]) -> Iterator[Block]:
    """A dataset card."""
    step = data.get("step", "")
    missing = 1 - data["observed"]
    units = ", ".join(dict.fromkeys(unit for unit in data["units"] if unit))
    covariates = [f"{name} ({kind})" for name, kind in data["covariates"].items()]
    yield Definitions(
        [
            ("Name", [Mark(data["name"], "strong")]),
            ("Source", [data["source"] or "not stated"]),
            ("Licence", [data["licence"] or "not stated"]),
            ("Extent", [f"{steps(data['rows'], step)}, {data['first']} … {data['last']}"]),
            ("Step", [step or "rows without dates"]),
            ("Nodes", [f"{data['nodes']:,}: {listed(data['node_names'])}"]),
            ("Targets", [listed(data["targets"]) + (f", in {units}" if units else "")]),
            ("Missing", [f"{100 * missing:.3g} % of all cells" if missing else "none"]),
            ("Season", [steps(data["season"], step) if data["season"] > 1 else "none"]),
            ("Covariates", [listed(covariates)]),
            *_digests(data),
        ]
    )
    rows = [
        [SPLITS[name], *data["borders"][name], f"{_rows(data, name):,}",
         f"{data['windows'][name]:,}"]
        for name in SPLITS
    ]  # fmt: skip
    yield grid(
        "Borders, in order of time; a window is one origin with its whole horizon.",
        ["split", "first", "last", "rows", "windows"], rows, "first", "last",
    )  # fmt: skip


def _digests(data: Mapping[str, Any]) -> Iterator[tuple[str, Words]]:
    for what in ("file", "panel"):
        if digest := data.get(f"{what}_sha256"):
            yield f"SHA-256, {what}", [Mark(digest, "code")]


def _rows(data: Mapping[str, Any], split: str) -> int:
    first, stop = data["rules"][split]
    return int(stop - first)


def protocol(one: Shown, data: Mapping[str, Any]) -> Iterator[Block]:
    """The rules in words, and the fingerprint of all that makes scores comparable."""
    rules, status, step = data["rules"], one.status, data.get("step", "")
    every = "every row" if rules["stride"] == 1 else f"every {rules['stride']} rows"
    yield Definitions(
        [
            ("Fingerprint", [Mark(status["fingerprint"], "code"), " of data, targets, borders, "
             "origins and rules: runs with another one are not comparable."]),
            ("Horizon", [f"{steps(status['horizon'], step)}; {rules['steps']}."]),
            ("Origins", [f"{status['origins']:,} on test, {every}; {status['independent']:,} of "
             "them independent, that is with futures that do not overlap."]),
            ("Borders", ["No future crosses a border; a past may reach back over it."
             + (f" {count(rules['gap'], 'row')} left out before each." if rules["gap"] else "")]),
            ("Transform", [f"{_transform(rules)} Fitted on train. Models see transformed values, "
             "scores are "
             f"{rules.get('scores', 'in the units of the data')}."]),
            ("Fit", [_sentence(rules["fit"])]),
            ("Refit", [_refit(rules["refit"])]),
            ("Intervals", [_calibration(rules["calibration"])]),
            ("Missing cells", [_sentence(rules["mask"])]),
            *(("Warned", [_sentence(line)]) for line in status.get("warned", ())),
        ]
    )  # fmt: skip


def _transform(rules: Mapping[str, Any]) -> str:
    power, scaling = rules["transform"], SCALING.get(rules["scaling"], rules["scaling"])
    return _sentence(scaling if power == "none" else f"{power}, then {scaling}")


def _refit(rule: str | int) -> str:
    policy = often(rule)
    return f"Before {policy}." if policy else "Never: one fit serves all origins of a split."


def _calibration(rows: int) -> str:
    if not rows:
        return "Only of models that have a distribution of their own."
    last = f"the last {count(rows, 'row')} of train"
    return f"Native to a model; or split-conformal, from its errors on {last}."


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def metrics(shown: Sequence[Shown]) -> Iterator[Block]:
    """The formulas of the columns that are shown."""
    columns = [name for one in shown for name in one.header]
    header = {name.removeprefix("val ").removeprefix("test ") for name in columns}
    units = {"data": ", in the units of the data"}
    pairs: list[tuple[str, Words]] = [
        (metric.label, [metric.formula + units.get(metric.unit, "")])
        for metric in METRICS
        if metric.label in header
    ]
    pairs += [("skill %", [f"100 × ({SKILL})"])] if "skill %" in header else []
    yield Paragraph(
        ["Sums run over every scored window, step and node, and are divided once. ŷ is the point "
         "forecast, y what was observed."]
    )  # fmt: skip
    yield Definitions(pairs)
