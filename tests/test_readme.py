"""README.md holds what it says: its commands are run, its tables compared, its files looked for.

A command that ends in `# needs an index` (or one of NEEDS) is not run here, and is skipped by name.
One that `needs the files above` is run in a copy of the checkout that holds the README's files.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "docs" / "results.md").read_text()
NEEDS = {"an index": "is done by .ci/run", "a GPU": "none is promised", "the files above": ""}
FIRST = "stsfm run model=lstm data=airline"
SWEEP = "stsfm run model=lstm,arima seeds=3"
NETS = ("lstm",)

# one worker runs all that a reader types, so that a command finds what the ones before it left
typed = pytest.mark.xdist_group("readme")
added = pytest.mark.xdist_group("readme-copy")


def fences(language: str) -> list[str]:
    """The body of every fenced block of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """(command, what it needs) of every line of every sh block."""
    found = []
    for body in fences("sh"):
        for line in body.replace("\\\n", " ").splitlines():
            command, _, comment = line.partition("  #")
            if command.strip():
                needs = re.fullmatch(r"needs (.+)", comment.strip())
                found.append((command.strip(), needs[1] if needs else ""))
    return found


HERE = [command for command, needs in commands() if not needs]
ELSEWHERE = [(command, needs) for command, needs in commands() if needs]
IN_A_COPY = [command for command, needs in ELSEWHERE if needs == "the files above"]


def run(command: str, cwd: Path, **environ: str) -> str:
    """What a shell prints for a command that has to succeed."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    clean |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    shell = ["bash", "-c", command]
    done = subprocess.run(
        shell, cwd=cwd, env=clean | environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stdout + done.stderr, f"{command}\n{done.stderr}"
    return done.stdout


class Reader:
    """Someone who types the commands one after the other, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed: dict[str, str] = {}

    def __call__(self, command: str) -> str:
        if command not in self.printed:
            self.printed[command] = run(command, self.folder)
        return self.printed[command]


@pytest.fixture(scope="module")
def reader(tmp_path_factory) -> Reader:
    return Reader(tmp_path_factory.mktemp("reader"))


# ---- commands ------------------------------------------------------------------------------------


@typed
@pytest.mark.parametrize("command", HERE)
def test_a_command_works(reader, command):
    reader(command)


@pytest.mark.parametrize(("command", "needs"), [(c, n) for c, n in ELSEWHERE if c not in IN_A_COPY])
def test_a_command_is_left_out(command, needs):
    pytest.skip(f"{command}: needs {needs}, {NEEDS[needs]}")


def test_what_commands_need_is_known():
    assert {needs for _, needs in ELSEWHERE} <= set(NEEDS)


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
    header, *body = [line for line in cells[start:] if not line[0].startswith(":-")]
    table = {}
    for line in body:
        if len(line) != len(header):
            break
        table[line[0]] = dict(zip(header, line, strict=True))
    return table


