"""Say in one sentence what was measured, where and when; and where it is published.

x[t, n] = sin(2π t / 24 + n) + 0.1 ε[t, n]           stands here for what you would read
"""

import numpy as np

from stsfm.datasets.panel import About, Panel

HOUR = 3_600 * 10**9  # ns


def my_data(*, length: int, nodes: int, seed: int) -> Panel:
    """Waves of a day: length × nodes × 1, hourly."""
    if length < 1 or nodes < 1:
        raise ValueError(f"length and nodes must be at least 1, got {length} and {nodes}")
    rng = np.random.default_rng(seed)
    hours = np.arange(length)
    values = np.sin(2 * np.pi * hours[:, None] / 24 + np.arange(nodes))
    values += 0.1 * rng.standard_normal(values.shape)
    mask = np.isfinite(values)  # False where nothing was observed; there the value has to be 0
    return Panel(
        values=np.where(mask, values, 0)[:, :, None],  # (time, node, channel)
        mask=mask[:, :, None],
        time=np.datetime64("2024-01-01", "ns").astype("int64") + HOUR * hours,
        about=About(
            name="my_data",
            nodes=tuple(f"node {n}" for n in range(nodes)),
            channels=("y",),
            season=24,
        ),
    )
