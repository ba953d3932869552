"""The description of the API is made once for all processes and starts of one program."""

import gzip
import json

import pytest

from shop.described import Described


def test_it_is_made_once_for_all_processes(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"paths": {"/v1/市": {}}}

    first, second = Described(make, tmp_path / "kept"), Described(make, tmp_path / "kept")
    content = first.compressed()
    assert json.loads(gzip.decompress(content)) == {"paths": {"/v1/市": {}}}
    assert (second.compressed(), first.compressed(), len(made)) == (content, content, 1)


def test_what_was_made_of_other_code_is_not_read_and_not_kept(tmp_path):
    Described(lambda: {"of": "before"}, tmp_path).compressed()
    [kept] = tmp_path.iterdir()
    kept.rename(tmp_path / "0.json.gz")
    assert json.loads(gzip.decompress(Described(lambda: {"of": "now"}, tmp_path).compressed())) == {"of": "now"}
    assert list(tmp_path.iterdir()) == [kept]


def test_it_needs_no_directory_to_be_kept_in(tmp_path):
    (tmp_path / "file").write_text("in its place")
    assert json.loads(gzip.decompress(Described(lambda: {"of": "now"}, tmp_path / "file").compressed())) == {"of": "now"}


@pytest.mark.slow
def test_it_is_served_as_it_is_made_compressed_or_not(api, server):
    packed = api.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    plain = api.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    assert (packed.headers.get("content-encoding"), plain.headers.get("content-encoding")) == ("gzip", None)
    assert packed.headers["content-type"] == plain.headers["content-type"] == "application/json"
    assert packed.json() == plain.json() == server.app.openapi()
