"""In which coordinates data move: known answers, any embedding, and the command."""

import json

import numpy as np
import pytest

from stsfm import completion, compose, options
from stsfm.build import analyser
from stsfm.commands import analyse
from stsfm.datasets.panel import About, Panel
from stsfm.identity import identify_analysis
from stsfm.mistakes import Mistake
from stsfm.models.analysis.states import States
from stsfm.models.embedding.delay import Delay
from stsfm.models.embedding.diffusion_map import DiffusionMap
from stsfm.models.embedding.identity import Identity
from stsfm.models.embedding.pca import PCA

KEYS = {"scaling": "standard", "rows": 5000}


def panel_of(table, mask=None):
    values = np.asarray(table, float)[:, :, None]
    mask = np.ones(values.shape, bool) if mask is None else np.asarray(mask)[:, :, None]
    about = About(name="toy", nodes=tuple(f"n{k}" for k in range(values.shape[1])), channels=("x",))
    return Panel(values=values * mask, mask=mask, time=np.arange(len(values)) * 10**9, about=about)


def mixed(rows=400, nodes=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, nodes)) @ rng.standard_normal((nodes, nodes))


def test_of_principal_components_the_share_is_that_of_variance_and_what_is_lost_without_them():
    table = mixed()
    found = States(embedding=PCA(dim="all"), **KEYS).analyse(panel_of(table))
    share = found.arrays["singular_values"] ** 2 / (found.arrays["singular_values"] ** 2).sum()
    assert found.arrays["share"] == pytest.approx(share)
    assert found.arrays["error_without"] == pytest.approx(share)
    assert found.arrays["error"] == pytest.approx(0, abs=1e-12)
    few = States(embedding=PCA(dim=2), **KEYS).analyse(panel_of(table))
    assert few.arrays["error"] == pytest.approx(share[2:].sum())
    assert f"misses {100 * share[2:].sum():.0f} % of that variance" in few.said[2]
    assert [row[0] for row in few.rows] == ["z1", "z2"] and few.states.shape == (400, 2)


def test_the_timescale_of_an_autoregression_is_that_of_its_coefficient():
    rng, phi = np.random.default_rng(1), np.array([0.8, 0.5])
    x = np.zeros((20_000, 2))
    for t in range(1, len(x)):
        x[t] = phi * x[t - 1] + rng.standard_normal(2)
    found = States(embedding=Identity(), scaling="none", rows=20_000).analyse(panel_of(x))
    faded = np.exp(-1)  # reached between lags 4 and 5, and 1 and 2, where a line is taken
    wanted = [4 + (0.8**4 - faded) / (0.8**4 - 0.8**5), 1 + (0.5 - faded) / 0.25]
    assert found.arrays["timescale"] == pytest.approx(wanted, rel=0.1)
    assert "z1 forgets itself" in found.said[3] and "z2" in found.said[3]


def test_what_does_not_move_is_said():
    found = States(embedding=Identity(), **KEYS).analyse(panel_of(mixed(nodes=2) * [1, 0]))
    assert found.rows[1] == ("z2", 0.0, None, pytest.approx(0, abs=1e-12))
    assert found.said[-1].startswith("1 of 2 do not move")


