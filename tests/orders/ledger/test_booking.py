"""Booking accepted lines: the statement says what the rules say, with the whole snapshot."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from orders.ledger import actions, rules
from orders.ledger.errors import NothingLeftToReverse, NotReversible
from orders.purchasing.models import OrderLine
from shop.core import clock
from shop.core.audit import SYSTEM
from shop.core.errors import NotFound
from shop.identity.models import OrganisationRole
from shop.identity.permissions import Role
from shop.regions.models import Supporter, SupportRelation
from tests.factories.identity import make_user
from tests.factories.ledger import make_trade, sell

FIRST, LAST = date(2024, 11, 1), date(2026, 10, 31)


def sales(session, columns="*", where="true"):
    return session.execute(text(f"SELECT {columns} FROM sale_entry WHERE {where} ORDER BY id")).all()


def random_world(session, trade, chance):
    """Dated roles and relations that begin and end in the middle of the history, some of them regional, some for townships."""
    townships = session.execute(text("SELECT code FROM region WHERE kind = 'township'")).scalars().all()
    for n in range(12):
        supporter = Supporter(name=f"支援单位{n}", region_code=chance.choice(["500106", "500103", "371600", None]))
        session.add(supporter)
        session.flush()
        edge = FIRST + timedelta(days=chance.randint(0, 700))
        session.add(
            SupportRelation(
                kind=chance.choice(["east_west", "central_unit", "municipal_group", "district_pair"]),
                supporter_id=supporter.id,
                region_code=chance.choice(["500236", "500240", "500242", "500101", *townships[:3]]),
                valid_from=chance.choice([None, edge]),
                valid_to=chance.choice([None, edge + timedelta(days=chance.randint(1, 300))]),
                confidence="assumed",
            )
        )
        buyer = chance.choice(trade.buyers)
        role = chance.choice(["central_unit", "group_member", "east_partner", "hospital", "authority", "school", "budget_unit"])
        session.add(
            OrganisationRole(
                organisation_id=buyer.id, role=role, supporter_id=supporter.id, valid_from=edge, valid_to=edge + timedelta(days=200)
            )
        )
    session.execute(
        text(
            "UPDATE product SET township_code = (SELECT code FROM region WHERE kind = 'township' AND parent_code = district_code LIMIT 1) WHERE id % 2 = 0"
        )
    )
    session.flush()
    relations = session.execute(text("SELECT id FROM support_relation")).scalars().all()
    for order_id in trade.order_ids[::3]:
        session.execute(
            text("UPDATE purchase_order SET declared_relation_id = :relation WHERE id = :id"),
            {"relation": chance.choice(relations), "id": order_id},
        )


def by_the_rules(session):
    """What ``rules.credit`` says of every entry, read from the same tables."""
    priority = session.execute(
        text("SELECT config -> 'channel_priority' FROM programme WHERE code = 'chongqing-2021'")
    ).scalar_one()
    supports = [
        rules.Support(r.id, r.kind, r.supporter_id, r.region, r.region_code, rules.Term(r.valid_from, r.valid_to))
        for r in session.execute(
            text(
                "SELECT s.*, u.region_code AS region FROM support_relation s JOIN supporter u ON u.id = s.supporter_id ORDER BY s.id"
            )
        )
    ]
    roles = {}
    for r in session.execute(text("SELECT * FROM organisation_role")):
        roles.setdefault(r.organisation_id, []).append(
            rules.BuyerRole(r.role, r.supporter_id, rules.Term(r.valid_from, r.valid_to))
        )
    rows = session.execute(
        text(
            "SELECT e.*, po.platform, po.declared_relation_id FROM sale_entry e JOIN purchase_order po ON po.id = e.order_id ORDER BY e.id"
        )
    )
    for row in rows:
        buyer = rules.Buyer(row.buyer_region_code, tuple(roles.get(row.buyer_id, ())))
        sale = rules.Sale(row.sold_on, row.township_code or row.district_code, row.platform, buyer, row.declared_relation_id)
        yield row, rules.credit(sale, supports, priority)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_statement_credits_as_the_rules_do(database, seed):
    chance = random.Random(seed)
    with database.unit_of_work() as session:
        trade = make_trade(session)
        acceptances = sell(session, trade, 120, first=FIRST, last=LAST, seed=seed, book=False)
        random_world(session, trade, chance)
        booked = actions.book_acceptances(session, acceptances)
        compared, channels, bases = 0, set(), set()
        for row, said in by_the_rules(session):
            assert (row.mode, row.relation, row.relation_id, row.channel, row.channel_basis) == (
                said.mode, said.relation, said.relation_id, said.channel, said.basis,
            )  # fmt: skip
            compared += 1
            channels.add(row.channel)
            bases.add(row.channel_basis.partition(":")[0])
        assert compared == booked > 200
    # the worlds are rich enough to mean something
    assert len(channels) >= 5
    assert {"relation", "default"} <= bases


def test_an_entry_is_a_snapshot_of_the_sale(database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        [acceptance_id, *_] = sell(session, trade, 1, first=date(2025, 5, 4), last=date(2025, 5, 4), seed=3)
        rows = session.execute(
            text(
                "SELECT e.*, l.certificate_id AS ordered_certificate, a.amount_fen AS accepted_fen, a.accepted_grams, a.accepted_quantity,"
                " o.region_code, o.kind AS organisation_kind FROM sale_entry e JOIN acceptance_line a ON a.id = e.origin_id"
                " JOIN order_line l ON l.id = a.order_line_id JOIN organisation o ON o.id = e.buyer_id"
            )
        ).all()
        assert rows
        for row in rows:
            assert (row.amount_fen, row.grams, row.quantity) == (row.accepted_fen, row.accepted_grams, row.accepted_quantity)
            assert (row.sold_on, row.month) == (date(2025, 5, 4), date(2025, 5, 1))
            assert (row.certified, row.certificate_id) == (True, row.ordered_certificate)
            assert (row.buyer_region_code, row.buyer_kind, row.programme_code) == (
                row.region_code,
                row.organisation_kind,
                "chongqing-2021",
            )
            # 500118 Yongchuan is none of the 832 counties
            assert row.reserved_share_eligible == (row.district_code != "500118")
        with pytest.raises(IntegrityError, match="uq_sale_entry"):
            actions.book_acceptance(session, acceptance_id)
        session.rollback()


def test_the_day_is_that_of_shanghai(database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        acceptances = sell(session, trade, 3, first=date(2026, 4, 30), last=date(2026, 4, 30), seed=3, book=False)
        session.execute(text("UPDATE acceptance SET accepted_at = '2026-04-30 16:00:00+00'"))
        actions.book_acceptances(session, acceptances)
        assert {(row.sold_on, row.month) for row in sales(session)} == {(date(2026, 5, 1), date(2026, 5, 1))}


def test_a_certificate_that_was_not_in_force_when_ordered_certifies_nothing(database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        acceptances = sell(session, trade, 10, first=date(2026, 5, 4), last=date(2026, 5, 4), book=False)
        session.execute(text("UPDATE certificate SET revoked_at = '2026-01-01' WHERE id % 2 = 0"))
        session.execute(text("UPDATE certificate SET revoked_at = '2026-05-04' WHERE id % 2 = 1"))
        actions.book_acceptances(session, acceptances)
        rows = session.execute(
            text("SELECT e.certified, l.certificate_id % 2 AS odd FROM sale_entry e JOIN acceptance_line a ON a.id = e.origin_id"
                 " JOIN order_line l ON l.id = a.order_line_id")
        ).all()  # fmt: skip
        assert {(row.certified, row.odd) for row in rows} == {(False, 0), (True, 1)}


@pytest.mark.slow
def test_a_buyer_of_a_merged_district_stands_in_its_successor(database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 30, first=date(2025, 10, 1), last=date(2025, 11, 5), seed=1)
        sell(session, trade, 30, first=date(2025, 11, 7), last=date(2025, 12, 20), seed=2)
        moved = session.execute(
            text("SELECT DISTINCT buyer_region_code, sold_on >= '2025-11-06' AS after FROM sale_entry WHERE buyer_id = :id"),
            {"id": trade.buyers[1].id},
        ).all()
        assert {tuple(row) for row in moved} == {("500112", False), ("500157", True)}


@pytest.mark.slow
def test_a_buyer_in_a_township_stands_in_its_district(api, database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        session.execute(
            text(
                "INSERT INTO region (code, name_zh, name_en, kind, parent_code) VALUES ('500112T99', '乡', 'Xiang', 'township', '500112')"
            )
        )
        set_region = text("UPDATE organisation SET region_code = :code WHERE id = :id")
        session.execute(set_region, {"code": "500236T01", "id": trade.buyers[0].id})
        session.execute(set_region, {"code": "500112T99", "id": trade.buyers[1].id})
        sell(session, trade, 30, first=date(2025, 10, 1), last=date(2025, 11, 5), seed=1)
        sell(session, trade, 30, first=date(2025, 11, 7), last=date(2025, 12, 20), seed=2)
        stand = text("SELECT DISTINCT buyer_region_code, sold_on >= '2025-11-06' AS after FROM sale_entry WHERE buyer_id = :id")
        assert {row[0] for row in session.execute(stand, {"id": trade.buyers[0].id})} == {"500236"}
        moved = session.execute(stand, {"id": trade.buyers[1].id}).all()
        assert {tuple(row) for row in moved} == {("500112", False), ("500157", True)}
        bought = text("SELECT sum(amount_fen)::bigint FROM sale_entry WHERE buyer_id = :id")
        fen = session.execute(bought, {"id": trade.buyers[0].id}).scalar_one()
        user = make_user(session, Role.MONITOR)
    asked = {"from": "2025-01-01", "to": "2025-12-31", "measure": "amount", "buyer_region": "500236"}
    figures = api.as_(user).get("/v1/statistics/sales", params=asked).json()
    assert figures["totals"]["figures"]["amount"] == f"{fen / 100:.2f}"


def test_entries_are_never_changed_or_removed(database):
    with database.unit_of_work() as session:
        sell(session, make_trade(session), 2, first=FIRST, last=FIRST)
    for statement in ("UPDATE sale_entry SET amount_fen = 0", "DELETE FROM sale_entry", "TRUNCATE sale_entry CASCADE"):
        with database.session() as session, pytest.raises(DBAPIError, match="append-only"):
            session.execute(text(statement))


def test_a_reversal_takes_back_everything_in_the_month_in_which_it_happens(database):
    with database.unit_of_work() as session:
        sell(session, make_trade(session), 5, first=date(2026, 5, 4), last=date(2026, 5, 4))
        entry = sales(session)[0]
        with clock.fixed(datetime(2026, 7, 9, 20, tzinfo=UTC)):
            correction_id = actions.reverse(session, SYSTEM, entry.id, reason="退货")
        correction = sales(session, where=f"id = {correction_id}")[0]
        assert (correction.quantity, correction.grams, correction.amount_fen) == (-entry.quantity, -entry.grams, -entry.amount_fen)
        assert (correction.sold_on, correction.month) == (date(2026, 7, 10), date(2026, 7, 1))
        same = ("channel", "channel_basis", "mode", "supplier_id", "district_code", "order_id", "certificate_id", "buyer_kind")
        assert [getattr(correction, name) for name in same] == [getattr(entry, name) for name in same]
        assert session.execute(text("SELECT reason FROM audit_event WHERE action = 'sale_entry.reversed'")).scalar_one() == "退货"
        with pytest.raises(NothingLeftToReverse):
            actions.reverse(session, SYSTEM, entry.id, reason="again")
        with pytest.raises(NotReversible):
            actions.reverse(session, SYSTEM, correction_id, reason="again")
        with pytest.raises(NotFound):
            actions.reverse(session, SYSTEM, 10**12, reason="nothing")


def test_reversing_in_parts_sums_to_the_whole(database):
    with database.unit_of_work() as session:
        sell(session, make_trade(session), 5, first=date(2026, 5, 4), last=date(2026, 5, 4))
        entry = max(sales(session), key=lambda row: row.quantity)
        for quantity in (Decimal("0.333"), Decimal("1.5"), None):
            actions.reverse(session, SYSTEM, entry.id, reason="退货", quantity=quantity)
        assert session.execute(
            text("SELECT sum(quantity), sum(grams), sum(amount_fen) FROM sale_entry WHERE :id IN (id, reverses_id)"),
            {"id": entry.id},
        ).one() == (0, 0, 0)


@pytest.mark.slow
def test_a_large_delivery_is_booked_in_one_go(database):
    """10,000 lines from one place: the relations are looked up once, not per line."""
    with database.unit_of_work() as session:
        trade = make_trade(session)
        [acceptance_id, *_] = sell(session, trade, 1, first=date(2026, 5, 4), last=date(2026, 5, 4), seed=3, book=False)
        line = session.execute(text("SELECT l.* FROM order_line l JOIN acceptance_line a ON a.order_line_id = l.id LIMIT 1")).one()
        copies = [{**line._mapping, "line_no": n} for n in range(100, 10_100)]
        for copy in copies:
            del copy["id"]
        session.execute(insert(OrderLine), copies)
        session.execute(
            text(
                "INSERT INTO acceptance_line (acceptance_id, order_line_id, accepted_quantity, accepted_grams, rejected_quantity,"
                " rejected_grams, amount_fen) SELECT :a, id, 1, 1, 0, 0, 1 FROM order_line WHERE line_no >= 100"
            ),
            {"a": acceptance_id},
        )
        session.execute(text("ANALYZE acceptance_line"))
        scans = text("SELECT seq_scan + idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'support_relation'")
        before = session.execute(scans).scalar_one()
        assert actions.book_acceptance(session, acceptance_id) >= 10_000
        assert session.execute(scans).scalar_one() - before <= 3
        session.rollback()


def test_the_lines_behind_a_figure_are_open_to_whom_they_concern(api, database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 40, first=date(2026, 5, 1), last=date(2026, 6, 30))
        people = {
            "monitor": make_user(session, Role.MONITOR),
            "fengjie": make_user(session, Role.MONITOR, region_code="500236"),
            "township": make_user(session, Role.TOWNSHIP_OFFICER, region_code="500236T01"),
            "supplier": make_user(session, Role.SUPPLIER_STAFF, trade.goods[0].supplier),
            "buyer": make_user(session, Role.FINANCE, trade.buyers[0]),
            "purchaser": make_user(session, Role.PURCHASER, trade.buyers[1]),
        }
        expected = {
            "monitor": "true",
            "fengjie": "district_code = '500236'",
            "township": "false",
            "supplier": f"supplier_id = {trade.goods[0].supplier.id}",
            "buyer": f"buyer_id = {trade.buyers[0].id}",
            "purchaser": f"buyer_id = {trade.buyers[1].id}",
        }
        ids = {name: [row.id for row in session.execute(text(f"SELECT id FROM sale_entry WHERE {where} ORDER BY sold_on DESC, id DESC"))]
               for name, where in expected.items()}  # fmt: skip
    for name, user in people.items():
        client, found, after = api.as_(user), [], {}
        while True:
            page = client.get("/v1/sale-entries", params={"from": "2026-01-01", "to": "2026-12-31", "limit": 17, **after}).json()
            found += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert found == ids[name], name
    client = api.as_(people["monitor"])
    some = client.get(
        "/v1/sale-entries", params={"from": "2026-01-01", "to": "2026-12-31", "district": "500236", "category": ["fruit", "tea"]}
    ).json()["items"]
    assert some
    assert {item["district_code"] for item in some} == {"500236"}
    assert {item["category"] for item in some} <= {"fruit", "tea"}
    one = client.get("/v1/sale-entries", params={"from": "2026-01-01", "to": "2026-12-31", "order_id": some[0]["order_id"]}).json()[
        "items"
    ]
    assert {item["order_number"] for item in one} == {some[0]["order_number"]}
    assert api.get("/v1/sale-entries").status_code == 401


def test_designations_of_one_kind_are_united_and_of_two_kinds_refused(api, database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 30, first=date(2026, 5, 1), last=date(2026, 6, 30))
        session.execute(text("DELETE FROM region_designation"))
        said = "INSERT INTO region_designation (region_code, designation) VALUES ('500236', 'national_key'), ('500240', 'municipal_key')"
        session.execute(text(said))
        user = make_user(session, Role.MONITOR)
    client, asked = api.as_(user), {"from": "2026-01-01", "to": "2026-12-31", "limit": 200}

    def districts(*designation):
        answer = client.get("/v1/sale-entries", params={**asked, "designation": designation})
        return {item["district_code"] for item in answer.json()["items"]}

    assert districts("national_key", "municipal_key") == {"500236", "500240"}
    assert districts("municipal_key") == {"500240"}
    assert districts("deep_township") == set()
    mixed = client.get("/v1/sale-entries", params={**asked, "designation": ["national_key", "deep_township"]})
    assert (mixed.status_code, mixed.json()["code"]) == (422, "mixed_designations")
    assert [fault["field"] for fault in mixed.json()["errors"]] == ["designation"]


@pytest.mark.parametrize(
    "params",
    [
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"from": "yesterday"},
        {"from": "0001-01-01"},
        {"after": "eyJ4Ijox"},
        {"after": "WyJub3QgYSBkYXRlIiwxXQ"},
        {"district": "'; DROP TABLE sale_entry"},
        {"supplier": str(2**63)},
        {"mode": "theft"},
        {"designation": ["national_key", "deep_township"]},
        {"category": "\x00"},
        {"limit": "0"},
    ],
)
def test_bad_questions_are_refused(api, database, params):
    with database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
    response = api.as_(user).get("/v1/sale-entries", params=params)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
