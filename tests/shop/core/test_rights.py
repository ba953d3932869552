"""The role of the API can do its work, and cannot change what is append-only (the database refuses it, not the program)."""

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from typer.testing import CliRunner

from orders.ledger import actions as ledger
from shop.cli import app
from shop.core import clock, rights
from shop.core.audit import SYSTEM
from shop.core.db import Database
from tests.factories.after_sales import ask_back, deliver, differences
from tests.factories.orders import make_market

ROLE = "shop_api"
CHANGES = ("UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table}", "TRUNCATE {table} CASCADE")


@pytest.fixture
def url(cluster, database):
    """The database's address for a login role that was given its rights."""
    cluster.sql(f"CREATE ROLE {ROLE} LOGIN")
    try:
        rights.grant(database.url, ROLE)
        yield database.url.replace("//shop@", f"//{ROLE}@")
    finally:
        with database.unit_of_work() as session:
            session.execute(text(f"DROP OWNED BY {ROLE}"))
        cluster.sql(f"DROP ROLE {ROLE}")


def refusal(connection, statement):
    """The code with which the database refuses a statement; none when it lets it pass."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def test_the_list_is_that_of_the_triggers(database):
    with database.unit_of_work() as session:
        guarded = session.execute(
            text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' ORDER BY 1")
        ).scalars()
        assert tuple(guarded) == rights.APPEND_ONLY


def test_a_planner_is_told_of_what_outlets_sold(url):
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT analyze_sales_batch_line()")
        found = connection.execute("SELECT reltuples FROM pg_class WHERE oid = 'sales_batch_line'::regclass")
        assert found.fetchone() == (0,)  # and not -1, of which nobody has ever looked


def test_nothing_that_is_append_only_can_be_changed(url):
    tried = 0
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (ROLE,)
        for table in rights.APPEND_ONLY:
            column = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum LIMIT 1", [table]
            ).fetchone()[0]
            for change in CHANGES:
                statement = sql.SQL(change).format(table=sql.Identifier(table), column=sql.Identifier(column))
                assert refusal(connection, statement) == "42501", (table, change)
                tried += 1
            assert connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert tried == 4 * len(rights.APPEND_ONLY)


def test_the_guards_cannot_be_switched_off(url):
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in (
            "ALTER TABLE sale_entry DISABLE TRIGGER ALL",
            "DROP TRIGGER append_only ON money_posting",
            "SET session_replication_role = replica",
            "DROP TABLE audit_event",
            "CREATE TABLE here (id int)",
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "ALTER ROLE shop_api SUPERUSER",
            "SET ROLE shop",
            "UPDATE alembic_version SET version_num = '0001'",
            "TRUNCATE purchase_order CASCADE",
            "COPY purchase_order TO PROGRAM 'cat'",
        ):
            assert refusal(connection, statement) == "42501", statement


@pytest.mark.slow
def test_the_api_does_its_work_with_it(api, database, url, server):
    """An order's whole life, with a return, a correction of the ledger and a payment, on connections of the role."""
    market = make_market(database)
    limited = Database(url, pool_size=5)
    server.app.state.database = limited
    try:
        delivered = deliver(api, market, 10)
        path = f"/v1/purchase-orders/{delivered.order_id}"
        paid = {"amount": "699.00", "bank_reference": "R-1", "payer_name": "学校", "paid_on": str(clock.today())}
        assert api.as_(market.finance).post(f"{path}/payments", json=paid).status_code == 201
        asked = ask_back(api, market, delivered, 2).json()
        answer = api.as_(market.sellers[0]).post(f"/v1/returns/{asked['id']}/approve", json={"without_goods": True})
        assert answer.status_code == 200, answer.text
        with limited.unit_of_work() as session:
            entry_id = session.execute(text("SELECT min(id) FROM sale_entry")).scalar_one()
            ledger.reverse(session, SYSTEM, entry_id, reason="更正", quantity=1)
            session.rollback()
        assert api.as_(market.purchaser).get(path).json()["payable"] == "559.20"
    finally:
        limited.dispose()
    assert differences(database) == {}


def test_who_owns_the_tables_cannot_be_limited(cluster, database):
    for role, said in (("shop", "owns the tables"), ("nobody_at_all", "there is no role"), ("pg_monitor", "cannot log in")):
        with pytest.raises(rights.UnfitRole, match=said):
            rights.grant(database.url, role)


def test_rights_by_another_way_are_found(cluster, database, url):
    """What PUBLIC was given is not taken back by anybody in passing; it is said."""
    with database.unit_of_work() as session:
        session.execute(text("GRANT DELETE ON sale_entry TO PUBLIC"))
    with pytest.raises(rights.UnfitRole, match="may still change sale_entry"):
        rights.grant(database.url, ROLE)


def test_the_command(database, url, monkeypatch):
    monkeypatch.setattr("shop.cli._database_url", lambda: database.url)
    done = CliRunner().invoke(app, ["grants", ROLE])
    assert (done.exit_code, done.output) == (
        0,
        f"{ROLE} may do what the API does; {len(rights.APPEND_ONLY)} tables are append-only for it\n",
    )
    assert CliRunner().invoke(app, ["grants", "nobody_at_all"]).exit_code == 1
