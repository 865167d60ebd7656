"""Space in results: where the nodes are, who neighbours whom, and what residuals show of it."""

from stsfm.spatial.diagnosis import diagnosis
from stsfm.spatial.place import Neighbours, Place

__all__ = ["Neighbours", "Place", "diagnosis"]
