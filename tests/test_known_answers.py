"""Published and hand-computed errors on the airline series, through the command a user types."""

import pytest

LAST_YEAR = ["protocol.test=1960-01"]  # one origin, the last 12 months
PLAIN = ["protocol.transform=none", "protocol.scaling=none"]
HOLT_WINTERS = ["model=ets", "model.seasonal=mul", *PLAIN]
ALONE = ["data=airline", "baselines=[]"]


@pytest.mark.parametrize(
    "words, wanted, within",
    [
        (["model=naive", *LAST_YEAR], 76.00, 0.005),
        (["model=seasonal_naive", *LAST_YEAR], 47.83, 0.005),
        (["model=arima", *LAST_YEAR], 13.25, 0.15),
        ([*HOLT_WINTERS, *LAST_YEAR], 10.0, 0.6),
        (["model=seasonal_naive"], 38.61, 0.005),
        (["model=arima"], 14.97, 0.15),
        (["model=linear"], 20.43, 0.05),
        (["model=linear", "protocol.transform=none"], 15.92, 0.05),
        (HOLT_WINTERS, 20.3, 0.4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mean_absolute_error(desk, words, wanted, within):
    assert desk("run", *ALONE, *words) == 0
    assert desk.mae("airline") == pytest.approx(wanted, abs=within)


def test_mase_is_relative_to_the_training_rows_alone(desk):
    desk("run", "model=seasonal_naive", *ALONE)
    scores = desk.only("seasonal_naive").scores["test"]
    assert scores["mae"]["pooled"] / scores["mase"]["pooled"] == pytest.approx(26.69, abs=0.005)


@pytest.mark.slow
def test_the_lstm_beats_seasonal_naive_by_30_percent_and_says_who_beats_it(desk):
    """The mean over seeds 1–5; hyperparameters were chosen on validation, before 1958."""
    assert desk("run", "model=lstm", "data=airline", "seeds=5") == 0
    maes = [run.scores["test"]["mae"]["pooled"] for run in desk.runs("/lstm/")]
    assert len(maes) == 5
    assert sum(maes) / 5 <= 0.7 * desk.mae("seasonal_naive")
    report = (desk.comparison() / "table.md").read_text()
    assert "lstm loses to linear" in report and "arima" in report.split("also ahead of it:")[1]
