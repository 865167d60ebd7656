"""`stsfm run`: from a composed config to a recorded, compared and plotted forecast.

    config → dataset → protocol → model → backtest → record → table → plots
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stsfm import compose, record
from stsfm.backtest import evaluate
from stsfm.build import build, build_model
from stsfm.datasets.protocol import Split
from stsfm.identity import identify
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.results import describe, save
from stsfm.screen import Screen


def main(args: list[str]) -> int:
    """One run or, where keys have several values, a sweep that ends in one table."""
    quiet = {"-q", "--quiet"} & set(args)
    args = [arg for arg in args if arg not in ("-q", "--quiet")]
    screen = Screen(quiet=bool(quiet) or record.rank() > 0)
    runs: list[Record] = []

    def job(config: dict[str, Any], overrides: list[str]) -> int:
        run = execute(config, overrides, screen)
        if run is None:  # a rank that only trained
            return 0
        runs.append(run)
        return 0 if run.state == "finished" else 1

    code = compose.main(args, job)
    if len(runs) > 1 and record.rank() == 0:
        from stsfm.compare import write_comparison

        write_comparison(runs, name=compose.comparison_name(args), screen=screen)
    return code


def execute(config: Mapping[str, Any], overrides: list[str], screen: Screen) -> Record | None:
    """Run one job, unless it was finished before, and put it beside the baselines."""
    split = cut(config)
    status = describe(split)
    screen.say(status["headline"])
    run = fit(config, overrides, split, screen)
    if run is None:
        return None
    if run.state == "finished" and not (run.folder / "table.md").exists():
        from stsfm.present import present

        baselines = [fit(config | other, [], split, screen) for other in _baselines(config)]
        present(run, [b for b in baselines if b], split, config)
    if run.state == "finished":
        from stsfm.present import show

        show(run, screen)
    return run


def cut(config: Mapping[str, Any]) -> Split:
    """The dataset of a config, cut by its protocol."""
    panel = build(config["data"], path="data")
    return build(config["protocol"], panel, path="protocol")


def _baselines(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs in the configs of the baselines that the model is put beside."""
    choices = config["choices"]
    return [
        {"model": compose.model(name, dict(config)), "choices": {**choices, "model": name}}
        for name in config["baselines"]
        if name != choices["model"]
    ]


def fit(config: Mapping[str, Any], overrides: list[str], split: Split, screen: Screen) -> Record | None:
    """The finished run of a config: found, or made now. A failure is recorded and returned.

    None on ranks that only help to train.
    """
    identity = identify(config, split)
    home = Path(config["runs_dir"])
    run = Record(home / identity.folder)
    if run.state == "finished" and not config["force"]:
        return run
    name, epochs = config["choices"]["model"], config["model"].get("trainer", {}).get("epochs")
    with screen.training(name, epochs) as show_row:

        def monitor(row: Mapping[str, float]) -> None:
            run.append_history(row)
            show_row(row)

        model = build_model(config["model"], monitor)
        if not split.panel.mask.all() and "missing" not in model.tags:
            raise Mistake(f"{name} can't use data with missing cells; {identity.data} has some")
        if record.rank() > 0:
            model.fit(split.train, split.val)
            return None
        about = {**describe(split), "data": identity.data, "model": name}
        try:
            with record.writing(home, identity, about, force=config["force"]) as mine:
                if mine is not None:
                    _preface(mine, config, overrides)
                    evaluation = evaluate(model, split, refit=identity.seed is None)
                    save(mine, model, evaluation, split, config)
        except Exception as error:
            screen.warn(f"{name} failed: {type(error).__name__}: {error}; see {run.folder}/error.txt")
    return run


def _preface(run: Record, config: Mapping[str, Any], overrides: list[str]) -> None:
    """What is known before anything was fitted."""
    from stsfm.environment import environment

    own = {key: value for key, value in config.items() if key != "force"}
    record.write(run.folder / "config.yaml", yaml.safe_dump(own, sort_keys=False, allow_unicode=True))
    words = overrides or [f"{group}={name}" for group, name in config["choices"].items() if name]
    record.write(run.folder / "command.txt", shlex.join(["stsfm", "run", *words]) + "\n")
    threads = config["hardware"]["threads"]
    record.write_json(run.folder / "environment.json", environment(threads))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
