"""Every number in the prose of a report, of whatever kind, is one that stands in a record."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stsfm import reports
from stsfm.__main__ import main
from stsfm.reports.facts import resolve
from stsfm.tables.latex import escaped

MADE = {  # kind of page → what makes one, and where it lies
    "run": (["run", "model=drift", "baselines=[naive]"], "airline/drift/*"),
    "detection": (["detect", "model=pelt", "data=nile"], "nile/_detections/*/*"),
    "contest": (["detect", "-m", "model=pelt", "data=nile"], "_comparisons/nile*"),
    "analysis": (["analyse", "analysis=ccm", "data=logistic_maps"], "logistic_maps/_analyses/*/*"),
    "selection": (["select", "data=airline", "among=drift,naive"], "_selections/*"),
    "comparison": ([], "_comparisons/*"),  # the test of the selection
}  # fmt: skip
UNITS = {"s": 1, "min": 60, "h": 3600}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(
    scope="module",
    params=[pytest.param(k, marks=pytest.mark.slow if k == "selection" else []) for k in MADE],
)
def page(request, home) -> Path:
    """The folder of a page of each kind, with its reports."""
    words, where = MADE[request.param]
    assert not words or main([words[0], "-q", *words[1:]]) == 0
    found = sorted((home / "runs").glob(where))
    reports.of(found[0], found[0], question="What does this say?")
    return found[0]


class Prose(HTMLParser):
    """Facts, with their text; and what paragraphs and items say besides: names, code and quoted
    sources apart."""

    QUOTED = ("source", "code")

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[tuple[dict, str]] = []
        self.prose: list[str] = []
        self.open: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "link", "img", "br"):
            self.open.append((tag, dict(attributes)))
            if "data-from" in dict(attributes):
                self.facts.append((dict(attributes), ""))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, text):
        tags = [tag for tag, _ in self.open]
        said = [held for _, held in self.open]
        if any("data-from" in held for held in said):
            self.facts[-1] = (self.facts[-1][0], self.facts[-1][1] + text.replace("\xa0", " "))
        elif self._speaks(tags, said):
            self.prose.append(text)

    def _speaks(self, tags, said) -> bool:
        names = {"strong", "code", "nav", "header", "ol", "dl", "table", "blockquote", "script"}
        quoted = any(held.get("class") in self.QUOTED for held in said)
        return bool({"p", "li"} & set(tags)) and not names & set(tags) and not quoted


def read(page: Path) -> Prose:
    parser = Prose()
    parser.feed((page / "report.html").read_text())
    return parser


def test_every_fact_is_what_stands_in_the_record(page):
    facts = read(page).facts
    assert len(facts) > 5
    for held, text in facts:
        value = resolve(page, held["data-from"])
        assert value is not None, held
        if "value" in held:
            assert float(held["value"]) == value
            assert reads(text, value), (text, held)
        else:
            told = {str(value), str(len(value)), ", ".join(map(str, value))}
            assert text in told, (text, held)


def reads(text: str, value: float) -> bool:
    """Is a text this number, as near as its figures tell; of a share, in per cent?"""
    if text == "p < 0.001":
        return value < 0.001
    if text in ("p ≤ 0.01", "p ≥ 0.1"):  # where the table of a test ends
        return value in (0.01, 0.1) and text.endswith(f" {value:g}")
    number, _, unit = text.removeprefix("p = ").partition(" ")
    number = number.replace(",", "").replace("−", "-")
    seen = float(number) / (100 if unit == "%" else 1) * UNITS.get(unit, 1)
    digits = len(number.partition(".")[2]) + 2 * (unit == "%")
    half = 0.5 * 10.0**-digits * UNITS.get(unit, 1)
    return abs(seen - value) <= half * (1 + 1e-9)


def test_no_numeral_stands_in_prose_by_itself(page):
    prose = read(page).prose
    assert len(" ".join(prose)) > 40
    numerals = [text for text in prose if re.search(r"\d", text)]
    assert not numerals


def test_a_report_is_the_same_the_second_time_and_elsewhere_names_the_same_facts(page, tmp_path):
    before = {path.name: path.read_bytes() for path in page.glob("report.*")}
    again = reports.of(page, page, question="What does this say?")
    assert [path.name for path in again] == ["report.md", "report.html", "report.tex"]
    assert {path.name: path.read_bytes() for path in page.glob("report.*")} == before
    reports.of(page, tmp_path / "elsewhere", question="What does this say?")
    for held, _ in read(tmp_path / "elsewhere").facts:
        assert resolve(tmp_path / "elsewhere", held["data-from"]) is not None


def test_the_section_of_a_paper_is_whole(page):
    """Looked at without LaTeX: environments and groups close, specials are escaped."""
    text = (page / "report.tex").read_text()
    bare = re.sub(r"(?<!\\)%.*", "", text)
    depth: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", bare):
        if kind == "begin":
            depth.append(name)
        else:
            assert depth.pop() == name
    assert not depth and "tabular" in bare and r"\toprule" in bare
    plain = re.sub(r"\\[\\{}_%&#$~^]", "", bare)
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0 and "#" not in plain
    for row in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", plain, re.S):
        lines = [line for line in row[1].splitlines() if "&" in line and "multicolumn" not in line]
        assert all(line.count("&") == len(row[0]) - 1 for line in lines)
    keys = set(re.findall(r"\\cite\{(\w+)\}", text))
    kept = set(re.findall(r"^@\w+\{(\w+),", (page / "report.bib").read_text(), re.M))
    assert keys == kept and keys


def test_letters_are_written_so_that_latex_takes_them():
    seen = {
        "a_b & 5 % #1 $x {y} ~ ^ \\": r"a\_b \& 5 \% \#1 \$x \{y\} \textasciitilde{} "
        r"\textasciicircum{} \textbackslash{}",
        "ŷ = Σ βᵢ²": r"$\hat{y}$ = $\Sigma$ $\beta$$_{i}$$^{2}$",
        "≤ −λ": r"$\leq$ $-$$\lambda$",
        "Künsch — 1–2": "Künsch --- 1--2",
    }
    assert {text: escaped(text) for text in seen} == seen
