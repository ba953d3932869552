"""The demo data: sound to the fen, the same for the same date, and with work for everybody who signs in."""

import hashlib
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlmodel import select

from orders.banking.actions import importing
from orders.banking.matching import Reason
from orders.banking.queries import lines as banking
from orders.banking.queries import statements as bank
from orders.banking.schemas.statements import HowRead
from orders.closing import queries as closing
from orders.closing.schemas import CloseFilter
from orders.importing import actions as imports
from orders.ledger.selection import Dimension, Selection, reach_of
from orders.money import queries as money
from orders.reconcile import report
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from shop.core import clock, storage
from shop.core.db import Database
from shop.core.settings import settings
from shop.core.uscc import checked
from shop.demo import seed
from shop.demo.logins import PASSWORD, demo_logins
from shop.demo.people import COUNTY, DATA, DEMO_BUYER, DEMO_SUPPLIER, acting
from shop.identity import tokens
from shop.identity.actions.sign_in import passwords
from shop.identity.models import Organisation, User
from shop.identity.permissions import Role
from shop.regions import queries as regions
from tests.factories.identity import access_token

pytestmark = pytest.mark.slow


def one(database, sql, **values):
    with database.session() as session:
        return session.execute(text(sql), values).scalar_one()


def names(database, sql, **values):
    with database.session() as session:
        return set(session.execute(text(sql), values).scalars())


def differences(database):
    with database.session() as session:
        return {finding.name: finding.first for finding in report.findings(session) if finding.count}


def test_everything_reconciles(demo):
    assert differences(demo) == {}


def test_the_books_of_any_day_agree_with_the_bank_and_a_months_close_with_the_books(demo):
    with demo.session() as session:
        cashier = acting(session, "cashier")
        for days_ago in (0, 3, 17, 33, 50):
            day = clock.today() - timedelta(days=days_ago)
            found = bank.reconciliation(session, cashier, day)
            assert (found.difference, found.before_books) == (0, 5_000_000)
            assert found.book_balance == found.booked + found.before_books
        owed = closing.close(session, cashier, CloseFilter(), limit=1, after=None).total.owed
        assert (owed.unexplained, owed.receivable) == (0, money.balance(session, "receivable"))
        assert owed.unpaid > 0


def test_there_is_a_market_to_look_at(demo):
    assert one(demo, "SELECT count(*) FROM purchase_order") > 250
    assert one(demo, "SELECT count(*) FROM sale_entry") > 1_000
    assert one(demo, "SELECT count(*) FROM audit_event") == one(demo, "SELECT count(*) FROM audit_seal") > 3_000


def test_a_second_load_changes_nothing(demo):
    before = fingerprints(demo)
    said = []
    with demo.unit_of_work() as session:
        assert not seed.load(session, said.append)
    assert fingerprints(demo) == before
    assert "there already" in said[0]


def test_everybody_can_sign_in_and_holds_a_role_of_the_list(demo):
    with demo.session() as session:
        for _, username, password in demo_logins():
            row = session.execute(
                text("SELECT password_hash FROM app_user WHERE username = :name AND active"), {"name": username}
            ).one()
            assert passwords.verify(password, row.password_hash), username
    held = names(
        demo,
        "SELECT r.role FROM user_role r JOIN app_user u ON u.id = r.user_id WHERE u.username = ANY (:names)",
        names=[username for _, username, _ in demo_logins()],
    )
    assert held == {str(role) for role in Role}
    assert PASSWORD == "demo-2026"


def test_every_supplier_has_a_login(demo):
    suppliers = one(
        demo,
        "SELECT count(*) FROM organisation_role r JOIN organisation o ON o.id = r.organisation_id"
        " WHERE role = 'supplier' AND status = 'approved'",
    )
    assert suppliers >= 40
    assert one(demo, "SELECT count(DISTINCT organisation_id) FROM app_user WHERE username LIKE 'supplier-%'") == suppliers


def test_credit_codes_are_valid_and_marked_as_invented(demo):
    for code in names(demo, "SELECT uscc FROM organisation"):
        assert checked(code) == code
        assert code[8:11] == "DEM"


