"""Hydra's errors in one line: what was wanted, what came, what to do next."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stsfm import options
from stsfm.conf.schema import Config
from stsfm.mistakes import Mistake, did_you_mean, no_such, said

Composed = Mapping[str, Any]  # plain, not resolved, with its `choices`

WANTED = [  # what OmegaConf says → what it wanted
    (r"could not be converted to Integer", "a whole number"),
    (r"could not be converted to Float", "a number"),
    (r"is not a valid bool", "true or false"),
    (r"is not a ListConfig", "a list, such as [a,b]"),
    (r"is not Optional", "a value"),
]
NOISE = re.compile(
    r"full_key:|object_type=|reference_type=|See http|To append|Search path|Set the env"
)


def mistake(error: Exception, configs: Iterable[Composed], open_below: tuple[str, ...]) -> Mistake:
    """The same error for the user; `configs` are composed only if keys are to be compared."""
    text, cause = str(error), str(error.__cause__ or "")
    place = re.search(r"full_key: (\S+)", text)
    if file := getattr(error, "missing_cfg_file", None):
        return _no_choice(file, text, getattr(error, "options", None) or [])
    if found := re.match(r"Could not override '(?:[^'@]*@)?([^']+)'", text):  # @ of a borrowed part
        return unknown_key(found[1], configs, open_below)
    if found := re.match(r"Error merging override (.*)", text):
        return Mistake(f"{found[1]}: {_wanted(cause, found[1].partition('=')[2])}")
    if found := re.match(r"In '([^']+)': \w+ raised while composing", text):
        return Mistake(f"{found[1]}.yaml: {_in_file(text)}")
    if found := re.match(r"Missing mandatory value: (\S+)", text):
        key = place[1] if place else found[1]
        return Mistake(f"{key} has no value yet: give it one by {key}=…")
    if found := re.match(r"Mistake raised while resolving interpolation: (.*)", text):
        return Mistake(found[1])
    if found := re.match(r"Interpolation key '([^']+)' not found", text):
        return Mistake(f"{place[1] if place else 'config'}: ${{{found[1]}}} points to no key")
    return Mistake(_short(text, cause))


def unknown_key(key: str, configs: Iterable[Composed], open_below: tuple[str, ...]) -> Mistake:
    """unknown key 'model.layer' of model=lstm. Did you mean 'model.layers'? …

    Of several configs it names the choices that lack the key, and those that have it.
    """
    configs = list(configs) or [{"choices": {}}]
    if key.replace(".", "/") in options.parts():
        return _no_part(key.replace(".", "/"), configs[0])
    lacking = [config for config in configs if key not in set(keys(config))] or configs[:1]
    parent, group = key.rpartition(".")[0], key.partition(".")[0]
    without, every = _of(group, lacking) if parent else [], _of(group, configs)
    having = [name for name in every if name not in without]
    show = f"stsfm show {group}={without[0]}" if without else "stsfm run --cfg job"
    opens = parent.startswith(open_below)
    new = f" A new one is added by +{key}=…" if opens else ""
    of = f" of {group}={','.join(without)}" if without else ""
    but = f"; {group}={','.join(having)} has it: run that by itself" if without and having else ""
    near = _nearest(key, lacking[0], opens)
    if key == "data.space":
        near = " Only data that may have a graph have it."
    return Mistake(f"unknown key '{key}'{of}{but}.{near} `{show}` lists all.{new}")


def _no_part(part: str, config: Composed) -> Mistake:
    """model=naive has no parts: model/embedding=… is a part of model=composed, pca_var"""
    group = part.rpartition("/")[0]
    chosen = config["choices"].get(group)
    has = f"no {part}" if chosen and options.made_of(group, chosen) else "no parts"
    others = f"{group}={', '.join(options.having(part))}"
    return Mistake(f"{group}={chosen or 'null'} has {has}: {part}=… is a part of {others}")


def _of(group: str, configs: Iterable[Composed]) -> list[str]:
    """What was chosen of a group, each once."""
    names = (config["choices"].get(group) for config in configs)
    return [name for name in dict.fromkeys(names) if name]


def _nearest(key: str, config: Composed, opens: bool) -> str:
    """A hint: the same word elsewhere, else a similar word in the same place, else elsewhere."""
    parent, _, word = key.rpartition(".")
    places: dict[str, list[str]] = {}  # last word → the keys that end with it
    for known in [*keys(config), *(group for group in config["choices"] if "/" in group)]:
        places.setdefault(known.rpartition(".")[2], []).append(known)
    here = {last: known for last, known in places.items() if _join(parent, last) in known}
    same = {word: places[word]} if word in places else {}
    for candidates in (same, here, {} if opens else places):
        near = difflib.get_close_matches(word, [w for w in candidates if w[0] != "_"], 2, 0.6)
        if near:
            return said([known for last in near for known in candidates[last]][:3])
    return ""


def _join(parent: str, word: str) -> str:
    return f"{parent}.{word}" if parent else word


def _no_choice(file: str, text: str, choices: Iterable[str]) -> Mistake:
    group, _, name = file.rpartition("/")
    asked = re.match(r"In '((?!config'|hydra)[^']+)'", text)
    note = f" (asked for by {asked[1]}.yaml)" if asked else ""
    return no_such(group, name, (choice for choice in choices if choice[0] != "_"), note)


def _in_file(text: str) -> str:
    """What is wrong with a value or a key in a YAML file."""
    if key := re.search(r"Key '(\w+)' not in", text):
        return f"unknown key {key[1]!r}.{did_you_mean(key[1], Config.__annotations__)}"
    value = re.search(r"Value '([^']*)'", text)
    return _wanted(text.partition("\n")[2], value[1] if value else "")


def keys(config: Composed, path: str = "") -> Iterator[str]:
    """Every dotted key of a composed config."""
    for name, value in config.items():
        if not path and name == "choices":
            continue
        yield f"{path}{name}"
        if isinstance(value, Mapping) and name != "space":  # its keys are those of others again
            yield from keys(value, f"{path}{name}.")


def grammar(text: str) -> Mistake:
    """What cannot be parsed as an override at all."""
    key, equals, _ = text.partition("=")
    if not equals or not re.fullmatch(r"[+~]*\w[\w/]*(\.\w+)*", key):
        return Mistake(
            f"cannot read {text!r}: wanted key=value, as in model=lstm or trainer.lr=0.01"
        )
    advice = f"special characters need quotes, twice for the shell: '{key}=\"a b\"'"
    return Mistake(f"cannot read {text!r}: {advice}, and a list is {key}=[a,b]")


def _wanted(cause: str, value: str) -> str:
    for pattern, words in WANTED:
        if re.search(pattern, cause):
            return f"wanted {words}, got {repr(value) if value else 'nothing'}"
    return _short(cause)


def _short(*texts: str) -> str:
    """The lines that say something, once each."""
    lines = [line.strip() for text in texts for line in text.splitlines()]
    told = dict.fromkeys(line for line in lines if line and not NOISE.match(line))
    return ": ".join(list(told)[:3])
