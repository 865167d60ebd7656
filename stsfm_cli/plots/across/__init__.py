"""Figures over several runs, drawn when they are asked for: nothing heavy is imported before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stsfm.files import write

if TYPE_CHECKING:
    from stsfm.plots.across.contest import Contest
    from stsfm.tables.overall import Overall
    from stsfm.tables.table import Table

MANY = 4  # tasks, of more of which only the first figures of each are drawn

__all__ = ["draw"]


def draw(
    tables: Sequence[Table],
    folder: Path,
    *,
    control: str | None = None,
    overall: Overall | None = None,
) -> list[Path]:
    """Write every figure that the runs of some tables have something for, and captions.json.

    tables   one per task; a figure of one of several has its data and horizon in its name
    control  a label or model that gains are measured against; else the classical model that
             validation prefers
    overall  what the tables say together, for a critical-difference diagram

    Returns the PNG files in reading order; an SVG lies beside each. captions.json maps the name of
    a PNG to its caption.
    """
    from matplotlib import rc_context

    from stsfm.plots import style
    from stsfm.plots.across.critical import critical
    from stsfm.plots.across.gather import gather

    folder.mkdir(parents=True, exist_ok=True)
    drawn, captions = [], {}
    contests = gather(tables, control)
    with rc_context(style.STYLE):
        looks = {entry.model: entry.look for contest in contests for entry in contest.entries}
        ranked = overall and overall.ranks and critical(overall.models, overall.ranks, looks)
        if ranked:
            drawn.append(style.save(ranked[0], folder, "ranks"))
            captions[drawn[-1].name] = ranked[1]
        for contest, task in zip(contests, _tasks(contests), strict=True):
            for figure in _figures()[: 3 if len(contests) > MANY else None]:
                if (made := figure(contest)) is None:
                    continue
                path = style.save(made[0], folder, f"{figure.__name__}{task}")
                captions[path.name] = made[1]
                drawn.append(path)
    write(folder / "captions.json", json.dumps(captions, indent=2, ensure_ascii=False) + "\n")
    return drawn


def _figures() -> list:
    """In the order in which a reader wants them."""
    from stsfm.plots.across import (
        cost,
        curves,
        forecasts,
        gains,
        horizon,
        pareto,
        profile,
        response,
        seeds,
        terms,
        where,
    )

    return [
        forecasts.forecasts, horizon.horizon, seeds.seeds, gains.gains, where.where,
        profile.profile, cost.cost, response.response, pareto.pareto, terms.terms,
        curves.curves,
    ]  # fmt: skip


def _tasks(contests: Sequence[Contest]) -> list[str]:
    """What tells the figures of each contest from those of others; "" for one alone."""
    if len(contests) == 1:
        return [""]
    names = [f"-{contest.data}-h{contest.horizon}" for contest in contests]
    prints = [f"-{contest.data}-{contest.protocol.rpartition(' ')[2]}" for contest in contests]
    return names if len(set(names)) == len(names) else prints
