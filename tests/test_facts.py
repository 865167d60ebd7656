"""Numbers of sentences: they are those of the record, read as it is said, and nobody else's."""

import json

import pytest

from stsfm.cards.residuals import _nodes as nodes
from stsfm.reports.facts import Fact, Facts, at, figures, keys_of, resolve, say
from stsfm.reports.rendering.html import inline as as_html
from stsfm.reports.rendering.markdown import inline as as_markdown


@pytest.fixture
def facts(tmp_path):
    scores = {"test": {"mase": {"pooled": 0.5613, "step": [0.5, None]}}, "a/b": {"~": -3}}
    (tmp_path / "scores.json").write_text(json.dumps(scores))
    facts = Facts(tmp_path)
    facts.take("test.mase", "scores.json#/test/mase/pooled")
    facts.take("steps", "scores.json#/test/mase/step", "count")
    return facts


def test_a_template_is_filled_from_the_record(facts, tmp_path):
    words = say("Over {steps} steps MASE is {test.mase}.", facts)
    assert [w if isinstance(w, str) else w.text for w in words] == [
        "Over ", "2", " steps MASE is ", "0.561", "."]  # fmt: skip
    assert keys_of("Over {steps} steps MASE is {test.mase}.") == ("steps", "test.mase")
    assert all(resolve(tmp_path, w.source) == w.value for w in words if isinstance(w, Fact))


@pytest.mark.parametrize(
    "template, problem",
    [
        ("It has 3 steps.", "no numerals, got 'It has 3 steps.'"),
        ("R² is {test.mase}.", "no numerals"),
        ("½ of {steps}", "no numerals"),
        ("It is {test.mas}.", r"no fact 'test.mas' .* Did you mean 'test.mase'"),
        ("It is {test.mase:.1f}.", "a placeholder is a key alone"),
        ("It is {test.mase!r}.", "a placeholder is a key alone"),
    ],
)
def test_what_is_no_template_is_refused(facts, template, problem):
    with pytest.raises(ValueError, match=problem):
        say(template, facts)


def test_what_is_not_in_the_record_is_no_fact(facts):
    for source in ("scores.json#/test/mase/step/1", "scores.json#/test/mae", "none.json#/x"):
        assert facts.take("x", source) is None and "x" not in facts
    assert facts.take("y", "scores.json#/a~1b/~0").value == -3
    assert at([{"x": 1}], "/0/x") == 1 and at([], "/0") is None and at({}, "") == {}


def test_numbers_are_read_to_three_figures_with_a_true_minus():
    seen = {0.5613: "0.561", 15.04: "15.0", 1520.4: "1,520", -0.0012345: "−0.00123", 0.0: "0.00",
            999.96: "1,000", 3e-7: "3e−07", 12: "12", 12345: "12,345"}  # fmt: skip
    assert {value: figures(value, None) for value in seen} == seen
    assert figures(-0.0004, 2) == "0.00" and figures(2.5e9, 0) == "2,500,000,000"
    assert Fact(0.4712, "", "percent", 1).text == "47.1 %"
    assert Fact(0.012, "", "p").text == "p = 0.012" and Fact(1e-9, "", "p").text == "p < 0.001"
    told = [Fact(p, "", "p").text for p in (0.0496, 0.0499996, 0.05, 0.0504)]  # none crosses 0.05
    assert told == ["p = 0.0496", "p = 0.0499996", "p = 0.05", "p = 0.05"]
    ends = [Fact(p, "", "p of KPSS").text for p in (0.01, 0.043, 0.1)]
    assert ends == ["p ≤ 0.01", "p = 0.043", "p ≥ 0.1"]


def test_of_an_even_number_of_nodes_the_median_error_lies_between_two():
    found = nodes([0.4, None, 0.1, 0.2, 0.7], list("abcde"))
    assert found["median"] == pytest.approx(0.3) and found["count"] == 4
    assert (found["best"]["name"], found["worst"]["name"]) == ("c", "e")


def test_a_page_says_where_a_number_stands_and_markdown_does_not(facts):
    words = say("MASE {test.mase}", facts)
    assert as_html(words) == (
        'MASE <data value="0.5613" title="scores.json → test · mase · pooled" '
        'data-from="scores.json#/test/mase/pooled">0.561</data>'
    )
    assert as_markdown(words) == "MASE 0.561"
    name = Fact("<b>*", "status.json#/model", "name")
    assert as_html([name]) == "<strong>&lt;b&gt;*</strong>"
    assert as_markdown([name]) == r"**&lt;b&gt;\***"
