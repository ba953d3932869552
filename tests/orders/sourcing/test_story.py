"""The main story: asked, quoted in secret, compared, awarded, ordered at prices that stay."""

import io
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook

from orders.sourcing.actions import moving
from tests.orders.sourcing.conftest import END, START, code, faults


def test_from_the_request_to_an_order_at_the_prices_quoted(scene, later):
    draft = scene.draft()
    assert draft["number"].startswith("RFQ20261130")
    assert (draft["status"], draft["seen_as"], draft["quotations"]) == ("draft", "buyer", 0)
    assert scene.ids("fengjie") == scene.ids("officer") == []
    published = scene.do("buyer", draft["id"], "publish").json()
    assert (published["status"], published["possible_actions"]) == ("open", ["extend", "answer", "cancel"])
    request_id = draft["id"]
    assert [scene.get(who, request_id).json()["possible_actions"] for who in ("finance", "officer", "fengjie")] == [[], [], []]
    assert scene.told(scene.suppliers["fengjie"]) == ["quotation_request.published"]
    assert scene.ids("fengjie", open_to_me=True) == scene.ids("rival") == [request_id]
    assert scene.get("fengjie", request_id).json()["quotations"] is None
    assert scene.get("fengjie", request_id, "/lines").json()["items"][0]["target_price"] is None

    mine = scene.quote("fengjie", request_id, (1, "68.00"), (100, "63.50"))
    assert mine.status_code == 201, mine.text
    assert mine.json()["lines"][0]["tiers"] == [
        {"min_quantity": "1", "unit_price": "68.00"},
        {"min_quantity": "100", "unit_price": "63.50"},
    ]
    assert mine.json()["lines"][0]["quantity"] == "100"
    # 10 kg at 126.00 is 63.00 for 5 kg: cheaper, gram for gram
    assert scene.quote("rival", request_id, (1, "126.00")).status_code == 201
    assert scene.get("buyer", request_id).json()["quotations"] == 2

    with later():
        closed = scene.get("buyer", request_id).json()
        assert (closed["status"], closed["opened_at"]) == ("closed", None)
        table = scene.get("buyer", request_id, "/comparison").json()
        [line] = table["lines"]
        assert [(o["supplier_id"], o["packs"], o["amount"], o["price_per_unit"], o["lowest"]) for o in line["offers"]] == [
            (scene.suppliers["rival"], "50", "6300.00", "63.00", True),
            (scene.suppliers["fengjie"], "100", "6350.00", "63.50", False),
        ]
        assert [(o["over_target"], o["over_list"]) for o in line["offers"]] == [("-300.00", "300.00"), ("-250.00", "-150.00")]
        assert (table["lowest_total"], table["suppliers"][0]["lowest"]) == ("6300.00", True)
        assert scene.get("buyer", request_id).json()["opened_at"] is not None

        refused = scene.award(request_id, scene.line("fengjie"))
        assert code(refused) == (422, "award_refused")
        assert faults(refused) == {"lines[0]": "reason_code_required"}
        awarded = scene.award(request_id, scene.line("fengjie", reason_code="delivery"))
        assert awarded.status_code == 201, awarded.text
        order = awarded.json()["purchase_order"]
        assert (order["total"], order["source_kind"], order["source_id"]) == ("6350.00", "quotation", request_id)
        assert awarded.json()["purchase_request_id"] is None
        assert scene.get("buyer", request_id).json()["status"] == "awarded"
        # why it was awarded so is for the buyer's side, with the award
        assert scene.get("buyer", request_id, "/awards").json()["items"][0]["reason"] == "综合比价"
        assert [scene.get(who, request_id).json()["reason"] for who in ("fengjie", "rival")] == [None, None]
        assert scene.told(scene.suppliers["fengjie"]) == ["quotation_request.published", "purchase_order.placed", "quotation.won"]
        assert scene.told(scene.suppliers["rival"]) == ["quotation_request.published", "quotation.lost"]
        assert scene.told(scene.market.school.id) == ["quotation_request.closed"]

        # the list price moves, before and after: the order stays
        scene.run("UPDATE price_tier SET unit_price_fen = 99900 WHERE sku_id = :id", id=scene.oranges.sku_id)
        lines = scene.as_("buyer").get(f"/v1/purchase-orders/{order['id']}/lines").json()["items"]
        assert [(line["unit_price"], line["amount"]) for line in lines] == [("63.50", "6350.00")]
        [won] = scene.get("fengjie", request_id, "/awards").json()["items"]
        assert (won["total"], won["reason"], won["lines"][0]["unit_price"]) == ("6350.00", None, "63.50")
        assert scene.get("rival", request_id, "/awards").json()["items"] == []


