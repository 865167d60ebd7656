"""A published file is fetched once, whole and verified, from a server that does what servers do."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stsfm.datasets.fetch import Source, fetch
from stsfm.datasets.storage.cache import cache

BODY = bytes(range(256)) * 4096  # 1 MiB
DIGEST = hashlib.sha256(BODY).hexdigest()


class Shelf(ThreadingHTTPServer):
    """A file on a server: it may cut what it sends, know no ranges, or hold another version."""

    body, ranges, cuts, version = BODY, True, 0, '"1"'

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Reply)
        self.asked: list[str] = []  # the ranges
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def source(self, **facts) -> Source:
        url = f"http://127.0.0.1:{self.server_port}/file.bin"
        facts = {"urls": (url,), "sha256": DIGEST, "size": len(BODY)} | facts
        return Source(file="file.bin", home="the shelf", **facts)


class Reply(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        shelf, wanted = self.server, self.headers.get("Range", "")
        shelf.asked.append(wanted)
        if self.path != "/file.bin":
            return self.send_error(404)
        same = self.headers.get("If-Range", shelf.version) == shelf.version
        start = int(wanted[6:-1]) if wanted and shelf.ranges and same else 0
        if start >= len(shelf.body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(shelf.body) - start))
        if shelf.version:
            self.send_header("ETag", shelf.version)
        self.end_headers()
        rest = shelf.body[start:]
        if shelf.cuts:
            shelf.cuts -= 1
            rest = rest[: len(rest) // 2]
        return self.wfile.write(rest)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("STSFM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("stsfm.datasets.reading.download.ATTEMPTS", 2)
    with Shelf() as server:
        yield server
        server.shutdown()


def left(tmp_path) -> set[str]:
    return {file.name for file in (tmp_path / "cache").iterdir() if file.name[0] != "."}


def test_a_file_is_fetched_once(shelf, tmp_path):
    local = fetch(shelf.source())
    assert local.path == tmp_path / "cache" / "file.bin" and local.path.read_bytes() == BODY
    assert (local.sha256, local.findings) == (DIGEST, ())
    assert fetch(shelf.source(urls=())) == local  # without a net
    assert shelf.asked == [""] and left(tmp_path) == {"file.bin"}


@pytest.mark.parametrize("sha256", [DIGEST, ""])
def test_a_download_that_is_cut_goes_on_where_it_stopped(shelf, sha256, tmp_path):
    shelf.cuts = 1
    assert fetch(shelf.source(sha256=sha256)).path.read_bytes() == BODY
    assert shelf.asked == ["", f"bytes={len(BODY) // 2}-"]


def test_another_process_goes_on_with_what_one_left(shelf, tmp_path):
    shelf.cuts = 2
    with pytest.raises(ValueError, match="ended after"):
        fetch(shelf.source())
    assert fetch(shelf.source()).path.read_bytes() == BODY
    assert shelf.asked[2] == f"bytes={len(BODY) * 3 // 4}-" and left(tmp_path) == {"file.bin"}


@pytest.mark.parametrize("sha256", [DIGEST, ""])
def test_a_server_without_ranges_sends_all_again(shelf, sha256):
    shelf.cuts, shelf.ranges = 1, False
    assert fetch(shelf.source(sha256=sha256)).path.read_bytes() == BODY


def test_two_versions_are_never_put_together(shelf, tmp_path):
    """Neither where the server tells them apart, nor where only the sha256 does."""
    for version in ('"2"', ""):
        shelf.body, shelf.version, shelf.cuts = b"old" * len(BODY), version and '"1"', 2
        with pytest.raises(ValueError, match="ended after"):
            fetch(shelf.source())
        shelf.body, shelf.version = BODY, version
        assert fetch(shelf.source()).path.read_bytes() == BODY
        (tmp_path / "cache" / "file.bin").unlink()


def test_what_was_cut_is_not_trusted_where_nothing_tells_its_version(shelf):
    shelf.version, shelf.cuts = "", 2
    with pytest.raises(ValueError, match="ended after"):
        fetch(shelf.source(sha256=""))
    assert fetch(shelf.source(sha256="")).path.read_bytes() == BODY
    assert shelf.asked == ["", "", ""]


def test_a_part_longer_than_the_file_is_begun_anew(shelf, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file.bin.part").write_bytes(BODY + b"more")
    assert fetch(shelf.source()).path.read_bytes() == BODY


def test_a_damaged_download_is_refused_and_leaves_nothing(shelf, tmp_path):
    shelf.body = BODY[:-1] + b"?"
    with pytest.raises(ValueError, match=f"wanted sha256 {DIGEST}, got ") as refused:
        fetch(shelf.source())
    assert "\n" not in str(refused.value) and left(tmp_path) == set()


def test_the_next_url_is_tried(shelf):
    source = shelf.source()
    gone = source.urls[0].replace("file.bin", "gone.bin")
    assert fetch(shelf.source(urls=(gone, *source.urls))).path.read_bytes() == BODY


def test_of_several_at_once_one_downloads(shelf):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fetch(shelf.source()).sha256))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [DIGEST] * 4 and shelf.asked == [""]


@pytest.mark.parametrize("urls", [("http://127.0.0.1:9/file.bin",), None, ()])
def test_what_cannot_be_had_says_where_to_put_it(shelf, tmp_path, urls):
    """Offline, gone from the server, and behind no plain link."""
    gone = (shelf.source().urls[0] + ".gone",)
    with pytest.raises(ValueError, match="cannot be fetched") as refused:
        fetch(shelf.source(urls=gone if urls is None else urls))
    said = str(refused.value)
    kept = tmp_path / "cache" / "file.bin"
    for part in ("file.bin", "1.0 MB", DIGEST, "the shelf", str(kept), "data.path=FILE"):
        assert part in said
    assert "\n" not in said


def test_an_unknown_digest_is_trusted_once_and_held_to(shelf):
    source = shelf.source(sha256="")
    kept = fetch(source).path
    assert kept.with_name("file.bin.sha256").read_text() == f"{DIGEST}  file.bin\n"
    assert fetch(source).sha256 == DIGEST
    kept.write_bytes(b"other")
    with pytest.raises(
        ValueError, match=f"wanted sha256 {DIGEST}, got .*remove it and file.bin.sha"
    ):
        fetch(source)
    assert kept.read_bytes() == b"other"


def test_a_cached_file_that_is_another_is_refused_and_kept(shelf, tmp_path):
    kept = tmp_path / "cache" / "file.bin"
    kept.parent.mkdir()
    kept.write_bytes(b"mine")
    with pytest.raises(ValueError, match=f"{kept} is not the file.bin") as refused:
        fetch(shelf.source())
    assert kept.read_bytes() == b"mine" and "\n" not in str(refused.value)
    assert shelf.asked == []


def test_a_file_of_ones_own_wins(shelf, tmp_path):
    own = tmp_path / "own" / "file.bin"
    own.parent.mkdir()
    own.write_bytes(b"mine")
    fetch(shelf.source())
    for local in (
        fetch(shelf.source(), str(own)),
        fetch(shelf.source(), str(own.parent)),
        fetch(shelf.source(), beside=str(own.with_name("series.csv"))),
        fetch(shelf.source(), beside=str(own.parent)),
    ):
        assert local.path == own
        assert [f.what for f in local.findings] == ["another file than the published file.bin"]
    assert fetch(shelf.source(), beside=str(tmp_path / "series.csv")).sha256 == DIGEST
    own.write_bytes(BODY)
    assert not fetch(shelf.source(), str(own)).findings
    with pytest.raises(ValueError, match="there is no file"):
        fetch(shelf.source(), str(tmp_path / "none.bin"))


def test_where_files_are_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("STSFM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache() == tmp_path / "stsfm"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache() == tmp_path / ".cache" / "stsfm"
