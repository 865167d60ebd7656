"""Tests that hold their size, or words: statistics on plain arrays, one idea per file."""

from stsfm.significance.longrun import sampling_error
from stsfm.significance.origins import too_few

__all__ = ["sampling_error", "too_few"]