def test_every_line_of_the_canteens_spreadsheet_can_be_ordered(demo):
    with demo.session() as session:  # never committed
        token = access_token(session, session.exec(select(User).where(User.username == "buyer")).one())
        buyer = tokens.actor_of(session, token=token, api_key=None)
        content = (DATA / "canteen_order.xlsx").read_bytes()
        import_id = imports.upload(session, buyer, "canteen_order.xlsx", content, buyer_id=None, columns=None)
        imports.read(session, import_id)
        imports.check(session, import_id)
        ready = session.execute(
            text(
                "SELECT count(*) FROM order_import_row w JOIN stock k USING (sku_id)"
                " WHERE w.import_id = :id AND w.state = 'matched' AND k.on_hand - k.reserved >= 20 * w.quantity"
            ),
            {"id": import_id},
        ).scalar_one()
    assert ready == 60


@pytest.mark.parametrize(
    ("column", "codes"),
    [
        ("mode", {"policy_procurement", "east_west", "market", "social_network"}),
        ("relation", {"none", "east_west", "central_unit", "municipal_group", "district_pair"}),
        (
            "channel",
            {"central_unit", "municipal_group", "district_pair", "east_west", "policy_procurement", "social_network", "market"},
        ),
    ],
)
def test_every_mode_relation_and_channel_occurs(demo, column, codes):
    assert names(demo, f"SELECT DISTINCT {column} FROM sale_entry") == codes


def test_a_body_that_supports_a_place_is_credited_for_buying_there(demo):
    uncredited = one(
        demo,
        """
        SELECT count(*) FROM sale_entry e
        JOIN organisation_role o ON o.organisation_id = e.buyer_id
        JOIN support_relation s ON s.supporter_id = o.supporter_id AND starts_with(coalesce(e.township_code, e.district_code), s.region_code)
         AND coalesce(s.valid_from, '2000-01-01') <= e.sold_on AND e.sold_on < coalesce(s.valid_to, '2100-01-01')
        WHERE e.relation_id IS NULL
        """,
    )
    assert uncredited == 0


def test_nothing_lies_in_the_future(demo):
    for table, column in {
        "purchase_order": "placed_at",
        "shipment": "shipped_at",
        "acceptance": "accepted_at",
        "payment": "recorded_at",
        "stock_movement": "at",
        "audit_event": "at",
        "certificate": "issued_at",
    }.items():
        assert one(demo, f"SELECT max({column}) FROM {table}") <= clock.now(), table


def test_stock_never_ran_below_what_was_promised(demo):
    short = one(
        demo,
        """
        SELECT count(*) FROM (
            SELECT sum(on_hand - reserved) OVER w AS free, sum(reserved) OVER w AS promised
            FROM stock_movement WINDOW w AS (PARTITION BY sku_id ORDER BY id)
        ) m WHERE free < 0 OR promised < 0
        """,
    )
    assert short == 0


def test_every_pack_has_a_stock_though_it_may_be_empty(demo):
    assert one(demo, "SELECT count(*) FROM sku WHERE NOT EXISTS (SELECT FROM stock WHERE sku_id = sku.id)") == 0
    assert one(demo, "SELECT count(*) FROM stock WHERE on_hand = 0") > 0


# --- work for everybody ------------------------------------------------------------------------------------------------


def test_the_county_officer_has_every_kind_of_work(demo):
    pending = "SELECT count(*) FROM organisation WHERE status = 'pending' AND region_code LIKE :county || '%'"
    assert one(demo, pending, county=COUNTY) == 2
    waiting = names(demo, "SELECT status FROM certification_case WHERE district_code = :county", county=COUNTY)
    assert {"township_review", "county_review", "public_notice", "returned", "draft", "approved"} <= waiting
    open_and_over = (
        "SELECT count(*) FILTER (WHERE notice_until > :today), count(*) FILTER (WHERE notice_until <= :today)"
        " FROM certification_case WHERE status = 'public_notice' AND district_code = :county"
    )
    with demo.session() as session:
        assert tuple(session.execute(text(open_and_over), {"county": COUNTY, "today": clock.today()}).one()) == (1, 1)


def test_the_city_officer_has_cases(demo):
    assert one(demo, "SELECT count(*) FROM certification_case WHERE status = 'city_review'") == 2
    assert one(demo, "SELECT count(*) FROM certification_case WHERE status = 'filing' AND batch_id IS NULL") == 1


