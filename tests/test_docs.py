"""The pages of docs/ hold what they say: each is typed from top to bottom in a folder of its own.

The files that a page tells to write are written first. A line that says `# exit 2` has to end
so; one that ends in `# needs …` is skipped by name; what a transcript shows has to be printed.
Typing them all takes minutes: it is left to .ci/run.
"""

import re

import pytest
from pages import ROOT, Page, shell

from stsfm import compose
from stsfm.build import build_model

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if Page(name).typed])
def test_the_commands_of_a_page_work(tmp_path, name):
    page = Page(name)
    for path, text in page.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for line in page.typed:
        if not line.needs:
            printed = shell(line.command, tmp_path, code=line.code)
            assert not line.prints or printed == line.prints


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", *PAGES])
def test_every_link_and_image_is_there(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", Page(name).text):
        if not re.match(r"https?:|#", target):
            file = (ROOT / name).parent / target.partition("#")[0]
            assert file.exists(), f"{name} points at {target}"
            assert file.suffix != ".png" or file.stat().st_size < 200_000, f"{target} is large"


def test_the_table_of_models_says_what_their_tags_say():
    """A • where its class has the tag of the column; a model may stand without a row."""
    first = Page("docs/models.md").text.partition("\n## ")[0]
    lines = [line for line in first.splitlines() if line.startswith("|")]
    tags = ("missing", "known", "graph", "intervals", "new_nodes")
    said = {}
    for line in lines[2:]:
        name, _, *cells = (cell.strip() for cell in line.split("|")[1:-1])
        said[name] = {tag for tag, cell in zip(tags, cells, strict=True) if cell}
    models = {name: compose.config([f"model={name}"]) for name in said}
    assert said == {
        name: set(build_model(config["model"], print, {"calibration": 0}).tags) & set(tags)
        for name, config in models.items()
    }


def test_every_page_is_found_from_the_readme():
    linked = set(re.findall(r"\]\((docs/\w+\.\w+)\)", Page("README.md").text))
    assert set(PAGES) <= linked
