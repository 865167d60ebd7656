"""Hydra's errors in one line: what was wanted, what came, what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stsfm.mistakes import Mistake, did_you_mean, no_such

Config = Mapping[str, Any]  # plain, not resolved, with its `choices`

WANTED = [  # what OmegaConf says → what it wanted
    (r"could not be converted to Integer", "a whole number"),
    (r"could not be converted to Float", "a number"),
    (r"is not a valid bool", "true or false"),
    (r"is not a ListConfig", "a list, such as [a,b]"),
    (r"is not Optional", "a value"),
]
NOISE = re.compile(r"full_key:|object_type=|reference_type=|See http|To append|Search path|Set the env")


def mistake(error: Exception, configs: Iterable[Config], open_below: tuple[str, ...]) -> Mistake:
    """The same error for the user; `configs` are composed only if keys are to be compared."""
    text = str(error)
    if file := getattr(error, "missing_cfg_file", None):
        group, _, name = file.rpartition("/")
        asked = re.match(r"In '([^']+)'", text)
        note = f" (asked for by {asked[1]}.yaml)" if asked and asked[1] != "config" else ""
        choices = getattr(error, "options", None) or []
        return no_such(group, name, (c for c in choices if c[0] != "_"), note)
    if found := re.match(r"Could not override '([^']+)'", text):
        return unknown_key(found[1], configs, open_below)
    if found := re.match(r"Error merging override (.*)", text):
        return Mistake(f"{found[1]}: {_wanted(str(error.__cause__), found[1])}")
    if found := re.match(r"Missing mandatory value: (\S+)", text):
        return Mistake(f"{found[1]} has no value yet: give it one by {found[1]}=…")
    if found := re.match(r"Interpolation key '([^']+)' not found", text):
        key = re.search(r"full_key: (\S+)", text)
        return Mistake(f"{key[1] if key else 'config'}: ${{{found[1]}}} points to no key")
    return Mistake(_short(text, str(error.__cause__ or "")))


def unknown_key(key: str, configs: Iterable[Config], open_below: tuple[str, ...]) -> Mistake:
    """unknown key 'model.layer'. Did you mean 'model.layers'? `stsfm show model=lstm` lists all."""
    config: Config = {"choices": {}}
    for config in configs:
        if key not in set(keys(config)):
            break
    root, _, last = key.rpartition(".")
    known = [name for name in [*keys(config), *config["choices"]] if not name.rpartition(".")[2].startswith("_")]
    same = [name for name in known if name.rpartition(".")[2] == last]
    hint = f" Did you mean {' or '.join(map(repr, same[:3]))}?" if same else did_you_mean(key, known)
    group = key.partition(".")[0]
    choice = config["choices"].get(group)
    tell = f"`stsfm show {group}={choice}`" if choice and root else "`stsfm run --cfg job`"
    new = f" A new one is added by +{key}=…" if root.startswith(open_below) else ""
    of = f" of {group}={choice}" if choice and root else ""
    return Mistake(f"unknown key '{key}'{of}.{hint} {tell} lists all.{new}")


def keys(config: Config, path: str = "") -> Iterator[str]:
    """Every dotted key of a composed config."""
    for name, value in config.items():
        if not path and name == "choices":
            continue
        yield f"{path}{name}"
        if isinstance(value, Mapping):
            yield from keys(value, f"{path}{name}.")


def grammar(text: str) -> Mistake:
    """What cannot be parsed as an override at all."""
    key, equals, _ = text.partition("=")
    if not equals:
        return Mistake(f"cannot read {text!r}: wanted key=value, as in model=lstm or trainer.lr=0.01")
    advice = f"special characters need quotes, twice for the shell: '{key}=\"a b\"'"
    return Mistake(f"cannot read {text!r}: {advice}, and a list is {key}=[a,b]")


def _wanted(cause: str, override: str) -> str:
    value = override.partition("=")[2]
    for pattern, words in WANTED:
        if re.search(pattern, cause):
            return f"wanted {words}, got {repr(value) if value else 'nothing'}"
    return _short(cause)


def _short(*texts: str) -> str:
    """The lines that say something, once each."""
    lines = [line.strip() for text in texts for line in text.splitlines()]
    told = dict.fromkeys(line for line in lines if line and not NOISE.match(line))
    return ": ".join(list(told)[:3])
