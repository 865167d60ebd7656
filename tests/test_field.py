"""Fields on grids: read lazily, arranged as images, refused in one line."""

import numpy as np
import pytest
import yaml
from pages import ROOT

from stsfm.build import build
from stsfm.datasets.lattice import lattice
from stsfm.mistakes import Mistake
from stsfm.request import spell_out

LAT, LON = np.arange(60.0, -61, -30), np.arange(0.0, 360, 45)  # 5 × 8, as files have them


def keys(**given):
    return yaml.safe_load((ROOT / "conf/data/grid.yaml").read_text()) | given


@pytest.fixture(scope="module")
def xarray():
    for extra in ("h5netcdf", "zarr"):
        pytest.importorskip(extra, reason="needs the extra grid")
    return pytest.importorskip("xarray", reason="needs the extra grid")


@pytest.fixture(scope="module")
def sea(xarray):
    """40 months of a field with land in three points and a missing cell, and one on two levels."""
    rng = np.random.default_rng(0)
    x = rng.normal(15, 5, (40, len(LAT), len(LON))).astype("float32")
    x[:, 1, 2:5] = np.nan
    x[5, 0, 0] = np.nan
    time = (np.datetime64("2000-01") + np.arange(40)).astype("M8[ns]")
    levels = np.stack([x, 2 * x], 1)
    return xarray.Dataset(
        {
            "sst": (("time", "lat", "lon"), x, {"units": "degC"}),
            "t": (("time", "level", "lat", "lon"), levels, {"units": "K"}),
            "area": (("lat", "lon"), x[0]),
        },
        {
            "time": time,
            "level": [850.0, 500.0],
            "lat": ("lat", LAT, {"units": "degrees_north"}),
            "lon": ("lon", LON, {"units": "degrees_east"}),
        },
        {"license": "CC0"},
    )


@pytest.fixture(scope="module")
def path(sea, tmp_path_factory):
    file = tmp_path_factory.mktemp("sea") / "sea.nc"
    sea.to_netcdf(file, engine="h5netcdf")
    return str(file)


def field(path, **given):
    return build(keys(path=path, **{"variables": ["sst"], **given}), path="data")


def truth(sea):
    """The field (time, row, column), latitudes rising."""
    return sea["sst"].values[:, ::-1].astype(float)


def test_grid_points_are_nodes_and_an_image_again(path, sea):
    panel = field(path)
    about = panel.about
    assert (panel.nodes, about.channels, about.units) == (5 * 8 - 3, ("sst",), ("degC",))
    assert (about.name, about.step, about.season, about.licence) == ("sea", "month", 0, "CC0")
    assert about.nodes[0] == "60S 0E" and about.nodes[-1] == "60N 45W"
    assert [(f.what, f.count) for f in about.findings] == [("points without any value", 3)]
    found = lattice(panel.space.coords)
    np.testing.assert_array_equal(found.x, LON)
    np.testing.assert_array_equal(found.y, LAT[::-1])
    assert (panel.space.geometry, panel.space.units) == ("sphere", "degrees")
    seen = np.where(panel.mask, panel.values, np.nan)[..., 0]
    np.testing.assert_array_equal(found.image(seen), truth(sea))
    assert (~panel.mask).sum() == 1 and panel.values.flags.c_contiguous


def test_a_box_goes_round_the_globe_and_ends_in_time(path, sea):
    panel = field(path, lon=[-50, 50], lat=[-40, 40], start="2001-01", end="2001-06")
    assert (len(panel), panel.nodes) == (6, 9) and panel.space.coords[0].tolist() == [-45, -30]
    columns = truth(sea)[12:18, 1:4][..., [7, 0, 1]]
    np.testing.assert_array_equal(panel.values[..., 0], columns.reshape(6, 9))


def test_stride_takes_points_and_coarsen_their_means(path, sea):
    every = field(path, stride=2)
    assert every.nodes == 3 * 4 and not every.about.findings
    coarse = field(path, coarsen=2)
    first = truth(sea)[:, :2, :2]
    np.testing.assert_allclose(coarse.values[:, 0, 0], first.mean((1, 2)))
    assert coarse.nodes == 2 * 4 and coarse.space.coords[0].tolist() == [22.5, -45.0]
    land = truth(sea)[:, 2:4, 2:4]  # half of it is
    np.testing.assert_allclose(coarse.values[:, 5, 0], np.nanmean(land, (1, 2)))


def test_levels_and_several_variables(path):
    panel = field(path, variables=["sst", "t"], targets=["sst"], level=500)
    assert panel.about.channels == ("sst", "t") and panel.about.targets == ("sst",)
    np.testing.assert_allclose(panel.values[..., 1], 2 * panel.values[..., 0], rtol=1e-6)


