"""What the database itself refuses of the money ledger, whoever asks."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orders.money import actions as money
from orders.money.rules import ACCOUNT_WORDS, KIND_WORDS, OF_PARTY, Account, Kind, Place, Posting, carry, is_balanced
from tests.factories.identity import make_organisation

TRANSACTION = "INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at) VALUES ('bank_entry', 1, '2026-11-01', now()) RETURNING id"
POSTINGS = "INSERT INTO money_posting (transaction_id, account, amount_fen) VALUES "


@pytest.fixture
def connection(database):
    """The bare driver as the owner of the tables: nothing of the program is between it and the guards."""
    with psycopg.connect(database.url.replace("+psycopg", "")) as connection:
        yield connection
        connection.rollback()


def booked(connection, *fen):
    """A transaction with postings on the bank's account."""
    made = connection.execute(TRANSACTION).fetchone()[0]
    connection.execute(POSTINGS + ", ".join(f"({made}, 'bank', {each})" for each in fen))
    return made


def test_what_is_balanced_is_booked(connection):
    made = booked(connection, 7, -4, -3)
    connection.commit()
    assert connection.execute(
        "SELECT sum(amount_fen), count(*) FROM money_posting WHERE transaction_id = %s", [made]
    ).fetchone() == (0, 3)


@pytest.mark.parametrize("fen", [(1,), (1, -2), (10**12, -(10**12) + 1)])
def test_what_is_not_balanced_is_refused(connection, fen):
    with pytest.raises(psycopg.errors.CheckViolation, match="do not sum to zero"):
        booked(connection, *fen)


def test_a_transaction_without_postings_is_refused_at_the_commit(connection):
    connection.execute(TRANSACTION)
    with pytest.raises(psycopg.errors.CheckViolation, match="does not sum to zero"):
        connection.commit()


def test_one_fen_cannot_be_added_after_the_check(connection):
    """The check of the commit can be had early; what comes after it is refused by the other guard."""
    made = booked(connection, 5, -5)
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(psycopg.errors.CheckViolation, match="do not sum to zero"):
        connection.execute(POSTINGS + f"({made}, 'bank', 1)")


def test_nothing_is_added_to_a_transaction_that_stands(connection):
    made = booked(connection, 5, -5)
    connection.commit()
    with pytest.raises(psycopg.errors.RestrictViolation, match="stands already"):
        connection.execute(POSTINGS + f"({made}, 'bank', 1), ({made}, 'online', -1)")


@pytest.mark.parametrize("table", ["money_transaction", "money_posting"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_is_booked_is_not_changed(connection, table, change):
    booked(connection, 5, -5)
    connection.commit()
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        connection.execute(change.format(table))


@pytest.mark.parametrize("account", sorted(OF_PARTY))
def test_accounts_of_parties_name_one(connection, account):
    made = connection.execute(TRANSACTION).fetchone()[0]
    with pytest.raises(psycopg.errors.CheckViolation, match="ck_money_posting_party_id"):
        connection.execute(POSTINGS + f"({made}, '{account}', 1), ({made}, 'bank', -1)")


@pytest.mark.parametrize(("account", "fen", "check"), [("pocket", 1, "account"), ("bank", 0, "amount_fen")])
def test_unknown_accounts_and_empty_postings_are_refused(connection, account, fen, check):
    made = connection.execute(TRANSACTION).fetchone()[0]
    with pytest.raises(psycopg.errors.CheckViolation, match=f"ck_money_posting_{check}"):
        connection.execute(POSTINGS + f"({made}, '{account}', {fen}), ({made}, 'bank', {-fen})")


def test_an_unknown_kind_is_refused(connection):
    with pytest.raises(psycopg.errors.CheckViolation, match="ck_money_transaction_kind"):
        connection.execute(TRANSACTION.replace("bank_entry", "gift"))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.REASSIGNMENT])
def test_one_cause_is_booked_once(database, kind):
    """Whatever is sent or handled twice: the database knows the cause."""
    with database.unit_of_work() as session:
        party = make_organisation(session)
        moved = carry(7, to=Place(Account.BANK), out_of=Place(Account.PAYOUTS, party.id))
        money.book(session, kind, 1, moved)
        money.book(session, kind, 2, moved)
    with pytest.raises(DBAPIError, match="uq_money_transaction_origin"), database.unit_of_work() as session:
        money.book(session, kind, 1, moved)


def test_an_order_may_move_more_than_once(database):
    with database.unit_of_work() as session:
        for _ in range(2):
            money.book(session, Kind.REASSIGNMENT, 1, carry(7, to=Place(Account.BANK), out_of=Place(Account.ONLINE)))
        assert session.execute(text("SELECT count(*) FROM money_transaction")).scalar_one() == 2


def test_a_sale_is_owed_once(database, connection):
    """The entry is named by its postings, which the database lets only one of each account do."""
    assert (
        connection.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_money_posting_sale'")
        .fetchone()[0]
        .startswith("CREATE UNIQUE INDEX uq_money_posting_sale ON public.money_posting USING btree (sale_entry_id, account)")
    )


PLACES = some.builds(Place, some.sampled_from(list(Account)), some.one_of(some.none(), some.integers(1, 3)))


@given(some.lists(some.builds(Posting, PLACES, some.integers(-3, 3)), max_size=6))
def test_what_may_be_booked(postings):
    """The rule told otherwise: no posting may be empty or without its party, and debits equal credits."""
    whole = all(each.amount_fen and (each.place.party_id or each.place.account not in OF_PARTY) for each in postings)
    debits = sum(each.amount_fen for each in postings if each.amount_fen > 0)
    credits = -sum(each.amount_fen for each in postings if each.amount_fen < 0)
    assert is_balanced(postings) == (bool(postings) and whole and debits == credits)


@given(some.integers(1, 10**12), PLACES, PLACES)
def test_what_is_carried_is_balanced(fen, to, out_of):
    assert sum(each.amount_fen for each in carry(fen, to=to, out_of=out_of)) == 0


@pytest.mark.parametrize("postings", [[], [Posting(Place(Account.BANK), 1)], [Posting(Place(Account.BANK), 0)] * 2])
def test_the_program_does_not_even_try(database, postings):
    with database.unit_of_work() as session, pytest.raises(ValueError, match="no transaction"):
        money.book(session, Kind.FEE, 1, postings)


def test_everything_has_words():
    assert (set(ACCOUNT_WORDS), set(KIND_WORDS)) == (set(Account), set(Kind))
    for words in (ACCOUNT_WORDS, KIND_WORDS):
        for language in (0, 1):
            assert len({each[language] for each in words.values()}) == len(words)
