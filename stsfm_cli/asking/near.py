"""The nearest requests that would be understood, of a prompt that was not: commands to copy."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from stsfm import options
from stsfm.asking.answers import Refused
from stsfm.asking.reading.linking import Mention, mentions
from stsfm.asking.reading.names import Names
from stsfm.asking.reading.tokens import read
from stsfm.asking.selector import REJECT, Selector
from stsfm.asking.spec import INTENTS, Intent
from stsfm.record import records

SHOWN = 3
EXAMPLES: Mapping[Intent, str] = {
    "changepoints": "Find change points in [{data}]",
    "select": "Select a model from [all] for [{data}]",
    "forecast": "Forecast [{data}] with [{model}]",
    "compare": "Compare [{model}] and [{rival}] on [{data}]",
    "causes": "Which series drives which in [{data}]?",
    "embed": "Show the states of [{data}]",
    "explain": "Explain the last run",
    "list": "Which models are there?",
}


def nearest(text: str, selector: Selector, names: Names) -> list[str]:
    """Three requests as commands: of the likeliest intents, with the names that were understood."""
    scores = selector.scores(text)
    order = list(EXAMPLES)
    likely = sorted(INTENTS, key=lambda intent: (-scores.get(intent, 0.0), order.index(intent)))
    if not any(records(Path("runs"))):
        likely.remove("explain")  # there is none yet
    if scores.get(REJECT, 0.0) >= 1:
        likely = [intent for intent in order if intent in likely]  # it was not even read
    try:
        tokens = read(text)
        said = mentions(tokens, names)
    except Refused:
        said = []
    data = _first(said, "data") or options.defaults()["data"]
    model = _first(said, "model") or options.defaults()["model"]
    rival = next(name for name in ("arima", *names.of("model")) if name != model)
    words = {"data": data, "model": model, "rival": rival}
    examples = [EXAMPLES[intent].format_map(words) for intent in likely[:SHOWN]]
    return [shlex.join(["stsfm", "ask", example]) for example in examples]


def _first(said: list[Mention], group: str) -> str:
    return next((m.of(group)[0] for m in said if len(m.of(group)) == 1 and not m.casual), "")