def test_the_list_price_of_the_day_of_the_award_does_not_matter(scene, later):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "63.50"))
    scene.run("UPDATE price_tier SET unit_price_fen = 99900 WHERE sku_id = :id", id=scene.oranges.sku_id)
    with later():
        assert scene.award(request_id, supplier_id=scene.suppliers["fengjie"]).json()["purchase_order"]["total"] == "6350.00"


@pytest.mark.parametrize("who", ["buyer", "admin", "finance", "officer", "city", "platform"])
def test_until_the_end_nobody_reads_a_price_or_who_quoted(scene, later, who):
    request_id = scene.publish()
    quotation_id = scene.quote("fengjie", request_id, (1, "63.50"), note="独家秘密报价").json()["id"]
    scene.drain()
    for part in ("/quotations", "/comparison", "/comparison/export"):
        answer = scene.get(who, request_id, part)
        assert code(answer) == (409, "quotations_sealed"), part
        assert answer.json()["data"] == {"closes_at": "2026-11-30T10:30+08:00", "count": 1}
    assert scene.as_(who).get(f"/v1/quotations/{quotation_id}").status_code == 404
    with later(END - timedelta(microseconds=1)):
        everything = [scene.get(who, request_id, part).text for part in ("", "/lines", "/invitations", "/questions", "/awards")]
        everything += [scene.as_(who).get(path).text for path in ("/v1/notifications", "/v1/quotation-requests")]
        assert not [found for found in everything if "63.5" in found or "6350" in found or "秘密" in found]
        assert code(scene.get(who, request_id, "/comparison")) == (409, "quotations_sealed")
    with later():
        assert scene.get(who, request_id, "/comparison").status_code == 200
        assert scene.as_(who).get(f"/v1/quotations/{quotation_id}").json()["lines"][0]["tiers"][0]["unit_price"] == "63.50"


def test_the_trail_of_a_sealed_quotation_holds_no_price(scene):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "63.57"))
    for table in ("audit_event", "outbox_event", "notification"):
        rows = scene.column(f"SELECT t::text FROM {table} t")
        assert not [row for row in rows if "6357" in row or "63.57" in row], table


def test_a_late_quotation_is_refused_by_the_clock_of_the_server(scene, later):
    request_id = scene.publish()
    with later(END - timedelta(microseconds=1)):
        quotation_id = scene.quote("fengjie", request_id, (1, "63.50")).json()["id"]
    with later():
        assert code(scene.quote("rival", request_id, (1, "100.00"))) == (409, "quotation_request_closed")
        assert code(scene.quote("fengjie", request_id, (1, "60.00"))) == (409, "quotation_request_closed")
        assert code(scene.as_("fengjie").post(f"/v1/quotations/{quotation_id}/withdraw")) == (409, "quotation_request_closed")
        assert code(scene.do("rival", request_id, "decline", reason="无货")) == (409, "quotation_request_closed")
        assert code(scene.do("rival", request_id, "questions", text="还能报吗？")) == (409, "quotation_request_closed")
        assert code(scene.do("buyer", request_id, "extend", closes_at="2026-12-05T00:00:00Z", reason="再等等")) == (
            409,
            "illegal_move",
        )
    assert scene.column("SELECT count(*) FROM quotation") == [1]


def test_what_somebody_has_read_nothing_is_added_to_though_a_clock_were_slow(scene, later):
    request_id = scene.publish()
    with later():
        assert scene.get("buyer", request_id, "/quotations").json()["items"] == []
    assert code(scene.quote("fengjie", request_id, (1, "1.00"))) == (409, "quotation_request_closed")
    assert scene.get("buyer", request_id).json()["status"] == "closed"


