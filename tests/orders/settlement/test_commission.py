"""What the marketplace keeps: which rule, from when, and that it sums."""

from datetime import timedelta

import pytest

from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.after_sales import ask_back, differences
from tests.factories.identity import make_user


def rule(scene, client=None, **changes):
    [(programme,)] = scene.rows("SELECT code FROM programme ORDER BY valid_from DESC LIMIT 1")
    body = {
        "programme_code": programme,
        "kind": "rate",
        "rate_bp": 150,
        "valid_from": str(clock.today()),
        "reason": "市级批复",
        **changes,
    }
    return (client or scene.cashier).post("/v1/commission-rules", json={k: v for k, v in body.items() if v is not None})


def effective(scene, supplier, category, on=None):
    path = f"/v1/suppliers/{scene.market.suppliers[supplier].id}/commission"
    [found] = [
        each for each in scene.cashier.get(path, params={"on": str(on)} if on else {}).json() if each["category"] == category
    ]
    return found["kind"], found["rate_bp"], found["fixed"]


def test_the_nearest_rule_wins(scene):
    farm = scene.market.suppliers[0].id
    assert effective(scene, 0, "fruit") == ("none", 0, "0.00")
    assert rule(scene, rate_bp=100).status_code == 201
    assert effective(scene, 0, "fruit") == ("rate", 100, "0.00")
    rule(scene, category="fruit", rate_bp=200)
    assert effective(scene, 0, "fruit") == ("rate", 200, "0.00")
    assert effective(scene, 0, "tea") == ("rate", 100, "0.00")
    rule(scene, supplier_id=farm, kind="fixed", rate_bp=None, fixed="5.00")
    assert effective(scene, 0, "fruit") == ("fixed", 0, "5.00")
    assert effective(scene, 1, "fruit") == ("rate", 200, "0.00")
    rule(scene, supplier_id=farm, category="fruit", rate_bp=50)
    assert effective(scene, 0, "fruit") == ("rate", 50, "0.00")
    assert effective(scene, 0, "tea") == ("fixed", 0, "5.00")
    # taken away: the wider one holds again
    rule(scene, supplier_id=farm, category="fruit", kind="none", rate_bp=None)
    assert effective(scene, 0, "fruit") == ("fixed", 0, "5.00")


def test_versions_are_kept_and_begin_on_their_day(scene):
    tomorrow = clock.today() + timedelta(days=1)
    assert rule(scene).json()["version"] == 1
    second = rule(scene, rate_bp=300, valid_from=str(tomorrow)).json()
    assert (second["version"], second["in_force"]) == (2, False)
    assert effective(scene, 0, "fruit") == ("rate", 150, "0.00")
    assert effective(scene, 0, "fruit", tomorrow) == ("rate", 300, "0.00")
    # a later version of the same day replaces the earlier one
    assert rule(scene, rate_bp=0, valid_from=str(tomorrow)).json()["version"] == 3
    assert effective(scene, 0, "fruit", tomorrow) == ("rate", 0, "0.00")
    listed = scene.farm.get("/v1/commission-rules").json()["items"]
    assert [(each["version"], each["in_force"]) for each in listed] == [(3, False), (2, False), (1, True)]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"valid_from": "2020-01-01"}, 422, "commission_rule_in_past"),
        ({"rate_bp": 10_001}, 422, None),
        ({"rate_bp": -1}, 422, None),
        ({"rate_bp": None}, 422, "invalid"),
        ({"fixed": "1.00"}, 422, "invalid"),
        ({"kind": "fixed", "rate_bp": None, "fixed": "-1.00"}, 422, None),
        ({"programme_code": "nowhere"}, 422, "invalid"),
        ({"supplier_id": 999_999}, 404, "not_found"),
        ({"category": "gold"}, 422, None),
        ({"reason": " "}, 422, None),
        ({"surprise": 1}, 422, None),
    ],
)
def test_faulty_rules_are_refused(scene, changes, status, code):
    answer = rule(scene, **changes)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code


def test_a_rule_of_today_reaches_no_order_of_this_morning(scene):
    farm, bees = (supplier.id for supplier in scene.market.suppliers)
    scene.delivered(1)
    tomorrow = str(clock.today() + timedelta(days=1))
    for scope in ({}, {"supplier_id": farm}, {"category": "fruit"}, {"supplier_id": farm, "category": "fruit"}):
        answer = rule(scene, **scope)
        assert (answer.status_code, answer.json()["code"]) == (422, "commission_rule_reaches_back")
        assert rule(scene, **scope, valid_from=tomorrow).status_code == 201
    # no order of these was placed today
    for scope in ({"supplier_id": bees}, {"category": "tea"}):
        assert rule(scene, **scope).status_code == 201


def test_who_sets_rules(scene):
    with scene.database.unit_of_work() as session:
        county = make_user(session, Role.PLATFORM_FINANCE, region_code="500236")
    county = scene.api.as_(county)
    assert rule(scene, scene.farm).status_code == 403
    assert rule(scene, county).status_code == 403
    assert rule(scene, county, supplier_id=scene.market.suppliers[0].id).status_code == 201
    assert rule(scene, county, supplier_id=scene.market.suppliers[1].id).status_code == 404
    # what another supplier bears is nobody else's
    assert scene.bees.get("/v1/commission-rules").json()["items"] == []
    assert scene.bees.get(f"/v1/suppliers/{scene.market.suppliers[0].id}/commission").status_code == 404


def test_commission_is_what_was_agreed_when_the_order_was_placed(scene):
    scene.delivered(1)
    scene.later(1)
    rule(scene)
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    # 699.00 at 1.5 % is 10.485
    assert (row["sales"], row["commission"], row["due"]) == ("768.90", "10.49", "758.41")
    lines = scene.farm.get(f"/v1/settlements/{row['id']}/lines").json()["items"]
    assert [(line["amount"], line["commission"], line["net"]) for line in lines] == [
        ("69.90", "0.00", "69.90"),
        ("699.00", "10.49", "688.51"),
    ]
    assert scene.balance("commission") == -1049
    assert differences(scene.database) == {}


def test_a_return_after_the_settlement_takes_exactly_its_commission_along(scene):
    rule(scene, rate_bp=133)
    made = scene.delivered(10)
    scene.later(20)
    scene.run()
    for quantity in (3, 3, 4):
        back = ask_back(scene.api, scene.market, made, quantity, reason_code="quality").json()
        assert scene.farm.post(f"/v1/returns/{back['id']}/approve", json={"without_goods": True}).json()["status"] == "closed"
        scene.later(1)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    assert (row["sales"], row["returns"]) == ("0.00", "-699.00")
    assert scene.rows("SELECT sum(commission_fen)::bigint, sum(net_fen)::bigint FROM settlement") == [(0, 0)]
    assert scene.balance("commission") == 0
    assert differences(scene.database) == {}


@pytest.mark.slow
def test_a_fixed_commission_is_taken_once_for_each_part_of_an_order(scene):
    rule(scene, kind="fixed", rate_bp=None, fixed="80.00")
    scene.delivered(1)
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    # never more than there is to take it from
    assert (row["commission"], row["net"]) == ("149.90", "619.00")
    assert differences(scene.database) == {}
