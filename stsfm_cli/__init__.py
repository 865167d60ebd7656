"""stsfm: compare models on time series that live in space.

In a notebook: stsfm.run("model=lstm", "data=airline"), stsfm.compare(...), stsfm.load(RUN).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stsfm.notebook import compare as compare
    from stsfm.notebook import load as load
    from stsfm.notebook import run as run

_HOME = Path(__file__).resolve().parent.parent
if (_HOME / "pyproject.toml").is_file() and (_HOME / "stsfm_cli").is_dir():
    # In a checkout the sub-packages datasets, losses, models and conf lie beside this folder;
    # an installed wheel has them inside it.
    __path__.append(str(_HOME))


def __getattr__(name: str) -> Any:
    """The notebook door, which costs nothing until it is opened."""
    if name in ("run", "compare", "load"):
        from stsfm import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'stsfm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "run", "compare", "load"]