def numbers(cell: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", cell.replace("−", ""))


def close(written: str, printed: str, net: bool) -> bool:
    """Equal but for the last digit; training goes its own way on another processor."""
    if [cell == "—" for cell in (written, printed)] in ([True, False], [False, True]):
        return False
    if net:
        pairs = list(zip(numbers(written)[:1], numbers(printed)[:1], strict=True))
        return all(abs(float(a) - float(b)) <= 0.15 * abs(float(b)) for a, b in pairs)
    pairs = list(zip(numbers(written), numbers(printed), strict=True))
    last = [min(len(x.partition(".")[2]) for x in pair) for pair in pairs]
    return all(
        abs(float(a) - float(b)) <= 1.01 * 10**-d for (a, b), d in zip(pairs, last, strict=True)
    )


def assert_same_table(written: str, printed: str) -> None:
    ours, theirs = rows(written), rows(printed)
    now = f"README.md shows an old table, this is today's:\n{printed}"
    assert len(ours) > 2 and set(ours) == set(theirs), now
    classical = [name for name in ours if name not in NETS]
    assert classical == [name for name in theirs if name not in NETS], now
    for name, mine in ours.items():
        assert list(mine) == list(theirs[name]), now
        for column in mine.keys() - {"fit s"}:
            assert close(mine[column], theirs[name][column], name in NETS), f"{name} {column} {now}"


@typed
def test_the_transcript_is_what_is_printed(reader):
    (transcript,) = fences("console")
    command, *written = transcript.splitlines()
    assert command == f"$ {FIRST}"
    printed = reader(FIRST)
    assert_same_table(transcript, printed)
    same = printed.splitlines()
    for line in written:
        if not re.match(r" |lstm|→", line):  # the table, what is said of the net, and a run id
            assert line in same, f"no line {line!r} in:\n{printed}"


@typed
def test_the_table_of_seeds_is_what_is_written(reader):
    (folder,) = re.findall(r"→ (\S+)", reader(SWEEP).splitlines()[-1])
    table = (reader.folder / folder / "table.md").read_text()
    section = TEXT.partition("## Where the LSTM loses")[2].partition("\n## ")[0]
    assert_same_table(section[section.index("| model") :], table)


def test_the_numbers_in_words_are_those_of_the_transcript():
    section = TEXT.partition("## Where the LSTM loses")[2].partition("| model")[0]
    (transcript,) = fences("console")
    said = re.findall(r"\d+\.\d+|\d{5}", section)
    assert len(said) > 3
    assert set(said) <= {cell for row in rows(transcript).values() for cell in row.values()}


# ---- what is left --------------------------------------------------------------------------------


def files_of_a_run(reader: Reader) -> set[str]:
    reader(FIRST)
    found = (reader.folder / "runs/airline/lstm").glob("s1-*")
    run = min(found, key=lambda folder: (folder / "status.json").stat().st_mtime)
    return {path.name for path in run.iterdir()} | {"error.txt"}


@typed
def test_a_run_leaves_what_is_listed(reader):
    (tree,) = fences("text")
    run, _, comparison = tree.partition("runs/_comparisons")
    names = re.compile(r"\b[a-z]+\.(?:md|csv|json|npz|yaml|txt|bib|tex)\b|\b[a-z]+/(?= )")
    listed = {name.strip("/") for name in names.findall(run)} - {"data"}
    assert len(listed) > 10
    assert listed == files_of_a_run(reader) - {".lock", "members.json", "error.txt"}
    reader(SWEEP)
    folder = next((reader.folder / "runs/_comparisons").iterdir())
    assert set(names.findall(comparison)) <= {path.name for path in folder.iterdir()}


@typed
def test_results_md_lists_the_same_files(reader):
    files = RESULTS.partition("## A comparison")[0]
    listed = set(re.findall(r"`([a-z]+\.[a-z]+|plots|model)/?`(?=.* \|)", files))
    assert files_of_a_run(reader) - {".lock"} <= listed


@pytest.mark.parametrize("page", ["README.md", "docs/results.md", "CHANGELOG.md"])
def test_every_link_and_image_is_there(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"https?:|#", target):
            file = (ROOT / page).parent / target.partition("#")[0]
            assert file.exists(), f"{page} points at {target}"
            assert file.suffix != ".png" or file.stat().st_size < 200_000, f"{target} is large"


# ---- what can be added ---------------------------------------------------------------------------


def files() -> dict[str, str]:
    """The files that the README tells to write: path → text."""
    pattern = r"^`([\w/]+\.\w+)`\n\n```(?:python|yaml)\n(.*?)^```$"
    return dict(re.findall(pattern, TEXT, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the checkout with the README's files in it."""
    folder = tmp_path_factory.mktemp("copy")
    for room in ("stsfm_cli", "conf", "datasets", "losses", "models", "tests"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, text in files().items():
        assert not (ROOT / path).exists(), f"{path} is there already"
        (folder / path).write_text(text)
    (folder / "links").mkdir()
    (folder / "links" / "stsfm").symlink_to("../stsfm_cli")
    return folder


def test_the_files_of_the_readme_are_a_model_a_dataset_and_a_loss():
    rooms = sorted(path.partition("/")[0] for path in files())
    assert rooms == ["conf", "conf", "conf", "datasets", "losses", "models"]


@added
@pytest.mark.parametrize("command", IN_A_COPY)
def test_what_the_readme_adds_works(copy, command):
    imported = run("python -c 'import stsfm; print(stsfm.__file__)'", copy, PYTHONPATH="links")
    assert Path(imported.strip()).resolve() == (copy / "stsfm_cli" / "__init__.py").resolve()
    printed = run(command, copy, PYTHONPATH=str(copy / "links"))
    assert (" passed" if command.startswith("pytest") else "test MASE") in printed


@added
def test_what_the_readme_adds_keeps_the_house_rules(copy):
    run("pytest tests/test_imports.py", copy, PYTHONPATH=str(copy / "links"))
    if shutil.which("ruff", path=str(Path(sys.executable).parent)):
        paths = " ".join(path for path in files() if path.endswith(".py"))
        run(f"ruff check {paths} && ruff format --check {paths}", copy)