def test_a_newer_quotation_takes_the_place_of_an_older_one(scene, later):
    request_id = scene.publish()
    first = scene.quote("fengjie", request_id, (1, "70.00")).json()
    second = scene.quote("fengjie", request_id, (1, "64.00")).json()
    assert (first["revision"], second["revision"]) == (1, 2)
    history = scene.get("fengjie", request_id, "/quotations").json()["items"]
    assert [(row["id"], row["status"]) for row in history] == [(first["id"], "replaced"), (second["id"], "submitted")]
    assert scene.get("buyer", request_id).json()["quotations"] == 1
    with later():
        assert [row["id"] for row in scene.get("buyer", request_id, "/quotations").json()["items"]] == [second["id"]]
        assert scene.as_("buyer").get(f"/v1/quotations/{first['id']}").status_code == 404
        assert scene.as_("fengjie").get(f"/v1/quotations/{first['id']}").json()["lines"][0]["tiers"][0]["unit_price"] == "70.00"


def test_a_withdrawn_quotation_is_never_opened(scene, later):
    request_id = scene.publish()
    quotation_id = scene.quote("fengjie", request_id, (1, "70.00")).json()["id"]
    assert scene.as_("fengjie").post(f"/v1/quotations/{quotation_id}/withdraw").json()["status"] == "withdrawn"
    assert code(scene.as_("fengjie").post(f"/v1/quotations/{quotation_id}/withdraw")) == (409, "quotation_over")
    with later():
        assert scene.get("buyer", request_id, "/quotations").json()["items"] == []
        assert scene.as_("buyer").get(f"/v1/quotations/{quotation_id}").status_code == 404
        assert scene.get("buyer", request_id).json()["failed"] is True


def test_a_supplier_reads_its_own_quotation_and_never_anothers(scene, later):
    request_id = scene.publish()
    other = scene.quote("fengjie", request_id, (1, "63.50")).json()["id"]
    scene.quote("rival", request_id, (1, "126.00"))
    for moment in (START, END):
        with later(moment):
            assert scene.as_("rival").get(f"/v1/quotations/{other}").status_code == 404
            assert [row["supplier_id"] for row in scene.get("rival", request_id, "/quotations").json()["items"]] == [scene.rival_id]
            for part in ("/comparison", "/comparison/export", "/invitations"):
                assert scene.get("rival", request_id, part).status_code == 404, part


@pytest.mark.parametrize("who", ["stranger", "elsewhere", "shizhu", "uncertified"])
def test_who_has_no_part_in_it_does_not_find_it(scene, who):
    request_id = scene.publish()
    for part in ("", "/lines", "/questions", "/quotations", "/comparison", "/awards", "/invitations"):
        assert scene.get(who, request_id, part).status_code == 404, part
    assert scene.ids(who) == []
    if who in ("shizhu", "uncertified"):
        assert scene.submit(who, request_id, [{"line_no": 1, "declined": True}]).status_code == 404
        assert scene.do(who, request_id, "questions", text="？").status_code == 404
    if who == "stranger":
        for action, body in {"publish": {}, "cancel": {"reason": "x"}, "award": {"reason": "x", "supplier_id": 1}}.items():
            assert scene.do(who, request_id, action, **body).status_code == 404, action


def test_roles_without_the_permission_are_refused(scene):
    request_id = scene.publish()
    assert scene.as_("finance").post("/v1/quotation-requests", json=scene.body()).status_code == 403
    assert scene.award(request_id, who="finance", supplier_id=scene.rival_id).status_code == 403
    assert scene.quote("rival", request_id, (1, "1.00")).status_code == 201
    assert scene.submit("buyer", request_id, [{"line_no": 1, "declined": True}]).status_code == 403
    assert scene.do("officer", request_id, "cancel", reason="x").status_code == 403


