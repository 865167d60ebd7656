"""Sentences in other words: whatever a model writes, numbers, names and claims stay."""

import json

import pytest

from stsfm.asking.llm.endpoint import Unanswered
from stsfm.asking.llm.exchanges import Exchanges
from stsfm.asking.llm.helped import wording
from stsfm.asking.llm.rewording import faithful, reworded, template
from stsfm.reports.content import Code, Items, Mark, Paragraph, Report, Section
from stsfm.reports.facts import Fact

SCORE = Fact(0.5612, "scores.json#/test/mase/pooled")
MODEL = Fact("gru", "status.json#/model", "name")
SAID = "{a} has a test MASE of {b}, and is not separable from {c}."


@pytest.mark.parametrize(
    "new",
    [
        SAID,
        "{a}, with a test MASE of {b}, is not separable from {c}.",
        "The test MASE of {a} is {b}; it is not separable from {c}.",
    ],
)
def test_other_words_around_the_same_placeholders_are_taken(new):
    assert faithful(SAID, new)


@pytest.mark.parametrize(
    "new",
    [
        "",
        "{a} has a test MASE of {b}, and is not separable.",  # lost
        "{a} has a test MASE of {b}, and is not separable from {c} or {c}.",  # added
        "{c} has a test MASE of {b}, and is not separable from {a}.",  # exchanged
        "{a} has a test MASE of {d}, and is not separable from {c}.",  # another
        "{a} has a test MASE of {b:.3}, and is not separable from {c}.",
        "{a} has a test MASE of {{b}}, and is not separable from {c}.",
        "{a} has a test MASE of {b}, and is not separable from {c} (p = 0.04).",
        "{a} has a test MASE of {b}, and is not separable from {c} at five per cent.",
        "{a} has a test MASE of {b}, and is not separable from {c}, twice.",
        "{a} has a test MASE of {b}², and is not separable from {c}.",
        "{a} has a test MASE of {b}, and is not separable from {c} at Ⅴ.",
        "{a} has a test MASE of {b}, and is separable from {c}.",  # its no is gone
        "{a} has a better test MASE of {b}, and is not separable from {c}.",
        "{a} has a test MASE of {b}, and is never separable from {c}.",
        "{a} has a test MASE of {b}, and is not separable from lstm or {c}.",
        "{a} has a test MASE of {b}, and is not separable from {c}, says Chronos.",
        "{a} has a test MASE of {b} %, and is not separable from {c}.",
        "**{a}** has a test MASE of {b}, and is not separable from {c}.",
        "[{a}](http://evil) has a test MASE of {b}, and is not separable from {c}.",
        "<b>{a}</b> has a test MASE of {b}, and is not separable from {c}.",
        "{a} has a test MASE of {b},\nand is not separable from {c}.",
        "{a} has a test МASE of {b}, and is not separable from {c}.",  # a Cyrillic letter
        SAID + " And so on, and on, and on, and on, and on, and on, and on, and on, and on, to it.",
    ],
)
def test_what_is_lost_added_or_changed_is_thrown_away(new):
    assert not faithful(SAID, new)


def page():
    return [
        Section("Answer", [
            Paragraph([MODEL, " has a test MASE of ", SCORE, "."]),
            Paragraph(["forecast airline 12 steps"], "asked"),
            Code("rm -rf runs"),
            Items([["It is ", Mark("here", "link", "#a"), ", and not there."], ["{no} template"]]),
        ])
    ]  # fmt: skip


class Fake:
    """In the place of an endpoint: what it is asked, and what it answers."""

    model = "toy"

    def __init__(self, *answers):
        self.answers, self.got = list(answers), []

    def answer(self, request):
        self.got.append(request)
        return self.answers.pop(0)


def test_no_number_no_name_and_no_question_is_sent(tmp_path):
    fake = Fake(json.dumps({"sentences": ["The test MASE of {a} is {b}.", "It is not {a}."]}))
    exchanges = Exchanges(tmp_path, fake)
    made = reworded(page(), exchanges)
    exchanges.keep(tmp_path / "prompt")
    sent = json.loads(fake.got[0]["messages"][1]["content"])
    assert sent == {"sentences": ["{a} has a test MASE of {b}.", "It is {a}, and not there."]}
    assert "gru" not in json.dumps(fake.got) and "0.56" not in json.dumps(fake.got)
    first, asked, code, items = made[0].blocks
    assert first.words == ["The test MASE of ", MODEL, " is ", SCORE, "."]
    assert asked == page()[0].blocks[1] and code == Code("rm -rf runs")
    assert items.items[0] == ["It is not ", Mark("here", "link", "#a"), "."]
    assert items.items[1] == ["{no} template"]
    again = reworded(page(), Exchanges(tmp_path, None))
    assert again == made


@pytest.mark.parametrize(
    "answer", ['{"sentences": ["12"]}', "[]", "{}", "nonsense", '{"sentences": 2}']
)
def test_an_answer_that_is_no_list_of_as_many_is_none(tmp_path, answer):
    with pytest.raises(Unanswered):
        reworded(page(), Exchanges(tmp_path, Fake(answer)))


def test_a_sentence_that_does_not_do_stays_and_the_others_are_taken(tmp_path):
    fake = Fake(json.dumps({"sentences": ["The test MASE of {a} is {b}.", 7]}))
    made = reworded(page(), Exchanges(tmp_path, fake))[0].blocks
    assert made[0].words[0] == "The test MASE of " and made[3] == page()[0].blocks[3]


def test_a_report_says_that_its_words_are_a_model_s(tmp_path):
    report = Report("asked", ["airline"], "Made on a day.", page())
    fake, lines = Fake(json.dumps({"sentences": ["The test MASE of {a} is {b}.", ""]})), []
    made = wording(Exchanges(tmp_path, fake), lines.append)(report)
    assert made.about == [
        "airline", "Some sentences are in the words of toy; numbers and names are not."
    ] and not lines  # fmt: skip
    same = wording(Exchanges(tmp_path, Fake('{"sentences": [1, 2]}')), lines.append)(report)
    assert same == report and not lines
    assert wording(Exchanges(tmp_path, None), lines.append)(report) == report
    assert lines[0].startswith("the report is in its own words: no answer to this is kept")


def test_a_template_has_a_letter_for_all_that_is_no_text():
    assert template([MODEL, " is ", Mark("x", "code"), "."]) == "{a} is {b}."
    assert template([MODEL]) == template(["at 5 %"]) == template(["{a}"]) == ""
    assert template([" and ", *[SCORE] * 27]) == ""
