"""Who is reminded before the end, and who is told of what becomes of a demand."""

from datetime import timedelta

from orders.sourcing.handlers import remind
from tests.factories.identity import make_organisation
from tests.orders.sourcing.conftest import END, START
from tests.orders.sourcing.test_awarding import KG

HALF = START + timedelta(minutes=15)
CLOSING = "quotation_request.closing"


def reminded(scene):
    with scene.database.unit_of_work() as session:
        return remind(session)


def test_who_has_not_answered_is_reminded_once_before_the_end(scene, later):
    request_id = scene.publish(supplier_ids=list(scene.suppliers.values()))
    assert scene.quote("fengjie", request_id, (1, "63.50")).status_code == 201
    assert reminded(scene) == 0
    with later(HALF - timedelta(seconds=1)):
        assert reminded(scene) == 0
    with later(HALF):
        assert scene.do("shizhu", request_id, "decline", reason="无货").status_code == 200
        assert (reminded(scene), reminded(scene)) == (1, 0)
        assert CLOSING in scene.told(scene.rival_id)
        assert CLOSING not in scene.told(scene.suppliers["fengjie"]) + scene.told(scene.suppliers["shizhu"])
        texts = [each["text"] for each in scene.as_("rival").get("/v1/notifications").json()["items"]]
        assert any("2026-11-30 18:30" not in text and "2026-11-30 10:30" in text and "none of yours" in text for text in texts), (
            texts
        )
    with later():
        assert reminded(scene) == 0


def test_a_long_request_is_called_to_mind_a_day_ahead_and_again_for_a_later_end(scene, later):
    end = START + timedelta(days=6)
    request_id = scene.publish(closes_at=end.isoformat())
    with later(end - timedelta(days=1, seconds=1)):
        assert reminded(scene) == 0
    with later(end - timedelta(days=1)):
        assert (reminded(scene), reminded(scene)) == (2, 0)
        scene.clients.clear()
        more = (end + timedelta(days=2)).isoformat()
        assert scene.do("buyer", request_id, "extend", closes_at=more, reason="供应商反映时间紧").status_code == 200
        assert reminded(scene) == 0
    with later(end + timedelta(days=1)):
        assert (reminded(scene), reminded(scene)) == (2, 0)


def test_drafts_and_what_was_cancelled_remind_nobody(scene, later):
    scene.draft()
    request_id = scene.publish()
    with later(HALF):
        scene.do("buyer", request_id, "cancel", reason="预算调整")
        assert reminded(scene) == 0


def test_the_unit_that_asks_for_another_is_told_as_that_one(scene, later):
    with scene.database.unit_of_work() as session:
        below = make_organisation(session, kind="school", role="school", parent=scene.market.school)
    request_id = scene.publish(buyer_id=below.id)
    scene.do("fengjie", request_id, "questions", text="可否分两批送货？")
    with later():
        scene.get("buyer", request_id, "/quotations")
        for unit in (below, scene.market.school):
            assert scene.told(unit.id) == ["quotation_request.asked", "quotation_request.failed"]


def test_who_was_told_of_a_demand_is_told_what_becomes_of_it(scene):
    request_id = scene.publish(kind="published", supplier_ids=[], matching=True, districts=["500229"], lines=[KG])
    scene.do("buyer", request_id, "extend", closes_at=(END + timedelta(hours=1)).isoformat(), reason="多给时间")
    scene.do("buyer", request_id, "cancel", reason="预算调整")
    assert scene.told(scene.rival_id) == [f"quotation_request.{what}" for what in ("published", "extended", "cancelled")]
    assert scene.told(scene.suppliers["fengjie"]) == []
