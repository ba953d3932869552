"""Who is to be reminded, and that each is told once."""

import pytest

from orders.reserved_share.handlers import remind
from tests.orders.reserved_share.conftest import YEAR, Scene, code


def reminded(scene):
    with scene.database.unit_of_work() as session:
        return remind(session)


@pytest.fixture
def early(api, database, on):
    on(2026, 3, 1)
    return Scene(api, database)


def test_each_unit_is_told_once_of_each(early, on):
    scene = early
    scene.accept_share("first", scene.first, base="1000.00")
    scene.put("second")
    assert reminded(scene) == 0  # too early
    on(2026, 3, 12)
    assert reminded(scene) == 4  # all but the first school: the draft, the department, the school of its own, the stranger
    assert reminded(scene) == 0
    on(2026, 3, 22)
    assert reminded(scene) == 4
    on(2026, 3, 24)
    assert reminded(scene) == 0
    on(2026, 3, 25)
    assert (reminded(scene), reminded(scene)) == (4, 0)
    on(2026, 9, 30)
    assert reminded(scene) == 0
    on(2026, 10, 1)
    assert (reminded(scene), reminded(scene)) == (1, 0)
    scene.sign_in()
    assert sorted(scene.told("first")) == ["reserved_share.accepted", "reserved_share.behind"]
    assert sorted(scene.told("second")) == ["reserved_share.due", "reserved_share.due", "reserved_share.overdue"]
    texts = [each["text"] for each in scene["first"].get("/v1/notifications").json()["items"]]
    assert any("is 0 % done" in text and "100.00 yuan are missing" in text for text in texts), texts


def test_what_was_returned_is_not_filed(early, on):
    """Who files nothing more after it was returned is told of the day as everybody else."""
    scene = early
    scene.put("second")
    scene.file("second")
    scene.review("department", scene.second, accepted=False, reason="基数有误")
    for day in (12, 25):
        on(2026, 3, day)
        reminded(scene)
    scene.sign_in()
    assert sorted(scene.told("second")) == [f"reserved_share.{what}" for what in ("due", "overdue", "returned")]


def test_the_list_of_who_is_to_be_reminded(early, on):
    scene = early
    scene.accept_share("first", scene.first, base="1000.00")
    scene.put("second")
    scene.file("second")
    scene.review("department", scene.second, accepted=False, reason="基数有误")
    on(2026, 3, 25)
    scene.sign_in()

    def listed(who="department", **params):
        answer = scene[who].get(f"/v1/reserved-shares/{YEAR}/reminders", params=params)
        assert answer.status_code == 200, answer.text
        return {row["unit_id"]: row["lacks"] for row in answer.json()["items"]}

    assert listed() == {
        scene.first.id: ["behind"],
        scene.second.id: ["returned"],
        scene.department.id: ["not_filed"],
    }
    assert listed(lack="behind") == {scene.first.id: ["behind"]}
    assert listed("first") == {scene.first.id: ["behind"]}
    scene.buy("first_buyer", 2)
    assert listed(lack="behind") == {}
    assert code(scene.sellers[0].get(f"/v1/reserved-shares/{YEAR}/reminders")) == (403, "forbidden")