def test_the_supplier_and_the_school_have_orders_in_every_stage(demo):
    sql = (
        "SELECT so.status FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id"
        " JOIN organisation b ON b.id = po.buyer_id JOIN organisation s ON s.id = so.supplier_id"
        " WHERE b.name = :buyer AND s.name = :supplier"
    )
    found = names(demo, sql, buyer=DEMO_BUYER, supplier=DEMO_SUPPLIER)
    assert {"placed", "confirmed", "shipped", "accepted"} <= found


def test_finance_has_something_to_pay(demo):
    unpaid = one(
        demo,
        "SELECT count(*) FROM purchase_order po JOIN organisation b ON b.id = po.buyer_id WHERE b.name = :buyer"
        " AND NOT EXISTS (SELECT FROM payment WHERE purchase_order_id = po.id)"
        " AND NOT EXISTS (SELECT FROM supplier_order WHERE purchase_order_id = po.id AND status <> 'accepted')",
        buyer=DEMO_BUYER,
    )
    assert unpaid >= 1


def test_platform_finance_has_a_desk_with_work(demo):
    waiting = names(demo, "SELECT text FROM bank_line WHERE matched_fen = 0 AND text NOT LIKE '%RF%'")
    assert waiting == {"货款", "买水果", "对公账户管理费", "网上银行服务费", "短信服务费"}
    with demo.session() as session:
        lines = session.execute(text("SELECT id FROM bank_line WHERE matched_fen = 0 AND text LIKE '%RF%'")).all()
        cashier = acting(session, "cashier")
        found = {reason for row in lines for reason in banking.line(session, cashier, row.id, "en").proposals[0].reasons}
    assert {Reason.ABOVE_DUE, Reason.PAYER_DIFFERS} <= found
    assert one(demo, "SELECT count(*) FROM payer_declaration WHERE status = 'declared'") == 1
    assert one(demo, "SELECT count(*) FROM tax_invoice WHERE status = 'held'") == 2
    assert names(demo, "SELECT status FROM payout") == {"draft", "paid"}
    part = "SELECT count(*) FROM payment_due WHERE paid_fen > 0 AND paid_fen < amount_fen"
    assert one(demo, part) >= 1
    assert one(demo, "SELECT count(*) FROM payment WHERE source = 'announced'") == 0


def test_the_school_is_overdue(demo):
    overdue = (
        "SELECT count(*) FROM payment_due d JOIN purchase_order po ON po.id = d.purchase_order_id"
        " JOIN organisation b ON b.id = po.buyer_id WHERE b.name = :buyer AND d.paid_fen < d.amount_fen AND d.due_on < :today"
    )
    assert one(demo, overdue, buyer=DEMO_BUYER, today=clock.today()) >= 1


def test_statements_are_files_that_could_be_imported_again_and_bring_nothing_new(demo):
    with demo.session() as session:
        cashier = acting(session, "cashier")
        kept = session.execute(
            text("SELECT f.storage_key, s.line_count, s.layout FROM bank_statement s JOIN stored_file f ON f.id = s.file_id")
        ).all()
        assert len(kept) >= 3
        for row in kept:
            parsed, new = importing.look(session, cashier, storage.get(row.storage_key), HowRead())
            assert (parsed.problem, new, parsed.found.layout) == (None, 0, row.layout)
            assert len(parsed.statement.entries) == row.line_count


def test_the_school_has_set_up_its_purchasing(demo):
    budget = "SELECT (limit_fen, consumed_fen > 0)::text FROM budget WHERE fund_source = 'canteen' AND year = :year"
    assert one(demo, budget, year=clock.today().year) == "(600000000,t)"  # what it bought in the year counts
    assert one(demo, "SELECT address FROM delivery_address WHERE is_default").startswith("重庆市沙坪坝区")
    assert one(demo, "SELECT count(*) FROM saved_list_line") == 4
    assert one(demo, "SELECT status FROM reserved_share") == "draft"


def test_units_stand_below_their_parent(demo):
    with demo.session() as session:
        school = session.exec(select(Organisation).where(Organisation.name == DEMO_BUYER)).one()
        parent = session.get(Organisation, school.parent_id)
    assert school.path == f"{parent.path}{school.id}/"
    assert parent.name == "沙坪坝区教育委员会"


