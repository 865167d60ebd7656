"""The waves of a series: frequencies that are fitted, not those of a Fourier transform.

    y[t] ≈ c + d t + Σⱼ aⱼ cos 2πfⱼt + bⱼ sin 2πfⱼt

One after the other: the strongest peak of the periodogram of what is left, then all frequencies
together by Gauss–Newton on the columns and their slopes in f. Bloomfield, Fourier Analysis of Time
Series, 2nd ed. (2000), §3.
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array

FINER = 4  # than the bins of a transform is the first guess
STEPS = 4  # of Gauss–Newton after each wave; the last ones are five times as many


def columns(time: Array, frequencies: Array, *, line: bool, unit: float) -> Array:
    """[1, t / unit, cos 2πft, sin 2πft] at times (t,) in rows, (t, 1 + line + 2 k)."""
    angle = 2 * np.pi * time[:, None] * frequencies
    trend = [np.ones_like(time), time / unit] if line else [np.ones_like(time)]
    return np.column_stack([*trend, np.cos(angle), np.sin(angle)])


def waves(y: Array, seen: Array, most: int, slowest: float, *, line: bool) -> list[Array]:
    """Frequencies of 0, 1 … `most` waves of a series (t,), in cycles a row, the strongest first.

    slowest  no frequency is below it, but for those of a series too short to tell, which are 0
    """
    if seen.sum() < 4 * (most + 1):
        return [np.zeros(k) for k in range(most + 1)]
    time, unit = np.flatnonzero(seen) - float(len(y)), float(len(y))
    known, found = y[seen], [np.zeros(0)]
    bins = np.fft.rfftfreq(FINER * len(y))
    for k in range(most):
        basis = columns(time, found[-1], line=line, unit=unit)
        rest = np.zeros(len(y))
        rest[seen] = known - basis @ np.linalg.lstsq(basis, known, rcond=None)[0]
        power = abs(np.fft.rfft(rest, FINER * len(y))) * (bins >= slowest)
        near = abs(bins[:, None] - found[-1]) < 0.5 / len(y)  # a wave that is there already
        guess = bins[np.where(near.any(1), -1, power).argmax()]
        steps = STEPS * (5 if k == most - 1 else 1)
        found.append(_refined(time, known, np.append(found[-1], guess), slowest, line, steps))
    return found


def _refined(
    time: Array, y: Array, frequencies: Array, slowest: float, line: bool, steps: int
) -> Array:
    """The frequencies from which no small step lowers the squared error; they move half a bin."""
    many, unit, first = len(frequencies), -time[0], frequencies
    for _ in range(steps):
        basis = columns(time, frequencies, line=line, unit=unit)
        weight = np.linalg.lstsq(basis, y, rcond=None)[0][-2 * many :]
        slope = basis[:, -many:] * -weight[:many] + basis[:, -2 * many : -many] * weight[many:]
        slope = slope * (time / unit)[:, None]  # for a change of frequency by 1 / (2π unit)
        change = np.linalg.lstsq(np.column_stack([basis, slope]), y, rcond=None)[0][-many:]
        moved = frequencies + change / (2 * np.pi * unit)
        frequencies = np.clip(moved, first - 0.5 / unit, first + 0.5 / unit).clip(slowest, 0.5)
    return frequencies
