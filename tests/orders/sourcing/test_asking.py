"""Drafts, whom they reach, and everything that a request or a quotation may be refused for."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from shop.identity.permissions import Role
from tests.factories.catalog import PDF, make_product
from tests.factories.identity import make_organisation, make_supplier, make_user
from tests.orders.sourcing.conftest import END, START, code, faults

KG = {"name": "脐橙", "specification": "一级果，单果 200 克以上", "category": "fruit", "unit": "kg", "quantity": "500"}


def test_a_line_by_sku_takes_its_words_from_the_catalogue_and_one_by_words_its_own(scene):
    request = scene.draft(lines=[{"sku_id": scene.oranges.sku_id, "quantity": "100"}, {**KG, "target_price": "13.00"}])
    sku, words = scene.get("buyer", request["id"], "/lines").json()["items"]
    assert (sku["name"], sku["category"], sku["unit"], sku["unit_grams"], sku["pack"]) == (
        "奉节脐橙",
        "fruit",
        "box",
        5000,
        "5kg/箱",
    )
    assert (words["name"], words["unit_grams"], words["target_price"], words["sku_id"]) == ("脐橙", 1000, "13.00", None)


def test_lines_are_paged(scene):
    request = scene.draft(lines=[{**KG, "name": f"第{n}项"} for n in range(1, 6)])
    seen, after = [], None
    while True:
        page = scene.get("buyer", request["id"], "/lines", limit=2, **({"after": after} if after else {})).json()
        seen += [line["line_no"] for line in page["items"]]
        if (after := page["next"]) is None:
            break
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"supplier_ids": []}, 422),
        ({"kind": "published"}, 422),
        ({"districts": ["500236"]}, 422),
        ({"closes_at": START.isoformat()}, 409),
        ({"questions_until": (END + timedelta(hours=1)).isoformat()}, 422),
        ({"closes_at": "2026-12-01T09:00:00"}, 422),
        ({"lines": []}, 422),
        ({"lines": [{"quantity": "1"}]}, 422),
        ({"lines": [{**KG, "unit_grams": 500}]}, 422),
        ({"lines": [{**KG, "quantity": "0"}]}, 422),
        ({"lines": [{**KG, "quantity": "1e400"}]}, 422),
        ({"lines": [{**KG, "category": "gold"}]}, 422),
        ({"lines": [{"sku_id": 1, "unit": "kg", "quantity": "1"}]}, 422),
        ({"lines": [{"sku_id": 10**18, "quantity": "1"}]}, 422),
        ({"supplier_ids": [10**18]}, 422),
        ({"title": "\u0000"}, 422),
        ({"buyer_id": 10**18}, 404),
        ({"nonsense": 1}, 422),
    ],
)
def test_what_cannot_be_asked_is_refused(scene, changes, status):
    answer = scene.as_("buyer").post("/v1/quotation-requests", json=scene.body(**changes))
    assert answer.status_code == status, answer.text
    assert scene.column("SELECT count(*) FROM quotation_request") == [0]


def test_every_unknown_sku_and_supplier_is_named(scene):
    with scene.database.unit_of_work() as session:
        pending = make_supplier(session, status="pending").id
    body = scene.body(
        supplier_ids=[scene.rival_id, pending, scene.market.school.id],
        lines=[{"sku_id": scene.oranges.sku_id, "quantity": "1"}, {"sku_id": 10**12, "quantity": "1"}],
    )
    answer = scene.as_("buyer").post("/v1/quotation-requests", json=body)
    assert code(answer) == (422, "content_refused")
    assert faults(answer) == {
        "lines[1].sku_id": "unknown_sku",
        "supplier_ids[1]": "unknown_supplier",
        "supplier_ids[2]": "unknown_supplier",
    }


def test_only_for_the_own_unit_or_one_below_it(scene):
    with scene.database.unit_of_work() as session:
        below = make_organisation(session, kind="school", parent=scene.market.school)
        other = make_organisation(session, kind="school")
        pending = make_organisation(session, kind="school", parent=scene.market.school, status="pending")
    assert scene.draft(buyer_id=below.id)["buyer_id"] == below.id
    assert code(scene.as_("buyer").post("/v1/quotation-requests", json=scene.body(buyer_id=other.id))) == (403, "not_your_unit")
    assert code(scene.as_("buyer").post("/v1/quotation-requests", json=scene.body(buyer_id=pending.id)))[0] == 409


def test_a_draft_is_written_anew_and_an_older_reading_of_it_refused(scene):
    draft = scene.draft()
    path = f"/v1/quotation-requests/{draft['id']}"
    body = scene.body(title="食堂春季水果", supplier_ids=[scene.rival_id], lines=[KG, KG])
    changed = scene.as_("buyer").put(path, json=body, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["title"], changed.json()["line_count"], changed.json()["version"]) == ("食堂春季水果", 2, 2)
    assert changed.headers["ETag"] == '"2"'
    assert code(scene.as_("buyer").put(path, json=body, headers={"If-Match": '"1"'})) == (412, "changed_meanwhile")
    assert [row["supplier_id"] for row in scene.get("buyer", draft["id"], "/invitations").json()["items"]] == [scene.rival_id]
    assert scene.do("buyer", draft["id"], "publish").status_code == 200
    assert code(scene.as_("buyer").put(path, json=body)) == (409, "illegal_move")
    assert code(scene.do("buyer", draft["id"], "publish")) == (409, "illegal_move")


def test_files_go_with_the_request_and_are_read_by_who_sees_it(scene):
    draft = scene.draft()
    path = f"/v1/quotation-requests/{draft['id']}/files"
    added = scene.as_("buyer").post(path, files={"file": ("规格书.pdf", PDF)})
    assert added.status_code == 201, added.text
    file_id = added.json()["id"]
    assert scene.as_("rival").get(f"{path}/{file_id}").status_code == 404
    scene.do("buyer", draft["id"], "publish")
    assert scene.as_("rival").get(f"{path}/{file_id}").content == PDF
    assert scene.as_("shizhu").get(f"{path}/{file_id}").status_code == 404
    assert scene.as_("buyer").get(f"{path}/999999").status_code == 404
    assert code(scene.as_("buyer").post(path, files={"file": ("x.pdf", PDF)})) == (409, "illegal_move")
    copy = scene.do("buyer", draft["id"], "copy", closes_at=END.isoformat()).json()
    assert [each["name"] for each in copy["files"]] == ["规格书.pdf"]


def test_files_can_be_taken_off_again_as_long_as_they_can_be_added(scene, later):
    draft = scene.draft()
    path = f"/v1/quotation-requests/{draft['id']}/files"
    first, second = (scene.as_("buyer").post(path, files={"file": (name, PDF)}).json()["id"] for name in ("旧.pdf", "新.pdf"))
    assert scene.as_("stranger").delete(f"{path}/{first}").status_code == 404
    assert scene.as_("buyer").delete(f"{path}/{first}").status_code == 204
    assert scene.as_("buyer").delete(f"{path}/{first}").status_code == 404
    assert [each["id"] for each in scene.get("buyer", draft["id"]).json()["files"]] == [second]
    scene.do("buyer", draft["id"], "publish")
    assert code(scene.as_("buyer").delete(f"{path}/{second}")) == (409, "illegal_move")
    old = scene.quote("rival", draft["id"], (1, "126.00")).json()["id"]
    path = f"/v1/quotations/{old}/files"
    first, second = (scene.as_("rival").post(path, files={"file": (name, PDF)}).json()["id"] for name in ("旧.pdf", "新.pdf"))
    new = scene.quote("rival", draft["id"], (1, "120.00")).json()["id"]
    assert code(scene.as_("rival").delete(f"{path}/{first}")) == (409, "quotation_over")
    path = f"/v1/quotations/{new}/files"
    assert scene.as_("fengjie").delete(f"{path}/{first}").status_code == 404
    assert scene.as_("rival").delete(f"{path}/{first}").status_code == 204
    assert scene.as_("rival").delete(f"{path}/{first}").status_code == 404
    assert [each["id"] for each in scene.as_("rival").get(f"/v1/quotations/{new}").json()["files"]] == [second]
    with later():
        assert code(scene.as_("rival").delete(f"{path}/{second}")) == (409, "quotation_request_closed")


def test_nothing_is_delivered_before_the_closing_day(scene):
    body = scene.body(lines=[{**KG, "deliver_by": "2026-11-30"}, {**KG, "deliver_by": "2026-11-29"}])
    answer = scene.as_("buyer").post("/v1/quotation-requests", json=body)
    assert (code(answer), faults(answer)) == ((422, "content_refused"), {"lines[1].deliver_by": "before_closing"})
    lines = [{**KG, "deliver_by": "2026-12-05"}, {**KG, "deliver_by": "2026-12-06"}]
    request_id = scene.publish(lines=lines)
    copy = scene.do("buyer", request_id, "copy", closes_at="2026-12-05T16:00:00Z").json()["id"]  # midnight in Chongqing
    assert [line["deliver_by"] for line in scene.get("buyer", copy, "/lines").json()["items"]] == [None, "2026-12-06"]


def test_files_of_a_quotation_are_sealed_with_it_and_stay_with_a_newer_one(scene, later):
    request_id = scene.publish()
    first = scene.quote("rival", request_id, (1, "126.00")).json()["id"]
    added = scene.as_("rival").post(f"/v1/quotations/{first}/files", files={"file": ("报价单.pdf", PDF)})
    assert added.status_code == 201, added.text
    assert scene.as_("fengjie").post(f"/v1/quotations/{first}/files", files={"file": ("x.pdf", PDF)}).status_code == 404
    second = scene.quote("rival", request_id, (1, "120.00")).json()
    assert [each["id"] for each in second["files"]] == [added.json()["id"]]
    assert code(scene.as_("rival").post(f"/v1/quotations/{first}/files", files={"file": ("x.pdf", PDF)})) == (409, "quotation_over")
    path = f"/v1/quotations/{second['id']}/files/{added.json()['id']}"
    assert scene.as_("buyer").get(path).status_code == scene.as_("fengjie").get(path).status_code == 404
    with later():
        scene.get("buyer", request_id, "/quotations")
        assert scene.as_("buyer").get(path).content == PDF


def test_all_that_match_are_invited_by_one_statement(scene):
    """Fruit from Fengjie: neither the honey of Shizhu, nor the oranges of Chengkou, nor what is not certified any more."""
    with scene.database.unit_of_work() as session:
        gone = make_supplier(session, "500236")
        expired = make_product(session, gone, name="过期脐橙")
    scene.run("UPDATE certificate SET valid_until = '2026-11-29' WHERE id = :id", id=expired.certificate_id)
    request_id = scene.publish(supplier_ids=[], matching=True, districts=["500236"], lines=[KG])
    invited = scene.get("buyer", request_id, "/invitations").json()["items"]
    assert [(row["supplier_id"], row["matched"]) for row in invited] == [(scene.suppliers["fengjie"], True)]
    everywhere = scene.publish(supplier_ids=[scene.suppliers["shizhu"]], matching=True, lines=[KG])
    invited = scene.get("buyer", everywhere, "/invitations").json()["items"]
    assert {row["supplier_id"]: row["matched"] for row in invited} == {
        scene.suppliers["fengjie"]: True,
        scene.suppliers["shizhu"]: False,
        scene.rival_id: True,
    }
    # by SKU: whoever has that SKU matches, wherever it comes from
    by_sku = scene.publish(
        supplier_ids=[], matching=True, districts=["500101"], lines=[{"sku_id": scene.rival_oranges.sku_id, "quantity": "1"}]
    )
    assert [row["supplier_id"] for row in scene.get("buyer", by_sku, "/invitations").json()["items"]] == [scene.rival_id]
    nobody = scene.draft(supplier_ids=[], matching=True, lines=[{**KG, "category": "tea"}])
    assert code(scene.do("buyer", nobody["id"], "publish")) == (409, "nobody_to_ask")
    assert scene.get("buyer", nobody["id"]).json()["status"] == "draft"


def test_published_demand_is_open_to_every_certified_supplier(scene, later):
    request_id = scene.publish(kind="published", supplier_ids=[])
    for who in ("fengjie", "shizhu", "rival"):
        assert scene.ids(who, open_to_me=True) == [request_id], who
        assert scene.get(who, request_id).status_code == 200
    for who in ("uncertified", "stranger"):
        assert scene.ids(who) == []
        assert scene.get(who, request_id).status_code == 404
    assert scene.submit("uncertified", request_id, [{"line_no": 1, "declined": True}]).status_code == 404
    assert code(scene.do("rival", request_id, "decline", reason="x")) == (409, "not_invited")
    assert scene.quote("rival", request_id, (1, "126.00")).status_code == 201
    # its only certificate ends: nothing new, but its own it still reads
    scene.run("UPDATE certificate SET held_at = now() WHERE id = :id", id=scene.rival_oranges.certificate_id)
    assert scene.get("rival", request_id).status_code == 200
    assert faults(scene.quote("rival", request_id, (1, "120.00"))) == {"lines[0].sku_id": "certificate_suspended"}
    scene.run("UPDATE certificate SET held_at = now() WHERE id = :id", id=scene.oranges.certificate_id)
    assert scene.get("fengjie", request_id).status_code == 404
    with later():
        assert scene.ids("shizhu", open_to_me=True) == []


def test_published_demand_may_be_for_those_that_match_who_are_told(scene):
    request_id = scene.publish(kind="published", supplier_ids=[], matching=True, districts=["500229"], lines=[KG])
    assert scene.ids("rival", open_to_me=True) == [request_id]
    assert scene.ids("fengjie") == []
    assert scene.get("fengjie", request_id).status_code == 404
    assert scene.told(scene.rival_id) == ["quotation_request.published"]
    assert scene.told(scene.suppliers["fengjie"]) == []


def test_a_unit_cannot_quote_for_its_own_request(scene):
    with scene.database.unit_of_work() as session:
        farm = make_organisation(session, kind="enterprise", role="supplier")
        make_product(session, farm, name="自产柑橘")
        buyer, seller = make_user(session, Role.PURCHASER, farm), make_user(session, Role.SUPPLIER_ADMIN, farm)
    scene.users |= {"farm_buyer": buyer, "farm_seller": seller}
    refused = scene.as_("farm_buyer").post("/v1/quotation-requests", json=scene.body(supplier_ids=[farm.id]))
    assert faults(refused) == {"supplier_ids[0]": "unknown_supplier"}
    # nor one above or below it, by name or by match
    with scene.database.unit_of_work() as session:
        below = make_organisation(session, kind="enterprise", role="supplier", parent=farm)
        make_product(session, below, name="自产柚子")
    refused = scene.as_("farm_buyer").post("/v1/quotation-requests", json=scene.body(supplier_ids=[below.id]))
    assert faults(refused) == {"supplier_ids[0]": "unknown_supplier"}
    matching = scene.draft("farm_buyer", supplier_ids=[], matching=True, lines=[KG])["id"]
    assert scene.do("farm_buyer", matching, "publish").status_code == 200
    invited = {row["supplier_id"] for row in scene.get("farm_buyer", matching, "/invitations").json()["items"]}
    assert invited == {scene.suppliers["fengjie"], scene.rival_id}
    request_id = scene.draft("farm_buyer", kind="published", supplier_ids=[])["id"]
    scene.do("farm_buyer", request_id, "publish")
    assert scene.ids("farm_seller", open_to_me=True) == []
    answer = scene.submit("farm_seller", request_id, [{"line_no": 1, "declined": True}])
    assert code(answer) == (409, "own_request")


def test_lists_are_filtered_and_paged(scene, later):
    made = [scene.publish(title=f"询价 {n}") for n in range(3)]
    draft = scene.draft(title="草稿")["id"]
    assert scene.ids("buyer") == [draft, *made[::-1]]
    assert scene.ids("buyer", status="draft") == scene.ids("buyer", q="草稿") == [draft]
    assert scene.ids("buyer", kind="published") == scene.ids("buyer", q="%") == []
    assert scene.as_("buyer").get("/v1/quotation-requests", params={"buyer_id": 1 << 40}).status_code == 422
    assert scene.ids("officer") == scene.ids("city") == scene.ids("rival") == made[::-1]
    with later():
        assert scene.ids("buyer", status="closed") == made[::-1]
        assert scene.ids("buyer", status="open") == scene.ids("rival", open_to_me=True) == []
    page = scene.as_("rival").get("/v1/quotation-requests", params={"limit": 2}).json()
    rest = scene.as_("rival").get("/v1/quotation-requests", params={"limit": 2, "after": page["next"]}).json()
    assert [row["id"] for row in page["items"] + rest["items"]] == made[::-1]
    for params in ({"status": "x"}, {"after": "x"}, {"stat": "open"}, {"q": "a\x00"}):
        assert scene.as_("buyer").get("/v1/quotation-requests", params=params).status_code == 422


def test_every_fault_of_a_quotation_is_named(scene):
    with scene.database.unit_of_work() as session:
        bare = make_product(session, scene.market.suppliers[0], name="无证脐橙", certified=False)
        by_six = make_product(session, scene.market.suppliers[0], name="整箱李子", step=6)
    request_id = scene.publish(lines=[{**KG, "name": f"第{n}项"} for n in range(1, 9)])
    one = [{"min_quantity": "1", "unit_price": "60.00"}]
    good = {"sku_id": scene.oranges.sku_id, "tiers": one}
    answer = scene.submit(
        "fengjie",
        request_id,
        [
            {"line_no": 1, **good},
            {"line_no": 1, **good},
            {"line_no": 99, **good},
            {"line_no": 2, **good, "sku_id": scene.rival_oranges.sku_id},
            {"line_no": 3, **good, "sku_id": bare.sku_id},
            {"line_no": 4, "sku_id": by_six.sku_id, "quantity": "7", "tiers": [{"min_quantity": "6", "unit_price": "60.00"}]},
            {"line_no": 5, **good, "tiers": [*one, {"min_quantity": "10", "unit_price": "61.00"}]},
            {"line_no": 6, **good, "quantity": "5", "tiers": [{"min_quantity": "10", "unit_price": "61.00"}]},
            {"line_no": 7, **good, "quantity": "999999999", "tiers": [{"min_quantity": "1", "unit_price": "9999999999.99"}]},
            {"line_no": 8, **good, "deliver_on": "2026-11-29"},
        ],
        valid_until="2026-11-29",
    )
    assert code(answer) == (422, "quotation_refused")
    assert faults(answer) == {
        "valid_until": "valid_too_short",
        "lines[1]": "named_twice",
        "lines[2]": "unknown_line",
        "lines[3].sku_id": "unknown_sku",
        "lines[4].sku_id": "not_certified",
        "lines[5].quantity": "wrong_step",
        "lines[6].tiers[1].unit_price": "dearer_in_bulk",
        "lines[7].quantity": "below_minimum",
        "lines[8]": "amount_too_large",
        "lines[9].deliver_on": "before_closing",
    }
    assert scene.column("SELECT count(*) FROM quotation") == [0]


def test_nothing_is_offered_above_the_ceiling_of_the_certification_but_what_the_list_says(scene):
    ceiling = "UPDATE product SET ceiling_fen = 1400, ceiling_grams = 1000 WHERE id = :id"
    scene.run(ceiling, id=scene.oranges.product_id)
    scene.run(ceiling, id=scene.rival_oranges.product_id)
    request_id = scene.publish()
    refused = scene.quote("fengjie", request_id, (1, "70.01"), (10, "70.00"))
    assert [(each["field"], each["code"], each["ceiling"]) for each in refused.json()["errors"]] == [
        ("lines[0].tiers[0].unit_price", "above_ceiling", "70.00")
    ]
    assert scene.quote("fengjie", request_id, (1, "70.00")).status_code == 201
    scene.run("UPDATE price_tier SET unit_price_fen = 15000 WHERE sku_id = :id", id=scene.rival_oranges.sku_id)
    assert scene.quote("rival", request_id, (1, "150.00")).status_code == 201
    assert faults(scene.quote("rival", request_id, (1, "150.01"))) == {"lines[0].tiers[0].unit_price": "above_ceiling"}


def test_a_need_of_more_packs_than_can_be_counted_is_refused(scene):
    request_id = scene.publish(lines=[{**KG, "unit": "piece", "unit_grams": 10**9, "quantity": "1000000000"}])
    answer = scene.quote("fengjie", request_id, (1, "0.01"))
    assert faults(answer) == {"lines[0]": "amount_too_large"}


def test_what_is_asked_by_weight_is_not_offered_without_one(scene):
    request_id = scene.publish(supplier_ids=[scene.suppliers["shizhu"]], lines=[KG])
    one = [{"min_quantity": "1", "unit_price": "60.00"}]
    answer = scene.submit("shizhu", request_id, [{"line_no": 1, "sku_id": scene.stay.sku_id, "tiers": one}])
    assert faults(answer) == {"lines[0].sku_id": "no_weight"}
    all_declined = scene.submit("shizhu", request_id, [{"line_no": 1, "declined": True, "note": "不做水果"}])
    assert faults(all_declined) == {"lines": "nothing_offered"}
    assert scene.submit("shizhu", request_id, [{"line_no": 1, "declined": True, "sku_id": 1}]).status_code == 422
    assert scene.submit("shizhu", request_id, [{"line_no": 1}]).status_code == 422


def test_a_request_and_its_quotation_take_as_many_statements_for_three_lines_as_for_three_hundred(scene):
    def statements(count):
        seen = []

        def note(_conn, _cursor, statement, *_):
            seen.append(statement)

        engine = scene.database.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            request_id = scene.publish(lines=[{**KG, "name": f"第{n}项"} for n in range(count)])
            asked = len(seen)
            one = [{"min_quantity": "1", "unit_price": "60.00"}]
            lines = [{"line_no": n + 1, "sku_id": scene.oranges.sku_id, "tiers": one} for n in range(count)]
            assert scene.submit("fengjie", request_id, lines).status_code == 201
            return asked, len(seen) - asked
        finally:
            event.remove(engine, "before_cursor_execute", note)

    statements(1)  # signs everybody in
    assert statements(3) == statements(300)
