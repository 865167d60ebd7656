"""What residuals show of space, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stsfm.significance import ALPHA
from stsfm.words import number, p_value


def sentences(space: Mapping[str, Any] | None) -> Iterator[str]:
    """What scores.json keeps under `space`, a sentence per test; none without any space."""
    if not space:
        return
    if reason := space.get("reason"):
        yield f"Residuals in space: {reason}."
        return
    yield _moran(space)
    yield _whiteness(space["az"])


def _moran(space: Mapping[str, Any]) -> str:
    each, bias = space["moran"]["each"], space["moran"]["bias"]
    if each["i"] is None:
        return f"Moran's I of the residuals: {each['reason']}."
    verdict = {1: "neighbours err alike", -1: "neighbours err against each other",
               0: "no sign that neighbours err alike"}[_sign(each)]  # fmt: skip
    text = (
        f"Residuals one step ahead: {verdict}, Moran's I = {number(each['i'], 2)} "
        f"({p_value(each['p'])}, {each['draws']} permutations of {each['nodes']:,} nodes; "
        f"{space['neighbours']})"
    )
    if bias["i"] is None:
        return f"{text}."
    return f"{text}; of the bias over all steps I = {number(bias['i'], 2)} ({p_value(bias['p'])})."


def _sign(found: Mapping[str, Any]) -> int:
    """Which way an I departs from chance; 0 where it does not."""
    return 0 if found["p"] >= ALPHA else 1 if found["i"] > found["expected"] else -1


def _whiteness(az: Mapping[str, Any]) -> str:
    if az["z"] is None:
        return f"Whiteness of the residuals: {az['reason']}."
    parts = [az["space"], az["time"]]
    if az["time"] is None:
        what, of = "Whiteness in space", f"z = {number(az['z'], 1)}; in time not tested: "
        of += az["missing"]
    else:
        what = "Whiteness in space and time"
        of = f"z = {number(az['z'], 1)}: {number(parts[0], 1)} in space, {number(parts[1], 1)} "
        of += "in time"
    text = f"{what} is{'' if az['p'] < ALPHA else ' not'} rejected (AZ {of}; {p_value(az['p'])})"
    if az["time"] is not None and max(map(abs, parts)) > 3 and parts[0] * parts[1] < 0:
        text += "; the two have opposite signs and cancel in z, so that each counts by itself"
        return f"{text}: structure is left in the residuals."
    return f"{text}: structure is left in the residuals." if az["p"] < ALPHA else f"{text}."