def test_what_lies_outside_is_never_read(sea, tmp_path):
    """A Zarr store whose other chunks are ruined is read where they are not asked for."""
    store = tmp_path / "sea.zarr"
    chunks = {"sst": {"chunks": (10, 1, 8)}}
    sea[["sst"]].to_zarr(store, encoding=chunks, consolidated=False, zarr_format=3)
    for chunk in (store / "sst" / "c").rglob("*"):
        if chunk.is_file() and chunk.relative_to(store).parts[2:4] != ("1", "2"):
            chunk.write_bytes(b"ruined")
    box = {"lat": [-10, 10], "start": "2000-11", "end": "2001-08"}
    panel = field(str(store), **box)
    np.testing.assert_array_equal(panel.values[..., 0], truth(sea)[10:20, 2])
    with pytest.raises(Exception, match=r"(?i)zstd|decompress|checksum|codec"):
        field(str(store), **box | {"end": "2001-09"})


def test_months_that_lack_are_missing(sea, tmp_path):
    file = tmp_path / "gap.nc"
    sea[["sst"]].isel(time=[t for t in range(40) if t != 30]).to_netcdf(file, engine="h5netcdf")
    panel = field(str(file), variables=[])
    assert len(panel) == 40 and not panel.mask[30].any() and panel.mask[31].all()


def test_points_that_touch_are_neighbours(path):
    graph = field(path, neighbours=4).space.adjacency
    cell = lattice(field(path).space.coords).cell
    assert (graph == graph.T).all() and not graph.diagonal().any()
    for i, j in np.argwhere(graph):
        down, right = abs(cell[i] - cell[j])
        assert (down, right) in ((0, 1), (1, 0), (0, 7))  # round the globe
    corners = field(path, neighbours=8).space.adjacency
    assert corners.sum() > graph.sum() and (corners >= graph).all()
    open_ = field(path, neighbours=4, lon=[0, 200]).space.adjacency
    assert open_.sum(1).max() == 4 and open_[0].sum() == 2
    assert field(path, neighbours=4, space="none").space.adjacency is None


def test_a_lattice_counts_its_own_neighbours():
    found = lattice(np.array([[x, y] for y in range(3) for x in range(4)], float))

    def degrees(**how):
        return found.image(np.bincount(found.pairs(**how)[:, 0], minlength=12)).tolist()

    edge, middle = [2, 3, 3, 2], [3, 4, 4, 3]
    assert degrees() == [edge, middle, edge]
    edge, middle = [3, 5, 5, 3], [5, 8, 8, 5]
    assert degrees(corners=True) == [edge, middle, edge]
    assert degrees(closed=True) == [[3] * 4, [4] * 4, [3] * 4]
    assert degrees(closed=True, corners=True) == [[5] * 4, [8] * 4, [5] * 4]


@pytest.mark.parametrize("given, words", [
    ({"variables": []}, "which variable\\? There are sst, t"),
    ({"variables": ["ssh"]}, "no variable 'ssh'; there are"),
    ({"variables": ["area"]}, "area has no axis time"),
    ({"variables": ["t"]}, "t has several level: say data.level=850, 500"),
    ({"lat": [70, 80]}, "no lat within \\[70, 80\\]; it goes from -60 to 60"),
    ({"lon": [0]}, "a box is two numbers"),
    ({"start": "soon"}, "start and end are dates"),
    ({"start": "2030-01"}, "wanted stamps that rise"),
    ({"coarsen": 6}, "coarsen=6 leaves no point"),
    ({"stride": 0}, "at least 1"),
    ({"lon": [90, 180], "lat": [30, 30]}, "nothing is observed"),
])  # fmt: skip
def test_what_makes_no_field_is_refused_in_one_line(path, given, words):
    with pytest.raises(Mistake, match=words) as refused:
        field(path, **given)
    assert "\n" not in str(refused.value)


def test_no_file_and_no_field(xarray, tmp_path, desk):
    for name, words in (("none.nc", "there is no file"), ("text.nc", "cannot be read as NetCDF")):
        (tmp_path / "text.nc").write_text("no field")
        assert desk("check", name) == 2 and words in desk.err and desk.err.count("\n") == 1
    assert desk("run", "data=grid") == 2 and "which file?" in desk.err


def test_a_field_is_checked_and_run_like_a_table(path, desk):
    box = ["data.variables=[sst]", "data.neighbours=4", "data.lat=[-60,0]"]
    assert desk("check", path, *box) == 0, desk.err
    for said in ("a row per month", "degC", "edges"):
        assert said in desk.out
    short = ["protocol.horizon=2", "data.season=1", "baselines=[]", "score=val"]
    assert desk("run", "model=naive", f"data={path}", *box, *short) == 0, desk.err
    assert desk.only("sea/naive").state == "finished" and "sea.nc · a row per month" in desk.out


def test_fields_are_known_by_their_endings():
    assert spell_out(["data=a/b.nc"]) == ["data=grid", "data.path=a/b.nc"]
    assert spell_out(["data=b.zarr"]) == ["data=grid", "data.path=b.zarr"]
    assert spell_out(["data=b.csv"]) == ["data=tabular", "data.path=b.csv"]
    with pytest.raises(Mistake, match="tables and fields"):
        spell_out(["data=a.nc,b.csv"])
