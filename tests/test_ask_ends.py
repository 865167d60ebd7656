"""A prompt of every intent, from its words to a report of what was done; in one folder, in turn."""

import pytest

from stsfm.asking.spec import INTENTS

PROMPTS = {
    "changepoints": "Find change points in [nile]",
    "forecast": "Forecast [airline] with [linear], 6 steps ahead",
    "explain": "explain the last run",
    "compare": "Сравни naive и drift на airline на 6 шагов",
    "select": "Select a model from [naive, linear] for [airline] within 5 minutes",
    "causes": "Which series drives which in [logistic_maps]?",
    "embed": "Show the states of [lorenz63] with pca",
    "list": "Which detectors are there?",
}


@pytest.mark.slow
def test_every_intent_ends_in_what_was_asked_for(desk):
    assert set(PROMPTS) == set(INTENTS)
    seen = set()
    for intent, prompt in PROMPTS.items():
        assert desk("ask", prompt, "--yes") == 0, f"{prompt}\n{desk.err}"
        (folder,) = set((desk.folder / "runs/_asks").iterdir()) - seen
        seen.add(folder)
        kept = desk.json(folder / "ask.json")
        assert kept["prompt"] == prompt and kept["spec"]["intent"] == intent
        if intent == "list":
            assert "bocpd" in desk.out
            continue
        for end in ("md", "html", "tex"):
            text = (folder / f"report.{end}").read_text()
            assert len(text) > 2000, (intent, end)
        assert prompt.split("[")[0].strip() in (folder / "report.html").read_text(), intent
    assert {run.folder.parent.name for run in desk.runs()} >= {"naive", "drift", "linear"}
