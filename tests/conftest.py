"""A folder of its own for every test that runs something, and the command line in this process."""

import json
import sys
from pathlib import Path

import pytest
from kinds import SLOWLY

from stsfm.__main__ import main
from stsfm.record import Record, records

SHORT = ["trainer.epochs=4"]


def pytest_collection_modifyitems(items) -> None:
    """What is marked slow is left to .ci/run."""
    for item in items if not SLOWLY else ():
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="is done by .ci/run, by STSFM_SLOW=1"))


class Desk:
    """The command line in a folder: what it printed, and the runs that it left."""

    def __init__(self, folder: Path, capsys) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, *words: str) -> int:
        self.capsys.readouterr()
        try:
            code = main(list(words))
        except SystemExit as stop:
            code = stop.code
        printed = self.capsys.readouterr()
        self.out, self.err = printed.out, printed.err
        return code

    def runs(self, pattern: str = "") -> list[Record]:
        return [r for r in records(self.folder / "runs") if pattern in str(r.folder)]

    def only(self, pattern: str) -> Record:
        (run,) = self.runs(pattern)
        return run

    def mae(self, pattern: str) -> float:
        return self.only(pattern).scores["test"]["mae"]["pooled"]

    def comparison(self) -> Path:
        (folder,) = (self.folder / "runs" / "_comparisons").iterdir()
        return folder

    @staticmethod
    def json(path: Path):
        return json.loads(path.read_text())


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # a plug-in's folder is of its test alone
    return Desk(tmp_path, capsys)
