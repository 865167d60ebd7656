"""From text to a request: the intent by a selector, its slots by what is named and counted.

Nothing is guessed: a slot that is needed and missing, or that fits several choices, is Ambiguous;
what names nothing that there is, is Refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from stsfm.asking.answers import Ambiguous, Refused, Understood
from stsfm.asking.reading import amounts as counted
from stsfm.asking.reading import elsewhere
from stsfm.asking.reading.linking import Mention, alone, by_card, mentions, nearest, strange
from stsfm.asking.reading.names import EMBEDDING, LISTED, Names, Step, registry, squeezed
from stsfm.asking.reading.strangers import strangers
from stsfm.asking.reading.tokens import Token, read
from stsfm.asking.rules import Keywords
from stsfm.asking.selector import REJECT, Selector
from stsfm.asking.spec import Intent, RunSpec
from stsfm.mistakes import did_you_mean, said

OBJECT = {"in", "forecast", "continue", "compare", "embed", "data"}  # what stands before data
BEFORE_A_YEAR = 3  # words between a name and its number, "the Lorenz system of 1963"
BEFORE_A_LAW = 6  # words between "given" and the equation


def resolve(
    text: str,
    selector: Selector | None = None,
    names: Names | None = None,
    *,
    data: str | None = None,
    step: Callable[[str], Step] | None = None,
) -> Understood:
    """What a prompt asks for. Ambiguous or Refused where that is not one request.

    data   a dataset or a file, in place of whatever the prompt says
    step   of a dataset or a file, as (15, "minute"); else what cards say is all that is known
    """
    names = names or registry()
    tokens = read(text)
    scores = (selector or Keywords(names)).scores(f"{text} [{data}]" if data else text)
    intent = max(scores, key=lambda key: scores[key])
    if intent == REJECT:
        raise Refused("this was not understood as a request that can be answered here")
    elsewhere.code(text, names)
    reader = _Reader(tokens, mentions(tokens, names), names, step or names.step, data)
    return reader.understand(intent, scores[intent])


@dataclass
class _Reader:
    """Fills the slots of one intent, and notes how."""

    tokens: Sequence[Token]
    mentions: Sequence[Mention]
    names: Names
    step: Callable[[str], Step]
    fixed: str | None = None  # data that were given beside the prompt
    found: dict[str, str] = field(default_factory=dict)
    sure: float = 1.0

    @property
    def named(self) -> list[Mention]:
        return [mention for mention in self.mentions if not mention.casual]

    def understand(self, intent: Intent, score: float) -> Understood:
        slots: dict[Intent, Callable[[], Mapping[str, Any]]] = {
            "changepoints": lambda: {"data": self.data(), "detector": self.one("detector")},
            "forecast": lambda: {
                "data": self.data(),
                "models": self.models(most=1),
                **self.numbers(),
            },
            "select": self.selection,
            "compare": lambda: {
                "data": self.data(),
                "models": self.detectors() or self.models(least=2),
                **self.numbers(),
            },
            "explain": lambda: {"run": self.run()},
            "causes": lambda: {"data": self.data()},
            "embed": lambda: {"data": self.data(), "embedding": self.one(EMBEDDING)},
            "list": lambda: {"group": self.group()},
        }
        spec = RunSpec(intent=intent, **slots[intent]())
        self.found["intent"] = f"{intent}, {score:.2f}"
        return Understood(spec, self.found, round(min(score, self.sure), 2))

    # the slots

    def data(self, law: Mention | None = None) -> str:
        """The one dataset, or file, that is named; else the one whose card is told."""
        if self.fixed:
            self.found["data"] = "data="
            return self.fixed
        named = [m for m in self.named if m.of("data") and m is not law]
        named = [m for m in named if not m.of("model")] or named
        if files := [token for token in self.tokens if token.kind == "file"]:
            also = [m for m in named if m.how == "as written" and not m.of("model")]
            also = [m for m in also if alone(self.tokens, m.first)]  # no ring road
            names = {name for m in also for name in m.of("data")}
            self.only("data", sorted({*(token.text for token in files), *names}))
            self.found["data"] = f"{files[0].text!r}, a file"
            return files[0].text
        if not named:
            return self.told()
        for mention in named:
            elsewhere.place(mention, self.tokens, self.mentions, self.names)
        exact = [m for m in named if m.how != "misspelt"] or named
        candidates = sorted({name for m in exact for name in self.narrowed(m, exact)})
        return self.taken("data", exact[0], self.only("data", candidates))

    def narrowed(self, mention: Mention, all_: Sequence[Mention]) -> list[str]:
        """What a mention may mean, where another says more: "pems", then "pems04"."""
        mine = self.numbered(mention, "data")
        others = [set(self.numbered(m, "data")) for m in all_ if m is not mention]
        return next((sorted(o) for o in others if o < set(mine)), mine)

    def numbered(self, mention: Mention, group: str) -> list[str]:
        """What a mention may mean, where a number or a year after it tells: "Lorenz, 1963"."""
        mine = mention.of(group)
        after = self.tokens[mention.last + 1 : mention.last + 1 + BEFORE_A_YEAR]
        numbers = [t.word for t in after if t.kind == "number"]
        told = [
            name
            for name in mine
            if (number := re.sub(r"\D", "", name))
            and any(n in (number, f"19{number}", f"20{number}") for n in numbers[:1])
        ]
        return told if len(mine) > 1 and len(told) == 1 else mine

    def told(self) -> str:
        sure = [mention for mention in self.mentions if mention.how != "misspelt"]
        taken = {k for m in sure for k in range(m.first, m.last + 1)}
        if candidates := by_card(self.tokens, self.names, taken):
            self.found["data"] = f"{candidates[0]}, by its card"
            self.sure = min(self.sure, 0.8)
            return self.only("data", candidates)
        if unknown := self.unknown(taken):
            near = nearest(squeezed(unknown), map(squeezed, self.names.of("data")), hint=True)
            hints = [name for name in self.names.of("data") if squeezed(name) in near]
            raise Refused(f"no dataset named {unknown!r}.{said(hints)} `stsfm list data` has all")
        raise Ambiguous("data", (), "which data? A name (`stsfm list data`), or data=FILE")

    def unknown(self, taken: set[int]) -> str:
        """What stands where a dataset would, and is none."""
        for k, token in enumerate(self.tokens):
            before = [t for t in self.tokens[max(0, k - 2) : k] if t.word != "to"]
            if before and not before[-1].filler:
                before = before[-1:]
            named = token.slot or OBJECT & {t.concept for t in before}
            if k not in taken and strange(token) and named:
                return token.text
        return ""

    def models(
        self, least: int = 0, most: int = 99, *, no_classes: bool = False
    ) -> tuple[str, ...]:
        """Models in the order of their mention, each once."""
        chosen: list[str] = []
        for mention in self.named:
            options = [] if no_classes and mention.of("class") else mention.of("model")
            if options and not (mention.of("data") and self.is_data(mention)):
                if len(options) > 1:
                    self.only("models", options)
                chosen.append(self.taken("models", mention, options[0]))
        chosen = list(dict.fromkeys(chosen))
        if not no_classes:
            self.all_known("model", calling=["with"] * (len(chosen) < max(least, 1)))
        if len(chosen) < least:
            raise Ambiguous("models", chosen, "which models? Two at least; `stsfm list model`")
        if len(chosen) > most:
            raise Ambiguous("models", chosen, f"one model, or a comparison? {' · '.join(chosen)}")
        return tuple(chosen)

    def detectors(self) -> tuple[str, ...]:
        """Those to be compared, two or more; none where models are."""
        named = [m for m in self.named if m.of("detector") and not m.of("model")]
        models = [m.of("model")[0] for m in self.named if m.of("model") and not m.of("data")]
        chosen = [self.only("models", m.of("detector")) for m in named]
        if chosen and models:
            others = "models forecast and detectors find changes: which are compared?"
            raise Ambiguous("models", [*models, *chosen], f"{others} {', '.join(models)} or "
                            f"{', '.join(chosen)}")  # fmt: skip
        if len(set(chosen)) < 2:
            return ()
        return tuple(dict.fromkeys(map(partial(self.taken, "models"), named, chosen)))

    def is_data(self, mention: Mention) -> bool:
        """A word for data and models is data where no other is."""
        return not any(m.of("data") and not m.of("model") for m in self.named)

    def all_known(self, kind: str, group: str = "", *, calling: Sequence[str]) -> None:
        """Refused where something stands like a name, and nothing is called so."""
        words = frozenset().union(*self.names.telling.values())
        for text, before in strangers(self.tokens, self.mentions, words, calling=calling,
                                      group="model"):  # fmt: skip
            where = group or kind
            if before == "given":
                kind, where = "equation", "given"
            hint = did_you_mean(text.lower(), self.names.of(where))
            raise Refused(f"no {kind} named {text!r}.{hint} `stsfm list {where}` has all")

    def selection(self) -> dict[str, Any]:
        law = self.law()
        calling = ["among", "from", "из", *["given"] * (law is None)]
        self.all_known("class or model", "class", calling=calling)
        classes = [m for m in self.named if m.of("class") and m is not law]
        named = [self.taken("among", m, m.of("class")[0]) for m in classes]
        models = self.models(no_classes=True)
        among = [name for name in dict.fromkeys(named) if name != "all"]
        among = [*among, *(m for m in models if m not in among)] or ["all"]
        given = (
            self.taken("given", law, self.only("given", self.numbered(law, "given")))
            if law
            else None
        )
        self.found.pop("models", None)
        if models:
            self.found["among"] = ", ".join(among)
        return {"data": self.data(law), "among": tuple(among), "given": given, **self.numbers()}

    def law(self) -> Mention | None:
        """The equation that is given: after such a word, or beside "equation"; else none."""
        laws = [m for m in self.named if m.of("given")]
        data = [m for m in self.named if m.of("data")]
        files = [t for t in self.tokens if t.kind == "file"]
        for mention in laws:
            first, last = mention.first, mention.last
            before = [t.concept for t in self.tokens[max(0, first - BEFORE_A_LAW) : first]]
            beside = self.tokens[max(0, first - 2) : last + 2]
            spare = files or any(m is not mention for m in data) or not mention.of("data")
            lawful = "given" in before or any(t.concept == "equation" for t in beside)
            if spare and (lawful or not mention.of("data")):
                return mention
        return None

    def one(self, group: str) -> str | None:
        """A choice of a group, where one is named."""
        among = self.mentions if group == EMBEDDING else self.named
        named = [m for m in among if m.of(group)]
        slot = group.rpartition("/")[2]
        if slot in ("detector", "embedding"):
            self.all_known(slot, group, calling=["with"] * (not named))
        choices = list(dict.fromkeys(name for m in named for name in m.of(group)))
        return self.taken(slot, named[0], self.only(slot, choices)) if named else None

    def run(self) -> str:
        runs = [token.text for token in self.tokens if token.kind == "run"]
        if runs:
            self.found["run"] = repr(runs[0])
            return self.only("run", list(dict.fromkeys(runs)))
        if last := next((token for token in self.tokens if token.concept == "last"), None):
            self.found["run"] = f"{last.text!r}"
            return "last"
        raise Ambiguous("run", (), "which run? Its folder, its id, or the last (`stsfm ls`)")

    def group(self) -> str:
        spoken = [t for t in self.tokens if t.concept in LISTED]
        if not spoken and any(t.concept == "series" for t in self.tokens):
            return "data"
        if not spoken:
            raise Ambiguous("group", LISTED, f"a list of what? {', '.join(LISTED)}")
        special = [t for t in spoken if t.concept not in ("data", "model")] or spoken
        self.found["group"] = repr(special[0].text)
        return special[0].concept

    def numbers(self) -> dict[str, Any]:
        """Horizon, seeds, budget and the metric that decides."""
        taken = frozenset(k for m in self.mentions for k in range(m.first, m.last + 1))
        found = counted.amounts(self.tokens, taken)
        if not found.horizon:
            counted.numbered(self.tokens)
        numbers: dict[str, Any] = {"metric": self.one("metric")}
        for slot in ("horizon", "seeds", "budget"):
            if amount := getattr(found, slot):
                self.found[slot] = repr(amount.said)
        if found.horizon:
            data = self.data(self.law())
            size = self.step(data) if found.horizon.unit != "step" else None
            numbers["horizon"] = counted.steps(found.horizon, size, data)
        if found.seeds:
            numbers["seeds"] = counted.whole(found.seeds, "seeds")
        if found.budget:
            numbers["budget"] = counted.seconds(found.budget)
        return numbers

    # what they share

    def only(self, slot: str, candidates: Sequence[str]) -> str:
        if len(candidates) > 1:
            raise Ambiguous(slot, candidates, f"which {slot}? {', '.join(candidates)}")
        return candidates[0]

    def taken(self, slot: str, mention: Mention, name: str) -> str:
        text = " ".join(t.text for t in self.tokens[mention.first : mention.last + 1])
        how = f"{text!r}" if re.sub(r"\W", "", text).lower() == re.sub(r"\W|_", "", name) else (
            f"{text!r}, {mention.how}: {name}")  # fmt: skip
        before = self.found.get(slot)
        self.found[slot] = f"{before}; {how}" if before and how not in before else how
        self.sure = min(self.sure, mention.sure)
        return name
