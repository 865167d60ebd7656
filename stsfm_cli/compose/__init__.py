"""What was typed goes in, one plain dict per job comes out; behind it stands Hydra, alone."""

from stsfm.compose.combinations import (
    Combination,
    Composed,
    Known,
    config,
    install_completion,
    jobs,
    parts,
    shown,
    together,
)
from stsfm.compose.subtrees import models

__all__ = [
    "Combination",
    "Composed",
    "Known",
    "config",
    "install_completion",
    "jobs",
    "models",
    "parts",
    "shown",
    "together",
]