def test_questions_and_answers_are_for_all_and_hide_who_asked(scene, later):
    request_id = scene.publish(questions_until=(END - timedelta(minutes=10)).isoformat())
    asked = scene.do("fengjie", request_id, "questions", text="可否分两批送货？")
    assert asked.status_code == 201, asked.text
    [question] = asked.json()["items"]
    assert (question["mine"], question["supplier_id"]) == (True, scene.suppliers["fengjie"])
    for who in ("rival", "buyer", "officer"):
        [shown] = scene.get(who, request_id, "/questions", unanswered=True).json()["items"]
        assert (shown["question"], shown["mine"], shown["supplier_id"]) == ("可否分两批送货？", False, None)
    answered = scene.do("buyer", request_id, f"questions/{question['id']}/answer", text="可以，两批。")
    assert answered.json()["items"][0]["answer"] == "可以，两批。"
    assert code(scene.do("buyer", request_id, f"questions/{question['id']}/answer", text="不行")) == (409, "question_answered")
    assert scene.do("buyer", request_id, "questions/999999/answer", text="x").status_code == 404
    assert scene.get("rival", request_id, "/questions").json()["items"][0]["answer"] == "可以，两批。"
    assert scene.told(scene.rival_id)[-1] == "quotation_request.answered"
    assert scene.told(scene.market.school.id) == ["quotation_request.asked"]
    with later(END - timedelta(minutes=10)):
        assert code(scene.do("fengjie", request_id, "questions", text="迟了？")) == (409, "questions_over")
    with later():
        scene.get("buyer", request_id, "/quotations")
        assert scene.get("buyer", request_id, "/questions").json()["items"][0]["supplier_id"] == scene.suppliers["fengjie"]
        assert scene.get("rival", request_id, "/questions").json()["items"][0]["supplier_id"] is None


def test_who_declines_says_why_and_may_still_change_its_mind(scene, later):
    request_id = scene.publish()
    assert scene.do("rival", request_id, "decline", reason="本季无货").status_code == 200
    [other, rival] = sorted(scene.get("buyer", request_id, "/invitations").json()["items"], key=lambda row: row["supplier_id"])
    assert (rival["decline_reason"], rival["declined_at"] is not None, other["declined_at"]) == ("本季无货", True, None)
    quoted = scene.quote("rival", request_id, (1, "126.00"))
    assert quoted.status_code == 201

    def told(who="buyer"):
        rows = scene.get(who, request_id, "/invitations").json()["items"]
        return [row["decline_reason"] for row in rows if row["supplier_id"] == scene.rival_id]

    # a quotation that stands and a refusal do not go together
    assert code(scene.do("rival", request_id, "decline", reason="改变主意")) == (409, "quotation_in_force")
    # who quotes is sealed: the buyer cannot tell by what is gone
    assert told() == told("officer") == ["本季无货"]
    with later():
        scene.get("buyer", request_id, "/quotations")
        assert told() == told("officer") == [None]


def test_who_withdrew_its_quotation_may_decline(scene):
    request_id = scene.publish()
    quoted = scene.quote("rival", request_id, (1, "126.00")).json()["id"]
    assert scene.as_("rival").post(f"/v1/quotations/{quoted}/withdraw").status_code == 200
    assert scene.do("rival", request_id, "decline", reason="改变主意").status_code == 200


def test_that_an_invited_supplier_looked_is_noted_once(scene, later):
    request_id = scene.publish()
    scene.get("rival", request_id)
    with later(START + timedelta(minutes=5)):
        scene.get("rival", request_id)
    seen = {row["supplier_id"]: row["seen_at"] for row in scene.get("officer", request_id, "/invitations").json()["items"]}
    assert seen == {scene.rival_id: "2026-11-30T02:00:00Z", scene.suppliers["fengjie"]: None}


def test_the_end_only_moves_to_a_later_time_and_all_are_told(scene, later):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "63.50"))
    later_end = END + timedelta(days=1)
    assert code(scene.do("buyer", request_id, "extend", closes_at=START.isoformat(), reason="x")) == (409, "closing_only_later")
    assert code(scene.do("buyer", request_id, "extend", closes_at=END.isoformat(), reason="x")) == (409, "closing_only_later")
    moved = scene.do("buyer", request_id, "extend", closes_at=later_end.isoformat(), reason="供应商反映时间紧")
    assert (moved.json()["closes_at"], moved.json()["reason"]) == ("2026-12-01T02:30:00Z", "供应商反映时间紧")
    assert scene.told(scene.rival_id)[-1] == "quotation_request.extended"
    # questions were taken to the end, so they still are
    assert moved.json()["questions_until"] == "2026-12-01T02:30:00Z"
    longest = {"closes_at": (END + timedelta(days=2)).isoformat(), "reason": "x"}
    assert scene.do("buyer", request_id, "extend", questions_until="2026-12-03T00:00:00Z", **longest).status_code == 422
    earlier = scene.do("buyer", request_id, "extend", questions_until=END.isoformat(), **longest)
    assert code(earlier) == (409, "closing_only_later")
    with later():
        assert code(scene.get("buyer", request_id, "/comparison")) == (409, "quotations_sealed")
        assert scene.quote("rival", request_id, (1, "126.00")).status_code == 201


