"""Which terms of a loss a job may have: what they ask of the data has to be stated there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stsfm import teachers
from stsfm.identity import Cut, nets
from stsfm.mistakes import Mistake


def admit(config: Mapping[str, Any], cut: Cut) -> None:
    """Mistake, before anything runs, where a term asks for what there is none of."""
    for net in nets(config["model"]):
        if len(net["loss"]["terms"]) == 1:  # a task alone asks for nothing but what comes
            continue
        from stsfm.build import build_loss

        teachers.check(net["loss"], cut.fingerprint)
        for name, (_, term) in build_loss(net["loss"]).active.items():
            if lacks := term.data - cut.about.states:
                raise Mistake(
                    f"{cut.about.name} states no {' and no '.join(sorted(lacks))}, and the term "
                    f"{name} of the loss needs it; simulated data do, such as data=pendulum"
                )
