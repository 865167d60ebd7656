"""Wall clocks and UTC: stamps with offsets, and local stamps through daylight saving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stsfm.datasets.about import DAY, Finding

if TYPE_CHECKING:
    from pandas import Series


def to_utc(wall: np.ndarray, text: Series, zoned: np.ndarray) -> tuple[np.ndarray, list[Finding]]:
    """Wall clocks less the offsets written behind them; days and coarser stay as written.

    A day that begins at midnight in Berlin begins at 22:00 or 23:00 UTC: in UTC it would jump.
    """
    seen = np.unique(wall[~np.isnat(wall)])
    if len(seen) > 1 and np.median(np.diff(seen).astype("int64")) >= DAY:
        return wall, [Finding("offsets", "time", int(zoned.sum()), "dropped: the dates as written")]
    if not zoned[text.notna().to_numpy()].all():
        lacking = int((~zoned & text.notna().to_numpy()).sum())
        raise ValueError(f"{lacking} of the stamps lack the UTC offset that others have: add it")
    parts = text.str.extract(r"(Z|([+-])(\d\d):?(\d\d))$")
    minutes = parts[2].fillna("0").astype(int) * 60 + parts[3].fillna("0").astype(int)
    signed = minutes.to_numpy() * np.where(parts[1].fillna("+") == "-", -1, 1)
    return wall - signed.astype("m8[m]"), [
        Finding("offsets", "time", int(zoned.sum()), "read as UTC")
    ]


def localised(wall: Series, zone: str, by: Series | None) -> tuple[np.ndarray, list[Finding]]:
    """Wall clocks of a zone as UTC. Of the hour that comes twice (in each group of `by`), the
    first is summer time.
    """
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone {zone!r}; wanted one such as Europe/Berlin") from None
    clocks = wall.to_frame("wall") if by is None else wall.to_frame("wall").assign(by=by)
    summer = (~clocks.duplicated()).to_numpy()
    local = wall.dt.tz_localize(zone, ambiguous=summer, nonexistent="NaT")
    skipped = "; hours that it skips are left out" if local.isna().sum() > wall.isna().sum() else ""
    found = [Finding("time zone", "time", 1, f"{zone} read as UTC{skipped}")]
    return local.dt.tz_convert(None).to_numpy().astype("M8[ns]"), found