def test_a_circle_in_many_series_is_two_coordinates_again():
    turn = np.linspace(0, 20 * np.pi, 500, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    table = circle @ np.random.default_rng(2).standard_normal((2, 6))
    embedding = DiffusionMap(
        dim=2, alpha=1.0, width="slope", time=0.0, parsimonious=True, max_points=2000
    )
    found = States(embedding=embedding, scaling="none", rows=5000).analyse(panel_of(table))
    radius = np.linalg.norm(found.states, axis=1)
    assert radius.std() / radius.mean() < 0.35
    assert found.rows[0][3] is None and "no way back by itself" in found.noted[1]


def test_gaps_are_filled_by_what_came_before_and_rows_before_the_first_are_left_out():
    table, mask = mixed(), np.ones((400, 5), bool)
    mask[:7] = False
    mask[100:110, 2] = False
    found = States(embedding=PCA(dim=3), **KEYS).analyse(panel_of(table, mask))
    assert found.first == 7 and len(found.states) == 393
    assert "10 of 1,965 cells were missing" in found.noted[-1]
    poisoned = np.where(mask, table, 1e9)
    again = States(embedding=PCA(dim=3), **KEYS).analyse(panel_of(poisoned, mask))
    assert np.array_equal(again.states, found.states)


def test_states_of_delays_begin_where_a_past_is_whole_and_only_the_last_rows_are_read():
    found = States(embedding=Delay(dim=3, tau=4, theiler=0), scaling="none", rows=100)
    told = found.analyse(panel_of(mixed(nodes=1)))
    assert told.first == 308 and len(told.states) == 92
    assert told.states[0] == pytest.approx(mixed(nodes=1)[[308, 304, 300], 0])


@pytest.mark.parametrize(
    "table, words",
    [
        (np.ones((50, 2)), "nothing changes in 50 rows"),
        (mixed(rows=12, nodes=1), "give 8 states by delay, and 10 are needed"),
    ],
)
def test_data_without_states_are_refused(table, words):
    with pytest.raises(ValueError, match=words):
        States(embedding=Delay(dim=2, tau=4, theiler=0), **KEYS).analyse(panel_of(table))


def test_a_part_speaks_of_the_key_that_was_typed():
    with pytest.raises(ValueError, match=r"analysis\.embedding\.dim=1.*analysis/embedding=delay"):
        States(embedding=PCA(dim=2), **KEYS).analyse(panel_of(mixed(nodes=1)))


# ---- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", options.groups()["model/embedding"])
def test_every_embedding_of_a_model_is_one_of_an_analysis(name):
    config = compose.config(["analysis=states", f"analysis/embedding={name}"])
    assert config["choices"]["analysis/embedding"] == name
    assert "space" not in config["analysis"]["embedding"]
    assert analyser(config["analysis"]).embedding.cite


def test_the_seed_of_a_trained_embedding_is_that_of_its_analysis():
    typed = ["analysis=states", "analysis/embedding=autoencoder"]
    one, two = (
        identify_analysis(compose.config([*typed, f"seed={seed}"]), "toy", "d") for seed in (1, 2)
    )
    assert (one.seed, two.seed) == (1, 2) and one.group == two.group
    other = identify_analysis(compose.config([*typed, "trainer.lr=0.5"]), "toy", "d")
    assert other.group != one.group and "stsfm.models.training" in one.modules
    plain = identify_analysis(compose.config(["analysis=states"]), "toy", "d")
    assert plain.seed is None


def test_an_analysis_is_kept_with_its_table_states_and_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["analysis=states", "analysis/embedding=ssa", "data=airline"]
    assert analyse.main(words) == 0
    (folder,) = (tmp_path / "runs/airline/_analyses/states").iterdir()
    told = json.loads((folder / "analysis.json").read_text())
    assert told["columns"][0] == "coordinate" and not told["links"]
    kept = np.load(folder / "analysis.npz")
    assert kept["z"].shape == (133, len(told["rows"])) and kept["first_row"] == 11
    captions = json.loads((folder / "plots" / "captions.json").read_text())
    assert set(captions) == {"portrait.png", "coordinates.png"}
    assert "broomhead1986" in (folder / "references.bib").read_text()
    assert "analysis/embedding: ssa" in (folder / "config.yaml").read_text()
    first = capsys.readouterr().out
    assert analyse.main(words) == 0 and capsys.readouterr().out == first


@pytest.mark.parametrize(
    "words, told",
    [
        ("analysis=ccm analysis/embedding=lle", "analysis=ccm has no parts"),
        ("analysis/embedding=lle", "is a part of analysis=states"),
        ("analysis=states analysis/embedding=lel", "Did you mean 'lle'?"),
        ("analysis=states analysis.embedding=lle", "a part is chosen with a slash"),
        ("analysis=states model/embedding=lle", "an analysis has no 'model'"),
        ("analysis=states data=airline", "take analysis.embedding.dim=1"),
    ],
)
def test_mistakes_cost_one_line(words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Mistake) as mistake:
        analyse.main(words.split())
    assert told in str(mistake.value) and "\n" not in str(mistake.value)


def test_the_embedding_is_completed():
    typed = ["analyse", "analysis=states", "analysis/embedding=l"]
    assert completion.candidates(typed, ()) == ["analysis/embedding=lle"]
