"""stsfm: compare models on time series that live in space."""

from pathlib import Path

_HOME = Path(__file__).resolve().parent.parent
if (_HOME / "pyproject.toml").is_file() and (_HOME / "stsfm_cli").is_dir():
    # In a checkout the sub-packages datasets, losses, models and conf lie beside this folder;
    # an installed wheel has them inside it.
    __path__.append(str(_HOME))
