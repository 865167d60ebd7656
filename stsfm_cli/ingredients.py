"""What a run is made of, written out, and in what two runs differ.

Data, protocol, model, seed and source each become a flat table of names and values. An ingredient
counts as changed where its digest is another: what does not determine the numbers is not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from stsfm.identity import IDLE, Identity
from stsfm.record import Record
from stsfm.record.choosing import flatten
from stsfm.words import aligned

FACTS = ("rows", "first", "last", "nodes", "channels", "targets", "observed", "season")
ABSENT = "—"
LONGEST = 48  # characters of a value


@dataclass(frozen=True)
class Change:
    """One difference, in words: of which ingredient, what it is called, how it was and is."""

    ingredient: str
    name: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """What determines the numbers of a run: per ingredient its digest, and its names and values."""

    digests: Mapping[str, str]
    tables: Mapping[str, Mapping[str, Any]]  # data, protocol, model, seed, source, in this order

    @classmethod
    def of(cls, identity: Identity, config: Mapping[str, Any], data: Mapping[str, Any]) -> Self:
        """Of a job that is composed; `data` is what data.json would keep."""
        return cls(
            digests={**identity.ingredients, "seed": str(identity.seed)},
            tables={
                "data": _data(config, data),
                "protocol": flatten(dict(data.get("rules", {})), drop=("rows",)),
                "model": _model(config),
                "seed": {} if identity.seed is None else {"seed": identity.seed},
                "source": identity.modules,
            },
        )

    @classmethod
    def kept(cls, run: Record) -> Self:
        """Of a run that was made."""
        identity = Identity(**run.status["identity"])
        return cls.of(identity, run.config, run.read("data.json"))


def changes(old: Ingredients, new: Ingredients) -> list[Change]:
    """What has to be changed in `old` to get `new`, ingredient by ingredient.

    Of another dataset or model only what both have is said beside its name.
    """
    found: list[Change] = []
    another = old.tables["model"]["model"] != new.tables["model"]["model"]
    for name, before in old.tables.items():
        after = new.tables[name]
        if old.digests[name] == new.digests[name]:
            continue
        both = (another and name != "data") or before.get(name) != after.get(name)
        told = pairs(before, after, both=both)
        unkept = name == "source" and not (before and after)  # by older versions
        if unkept or (not told and name != "protocol" and not both):
            told = [("", old.digests[name], new.digests[name])]
        found += [Change(name, *words) for words in told]
    return found


def lines(found: Sequence[Change]) -> list[str]:
    """The changes in columns; an ingredient is named where it begins."""
    begins = [k == 0 or found[k - 1].ingredient != c.ingredient for k, c in enumerate(found)]
    rows = [(c.ingredient if begins[k] else "", c.name, c.old, c.new) for k, c in enumerate(found)]
    widest = max((len(row[2]) for row in rows), default=0)
    told = [(*names, f"{old:{widest}} → {new}") for *names, old, new in rows]
    return list(aligned(told, right=()))


def brief(found: Iterable[Change]) -> str:
    """The changes in one line."""
    return ", ".join(f"{c.name or c.ingredient} {c.old} → {c.new}" for c in found)


def _data(config: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    keys = flatten(dict(config.get("data", {})), "data.", drop=("_target_",))
    facts = {name: data[name] for name in FACTS if name in data}
    facts = {name: list(x) if isinstance(x, tuple) else x for name, x in facts.items()}
    return {
        "data": config.get("choices", {}).get("data"),
        **keys,
        **facts,
        "values": f"digest {str(data.get('panel_sha256'))[:8]}",
    }


def _model(config: Mapping[str, Any]) -> dict[str, Any]:
    """Keys as they are typed: what a net takes from the root is called as it is there."""
    keys = flatten(dict(config.get("model", {})), drop=(*IDLE, "seed"))
    keys.pop("_target_", None)  # that of another choice is another
    typed = {key if key.partition(".")[0] in config else f"model.{key}": keys[key] for key in keys}
    return {"model": config.get("choices", {}).get("model"), **typed}


def pairs(
    old: Mapping[str, Any], new: Mapping[str, Any], *, both: bool = False
) -> list[tuple[str, str, str]]:
    """(name, old, new) of what differs."""
    names = [name for name in {**old, **new} if not both or (name in old and name in new)]
    return [
        (name, shown(old.get(name, ABSENT)), shown(new.get(name, ABSENT)))
        for name in names
        if old.get(name, ABSENT) != new.get(name, ABSENT)
    ]


def shown(value: Any) -> str:
    """A value as it is typed, cut where it is long."""
    words = {"None": "null", "True": "true", "False": "false"}
    text = words.get(str(value), str(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
