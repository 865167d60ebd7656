"""Waves are found between the bins of a transform, continued exactly, and lose nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_spectra import split

from stsfm.datasets.windows import Frame
from stsfm.models.embedding.fourier import Fourier as Coefficients
from stsfm.models.embedding.fourier import waves
from stsfm.models.fourier import Fourier

FREQUENCIES = (0.0513, 0.1271, 0.3307)  # of no bin


def sounding(rows: int) -> np.ndarray:
    t = np.arange(rows)
    waves = [
        a * np.cos(2 * np.pi * f * t + a) for a, f in zip((2, 1, 0.5), FREQUENCIES, strict=True)
    ]
    return (np.sum(waves, 0) + 0.01 * t - 3)[:, None]


@pytest.mark.parametrize("harmonics", [3, "auto"])
def test_true_waves_are_continued_exactly(harmonics) -> None:
    train, test = split(sounding(320), 100)
    model = Fourier(context=80, harmonics=harmonics, trend="line")
    made = model.fit(train, train.subset(slice(0, 0))).backtest(test).point
    np.testing.assert_allclose(model.frequencies_[0, 0][:3], FREQUENCIES, atol=1e-10)
    np.testing.assert_allclose(made, test.futures().values, atol=1e-7)
    parts = model.states(test)["components"]
    np.testing.assert_allclose(parts.sum(0), test.panel.values[:, 0, 0], atol=1e-12)


def test_waves_are_read_from_what_was_observed() -> None:
    train, test = split(sounding(320), 100)
    model = Fourier(context=80, harmonics=3, trend="line").fit(train, train)
    past, future = test.look_back(80).take(slice(None))
    mask = np.random.default_rng(0).random(past.mask.shape) > 0.3
    past = replace(past, mask=mask, values=past.values * mask)
    made = model.predict(past, future.blank()).point
    np.testing.assert_allclose(made, future.values, atol=1e-7)


@pytest.mark.parametrize("rows", [7, 12])
def test_all_coefficients_keep_lengths_and_lead_back(rows: int) -> None:
    frames = np.random.default_rng(1).standard_normal((2, 40, 3))
    part = Coefficients(context=rows, dim="all", keep="lowest")
    part.fit(
        frames[0], Frame(context=rows, horizon=1, nodes=3, channels=1, targets=(0,), covariates=0)
    )
    states = part.encode(frames)
    assert states.shape == (2, 40 - part.lost_, part.size_)
    np.testing.assert_allclose(part.decode(states), frames[:, part.lost_ :], atol=1e-12)
    lengths = np.lib.stride_tricks.sliding_window_view(frames**2, rows, axis=1).sum((-2, -1))
    np.testing.assert_allclose((states**2).sum(-1), lengths, rtol=1e-12)
    basis, ours = waves(rows), np.fft.rfft(np.eye(rows), axis=0, norm="ortho")
    np.testing.assert_allclose(basis[:, 1], ours[1].real * 2**0.5, atol=1e-12)
    np.testing.assert_allclose(basis[:, 2], -ours[1].imag * 2**0.5, atol=1e-12)


def test_the_strongest_coefficients_are_those_of_the_wave() -> None:
    frames = np.cos(2 * np.pi * np.arange(60) / 4)[:, None]
    part = Coefficients(context=12, dim=2, keep="strongest")
    part.fit(frames, Frame(context=12, horizon=1, nodes=1, channels=1, targets=(0,), covariates=0))
    np.testing.assert_allclose(part.decode(part.encode(frames)), frames[11:], atol=1e-12)
