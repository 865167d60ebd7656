"""What a run leaves unexplained, from diagnosis.json: memory, bias, and where the errors are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stsfm.record import Record
from stsfm.reports.content import Block, Items, Words
from stsfm.reports.facts import Facts, beside, resolve, say
from stsfm.significance import ALPHA

PLACES = (
    ("n", "memory/residuals", "number"), ("lag", "memory/lag1", "number"),
    ("p", "memory/p", "p"), ("lags", "memory/lags", "number"), ("nodes", "memory/nodes", "number"),
    ("rejected", "memory/rejected", "number"), ("few", "memory/reason", "words"),
    ("bias", "bias/mean", "number"), ("share", "bias/share", "percent"),
    ("steps", "steps/count", "number"), ("first", "steps/first", "number"),
    ("last", "steps/last", "number"), ("worst.step", "steps/worst/step", "number"),
    ("worst.mae", "steps/worst/mae", "number"), ("count", "nodes/count", "number"),
    ("median", "nodes/median", "number"), ("best.node", "nodes/best/name", "words"),
    ("best.mae", "nodes/best/mae", "number"), ("worst.node", "nodes/worst/name", "words"),
    ("node.mae", "nodes/worst/mae", "number"),
)  # fmt: skip


def chapter(run: Record, path: Path, into: Path) -> Iterator[Block]:
    """Sentences on the test residuals of a run."""
    facts, file = Facts(into), beside(into, path)
    for key, place, how in PLACES:
        facts.take(key, f"{file}#/{place}", how, 0 if key == "share" else None)
    facts.take("units", f"{beside(into, run.folder / 'status.json')}#/units", "words")
    facts.take("model", f"{beside(into, run.folder / 'status.json')}#/model", "name")
    memory = resolve(into, f"{file}#/memory")
    yield Items([*_memory(facts, memory), *_bias(facts), *_where(facts)])


def _memory(facts: Facts, memory: dict[str, float]) -> Iterator[Words]:
    if facts.knows("few"):
        yield say("Memory of the residuals of {model}: {few}.", facts)
    elif memory["nodes"] == 1:
        said = "have a memory" if memory["p"] < ALPHA else "show no memory"
        yield say(f"One step ahead, the {{n}} residuals of {{model}} {said}: autocorrelation "
                  "{lag} at the first lag, Ljung–Box {p} over {lags} lags.", facts)  # fmt: skip
    elif facts.knows("lag", "p"):
        yield say("One step ahead, the residuals of {model} have a memory at {rejected} of {nodes} "
                  "nodes (Ljung–Box over {lags} lags, each at five per cent); the median "
                  "autocorrelation at the first lag is {lag}.", facts)  # fmt: skip


def _bias(facts: Facts) -> Iterator[Words]:
    if facts.knows("bias", "share"):
        unit = " {units}" if facts.knows("units") and facts["units"].value else ""
        yield say(f"Its bias one step ahead, observed less forecast, is {{bias}}{unit}: {{share}} "
                  "of the mean size of such a residual.", facts)  # fmt: skip


def _where(facts: Facts) -> Iterator[Words]:
    if facts.knows("first", "last"):
        yield say("Its MAE is {first} at the first of {steps} steps and {last} at the last; that "
                  "of step {worst.step} is the greatest, {worst.mae}.", facts)  # fmt: skip
    if facts.knows("best.node", "worst.node"):
        yield say("Of {count} nodes the best forecast is that of {best.node} (MAE {best.mae}), the "
                  "worst that of {worst.node} ({node.mae}), the median {median}.",
                  facts)  # fmt: skip
