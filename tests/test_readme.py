"""README.md holds what it says: its commands are run, its tables compared, its files looked for.

Every sh block is typed line by line in a folder of its own. A line that ends in `# needs an index`
(or another of NEEDS) is skipped by name; one that `needs the files above` is typed in a copy of the
checkout, to which the files that the README tells to write were added. The block of the
first run is typed in the suite, the others by .ci/run.
"""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pages import ROOT, Page, shell

PAGE = Page("README.md")
NEEDS = {
    "an index": "is done by .ci/run",
    "a GPU": "none is promised",
    "your file": "docs/data.md has one",
    "a network, once": "nothing is fetched in a test",
    "the files above": "",
}
FIRST = "stsfm run model=lstm data=airline"
SWEEP = "stsfm run model=lstm,arima seeds=3 protocol.horizon=1 launcher.n_jobs=2"
SPACE = (
    "stsfm run model=spatial_ridge data=ring data.space=given,none,shuffled factors=[data.space] "
    "protocol.horizon=3 baselines=[linear]"
)
STATES = (
    "stsfm run model=simplex,lle_gpr_rbf,pca_var data=brusselator protocol.calibration=0 "
    "baselines=[naive]"
)
NETS = ("lstm", "lle_gpr_rbf")  # what an optimiser ends in moves with the processor

EVERY = PAGE.commands
BLOCKS = [here for block in EVERY if (here := [line.command for line in block if not line.needs])]
ELSEWHERE = [(line.command, line.needs) for block in EVERY for line in block if line.needs]
IN_A_COPY = [command for command, needs in ELSEWHERE if needs == "the files above"]


# ---- commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "block",
    [pytest.param(b, marks=[] if b[0] == FIRST else pytest.mark.slow) for b in BLOCKS],
    ids=lambda block: block[0],
)
def test_the_commands_of_a_block_work(tmp_path, block):
    for command in block:
        printed = shell(command, tmp_path)
        for check in CHECKS.get(command, ()):
            check(printed, tmp_path)


@pytest.mark.parametrize(("command", "needs"), [(c, n) for c, n in ELSEWHERE if c not in IN_A_COPY])
def test_a_command_is_left_out(command, needs):
    pytest.skip(f"{command}: needs {needs}, {NEEDS[needs]}")


def test_nothing_is_overlooked():
    assert {needs for _, needs in ELSEWHERE} <= set(NEEDS)
    assert all(any(command in block for block in BLOCKS) for command in CHECKS)


# ---- what is printed -----------------------------------------------------------------------------


def rows(text: str) -> dict[str, dict[str, str]]:
    """Model → column → cell, in the order of a table on a terminal or in Markdown."""
    lines = [re.sub(r"\*\*|</?u>", "", line).strip() for line in text.splitlines()]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|")
        else re.split(r" {2,}", line)
        for line in lines
    ]
    start = next(i for i, line in enumerate(cells) if line[0] == "model")
    header, table = cells[start], {}
    for line in cells[start + 1 :]:
        if line[0] == ":--":
            continue
        if len(line) != len(header):
            break
        table[line[0]] = dict(zip(header, line, strict=True))
    return table


def close(written: str, printed: str, net: bool) -> bool:
    """Equal but for the last digit; a net's score within 15 %: processors train differently."""
    pairs = [re.findall(r"\d+(?:\.\d+)?", cell) for cell in (written, printed)]
    if net:
        pairs = [found[:1] for found in pairs]  # not the deviation between three seeds
    if [len(found) for found in pairs] != [len(pairs[0])] * 2:
        return False
    for a, b in zip(*pairs, strict=True):
        last = 10.0 ** -min(len(x.partition(".")[2]) for x in (a, b))
        if abs(float(a) - float(b)) > (0.15 * float(b) if net else 1.01 * last):
            return False
    return True


def assert_same_table(written: str, printed: str) -> None:
    ours, theirs = rows(written), rows(printed)
    now = f"README.md shows an old table, this is today's:\n{printed}"
    assert len(ours) > 2 and set(ours) == set(theirs), now
    classical = [name for name in ours if name not in NETS]
    assert classical == [name for name in theirs if name not in NETS], now
    for name, mine in ours.items():
        assert list(mine) == list(theirs[name]), now
        for column in mine.keys() - {"model", "fit s", "predict s", "memory"}:
            assert close(mine[column], theirs[name][column], name in NETS), (
                f"{name} {column}: {now}"
            )


