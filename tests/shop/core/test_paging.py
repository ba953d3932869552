"""A cursor belongs to the list that gave it."""

import pytest

from shop.core import paging
from shop.core.errors import Invalid
from shop.identity.permissions import Role
from tests.factories.identity import make_organisation, signed_in
from tests.factories.ledger import make_trade
from tests.factories.outlets import make_outlet


def test_a_cursor_is_read_by_its_own_list_only():
    with paging.of_list("/v1/outlets"):
        cursor = paging.cursor([7])
        assert paging.position(cursor, int) == [7]
    with paging.of_list("/v1/sales-batches"), pytest.raises(Invalid) as refused:
        paging.position(cursor, int)
    assert refused.value.faults[0].code == "cursor_of_another_list"
    # one that names no list is none
    with paging.of_list("/v1/sales-batches"):
        for broken in ("Wzdd", "x", "WyI3Il0"):
            with pytest.raises(Invalid) as refused:
                paging.position(broken, int)
            assert refused.value.faults[0].code == "bad_cursor"


def test_a_cursor_is_read_with_the_filters_it_was_given_for_only():
    asked = [("status", "held"), ("region", "5002"), ("region", "5001")]
    with paging.of_list("/v1/sales-batches", [*asked, ("limit", "2")]):
        cursor = paging.cursor([7])
    # how much is shown, and in what order filters stand, is no other list
    with paging.of_list("/v1/sales-batches", [("q", ""), *asked[::-1], ("limit", "5"), ("after", cursor)]):
        assert paging.position(cursor, int) == [7]
    for other in (asked[:2], [("status", "void"), *asked[1:]], [*asked, ("q", "x")]):
        with paging.of_list("/v1/sales-batches", other), pytest.raises(Invalid) as refused:
            paging.position(cursor, int)
        assert refused.value.faults[0].code == "cursor_of_another_list"


def test_a_list_refuses_the_cursor_of_another_and_of_the_same_of_something_else(api, database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        outlets = [make_outlet(session, trade.clerk).id for _ in range(3)]
        for _ in range(3):
            make_organisation(session, kind="enterprise")
    client = signed_in(api, Role.CITY_OFFICER)
    first = client.get("/v1/outlets", params={"limit": 1}).json()
    second = client.get("/v1/outlets", params={"limit": 1, "after": first["next"], "q": ""}).json()
    assert [each["items"][0]["id"] for each in (first, second)] == outlets[:2]
    for path in ("/v1/outlets?kind=cabinet", "/v1/organisations", "/v1/sales-batches", f"/v1/outlets/{outlets[0]}/goods"):
        answer = client.get(path + ("&" if "?" in path else "?") + f"after={first['next']}")
        assert (answer.status_code, [(each["field"], each["code"]) for each in answer.json()["errors"]]) == (
            422,
            [("after", "cursor_of_another_list")],
        )
