"""A claim from draft to the figures: what it has to name and bring, who decides, and what the ledger says then."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.bodies import PDF
from tests.factories.catalog import make_product
from tests.factories.claims import invoice_number, ledger, make_trading
from tests.factories.identity import make_user, signed_in
from tests.factories.racing import at_once, sessions
from workers.handlers import HANDLERS


@pytest.fixture
def trading(api, database):
    return make_trading(api, database)


def codes(answer):
    assert answer.status_code == 422, answer.text
    return {(each["field"], each["code"]) for each in answer.json()["errors"]}


def entries(database):
    with database.unit_of_work() as session:
        return session.execute(text("SELECT * FROM sale_entry ORDER BY id")).all()


def test_a_seller_claims_an_officer_accepts_and_the_ledger_has_it(trading, database):
    sale = trading.accepted()
    assert (sale["status"], sale["total"], sale["total_grams"]) == ("accepted", "980.00", 100_000)
    assert all(check["passed"] for check in sale["checks"])
    [entry] = entries(database)
    assert (entry.source, entry.origin_kind, entry.amount_fen, entry.buyer_id) == ("external", "external_line", 98_000, None)
    assert (entry.mode, entry.channel, entry.certified, entry.counted) == ("east_west", "east_west", True, True)


def test_a_buyers_claim_never_counts(trading, database):
    assert trading.accepted(of="buyer")["status"] == "accepted"
    assert entries(database) == []


def test_an_officer_voids_an_accepted_claim_and_it_is_taken_back_today(trading, database):
    sale = trading.accepted()
    voided = trading.as_("officer").post(f"/v1/external-sales/{sale['id']}/void", json={"reason": "合同作废"})
    assert (voided.json()["status"], voided.json()["reason"]) == ("void", "合同作废")
    assert ledger(database) == 0
    assert [entry.amount_fen for entry in entries(database)] == [98_000, -98_000]
    assert trading.as_("seller").post(f"/v1/external-sales/{sale['id']}/withdraw").status_code == 409


def test_a_claim_tells_what_its_reader_may_do_and_each_check_what_was_found(trading):
    def seen(sale, name):
        return trading.as_(name).get(f"/v1/external-sales/{sale['id']}").json()

    draft = trading.draft()
    assert draft["possible_actions"] == ["edit", "submit", "withdraw"]
    handed_in = trading.submitted(amount="950.00")
    assert handed_in["possible_actions"] == ["withdraw"]
    assert seen(handed_in, "officer")["possible_actions"] == ["return", "refuse", "accept"]
    accepted = trading.accepted(amount="930.00")
    assert (accepted["possible_actions"], seen(accepted, "seller")["possible_actions"]) == (["void"], [])
    invoice = invoice_number()
    trading.submitted(amount="910.00", invoice=invoice)
    held = trading.submitted(amount="890.00", invoice=invoice)
    assert (held["status"], held["possible_actions"]) == ("held", ["withdraw"])
    looked = seen(held, "officer")
    assert looked["possible_actions"] == ["void"]
    told = {check["code"]: check["message"] for check in looked["checks"]}
    assert told["no_doubt"] == "Something speaks against it; it is to be decided"
    assert told["documents_unused"] == "Another claim or order rests on its documents"
    assert told["certified"] == "Every product was certified on the day of the sale"
    # what only follows from decisions is not told as allowed
    refused = trading.as_("officer").post(f"/v1/external-sales/{held['id']}/accept")
    assert (refused.status_code, refused.json()["data"]["allowed"]) == (409, ["withdraw", "void"])


def test_every_missing_paper_is_told_at_once(trading):
    seller = trading.as_("seller")
    sale = seller.post("/v1/external-sales", json=trading.body()).json()
    answer = seller.post(f"/v1/external-sales/{sale['id']}/submit")
    assert codes(answer) == {
        ("documents", "missing_invoice"),
        ("documents", "missing_bank_receipt"),
        ("documents", "missing_contract"),
    }
    online = seller.post("/v1/external-sales", json=trading.body(platform="other_platform")).json()
    assert codes(seller.post(f"/v1/external-sales/{online['id']}/submit")) == {
        ("documents", "missing_platform_list"),
        ("documents", "missing_invoice_or_waybill"),
    }
    path = f"/v1/external-sales/{online['id']}/documents"
    seller.post(path, data={"kind": "invoice", "number": "05000190010412345678"}, files={"file": ("a.pdf", PDF)})
    assert codes(seller.post(f"/v1/external-sales/{online['id']}/submit")) == {
        ("documents", "missing_platform_list"),
        ("documents", "missing_bank_receipt"),
    }


def test_a_claim_names_what_is_there_and_its_own(trading):
    body = trading.body()
    body["supplier_id"] = trading.neighbour.id
    answer = trading.as_("seller").post("/v1/external-sales", json=body)
    assert codes(answer) == {("lines[0].product_id", "unknown_product"), ("supplier_id", "not_yours")}
    late = trading.body(sold_on=str(clock.today() + timedelta(days=1)), buyer_region_code="999999", buyer_kind="nobody")
    assert codes(trading.as_("seller").post("/v1/external-sales", json=late)) == {
        ("sold_on", "no_such_day"),
        ("buyer_region_code", "unknown_region"),
        ("buyer_kind", "unknown_kind"),
    }


def test_nothing_weighs_more_than_can_be_summed(trading):
    body = trading.body()
    body["lines"][0]["quantity"] = "999999999"
    assert codes(trading.as_("seller").post("/v1/external-sales", json=body)) == {("lines[0].quantity", "too_heavy")}


@pytest.mark.parametrize(("grams", "code"), [(49_999, "wrong_weight"), (50_000, None), (150_000, None), (150_001, "wrong_weight")])
def test_a_weight_goes_with_the_pack(trading, grams, code):
    body = trading.body()
    body["lines"][0]["grams"] = grams
    answer = trading.as_("seller").post("/v1/external-sales", json=body)
    assert (codes(answer) if code else answer.status_code) == ({("lines[0].grams", code)} if code else 201)


@pytest.mark.parametrize(
    ("unit", "grams", "kept"),
    [("kg", 20_000, 20_000), ("公斤", None, 20_000), ("斤", None, 10_000), ("kg", 20_001, None), ("吨", 20_000, None)],
)
def test_what_is_counted_by_weight_weighs_what_is_counted(trading, unit, grams, kept):
    body = trading.body()
    line = {"product_id": trading.product.product_id, "unit": unit, "quantity": "20", "amount": "980.00"}
    answer = trading.as_("seller").post("/v1/external-sales", json={**body, "lines": [{**line, "grams": grams}]})
    if kept is None:
        assert codes(answer) == {("lines[0].grams", "wrong_weight")}
    else:
        assert [each["grams"] for each in answer.json()["lines"]] == [kept]


def test_goods_weigh_something(trading):
    body = trading.body()
    body["lines"] = [{"product_id": trading.product.product_id, "unit": "箱", "quantity": "20", "grams": 0, "amount": "980.00"}]
    assert codes(trading.as_("seller").post("/v1/external-sales", json=body)) == {("lines[0].grams", "weight_missing")}


BY_PACK, BY_WEIGHT = {"quantity": "20"}, {"sku_id": None, "unit": "箱", "quantity": "20", "grams": 100_000}


@pytest.mark.parametrize(
    ("said", "by"),
    [
        ({**BY_PACK, "amount": "139800.01"}, ["price"]),
        ({**BY_PACK, "amount": "13.97"}, ["price"]),
        ({**BY_PACK, "quantity": "4001", "amount": "196000.00"}, ["weight"]),
        ({**BY_PACK, "quantity": "4001", "amount": "13.97"}, ["weight", "price"]),
        ({**BY_WEIGHT, "amount": "139800.01"}, ["price"]),
        ({**BY_WEIGHT, "amount": "13.97"}, ["price"]),
        ({**BY_WEIGHT, "grams": 20_000_001, "amount": "196000.00"}, ["weight"]),
    ],
)
def test_what_cannot_be_is_accepted_with_a_reason_only(trading, database, said, by):
    """The price of 20 packs, 5 kg each, is 1398.00."""
    [line] = trading.body()["lines"]
    sale = trading.submitted(lines=[line, {**line, **said}])
    path = f"/v1/external-sales/{sale['id']}"
    assert {check["code"]: check["lines"] for check in sale["checks"] if not check["passed"]} == {
        "plausible": [{"line_no": 2, "by": by}]
    }
    refused = trading.as_("officer").post(f"{path}/accept", headers={"Accept-Language": "en"})
    assert codes(refused) == {("reason", "plausible")}
    assert refused.json()["errors"][0]["message"].endswith(f"(line 2: {' and '.join(by)})")
    assert ledger(database) == 0
    accepted = trading.as_("officer").post(f"{path}/accept", json={"reason": "已核对合同"}).json()
    assert accepted["status"] == "accepted"


@pytest.mark.parametrize(
    "said", [{**BY_PACK, "amount": "139800.00"}, {**BY_PACK, "amount": "13.98"}, {**BY_WEIGHT, "amount": "139800.00"}]
)
def test_what_can_be_needs_no_reason(trading, said):
    [line] = trading.body()["lines"]
    trading.accepted(lines=[{**line, **said}])


def test_the_name_of_a_consumer_is_not_kept(trading, database):
    sale = trading.accepted(buyer_kind="consumer", buyer_name="张三")
    assert sale["buyer_name"] == ""
    [entry] = entries(database)
    assert (entry.buyer_kind, entry.buyer_region_code) == ("consumer", "371600")


def test_who_helped_to_sell_claims_too(trading, database):
    with database.unit_of_work() as session:
        helper = make_user(session, Role.PURCHASER, trading.buyer)
    sale = trading.accepted(helper_id=trading.buyer.id, client=trading.api.as_(helper))
    assert sale["direction"] == "helped_sale"
    [entry] = entries(database)
    assert entry.direction == "helped_sale"


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("id = 999999", "unknown_relation"),
        ("region_code = '500236' AND kind = 'east_west'", None),
        ("NOT starts_with('500236', region_code) AND kind = 'east_west'", "relation_of_other_place"),
        ("region_code = '500236' AND kind = 'district_pair'", "relation_of_other_buyer"),
    ],
)
def test_a_declared_relation_is_in_force_and_fits(trading, database, where, code):
    with database.unit_of_work() as session:
        holds = "(valid_from IS NULL OR valid_from <= :on) AND (valid_to IS NULL OR :on < valid_to)"
        found = session.execute(text(f"SELECT id FROM support_relation WHERE {where} AND {holds}"), {"on": clock.today()}).scalar()
    answer = trading.as_("seller").post("/v1/external-sales", json=trading.body(declared_relation_id=found or 999_999))
    if code is None:
        assert answer.status_code == 201, answer.text
    else:
        assert codes(answer) == {("declared_relation_id", code)}


def test_a_relation_that_has_ended_is_not_declared(trading, database):
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE support_relation SET valid_to = :on WHERE region_code = '500236' AND kind = 'east_west'"),
            {"on": clock.today()},
        )
        ended = (
            session.execute(text("SELECT id FROM support_relation WHERE valid_to = :on"), {"on": clock.today()}).scalars().first()
        )
    answer = trading.as_("seller").post("/v1/external-sales", json=trading.body(declared_relation_id=ended))
    assert codes(answer) == {("declared_relation_id", "relation_not_in_force")}


def test_what_is_returned_is_mended_and_handed_in_again(trading, database):
    sale, seller, officer = trading.submitted(), trading.as_("seller"), trading.as_("officer")
    path = f"/v1/external-sales/{sale['id']}"
    assert seller.put(path, json=trading.body()).status_code == 409
    assert officer.post(f"{path}/return", json={"reason": "金额有误"}).json()["reason"] == "金额有误"
    stale = seller.put(path, json=trading.body(amount="990.00"), headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    edited = seller.put(path, json=trading.body(amount="990.00")).json()
    assert (edited["total"], edited["status"]) == ("990.00", "returned")
    assert seller.post(f"{path}/submit").json()["status"] == "submitted"
    looked = officer.get(path).json()
    assert {check["code"] for check in looked["checks"] if not check["passed"]} == {"lines_tie"}
    assert officer.post(f"{path}/refuse", json={"reason": "发票不符"}).json()["status"] == "refused"
    assert ledger(database) == 0


def test_a_claim_that_does_not_pass_a_check_is_accepted_with_a_reason_only(trading, database):
    sale = trading.draft()
    path = f"/v1/external-sales/{sale['id']}"
    trading.as_("seller").put(path, json=trading.body(amount="990.00"))
    assert trading.as_("seller").post(f"{path}/submit").json()["status"] == "submitted"
    officer = trading.as_("officer")
    refused = officer.post(f"{path}/accept")
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_needed")
    assert [each["code"] for each in refused.json()["errors"]] == ["lines_tie"]
    assert (officer.get(path).json()["status"], ledger(database)) == ("submitted", 0)
    accepted = officer.post(f"{path}/accept", json={"reason": "运费另行开票"}).json()
    assert (accepted["status"], accepted["reason"], ledger(database)) == ("accepted", "运费另行开票", 99_000)


def test_lines_that_were_not_certified_are_named(trading, database):
    with database.unit_of_work() as session:
        plain = make_product(session, trading.supplier, certified=False)
    [line] = trading.body()["lines"]
    draft = trading.draft(lines=[line, {**line, "product_id": plain.product_id, "sku_id": plain.sku_id}])
    assert {each["code"]: each["lines"] for each in draft["checks"] if each["lines"]} == {
        "certified": [{"line_no": 2, "by": ["certificate"]}]
    }


def test_a_check_that_has_nothing_to_look_at_is_not_passed(trading):
    draft = trading.client("seller").post("/v1/external-sales", json=trading.body()).json()
    assert {each["code"]: each["passed"] for each in draft["checks"]} == {
        "lines_tie": None, "plausible": True, "certified": True, "documents_unused": None, "no_doubt": True
    }  # fmt: skip


def test_whoever_hands_many_in_hears_what_is_wrong_with_each(trading):
    ready, before, strangers = trading.draft(), trading.submitted(amount="990.00"), trading.draft(of="neighbour")
    ids = [ready["id"], before["id"], strangers["id"]]
    refused = trading.as_("seller").post("/v1/external-sales/submit", json={"ids": ids})
    assert codes(refused) == {("ids[1]", "illegal_move"), ("ids[2]", "not_found")}
    assert trading.status(ready) == "draft"


def test_two_persons_and_no_stranger(trading, database):
    sale = trading.submitted()
    path = f"/v1/external-sales/{sale['id']}/accept"
    assert trading.as_("neighbours_officer").post(path).status_code == 404
    assert trading.as_("seller").post(path).status_code == 403
    own = signed_in(trading.api, Role.COUNTY_OFFICER, trading.supplier, "500236")
    assert (own.post(path).status_code, own.post(path).json()["code"]) == (403, "own_claim")
    assert trading.as_("neighbours_seller").get(f"/v1/external-sales/{sale['id']}").status_code == 404
    draft = trading.draft()
    assert trading.as_("officer").get(f"/v1/external-sales/{draft['id']}").status_code == 404


def test_of_many_officers_one_accepts(trading, database):
    sale = trading.submitted()
    officers = sessions(trading.api, database, trading.officer, 10)
    answers = at_once([lambda each=each: each.post(f"/v1/external-sales/{sale['id']}/accept").status_code for each in officers])
    assert sorted(answers) == [200] + [409] * 9
    assert ledger(database) == 98_000


def test_whoever_waits_hears(trading, database):
    sale = trading.accepted()
    outbox.drain(database, HANDLERS)
    told = {
        name: [row["kind"] for row in trading.as_(name).get("/v1/notifications").json()["items"]] for name in ("officer", "seller")
    }
    assert told == {"officer": ["external_sale.submit"], "seller": ["external_sale.accept"]}
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT sum(amount_fen) FROM sales_month")).scalar_one() == 98_000
    assert sale["number"].startswith("WX")


def test_lists_are_filtered_paged_and_exported(trading):
    for amount in ("11.00", "12.00", "13.00"):
        trading.submitted(amount=amount)
    officer = trading.as_("officer")
    first = officer.get("/v1/external-sales?status=submitted&limit=2").json()
    assert [row["total"] for row in first["items"]] == ["13.00", "12.00"]
    assert [
        row["total"]
        for row in officer.get("/v1/external-sales", params={"status": "submitted", "limit": 2, "after": first["next"]}).json()[
            "items"
        ]
    ] == ["11.00"]
    assert officer.get("/v1/external-sales?district=500240").json()["items"] == []
    csv = officer.get("/v1/external-sales?format=csv").content.decode("utf-8-sig").splitlines()
    assert len(csv) == 4
    zh = officer.get("/v1/external-sales?format=csv", headers={"Accept-Language": "zh"}).content.decode("utf-8-sig")
    assert not re.search("[a-z]{3}", "".join(",".join(line.split(",")[1:5] + line.split(",")[8:9]) for line in zh.splitlines()))
    assert officer.get("/v1/external-sales?format=xlsx").content[:2] == b"PK"
    assert trading.as_("neighbours_officer").get("/v1/external-sales").json()["items"] == []


def test_a_paper_gets_its_file_and_is_taken_away(trading):
    seller = trading.as_("seller")
    sale = seller.post("/v1/external-sales", json=trading.body()).json()
    path = f"/v1/external-sales/{sale['id']}/documents"
    seller.post(path, data={"kind": "waybill", "number": "SF 1234-5678", "issuer": "顺丰速运"})
    [paper] = seller.post(
        path, data={"kind": "waybill", "number": "sf12345678", "issuer": "SF"}, files={"file": ("a.pdf", PDF)}
    ).json()["documents"]
    assert paper["file_name"] == "a.pdf"
    assert seller.get(f"{path}/{paper['id']}/file").content == PDF
    wrong = {"kind": "invoice", "number": "123"}
    assert codes(seller.post(path, data=wrong)) == {("number", "wrong_invoice_number")}
    assert codes(seller.post(path, data={"kind": "waybill", "number": "1"})) == {("issuer", "carrier_missing")}
    assert seller.delete(f"{path}/{paper['id']}").status_code == 204
    assert seller.get(f"/v1/external-sales/{sale['id']}").json()["documents"] == []


def test_who_helped_to_sell_does_not_review(trading):
    sale = trading.submitted(helper_id=trading.buyer.id)
    officer = signed_in(trading.api, Role.COUNTY_OFFICER, trading.buyer, "500236")
    answer = officer.post(f"/v1/external-sales/{sale['id']}/accept")
    assert (answer.status_code, answer.json()["code"]) == (403, "own_claim")
