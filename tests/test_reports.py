"""Reports: numbers that are the table's, nothing fetched, nothing run that was not meant to."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import pytest

from stsfm import reports
from stsfm.__main__ import main
from stsfm.files import write_json
from stsfm.gathered import again
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.record.pages import find
from stsfm.record.shelf import compared
from stsfm.reports.chapters import cited
from stsfm.reports.chapters.account import made_with
from stsfm.reports.chapters.answer import _chance, answer, conclusions, over_tasks
from stsfm.reports.chapters.model import described
from stsfm.reports.chapters.search import chapter
from stsfm.reports.content import Definitions, Mark, plain
from stsfm.reports.facts import Fact
from stsfm.reports.references import entries, fields, line, references, unlatex
from stsfm.reports.rendering.html import inline
from stsfm.reports.shown import Shown
from stsfm.tables.grid import Grid

BAD = """from stsfm.models.naive import Naive

class Bad(Naive):
    def fit(self, train, val):
        raise ValueError("no <b>luck</b> | today")
"""
HOSTILE = "<script>alert(1)</script> | *x* `y` [z](javascript:alert(1))"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A sweep of nets of two seeds, a classical model and one that fails; and its comparison."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "conf" / "model").mkdir(parents=True)
    (folder / "conf" / "model" / "bad.yaml").write_text("_target_: bad.Bad\n")
    (folder / "bad.py").write_text(BAD)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = ["model=lstm,drift,bad", "seed=1,2", "plugins=[bad]", "--config-dir", "conf"]
        assert main(["run", "-q", *words, "baselines=[seasonal_naive]", "trainer.epochs=3"]) == 1
        yield folder


@pytest.fixture
def folder(home) -> Path:
    (path,) = (home / "runs" / "_comparisons").iterdir()
    return path


def test_numbers_in_sentences_are_the_cells_of_the_table(folder):
    (task,) = again(folder).tasks
    table, one = task.table, Shown(task)
    cells = {
        f"#{one.anchor}-{i}-{k}": cell.text
        for i, row in enumerate(one.sheet.body)
        for k, cell in enumerate(row)
    }
    said = [word for words in (*answer(one), *conclusions(one)) for word in words]
    numbers = [word for word in said if isinstance(word, Fact) and word.target]
    assert len(numbers) > 5
    for number in numbers:
        assert cells[number.target] == number.text
    scores = {run.status["model"]: run for row in table.rows for run in row.records}
    error = scores["drift"].scores["test"]["mase"]["pooled"]
    shown = one.cell(next(row for row in table.rows if row.model == "drift"), "test MASE")
    assert (
        abs(float(shown.text) - error) < 0.06 and shown.text in (folder / "report.md").read_text()
    )


def test_a_sentence_is_that_of_a_row_and_not_of_its_namesake():
    tested = ["lstm (tuned) is worse than ar: …", "lstm is better than ar: …", "… the best is: ar."]
    held = lambda how, *steps: Fact(tested[steps[-1]], "", how)  # noqa: E731
    one = SimpleNamespace(table=SimpleNamespace(tested=tested), fact=held)
    labels = ("lstm", "lstm (tuned)", "ar")
    said = [plain(_chance(one, SimpleNamespace(label=label))) for label in labels]
    assert said == [tested[1], tested[0], tested[2]]


def test_those_that_were_asked_about_are_put_beside_each_other(home, folder):
    page = (folder / "report.md").read_text()
    assert re.search(r"Of those that were asked about, \*\*(lstm|drift)\*\* has the least", page)
    assert re.search(r"^\| seasonal_naive \| classical \| baseline ", page, re.M)
    assert re.search(r"^\| drift \| classical \| asked for ", page, re.M)
    (said,) = reports.of(folder, home / "anew")[:1]
    assert "| classical | baseline " in said.read_text()  # from what is kept, too


def test_a_best_rank_that_is_shared_is_nobodys_alone():
    ranks = {"ar": 1.5, "ets": 2.5, "arima": 1.5}
    grid = SimpleNamespace(ranks=lambda: ranks, tasks=[1, 2], tested=(), skill=lambda name: 0.1)
    (said,) = map(plain, over_tasks(grid))
    assert said == "Over 2 tasks, the best mean rank on test, 1.5, is shared by ar, arima."


def test_every_chapter_has_what_a_reader_asks_for(folder, home):
    text = (folder / "report.md").read_text()
    order = re.findall("^## (.*)$", text, re.M)
    assert order[:4] == ["Answer", "Data", "Protocol", "Candidates"] and order[-1] == "References"
    (table,) = again(folder).tables
    card = table.rows[0].records[0].read("data.json")
    for fact in (table.status["fingerprint"], card["panel_sha256"], card["licence"], "1958-01"):
        assert fact in text
    assert "no &lt;b&gt;luck&lt;/b&gt; \\| today" in text  # the failure, with its reason
    (bad,) = {run.folder for run in map(Record, (home / "runs/airline/bad").iterdir())}
    assert (bad / "command.txt").read_text().strip() in text
    assert "No significance test: 3 independent origins." in text
    assert "came nearest on test" not in text  # as little as a difference in error
    assert "stsfm run model=lstm,drift,bad seed=1,2 " in text


def test_the_references_are_those_of_what_is_shown(folder):
    (table,) = again(folder).tables
    kept = [run.folder / "references.bib" for row in table.rows for run in row.records]
    wanted = {key for path in kept for key, _ in entries(path.read_text())}
    wanted |= {"hyndman2006mase", "gneiting2007scoring"}
    cited = re.findall(r"^@\w+\{([^,]+),", (folder / "report.md").read_text(), re.M)
    assert sorted(cited) == sorted(wanted) and "hochreiter1997lstm" in wanted


def test_every_reference_that_ships_is_whole_and_in_its_place():
    text = files("stsfm").joinpath("references.bib").read_text(encoding="utf-8")
    keys = [key for key, _ in entries(text)]
    assert keys == sorted(set(keys))
    for key, entry in entries(text):
        assert {"title", "year"} < set(fields(entry)), key
        assert entry.count("{") == entry.count("}"), key
    assert len(cited.library(*cited.CARD, *cited.SPACE, *cited.RESIDUALS)) == 8


def test_two_columns_of_a_docstring_are_terms_and_their_meanings():
    blocks = list(described("stsfm.models.analysis.ccm.CCM"))
    (terms,) = [dict(block.pairs) for block in blocks if isinstance(block, Definitions)]
    assert list(terms) == ["chance", "convergence", "lag"]
    assert not re.search(r"[*`]|  ", "".join(map(plain, terms.values())))


def test_bibtex_is_read_as_it_is_written():
    entry = r"""@article{a, author = {H{\"o}llder, J{\"u}rgen and {\'E}variste Galois},
      title = "On {LSTM}s \& more", journal={J. \v{C}as}, volume = 9, number = {8},
      pages={1--2}, year = 1997, doi = {10.1/x}}"""
    told = line(entry)
    wanted = "Höllder, J. & Galois, É. (1997). On LSTMs & more. J. Čas, 9(8), 1–2. "
    assert plain(told).startswith(wanted)
    assert told[-1].target == "https://doi.org/10.1/x"
    assert unlatex(r"Erd\H{o}s, \O{}rsted, Stra\ss e") == "Erdős, Ørsted, Straße"
    assert plain(line("@misc{b, note = {no author}}")) == "@misc{b, note = {no author}}"
    assert len(references([entry, entry])) == 1


def test_versions_that_differ_are_warned_of(tmp_path):
    runs = []
    for name, torch in (("a", "2.5"), ("b", "2.6")):
        write_json(tmp_path / name / "environment.json", {"packages": {"torch": torch}, "cpus": 2})
        runs.append(Record(tmp_path / name))
    warning, facts = made_with(runs, tmp_path)
    assert warning.tone == "warning" and "the same torch." in plain(warning.words)
    assert dict(facts.pairs)["torch"] == ["2.5 (1 of 2: a); 2.6 (1 of 2: b)"]
    (facts,) = made_with(runs[:1], tmp_path)
    assert dict(facts.pairs)["torch"] == ["2.5"]


def test_a_search_tells_its_budget_and_what_it_chose(tmp_path):
    trials = [{"value": 0.5, "words": {}}, {"value": 0.25, "words": {"model.hidden": "64"}}]
    model = {"model": "gru", "data": "ring", "sampler": "tpe", "budget": "2 trials", "total": 2,
             "counts": {"finished": 2}, "seconds": 3.21, "trials": trials, "best": 1,
             "space": {"model.hidden": "model.hidden in 32, 64"},
             "default": {"value": 0.5}, "tuned": {"value": 0.25}}  # fmt: skip
    settings = {"metric": "mase", "tuning_seeds": [101]}
    write_json(tmp_path / "search.json", {"settings": settings, "models": [model]})
    _, table, _, space = chapter(tmp_path, tmp_path)
    said = [cell.text for cell in table.sheet.body[0]]
    assert said == ["gru", "ring", "tpe", "2 trials", "2", "0", "0", "3.2", "0.5", "0.25"]
    assert plain(space.pairs[0][1]) == "in 32, 64; best: 64"
    assert not list(chapter(tmp_path / "none", tmp_path))


def test_the_same_runs_make_the_same_bytes(folder, home, capsys):
    written = [os.path.relpath(folder / f"report.{end}", home) for end in ("md", "html", "tex")]
    assert main(["report"]) == 0  # with a card of the data, which a comparison alone makes none of
    assert capsys.readouterr().out.split() == written
    before = {path.name: path.read_bytes() for path in folder.glob("report.*")}
    assert main(["report", "last"]) == 0
    assert {path.name: path.read_bytes() for path in folder.glob("report.*")} == before


def test_what_is_meant_is_found_by_folder_name_id_and_beginning(folder, home):
    runs = home / "runs"
    for name in ("", "last", folder.name, folder.name[:8], str(folder)):
        assert find(name, runs).resolve() == folder.resolve()
    (drift,) = (runs / "airline/drift").iterdir()
    for name in (drift.name, drift.name[:5], str(drift)):
        assert find(name, runs).resolve() == drift.resolve()
    with pytest.raises(Mistake, match=r"nothing in .*runs is called 'airlin3'"):
        find("airlin3", runs)
    with pytest.raises(Mistake, match=r"'s' may mean runs/airline/lstm/s1-.*/s2-"):
        find("s", runs)
    with pytest.raises(Mistake, match="nothing to report in elsewhere"):
        find("", Path("elsewhere"))


def copied(folder: Path, target: Path) -> Path:
    """A comparison of the same runs elsewhere, to be written to."""
    shutil.copytree(folder.parents[1], target / "runs")
    return target / "runs" / "_comparisons" / folder.name


def test_nothing_hostile_gets_through(folder, tmp_path):
    (table,) = again(folder).tables
    status = {**table.status, "data": HOSTILE, "headline": HOSTILE, "units": HOSTILE}
    there = copied(folder, tmp_path)
    made = reports.write(
        there,
        Grid((replace(table, status=status),)),
        compared(there),
        question=HOSTILE,
        command=HOSTILE,
    )
    markdown, page, _ = (path.read_text() for path in made)
    assert page.count("<script") == 1 and page.count("&lt;script&gt;alert(1)") > 3
    assert all(place.startswith(("#", "https://")) for place in attributes(page, "a", "href"))
    prose = re.sub(r"```.*?```", "", markdown, flags=re.S)
    assert "<script" not in prose and r"\*x\* \`y\` \[z\](javascript" in prose


def test_links_lead_nowhere_but_to_places():
    for target in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"):
        assert "href" not in inline([Mark("x", "link", target)])


def attributes(page: str, tag: str, name: str) -> list[str]:
    """The values of an attribute of all elements of a kind; "" where one has none."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda is_, has: (
        found.append(dict(has).get(name, "")) if is_ == tag else None
    )
    parser.feed(page)
    return found


@pytest.fixture(scope="module")
def drawn(home, tmp_path_factory) -> Path:
    """The report with two figures, one of them without an SVG."""
    (folder,) = (home / "runs" / "_comparisons").iterdir()
    folder = copied(folder, tmp_path_factory.mktemp("drawn"))
    shutil.rmtree(folder / "plots", ignore_errors=True)
    shutil.copytree(next((home / "runs/airline/lstm").glob("*/plots")), folder / "plots")
    (folder / "plots/loss.svg").unlink()
    captions = {"horizon.png": "By step. More.", "loss.png": "Loss & <loss>.", "gone.png": ""}
    (folder / "plots/captions.json").write_text(json.dumps(captions))
    return reports.write(folder, again(folder), compared(folder))[1]


def test_the_page_is_whole_in_itself(drawn):
    page = drawn.read_text()
    assert [src[:14] for src in attributes(page, "img", "src")] == [
        "data:image/svg",
        "data:image/png",
    ]
    assert attributes(page, "script", "src") == [""] and attributes(page, "link", "href") == [
        "data:,"
    ]
    assert "@import" not in page and "url(" not in page and "default-src 'none'" in page
    assert page.count("<figcaption><b>Figure") == 2 and "![Figure 1](<plots/horizon.png>)" in (
        drawn.with_suffix(".md").read_text()
    )


PROBE = """<iframe src="report.html" style="width:390px;height:800px"></iframe><pre></pre><script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument;
  const tables = [...page.querySelectorAll("table")];
  const table = tables.find((table) => table.textContent.includes("test MASE"));
  const column = [...table.tHead.rows[0].cells].findIndex((c) => c.textContent === "test MASE");
  const cells = (k) => [...table.tBodies[0].rows].map((row) => row.cells[k].textContent);
  const button = table.tHead.rows[0].cells[column].querySelector("button");
  const seen = {sorted: []};
  for (const click of [1, 2]) { button.click(); seen.sorted.push(cells(column)); }
  seen.cells = table.querySelectorAll("th[scope=row]").length;
  seen.order = table.tHead.rows[0].cells[column].getAttribute("aria-sort");
  button.focus();
  seen.focus = page.activeElement === button;
  seen.widths = [...page.images].map((image) => image.naturalWidth);
  seen.page = [page.documentElement.scrollWidth, page.documentElement.clientWidth];
  seen.copies = page.querySelectorAll("button.copy").length;
  document.querySelector("pre").textContent = JSON.stringify(seen);
};
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to look at the page with")
def test_the_page_in_a_browser_of_a_phones_width(drawn, tmp_path):
    probe = drawn.with_name("probe.html")
    probe.write_text(PROBE)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--allow-file-access-from-files",
             "--enable-logging=stderr", f"--user-data-dir={tmp_path}", "--dump-dom"]  # fmt: skip
    told = subprocess.run(
        [CHROMIUM, *flags, probe.as_uri()], capture_output=True, text=True, timeout=120
    )
    assert "CONSOLE" not in told.stderr
    seen = json.loads(unescape(re.search("<pre>(.*)</pre>", told.stdout, re.S)[1]))
    rising, falling = ([float(x.split()[0]) for x in c if x] for c in seen["sorted"])
    assert rising == sorted(rising) and falling == sorted(rising, reverse=True) and len(rising) > 2
    assert seen["sorted"][0][-1] == seen["sorted"][1][-1] == ""  # the failure stays last
    assert seen["order"] == "descending" and seen["focus"] and seen["copies"] > 2
    assert len(seen["widths"]) == 2 and min(seen["widths"]) > 0
    assert seen["page"][0] <= seen["page"][1] <= 390
