"""The figures of a run. Nothing heavy is imported until one is drawn; pyplot never is."""

from __future__ import annotations

import json
from pathlib import Path

from stsfm.files import write
from stsfm.plots.story import Story

__all__ = ["Story", "draw"]


def draw(story: Story, folder: Path) -> list[Path]:
    """Write every figure that the story has something for, as PNG and SVG, and captions.json.

    Returns the PNG files in reading order; each SVG lies beside its PNG. captions.json maps the
    name of each PNG to its caption.
    """
    from matplotlib import rc_context

    from stsfm.plots import calibration, forecasts, horizon, loss, protocol, residuals, stack, style
    from stsfm.plots.space import errors, fields, steps
    from stsfm.plots.states import course, impulse, portrait, spectrum

    folder.mkdir(parents=True, exist_ok=True)
    drawn, captions = [], {}
    with rc_context(style.STYLE):
        for figure in (
            protocol.protocol, forecasts.forecasts, horizon.horizon, calibration.calibration,
            residuals.residuals, errors.error_map, steps.node_steps, errors.degree, fields.fields,
            portrait.portrait, course.coordinates, course.components, spectrum.spectrum,
            impulse.impulse, impulse.reconstruction, stack.layers, loss.loss,
        ):  # fmt: skip
            if (made := figure(story)) is None:
                continue
            path = style.save(made[0], folder, figure.__name__)
            captions[path.name] = made[1]
            drawn.append(path)
    write(folder / "captions.json", json.dumps(captions, indent=2, ensure_ascii=False) + "\n")
    return drawn
