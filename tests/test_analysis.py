"""What drives what, and what is shared: known answers, printed tables, and the command."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stsfm.analyses import _markdown
from stsfm.datasets.panel import About, Panel
from stsfm.models.analyser import series_of
from stsfm.models.analysis.cca import CCA
from stsfm.models.analysis.ccm import CCM
from stsfm.models.numerics.canonical import Canonical
from stsfm.models.numerics.chance import discoveries, phase_surrogates, seasonal_surrogates
from stsfm.plots.analysis import draw

DATA = Path(__file__).parents[2] / "shared" / "data" / "ccm"
shared = pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data")
CAUSAL = {
    "dim": 2, "tau": 1, "theiler": 0, "sizes": [10, 20, 50, 100, 200, 400, 800], "libraries": 8,
    "surrogates": 99, "surrogate": "phase", "lags": 5, "alpha": 0.05, "rows": 1000, "seed": 1,
}  # fmt: skip
SHARED = {
    "groups": "auto", "dim": 2, "lags": 1, "ridge": 0.0, "held_out": 0.3, "shifts": 99,
    "alpha": 0.05, "rows": 1000, "seed": 1,
}  # fmt: skip


def panel_of(table, names=("x", "y"), **about):
    values = np.asarray(table, float)[:, None]
    about = About(name="toy", nodes=("one",), channels=tuple(names), **about)
    time, mask = np.arange(len(values)) * 10**9, np.ones(values.shape, bool)
    return Panel(values=values, mask=mask, time=time, about=about)


def maps(growth, coupling, rows=1000):
    """x and y of the coupled logistic maps; coupling of y on x, and of x on y."""
    found = [(0.4, 0.2)]
    for _ in range(rows - 1):
        x, y = found[-1]
        found.append((x * (growth[0] - growth[0] * x - coupling[0] * y),
                      y * (growth[1] - growth[1] * y - coupling[1] * x)))  # fmt: skip
    return np.array(found)


def skills(found, cause, effect):
    (curve,) = [c for c in found.curves if c.name == f"{cause} → {effect}"]
    return curve.y


def verdicts(found):
    return {row[:2]: row[-1] for row in found.rows}


# ---- cross mapping -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def coupled():
    return CCM(**CAUSAL).analyse(panel_of(maps((3.8, 3.5), (0.02, 0.1))))


def test_coupled_logistic_maps(coupled):
    """As pyEDM has them: the library of the effect predicts the cause."""
    wanted = [0.202, 0.401, 0.643, 0.795, 0.883, 0.940, 0.971]
    assert skills(coupled, "x", "y")[2:] == pytest.approx(wanted[2:], abs=0.03)
    wanted = [0.016, 0.033, 0.102, 0.172, 0.267, 0.399, 0.570]
    assert skills(coupled, "y", "x")[2:] == pytest.approx(wanted[2:], abs=0.03)
    assert verdicts(coupled)["x", "y"] == "drives"
    assert coupled.said[0].startswith("x drives y: the manifold of y predicts x, ρ 0.98 against")


def test_who_is_driven_drives_nobody():
    found = CCM(**CAUSAL).analyse(panel_of(maps((3.7, 3.7), (0.0, 0.32))))
    wanted = [0.643, 0.807, 0.886, 0.938, 0.969]
    assert skills(found, "x", "y")[2:] == pytest.approx([0.667, *wanted[1:]], abs=0.03)
    assert abs(skills(found, "y", "x")[2:]).max() < 0.08
    assert verdicts(found) == {("x", "y"): "drives", ("y", "x"): "not above chance"}
    assert [(link.source, link.target) for link in found.links] == [(0, 1)]


def test_a_strong_drive_looks_mutual_but_for_its_lag():
    """The known failure of cross mapping: y → x rises with the library, though y drives nothing."""
    found = CCM(**CAUSAL).analyse(panel_of(maps((3.8, 3.5), (0.0, 0.32))))
    assert skills(found, "y", "x")[1] > 0.25 and skills(found, "y", "x")[-1] > 0.35
    assert verdicts(found)["x", "y"] == "drives"
    assert verdicts(found)["y", "x"] == "may be synchrony"


def test_two_that_a_third_drives_are_told_by_their_lags():
    z, found = maps((3.9, 3.7), (0, 0))[:, 0], [(0.4, 0.3)]
    for t in range(len(z) - 1):
        x, y = found[-1]
        found.append((x * (3.6 - 3.6 * x - 0.3 * z[t]), y * (3.5 - 3.5 * y - 0.3 * z[t])))
    judged = verdicts(CCM(**CAUSAL | {"sizes": 3}).analyse(panel_of(found)))
    assert set(judged.values()) == {"may be synchrony"}


def test_maps_that_know_nothing_of_each_other():
    found = CCM(**CAUSAL | {"sizes": 3}).analyse(panel_of(maps((3.8, 3.7), (0, 0), 600)))
    assert not found.links


def test_a_common_season_is_no_drive():
    rng, t = np.random.default_rng(0), np.arange(360)
    both = np.stack([np.sin(2 * np.pi * t / 12), np.cos(2 * np.pi * t / 12)], 1)
    panel = panel_of(both + 0.3 * rng.standard_normal(both.shape), season=12)
    keys = {"dim": 4, "sizes": 3, "surrogate": "auto", "theiler": 3}
    found = CCM(**CAUSAL | keys).analyse(panel)
    assert not found.links and "seasonal surrogates" in found.noted[1]


@shared
@pytest.mark.parametrize(
    "file, skipped, cause, effect, wanted",
    [
        ("paramecium_didinium", 0, "didinium", "paramecium",
         [0.717, 0.799, 0.825, 0.827, 0.833, 0.837, 0.843]),
        ("paramecium_didinium", 0, "paramecium", "didinium",
         [0.579, 0.639, 0.649, 0.654, 0.651, 0.651, 0.650]),
        ("paramecium_didinium", 10, "didinium", "paramecium",
         [0.759, 0.843, 0.860, 0.860, 0.858, 0.855]),
        ("paramecium_didinium", 10, "paramecium", "didinium",
         [0.715, 0.792, 0.804, 0.820, 0.828, 0.830]),
        ("sardine_anchovy_sst", 0, "np_sst", "anchovy",
         [0.101, 0.131, 0.145, 0.186, 0.198, 0.211, 0.214, 0.209]),
        ("sardine_anchovy_sst", 0, "anchovy", "np_sst",
         [-0.044, -0.044, -0.054, -0.039, -0.057, -0.053, -0.061, -0.060]),
    ],
)  # fmt: skip
def test_published_cross_maps(file, skipped, cause, effect, wanted):
    table = pd.read_csv(DATA / f"{file}.csv")[skipped:][[cause, effect]]
    sizes = [*range(10, 10 * len(wanted), 10), {7: 69, 6: 59, 8: 75}[len(wanted)]]
    keys = CAUSAL | {"dim": 3, "sizes": sizes, "libraries": 100, "surrogates": 1, "lags": 0}
    found = skills(CCM(**keys).analyse(panel_of(table, (cause, effect))), cause, effect)
    assert found == pytest.approx(wanted, abs=0.03)  # 100 random libraries, as they had
    assert found[-2:] == pytest.approx(wanted[-2:], abs=0.012)


# ---- canonical correlations ----------------------------------------------------------------------


def test_canonical_correlations_are_those_of_scikit_learn_and_of_any_coordinates():
    from sklearn.cross_decomposition import CCA as Iterated

    rng = np.random.default_rng(0)
    common = rng.standard_normal((200, 2))
    x = common @ rng.standard_normal((2, 4)) + rng.standard_normal((200, 4))
    y = common @ rng.standard_normal((2, 3)) + rng.standard_normal((200, 3))
    found = Canonical.of(x, y, dim=3, ridge=0.0)
    theirs = Iterated(3, scale=False, max_iter=100_000, tol=1e-15).fit(x, y).transform(x, y)
    wanted = [np.corrcoef(a, b)[0, 1] for a, b in zip(*(s.T for s in theirs), strict=True)]
    assert found.rho == pytest.approx(wanted, abs=1e-9)
    a, b = found.scores(x, y)
    assert np.cov(a.T) == pytest.approx(np.eye(3), abs=1e-9)
    assert (a * b).sum(0) / 199 == pytest.approx(found.rho)
    moved = Canonical.of(x @ rng.standard_normal((4, 4)) + 3, y @ rng.standard_normal((3, 3)),
                         dim=3, ridge=0.0)  # fmt: skip
    assert moved.rho == pytest.approx(found.rho, abs=1e-9)


def test_with_more_columns_than_rows_only_the_held_out_correlation_means_something():
    noise = np.random.default_rng(1).standard_normal((60, 100))
    names = [f"s{k}" for k in range(100)]
    keys = SHARED | {"groups": {"a": names[:50], "b": names[50:]}, "dim": 1}
    found = CCA(**keys).analyse(panel_of(noise, names))
    (row,) = found.rows
    assert row[4] == pytest.approx(1) and abs(row[3]) < 0.5 and not found.links


def test_groups_that_share_a_component_are_joined():
    rng = np.random.default_rng(4)
    common = rng.standard_normal((400, 1))
    table = np.c_[common + rng.standard_normal((400, 4)), rng.standard_normal((400, 2))]
    keys = SHARED | {"groups": {"a": ["p", "q"], "b": ["r", "s"], "c": ["t", "u"]}}
    found = CCA(**keys).analyse(panel_of(table, "pqrstu"))
    assert [(link.source, link.target) for link in found.links] == [(0, 1)]
    assert "a and b share a component" in found.said[0] and len(found.rows) == 6


# ---- chance --------------------------------------------------------------------------------------


def test_surrogates_keep_what_they_are_to_keep():
    rng, x = np.random.default_rng(0), np.random.default_rng(1).standard_normal(61).cumsum()
    for series in (x, x[:60]):
        made = phase_surrogates(series, 5, rng)
        powers = abs(np.fft.rfft(made, axis=0))
        assert powers == pytest.approx(np.tile(abs(np.fft.rfft(series)), (5, 1)).T)
        assert not np.allclose(made[:, 0], series)
    made = seasonal_surrogates(x[:60], 6, 4, rng)
    left = made - (x[:60].reshape(10, 6).mean(0))[np.arange(60) % 6][:, None]
    wanted = x[:60] - x[:60].reshape(10, 6).mean(0)[np.arange(60) % 6]
    assert np.sort(left, 0) == pytest.approx(np.tile(np.sort(wanted), (4, 1)).T)


def test_discoveries_are_those_of_scipy():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(0).random(20) ** 2
    assert discoveries(p) == pytest.approx(false_discovery_control(p))


# ---- series and the command ----------------------------------------------------------------------


def test_gaps_lie_on_straight_lines_and_constant_series_are_refused():
    panel = panel_of([[0, 1], [5, 2], [2, 0], [3, 5]])
    mask = panel.mask.copy()
    mask[1, 0, 0] = False
    about = panel.about
    panel = Panel(values=panel.values * mask, mask=mask, time=panel.time, about=about)
    x, names, at, note = series_of(panel, 100)
    assert x[:, 0].tolist() == [0, 1, 2, 3] and names == ("x", "y") and at == (0, 0)
    assert "1 of 8 cells" in note
    with pytest.raises(ValueError, match="x does not change in 2 rows"):
        series_of(panel_of([[1, 2], [1, 3]]), 100)


def test_an_analysis_of_a_file_is_kept_and_found_again(desk):
    rows = maps((3.8, 3.5), (0.0, 0.3), 120)
    text = "hare,lynx\n" + "".join(f"{x:.6f},{y:.6f}\n" for x, y in rows)
    (desk.folder / "prey.csv").write_text(text)
    words = ["analyse", "analysis=ccm", "data=prey.csv", "analysis.libraries=4"]
    assert desk(*words) == 0
    shown, folder = desk.out, next((desk.folder / "runs/prey/_analyses/ccm").iterdir())
    assert "hare drives lynx: the manifold of lynx predicts hare" in shown
    names = {file.name for file in folder.rglob("*") if file.is_file()}
    assert names >= {
        "status.json", "config.yaml", "command.txt", "environment.json", "references.bib",
        "analysis.json", "analysis.npz", "table.md", "table.csv", "captions.json",
        "graph.png", "graph.svg", "convergence.png", "convergence.svg",
    }  # fmt: skip
    assert (folder / "command.txt").read_text().startswith("stsfm analyse analysis=ccm data=prey")
    assert "sugihara2012" in (folder / "references.bib").read_text()
    table = list(csv.DictReader((folder / "table.csv").open()))
    assert {row["cause"] for row in table} == {"hare", "lynx"}
    told = desk.json(folder / "analysis.json")
    assert told["links"][0]["from"] == "hare" and told["links"][0]["to"] == "lynx"
    made = (folder / "analysis.npz").stat().st_mtime_ns
    assert desk(*words) == 0 and desk.out == shown
    assert (folder / "analysis.npz").stat().st_mtime_ns == made
    assert desk("clean") == 0 and "_analyses" not in desk.out
    assert desk.runs() == []


@pytest.mark.parametrize(
    "words, said",
    [
        (["data=ring"], "wanted an analysis"),
        (["analysis=cmc"], "Did you mean 'ccm'"),
        (["analysis=ccm", "model=gru"], "an analysis has no 'model'"),
        (["analysis=ccm", "analysis.dims=3"], "Did you mean 'analysis.dim'"),
        (["analysis=ccm", "analysis.tau=0", "data=ring"], "tau must be at least 1, got 0"),
        (["analysis=ccm", "data=airline"], "needs two series, and passengers is alone"),
        (["analysis=ccm", "--verbose"], "unknown option '--verbose'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_costs_a_line(desk, words, said):
    assert desk("analyse", *words) == 2
    assert said in desk.err and len(desk.err.strip().splitlines()) == 1


def test_a_run_analyses_nothing(desk):
    assert desk("run", "analysis=ccm") == 2
    assert "stsfm analyse analysis=ccm" in desk.err


def test_names_of_a_file_are_drawn_as_they_stand(tmp_path):
    """A $ begins no formula, and a | ends no cell."""
    names = ("$\\frac{$", "a|b <b>")
    found = CCA(**SHARED | {"groups": {name: [name] for name in names}, "shifts": 9}).analyse(
        panel_of(maps((3.8, 3.5), (0.02, 0.1), 60), names)
    )
    draw(found, panel_of(np.zeros((60, 2)), names), "toy", tmp_path)
    assert (tmp_path / "graph.png").stat().st_size > 1000
    told = {
        "headline": "toy",
        "columns": found.columns,
        "rows": found.rows,
        "said": (),
        "noted": (),
    }
    (row,) = [line for line in _markdown(told).splitlines() if "frac" in line]
    assert row.replace("\\|", "").count("|") == len(found.columns) + 1