def test_a_cancelled_request_stays_sealed(scene, later):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "63.50"))
    cancelled = scene.do("buyer", request_id, "cancel", reason="预算调整").json()
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "预算调整")
    assert scene.told(scene.suppliers["fengjie"])[-1] == "quotation_request.cancelled"
    assert code(scene.quote("rival", request_id, (1, "1.00"))) == (409, "quotation_request_closed")
    with later():
        assert code(scene.get("buyer", request_id, "/comparison")) == (409, "quotations_sealed")
        assert code(scene.award(request_id, supplier_id=scene.suppliers["fengjie"])) == (409, "illegal_move")


def test_a_request_without_quotations_says_so_and_can_be_sent_again(scene, later):
    request_id = scene.publish()
    with later():
        with scene.database.unit_of_work() as session:
            assert moving.open_quotations(session) == 1
        with scene.database.unit_of_work() as session:
            assert moving.open_quotations(session) == 0
        assert scene.told(scene.market.school.id) == ["quotation_request.failed"]
        shown = scene.get("buyer", request_id).json()
        assert (shown["status"], shown["failed"], shown["possible_actions"]) == (
            "closed",
            True,
            ["award_part", "award_rest", "cancel"],
        )
        again = scene.do("buyer", request_id, "copy", closes_at=(END + timedelta(days=2)).isoformat())
        assert again.status_code == 201, again.text
        copy = again.json()
        assert (copy["status"], copy["copied_from_id"], copy["line_count"]) == ("draft", request_id, 1)
        assert scene.do("buyer", copy["id"], "publish").status_code == 200
        assert scene.ids("rival", open_to_me=True) == [copy["id"]]
        assert code(scene.do("buyer", request_id, "copy", closes_at=START.isoformat())) == (409, "closing_time_past")
        assert scene.do("officer", request_id, "copy", closes_at=START.isoformat()).status_code == 403
        assert scene.do("stranger", request_id, "copy", closes_at=START.isoformat()).status_code == 404


def test_the_comparison_is_exported(scene, later):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "63.50"), line={"note": "=1+1"})
    with later():
        book = scene.as_("buyer").get(f"/v1/quotation-requests/{request_id}/comparison/export", headers={"Accept-Language": "zh"})
        assert book.status_code == 200
        rows = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
        assert rows[0][:4] == ["行号", "名称", "单位", "询价数量"]
        assert rows[1][1] == "奉节脐橙"
        assert (rows[1][10], rows[1][12], rows[1][18], rows[1][20]) == (63.5, 6350.0, "是", "'=1+1")
        scene.run("UPDATE product SET status = 'withdrawn' WHERE id = :id", id=scene.oranges.product_id)
        plain = scene.get("officer", request_id, "/comparison/export", format="csv").content.decode("utf-8-sig")
        assert "The product was withdrawn" in plain
        assert plain.splitlines()[0].startswith("line,name,unit")
        assert len(plain.splitlines()) == 2


def test_the_same_award_sent_twice_is_one(scene, later):
    request_id = scene.publish()
    headers = {"Idempotency-Key": "q-1"}
    body = {
        "valid_until": "2026-12-31",
        "lines": [{"line_no": 1, "sku_id": scene.oranges.sku_id, "tiers": [{"min_quantity": "1", "unit_price": "63.50"}]}],
    }
    path = f"/v1/quotation-requests/{request_id}"
    assert len({scene.as_("fengjie").post(f"{path}/quotations", json=body, headers=headers).text for _ in range(2)}) == 1
    with later():
        award = {"reason": "唯一报价", "supplier_id": scene.suppliers["fengjie"]}
        answers = [scene.as_("buyer").post(f"{path}/award", json=award, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].text == answers[1].text
        assert code(scene.award(request_id, supplier_id=scene.suppliers["fengjie"])) == (409, "illegal_move")
    assert scene.column("SELECT count(*) FROM purchase_order") == [1]