def same_transcript(printed: str, folder: Path) -> None:
    command, *written = PAGE.fences("console")[0].splitlines()
    assert command == f"$ {FIRST}"
    assert_same_table("\n".join(written), printed)
    for line in written:
        if not re.match(r" |lstm|→", line):  # the table, what is said of the net, and a run id
            assert line in printed.splitlines(), f"no line {line!r} in:\n{printed}"


def same_transcript_of_a_sweep(printed: str, folder: Path) -> None:
    command, *written = PAGE.fences("console")[1].splitlines()
    assert command == f"$ {SWEEP}"
    assert_same_table("\n".join(written), printed)
    said = [line.partition(":")[0] for line in printed.splitlines()]  # what follows moves with nets
    for line in written:
        if not re.match(r" |lstm|→|…|\d|finished|With", line):
            assert line.partition(":")[0] in said, f"no line {line!r} in:\n{printed}"


def same_transcript_of(number: int, command: str) -> Callable[[str, Path], None]:
    """Where no net moves what is said."""

    def same(printed: str, folder: Path) -> None:
        first, *written = PAGE.fences("console")[number].splitlines()
        assert first == f"$ {command}"
        assert_same_table("\n".join(written), printed)
        for line in written:
            if not re.match(r" |…", line):
                assert line in printed.splitlines(), f"no line {line!r} in:\n{printed}"

    return same


def test_the_numbers_in_words_are_those_of_the_transcript():
    said = re.findall(r"\d+\.\d+|\d{5}", PAGE.section("Where the LSTM loses"))
    assert len(said) > 3
    shown = {cell for row in rows(PAGE.fences("console")[0]).values() for cell in row.values()}
    assert set(said) <= shown


# ---- what is left --------------------------------------------------------------------------------

FILE = re.compile(r"\b[a-z]+\.(?:md|csv|html|json|npz|yaml|txt|bib|tex)\b|\b(?:plots|model)(?=/)")


def comparison(printed: str, folder: Path) -> Path:
    (place,) = re.findall(r"→ (\S+)", printed)
    return folder / place


def files_are_listed(printed: str, folder: Path) -> None:
    (run_folder,) = (folder / "runs" / "airline" / "lstm").iterdir()
    left = {path.name for path in run_folder.iterdir()} - {".lock"}
    listed = set(FILE.findall(PAGE.fences("text")[0].partition("runs/_comparisons")[0]))
    assert listed - {"error.txt"} == left - {"members.json"}
    page = (ROOT / "docs" / "results.md").read_text().partition("## A comparison")[0]
    assert left <= set(FILE.findall(page))


def files_of_a_comparison_are_listed(printed: str, folder: Path) -> None:
    listed = set(FILE.findall(PAGE.fences("text")[0].partition("runs/_comparisons")[2]))
    assert listed == {path.name for path in comparison(printed, folder).iterdir()}


CHECKS = {
    FIRST: (same_transcript, files_are_listed),
    SWEEP: (same_transcript_of_a_sweep, files_of_a_comparison_are_listed),
    SPACE: (same_transcript_of(2, SPACE),),
    STATES: (same_transcript_of(3, STATES),),
}


# ---- what can be added ---------------------------------------------------------------------------

ADDED = PAGE.files


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the checkout with the README's files in it."""
    folder = tmp_path_factory.mktemp("copy")
    for room in ("stsfm_cli", "conf", "datasets", "losses", "models", "tests"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, text in ADDED.items():
        assert not (ROOT / path).exists(), f"{path} is there already"
        (folder / path).write_text(text)
    (folder / "links").mkdir()
    (folder / "links" / "stsfm").symlink_to("../stsfm_cli")  # first on the path: not the installed
    return folder


def in_copy(command: str, copy: Path) -> str:
    return shell(command, copy, PYTHONPATH=str(copy / "links"))


def test_the_readme_adds_a_model(copy):
    rooms = sorted(path.partition("/")[0] for path in ADDED)
    assert rooms == ["conf", "models"]
    imported = in_copy("python -c 'import stsfm; print(stsfm.__file__)'", copy).strip()
    assert Path(imported).resolve() == (copy / "stsfm_cli" / "__init__.py").resolve()


@pytest.mark.slow
@pytest.mark.parametrize("command", IN_A_COPY)
def test_what_the_readme_adds_works(copy, command):
    printed = in_copy(command, copy)
    assert ("kept " if command.startswith("stsfm check") else "test MASE") in printed


def test_what_the_readme_adds_keeps_the_house_rules(copy):
    in_copy("pytest tests/test_imports.py", copy)
    if shutil.which("ruff", path=str(Path(sys.executable).parent)):
        paths = " ".join(path for path in ADDED if path.endswith(".py"))
        shell(f"ruff check {paths} && ruff format --check {paths}", copy)
