"""Datasets that have a name: each reads files of its format, and its page says what it is.

What cannot be had here is tested on small files of the same format; what can, on the files.
"""

import gzip
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from pages import ROOT, Page

from stsfm.build import build
from stsfm.datasets.places import places_of
from stsfm.datasets.tgcn import filled
from stsfm.mistakes import Mistake
from stsfm.targets import sentence

SHARED = ROOT.parent / "shared" / "data"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the published files lie beside no checkout")
LA = ("773869", "767541", "767542")
BAY = ("400001", "400017", "400030")
ROWS = 6
RNG = np.random.default_rng(0)
SPEEDS = RNG.uniform(20, 70, (ROWS, 3)).round(2)


def stamped(names, start="2016-07-01", step="h", name="date", values=SPEEDS):
    time = np.datetime64(start, "s") + np.arange(len(values)) * np.timedelta64(1, step)
    rows = [f"{t}".replace("T", " ") for t in time]
    cells = [",".join(map(str, row)) for row in values]
    return "\n".join([",".join([name, *names]), *map(",".join, zip(rows, cells, strict=True))])


def plain(names, values=SPEEDS):
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in values)])


ADJACENCY = "1,0.5,0\n0.5,1,0\n0,0,1"
ROADS = "from,to,cost\n{0},{0},0\n{0},{1},100\n{1},{2},200\n9,{0},5\n"
PAIRS = "from,to,cost\n0,1,310.6\n1,2,330.9\n"
CHICKENPOX = json.dumps(
    {"edges": [[0, 0], [0, 1], [1, 2]], "node_ids": {"B": 1, "A": 0, "C": 2},
     "FX": SPEEDS.tolist()}
)  # fmt: skip
FLOWS = np.stack([SPEEDS, SPEEDS / 100, SPEEDS], -1)
ETT = stamped(("HUFL", "HULL", "OT"))
FILES = {  # dataset → file → what it holds
    **{f"ett{k}": {f"ETT{k}.csv": ETT} for k in ("h1", "h2", "m1", "m2")},
    "electricity": {"electricity.csv": stamped(("0", "1", "OT"))},
    "exchange_rate": {"exchange_rate.csv": stamped(("0", "1", "OT"), step="D")},
    "traffic": {"traffic.csv": stamped(("0", "1", "OT"))},
    "weather": {"weather.csv": stamped(("p (mbar)", "T (degC)", "OT")).encode("cp1252")},
    "chickenpox": {"chickenpox.json": CHICKENPOX},
    "los_loop": {"los_speed.csv": plain(LA), "los_adj.csv": ADJACENCY},
    "sz_taxi": {"sz_speed.csv": plain(("90217", "90218", "90219")), "sz_adj.csv": ADJACENCY},
    "metr_la": {"METR-LA.csv": stamped(LA, name=""), "distances_la_2012.csv": ROADS.format(*LA)},
    "pems_bay": {
        "PEMS-BAY.csv": stamped(BAY, name=""), "distances_bay_2017.csv": ROADS.format(*BAY)[13:],
    },
    "pems03": {
        "PEMS03.npz": FLOWS[..., :1], "PEMS03.csv": ROADS.format("7", "8", "9")[:-8],
        "PEMS03.txt": "7\n8\n9\n",
    },
    **{f"pems0{k}": {f"PEMS0{k}.npz": FLOWS, f"PEMS0{k}.csv": PAIRS} for k in (4, 8)},
    "pems07": {"PEMS07.npz": FLOWS[..., :1], "PEMS07.csv": PAIRS},
}  # fmt: skip
GRAPHS = {
    "chickenpox", "los_loop", "sz_taxi", "metr_la", "pems_bay", "pems03", "pems04", "pems07",
    "pems08",
}  # fmt: skip


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A function that lays the files of a dataset into a folder, and no way to fetch others."""
    monkeypatch.setenv("STSFM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("stsfm.datasets.reading.download.urlopen", refused)

    def laid(name: str) -> Path:
        for file, held in FILES[name].items():
            path = tmp_path / file
            if isinstance(held, np.ndarray):
                np.savez(path, data=held)
            else:
                path.write_bytes(held if isinstance(held, bytes) else held.encode())
        return tmp_path

    return laid


def refused(*_, **__):
    raise OSError("no network")


def settings(name, **keys):
    return yaml.safe_load((ROOT / f"conf/data/{name}.yaml").read_text()) | keys


def panel_of(name, path, **keys):
    return build(settings(name, path=str(path), **keys), path="data")


def test_every_dataset_that_is_fetched_is_tested_here():
    folder = (ROOT / "conf/data").glob("*.yaml")
    named = {p.stem for p in folder if "path" in yaml.safe_load(p.read_text())}
    assert named - {"tabular", "grid", "mapped", "tcpd"} == set(FILES)
    assert {name for name in FILES if "space" in settings(name)} == GRAPHS


@pytest.mark.parametrize("name", FILES)
def test_a_dataset_reads_its_format(name, files):
    panel, about = panel_of(name, files(name)), None
    about = panel.about
    assert about.name == name and len(panel) == ROWS and panel.mask.all()
    assert panel.values.flags.c_contiguous
    cells = panel.values[..., 0] if panel.nodes > 1 else panel.values[:, 0]
    np.testing.assert_array_equal(cells, SPEEDS)
    assert len(about.digest) == 64 and about.source and about.licence and about.suggests["horizon"]
    if name in GRAPHS:
        graph = panel.space.adjacency
        assert graph.shape == (3, 3) and graph[0, 1] > 0 and not graph.diagonal().any()
        assert panel_of(name, files(name), space="shuffled").space.graph == "shuffled"


@pytest.mark.parametrize("name", sorted(GRAPHS - {"chickenpox"}))
def test_without_a_graph_its_file_is_not_asked_for(name, files):
    folder = files(name)
    for file in list(FILES[name])[1:2]:
        (folder / file).unlink()
    with pytest.raises(Mistake, match="cannot be fetched"):
        panel_of(name, folder)
    for space in ("none", "learned"):
        assert panel_of(name, folder, space=space).space.adjacency is None


@pytest.mark.parametrize("name", FILES)
def test_offline_it_says_which_file_to_put_where(name, files, tmp_path):
    with pytest.raises(Mistake, match="cannot be fetched") as refused:
        build(settings(name), path="data")
    file = next(iter(FILES[name]))
    assert f"put it at {tmp_path / 'cache' / file}" in str(refused.value)


def test_the_page_says_what_each_dataset_is(files):
    """Its table is what the panels say of themselves."""
    lines = Page("docs/datasets.md").text.splitlines()
    rows = [line for line in lines if line.startswith("| `") and line.count(" | ") == 8]
    wanted = []
    for name in sorted(FILES):
        module, _, function = settings(name)["_target_"].rpartition(".")
        source = importlib.import_module(module)
        known = source.DISTRICTS[name].flows if "pems0" in name else source.SOURCES[name]
        about = panel_of(name, files(name)).about
        units = about.units[0] if len(set(about.units)) == 1 and about.units[0] else "several"
        cells = (
            f"`{name}`", sentence(getattr(source, function).__doc__), about.step, str(about.season),
            units, about.family, about.licence, f"<{known.home}>",
            "known" if known.sha256 else "first use",
        )  # fmt: skip
        wanted.append(f"| {' | '.join(cells)} |")
    assert rows == wanted


# ---- formats -------------------------------------------------------------------------------------


def test_zeros_of_detectors_are_missing(files):
    folder = files("metr_la")
    values = SPEEDS.copy()
    values[2, 1] = 0
    (folder / "METR-LA.csv").write_text(stamped(LA, name="", values=values))
    panel = panel_of("metr_la", folder)
    assert not panel.mask[2, 1, 0] and panel.mask.sum() == values.size - 1
    assert panel_of("metr_la", folder, zeros="observed").mask.all()


def test_a_table_of_pandas_in_hdf5(files):
    h5py = pytest.importorskip("h5py", reason="needs the extra hdf5")
    folder = files("metr_la")
    stamps = np.datetime64("2012-03-01", "ns") + np.arange(ROWS) * np.timedelta64(5, "m")
    with h5py.File(folder / "metr-la.h5", "w") as file:  # as pandas 0.2x laid it out
        table = file.create_group("df")
        for axis in ("axis0", "block0_items"):
            table[axis] = np.array(LA, "S")
        table["axis1"] = stamps.astype("int64")
        table["axis1"].attrs["kind"] = b"datetime64"
        table["block0_values"] = SPEEDS
    panel = panel_of("metr_la", folder / "metr-la.h5")
    np.testing.assert_array_equal(panel.values[..., 0], SPEEDS)
    np.testing.assert_array_equal(panel.time, stamps.astype("int64"))
    assert panel.about.nodes == LA and panel.space.adjacency[0, 1] > 0


def test_a_table_without_names_has_no_graph_to_lay_over_it(files):
    folder = files("metr_la")
    np.savez(folder / "data.npz", SPEEDS)
    with pytest.raises(Mistake, match="does not name its sensors"):
        panel_of("metr_la", folder / "data.npz")
    panel = panel_of("metr_la", folder / "data.npz", space="none")
    assert np.array(panel.time[:2]).astype("M8[ns]").astype(str).tolist() == [
        "2012-03-01T00:00:00.000000000", "2012-03-01T00:05:00.000000000",
    ]  # fmt: skip


def test_text_as_lstnet_has_it(files):
    """Without stamps, packed or not: the days that its authors name."""
    text = "\n".join(",".join(map(str, row)) for row in SPEEDS)
    folder = files("electricity")
    (folder / "electricity.txt.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "exchange.txt").write_text(text)
    panel = panel_of("electricity", folder / "electricity.txt.gz")
    np.testing.assert_array_equal(panel.values[..., 0], SPEEDS)
    assert panel.time[0] == np.datetime64("2012-01-01", "ns").astype(int)
    assert panel_of("exchange_rate", folder / "exchange.txt").about.nodes == ("0", "1", "2")


def test_stamps_that_do_not_rise_are_counted_on(files):
    folder = files("weather")
    lines = FILES["weather"]["weather.csv"].decode().splitlines()
    lines[3] = ",".join([lines[2].split(",")[0], *lines[3].split(",")[1:]])
    (folder / "weather.csv").write_text("\n".join(lines))
    panel = panel_of("weather", folder)
    assert (np.diff(panel.time) == 600 * 10**9).all()
    assert "stamps that do not rise" in [f.what for f in panel.about.findings]
    assert panel.about.units == ("mbar", "degC", "")


def test_other_features_of_a_district_are_past_only(files):
    panel = panel_of("pems04", files("pems04"), features=["speed", "flow"])
    assert panel.about.channels == ("speed", "flow") and panel.about.targets == ("flow",)
    with pytest.raises(Mistake, match="wanted flow and others of flow, occupancy, speed"):
        panel_of("pems04", files("pems04"), features=["speed"])
    weights = panel_of("pems04", files("pems04"), kernel="gaussian").space.adjacency
    assert not 0 < weights[0, 1] < 0.1 and weights[1, 0] == 0


@pytest.mark.parametrize("file, held, words", [
    ("los_speed.csv", "a,b\n1,x\n2,y\n", "could not convert"),
    ("los_speed.csv", "date,b\n2012-03-01,1\n", "wanted a header of sensors"),
    ("los_adj.csv", "1,0\n0,1\n", "wanted 3 × 3 weights"),
    ("los_speed.xls", "", "wanted one of .csv"),
    ("los_speed.npz", "no archive", "los_speed.npz: "),
    ("none.csv", None, "there is no file"),
])  # fmt: skip
def test_a_file_that_is_none_is_refused_in_one_line(files, file, held, words):
    folder = files("los_loop")
    if held is not None:
        (folder / file).write_text(held)
    path = folder / file if "adj" not in file else folder
    with pytest.raises(Mistake, match=words) as refused:
        panel_of("los_loop", path)
    assert "\n" not in str(refused.value)


# ---- straight lines ------------------------------------------------------------------------------


def test_straight_lines_are_found_and_readings_are_not():
    x = RNG.integers(400, 560, (60, 5)) / 8.0  # means of eight counts
    x[10:14, 0] = np.linspace(x[9, 0], x[9, 0] + 7, 6)[1:-1]
    x[14, 0] = x[9, 0] + 7
    x[30:33, 1] = 50.0  # level: a reading may stand still
    rows = np.arange(40, 44)
    for node in range(5):  # an outage of all
        x[rows, node] = np.interp(rows, [39, 44], [x[39, node], x[44, node]])
    found = filled(x.round(8))
    assert found[10:14, 0].all() and found[40:44].all()
    assert found.sum() == 4 + 20 and not found[30:33].any()


@real
def test_what_is_said_of_los_loop_is_true(monkeypatch, tmp_path):
    monkeypatch.setenv("STSFM_CACHE", str(tmp_path))
    path = SHARED / "los_loop"
    kept, masked = (panel_of("los_loop", path, fills=fills) for fills in ("keep", "mask"))
    assert kept.values.shape == (2016, 207, 1) and kept.mask.all()
    (straight,) = kept.about.findings
    assert straight.count == (~masked.mask).sum() and "data.fills=mask" in straight.done
    assert (kept.space.adjacency > 0).sum() == 2833 - 207 and kept.space.coords.shape == (207, 2)
    test = slice(round(0.8 * 2016), None)
    share = 1 - masked.mask[test].mean()
    assert 0.07 < share < 0.085 and not masked.values[~masked.mask].any()
    before = 1 - masked.mask[: test.start].mean()
    page = " ".join(Page("docs/datasets.md").text.split())
    said = (f"{part:.1%}".replace("%", " %") for part in (share, before))
    assert f"{next(said)} of the cells of the last fifth" in page and next(said) in page
    for fills, panel in (("keep", kept), ("mask", masked)):
        scores = [f"{rmse:.4f} / {mae:.4f}" for rmse, mae in map(last_value(panel), (3, 6, 9, 12))]
        assert f"| `{fills}` | {' | '.join(scores)} |" in page


def last_value(panel):
    """RMSE and MAE of the last reading at a horizon, over the test windows of T-GCN's script."""
    x, mask = panel.values[..., 0], panel.mask[..., 0]
    seen = np.maximum.accumulate(np.where(mask, np.arange(len(x))[:, None], 0), axis=0)
    last = np.take_along_axis(x, seen, 0)
    first = int(len(x) * 0.8)

    def scores(horizon):
        origins = np.arange(first + 12, len(x) - horizon)
        rows = origins[:, None] + np.arange(horizon)
        errors = (x[rows] - last[origins - 1][:, None])[mask[rows]]
        return np.sqrt((errors**2).mean()), abs(errors).mean()

    return scores