def test_production_takes_no_demo_data(monkeypatch):
    monkeypatch.setenv("SHOP_ENVIRONMENT", "production")
    monkeypatch.setenv("SHOP_SEALING_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("SHOP_SEALING_INDEX_KEY", "x")
    settings.cache_clear()
    try:
        with pytest.raises(SystemExit, match="production takes no demo data"):
            seed.run(True, lambda _: None)
    finally:
        monkeypatch.undo()
        settings.cache_clear()


# --- any date ----------------------------------------------------------------------------------------------------------


#: Sealing the same content gives other bytes each time, and the database numbers its transactions.
SEALED = ["sealed", "sealed_contact", "sealed_number", "written_in"]


def fingerprints(database):
    """A checksum of every table, generated secrets and all, but for what is sealed."""
    with database.session() as session:
        tables = session.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).scalars().all()
        sums = {}
        for table in tables:
            rows = session.execute(
                text(
                    f"SELECT coalesce(string_agg(line, '|' ORDER BY line), '')"
                    f" FROM (SELECT (to_jsonb(t) - CAST(:sealed AS text[]))::text AS line FROM {table} t) lines"
                ),
                {"sealed": SEALED},
            ).scalar_one()
            sums[table] = hashlib.sha256(rows.encode()).hexdigest()
    return sums


@contextmanager
def loaded_on(cluster, template, moment, months=1):
    database = Database(cluster.create("demo_dated", template), pool_size=2)
    try:
        with clock.fixed(moment):
            with database.unit_of_work() as session:
                seed.load(session, lambda _: None, months)
            yield database
    finally:
        database.dispose()
        cluster.drop("demo_dated")


def test_the_same_date_gives_the_same_data(cluster, template):
    with loaded_on(cluster, template, datetime(2026, 3, 4, 1, 30, tzinfo=UTC)) as database:
        morning = fingerprints(database)
        assert differences(database) == {}
    with loaded_on(cluster, template, datetime(2026, 3, 4, 14, 0, tzinfo=UTC)) as database:
        evening = fingerprints(database)
    assert {table for table in morning if morning[table] != evening[table]} == set()


@pytest.mark.slow(seconds=49)
def test_what_was_sold_before_a_merger_stands_in_the_old_district_and_is_found_under_the_new_one(cluster, template):
    """In a period that ends before the merger under the old one alone; the new one has sales of its own since."""
    moment, merger = datetime(2025, 12, 20, 4, 0, tzinfo=UTC), date(2025, 11, 6)
    with loaded_on(cluster, template, moment, months=9) as database:
        with database.session() as session:
            sold = session.execute(
                text(
                    "SELECT district_code, min(sold_on) AS first, max(sold_on) AS last FROM sale_entry"
                    " WHERE district_code IN ('500112', '500157') AND origin_kind = 'acceptance_line' GROUP BY 1 ORDER BY 1"
                )
            ).all()
            monitor = acting(session, "monitor")

            def asked(first, last):
                only = {Dimension.DISTRICT: regions.with_predecessors(session, ["500157"])}
                question = Question(Selection(first, last, only), (Dimension.DISTRICT,), (Measure.AMOUNT,), reach_of(monitor))
                return {key: row[0].amount_fen for key, row in ask(session, question).rows.items()}

            whole, before = asked(date(2025, 3, 20), date(2025, 12, 19)), asked(date(2025, 3, 20), date(2025, 11, 5))
        assert differences(database) == {}
    old, new = sold
    assert (old.district_code, new.district_code) == ("500112", "500157")
    assert old.last < merger <= new.first
    assert set(before) == {("500112",)}
    assert set(whole) == {("500157",)}
    assert whole[("500157",)] > before[("500112",)] > 0


@pytest.mark.slow(seconds=15)
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2025, 10, 9, 4, 0, tzinfo=UTC),  # after a week of holidays, before two districts were merged
        datetime(2028, 2, 29, 4, 0, tzinfo=UTC),  # a leap day, in a year whose holidays are not published
    ],
)
def test_other_dates_work_too(cluster, template, moment):
    with loaded_on(cluster, template, moment) as database:
        assert differences(database) == {}
