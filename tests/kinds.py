"""The models of conf/model, and one of each kind, which stands for the others where all take long.

What is marked slow is done where STSFM_SLOW=1, as .ci/run sets it.
"""

import os
from pathlib import Path

import pytest

SLOWLY = "STSFM_SLOW" in os.environ
ONE_OF_EACH = {"naive", "linear", "arima", "ensemble", "pca_var", "gru", "stid", "gcn"}
MODELS = sorted(
    file.stem for file in (Path(__file__).parents[1] / "conf" / "model").glob("[!_]*.yaml")
)
ALL_SLOWLY = [
    pytest.param(name, marks=[] if name in ONE_OF_EACH else pytest.mark.slow) for name in MODELS
]