@real
def test_the_files_that_can_be_had_are_as_published(monkeypatch, tmp_path):
    monkeypatch.setenv("STSFM_CACHE", str(tmp_path))
    hourly = panel_of("etth1", SHARED / "ett")
    assert hourly.values.shape == (17_420, 1, 7) and hourly.about.channels[-1] == "OT"
    assert panel_of("etth1", SHARED / "ett", targets=["OT"]).about.targets == ("OT",)
    cases = panel_of("chickenpox", SHARED / "chickenpox_hungary")
    assert cases.values.shape == (521, 20, 1) and "BUDAPEST" in cases.about.nodes
    assert (cases.space.adjacency > 0).sum() == 102 - 20
    assert not hourly.about.findings and not cases.about.findings


@real
def test_road_distances_make_the_graph_that_dcrnn_ships():
    """1722 and 2694 edges with a diagonal; here, PEMS-BAY's from its distances."""
    from stsfm.datasets.dcrnn import road_graph

    folder = SHARED / "sensor_graphs"
    lines = (folder / "pems_bay_adj_mx.csv").read_text().splitlines()
    sensors = lines[0].split(",")[1:]
    wanted = np.array([[float(cell) for cell in line.split(",")[1:]] for line in lines[1:]])
    np.fill_diagonal(wanted, 0)
    graph = road_graph(folder / "distances_bay_2017.csv", sensors)
    np.testing.assert_allclose(graph, wanted, atol=2e-6)
    assert places_of(sensors, adjacency=graph).coords.shape == (325, 2)


def test_places_are_known_or_left_out():
    space = places_of(LA, adjacency=None)
    assert space.geometry == "sphere" and space.units == "degrees"
    np.testing.assert_allclose(space.coords[0], (-118.31829, 34.15497))
    assert places_of(("nowhere", *LA), adjacency=None).coords is None
