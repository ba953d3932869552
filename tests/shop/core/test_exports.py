"""A file of a list holds all of it, or there is none."""

import pytest

from shop.core import exports
from shop.core.paging import Page
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.outlets import make_outlet


def test_rows_that_a_file_does_not_hold_are_not_left_out():
    assert exports.whole(Page(items=[1, 2])) == [1, 2]
    exports.require_whole([1, 2], 2)
    with pytest.raises(exports.TooManyLines):
        exports.whole(Page(items=[1, 2], next="more"))
    with pytest.raises(exports.TooManyLines):
        exports.require_whole([1, 2, 3], 2)


def test_a_list_that_is_too_long_for_a_file_is_refused(api, database, monkeypatch):
    with database.unit_of_work() as session:
        clerk = make_user(session, Role.COUNTY_OFFICER, region_code="500112")
        for _ in range(3):
            make_outlet(session, clerk)
    client = api.as_(clerk)
    assert len(client.get("/v1/outlets/export", params={"format": "csv"}).text.splitlines()) == 4
    monkeypatch.setattr(exports, "MAX_ROWS", 2)
    refused = client.get("/v1/outlets/export", params={"format": "csv"})
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_lines")
