"""What is said of changes, and how they were found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from stsfm.datasets.panel import Array, Panel
from stsfm.models.analyser import listed
from stsfm.models.segmenter import Change, Track


def names(panel: Panel) -> tuple[str, ...]:
    """Of the target series, nodes before channels."""
    nodes, channels = panel.about.nodes, panel.about.channels
    if len(nodes) == 1:
        return tuple(channels)
    return tuple(
        node if len(channels) == 1 else f"{node} {channel}"
        for node in nodes
        for channel in channels
    )


def called(own: Sequence[str], panel: Panel, every: int) -> str:
    """A track by what it is of."""
    if len(own) == 1:
        return own[0]
    if len(own) == every:
        return "all series"
    return panel.about.nodes[0] if panel.nodes == 1 else own[0].rpartition(" ")[0]


def said(
    tracks: Sequence[Track], x: Array, seen: Array, panel: Panel, level: float
) -> tuple[str, ...]:
    """A sentence for each change, and one for all in which none was found."""
    when, out = _stamps(panel), []
    for track in tracks:
        edges = [0, *(change.row for change in track.changes), len(x)]
        for change, start, end in zip(track.changes, edges, edges[2:], strict=False):
            moves = _moves(track, x, seen, start, change.row, end)
            out.append(
                f"{track.name} changes at {when[change.row]} ({100 * level:g} % interval "
                f"{when[change.low]} … {when[change.high]}; {_chance(change)}){moves}."
            )
    for track in tracks:
        if why := track.facts.get("why"):
            out.append(f"Nothing can be said of changes of {track.name}: {why}.")
    still = [t for t in tracks if not t.changes and "why" not in t.facts]
    if still:
        p = min(float(t.facts["gate"]) for t in still)
        least = "p" if len(still) == 1 else "least p"
        out.append(f"No change of level or trend is claimed in {listed([t.name for t in still])}: "
                   f"what moves there, noise of the same memory shows as well ({least} = "
                   f"{p:.2g}).")  # fmt: skip
    near = [t.name for t in tracks if t.changes and t.facts.get("bounded") == "yes"]
    if near:
        out.append(f"What is left of {listed(near)} about the segments is near a random walk: the "
                   "changes describe its path, and are no proof of a cause.")  # fmt: skip
    return tuple(out)


def noted(
    tracks: Sequence[Track],
    season: int,
    logs: bool,
    alpha: float,
    surrogates: int,
    panel: Panel,
    draws: int,
) -> tuple[str, ...]:
    """How it was done, and what was not tested.

    draws  surrogates that the price was set on, 0 where it was not
    """
    taken = [t for t in tracks if float(t.facts.get("strength", 0)) > 0.64]
    adjusted = (
        f"The season of {season} steps was taken off {listed([t.name for t in taken])} first (STL)."
    )
    many = (
        f"Each of {len(tracks)} is tested by itself: {alpha * len(tracks):.2g} of them are "
        "expected to show a change where none has any."
    )
    gaps = int((~panel.mask).sum())
    notes = (
        f"A change is claimed where p ≤ {alpha:g}, by the gain of one or by what several explain: "
        f"p is the rank of the rarer of the two among {surrogates} autoregressive surrogates, "
        "which have the memory of the series and no change.",
        f"The price of a change is set on {draws} surrogates of what is left about the segments."
        if draws
        else "The price of a change is its chance a priori: it is not set on surrogates.",
        "Logarithms were searched: levels and lines are of these." if logs else "",
        adjusted if taken else "",
        many if len(tracks) > 1 else "",
        f"{gaps:,} of {panel.mask.size:,} cells were missing, and count nowhere." if gaps else "",
        "Changes of variance, of memory or of the dependence between series were not looked for: "
        "of the first, model=residuals model.watch=spread knows, of the last model=metric_tensor.",
    )
    return tuple(filter(None, notes))


def _chance(change: Change) -> str:
    return f"p = {change.p:.2g}"


def _moves(track: Track, x: Array, seen: Array, start: int, row: int, end: int) -> str:
    """From which mean to which, of a single series."""
    if len(track.series) != 1:
        return ""
    s = track.series[0]
    before, after = (x[a:b, s][seen[a:b, s]] for a, b in pairwise((start, row, end)))
    return f": its mean goes from {before.mean():,.4g} to {after.mean():,.4g}"


def _stamps(panel: Panel) -> Sequence[str]:
    """Dates as fine as those of the data, or numbers of rows."""
    if not panel.about.step:
        return [f"row {row}" for row in range(len(panel))]
    moments = panel.time.astype("M8[ns]")
    unit = next((u for u in "YMDm" if (moments.astype(f"M8[{u}]") == moments).all()), "s")
    return [str(moment).replace("T", " ") for moment in moments.astype(f"M8[{unit}]")]
