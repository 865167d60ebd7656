"""States as a panel, for dynamics that are models of panels."""

from __future__ import annotations

from stsfm.datasets.panel import About, Array, Panel


def panel_of(states: Array, seen: Array, rows: Panel) -> Panel:
    """States (*b, t, d) as a panel of one node, with the stamps and covariates of `rows`."""
    shared = rows.known.shape[-2] == 1  # covariates of nodes are none of a state
    about = About(
        name="states",
        nodes=("state",),
        channels=tuple(f"z{k + 1}" for k in range(states.shape[-1])),
        season=rows.about.season,
        covariates=rows.about.covariates if shared else (),
        kinds=rows.about.kinds if shared else (),
    )
    known = rows.known if shared else None
    values, mask = states[..., None, :], seen[..., None, :]
    return Panel(values=values, mask=mask, time=rows.time, about=about, known=known)
