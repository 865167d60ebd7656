"""What is known of data and of residuals before anyone reads a table: computed once, and kept.

runs/<data>/_cards/<rows and season>/card.json    of the rows that a model may learn from
runs/<data>/<model>/<run id>/diagnosis.json       of what a run has missed
"""

from __future__ import annotations

from pathlib import Path

from stsfm.record import Record

__all__ = ["CARD", "DIAGNOSIS", "card", "card_of", "diagnosis"]
CARD, DIAGNOSIS = "card.json", "diagnosis.json"


def card_of(record: Record) -> Path | None:
    """Where the card of a record's data is kept, made or not; None where nothing says whose."""
    from stsfm.cards.rows import rows_of

    rows = rows_of(record)
    return rows.folder / CARD if rows else None


def card(record: Record) -> Path | None:
    """The card of the rows that a run is trained on, or that a detection or an analysis is of.

    None where these rows can't be had again: the file is gone, or is another.
    """
    path = card_of(record)
    if path is None or path.is_file():
        return path
    from stsfm.cards.rows import make  # statsmodels comes with it

    return path if make(record, path) else None


def diagnosis(run: Record) -> Path | None:
    """What the residuals of a finished run show; None where it kept none."""
    path = run.folder / DIAGNOSIS
    if path.is_file():
        return path
    from stsfm.cards.residuals import diagnose
    from stsfm.files import write_json

    if found := diagnose(run):
        write_json(path, found)
    return path if found else None
