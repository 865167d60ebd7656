"""What a finished run leaves behind: scores, errors, forecasts, the model and its references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import stsfm
from stsfm.backtest import Backtest, Evaluation
from stsfm.datasets.about import KINDS
from stsfm.datasets.panel import Panel
from stsfm.datasets.split import Split
from stsfm.files import naming, write, write_json, write_npz
from stsfm.given import constants
from stsfm.headline import stamp
from stsfm.identity import nets
from stsfm.losses.metrics import METRICS
from stsfm.memory import Peak
from stsfm.models.base import Forecaster
from stsfm.record import Record
from stsfm.spatial import Place, diagnosis

BY_STEP = ("absolute", "residual", "count")  # sums kept for each step and node


WHOSE = {  # what data.space says of a graph → what a model sees of it
    "given": "graph", "none": "no graph", "shuffled": "shuffled graph", "learned": "learned graph",
}  # fmt: skip


def save(
    run: Record,
    model: Forecaster,
    evaluation: Evaluation,
    split: Split,
    config: Mapping[str, Any],
    peak: Peak,
) -> None:
    """Write everything but the status, which the record writes last."""
    folder, val, test = run.folder, evaluation.val, evaluation.test
    with naming(folder / "model"):
        model.save(folder / "model")
    write_npz(folder / "transform.npz", split.prepare.arrays())
    write_json(folder / "data.json", data_of(split))
    write_npz(folder / "windows.npz", _errors(split, val, test))
    if test and (forecasts := _forecasts(split, test)):
        write_npz(folder / "forecast.npz", forecasts)
    place = Place.of(split.panel.space, split.panel.nodes)
    if not place.empty:
        write_npz(folder / "space.npz", place.arrays())
    cites = [*model.cites, *([model.intervals["cite"]] if "cite" in model.intervals else [])]
    write(folder / "references.bib", "\n".join(map(reference, cites)))
    seen = model.states(split.test) if test else {}
    if seen:
        write_npz(folder / "states.npz", seen)
    if drawn := model.drawing():
        write_json(folder / "drawing.json", dict(drawn))
    scores = {
        "kind": "net" if nets(config["model"]) else "classical",
        "fitted_to": evaluation.fitted_to,
        "reads": model.reads,
        "sees": sees(model, split.panel),
        "units": {metric.name: metric.unit or "1" for metric in METRICS},
        "val": _plain(val.scores),
        "test": _plain(test.scores) if test else {},
        "space": _space(place, split, test) if test else None,
        "clamped": _clamped(seen),
        "cost": _cost(evaluation, peak) | {"parameters": model.parameters},
        "intervals": model.intervals,
        "training": getattr(model, "report", None),
    }
    write_json(folder / "scores.json", scores)


def sees(model: Forecaster, panel: Panel) -> list[str]:
    """The past, and of covariates known ahead and of a graph the kinds that the model reads."""
    offered = [kind for kind in KINDS if kind in panel.about.kinds]
    graph = "given" if panel.space.adjacency is not None else "none"
    graph = graph if panel.space.graph == "given" else panel.space.graph
    return [
        "past",
        *(offered if "known" in model.tags else []),
        *([WHOSE[graph]] if "graph" in model.tags else []),
    ]


def _plain(scores: Any) -> Any:
    """Scores as JSON has them: what is undefined is null."""
    if isinstance(scores, dict):
        return {name: _plain(value) for name, value in scores.items()}
    if isinstance(scores, list):
        return [_plain(value) for value in scores]
    return scores if scores is not None and np.isfinite(scores) else None


def data_of(split: Split) -> dict[str, Any]:
    """What data.json keeps: where the data come from, their extent, and how they are cut."""
    panel, about, rules = split.panel, split.panel.about, split.rules
    parts = ("train", "val", "test")
    return {
        "name": about.name, "source": about.source, "licence": about.licence,
        "file_sha256": about.digest, "panel_sha256": split.digest,
        "rows": len(panel), "step": about.step, "channels": about.channels,
        "nodes": panel.nodes, "node_names": about.nodes,
        "targets": about.targets, "units": about.units, "season": about.season,
        "covariates": dict(zip(about.covariates, about.kinds, strict=True)),
        "observed": float(panel.mask.mean()),
        "findings": [asdict(found) for found in about.findings],
        "first": stamp(panel, 0), "last": stamp(panel, len(panel) - 1),
        "borders": {p: [stamp(panel, rules[p][0]), stamp(panel, rules[p][1] - 1)] for p in parts},
        "windows": {p: len(getattr(split, p)) for p in parts},
        "rules": dict(rules), "fingerprint": split.fingerprint,
        **({"given": constants(about.given)} if about.given is not None else {}),
    }  # fmt: skip


def _errors(split: Split, val: Backtest, test: Backtest | None) -> dict[str, np.ndarray]:
    """Sums per window, enough for every test; of the first step; by step and node."""
    arrays: dict[str, np.ndarray] = {}
    for name, windows, part in (("val", split.val, val), ("test", split.test, test)):
        if part:
            arrays[f"{name}_origins"] = windows.origins
            arrays |= {f"{name}_{key}": value for key, value in part.windows.items()}
            arrays |= {f"{name}_first_{key}": value for key, value in part.first.items()}
            arrays |= {f"{name}_step_{key}": part.steps[key] for key in BY_STEP}
    return arrays


def _space(place: Place, split: Split, test: Backtest) -> dict[str, Any] | None:
    """What the residuals show of space, beside the scores."""
    residual, seen = test.first["residual"], test.first["count"] > 0
    return diagnosis(place, residual, seen, split.test.origins, test.steps)


def _cost(evaluation: Evaluation, peak: Peak) -> dict[str, Any]:
    """Seconds and bytes."""
    scored = [one for one in (evaluation.val, evaluation.test) if one]
    return {
        "fit_seconds": evaluation.fit_seconds,
        "calibrate_seconds": evaluation.calibrate_seconds,
        "predict_seconds": sum(one.seconds for one in scored),
        "peak_memory_bytes": peak.resident,
        "peak_gpu_bytes": peak.gpu,
    }


def _clamped(seen: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
    """The share of forecast states that a lifting drew back to train; None where none may."""
    if (drawn := seen.get("clamped")) is None:
        return None
    return {"pooled": float(drawn.mean()), "step": drawn.mean(0).tolist()}


def _forecasts(split: Split, test: Backtest) -> dict[str, np.ndarray]:
    """What was kept of them, beside their truth; {} where nothing was."""
    forecast, truth = test.forecast, test.truth
    if forecast is None or truth is None:
        return {}
    arrays = {"origins": split.test.origins[test.rows]}
    arrays |= {"time": truth.time, "truth": truth.values, "mask": truth.mask}
    arrays |= {"point": forecast.point, "levels": np.array(forecast.levels)}
    optional = {"mean": forecast.mean, "quantiles": forecast.quantiles}
    return arrays | {name: array for name, array in optional.items() if array is not None}


def reference(key: str) -> str:
    """The BibTeX entry of a model: its own, or from the references that ship with the package."""
    if key.startswith("@"):
        return key.strip() + "\n"
    library = (Path(stsfm.__file__).parent / "references.bib").read_text()
    entry = re.search(rf"^@\w+{{{re.escape(key)},.*?^}}", library, re.M | re.S)
    if entry is None:
        raise KeyError(f"references.bib has no entry {key!r}")
    return entry.group() + "\n"
